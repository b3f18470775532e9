"""Several vintages, copies and sheets of one product in one inbox."""

from __future__ import annotations

import shutil

import pytest

from geodata.errors import InputError
from geodata.inbox import refuse, take_inventory
from geodata.inventory import Inventory


def only(inventory: Inventory):
    assert len(inventory.datasets) == 1, inventory
    return inventory.datasets[0]


def told(inventory: Inventory, words: str) -> list:
    return [p for p in inventory.problems if words in p.what]


def test_the_newest_edition_wins_and_says_so(agency, inbox, elsewhere):
    for date in ("2025-12-09", "2026-09-09", "2024-01-01"):
        stem = f"AL_D010_41_{date.replace('-', '')}"
        agency.zipped(inbox / f"{stem}.zip", agency.shapefile(elsewhere / f"{stem}.shp", agency.al_d010(date=date)))
    inventory = take_inventory(inbox)
    assert only(inventory).vintage == "2026-09-09"
    losers = told(inventory, "a newer edition is used instead: AL_D010_41_20260909.zip")
    assert [(p.path.split("/")[0], p.fatal) for p in losers] == [
        ("AL_D010_41_20240101.zip", False),
        ("AL_D010_41_20251209.zip", False),
    ]


def test_editions_of_different_municipalities_live_together(agency, inbox):
    siheung = {**agency.al_d002(date="2025-01-01"), "A1": agency.pnus(6, "4139011200"), "A2": ["4139011200"] * 6}
    gwarim = agency.moved(agency.boxes(6), -1500.0, 1500.0)
    agency.shapefile(inbox / "a.shp", agency.al_d002(date="2026-01-01"))
    agency.shapefile(inbox / "b.shp", siheung, gwarim)
    inventory = take_inventory(inbox)
    assert [d.vintage for d in inventory.datasets] == ["2026-01-01", "2025-01-01"]
    refuse(inventory)


def test_editions_that_share_some_municipalities_are_refused(agency, inbox):
    new, old = agency.al_d002(date="2026-01-01"), agency.al_d002(date="2025-01-01")
    old["A1"][0] = "4139011200100010000"
    agency.shapefile(inbox / "new.shp", new)
    agency.shapefile(inbox / "old.shp", old)
    with pytest.raises(InputError, match="some of the same municipalities"):
        refuse(take_inventory(inbox))


def test_two_products_of_one_place_are_not_mixed(agency, inbox):
    agency.shapefile(inbox / "ldreg.shp", agency.lsmd())
    agency.shapefile(inbox / "d002.shp", agency.al_d002())
    inventory = take_inventory(inbox)
    assert only(inventory).product == "AL_D002"
    assert [p.path for p in told(inventory, "another product is used for this place")] == ["ldreg.shp"]


def test_the_same_data_twice_is_used_once(agency, inbox, elsewhere):
    path = agency.shapefile(elsewhere / "AL_D002_41.shp", agency.al_d002())
    for file in elsewhere.iterdir():
        shutil.copy(file, inbox)
    agency.zipped(inbox / "AL_D002_41.zip", path)
    inventory = take_inventory(inbox)
    assert len(only(inventory).parts) == 1
    assert told(inventory, "the same data as")


def test_sheets_are_one_dataset(agency, inbox, elsewhere):
    for sheet, offset in (("37612033", 0.0), ("37612034", 500.0)):
        shapes = agency.moved(agency.boxes(4), offset, 0.0)
        agency.zipped(
            inbox / f"SG05_{sheet}.zip", agency.shapefile(elsewhere / "SG05.shp", agency.sg05(["311"] * 4), shapes)
        )
    dataset = only(take_inventory(inbox))
    assert [p.data_source for p in dataset.parts] == ["SG05_37612033.zip/SG05.shp", "SG05_37612034.zip/SG05.shp"]


def test_change_only_deliveries_are_refused(agency, inbox, elsewhere):
    agency.zipped(inbox / "CH_D002_41_20260909.zip", agency.shapefile(elsewhere / "CH_D002.shp", agency.al_d002()))
    inventory = take_inventory(inbox)
    assert inventory.datasets == ()
    with pytest.raises(InputError, match="change-only delivery"):
        refuse(inventory)
