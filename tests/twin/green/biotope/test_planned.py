"""Ratio of a plan: stated surfaces in new blocks, actual footprints as roof, by hand counts."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.errors import InputError
from geodata.parameters import Parameter, Parameters
from twin.green.biotope.budget import block_curves, roof_budget
from twin.green.biotope.planned import (
    block_targets,
    mean_targets,
    planned_parameters,
    planned_ratio,
    planned_surfaces,
    present_and_planned,
    standards,
)
from twin.green.biotope.rules import SURFACES
from twin.green.biotope.surfaces import surface_areas, surface_pairs
from twin.scenario.rules import scenario_rules

CRS = "EPSG:5186"
BLOCKS = gpd.GeoDataFrame(
    {"block_id": ["A1", "W1", "R1"], "use_class": ["apartment", "water", "other"]},
    geometry=[shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(20, 0, 30, 10)],
    crs=CRS,
)


def plan(house: shapely.Polygon):
    """New blocks A1 and W1; R1 keeps its wood."""
    cover = gpd.GeoDataFrame(
        {"class_code": ["112", "711", "311"], "source_kind": ["plan", "plan", "land_cover"]},
        geometry=list(BLOCKS.geometry),
        crs=CRS,
    )
    homes = gpd.GeoDataFrame({"building_id": ["b0"], "block_id": ["A1"]}, geometry=[house], crs=CRS)
    ground = BLOCKS.iloc[:2][["block_id", "geometry"]]
    return planned_surfaces(cover, None, homes, ground, BLOCKS.set_index("block_id")["use_class"]), homes


def by_block(surfaces):
    """Ratios and areas of the blocks."""
    areas = surface_areas(BLOCKS, "block_id", surfaces, surface_pairs(BLOCKS, surfaces))
    return planned_ratio(BLOCKS, areas), areas


def test_new_blocks_follow_their_use_and_roofs_are_the_real_ones():
    surfaces, _ = plan(shapely.box(0, 0, 4, 10))
    ratios, areas = by_block(surfaces)
    # 40 m2 roof, 60 m2 open: 12 on soil, 15 over garages, 9 half-open, 24 sealed; 12 + 0.5 x 15 + 0.5 x 9 = 24 of 100
    told = areas.loc["A1", ["roof", "soil_green", "roof_green", "bare", "paved"]].tolist()
    assert told == pytest.approx([40, 12, 15, 9, 24])
    assert ratios["biotope_planned_pct"].tolist() == pytest.approx([24, 100, 100])
    assert areas.sum(axis=1).tolist() == pytest.approx([100, 100, 100])


def test_a_larger_house_lowers_the_ratio_by_its_ground():
    # open ground of apartments counts 0.2 + 0.125 + 0.075 = 0.4
    for width in (0.5, 5.0, 9.5):
        surfaces, _ = plan(shapely.box(0, 0, width, 10))
        ratios, _ = by_block(surfaces)
        assert ratios.loc["A1", "biotope_planned_pct"] == pytest.approx(0.4 * (100 - 10 * width))


def test_every_use_that_changes_ground_has_surfaces():
    assert set(standards(planned_parameters())) == set(scenario_rules()["ground_of_use"])


@pytest.mark.parametrize("shares", [{"paved": 0.9}, {"paved": 0.5, "moss": 0.5}, {"paved": 1.5, "bare": -0.5}])
def test_odd_shares_are_refused(shares):
    record = Parameter(value={"park": shares}, unit="1", source="test", verified=False)
    with pytest.raises(InputError, match="park"):
        standards(Parameters({"open_ground": record}))


def test_targets_of_blocks_follow_use_and_give_no_verdict():
    ratios = pd.DataFrame({"biotope_planned_pct": [50.0, 50.0, 50.0]}, index=pd.Index(BLOCKS["block_id"]))
    told = block_targets(ratios, BLOCKS)
    assert told["biotope_target_pct"].iloc[0] == 30
    assert told["biotope_target_pct"].iloc[1:].isna().all()
    assert told["biotope_check"].iloc[0] == "unverified"
    assert told["biotope_check"].iloc[1:].isna().all()


def test_change_is_planned_minus_present_by_the_same_weights():
    here = pd.Index(["A1", "A2"], name="block_id")
    present = pd.DataFrame({"biotope_present_pct": [60.0, np.nan], "biotope_berlin_pct": [10.0, 10.0]}, index=here)
    told = present_and_planned(present, pd.DataFrame({"biotope_planned_pct": [24.0, 24.0]}, index=here))
    assert told.loc["A1", "biotope_change_pct"] == -36
    assert np.isnan(told.loc["A2", "biotope_change_pct"])


def test_mean_target_is_by_area_of_land_that_has_one():
    rows = BLOCKS.iloc[[0]].set_geometry([shapely.box(5, 0, 40, 10)], crs=CRS)
    # half of A1 with 30, all of W1 with 60, R1 has none
    assert mean_targets(rows, BLOCKS, pd.Series([30.0, 60.0, np.nan]))[0] == pytest.approx(50)
    assert np.isnan(mean_targets(rows, BLOCKS, pd.Series([np.nan] * 3))[0])


def test_trade_off_of_a_block_starts_from_its_planned_ground():
    surfaces, homes = plan(shapely.box(0, 0, 4, 10))
    _, areas = by_block(surfaces)
    roofs = gpd.GeoDataFrame(
        {"roof_id": ["r0"], "building_id": ["b0"], "tilt_deg": [0.0], "area_m2": [40.0], "usable_area_m2": [20.0], "yield_kwh": [4000.0]},
        geometry=[shapely.box(0, 0, 4, 10)],
        crs=CRS,
    )  # fmt: skip
    curve = block_curves(roofs, roof_budget(roofs, homes), homes, BLOCKS, areas).set_index("pv_share_pct")
    assert set(curve["unit"]) == {"A1"}
    # 32 m2 can be planted without modules, 12 beside them; 24 % without any
    assert curve.loc[0, ["biotope_pct", "yield_kwh"]].tolist() == pytest.approx([24 + 16, 0])
    assert curve.loc[100, ["biotope_pct", "yield_kwh"]].tolist() == pytest.approx([24 + 6, 4000])
    assert len(SURFACES) == areas.shape[1]
