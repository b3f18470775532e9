"""Dagster's multiprocess executor makes the same release as steps in one process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipelines.instance import open_workplace
from pipelines.jobs import NIGHTLY

BIN = Path(sys.executable).parent
PARCELS = """{"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::5186"}},
"features": [{"type": "Feature", "properties": {"pnu": "4121010500100010000", "jibun": "1 대", "bonbun": "1", "bubun": ""},
"geometry": {"type": "Polygon", "coordinates": [[[190050, 540050], [190100, 540050], [190100, 540100], [190050, 540100], [190050, 540050]]]}}]}"""


def site(folder: Path, executor: str) -> Path:
    (folder / "inbox").mkdir(parents=True)
    (folder / "inbox" / "parcels.geojson").write_text(PARCELS, encoding="utf-8")
    file = folder / "site.yaml"
    content = {
        "name": "small_town",
        "title": {"ko": "작은 마을", "en": "Small town"},
        "study_area": {"bbox": [190000, 540000, 190200, 540200], "crs": "EPSG:5186"},
        "compute": {"executor": executor},
    }
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return file


@pytest.mark.check
@pytest.mark.timeout(2400)
def test_steps_in_processes_of_their_own_make_the_same_bytes(tmp_path):
    found = {}
    for executor in ("in_process", "multiprocess"):
        folder = tmp_path / executor
        place = open_workplace(site(folder, executor), folder / "outputs", folder / "state")
        if executor == "in_process":
            words = [str(BIN / "twin"), "run", "--site", str(place.site_file), "--outputs", str(place.outputs), "--state", str(place.state)]  # fmt: skip
            environment = dict(os.environ)
        else:
            environment = os.environ | place.environment()
            subprocess.run([str(BIN / "twin"), "env", "--site", str(place.site_file), "--outputs", str(place.outputs), "--state", str(place.state)], check=True, capture_output=True)  # fmt: skip
            words = [str(BIN / "dg"), "launch", "--job", NIGHTLY]
        root = Path(__file__).parent.parent.parent
        done = subprocess.run(words, cwd=root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        if executor == "multiprocess":
            assert "multiprocess" in (done.stdout + done.stderr).lower()
        latest = place.releases / "latest"
        names = ("existing/twin.gpkg", "report.html", "maps/existing.png")
        found[executor] = [hashlib.sha256((latest / name).read_bytes()).hexdigest() for name in names]
    assert found["multiprocess"] == found["in_process"]
