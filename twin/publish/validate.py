"""Holds a GeoPackage to the standard, to its own promises and to the catalogue, and what stands beside it to the GeoPackage.

The standard is checked by GDAL's `validate_gpkg`, in pure Python, with its extra checks and with warnings as errors.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path

from geodata.catalogue import GEOPACKAGES, LAYERS, Layer
from twin.publish.city3d.check import cityjson_problems
from twin.publish.geopackage_check import standard_problems
from twin.publish.geoparquet import layer_problems, rows_of
from twin.publish.rasters import raster_problems

USER_VERSION = 10300
"""GeoPackage 1.3.0, the newest that QGIS 3.22 reads without a warning."""

_DECLARED = {"text": "TEXT", "integer": "INTEGER", "real": "REAL", "boolean": "BOOLEAN", "date": "DATE"}


def validate_geopackage(path: Path, catalogue: Mapping[str, Layer] = LAYERS) -> list[str]:
    """Return everything that is wrong with the GeoPackage ``path`` by its ``catalogue``; an empty list is a pass.

    Never raises for a damaged file, and leaves the file as it is.
    """
    if not path.is_file():
        return [f"{path.name}: does not exist"]
    found = _header_problems(path)
    if found:
        return found
    try:
        found += [
            f"{path.name}: requirement {requirement}: {text}" if requirement else f"{path.name}: {text}"
            for requirement, text in standard_problems(path)
        ]
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
            found += [f"{path.name}: {problem}" for problem in _content_problems(connection, catalogue)]
    except Exception as error:  # the validator breaks down in many ways on a damaged file; each of them is a finding
        found.append(f"{path.name}: cannot be checked: {type(error).__name__}: {error}")
    return found


def has_standard(path: Path) -> bool:
    """Tell whether `file_problems` knows what a file called ``path`` must be."""
    return path.name.endswith((".gpkg", ".city.json"))


def file_problems(path: Path) -> list[str]:
    """Return everything that is wrong with one GeoPackage or CityJSON file by itself; each line begins with its name."""
    if path.suffix == ".gpkg":
        return validate_geopackage(path, GEOPACKAGES.get(path.name, LAYERS))
    return cityjson_problems(path)


def validate_release(folder: Path, *, checked: Collection[str] = ()) -> list[str]:
    """Return everything that is wrong with the GeoPackages, GeoParquet, CityJSON and raster files of a release.

    A release without any GeoPackage is wrong too. Files named in ``checked``, with forward slashes, have passed `file_problems`
    as they are and are not looked at again.
    """
    paths = sorted(path for path in folder.rglob("*") if has_standard(path) and path.is_file())
    if not any(path.suffix == ".gpkg" for path in paths):
        return [f"{folder.name}: holds no GeoPackage"]
    found = [
        f"{path.relative_to(folder).parent.as_posix()}/{problem}".removeprefix("./")
        for path in paths
        if path.relative_to(folder).as_posix() not in checked
        for problem in file_problems(path)
    ]
    for path in sorted(folder.glob("geoparquet/*/*.parquet")):
        twin = folder / path.parent.name / "twin.gpkg"
        found += [f"{path.parent.name}/{problem}" for problem in _beside_geopackage(path, twin)]
    for path in sorted(folder.glob("rasters/*.tif")):
        found += [f"rasters/{problem}" for problem in raster_problems(path)]
    return found


def _beside_geopackage(path: Path, geopackage: Path) -> list[str]:
    """Return what is wrong with the GeoParquet file ``path`` by itself, and beside the same layer of ``geopackage``."""
    name = path.stem
    if name not in LAYERS:
        return [f"{path.name}: is not a layer of the catalogue"]
    found = layer_problems(path, LAYERS[name])
    if found:
        return found
    try:
        with closing(sqlite3.connect(f"file:{geopackage}?mode=ro&immutable=1", uri=True)) as connection:
            rows = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
    except sqlite3.Error as error:
        return [f"{path.name}: {geopackage.name} has no such layer: {error}"]
    return [] if rows == rows_of(path) else [f"{path.name}: holds {rows_of(path)} rows, {geopackage.name} {rows}"]


def _header_problems(path: Path) -> list[str]:
    """Look at the file's first 100 bytes and at what lies beside it."""
    with path.open("rb") as stream:
        header = stream.read(100)
    if not header.startswith(b"SQLite format 3\x00") or len(header) < 100:
        return [f"{path.name}: is not an SQLite file"]
    found = []
    if header[18:20] != b"\x01\x01":
        found.append(f"{path.name}: is in write-ahead-log mode; a published file must be in journal mode DELETE")
    if header[68:72] != b"GPKG":
        found.append(f"{path.name}: application id is {header[68:72]!r}, expected b'GPKG'")
    version = int.from_bytes(header[60:64], "big")
    if version != USER_VERSION:
        found.append(f"{path.name}: user_version is {version}, expected {USER_VERSION}")
    beside = [name for name in ("-wal", "-shm", "-journal") if path.with_name(path.name + name).exists()]
    found += [f"{path.name}: an unfinished change lies beside it ({path.name}{name})" for name in beside]
    return found


def _content_problems(connection: sqlite3.Connection, catalogue: Mapping[str, Layer]) -> list[str]:
    found = []
    for (text,) in connection.execute("PRAGMA integrity_check"):
        if text != "ok":
            found.append(f"integrity: {text}")
    found += [f"foreign key: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
    tables = [
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM gpkg_contents WHERE table_name <> 'layer_styles' ORDER BY rowid"
        )
    ]
    if "layer_styles" not in {
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }:
        return [*found, "holds no layer styles"]
    for name in tables:
        if name not in catalogue:
            found.append(f"{name}: is not a layer of the catalogue")
            continue
        found += [f"{name}: {problem}" for problem in _layer_problems(connection, catalogue[name])]
    if {"roofs", "buildings"} <= set(tables):
        found += _orphans(connection)
    return found


def _layer_problems(connection: sqlite3.Connection, layer: Layer) -> list[str]:
    found = []
    # table names come from the catalogue, never from the file
    columns = {row[1]: row[2] for row in connection.execute(f'PRAGMA table_info("{layer.name}")')}
    for field in layer.fields:
        if field.name in columns and columns[field.name] != _DECLARED[field.kind]:
            found.append(f"column {field.name} is {columns[field.name]}, declared {_DECLARED[field.kind]}")
        if field.name not in columns and field.required:
            found.append(f"required column {field.name} is missing")
    undeclared = sorted(set(columns) - set(layer.names) - {"fid", "geom"})
    if undeclared:
        found.append(f"columns that the catalogue does not declare: {undeclared}")
    labelled = {
        name
        for (name,) in connection.execute(
            "SELECT column_name FROM gpkg_data_columns WHERE table_name = ?", (layer.name,)
        )
    }
    unlabelled = sorted(set(columns) - labelled - {"fid", "geom"})
    if unlabelled:
        found.append(f"columns without label: {unlabelled}")
    defaults = connection.execute(
        "SELECT count(*) FROM layer_styles WHERE f_table_name = ? AND useAsDefault = 1", (layer.name,)
    ).fetchone()[0]
    if defaults != 1:
        found.append(f"{defaults} default styles, expected 1")
    rows = connection.execute(f'SELECT count(*) FROM "{layer.name}"').fetchone()[0]  # noqa: S608
    stored = connection.execute(
        "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", (layer.name,)
    ).fetchone()
    if stored is not None and stored[0] != rows:
        found.append(f"holds {rows} rows, but its feature count says {stored[0]}")
    if layer.geometry is not None:
        shapes = connection.execute(f'SELECT count(*) FROM "{layer.name}" WHERE geom IS NOT NULL').fetchone()[0]  # noqa: S608
        indexed = connection.execute(f'SELECT count(*) FROM "rtree_{layer.name}_geom"').fetchone()[0]  # noqa: S608
        if shapes != indexed:
            found.append(f"{shapes} geometries, but {indexed} in the spatial index")
    return found


def _orphans(connection: sqlite3.Connection) -> list[str]:
    count, example = connection.execute(
        "SELECT count(*), min(building_id) FROM roofs WHERE building_id NOT IN (SELECT building_id FROM buildings)"
    ).fetchone()
    return [f"roofs: {count} roof planes of buildings that are not published, for example {example}"] if count else []
