"""A small town and runs of it in processes of their own, which may be killed."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import yaml

from pipelines.instance import Workplace, open_workplace
from pipelines.run import run_job

# children of a process that never computed: one forked from pytest's own would wait for threads of its kernels for ever
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pipelines.run"])


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
        return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, timeout=240)

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


def ended(child: ForkServerProcess, patience_s: float = 240.0) -> int:
    """Wait for a run and return its exit code, negative if a signal ended it."""
    child.join(patience_s)
    if child.exitcode is None:
        child.kill()
        raise TimeoutError(f"a run did not end within {patience_s:.0f} s")
    return child.exitcode
