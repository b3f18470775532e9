from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from pipelines import store as module
from pipelines.store import Store

COMMON = {"inputs": {"a": "1"}, "parameters": {"cell": 0.5}, "code_version": "v1"}


def writer(text: str, calls: list[str] | None = None):
    def build(folder: Path) -> dict[str, int]:
        (folder / "data" / "x.txt").write_text(text, encoding="utf-8")
        if calls is not None:
            calls.append(text)
        return {"rows": len(text)}

    return build


def test_a_second_call_takes_the_object_and_keeps_its_data_version(tmp_path):
    store, calls = Store(tmp_path), []
    first = store.get_or_build("town/roofs", **COMMON, build=writer("abc", calls))
    second = store.get_or_build("town/roofs", **COMMON, build=writer("abc", calls))
    assert calls == ["abc"]
    assert (first.reused, second.reused) == (False, True)
    assert first.content == second.content
    assert second.metadata == {"rows": 3}


@pytest.mark.parametrize("change", [{"inputs": {"a": "2"}}, {"parameters": {"cell": 1.0}}, {"code_version": "v2"}])
def test_any_change_of_inputs_parameters_or_code_builds_anew(tmp_path, change):
    store, calls = Store(tmp_path), []
    store.get_or_build("town/roofs", **COMMON, build=writer("abc", calls))
    store.get_or_build("town/roofs", **(COMMON | change), build=writer("abc", calls))
    assert len(calls) == 2


def test_a_code_change_that_changes_nothing_keeps_the_content_hash(tmp_path):
    store = Store(tmp_path)
    first = store.get_or_build("town/roofs", **COMMON, build=writer("abc"))
    second = store.get_or_build("town/roofs", **(COMMON | {"code_version": "v2"}), build=writer("abc"))
    assert first.digest != second.digest
    assert first.content == second.content


@pytest.mark.parametrize("damage", ["truncate", "remove", "extra", "record"])
def test_a_damaged_object_is_built_again(tmp_path, damage):
    store, calls = Store(tmp_path), []
    first = store.get_or_build("town/roofs", **COMMON, build=writer("abc", calls))
    if damage == "truncate":
        (first.data / "x.txt").write_text("ab", encoding="utf-8")
    elif damage == "remove":
        (first.data / "x.txt").unlink()
    elif damage == "extra":
        (first.data / "y.txt").write_text("?", encoding="utf-8")
    else:
        (first.folder / "object.json").write_text("{", encoding="utf-8")
    assert store.current("town/roofs") is None
    again = store.get_or_build("town/roofs", **COMMON, build=writer("abc", calls))
    assert len(calls) == 2
    assert (again.data / "x.txt").read_text(encoding="utf-8") == "abc"
    assert again.content == first.content


def test_damage_within_one_tick_of_the_file_system_is_seen(tmp_path, monkeypatch):
    """The clock of many file systems stands for some milliseconds: a second change then has the times of the first."""
    store = Store(tmp_path)
    found = store.get_or_build("town/roofs", **COMMON, build=writer("abc"))
    now = time.time_ns()
    monkeypatch.setattr(module, "_state", lambda path: (0, 0, path.stat().st_size, now, now))
    assert store.current("town/roofs") is not None
    (found.data / "x.txt").write_text("abd", encoding="utf-8")
    assert store.current("town/roofs") is None


def test_what_has_come_to_rest_is_hashed_once(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.get_or_build("town/roofs", **COMMON, build=writer("abc"))
    monkeypatch.setattr(module, "SETTLED_NS", -(10**12))
    assert store.current("town/roofs") is not None
    monkeypatch.setattr(module, "sha256_file", None)  # nobody may ask
    assert store.current("town/roofs") is not None


@pytest.mark.parametrize("same_time", [True, False])
def test_damage_after_a_first_reading_is_seen_by_the_same_store(tmp_path, same_time):
    store = Store(tmp_path)
    found = store.get_or_build("town/roofs", **COMMON, build=writer("abc"))
    file = found.data / "x.txt"
    assert store.current("town/roofs") is not None
    before = file.stat()
    file.write_text("abd", encoding="utf-8")  # as long as before
    if same_time:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.current("town/roofs") is None


def test_a_failed_build_leaves_nothing_behind_and_keeps_the_last_object(tmp_path):
    store = Store(tmp_path)
    good = store.get_or_build("town/roofs", **COMMON, build=writer("abc"))

    def broken(folder: Path) -> dict[str, int]:
        (folder / "data" / "half.txt").write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        store.get_or_build("town/roofs", **(COMMON | {"code_version": "v2"}), build=broken)
    current = store.current("town/roofs")
    assert current is not None
    assert current.digest == good.digest
    assert sorted(p.name for p in good.folder.parent.iterdir()) == sorted([good.digest, "current.json"])


def test_objects_are_found_by_their_content(tmp_path):
    store = Store(tmp_path)
    good = store.get_or_build("town/roofs", **COMMON, build=writer("abc"))
    found = store.by_content("town/roofs", good.content)
    assert found is not None
    assert found.digest == good.digest
    assert store.by_content("town/roofs", "0" * 64) is None
    assert json.loads((good.folder / "object.json").read_text(encoding="utf-8"))["inputs"] == {"a": "1"}


def test_of_objects_with_equal_content_the_current_one_is_found(tmp_path):
    store = Store(tmp_path)
    for inputs in ({"a": "1"}, {"a": "2"}, {"a": "3"}, {"a": "2"}):
        last = store.get_or_build("town/roofs", **(COMMON | {"inputs": inputs}), build=writer("abc"))
    found = store.by_content("town/roofs", last.content)
    assert found is not None
    assert found.inputs == {"a": "2"}
