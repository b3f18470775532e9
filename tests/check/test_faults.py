"""Faults of a bad night on a small town: afterwards the last good release is whole, and the next run heals without a hand."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from pipelines.store import Store
from twin.publish.release import verify_latest

pytestmark = [pytest.mark.check, pytest.mark.timeout(800)]

KILLS = 4
SEED = 20261126


def assert_whole(town) -> None:
    workplace = town.workplace
    assert town.latest is not None
    assert verify_latest(workplace.outputs, workplace.site.name) == []


def test_killed_at_random_moments_a_reader_meets_a_whole_release_and_the_next_run_heals(small_town):
    moments = random.Random(SEED)  # noqa: S311 - moments, not secrets
    print(f"seed {SEED}")
    small_town.edit(1326.0)
    started = time.monotonic()
    assert small_town.run() == 0, small_town.words
    whole_s = time.monotonic() - started
    killed = 0
    for number in range(KILLS):
        small_town.edit(1300.0 + number)
        before = small_town.latest
        child = small_town.start()
        time.sleep(moments.uniform(0, whole_s))
        os.kill(child, signal.SIGKILL)
        killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        assert_whole(small_town)
        assert small_town.run() == 0, (number, small_town.words)
        assert_whole(small_town)
        assert small_town.latest != before, number
        left = [p.name for p in small_town.workplace.releases.rglob(".*") if p.name != ".lock"]
        assert left == [], number
    print(f"{killed} of {KILLS} runs were killed before they ended; every latest whole, every next run healed")
    assert killed > KILLS / 2


@pytest.mark.parametrize("damage", ["truncated", "flipped", "record", "pointer"])
def test_damaged_objects_of_the_store_are_built_again(small_town, damage):
    before = small_town.latest
    workplace = small_town.workplace
    found = Store(workplace.store).current("existing/roofs")
    victim = {
        "record": found.folder / "object.json",
        "pointer": found.folder.parent / "current.json",
    }.get(damage, found.data / "features.parquet")
    content = bytearray(victim.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0x40
    victim.write_bytes(content if damage == "flipped" else content[: len(content) // 2])
    assert small_town.run() == 0, small_town.words
    assert_whole(small_town)
    # the same object came back, so there was nothing to publish
    assert small_town.latest == before
    assert Store(workplace.store).current("existing/roofs").content == found.content
