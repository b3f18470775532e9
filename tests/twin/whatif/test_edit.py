from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.errors import InputError
from twin.whatif.block import edited_block, touching
from twin.whatif.edit import BlockEdit
from twin.whatif.heights import changed_shapes

CRS = "EPSG:5186"
X, Y = 200_000.0, 550_000.0


def plan() -> gpd.GeoDataFrame:
    """Four squares of 100 m in a row, as the step `blocks` stores them; none stands today."""
    count = 4
    return gpd.GeoDataFrame(
        {
            "block_id": [f"A-{number}" for number in range(1, count + 1)],
            "land_use": "공동주택용지",
            "dong_code": "4121010100",
            "area_m2": 10_000.0,
            "floor_area_ratio_pct": 150.0,
            "building_coverage_pct": 40.0,
            "floors_limit": pd.array([20] * count, dtype="Int64"),
            "height_limit_m": np.nan,
            "homes": pd.array([100] * count, dtype="Int64"),
            "use_class": "apartment",
            "block_status": "new",
            "built_share_pct": 0.0,
        },
        geometry=[shapely.box(X + 100 * n, Y, X + 100 * n + 100, Y + 100) for n in range(count)],
        crs=CRS,
    ).astype(dict.fromkeys(("block_id", "land_use", "dong_code", "use_class", "block_status"), "str"))


def ground_of(blocks: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"block_id": blocks["block_id"], "class_code": "112", "source": "plan"}, geometry=blocks.geometry, crs=CRS
    ).astype({"class_code": "str", "source": "str"})


def test_only_the_edited_block_and_only_the_edited_values_change():
    edit = BlockEdit("A-2", floors_limit=8, height_limit_m=30.0, homes=0)
    found = edit.applied(plan())
    assert found["floors_limit"].tolist() == [20, 8, 20, 20]
    assert found["homes"].tolist() == [100, 0, 100, 100]
    assert found["height_limit_m"].tolist()[1] == 30.0
    assert found["height_limit_m"].isna().tolist() == [True, False, True, True]
    assert found.drop(columns=["floors_limit", "homes", "height_limit_m"]).equals(
        plan().drop(columns=["floors_limit", "homes", "height_limit_m"])
    )
    assert found.dtypes.equals(plan().dtypes)


def test_zero_means_that_no_limit_is_given_but_is_a_number_of_homes():
    found = BlockEdit("A-1", floors_limit=0, floor_area_ratio_pct=0.0).applied(plan())
    assert pd.isna(found["floors_limit"].iloc[0])
    assert pd.isna(found["floor_area_ratio_pct"].iloc[0])


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"building_coverage_pct": 101.0}, "building_coverage_pct"),
        ({"floors_limit": 2.5}, "floors_limit"),
        ({"homes": -1.0}, "homes"),
        ({"floor_area_ratio_pct": float("nan")}, "floor_area_ratio_pct"),
        ({"land_use": "  "}, "land use"),
    ],
)
def test_what_cleaning_would_not_pass_is_refused(values, word):
    with pytest.raises(InputError, match=word):
        BlockEdit("A-1", **values).applied(plan())


def test_an_unknown_block_is_refused_with_names_that_exist():
    with pytest.raises(InputError, match="A-1"):
        edited_block(BlockEdit("A-11", floors_limit=5), plan(), ground_of(plan()), None, None)


def test_the_block_is_massed_to_its_new_numbers():
    edit = BlockEdit("A-2", floor_area_ratio_pct=90.0, homes=60)
    found = edited_block(edit, plan(), ground_of(plan()), None, None)
    assert found.buildings is not None
    # 90 % of 10,000 m2
    assert found.buildings["floor_area_m2"].sum() == pytest.approx(9_000.0, rel=1e-9)
    assert found.buildings["homes"].sum() == 60
    assert set(found.buildings["block_id"]) == {"A-2"}
    assert found.blocks["block_id"].tolist() == ["A-1", "A-2", "A-3", "A-4"]
    # the ground of apartments stays that of apartments
    assert found.ground is not None and found.ground["class_code"].tolist() == ["112"] * 4


def test_a_park_clears_the_buildings_and_changes_the_ground():
    found = edited_block(BlockEdit("A-2", land_use="공원"), plan(), ground_of(plan()), None, None)
    assert found.buildings is None
    assert found.ground.set_index("block_id")["class_code"].to_dict() == {
        "A-1": "112", "A-2": "423", "A-3": "112", "A-4": "112",
    }  # fmt: skip


def test_impossible_numbers_leave_their_reason():
    edit = BlockEdit("A-3", floor_area_ratio_pct=500.0, building_coverage_pct=90.0, floors_limit=2)
    found = edited_block(edit, plan(), ground_of(plan()), None, None)
    assert "plan_impossible" in set(found.quality["reason"])


def test_blocks_are_found_by_the_steps_between_them():
    assert touching(plan(), "A-1", steps=1)["block_id"].tolist() == ["A-1", "A-2"]
    assert touching(plan(), "A-1", steps=2)["block_id"].tolist() == ["A-1", "A-2", "A-3"]


def test_shapes_that_only_one_state_has_are_found_by_shape_and_by_height():
    before = plan()[["block_id", "floors_limit", "geometry"]]
    after = before.copy()
    after.loc[1, "floors_limit"] = 5
    assert len(changed_shapes(before, before, ["floors_limit"])) == 0
    assert len(changed_shapes(before, after, ["floors_limit"])) == 2
    gone = changed_shapes(before, before.iloc[1:], ["floors_limit"])
    assert [shape.equals(before.geometry.iloc[0]) for shape in gone] == [True]
