"""A look into one file: its format, columns, first rows, encoding and coordinate reference system.

Nothing is decided by a file's name except which files of a shapefile belong together.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import rasterio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from geodata import codes, crs, dbf
from geodata.archive import Member
from geodata.city_json import is_city_json, parse_city_json
from geodata.cut_names import BYTES
from geodata.encoding import Encoding, decode, sniff_dbf
from geodata.errors import InputError
from geodata.image_look import band_names
from geodata.inventory import Problem
from geodata.problems import problem
from geodata.products.model import CitySample, RasterSample, TableSample, VectorSample, WeatherSample
from geodata.products.xyz import is_xyz, read_xyz
from geodata.table_text import Layout, is_table, read_layout, stream_table
from geodata.weather.formats import look_at_weather, weather_format

Format = Literal["shapefile", "vector", "raster", "xyz", "weather", "table", "city"]

SAMPLE_ROWS = 300
_RASTER_SAMPLE = 256
"""Rasters are looked at in at most this many rows and columns."""
_LEAST_HEIGHT = -500.0
"""Whatever lies below is a marker of missing terrain, declared or not [m]."""
_DEGREE = 111_320.0
"""Length of a degree of latitude [m]; only to compare the fineness of rasters."""
_SHAPE_TYPES = {1: "Point", 3: "LineString", 5: "Polygon", 8: "MultiPoint"}
"""Shape types of the header; those with Z or M are 10 or 20 more."""
SIDECARS = frozenset(
    {
        ".shx",
        ".dbf",
        ".prj",
        ".cpg",
        ".cst",
        ".qix",
        ".sbn",
        ".sbx",
        ".shp.xml",
        ".qmd",
        ".qpj",
        ".lyr",
        ".fix",
        ".idx",
        ".atx",
    }
    | {".aux.xml", ".ovr", ".rrd", ".ige", ".tfw", ".tifw", ".imgw", ".hdr"}
)
"""Files that accompany another one and say nothing alone."""


@dataclass
class Look:
    """What one layer, raster or weather file looks like."""

    member: Member
    format: Format
    layer: str | None = None
    sample: VectorSample | RasterSample | WeatherSample | TableSample | CitySample | None = None
    layout: Layout | None = None
    """How a table is written; None for everything else."""
    encoding: str | None = None
    crs_definition: str | None = None
    """The file's own definition, WKT or code; None where it has none."""
    rows: int = 0
    fields: tuple[str, ...] = ()
    bounds: tuple[float, float, float, float] | None = None
    boxes: np.ndarray = field(default_factory=lambda: np.empty((0, 4)))
    """Boxes of sampled records in the file's numbers, shape (n, 4)."""
    box_rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype="int64"))
    """Which row of the sample each box belongs to."""
    companions: tuple[Member, ...] = ()
    """Other files that belong to this one: .dbf, .shx, .prj, .cpg."""
    problems: list[Problem] = field(default_factory=list)


def find_format(head: bytes, suffix: str) -> Format | None:
    """Return the format of a file from its first bytes (4 KB or more), None if it is no map, raster or weather file."""
    if head[:4] == b"\x00\x00\x27\x0a" and suffix == ".shp":
        return "shapefile"
    if head[:16] == b"SQLite format 3\0" and (suffix == ".gpkg" or head[68:72] in {b"GPKG", b"GP10", b"GP11"}):
        return "vector"
    if head[:4] == b"fgb\x03":
        return "vector"
    if head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"{" and re.search(rb'"type"\s*:\s*"Feature(Collection)?"', head):
        return "vector"
    if head[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"} or head[:15] == b"EHFA_HEADER_TAG":
        return "raster"
    if re.match(rb"\s*ncols\s+[0-9]+\s+nrows\s+[0-9]+", head, re.IGNORECASE):
        return "raster"
    if head[:12] == b"\x00\x00\x00\x0cjP  \r\n\x87\n":
        return "raster"
    if is_city_json(head):
        return "city"
    if weather_format(head) is not None:
        return "weather"
    if is_xyz(head, suffix):
        return "xyz"
    return "table" if is_table(head, suffix) else None


def look(
    member: Member, siblings: Mapping[str, Member], encoding: str | None = None, layer: str | None = None
) -> list[Look]:
    """Look into ``member`` and return one `Look` for each of its layers; an empty list if it is no data file.

    Parameters
    ----------
    member
        The file.
    siblings
        Files of the same folder or archive by lower-case shown path.
    encoding
        Text encoding, where the site file gives it.
    layer
        The only layer wanted, where the site file gives it.
    """
    try:
        form = find_format(member.read(4096), member.suffix)
        if form is None:
            return []
        if form == "shapefile":
            return [_look_shapefile(member, siblings, encoding)]
        if form == "raster":
            return [_look_raster(member, siblings)]
        if form == "weather":
            return [_look_weather(member)]
        if form == "city":
            return _look_city(member, layer)
        if form == "xyz":
            return [_look_xyz(member, siblings)]
        if form == "table":
            return _look_table(member, encoding)
        return _look_layers(member, encoding, layer)
    except (InputError, OSError, DataSourceError, DataLayerError, rasterio.errors.RasterioError, dbf.DbfError) as error:
        suspect = Look(member, form if "form" in locals() and form else "vector")
        suspect.problems.append(problem("unreadable", member.path, error))
        return [suspect]


def _look_table(member: Member, encoding: str | None) -> list[Look]:
    layout, sniffed = read_layout(member, encoding)
    found = Look(member, "table", encoding=layout.encoding, layout=layout, fields=layout.fields)
    _tell_encoding(found, sniffed, encoding)
    try:
        values = next(iter(stream_table(member, layout, layout.fields)))[0].head(SAMPLE_ROWS)
    except (InputError, StopIteration):
        # text with commas is not always a table
        return []
    found.sample = TableSample(layout.fields, values)
    return [found]


def companion(member: Member, suffix: str, siblings: Mapping[str, Member]) -> Member | None:
    """Return the file with the same stem and another suffix."""
    return siblings.get(f"{member.path[: -len(member.suffix)]}{suffix}".casefold())


_SHP_HEADER = 100
"""Bytes before the first shape."""


def _look_shapefile(member: Member, siblings: Mapping[str, Member], encoding: str | None) -> Look:
    found = Look(member, "shapefile")
    parts = {suffix: companion(member, suffix, siblings) for suffix in (".shx", ".dbf", ".prj", ".cpg")}
    found.companions = tuple(part for part in parts.values() if part is not None)
    table, index = parts[".dbf"], parts[".shx"]
    missing = [suffix for suffix in (".shx", ".dbf") if parts[suffix] is None]
    if table is None or index is None:
        found.problems.append(problem("part_missing", member.path, ", ".join(missing)))
        return found
    cpg = parts[".cpg"].read(64) if parts[".cpg"] is not None else None
    with table.open() as stream:
        header = dbf.read_header(stream)
        first = next(dbf.read_blocks(stream, header, SAMPLE_ROWS), np.empty((0, header.record_length), dtype=np.uint8))
    head = member.read(36)
    # a file that ends within its header does not even tell how long it should be
    shapes = struct.unpack(">I", head[24:28])[0] * 2 if len(head) == 36 else _SHP_HEADER
    records = (index.size - 100) // 8
    for short, detail in (
        (member.size < shapes, f".shp {member.size:,} < {shapes:,} bytes"),
        (table.size < header.least_size, f".dbf {table.size:,} < {header.least_size:,} bytes"),
        (records != header.rows, f".shx {records:,} ≠ .dbf {header.rows:,} records"),
    ):
        if short:
            found.problems.append(problem("shapefile_truncated", member.path, detail))
            return found
    with table.open() as stream:
        sniffed = sniff_dbf(stream, cpg)
    _tell_encoding(found, sniffed, encoding)
    found.encoding = encoding or sniffed.name
    names = tuple(decode(f.name, found.encoding) for f in header.fields)
    deleted = first[:, 0] == ord("*") if len(first) else np.zeros(0, dtype=bool)
    values = pd.DataFrame(
        {
            name: [decode(bytes(v), found.encoding) or None for v in dbf.column(first[~deleted], column)]
            for name, column in zip(names, header.fields, strict=True)
        },
        dtype="str",
    )
    if parts[".prj"] is not None:
        found.crs_definition = parts[".prj"].read().decode("utf-8", errors="replace")
    found.rows, found.fields = header.rows, names
    shape_type = struct.unpack("<i", head[32:36])[0]
    found.sample = VectorSample(names, header.rows, _SHAPE_TYPES.get(shape_type % 10, "Unknown"), values)
    return found


def measure(found: Look) -> None:
    """Add extent and boxes of the first records to a `look` at a shapefile; others have them already.

    Kept apart because a topographic sheet has sixty layers of which none may be wanted.
    """
    if found.format != "shapefile" or found.sample is None:
        return
    try:
        # column names are known already, and those that were cut within a letter cannot be read in their own encoding
        names = found.fields
        _look_at_shapes(found, pyogrio.read_info(found.member.gdal_path, encoding=BYTES, force_total_bounds=True))
        found.fields = names
    except (OSError, DataSourceError, DataLayerError, UnboundLocalError) as error:
        why = "its .prj is no text" if isinstance(error, UnboundLocalError) else error  # pyogrio's slip over its bytes
        found.problems.append(problem("unreadable", found.member.path, why))


def _tell_encoding(found: Look, sniffed: Encoding, given: str | None) -> None:
    if sniffed.damaged:
        found.problems.append(problem("text_damaged", found.member.path, f"{sniffed.damaged:,}"))
    if sniffed.contradicts and given is None:
        detail = f"{sniffed.declared} → {sniffed.name}"
        found.problems.append(problem("encoding_declared_wrong", found.member.path, detail))


def _look_layers(member: Member, encoding: str | None, wanted: str | None) -> list[Look]:
    looks = []
    for name, geometry in pyogrio.list_layers(member.gdal_path):
        if geometry is None or (wanted is not None and name != wanted):
            continue
        found = Look(member, "vector", layer=str(name), encoding=encoding or "UTF-8")
        info = pyogrio.read_info(
            member.gdal_path, layer=name, encoding=encoding, force_feature_count=True, force_total_bounds=True
        )
        found.crs_definition = info["crs"]
        _look_at_shapes(found, info)
        _, table = pyogrio.read_arrow(
            member.gdal_path, layer=name, encoding=encoding, max_features=SAMPLE_ROWS, read_geometry=False
        )
        values = pd.DataFrame({c: codes.as_text(_plain(table[c])) for c in found.fields if c in table.column_names})
        damaged = sum(int(values[c].dropna().str.contains("\ufffd").sum()) for c in values.columns)
        if damaged:
            found.problems.append(problem("text_damaged", member.path, f"{damaged:,}"))
        geometry_type = str(info["geometry_type"] or "Unknown")
        if geometry_type in {"Unknown", "GeometryCollection"}:
            geometry_type = _main_type(found)
        elif "Surface" in geometry_type or "Curve" in geometry_type:
            # polygons with arcs; reading makes them straight
            geometry_type = "Polygon" if "Surface" in geometry_type or "Polygon" in geometry_type else "LineString"
        found.sample = VectorSample(found.fields, found.rows, geometry_type, values)
        looks.append(found)
    return looks


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return nested columns (lists, structs) as text."""
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pa.chunked_array(
            [pa.array([None if v is None else str(v) for v in column.to_pylist()], type=pa.string())]
        )
    return column


def _look_at_shapes(found: Look, info: dict) -> None:
    found.rows = max(int(info["features"]), 0)
    found.fields = tuple(str(name) for name in info["fields"])
    bounds = info["total_bounds"]
    if bounds is not None and np.isfinite(bounds).all():
        found.bounds = (float(bounds[0]), float(bounds[1]), float(bounds[2]), float(bounds[3]))
    _, _, shapes, _ = pyogrio.raw.read(
        found.member.gdal_path, layer=found.layer, columns=[], max_features=SAMPLE_ROWS, force_2d=True
    )
    if shapes is None or not len(shapes):
        return
    boxes = shapely.bounds(shapely.from_wkb(shapes, on_invalid="ignore"))
    present = np.isfinite(boxes).all(axis=1)
    found.boxes, found.box_rows = boxes[present], np.flatnonzero(present)


def _main_type(found: Look) -> str:
    _, _, shapes, _ = pyogrio.raw.read(found.member.gdal_path, layer=found.layer, columns=[], max_features=SAMPLE_ROWS)
    types = shapely.get_type_id(shapely.from_wkb(shapes, on_invalid="ignore"))
    if np.isin(types, [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON]).any():
        return "Polygon"
    return "Unknown"


def _look_raster(member: Member, siblings: Mapping[str, Member]) -> Look:
    found = Look(member, "raster")
    with rasterio.open(member.gdal_path) as raster:
        if raster.crs is not None:
            found.crs_definition = raster.crs.to_wkt()
        found.rows = raster.height * raster.width
        found.bounds = tuple(raster.bounds)
        shape = (min(raster.height, _RASTER_SAMPLE), min(raster.width, _RASTER_SAMPLE))
        values = raster.read(1, out_shape=shape, masked=True)
        kept = values.compressed().astype("float64")
        kept = kept[np.isfinite(kept) & (kept > _LEAST_HEIGHT)]
        has_palette = raster.colorinterp[0].name == "palette"
        found.sample = RasterSample(
            driver=raster.driver,
            bands=raster.count,
            dtype=raster.dtypes[0],
            has_palette=has_palette,
            cell_size=abs(float(raster.transform.a)) * (_DEGREE if raster.crs and raster.crs.is_geographic else 1.0),
            minimum=float(kept.min()) if len(kept) else None,
            maximum=float(kept.max()) if len(kept) else None,
        )
        found.fields = band_names(raster, member.path, found.sample.minimum, found.sample.maximum)
        found.sample = replace(found.sample, band_names=found.fields)
    projection = companion(member, ".prj", siblings)
    if projection is not None:
        found.companions = (projection,)
        if found.crs_definition is None or crs.identify(found.crs_definition) is None:
            found.crs_definition = projection.read().decode("utf-8", errors="replace")
    if found.bounds is not None:
        found.boxes, found.box_rows = np.array([found.bounds]), np.zeros(1, dtype="int64")
    return found


def _look_xyz(member: Member, siblings: Mapping[str, Member]) -> Look:
    found = Look(member, "xyz")
    try:
        grid = read_xyz(member.open, member.path)
    except InputError as error:
        found.problems.append(problem("points_scattered", member.path, error))
        return found
    found.rows, found.bounds = grid.points, grid.bounds
    heights = grid.heights[grid.heights > _LEAST_HEIGHT]
    degrees = grid.bounds[2] <= 180.0 and grid.bounds[3] <= 90.0
    found.sample = RasterSample(
        driver="XYZ",
        bands=1,
        dtype=str(heights.dtype),
        has_palette=False,
        cell_size=grid.transform.a * (_DEGREE if degrees else 1.0),
        minimum=float(np.min(heights)) if len(heights) else None,
        maximum=float(np.max(heights)) if len(heights) else None,
    )
    projection = companion(member, ".prj", siblings)
    if projection is not None:
        found.companions = (projection,)
        found.crs_definition = projection.read().decode("utf-8", errors="replace")
    found.boxes, found.box_rows = np.array([found.bounds]), np.zeros(1, dtype="int64")
    return found


def _look_weather(member: Member) -> Look:
    seen = look_at_weather(member.read())
    sample = seen.sample
    found = Look(member, "weather", sample=sample, encoding=seen.encoding, rows=sample.rows)
    found.bounds = (sample.longitude, sample.latitude, sample.longitude, sample.latitude)
    if not seen.whole_year:
        found.problems.append(problem("weather_rows", member.path, f"{found.rows:,}"))
    if not (crs.KOREA[1] <= sample.latitude <= crs.KOREA[3] and crs.KOREA[0] <= sample.longitude <= crs.KOREA[2]):
        where = f"{sample.latitude:.2f} N, {sample.longitude:.2f} E"
        found.problems.append(problem("weather_elsewhere", member.path, where))
    return found


def _look_city(member: Member, wanted: str | None) -> list[Look]:
    """Return two looks at a city model: at its roof surfaces and at its buildings."""
    model = parse_city_json(member.read())
    roofs = model.roofs
    boxes = shapely.bounds(roofs.geometry.to_numpy())
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    looks = []
    for content, rows in (("roof_planes", len(roofs)), ("buildings", roofs["building"].nunique())):
        if wanted not in (None, content):
            continue
        sample = CitySample(content, model.version, rows)  # type: ignore[arg-type]
        found = Look(member, "city", layer=content, sample=sample, encoding="UTF-8", rows=rows)
        found.crs_definition = model.crs_definition
        if len(boxes):
            low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
            found.bounds = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
            found.boxes = boxes[:SAMPLE_ROWS]
            found.box_rows = np.arange(len(found.boxes))
        looks.append(found)
    return looks
