"""Massing: the numbers of the plan are met, buildings stay on their block and out of each other's light."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import rotate, skew

from twin.massing.designs import designed_buildings
from twin.massing.homes import shared_homes
from twin.massing.programme import programme
from twin.massing.rows import facing_angle_deg, rows_on
from twin.massing.rules import pattern_of
from twin.massing.town import mass_blocks

CRS = "EPSG:5186"


def block(shape, use="apartment", *, ratio=200.0, coverage=50.0, floors=20, homes=None, name="A-1", status="new"):
    return {
        "block_id": name, "dong_code": "4121010500", "use_class": use, "area_m2": shape.area, "floor_area_ratio_pct": ratio,
        "building_coverage_pct": coverage, "floors_limit": floors, "homes": homes, "block_status": status, "geometry": shape,
    }  # fmt: skip


def frame(*rows):
    found = gpd.GeoDataFrame(list(rows), geometry="geometry", crs=CRS)
    return found.astype({"floors_limit": "Int64", "homes": "Int64"})


def test_a_square_block_by_hand():
    # 150 m square, 22,500 m2 at 200 %: 45,000 m2; 60 % of 20 floors are 12, so 3,750 m2 of ground, and rows 12 x 3 x 0.8 apart
    made = mass_blocks(frame(block(shapely.box(0, 0, 150, 150), homes=500)))
    houses = made.buildings
    assert houses["floor_area_m2"].sum() == pytest.approx(45_000, rel=1e-9)
    assert set(houses["floors_above"]) == {12}
    assert houses.area.sum() == pytest.approx(3_750, rel=1e-9)
    assert houses["height"].tolist() == [36.0] * len(houses)
    assert houses["homes"].sum() == 500
    assert len(made.quality) == 0
    # rows: 138 m between setbacks hold 13 m deep rows 28.8 m apart four times: 4 x 13 + 3 x 28.8 = 138.4 is too much, so three
    assert len(np.unique(shapely.get_y(shapely.centroid(houses.geometry.to_numpy())).round(3))) == 3


def test_rows_keep_their_distance_and_look_south():
    houses = rows_on(shapely.box(0, 0, 200, 200), pattern_of("apartment"), 180.0, 40.0)
    bounds = shapely.bounds(houses)
    assert np.allclose(bounds[:, 3] - bounds[:, 1], 13.0)
    rows = np.unique(bounds[:, 1].round(6))
    assert np.allclose(np.diff(rows), 53.0)
    assert (bounds[:, 2] - bounds[:, 0] <= 52.0 + 1e-9).all()
    assert bounds[:, 1].min() >= 6.0 - 1e-9
    assert bounds[0, 1] == bounds[:, 1].max(), "the back row comes first"


@pytest.mark.parametrize(("turn", "facing"), [(0, 180), (20, 160), (-20, 200), (44, 150), (70, 200), (90, 180)])
def test_which_way_rows_look(turn, facing):
    # a block turned counter-clockwise by 20 degrees has a side that looks to 160; nothing may look further than 30 off south
    assert facing_angle_deg(rotate(shapely.box(0, 0, 100, 60), turn), 30.0) == pytest.approx(facing, abs=1e-6)


def test_impossible_numbers_are_told_and_the_rest_is_built():
    # coverage 90 % on 2 floors holds 180 %, not 500 %
    shape = shapely.box(0, 0, 100, 100)
    rows = frame(block(shape, "commercial", ratio=500.0, coverage=90.0, floors=2))
    asked = programme(rows).iloc[0]
    assert (asked["impossible"], asked["asked_m2"], asked["floor_area_m2"]) == (True, 50_000, 18_000)
    made = mass_blocks(rows)
    assert "plan_impossible" in set(made.quality["reason"])
    assert 0 < made.buildings["floor_area_m2"].sum() <= 18_000
    assert made.buildings.area.sum() <= 9_000 * 1.02


def test_a_height_limit_counts_as_floors_and_missing_limits_have_defaults():
    rows = frame(
        block(shapely.box(0, 0, 80, 80)), block(shapely.box(0, 0, 80, 80), floors=None, ratio=None, coverage=None)
    )
    rows["height_limit_m"] = [31.0, np.nan]
    asked = programme(rows)
    assert asked["floors"].tolist() == [10, 25]  # 31 m hold ten storeys of 3 m
    assert asked["asked_m2"].iloc[1] == pytest.approx(6400 * 0.30 * 25)


def test_open_uses_get_no_buildings():
    made = mass_blocks(
        frame(block(shapely.box(0, 0, 80, 80), "park"), block(shapely.box(0, 0, 80, 80), "road", name="R-1"))
    )
    assert len(made.buildings) == 0


def test_homes_are_shared_to_the_last_one():
    rows = frame(block(shapely.box(0, 0, 9, 9), homes=10), block(shapely.box(0, 0, 9, 9), name="B"))
    # 10 homes over areas 1 : 1 : 1 give 4, 3, 3 (the first of equals gets the odd one); the other block names none
    homes = shared_homes(rows, np.array([0, 0, 0, 1]), np.array([5.0, 5.0, 5.0, 7.0]))
    assert homes.tolist()[:3] == [4, 3, 3]
    assert pd.isna(homes.iloc[3])


def test_schools_leave_the_yard_in_the_sun():
    houses = mass_blocks(frame(block(shapely.box(0, 0, 120, 120), "school", ratio=60.0, floors=5))).buildings
    assert houses["floor_area_m2"].sum() == pytest.approx(0.6 * 120 * 120)
    assert shapely.bounds(houses.geometry.to_numpy())[:, 1].min() > 36, "the southern three tenths are the yard"


def test_same_blocks_same_buildings_in_any_order():
    rows = [block(shapely.box(300 * i, 0, 300 * i + 120, 90 + 7 * i), name=f"A-{i}", homes=50 + i) for i in range(5)]
    one, other = mass_blocks(frame(*rows)).buildings, mass_blocks(frame(*rows[::-1])).buildings
    pd.testing.assert_frame_equal(
        pd.DataFrame(one.drop(columns="geometry")), pd.DataFrame(other.drop(columns="geometry"))
    )
    assert shapely.to_wkb(one.geometry.to_numpy()).tolist() == shapely.to_wkb(other.geometry.to_numpy()).tolist()


@settings(max_examples=60, deadline=None)
@given(
    width=st.floats(20, 300), depth=st.floats(20, 300), turn=st.floats(0, 180), lean=st.floats(-30, 30),
    use=st.sampled_from(["apartment", "mixed", "detached", "commercial", "business", "school", "public", "utility"]),
    ratio=st.floats(20, 600), coverage=st.floats(15, 80), floors=st.integers(1, 40),
)  # fmt: skip
def test_any_block_holds_its_buildings(*, width, depth, turn, lean, use, ratio, coverage, floors):
    shape = rotate(skew(shapely.box(0, 0, width, depth), xs=lean), turn)
    made = mass_blocks(frame(block(shape, use, ratio=ratio, coverage=coverage, floors=floors, homes=77)))
    houses = made.buildings
    shapes = houses.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert shapely.covers(shape.buffer(1e-6), shapes).all()
    assert shapely.area(shapes).sum() == pytest.approx(shapely.union_all(shapes).area if len(shapes) else 0.0, abs=1e-6)
    assert shapely.area(shapes).sum() <= coverage / 100 * shape.area * 1.02
    assert (houses["floors_above"] <= floors).all()
    asked = ratio / 100 * shape.area
    reached = houses["floor_area_m2"].sum()
    assert reached <= asked * 1.02
    assert reached >= asked * 0.98 or {"plan_impossible", "floor_area_not_reached"} & set(made.quality["reason"])
    if len(houses):
        assert houses["homes"].sum() == 77


def test_a_design_takes_the_place_of_the_massing():
    rows = frame(
        block(shapely.box(0, 0, 100, 100), homes=90),
        block(shapely.box(200, 0, 300, 100), name="B-1", status="standing"),
    )
    shapes = [
        shapely.box(10, 10, 40, 25),
        shapely.box(50, 10, 80, 40),
        shapely.box(210, 10, 230, 30),
        shapely.box(900, 0, 910, 9),
    ]
    clean = gpd.GeoDataFrame(
        {
            "building_id": list("abcd"), "use_code": "02001", "floors_above": pd.array([10, 5, 2, 1], dtype="Int64"),
            "floors_below": pd.array([None] * 4, dtype="Int64"), "height": [30.0, 15, 6, 3], "dong_code": "4121010500",
            "footprint_area_m2": shapely.area(shapes), "gross_floor_area_m2": np.nan,
        },
        geometry=shapes, crs=CRS,
    )  # fmt: skip
    found = designed_buildings(clean, rows)
    assert found.buildings["building_id"].tolist() == ["design-a", "design-b"]
    assert set(found.buildings["block_id"]) == {"A-1"}
    # 450 m2 x 10 and 900 m2 x 5 are equal, so are their homes
    assert found.buildings["homes"].tolist() == [45, 45]
    assert found.quality["reason"].value_counts().to_dict() == {"design_used": 2, "design_outside": 2}
