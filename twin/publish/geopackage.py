"""Writes the layers of one scenario as a GeoPackage 1.3 whose bytes depend on nothing but its content.

Feature values go through GDAL alone: its spatial-index triggers call SQL functions that a plain SQLite does not have.
Aliases, constraints, metadata and styles are tables of their own and follow in `twin.publish.extensions`.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from geodata.catalogue import LAYERS, Field, Layer
from twin.publish.about import ReleaseAbout
from twin.publish.errors import PublishError
from twin.publish.extensions import write_extensions
from twin.publish.validate import validate_geopackage

__all__ = ["ReleaseAbout", "validate_geopackage", "write_geopackage"]

_LEAST_FREE_BYTES = 16 * 2**20


def write_geopackage(
    path: Path, layers: Mapping[str, pd.DataFrame], about: ReleaseAbout, catalogue: Mapping[str, Layer] = LAYERS
) -> None:
    """Write ``layers``, frames already brought into published form by `Layer.finish`, as a new file ``path``.

    ``catalogue`` declares them. The same frames and ``about`` give the same bytes, wherever and whenever they are written, on one set of libraries:
    rows keep the order of the frames, layers the order of the catalogue, and every date comes from ``about.timestamp``.

    Raises
    ------
    FileExistsError
        If ``path`` exists; a published file is never written in place.
    KeyError
        If a layer is not in the catalogue.
    PublishError
        If the disk is full; nothing is left at ``path``.
    """
    unknown = sorted(set(layers) - set(catalogue))
    if unknown:
        raise KeyError(f"layers that the catalogue does not know: {', '.join(unknown)}")
    if path.exists():
        raise FileExistsError(f"{path} exists; a GeoPackage is written as a new file and then moved into its place")
    wanted = {name: layers[name] for name in catalogue if name in layers}
    try:
        with _fixed_gdal(about.instant):
            for position, (name, frame) in enumerate(wanted.items()):
                _write_layer(path, catalogue[name], frame, about, first=position == 0)
        with closing(sqlite3.connect(path)) as connection:
            write_extensions(connection, wanted, about, catalogue)
            connection.execute("PRAGMA journal_mode = DELETE")
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.FeatureError,
        pyogrio.errors.DataLayerError,
        sqlite3.Error,
        OSError,
    ) as error:
        for leftover in path.parent.glob(f"{path.name}*"):
            leftover.unlink()
        if shutil.disk_usage(path.parent).free < _LEAST_FREE_BYTES:
            raise PublishError(
                f"disk full while writing {path.name} in {path.parent}: free some space there and run again. "
                "The last release is untouched."
            ) from error
        raise


@contextmanager
def _fixed_gdal(instant: str) -> Iterator[None]:
    """Hold GDAL to one date and one way of building spatial indices, then give its settings back."""
    options: dict[str, Any] = {
        "OGR_CURRENT_DATE": instant,
        # a tree built by a second thread, or cut short by the machine's memory, may be another tree
        "OGR_GPKG_ALLOW_THREADED_RTREE": "NO",
        "OGR_GPKG_MAX_RAM_USAGE_RTREE": str(2**30),
    }
    before = {name: pyogrio.get_gdal_config_option(name) for name in options}
    pyogrio.set_gdal_config_options(options)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)


def _write_layer(path: Path, layer: Layer, frame: pd.DataFrame, about: ReleaseAbout, *, first: bool) -> None:
    fields = [layer[name] for name in layer.names if name in frame.columns]
    columns = [_values(frame[field.name], field) for field in fields]
    options = {
        "FID": "fid",
        "IDENTIFIER": about.layer_title(layer),
        "DESCRIPTION": about.layer_text(layer, tuple(field.name for field in fields)),
    }
    if layer.geometry is None:
        geometry = None
        options["ASPATIAL_VARIANT"] = "GPKG_ATTRIBUTES"
    else:
        geometry = shapely.to_wkb(gpd.GeoDataFrame(frame).geometry.to_numpy())
        options |= {"GEOMETRY_NAME": "geom", "SPATIAL_INDEX": "YES"}
    pyogrio.raw.write(
        path,
        geometry,
        [values for values, _ in columns],
        [field.name for field in fields],
        field_mask=[mask for _, mask in columns],
        layer=layer.name,
        driver="GPKG",
        geometry_type=layer.geometry,
        crs=about.crs if layer.geometry else None,
        append=not first,
        dataset_options={"VERSION": "1.3"} if first else None,
        layer_options=options,
    )


def _values(column: pd.Series, field: Field) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the numpy values of ``column`` and, where the type has no null of its own, the mask of its nulls."""
    if field.kind == "real":
        return column.to_numpy("float64"), None
    if field.kind == "date":
        # GDAL tells a date from an instant by the unit alone
        return column.to_numpy("datetime64[D]"), None
    missing = column.isna().to_numpy()
    if field.kind == "text":
        text = column.to_numpy(dtype=object, copy=True)
        text[missing] = None
        return text, None
    plain = column.fillna(0 if field.kind == "integer" else False)
    return plain.to_numpy("int64" if field.kind == "integer" else "bool"), missing
