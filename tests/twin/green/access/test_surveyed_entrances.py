"""Parks entered where somebody surveyed an entrance, with lengths added up by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from twin.green.access.park_access import park_access
from twin.green.access.walk_network import build_network

CRS = "EPSG:5186"
EAST, NORTH = 190_000.0, 540_000.0


def at(shape):
    """Where Korea is; the tests count from 0."""
    return shapely.transform(shape, lambda xy: xy + np.array([EAST, NORTH]))


def streets(*lines, classes=None):
    return gpd.GeoDataFrame(
        {"class": classes or ["시도"] * len(lines), "width_m": 14.0},
        geometry=[at(shapely.LineString(line)) for line in lines],
        crs=CRS,
    )


def parks(*boxes, status="built"):
    return gpd.GeoDataFrame(
        {"park_id": [f"p{n}" for n in range(len(boxes))], "class_code": "UQT220", "status": status},
        geometry=[at(shapely.box(*box)) for box in boxes],
        crs=CRS,
    )


def gates(*places):
    return gpd.GeoDataFrame(
        {"entrance_id": [f"g{n}" for n in range(len(places))]}, geometry=[at(shapely.Point(p)) for p in places], crs=CRS
    )


def homes(*tips):
    """Houses whose northern tips are given, so that there is one nearest point."""
    shapes = [at(shapely.Polygon([(x, y), (x + 4, y - 8), (x - 4, y - 8)])) for x, y in tips]
    return gpd.GeoDataFrame({"building_id": [f"b{n}" for n in range(len(shapes))]}, geometry=shapes, crs=CRS)


STREET = [(0, 20), (400, 20)]


def lost(found):
    rows = found.quality[found.quality["source"] == "park_entrances"]
    return dict(zip(rows["key"], rows["reason"], strict=True))


def test_a_fence_makes_the_way_longer_than_the_street_alongside():
    """The park lies along the street from x = 0 to 300; its only gate is at x = 300, on its eastern side."""
    home, park, network = homes((45, 10)), parks((0, 25, 300, 125)), build_network(streets(STREET))
    along = park_access(home, park, network)
    assert along.buildings.loc["b0", "park_distance_m"] <= 10 + 12.5 + 5
    assert along.parks.loc["p0", "entrance_source"] == "met"
    gate = park_access(home, park, network, gates((300, 45)))
    # to the street 10, along it to x = 300, over the pavement to the gate 25
    assert gate.buildings.loc["b0", "park_distance_m"] == pytest.approx(10 + 255 + 25, abs=0.02)
    assert gate.buildings.loc["b0", "park_straight_m"] == pytest.approx(15)
    assert gate.parks.loc["p0", ["surveyed_entrance_count", "entrance_source"]].tolist() == [1, "surveyed"]
    assert gate.quality.empty
    assert gate.surveyed == {"given": 1, "used": 1, "without_park": 0, "of_other_parks": 0, "off_network": 0}


def test_where_nobody_surveyed_the_street_decides():
    two = parks((0, 25, 100, 125), (200, 25, 300, 125))
    found = park_access(homes((45, 10)), two, build_network(streets(STREET)), gates((300, 60)))
    assert found.parks["entrance_source"].to_dict() == {"p0": "met", "p1": "surveyed"}
    assert found.buildings.loc["b0", "park_id"] == "p0"


def test_each_gate_that_nobody_can_use_leaves_its_reason_and_the_sums_hold():
    """Far from any park; of a park not built; with a street on the far side of a motorway alone; and beyond every street."""
    three = pd.concat(
        [parks((0, 25, 100, 125), (200, 125, 300, 225), (200, 600, 300, 700)), parks((300, 25, 400, 100), status="planned")],
        ignore_index=True,
    ).assign(park_id=["p0", "p1", "p2", "p3"])  # fmt: skip
    given = gates((0, 60), (120, 300), (350, 25), (250, 125), (250, 600), (0, 60))
    barred = streets(STREET, [(-500, 110), (500, 110)], classes=["시도", "고속국도"])
    found = park_access(homes((45, 10)), three, build_network(barred), given)
    assert lost(found) == {"g1": "entrance_without_park", "g3": "entrance_off_network", "g4": "entrance_off_network"}
    assert found.surveyed == {"given": 6, "used": 2, "without_park": 1, "of_other_parks": 1, "off_network": 2}
    assert found.surveyed["given"] == sum(n for end, n in found.surveyed.items() if end != "given")
    # two surveyed points at one place are one entrance; where no gate can be reached the park is treated as not surveyed
    assert found.parks.loc["p0", ["surveyed_entrance_count", "entrance_source"]].tolist() == [1, "surveyed"]
    assert found.parks.loc[["p1", "p2"], "entrance_source"].isna().all()
    others = found.quality[found.quality["source"] == "parks"]
    assert dict(zip(others["key"], others["reason"], strict=True)) == {
        "p1": "park_not_reached",
        "p2": "park_not_reached",
    }


def test_no_way_to_a_gate_leads_through_its_park():
    """The gate is on the northern side of a park 60 m deep, the only street on its southern side."""
    park = parks((0, 25, 100, 85))
    found = park_access(homes((45, 10)), park, build_network(streets(STREET)), gates((50, 85)))
    assert lost(found) == {"g0": "entrance_off_network"}
    assert found.parks.loc["p0", "entrance_source"] == "met"
    # a gate drawn a little inside the border is one
    inside = park_access(homes((45, 10)), park, build_network(streets(STREET)), gates((50, 35)))
    assert inside.parks.loc["p0", "entrance_source"] == "surveyed"
    assert inside.buildings.loc["b0", "park_distance_m"] == pytest.approx(10 + 5 + 15, abs=0.02)


def test_a_gate_between_two_parks_leads_into_the_nearer_one():
    two = parks((0, 25, 100, 125), (110, 25, 210, 125))
    found = park_access(homes((45, 10)), two, build_network(streets(STREET)), gates((104, 26)))
    assert found.parks["entrance_source"].to_dict() == {"p0": "surveyed", "p1": "met"}


def test_a_survey_without_any_use_changes_nothing():
    home, park, network = homes((45, 10)), parks((0, 25, 300, 125)), build_network(streets(STREET))
    without, with_stray = park_access(home, park, network), park_access(home, park, network, gates((390, 300)))
    pd.testing.assert_frame_equal(without.buildings, with_stray.buildings)
    pd.testing.assert_frame_equal(without.parks, with_stray.parks)
