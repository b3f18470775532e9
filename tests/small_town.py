"""A small town and runs of it in processes of their own, which may be killed."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import geopandas as gpd
import yaml

from geodata.demo import write_demo
from pipelines.instance import Workplace, open_workplace
from pipelines.run import run_job

# children of a process that never computed: one forked from pytest's own would wait for threads of its kernels for ever
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pipelines.run"])

PATIENCE_S = 900.0
"""A run that hangs is given up after so long; one that works takes seconds, on a slow and busy machine minutes."""


@dataclass(frozen=True)
class SmallTown:
    """Site file and folders of one small town; each run is a process of its own."""

    site_file: Path
    folder: Path

    @property
    def workplace(self) -> Workplace:
        return open_workplace(self.site_file, self.folder / "outputs", self.folder / "state")

    @property
    def latest(self) -> str | None:
        link = self.workplace.releases / "latest"
        return link.readlink().name if link.is_symlink() else None

    def start(self) -> ForkServerProcess:
        """Start a run and return its process."""
        child = PROCESSES.Process(target=run_and_tell, args=(self.site_file, self.folder))
        child.start()
        return child

    def run(self) -> int:
        """Run to the end and return the exit code."""
        return ended(self.start())

    def command(self, name: str, *more: str | Path, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run the command line on this town as a user would, ``before`` standing in front of it."""
        place = ["--outputs", self.folder / "outputs", "--state", self.folder / "state"]
        words = [*before, Path(sys.executable).with_name("twin"), name, "--site", self.site_file, *place, *more]
        return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, timeout=PATIENCE_S)

    @property
    def words(self) -> str:
        return (self.folder / "run.log").read_text(encoding="utf-8")

    def edit(self, normal: float) -> None:
        """Change the station normal by a few kWh/m2: roofs, totals and release are new, nothing drifts."""
        site = yaml.safe_load(self.site_file.read_text(encoding="utf-8"))
        site["solar"]["resource"]["value"] = normal
        self.site_file.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")


def run_and_tell(site_file: Path, folder: Path) -> None:
    """Run the town in this process; its words go to a file, its exit code tells how it ended."""
    log = os.open(folder / "run.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    outcome = run_job(open_workplace(site_file, folder / "outputs", folder / "state"))
    print(*outcome.reasons, sep="\n", flush=True)
    sys.exit(0 if outcome.succeeded else 1)


def ended(child: ForkServerProcess, patience_s: float = PATIENCE_S) -> int:
    """Wait for a run and return its exit code, negative if a signal ended it."""
    child.join(patience_s)
    if child.exitcode is None:
        child.kill()
        raise TimeoutError(f"a run did not end within {patience_s:.0f} s")
    return child.exitcode


def write_small(folder: Path, *, plans: bool, land_cover: bool) -> Path:
    """Write a corner of the demo town, 250 m wide and drawn coarsely, into ``folder`` and return its site file."""
    site_file = write_demo(folder, "town")
    middle = gpd.read_file(folder / "study_area.geojson").to_crs(5186).union_all().centroid
    site = yaml.safe_load(site_file.read_text(encoding="utf-8"))
    # south-west of the middle, where a park lies
    west, south = round(middle.x) - 250, round(middle.y) - 250
    site["study_area"] = {"bbox": [west, south, west + 250, south + 250], "crs": "EPSG:5186"}
    if not plans:
        site["scenarios"] = ["existing"]
        site.pop("plans", None)
    site["surface"] = {"cell_size_m": 2.0}
    site["solar"]["azimuths"] = 16
    site_file.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    if not land_cover:
        for sheet in (folder / "inbox").glob("SG05*"):
            sheet.unlink()
    return site_file


def run_small(base: Path, *, plans: bool) -> SmallTown:
    """Write a small town without land cover into ``base`` and run it once."""
    town = SmallTown(write_small(base / "demo", plans=plans, land_cover=False), base)
    assert town.run() == 0, town.words
    return town
