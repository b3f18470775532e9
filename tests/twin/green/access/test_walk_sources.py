"""What the network is made from: lines, land, and what a plan changes of both; lengths added up by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from twin.green.access.summary import resident_sums
from twin.green.access.walk_network import WalkNetwork
from twin.green.access.walk_sources import PlannedGround, walk_network

CRS = "EPSG:5186"
STREETS = gpd.GeoDataFrame(
    {"class": ["시도", "소로", "고속국도"], "width_m": [12.0, 6.0, 20.0]},
    geometry=[shapely.LineString([(0, 0), (600, 0)]), shapely.LineString([(300, 0), (300, 400)]), shapely.LineString([(0, 500), (600, 500)])],
    crs=CRS,
)  # fmt: skip


def ground(standing: shapely.Polygon | None = None, **blocks: shapely.Polygon) -> PlannedGround:
    """Blocks that the plan changes; those whose name starts with R are roads, and so is the one that is ``standing``."""
    frame = gpd.GeoDataFrame({"block_id": list(blocks)}, geometry=list(blocks.values()), crs=CRS)
    whole = (
        frame
        if standing is None
        else pd.concat([frame, gpd.GeoDataFrame({"block_id": ["R0"]}, geometry=[standing], crs=CRS)])
    )
    use = ["road" if name.startswith("R") else "apartment" for name in whole["block_id"]]
    return PlannedGround.of(frame, whole.assign(use_class=pd.Series(use, index=whole.index, dtype="str")))


def length(network: WalkNetwork, *box: float) -> float:
    inside = shapely.intersects(network.edges, shapely.box(*box))
    return float(network.length_m[inside].sum())


def test_lines_without_a_plan_and_with_one_that_changes_nothing():
    for plan in (None, ground()):
        network, source = walk_network(STREETS, None, None, plan)
        assert source == "roads"
        assert network.length_m.sum() == pytest.approx(1000)
        assert len(network.barriers) == 1


def test_a_lane_under_a_new_block_goes_and_the_street_beside_it_stays():
    network, source = walk_network(STREETS, None, None, ground(A1=shapely.box(200, 50, 400, 350)))
    assert source == "plan"
    # 300 m of the lane lie in the block
    assert network.length_m.sum() == pytest.approx(700)
    assert length(network, 250, 60, 350, 340) == 0
    assert len(network.barriers) == 1


def test_a_road_of_the_plan_joins_the_street_it_meets():
    road = shapely.box(500, 0, 512, 400)
    network, source = walk_network(STREETS, None, None, ground(R1=road))
    assert source == "plan"
    # its centre line of about 400 m, 400 m of lane, 588 m of street and what mends the cut
    assert network.component.max() == 0
    assert length(network, 504, 50, 508, 350) == pytest.approx(300, abs=8)
    assert length(network, 590, -1, 600, 1) > 0


def test_new_streets_of_a_road_block_that_mostly_stands_take_part():
    """The block is the land of the street that stays, 12 m wide, and a new street of 200 m across it."""
    block = shapely.union_all([shapely.box(0, -6, 600, 6), shapely.box(494, -106, 506, 106)])
    network, source = walk_network(STREETS, None, None, ground(standing=block, A1=shapely.box(100, 60, 200, 90)))
    assert source == "plan"
    # the street is not drawn twice
    assert length(network, 26, -6, 274, 6) == pytest.approx(250, abs=0.1)
    for north, south in ((95, 20), (-20, -95)):
        assert length(network, 499, south, 501, north) == pytest.approx(75, abs=8)
    assert network.component.max() == 0


def test_scraps_of_road_land_are_no_street_but_a_surveyed_lane_is():
    """Both lie 80 m from the street: 60 m of the plan's road land, and a lane of 60 m that somebody drew."""
    scrap, long = shapely.box(100, 80, 160, 88), shapely.box(300, 700, 900, 708)
    lane = gpd.GeoDataFrame(
        {"class": ["소로"], "width_m": [3.0]}, geometry=[shapely.LineString([(400, -80), (460, -80)])], crs=CRS
    )
    network, _ = walk_network(pd.concat([STREETS, lane], ignore_index=True), None, None, ground(R1=scrap, R2=long))
    assert length(network, 90, 70, 170, 95) == 0
    assert length(network, 390, -90, 470, -70) == pytest.approx(60)
    # a long new street is one, though no way leads to it
    assert length(network, 310, 690, 890, 720) > 500
    assert network.component.max() == 2


def test_road_land_gives_way_to_a_new_block_and_gains_the_road_of_the_plan():
    parcels = gpd.GeoDataFrame(
        {"pnu": ["a", "b"], "jimok": ["도", "도"]},
        geometry=[shapely.box(0, 0, 600, 12), shapely.box(300, 12, 308, 400)],
        crs=CRS,
    )
    before, source = walk_network(None, parcels, None)
    assert source == "parcels"
    plan = ground(A1=shapely.box(290, 100, 320, 400), R1=shapely.box(500, 12, 512, 400))
    after, source = walk_network(None, parcels, None, plan)
    assert source == "plan"
    lane, new = (295, 150, 315, 380), (495, 150, 515, 380)
    assert length(before, *lane) > 200
    assert length(after, *lane) == 0
    assert length(before, *new) == 0
    assert length(after, *new) == pytest.approx(230, rel=0.1)
    assert after.component.max() == 0


def test_residents_of_blocks_and_their_share_that_a_park_serves():
    houses = pd.DataFrame(
        {
            "block_id": ["A1", "A1", None, "B1"],
            "residents": [30.0, 10.0, 99.0, np.nan],
            "park_300m": [True, False, True, None],
        }
    )
    found = resident_sums(pd.DataFrame({"block_id": ["A1", "B1", "C1"]}), "block_id", houses)
    assert found.loc["A1"].tolist() == [40.0, 75.0]
    assert found.loc[["B1", "C1"]].isna().all(axis=None)
