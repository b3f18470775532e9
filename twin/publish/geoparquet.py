"""Layers of a release as GeoParquet 1.1, for readers that are no GIS: pandas, DuckDB, R, a data warehouse.

Rows stand along a Hilbert curve in small row groups and each has its bounds in the column `bbox` (the covering of the
standard), so that a reader who wants a piece of the town reads a piece of the file. Labels, units and descriptions of
the catalogue stand in the metadata of the columns.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyarrow import ArrowException

from geodata.catalogue import Layer
from twin.publish.about import ReleaseAbout

VERSION = "1.1.0"
GEOMETRY = "geometry"
COVERING = "bbox"
ROWS_PER_GROUP = 4096
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def write_layer(path: Path, layer: Layer, frame: pd.DataFrame, about: ReleaseAbout) -> None:
    """Write ``frame``, brought into published form by `Layer.finish`, as the new file ``path``.

    A layer without geometry becomes plain Parquet in the order of its key. The same frame and ``about`` give the same
    bytes on one set of libraries. Days are days (date32), codes stay text.
    """
    columns = tuple(field.name for field in layer.fields if field.name in frame.columns)
    table = _spatial(frame, about.crs) if layer.geometry else pa.Table.from_pandas(frame, preserve_index=False)
    marks = {"title": about.layer_title(layer), "abstract": about.layer_text(layer, columns), "rights": about.rights}
    # what pandas adds tells its own version; nobody needs it to read the file
    held = {key: value for key, value in (table.schema.metadata or {}).items() if key != b"pandas"}
    fields = [_described(table.schema.field(name), layer, about) for name in table.column_names]
    schema = pa.schema(fields, metadata={**held, **{name: text.encode() for name, text in marks.items()}})
    pq.write_table(table.cast(schema), path, compression="zstd", row_group_size=ROWS_PER_GROUP)


def _spatial(frame: pd.DataFrame, crs: str) -> pa.Table:
    shapes = frame.geometry.to_numpy()
    # records that were dropped for want of a shape stand in the quality table, and come last
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    place = np.full(len(shapes), np.iinfo(np.int64).max)
    if there.any():
        place[there] = gpd.GeoSeries(shapes[there]).hilbert_distance().to_numpy()
    order = np.argsort(place, kind="stable")
    ordered = frame.iloc[order]
    known = gpd.GeoSeries(shapes[order], crs=crs)
    table = pa.Table.from_pandas(pd.DataFrame(ordered.drop(columns=GEOMETRY)), preserve_index=False)
    table = table.append_column(GEOMETRY, pa.array(shapely.to_wkb(shapes[order]), type=pa.binary()))
    bounds = shapely.bounds(shapes[order])
    table = table.append_column(
        COVERING, pa.StructArray.from_arrays([pa.array(side) for side in bounds.T], names=list(_CORNERS))
    )
    told = {
        "encoding": "WKB",
        "geometry_types": sorted(set(known.geom_type.dropna())),
        "crs": known.crs.to_json_dict(),
        "orientation": "counterclockwise",
        **({"bbox": [float(value) for value in known.total_bounds]} if there.any() else {}),
        "covering": {"bbox": {corner: [COVERING, corner] for corner in _CORNERS}},
    }
    geo = {"version": VERSION, "primary_column": GEOMETRY, "columns": {GEOMETRY: told}}
    return table.replace_schema_metadata({b"geo": json.dumps(geo, ensure_ascii=False).encode()})


def _described(column: pa.Field, layer: Layer, about: ReleaseAbout) -> pa.Field:
    if column.name not in layer.names:
        return column
    field = layer[column.name]
    kind = pa.date32() if field.kind == "date" else column.type
    kind = pa.string() if pa.types.is_large_string(kind) else kind
    words = {
        "label_ko": field.label("ko", unshaded=about.unshaded),
        "label_en": field.label("en", unshaded=about.unshaded),
        "unit": field.unit,
        "description_ko": field.about_ko,
        "description_en": field.about_en,
    }
    return pa.field(column.name, kind, metadata={name: text for name, text in words.items() if text})


def rows_of(path: Path) -> int:
    """Return how many rows a Parquet file holds."""
    return int(pq.read_metadata(path).num_rows)


def layer_problems(path: Path, layer: Layer) -> list[str]:
    """Return everything that is wrong with ``path`` as the file of ``layer``: by the standard and by the catalogue.

    Never raises for a damaged file.
    """
    try:
        table = pq.read_table(path)
    except (OSError, ArrowException) as error:
        return [f"{path.name}: cannot be read: {error}"]
    found = [
        f"required column {field.name} is missing"
        for field in layer.fields
        if field.required and field.name not in table.column_names
    ]
    undeclared = sorted(set(table.column_names) - {*layer.names, *((GEOMETRY, COVERING) if layer.geometry else ())})
    if undeclared:
        found.append(f"columns that the catalogue does not declare: {undeclared}")
    unlabelled = [
        name for name in table.column_names if name in layer.names and not (table.field(name).metadata or {}).get(b"label_ko")
    ]  # fmt: skip
    if unlabelled:
        found.append(f"columns without label: {unlabelled}")
    if layer.geometry:
        found += _geometry_problems(table, layer)
    return [f"{path.name}: {problem}" for problem in found]


def _geometry_problems(table: pa.Table, layer: Layer) -> list[str]:
    try:
        geo: dict[str, Any] = json.loads((table.schema.metadata or {})[b"geo"])
        told = geo["columns"][geo["primary_column"]]
        shapes = shapely.from_wkb(table[geo["primary_column"]].to_numpy(zero_copy_only=False))
        covering = {corner: tuple(told["covering"]["bbox"][corner]) for corner in _CORNERS}
        held = np.column_stack([_at(table, place) for place in covering.values()])
    except (KeyError, ValueError, ArrowException, shapely.errors.GEOSException) as error:
        return [f"is no GeoParquet with a covering: {type(error).__name__}: {error}"]
    found = []
    if geo["version"] != VERSION or told["encoding"] != "WKB":
        found.append(f"is GeoParquet {geo['version']} in {told['encoding']}, expected {VERSION} in WKB")
    kinds = set(gpd.GeoSeries(shapes).geom_type.dropna())
    if not kinds <= {layer.geometry} or kinds != set(told["geometry_types"]):
        found.append(f"holds {sorted(kinds)}, tells {told['geometry_types']}, declared {layer.geometry}")
    if not np.array_equal(held, shapely.bounds(shapes), equal_nan=True):
        found.append("the covering is not that of the shapes")
    return found


def _at(table: pa.Table, place: tuple[str, ...]) -> np.ndarray:
    column = table[place[0]].combine_chunks()
    for name in place[1:]:
        column = column.field(name)
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype="float64")
