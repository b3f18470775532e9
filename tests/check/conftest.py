"""A town so small that a run takes seconds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pylopdf_fonts_ko import sans_path

from tests.small_town import SmallTown, run_small
from twin.publish.durable import remove_tree


@pytest.fixture(scope="session")
def small_base(tmp_path_factory):
    """The small town in both scenarios after its first run; tests must not change it."""
    base = tmp_path_factory.mktemp("small")
    run_small(base, plans=True)
    yield base
    remove_tree(base)


@pytest.fixture(scope="session")
def present_base(tmp_path_factory):
    """The small town as it is; its plan would double the work of a night and add nothing to what goes wrong."""
    base = tmp_path_factory.mktemp("present")
    run_small(base, plans=False)
    yield base
    remove_tree(base)


def copy_of(base: Path, place: Path) -> Iterator[SmallTown]:
    """Give a copy of the town in ``base``, and remove it."""
    shutil.copytree(base, place, symlinks=True)
    yield SmallTown(place / "demo" / "site.yaml", place)
    remove_tree(place)


@pytest.fixture
def small_town(present_base, tmp_path):
    """A copy of the small town with its release, its store and its records, for tests that harm it."""
    yield from copy_of(present_base, tmp_path / "place")


@pytest.fixture
def planned_town(small_base, tmp_path):
    """A copy of the small town in both scenarios, for tests that change it."""
    yield from copy_of(small_base, tmp_path / "planned")


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
            capture_output=True, text=True, check=True, env=environment, timeout=900,
        )  # fmt: skip
        return json.loads(done.stdout), done.stderr

    return probe
