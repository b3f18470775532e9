"""Ways on foot, with lengths added up by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from twin.green.access.centrelines import centrelines
from twin.green.access.entrances import park_entrances
from twin.green.access.park_access import park_access, parks_that_count
from twin.green.access.residents import residents_of
from twin.green.access.walk_network import build_network

CRS = "EPSG:5186"
EAST, NORTH = 190_000.0, 540_000.0


def at(shape):
    """Where Korea is; the tests count from 0."""
    return shapely.transform(shape, lambda xy: xy + np.array([EAST, NORTH]))


def streets(*lines, classes=None, width=14.0):
    return gpd.GeoDataFrame(
        {"class": classes or ["시도"] * len(lines), "width_m": width},
        geometry=[at(shapely.LineString(line)) for line in lines],
        crs=CRS,
    )


def parks(*boxes, status="built", code="UQT220"):
    return gpd.GeoDataFrame(
        {"park_id": [f"p{n}" for n in range(len(boxes))], "class_code": code, "status": status},
        geometry=[at(shapely.box(*box)) for box in boxes],
        crs=CRS,
    )


def house(x, y):
    """A house whose northern tip is (x, y), so that there is one nearest point."""
    return at(shapely.Polygon([(x, y), (x + 4, y - 8), (x - 4, y - 8)]))


def homes(*shapes):
    return gpd.GeoDataFrame({"building_id": [f"b{n}" for n in range(len(shapes))]}, geometry=list(shapes), crs=CRS)


MOTORWAY_TOWN = (
    [(-500, 20), (500, 20)],
    [(300, 20), (300, 90)],  # under the motorway
    [(300, 90), (0, 90)],
    [(-500, 50), (500, 50)],
)
CLASSES = ["시도", "시도", "시도", "고속국도"]


def test_a_park_across_the_motorway_is_near_by_air_and_far_on_foot():
    network = build_network(streets(*MOTORWAY_TOWN, classes=CLASSES))
    found = park_access(homes(house(45, 10)), parks((0, 100, 100, 200)), network)
    row = found.buildings.loc["b0"]
    # to the street 10, along it 255, under the motorway 70, back 200, over the pavement 10
    assert row["park_distance_m"] == pytest.approx(10 + 255 + 70 + 200 + 10, abs=0.02)
    assert row["park_straight_m"] == pytest.approx(90)
    assert row["park_id"] == "p0"
    assert pd.isna(row["park_reason"])


def test_without_the_motorway_line_the_same_ground_would_be_crossed():
    """The barrier alone makes the difference for a home that has a street on the far side only."""
    lines = [line for line in MOTORWAY_TOWN if line != MOTORWAY_TOWN[0]]
    closed = build_network(streets(*lines, classes=CLASSES[1:]))
    open_ = build_network(streets(*lines[:-1], classes=CLASSES[1:-1]))
    home, park = homes(house(45, 10)), parks((0, 100, 100, 200))
    # a park that lies along a street is entered every half piece of 25 m
    assert 80 + 10 <= park_access(home, park, open_).buildings.loc["b0", "park_distance_m"] <= 80 + 10 + 12.5
    assert park_access(home, park, closed).buildings.loc["b0", "park_reason"] == "no_network"


def test_streets_that_do_not_connect_lead_nowhere():
    network = build_network(streets([(0, 20), (200, 20)], [(0, 90), (200, 90)]))
    found = park_access(homes(house(45, 10), house(45, 80)), parks((0, 100, 100, 200)), network).buildings
    assert list(network.component[network.start]) == sorted(network.component[network.start])
    assert network.component.max() == 1
    assert found.loc["b0", "park_reason"] == "disconnected"
    assert np.isnan(found.loc["b0", "park_distance_m"])
    assert found.loc["b0", "park_straight_m"] == pytest.approx(90)
    assert 10 + 10 <= found.loc["b1", "park_distance_m"] <= 10 + 10 + 12.5


def test_a_home_far_from_every_street_has_no_network():
    found = park_access(homes(house(0, -200)), parks((0, 40, 100, 140)), build_network(streets([(0, 20), (200, 20)])))
    assert found.buildings.loc["b0", "park_reason"] == "no_network"


def test_a_park_without_entrance_is_entered_from_the_nearest_point_and_says_so():
    network = build_network(streets([(0, 20), (200, 20)]))
    # 80 m of other land between street and park; the second park is out of reach
    found = park_access(homes(house(45, 10)), parks((300, 20, 400, 120), (0, 400, 100, 500)), network)
    assert found.buildings.loc["b0", "park_distance_m"] == pytest.approx(10 + 155 + 100, abs=0.02)
    assert found.parks.loc["p0", "entrance_source"] == "nearest"
    assert found.parks["surveyed_entrance_count"].isna().all()
    assert pd.isna(found.parks.loc["p1", "entrance_source"])
    assert dict(zip(found.quality["reason"], found.quality["key"], strict=True)) == {
        "park_no_entrance": "p0",
        "park_not_reached": "p1",
    }


def test_a_street_into_a_park_enters_it_at_its_border():
    network = build_network(streets([(0, 0), (0, 140)]))
    ways = park_entrances(network, parks((-50, 60, 50, 160)).geometry.to_numpy())
    assert set(ways.source) == {"met"}
    assert ways.gap_m.tolist() == [0.0]
    assert ways.network.nodes[ways.node[0]] == pytest.approx([EAST, NORTH + 60])


def test_no_way_leads_through_a_park():
    """Two entrances of a small park are no short cut to a large one."""
    lines = ([(0, 0), (0, 100)], [(0, 200), (0, 300)])
    both = parks((-20, 100, 20, 200), (-100, 300, 100, 400))
    found = park_access(homes(house(30, 50)), both, build_network(streets(*lines)))
    assert found.buildings.loc["b0", "park_reason"] == "disconnected"


def test_small_unbuilt_and_buffer_greens_do_not_count():
    frame = pd.concat([
        parks((0, 0, 10, 10)),
        parks((0, 0, 100, 100), status="planned"),
        parks((0, 0, 100, 100), code="UQT310"),
        parks((0, 0, 100, 100), status="unknown", code="UQT299"),
    ], ignore_index=True)  # fmt: skip
    assert parks_that_count(frame, planned=False).tolist() == [True, False, False, True]
    assert parks_that_count(frame, planned=True).tolist() == [True, True, False, True]
    network = build_network(streets([(0, 20), (200, 20)]))
    found = park_access(homes(house(45, 10)), parks((0, 25, 50, 124.9), (0, 25, 50, 124)), network)
    assert found.parks["counts_for_distance"].tolist() == [False, False]
    assert found.buildings.loc["b0", "park_reason"] == "no_park"


def test_lines_meet_at_vertices_and_ends_but_not_where_they_cross():
    cross = build_network(streets([(0, 0), (100, 0)], [(37, -50), (37, 50)]))
    assert cross.component.max() == 1
    tee = build_network(streets([(0, 0), (100, 0)], [(37, 0.4), (37, 50)]))
    assert tee.component.max() == 0
    apart = build_network(streets([(0, 0), (100, 0)], [(37, 3), (37, 50)]))
    assert apart.component.max() == 1
    assert build_network(streets([(0, 0), (100, 0)], [(37, 3), (37, 50)]), reach_m=5).component.max() == 0


def test_a_network_without_streets_leaves_reasons():
    network = build_network(streets([(0, 0), (100, 0)], classes=["고속국도"]))
    found = park_access(homes(house(0, 10)), parks((0, 20, 100, 120)), network)
    assert found.buildings.loc["b0", "park_reason"] == "no_network"
    assert found.quality["reason"].tolist() == ["park_not_reached"]


def test_on_foot_is_never_shorter_than_by_air():
    random = np.random.default_rng(7)
    lines = [[(0, y), (1000, y)] for y in range(0, 1001, 100)]
    lines += [[(x, y), (x, y + 100)] for x in range(0, 1001, 100) for y in range(0, 1000, 100)]
    spots = random.uniform(0, 1000, (200, 2))
    some = parks(*[(x, y, x + 90, y + 90) for x, y in random.uniform(0, 900, (4, 2))])
    network = build_network(streets(*lines))
    found = park_access(homes(*[house(x, y) for x, y in spots]), some, network).buildings
    # the lines across join each crossing at a vertex of theirs; those along have ends there
    assert found["park_reason"].isna().all()
    assert (found["park_distance_m"] >= found["park_straight_m"] - 0.03).all()


def test_order_of_the_rows_does_not_matter():
    lines = streets(*MOTORWAY_TOWN, classes=CLASSES)
    one = park_access(homes(house(45, 10)), parks((0, 100, 100, 200)), build_network(lines))
    other = park_access(
        homes(house(45, 10)), parks((0, 100, 100, 200)), build_network(lines[::-1].reset_index(drop=True))
    )
    pd.testing.assert_frame_equal(one.buildings, other.buildings)


def test_centrelines_run_in_the_middle_of_the_road():
    tee = np.array([at(shapely.box(0, 0, 400, 12)), at(shapely.box(200, 12, 208, 200))])
    lines = centrelines(tee, CRS)
    network = build_network(lines, reach_m=30)
    assert network.component[network.start].max() == 0
    middle = shapely.box(EAST + 30, NORTH + 5, EAST + 170, NORTH + 7)
    inner = lines[lines.intersects(shapely.box(EAST + 50, NORTH, EAST + 150, NORTH + 12))]
    assert len(inner)
    assert inner.within(middle.buffer(0.5)).all()
    assert inner["width_m"].between(11, 12.01).all()
    # from the western end to the northern: 200 along and 190 up
    home = homes(house(20, -5))
    found = park_access(home, parks((150, 205, 260, 305)), network).buildings
    assert found.loc["b0", "park_distance_m"] == pytest.approx(11 + 184 + 199, rel=0.03)


def test_residents_come_from_homes_else_from_floor_area():
    buildings = pd.DataFrame(
        {
            "building_id": ["flats", "house", "drawn", "shop", "tower"],
            "use_code": ["02001", "01000", "01000", "03000", None],
            "homes": pd.array([100, None, None, None, 10], dtype="Int64"),
            "gross_floor_area_m2": [9000.0, 90.0, np.nan, 900.0, np.nan],
            "footprint_area_m2": [900.0, 60.0, 90.0, 900.0, 100.0],
            "floors_above": pd.array([10, 2, 2, 1, 5], dtype="Int64"),
        }
    )
    found = residents_of(buildings)
    assert found.index.tolist() == ["flats", "house", "drawn", "tower"]
    assert found["residents"].tolist() == pytest.approx([220.0, 2.0, 4.0, 22.0])
    assert found["residents_source"].tolist() == ["homes", "floor_area", "footprint", "homes"]
