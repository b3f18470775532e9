"""Steps that are built side by side by several processes: the same bytes, and nothing that depends on those processes' lives."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time

import psutil
import pytest
import yaml

from pipelines.instance import open_workplace
from pipelines.run import run_job
from tests.small_town import ended
from twin.publish.release import verify_latest
from twin.sky.compiled import thread_count

pytestmark = pytest.mark.check
ahead = pytest.mark.skipif(thread_count() < 2, reason="with one processor nothing is built ahead: no process to kill")


def geopackages(workplace) -> dict[str, bytes]:
    latest = workplace.releases / "latest"
    return {path.relative_to(latest).as_posix(): path.read_bytes() for path in sorted(latest.rglob("*.gpkg"))}


def run_afresh(small_town, name: str, at_once: int):
    """Run the town into empty folders."""
    site = yaml.safe_load(small_town.site_file.read_text(encoding="utf-8"))
    site_file = small_town.site_file.with_name(f"{name}.yaml")
    site_file.write_text(yaml.safe_dump(site | {"compute": {"steps_at_once": at_once}}, allow_unicode=True), "utf-8")
    workplace = open_workplace(site_file, small_town.folder / name / "outputs", small_town.folder / name / "state")
    return workplace, run_job(workplace)


def test_side_by_side_makes_the_bytes_of_one_after_the_other(small_town):
    alone, first = run_afresh(small_town, "alone", 1)
    together, second = run_afresh(small_town, "together", 2)
    assert first.succeeded, first.reasons
    assert second.succeeded, second.reasons
    # what was built elsewhere counts as built, and only once
    assert (second.built, second.reused) == (first.built, first.reused)
    files = geopackages(alone)
    assert files
    assert geopackages(together) == files
    again = run_job(together)
    assert (again.built, again.release["published"]) == (0, False)


@ahead
def test_a_process_that_is_killed_leaves_its_work_to_the_run(small_town):
    killed = []

    def kill_the_first() -> None:
        deadline = time.monotonic() + 600
        while not killed and time.monotonic() < deadline:
            for child in multiprocessing.active_children():
                os.kill(child.pid, signal.SIGKILL)
                killed.append(child.pid)
                return
            time.sleep(0.01)

    before = multiprocessing.active_children()
    assert before == []
    killer = threading.Thread(target=kill_the_first)
    killer.start()
    workplace, outcome = run_afresh(small_town, "killed", 2)
    killer.join()
    assert killed
    assert outcome.succeeded, outcome.reasons
    assert verify_latest(workplace.outputs, workplace.site.name) == []
    assert multiprocessing.active_children() == []


@ahead
def test_the_processes_of_a_killed_run_end_with_it(small_town):
    small_town.edit(1326.0)
    here = psutil.Process()
    before = {process.pid for process in here.children(recursive=True)}
    run = small_town.start()
    deadline = time.monotonic() + 600
    workers: list[psutil.Process] = []
    while not workers and run.is_alive() and time.monotonic() < deadline:
        found = [process for process in here.children(recursive=True) if process.pid not in before | {run.pid}]
        # the server that forks them, and what it keeps, stay
        workers = [
            process for process in found if "forkserver" in " ".join(process.cmdline()) and process.pid != run.pid
        ]
        time.sleep(0.05)
    assert workers, small_town.words
    run.kill()
    ended(run)
    _, alive = psutil.wait_procs(workers, timeout=120)
    assert alive == []
    assert small_town.run() == 0, small_town.words
