"""Shapefiles in zips as the agencies hand them out: CP949 without a word about it, and the same bytes every time."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import geopandas as gpd
import pyogrio

DATE = "2026-06-09"
"""Date of all demo data."""
_TIMESTAMP = (2026, 6, 9, 9, 0, 0)
_LANGUAGE_BYTE = 29
_PROJECTIONS = {
    "EPSG:5186": 'PROJCS["Korea_2000_Korea_Central_Belt_2010",GEOGCS["GCS_Korea_2000",DATUM["D_Korea_2000",'
    'SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
    'PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",200000.0],PARAMETER["False_Northing",600000.0],'
    'PARAMETER["Central_Meridian",127.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",38.0],UNIT["Meter",1.0]]'
}
"""The .prj as ArcGIS writes it, where that differs from what GDAL of today writes: the agencies use ArcGIS."""


def write_zip(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    """Write a zip whose bytes depend on nothing but its members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, _TIMESTAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)


def write_shapefiles(
    path: Path, layers: Iterable[tuple[str, gpd.GeoDataFrame]], geometry_type: str = "Polygon"
) -> None:
    """Write ``layers`` (name without suffix, frame) as shapefiles of one kind of shape into one zip.

    Text is CP949; there is no .cpg and the language byte of the .dbf is 0, so that a reader has to find out.
    """
    members: list[tuple[str, bytes]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in layers:
            target = Path(folder) / "layer.shp"
            pyogrio.write_dataframe(
                frame,
                target,
                driver="ESRI Shapefile",
                encoding="CP949",
                geometry_type=geometry_type,
                layer_options={"DBF_DATE_LAST_UPDATE": DATE},
            )
            for suffix in (".shp", ".shx", ".dbf", ".prj"):
                content = bytearray(target.with_suffix(suffix).read_bytes())
                if suffix == ".dbf":
                    content[_LANGUAGE_BYTE] = 0
                if suffix == ".prj":
                    content = bytearray(_PROJECTIONS.get(str(frame.crs), content.decode("ascii")).encode("ascii"))
                members.append((name + suffix, bytes(content)))
            for written in Path(folder).iterdir():
                written.unlink()
    write_zip(path, members)
