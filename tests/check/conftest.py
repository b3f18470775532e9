"""A town so small that a run takes seconds."""

from __future__ import annotations

import shutil

import geopandas as gpd
import pytest
import yaml

from geodata.demo import write_demo
from tests.check.small_town import SmallTown
from twin.publish.durable import remove_tree


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
    # the plan doubles the work and adds nothing to what goes wrong at night
    site["scenarios"] = ["existing"]
    site.pop("plans", None)
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
