"""Which blocks of a plan stand already, by floor area and by ground that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.clean.plan_blocks import UNKNOWN_USE
from twin.scenario.blocks import block_of, judge_blocks, planned_floor_area

SQUARE = shapely.box(0, 0, 100, 100)


@pytest.mark.parametrize(
    ("floors", "share", "status"),
    [(10, 30.0, "standing"), (9, 27.0, "new")],  # 600 m2 x 10 of 20,000 m2 is the rule's 30 %
)
def test_a_block_stands_from_three_tenths_of_its_floor_area(blocks, houses, floors, share, status):
    made = judge_blocks(
        blocks(("A", "공동주택", SQUARE, 200)), houses(("a", shapely.box(10, 10, 40, 30), floors)), None
    ).blocks
    assert made["built_share_pct"].tolist() == [pytest.approx(share)]
    assert made["block_status"].tolist() == [status]
    assert made["use_class"].tolist() == ["apartment"]


def test_a_building_across_the_border_counts_where_its_middle_is(blocks, houses):
    plan = blocks(("A", "공동주택", SQUARE, 100), ("B", "공동주택", shapely.box(100, 0, 200, 100), 100))
    across = [("a", shapely.box(85, 10, 105, 60), 5), ("b", shapely.box(98, 10, 108, 60), 4)]
    made = judge_blocks(plan, houses(*across), None).blocks
    # 1,000 m2 x 5 counts in A, 500 m2 x 4 in B, of 10,000 m2 each
    assert made["built_share_pct"].tolist() == [pytest.approx(50.0), pytest.approx(20.0)]
    assert made["block_status"].tolist() == ["standing", "new"]


def test_without_a_ratio_any_building_keeps_the_block(blocks, houses):
    plan = blocks(("A", "단독주택", SQUARE, None), ("B", "단독주택", shapely.box(200, 0, 300, 100), None))
    made = judge_blocks(plan, houses(("a", shapely.box(0, 0, 5, 5), 1)), None).blocks
    assert made["block_status"].tolist() == ["standing", "new"]


@pytest.mark.parametrize(("reach", "status"), [(50, "standing"), (49, "new")])
def test_a_road_stands_where_half_of_it_is_road(blocks, cover, reach, status):
    ground = cover(("154", shapely.box(0, 0, 100, reach)), ("211", shapely.box(0, reach, 100, 100)))
    made = judge_blocks(blocks(("R", "도로", SQUARE, None)), None, ground).blocks
    assert made["built_share_pct"].tolist() == [pytest.approx(reach)]
    assert made["block_status"].tolist() == [status]


def test_woods_are_a_park_already_and_fields_are_not(blocks, cover):
    plan = blocks(("P1", "근린공원", SQUARE, None), ("P2", "근린공원", shapely.box(100, 0, 200, 100), None))
    ground = cover(("311", shapely.box(0, 0, 60, 100)), ("211", shapely.box(60, 0, 200, 100)))
    made = judge_blocks(plan, None, ground).blocks
    assert made["block_status"].tolist() == ["standing", "new"]
    assert made["built_share_pct"].tolist() == [pytest.approx(60.0), 0.0]


def test_an_unknown_use_leaves_the_block_as_it_is_and_is_told(blocks):
    made = judge_blocks(blocks(("X", "가나다라", SQUARE, 200), ("Y", UNKNOWN_USE, SQUARE, 200)), None, None)
    assert made.blocks["block_status"].tolist() == ["standing", "standing"]
    assert made.blocks["use_class"].tolist() == ["other", "other"]
    # that no use is given was told when the file was read
    assert made.quality[["key", "reason", "detail"]].to_numpy().tolist() == [["X", "land_use_unknown", "가나다라"]]


def test_floor_area_by_ratio_else_by_coverage_and_floors(blocks):
    plan = blocks(("A", "공동주택", SQUARE, 200), ("B", "공동주택", SQUARE, 200), ("C", "공원", SQUARE, None))
    plan.loc[1, "floor_area_ratio_pct"] = np.nan
    # 10,000 m2 at 200 %; 50 % on 10 floors; nothing
    assert planned_floor_area(plan).tolist() == pytest.approx([20_000.0, 50_000.0, np.nan], nan_ok=True)


def test_of_overlapping_blocks_the_first_counts(blocks):
    plan = blocks(("A", "공원", SQUARE, None), ("B", "공원", shapely.box(50, 0, 150, 100), None))
    shapes = np.array([shapely.box(60, 10, 80, 20), shapely.box(110, 10, 120, 20), shapely.box(300, 0, 310, 9)])
    assert block_of(shapes, plan).tolist() == [0, 1, -1]
    assert block_of(shapes, plan.iloc[:0]).tolist() == [-1, -1, -1]


def test_homes_of_a_standing_block_are_told_and_those_of_a_new_one_are_not(blocks, houses):
    plan = blocks(
        ("A", "공동주택", SQUARE, 200),
        ("B", "공동주택", shapely.box(200, 0, 300, 100), 200),
        ("C", "공동주택", SQUARE, None),
    )
    plan["homes"] = pd.array([150, 160, pd.NA], dtype="Int64")
    made = judge_blocks(plan, houses(("a", shapely.box(10, 10, 60, 60), 10)), None)
    assert made.blocks["block_status"].tolist() == ["standing", "new", "new"]
    assert made.quality[["key", "reason", "detail"]].to_numpy().tolist() == [["A", "homes_of_standing", "150 homes"]]
