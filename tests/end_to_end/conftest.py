"""One demo town and a corner of it, each run once for all tests here, and helpers to run them again somewhere else."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from geodata.demo import write_demo
from pipelines.instance import Workplace, open_workplace
from pipelines.run import Outcome, run_job
from tests.small_town import write_small
from twin.publish.durable import remove_tree

Made = TypeVar("Made")


@dataclass(frozen=True)
class Run:
    """A town after a run."""

    workplace: Workplace
    outcome: Outcome

    @property
    def latest(self) -> Path:
        return self.workplace.releases / "latest"

    @property
    def geopackage(self) -> Path:
        return self.latest / "existing" / "twin.gpkg"


def _run_site(site_file: Path, folder: Path, **options) -> Run:
    workplace = open_workplace(site_file, folder / "outputs", folder / "state")
    return Run(workplace, run_job(workplace, **options))


def _twin(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DAGSTER", "TWIN"))}
    command = [str(Path(sys.executable).with_name("twin")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, check=False, timeout=1500)


@pytest.fixture(scope="session")
def run_site():
    return _run_site


@pytest.fixture(scope="session")
def twin():
    return _twin


def _made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """Return what ``make`` makes in a folder of its own; once for all workers of the test run."""
    place = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    folder, told = place / name, place / f"{name}.pickle"
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            made = make(folder)
            told.write_bytes(pickle.dumps(made))
    return pickle.loads(told.read_bytes())  # noqa: S301 - written by a worker of this very test run


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory) -> Path:
    return _made_once(tmp_path_factory, "demo", lambda folder: write_demo(folder, "town"))


@pytest.fixture(scope="session")
def truth(demo_site) -> dict:
    return json.loads((demo_site.parent / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def town(demo_site, tmp_path_factory):
    """The demo town after its first run; tests must not change it."""
    run = _made_once(tmp_path_factory, "town", lambda folder: _run_site(demo_site, folder))
    assert run.outcome.succeeded, run.outcome.reasons
    return run


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A corner of the demo town as it is, drawn coarsely, after its first run; tests must not change it."""

    def make(folder: Path) -> Run:
        return _run_site(write_small(folder / "demo", plans=False, land_cover=True), folder)

    run = _made_once(tmp_path_factory, "small", make)
    assert run.outcome.succeeded, run.outcome.reasons
    return run


@pytest.fixture
def own_small(small, tmp_path):
    """A copy of the small town with its store and its release, for a test that changes things: site file and folder."""
    folder = tmp_path / "place"
    shutil.copytree(small.workplace.state.parent, folder, symlinks=True)
    yield folder / "demo" / "site.yaml", folder
    remove_tree(folder)
