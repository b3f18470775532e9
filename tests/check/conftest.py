"""A town so small that a run takes seconds, and runs of it in processes that may be killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import traceback
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pytest
import yaml
from pylopdf_fonts_ko import sans_path

from geodata.demo import write_demo
from pipelines.instance import Workplace, open_workplace
from pipelines.run import run_job
from twin.publish.durable import remove_tree


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

    def start(self) -> int:
        """Start a run and return its process id."""
        child = os.fork()
        if child:
            return child
        code = 3
        try:
            # its words go to a file: the parent's streams are pytest's
            log = os.open(self.folder / "run.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(log, 1)
            os.dup2(log, 2)
            outcome = run_job(self.workplace)
            print(*outcome.reasons, sep="\n", flush=True)
            code = 0 if outcome.succeeded else 1
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def run(self) -> int:
        """Run to the end and return the exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self.start(), 0)[1])

    @property
    def words(self) -> str:
        return (self.folder / "run.log").read_text(encoding="utf-8")

    def edit(self, normal: float) -> None:
        """Change the station normal by a few kWh/m2: roofs, totals and release are new, nothing drifts."""
        site = yaml.safe_load(self.site_file.read_text(encoding="utf-8"))
        site["solar"]["resource"]["value"] = normal
        self.site_file.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")


@pytest.fixture(scope="session")
def small_base(tmp_path_factory):
    """The small town after its first run; copies of it are what tests harm."""
    base = tmp_path_factory.mktemp("small")
    site_file = write_demo(base / "demo", "town")
    middle = gpd.read_file(base / "demo" / "study_area.geojson").to_crs(5186).union_all().centroid
    site = yaml.safe_load(site_file.read_text(encoding="utf-8"))
    # south-west of the middle, where a park lies
    west, south = round(middle.x) - 250, round(middle.y) - 250
    site["study_area"] = {"bbox": [west, south, west + 250, south + 250], "crs": "EPSG:5186"}
    site["surface"] = {"cell_size_m": 2.0}
    site["solar"]["azimuths"] = 16
    site_file.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    for sheet in (base / "demo" / "inbox").glob("SG05*"):
        sheet.unlink()
    town = SmallTown(site_file, base)
    assert town.run() == 0, town.words
    yield base
    remove_tree(base)


@pytest.fixture
def small_town(small_base, tmp_path):
    """A copy of the small town with its release, its store and its records."""
    place = tmp_path / "place"
    shutil.copytree(small_base, place, symlinks=True)
    yield SmallTown(place / "demo" / "site.yaml", place)
    remove_tree(place)


SYSTEM_PYTHON = Path("/usr/bin/python3")


@pytest.fixture(scope="session")
def probe_qgis():
    """Run one of the probes beside this file under Debian's Python and its QGIS; gives what it found, and its messages."""
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", "import qgis.core"], capture_output=True, text=True, check=False
    ) if SYSTEM_PYTHON.exists() else None  # fmt: skip
    if done is None or done.returncode != 0:
        pytest.skip("QGIS is not installed; on Debian: apt-get install qgis python3-qgis")

    def probe(script: str, subject: Path, folder: Path) -> tuple[dict, str]:
        # its libraries are Debian's, not ours
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "GDAL", "PROJ", "VIRTUAL_ENV"))
        }
        environment = {**clean, "QT_QPA_PLATFORM": "offscreen", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        done = subprocess.run(
            [SYSTEM_PYTHON, Path(__file__).with_name(script), subject, folder, sans_path()],
            capture_output=True, text=True, check=True, env=environment, timeout=240,
        )  # fmt: skip
        return json.loads(done.stdout), done.stderr

    return probe
