"""What is remembered of an inbox is what its files were, not what one of them was for a moment."""

from __future__ import annotations

import pytest

from geodata.errors import InputError
from pipelines.assets import inventory
from pipelines.store import Store
from tests.geodata.files.conftest import Agency


def test_a_file_that_is_copied_during_the_look_is_not_remembered_as_empty(small_workplace, monkeypatch):
    site, store = small_workplace.site, Store(small_workplace.store)
    file = site.inbox / "station.epw"
    Agency().epw(file)
    whole = file.read_bytes()
    look = inventory.take_inventory

    def look_while_it_is_written_again(*args):
        file.write_bytes(b"")
        found = look(*args)
        file.write_bytes(whole)
        return found

    monkeypatch.setattr(inventory, "take_inventory", look_while_it_is_written_again)
    with pytest.raises(InputError, match=r"station\.epw changed"):
        inventory.build_inventory(site, store)
    monkeypatch.undo()
    found = inventory.build_inventory(site, store)
    assert found.metadata["recognised"] == {"weather": "EPW"}
