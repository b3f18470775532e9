"""The server of processes starts early exactly where something of the inbox came, changed or was never listed."""

from __future__ import annotations

import os
import time

from geodata.site import Site
from pipelines.ahead import Ahead, _begin_first
from pipelines.step_names import INVENTORY
from pipelines.store import Store


def listed(store):
    store.get_or_build(INVENTORY, inputs={}, parameters=None, code_version="1", build=lambda folder: {})
    # clocks of file systems tick
    time.sleep(0.05)


def test_an_inbox_looks_touched_until_it_is_listed_again(tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "a.txt").write_text("a", encoding="utf-8")
    title = {"ko": "마을", "en": "town"}
    site = Site(name="gaon", title=title, study_area={"legal_dongs": ["4121010500"]}, inbox=inbox)
    store = Store(tmp_path / "store")
    ahead = Ahead(site, store)
    assert ahead._inbox_was_touched()
    listed(store)
    assert not ahead._inbox_was_touched()
    # a copy that keeps the time of its original is new all the same
    (inbox / "deep").mkdir()
    (inbox / "deep" / "b.txt").write_text("b", encoding="utf-8")
    os.utime(inbox / "deep" / "b.txt", (0, 0))
    assert ahead._inbox_was_touched()
    listed(store)
    assert not ahead._inbox_was_touched()
    (inbox / "a.txt").write_text("c", encoding="utf-8")
    assert ahead._inbox_was_touched()


def test_what_most_rests_on_begins_first():
    needs = {"map": {"roofs"}, "shade": set(), "roofs": {"yields"}, "yields": {"sky"}, "sky": set(), "parks": set()}
    rank = _begin_first(needs)
    assert sorted(rank, key=rank.__getitem__)[:3] == ["sky", "yields", "roofs"]
    # alike, in the order in which they are given
    assert rank["map"] < rank["shade"] < rank["parks"]
