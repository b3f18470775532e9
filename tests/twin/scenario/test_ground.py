"""The ground of a plan: woods felled, fields built over, what stays in a park, and not a square metre lost."""

from __future__ import annotations

import pytest
import shapely

from twin.scenario.blocks import judge_blocks
from twin.scenario.ground import changed_ground, cover_change, planned_cover

HOMES, PARK = shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)


@pytest.fixture(scope="module")
def land(cover):
    """A wood over half of the homes and a fifth of the park, fields over the rest, and a strip of fields beyond."""
    wood = shapely.box(50, 0, 120, 100)
    return cover(("311", wood), ("211", shapely.difference(shapely.box(-50, 0, 200, 100), wood)))


@pytest.fixture(scope="module")
def ground(blocks, land):
    plan = judge_blocks(blocks(("A", "공동주택", HOMES, 200), ("P", "근린공원", PARK, None)), None, land).blocks
    assert plan["block_status"].tolist() == ["new", "new"]
    return changed_ground(plan, land)


def areas(layer) -> dict[tuple[str, str], float]:
    return {
        key: round(float(area), 6)
        for key, area in layer.area.groupby([layer["class_code"], layer["source"]]).sum().items()
    }


def test_homes_take_their_whole_block_and_a_park_keeps_its_wood(ground):
    assert ground["block_id"].tolist() == ["A", "P"]
    assert ground["class_code"].tolist() == ["112", "423"]
    assert ground.area.tolist() == [pytest.approx(10_000), pytest.approx(8_000)]
    assert set(ground["source"]) == {"plan"}


def test_the_cover_of_the_plan_by_hand(ground, land):
    planned = planned_cover(land, ground)
    # 2,000 m2 of wood stay in the park, 5,000 m2 of fields beyond the blocks
    assert areas(planned) == {
        ("112", "plan"): 10_000,
        ("423", "plan"): 8_000,
        ("311", "map 2024"): 2_000,
        ("211", "map 2024"): 5_000,
    }
    assert planned.area.sum() == pytest.approx(land.area.sum())
    assert shapely.union_all(planned.geometry.to_numpy()).area == pytest.approx(planned.area.sum())
    assert planned["source_kind"].value_counts().to_dict() == {"land_cover": 2, "plan": 2}
    assert cover_change(land, planned) == {"forest_felled_m2": 5_000.0, "ground_changed_m2": 18_000.0}


def test_a_standing_block_changes_nothing(blocks, land, houses):
    plan = judge_blocks(
        blocks(("A", "공동주택", HOMES, 200)), houses(("a", shapely.box(0, 0, 50, 50), 10)), land
    ).blocks
    assert plan["block_status"].tolist() == ["standing"]
    ground = changed_ground(plan, land)
    assert len(ground) == 0
    assert areas(planned_cover(land, ground)) == areas(land)


def test_ground_under_two_blocks_counts_once(blocks):
    plan = blocks(("A", "공동주택", HOMES, 200), ("B", "상업용지", shapely.box(80, 0, 180, 100), 500))
    ground = changed_ground(judge_blocks(plan, None, None).blocks, None)
    assert ground.area.sum() == pytest.approx(18_000)
    assert shapely.union_all(ground.geometry.to_numpy()).area == pytest.approx(18_000)
