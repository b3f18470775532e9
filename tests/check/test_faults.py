"""Faults of a bad night on a small town: afterwards the last good release is whole, and the next run heals without a hand."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pipelines.store import Store
from tests.small_town import ended
from twin.publish.release import verify_latest
from twin.publish.site_folder import SiteFolder

KILLS = int(os.environ.get("TWIN_KILLS", "6"))
"""How many runs are killed: TWIN_KILLS=30 is what a release of the software is tried with."""

pytestmark = [pytest.mark.check, pytest.mark.timeout(1500 + 300 * KILLS)]

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
    killed = number = 0
    while killed < KILLS:
        number += 1
        assert number <= 4 * KILLS, f"only {killed} of {number - 1} runs were still at work when they should be killed"
        small_town.edit(1300.0 + 0.5 * number)
        before = small_town.latest
        started = time.monotonic()
        child = small_town.start()
        child.join(moments.uniform(0, whole_s))
        if child.exitcode is not None:
            # the machine has become quicker since the run that was measured
            whole_s = time.monotonic() - started
        child.kill()
        killed += ended(child) == -signal.SIGKILL
        assert_whole(small_town)
        assert small_town.run() == 0, (number, small_town.words)
        assert_whole(small_town)
        assert small_town.latest != before, number
        left = [p.name for p in small_town.workplace.releases.rglob(".*") if p.name != ".lock"]
        assert left == [], number
    print(f"{killed} of {number} runs were killed before they ended; every latest whole, every next run healed")


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


def test_two_runs_started_together_publish_one_release(small_town):
    small_town.edit(1310.0)
    both = small_town.start(), small_town.start()
    assert [ended(child) for child in both] == [0, 0], small_town.words
    assert_whole(small_town)
    assert len(SiteFolder(small_town.workplace.releases).ids()) == 2


def _databases(town) -> set[Path]:
    return {path for path in town.workplace.dagster_home.rglob("*.db") if path.stat().st_size}


def test_a_busy_event_log_is_waited_for(small_town):
    """Another process holds Dagster's databases of events for two seconds in the middle of a run, that of the run too."""
    small_town.edit(1311.0)
    known = _databases(small_town)
    assert known
    child = small_town.start()
    while not _databases(small_town) - known:  # each run has a database of its own
        assert child.is_alive(), small_town.words
        time.sleep(0.02)
    held = [sqlite3.connect(path, timeout=60, isolation_level=None) for path in sorted(_databases(small_town))]
    for connection in held:
        connection.execute("BEGIN IMMEDIATE")
    assert child.is_alive(), "the run was over before its records were held"
    time.sleep(2.0)
    for connection in held:
        connection.execute("ROLLBACK")
        connection.close()
    assert ended(child) == 0, small_town.words
    assert_whole(small_town)


def test_a_file_replaced_during_the_run_publishes_nothing_of_it(small_town):
    """A file keeps changing while it is read, as one that is being copied does."""
    before = small_town.latest
    path = next((small_town.site_file.parent / "inbox").glob("*.epw"))
    whole = path.read_bytes()
    over = threading.Event()

    def keep_copying() -> None:
        half = len(whole) // 2
        number = 0
        # never empty, as a file that is written anew is for a moment: two looks could find that equal
        while not over.wait(0.01):
            os.truncate(path, half + number * 997 % half)
            number += 1

    copier = threading.Thread(target=keep_copying)
    copier.start()
    try:
        code = small_town.run()
    finally:
        over.set()
        copier.join()
    assert code == 1, small_town.words
    assert ".epw" in small_town.words
    assert small_town.latest == before
    assert_whole(small_town)
    told = json.loads((small_town.workplace.releases / "last_run.json").read_text(encoding="utf-8"))
    assert told["succeeded"] is False
    path.write_bytes(whole)
    assert small_town.run() == 0, small_town.words
    assert small_town.latest == before


def test_a_reader_who_locks_the_published_geopackage_stops_nothing(small_town):
    small_town.edit(1312.0)
    before = small_town.latest
    path = small_town.workplace.releases / "latest" / "existing" / "twin.gpkg"
    reader = sqlite3.connect(f"file:{path.resolve()}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM gpkg_contents").fetchone()[0] > 3
    try:
        assert small_town.run() == 0, small_town.words
    finally:
        reader.close()
    assert small_town.latest != before
    assert_whole(small_town)


def unmount(place) -> None:
    """Unmount ``place``; the server that forks the processes of a run ends a moment after the run."""
    until = time.monotonic() + 60
    while subprocess.run(["umount", str(place)], capture_output=True, check=False).returncode != 0:
        assert time.monotonic() < until, f"{place} stays in use"
        time.sleep(0.1)


@pytest.mark.parametrize("what", ["outputs", "state"])
def test_a_full_disk_is_said_and_healed(small_town, what, tmp_path):
    """The folder lies on a real file system that something else has filled."""
    small_town.edit(1313.0)
    place = small_town.folder / what
    aside = small_town.folder / f"{what}_aside"
    place.rename(aside)
    place.mkdir()
    size = sum(p.lstat().st_size for p in aside.rglob("*") if not p.is_dir()) // 1024 + 600
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size * 4}k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        place.rmdir()
        aside.rename(place)
        pytest.skip("a small file system cannot be mounted here (needs root), so a full disk was not tried")
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", str(place)], check=True)
        before = small_town.latest
        filler = place / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as stream:
            while stream.write(b"x" * 4096):
                continue
        assert small_town.run() in (1, 3), small_town.words
        assert "full" in small_town.words or "No space left" in small_town.words
        assert small_town.latest == before
        assert_whole(small_town)
        filler.unlink()
        assert small_town.run() == 0, small_town.words
        assert small_town.latest != before
        assert_whole(small_town)
    finally:
        unmount(place)


def test_outputs_that_cannot_be_written_are_said_and_healed(small_town):
    small_town.edit(1314.0)
    outputs, before = small_town.folder / "outputs", small_town.latest
    bound = subprocess.run(["mount", "--bind", str(outputs), str(outputs)], capture_output=True, check=False)
    if bound.returncode != 0:
        pytest.skip("a folder cannot be mounted read-only here (needs root), so that was not tried")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(outputs)], check=True)
        assert small_town.run() == 1, small_town.words
        assert str(outputs) in small_town.words
        assert "read-only" in small_town.words.lower()
        assert_whole(small_town)
    finally:
        unmount(outputs)
    assert small_town.latest == before
    assert small_town.run() == 0, small_town.words
    assert small_town.latest != before
    assert_whole(small_town)


def test_a_clock_set_back_by_two_days_changes_nothing(small_town):
    """The release of a night whose clock is wrong still comes after the last one, and so does that of the next night."""
    faketime = shutil.which("faketime")
    if faketime is None:
        pytest.skip("no clock can be set back: Debian's package faketime is not installed")
    releases = SiteFolder(small_town.workplace.releases)
    small_town.edit(1315.0)
    done = small_town.command("run", before=(faketime, "-f", "-2d"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert_whole(small_town)
    assert small_town.latest == sorted(releases.ids())[-1]
    small_town.edit(1316.0)
    assert small_town.run() == 0, small_town.words
    assert_whole(small_town)
    assert small_town.latest == sorted(releases.ids())[-1]
    assert len(releases.ids()) == 3


def test_two_towns_in_one_call_do_not_mix(small_town, tmp_path):
    """One town is well, one has lost its inbox: the well one is published, the call says no."""
    other = tmp_path / "other.yaml"
    text = small_town.site_file.read_text(encoding="utf-8").replace("name: demo_town", "name: other_town")
    inbox = small_town.site_file.parent / "inbox"
    other.write_text(text.replace("inbox: inbox", f"inbox: {inbox}"), encoding="utf-8")
    done = small_town.command("run", "--site", other)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (small_town.folder / "outputs" / "other_town" / "latest" / "existing" / "twin.gpkg").is_file()
    other.write_text(text.replace("inbox: inbox", f"inbox: {tmp_path / 'nowhere'}"), encoding="utf-8")
    done = small_town.command("run", "--site", other)
    assert done.returncode == 1
    assert "does not exist" in done.stderr
    assert "demo_town" in done.stdout, "the well town was not run"
