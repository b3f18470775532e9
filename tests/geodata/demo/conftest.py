"""The demo town, written once for all that look at its files."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from geodata.demo import write_demo
from tests.geodata.demo.demo_files import read


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    write_demo(folder, "town")
    return folder


@pytest.fixture(scope="package")
def truth(town: Path) -> dict:
    return json.loads((town / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="package")
def parcels(town: Path) -> gpd.GeoDataFrame:
    return read(town / "inbox" / "AL_D002_41_20260609.zip")


@pytest.fixture(scope="package")
def roads(town: Path) -> gpd.GeoDataFrame:
    sheets = [read(path) for path in sorted((town / "inbox").glob("376*.zip"))]
    return gpd.GeoDataFrame(pd.concat(sheets, ignore_index=True), crs=sheets[0].crs)
