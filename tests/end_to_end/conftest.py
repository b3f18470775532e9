"""One demo town, run once for all tests here, and helpers to run it again somewhere else."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from geodata.demo import write_demo
from pipelines.instance import Workplace, open_workplace
from pipelines.run import Outcome, run_job
from twin.publish.durable import remove_tree


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
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, check=False, timeout=560)


@pytest.fixture(scope="session")
def run_site():
    return _run_site


@pytest.fixture(scope="session")
def twin():
    return _twin


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory) -> Path:
    return write_demo(tmp_path_factory.mktemp("demo"), "town")


@pytest.fixture(scope="session")
def truth(demo_site) -> dict:
    return json.loads((demo_site.parent / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def town(demo_site, tmp_path_factory):
    """The demo town after its first run, made once for all workers of the test run; tests must not change it."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    folder, told = place / "town", place / "town.pickle"
    with (place / "town.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            told.write_bytes(pickle.dumps(_run_site(demo_site, folder)))
    run = pickle.loads(told.read_bytes())  # noqa: S301 - written by a worker of this very test run
    assert run.outcome.succeeded, run.outcome.reasons
    return run


@pytest.fixture
def own_town(demo_site, town, tmp_path):
    """A copy of the demo with its store and its release, for a test that changes things."""
    shutil.copytree(demo_site.parent, tmp_path / "demo")
    folder = tmp_path / "place"
    shutil.copytree(town.workplace.state, folder / "state")
    shutil.copytree(town.workplace.outputs, folder / "outputs", symlinks=True)
    yield tmp_path / "demo" / "site.yaml", folder
    remove_tree(folder)
