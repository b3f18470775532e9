"""Parks of a plan: which of the designated ones stay, and which blocks arrive."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from twin.scenario.blocks import judge_blocks
from twin.scenario.parks import park_problems, planned_parks


def designated(*rows) -> gpd.GeoDataFrame:
    names, shapes = zip(*rows, strict=True)
    columns = {
        "park_id": names, "name": None, "class_code": "UQT220", "class_ko": "근린공원", "class_en": "neighbourhood park", "status": "built",
        "dong_code": "4121010500", "area_m2": shapely.area(shapes),
    }  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:5186")


@pytest.fixture(scope="module")
def plan(blocks):
    return judge_blocks(
        blocks(
            ("A", "공동주택", shapely.box(0, 0, 100, 100), 200),
            ("P1", "어린이공원", shapely.box(200, 0, 300, 100), None),
            ("P2", "공원", shapely.box(400, 0, 500, 100), None),
            ("G", "완충녹지", shapely.box(600, 0, 700, 100), None),
        ),
        None,
        None,
    ).blocks


def test_a_park_under_homes_leaves_and_park_blocks_arrive(plan):
    parks = designated(
        ("under homes", shapely.box(10, 10, 50, 50)),
        ("beyond", shapely.box(0, 500, 50, 550)),
        ("half of P2", shapely.box(400, 0, 450, 100)),
    )
    found = planned_parks(parks, plan).set_index("park_id")
    # P2 is designated to its half and is not added again
    assert found.index.tolist() == ["beyond", "half of P2", "plan-G", "plan-P1"]
    assert found["status"].tolist() == ["built", "built", "planned", "planned"]
    assert found.loc["plan-P1", ["class_ko", "area_m2"]].tolist() == ["어린이공원", 10_000.0]
    assert found.loc["plan-G", "class_ko"] == "완충녹지"
    assert park_problems(planned_parks(parks, plan), parks, plan) == []


def test_less_than_half_does_not_keep_a_block_from_arriving(plan):
    parks = designated(("p", shapely.box(400, 0, 449, 100)))
    assert "plan-P2" in planned_parks(parks, plan)["park_id"].tolist()


def test_without_designated_parks_those_of_the_plan_are_all(plan):
    found = planned_parks(None, plan)
    assert found["park_id"].tolist() == ["plan-G", "plan-P1", "plan-P2"]
    assert found.set_index("park_id").loc["plan-P2", "class_code"] == "UQT200"


def test_the_check_finds_strays_and_bare_blocks(plan):
    found = planned_parks(None, plan)
    stray = found.assign(park_id=found["park_id"].replace("plan-G", "nowhere"))
    assert park_problems(stray, None, plan) == ["parks: 1 from nowhere, for example nowhere"]
    bare = found[found["park_id"] != "plan-P1"]
    assert park_problems(bare, None, plan) == ["parks: 1 park blocks are under no park, for example P1"]
