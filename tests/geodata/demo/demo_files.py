"""Reads the demo's files as an agency's customer would, without the project's own readers."""

from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely


def members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def read(path: Path) -> gpd.GeoDataFrame:
    """All shapefiles of a zip, as CP949."""
    parts = [
        pyogrio.read_dataframe(f"/vsizip/{{{path}}}/{name}", encoding="CP949")
        for name in members(path)
        if name.endswith(".shp")
    ]
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=parts[0].crs)


def duplicates(frame: gpd.GeoDataFrame) -> int:
    """Rows that repeat an earlier one in every column and in geometry; rows without geometry do not count."""
    present = frame[frame.geometry.notna()]
    return int(
        pd.DataFrame(present.drop(columns="geometry"))
        .assign(wkb=shapely.to_wkb(present.geometry.to_numpy(), hex=True))
        .duplicated()
        .sum()
    )
