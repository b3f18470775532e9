"""What lies in an inbox, in the words the rest of the house uses.

`geodata.inbox` makes an `Inventory`; readers take its `Dataset` records. All of it is plain data, so that it can be
stored, hashed and compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
from pydantic import BaseModel, ConfigDict

from geodata.site import Role


class SourceFile(BaseModel):
    """One file of the inbox; ``path`` is relative to the inbox, NFC, with forward slashes."""

    model_config = ConfigDict(frozen=True)
    path: str
    size: int
    sha256: str


class LayerPart(BaseModel):
    """One readable layer: a shapefile of a zip, a GeoPackage table, a raster, a weather file."""

    model_config = ConfigDict(frozen=True)
    file: SourceFile
    data_source: str
    """What GDAL opens, relative to the inbox: ``a.gpkg``, or ``a.zip/inner.shp`` for a member of an archive."""
    layer: str | None = None
    kind: Literal["vector", "raster", "weather", "table", "city"] = "vector"
    encoding: str | None = None
    crs: str | None = None
    """``EPSG:nnnn``; None for weather and for attribute tables."""
    crs_origin: str = ""
    """How the CRS is known: prj, file, shared prj, site file, parcels, legal dongs."""
    rows: int = 0
    fields: tuple[str, ...] = ()
    bounds: tuple[float, float, float, float] | None = None


class Dataset(BaseModel):
    """All parts of one product, ready to be read as one layer."""

    model_config = ConfigDict(frozen=True)
    product: str
    role: Role
    parts: tuple[LayerPart, ...]
    columns: dict[str, str] = {}
    """Our column name to the file's, where the site file maps them."""
    nodata: float | None = None
    vintage: str = ""
    """Date of the data, ISO 8601, as far as it is known: YYYY-MM-DD, YYYY-MM or YYYY."""
    licence: str = ""
    attribution: str = ""
    plan: str = ""
    """The scenario whose own file it is (site file, ``plans``); empty for what every scenario shares."""


class UnusedLayer(BaseModel):
    """A layer of a known product that nothing is made from."""

    model_config = ConfigDict(frozen=True)
    product: str
    data_source: str
    file: str
    """The file of the inbox that holds it."""
    rows: int


class Problem(BaseModel):
    """Something about a file that its owner should know; ``fatal`` problems make a run refuse."""

    model_config = ConfigDict(frozen=True)
    path: str
    what: str
    remedy: str
    fatal: bool = False


class Inventory(BaseModel):
    """Everything found in an inbox."""

    model_config = ConfigDict(frozen=True)
    files: tuple[SourceFile, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    problems: tuple[Problem, ...] = ()
    unused: tuple[UnusedLayer, ...] = ()
    """Layers that are recognised and counted, but not read."""
    ignored: tuple[str, ...] = ()
    """Files that no product claims, relative to the inbox."""

    def datasets_for(self, role: Role, plan: str = "") -> tuple[Dataset, ...]:
        """Return the datasets of one role: those that every scenario shares, or those of one ``plan`` alone."""
        return tuple(d for d in self.datasets if d.role == role and d.plan == plan)


@dataclass(frozen=True)
class RawLayer:
    """Records of one dataset as read: our column names, text decoded, codes as text, site CRS; nothing judged yet.

    ``read`` counts every record of the dataset, ``outside`` those that cannot touch the box that was asked for and
    are therefore not in ``frame``.
    """

    dataset: Dataset
    frame: gpd.GeoDataFrame
    read: int
    outside: int


def total(layers: Sequence[RawLayer]) -> tuple[int, int]:
    """Return how many records were read and how many lie outside, over several datasets."""
    return sum(layer.read for layer in layers), sum(layer.outside for layer in layers)
