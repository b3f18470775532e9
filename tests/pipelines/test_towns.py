"""Several towns in one call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

TWIN = Path(sys.executable).with_name("twin")


def town(folder: Path, name: str, *, files: bool) -> Path:
    folder.mkdir()
    site = {
        "name": name,
        "title": {"ko": name, "en": name},
        "study_area": {"bbox": [190000, 540000, 190200, 540200], "crs": "EPSG:5186"},
    }
    (folder / "site.yaml").write_text(yaml.safe_dump(site), encoding="utf-8")
    (folder / "inbox").mkdir()
    if files:
        (folder / "inbox" / "parcels.geojson").write_text(PARCELS, encoding="utf-8")
    return folder / "site.yaml"


PARCELS = """{"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::5186"}},
"features": [{"type": "Feature", "properties": {"pnu": "4121010500100010000", "jibun": "1 대", "bonbun": "1", "bubun": ""},
"geometry": {"type": "Polygon", "coordinates": [[[190050, 540050], [190100, 540050], [190100, 540100], [190050, 540100], [190050, 540050]]]}}]}"""


@pytest.mark.check
def test_a_town_that_is_refused_does_not_keep_the_next_from_publishing(tmp_path):
    empty = town(tmp_path / "a", "empty_town", files=False)
    gone = tmp_path / "gone.yaml"
    small = town(tmp_path / "b", "small_town", files=True)
    places = ["--outputs", str(tmp_path / "out"), "--state", str(tmp_path / "state")]
    sites = [word for file in (empty, gone, small) for word in ("--site", str(file))]
    done = subprocess.run([str(TWIN), "run", *sites, *places], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "gone.yaml" in done.stderr and "is empty" in done.stderr
    assert (tmp_path / "out" / "small_town" / "latest" / "existing" / "twin.gpkg").exists(), done.stdout + done.stderr
    assert (tmp_path / "out" / "small_town" / "latest" / "report.html").exists()
    assert not (tmp_path / "out" / "empty_town" / "latest").exists()
