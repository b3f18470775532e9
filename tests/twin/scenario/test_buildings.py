"""Who stays and who leaves, and the one frame of all buildings of a plan."""

from __future__ import annotations

import pandas as pd
import shapely

from twin.massing.town import mass_blocks
from twin.scenario.blocks import judge_blocks
from twin.scenario.buildings import all_buildings, present_buildings, staying_buildings

NEW, STANDING = shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)


def town(houses):
    return present_buildings(
        houses(
            ("inside", shapely.box(10, 10, 20, 20), 2),
            ("mostly out", shapely.box(-15, 40, 5, 50), 2),
            ("mostly in", shapely.box(-5, 60, 15, 70), 2),
            ("kept", shapely.box(110, 10, 160, 60), 10),
            ("beyond", shapely.box(300, 0, 310, 10), 1),
        )
    )


def plan(blocks, present):
    judged = judge_blocks(blocks(("A", "공동주택", NEW, 200), ("B", "공동주택", STANDING, 200)), present, None).blocks
    assert judged["block_status"].tolist() == ["new", "standing"]
    return judged


def test_the_present_has_no_blocks_and_unknown_homes(houses):
    found = town(houses)
    assert found["block_id"].isna().all()
    assert set(found["status"]) == {"existing"}
    assert found["homes"].isna().all()
    assert found["homes_source"].isna().all()
    told = present_buildings(
        houses(("a", NEW, 1), ("b", STANDING, 1)).assign(homes=pd.array([7, pd.NA], dtype="Int64"))
    )
    assert told["homes_source"].fillna("").tolist() == ["register", ""]


def test_what_stands_in_a_new_block_leaves_and_half_a_building_goes_by_its_middle(blocks, houses):
    present = town(houses)
    found = staying_buildings(present, plan(blocks, present))
    assert found["building_id"].tolist() == ["mostly out", "kept", "beyond"]
    assert found["block_id"].fillna("").tolist() == ["", "B", ""]
    assert (
        staying_buildings(present, plan(blocks, present).iloc[:0])["building_id"].tolist()
        == present["building_id"].tolist()
    )


def test_all_buildings_of_a_plan_in_one_frame(blocks, houses):
    present = town(houses)
    judged = plan(blocks, present).assign(homes=pd.array([120, pd.NA], dtype="Int64"))
    arriving = mass_blocks(judged[judged["block_status"] == "new"]).buildings
    joined = all_buildings([staying_buildings(present, judged), arriving])
    assert len(joined) == 3 + len(arriving)
    assert joined["building_id"].is_unique
    assert joined["status"].value_counts().to_dict() == {"planned": len(arriving), "existing": 3}
    # the plan's homes to the last one, and its 20,000 m2 of floor; those that stand keep theirs
    assert joined["homes"].sum() == 120
    assert joined.loc[joined["status"] == "planned", "floor_area_m2"].sum().round(6) == 20_000
    assert joined.set_index("building_id").loc["kept", "floor_area_m2"] == 25_000
    assert joined["floors_above"].dtype == "Int64"
    assert joined["homes"].dtype == "Int64"
    assert joined.crs == "EPSG:5186"
