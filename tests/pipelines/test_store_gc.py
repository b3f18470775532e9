"""The collection removes what is old and unneeded, and nothing else."""

from __future__ import annotations

import fcntl
import os
import time
from datetime import UTC, datetime

from pipelines.store import Store
from pipelines.store_gc import collect
from twin.publish.release import publish_release


def build(store: Store, asset: str, value: str):
    def write(folder):
        (folder / "data" / "x").write_text(value, encoding="utf-8")
        return {}

    return store.get_or_build(asset, inputs={"a": value}, parameters=None, code_version="1", build=write)


def age(folder, days: float) -> None:
    then = time.time() - days * 86400
    os.utime(folder, (then, then))


def test_only_old_objects_that_nobody_names_go(small_workplace, tmp_path):
    store = Store(small_workplace.store)
    released, old, young, current = (build(store, "existing/roofs", str(n)) for n in range(4))
    part, part_now = (build(store, "existing/skyline/parts/E1", str(n)) for n in range(2))
    left = store.root / "existing.roofs" / ".building-abc"
    left.mkdir()
    for folder in (released.folder, old.folder, current.folder, part.folder, part_now.folder, left):
        age(folder, 8)
    source = tmp_path / "part"
    source.write_text("1", encoding="utf-8")
    manifest = {"content": {"objects": {"existing/roofs": {"digest": released.digest}}}}
    publish_release(
        small_workplace.outputs, "small_town", {"a": source}, manifest, "aaaaaaaa",
        now=datetime.now(UTC), keep=3, validate=lambda folder: [],
    )  # fmt: skip
    found = collect(small_workplace)
    assert (found.objects, found.busy) == (3, False)
    assert [f.folder.exists() for f in (released, old, young, current)] == [True, False, True, True]
    assert (part.folder.exists(), part_now.folder.exists(), left.exists()) == (False, True, False)
    assert collect(small_workplace).objects == 0
    # what was not named by a release is built again, the rest is still whole
    assert build(store, "existing/roofs", "0").reused
    assert not build(store, "existing/roofs", "1").reused


def test_a_run_that_uses_the_store_is_left_alone(small_workplace):
    store = Store(small_workplace.store)
    first = build(store, "existing/roofs", "1")
    build(store, "existing/roofs", "2")
    age(first.folder, 30)
    with store.in_use():
        assert collect(small_workplace).busy
    assert first.folder.exists()
    # the other way round a build waits for the collection
    handle = os.open(store.root / ".lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_SH)
    assert build(store, "existing/roofs", "2").reused
    os.close(handle)
    assert collect(small_workplace).objects == 1


def test_a_clock_set_back_removes_nothing(small_workplace):
    store = Store(small_workplace.store)
    build(store, "existing/roofs", "1")
    build(store, "existing/roofs", "2")
    assert collect(small_workplace, now=1.0).objects == 0
