"""What a product is: one entry says how it is recognised, what its columns mean and where it comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from geodata.site import Role

PNU = r"[0-9]{10}\S{9}|[0-9.]+[eE][+]?[0-9]+"
"""A parcel number: block lots carry letters, and damaged files carry floats; judging them is left to cleaning."""
DONG = r"[0-9]{10}"
"""A legal dong code."""

_NOISE = re.compile(r"[\s_\-./()\[\]%㎡·]|m2$")


def fold(name: str) -> str:
    """Return a column name without case, blanks, underscores and units, so that spellings of one name compare equal."""
    return _NOISE.sub("", name.casefold())


@dataclass(frozen=True)
class VectorSample:
    """What recognition sees of a vector layer: its columns, its size and the first rows as text."""

    fields: tuple[str, ...]
    rows: int
    geometry_type: str
    values: pd.DataFrame
    """Sampled rows, every value as text, empty values as NaN; columns named as in the file."""


@dataclass(frozen=True)
class TableSample:
    """What recognition sees of a table without geometry: its columns, the first rows as text."""

    fields: tuple[str, ...]
    """Names of the header; ``#0``, ``#1`` … where the table has none."""
    values: pd.DataFrame
    """Sampled rows, every value as text, empty values as NaN; columns named as ``fields``."""
    rows: int = 0


@dataclass(frozen=True)
class RasterSample:
    """What recognition sees of a raster: its structure and its range of values."""

    driver: str
    bands: int
    dtype: str
    has_palette: bool
    cell_size: float
    """Cell width [m], approximate where the raster is in degrees."""
    minimum: float | None
    """Smallest sampled value, missing markers left out."""
    maximum: float | None
    band_names: tuple[str, ...] = ()
    """What the bands are, where they are bands of an image or a vegetation index: see `geodata.image_look`."""


@dataclass(frozen=True)
class CitySample:
    """What recognition sees of a city model, once for its roof surfaces and once for its buildings."""

    content: Literal["roof_planes", "buildings"]
    version: str
    rows: int


@dataclass(frozen=True)
class WeatherSample:
    """What recognition sees of a weather file."""

    format: str
    station: str
    latitude: float
    longitude: float
    rows: int


@dataclass(frozen=True)
class Signature:
    """What a vector layer has to look like to be this product.

    ``needs`` names our columns that must be found; ``has`` and ``lacks`` name columns of the file. ``patterns`` gives,
    for our columns, what at least half of the sampled non-empty values match in full.
    """

    needs: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    patterns: Mapping[str, str] = field(default_factory=dict)
    geometry: tuple[str, ...] = ("polygon",)
    max_rows: int | None = None


@dataclass(frozen=True)
class RasterSignature:
    """What a raster has to look like to be this product."""

    bands: int = 1
    dtypes: tuple[str, ...] = ()
    minimum: float = float("-inf")
    maximum: float = float("inf")
    least_spread: float = 0.0
    """Smallest difference between the largest and the smallest value."""


@dataclass(frozen=True)
class ImageSignature:
    """What the bands of an image have to be: one of these lists of names."""

    band_names: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Product:
    """One product of one agency.

    ``columns`` maps our column to the file's columns in order of preference; where several exist, the first that is
    not empty counts, row by row. ``vintages`` tells editions apart by their number of columns. A product without a
    role is recognised and named, but not read.
    """

    key: str
    role: Role | None
    ko: str
    en: str
    agency: str
    download: str
    licence: str
    attribution: str
    kind: Literal["vector", "raster", "weather", "table", "city"] = "vector"
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    signature: Signature | RasterSignature | ImageSignature | None = None
    vintages: Mapping[int, str] = field(default_factory=dict)
    key_column: str | None = None
    """Our column that the source calls its records by."""
    vintage_columns: tuple[str, ...] = ()
    """Columns of the file that carry the date of the data."""
    region_column: str | None = None
    """Our column whose first digits tell the municipality; editions compete only where their municipalities meet."""
    is_page: bool = False
    """A file is a piece of an answer, such as a page of an API: files of this product never replace each other."""
    pnu_parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns that a PNU is put together from, where the product has none: keys of `geodata.pnu.PNU_PARTS`."""

    def resolve_columns(self, fields: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return our column to the file's columns, as far as ``fields`` has them, in order of preference."""
        return _resolved(self.columns, fields)

    def resolve_pnu_parts(self, fields: Sequence[str]) -> dict[str, str]:
        """Return the columns of the file that a PNU is put together from; empty if not all of them are there."""
        found = {part: names[0] for part, names in _resolved(self.pnu_parts, fields).items()}
        return found if len(found) == len(self.pnu_parts) else {}

    def matches(self, sample: VectorSample | RasterSample | WeatherSample | TableSample | CitySample) -> bool:
        """Return whether ``sample`` is this product, by its columns and its content; names of files play no part."""
        if isinstance(sample, VectorSample):
            if self.kind != "vector" or not isinstance(self.signature, Signature):
                return False
            return self._matches_vector(sample, self.signature)
        if isinstance(sample, TableSample):
            if self.kind != "table" or not isinstance(self.signature, Signature):
                return False
            return self._matches_columns(sample, self.signature)
        if isinstance(sample, CitySample):
            return self.kind == "city" and sample.content == self.role
        if isinstance(sample, RasterSample) and isinstance(self.signature, ImageSignature):
            return sample.band_names in self.signature.band_names
        if isinstance(sample, RasterSample):
            return isinstance(self.signature, RasterSignature) and _matches_raster(sample, self.signature)
        return self.kind == "weather" and sample.format == self.key

    def _matches_vector(self, sample: VectorSample, signature: Signature) -> bool:
        if signature.geometry and not any(kind in sample.geometry_type.casefold() for kind in signature.geometry):
            return False
        if signature.max_rows is not None and sample.rows > signature.max_rows:
            return False
        return self._matches_columns(sample, signature)

    def _matches_columns(self, sample: VectorSample | TableSample, signature: Signature) -> bool:
        folded = {fold(name) for name in sample.fields}
        if not all(fold(name) in folded for name in signature.has):
            return False
        if any(fold(name) in folded for name in signature.lacks):
            return False
        columns = self.resolve_columns(sample.fields)
        if not all(ours in columns for ours in signature.needs):
            return False
        if sample.values.empty:
            return True
        return all(
            ours in columns and _share(first_filled(sample.values, columns[ours]), pattern) >= 0.5
            for ours, pattern in signature.patterns.items()
        )


def _resolved(wanted: Mapping[str, tuple[str, ...]], fields: Sequence[str]) -> dict[str, tuple[str, ...]]:
    by_fold: dict[str, str] = {}
    for name in fields:
        by_fold.setdefault(fold(name), name)
    found = {
        ours: tuple(by_fold[fold(theirs)] for theirs in candidates if fold(theirs) in by_fold)
        for ours, candidates in wanted.items()
    }
    return {ours: theirs for ours, theirs in found.items() if theirs}


def first_filled(values: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Return, row by row, the first non-empty value of the columns ``names``."""
    result = values[names[0]]
    for name in names[1:]:
        result = result.where(result.notna(), values[name])
    return result


def _share(values: pd.Series, pattern: str) -> float:
    present = values.dropna().astype("str").str.strip()
    present = present[present != ""]
    return float(present.str.fullmatch(pattern).mean()) if len(present) else 0.0


def _matches_raster(sample: RasterSample, signature: RasterSignature) -> bool:
    if sample.bands != signature.bands or sample.has_palette or sample.dtype not in signature.dtypes:
        return False
    if sample.minimum is None or sample.maximum is None:
        return False
    spread = sample.maximum - sample.minimum
    return (
        sample.minimum >= signature.minimum and sample.maximum <= signature.maximum and spread >= signature.least_spread
    )


RAW_COLUMNS: Mapping[Role, tuple[str, ...]] = {
    "parcels": ("pnu", "dong_name", "jibun", "jimok", "dong_code"),
    "buildings": (
        "building_id",
        "source_id",
        "pnu",
        "dong_code",
        "name",
        "part_name",
        "kind",
        "use_code",
        "use",
        "structure_code",
        "structure",
        "floors_above",
        "floors_below",
        "height_m",
        "gross_floor_area_m2",
        "approved_on",
        "register_id",
        "road_use_code",
    ),
    "land_cover": ("class_code",),
    "parks": ("class_code", "name", "executed", "source_id"),
    "plan_blocks": (
        "block_id",
        "land_use",
        "floor_area_ratio_pct",
        "building_coverage_pct",
        "floors_limit",
        "height_limit_m",
        "homes",
    ),
    "district": ("name",),
    "roof_planes": ("building",),
    "terrain": ("source_id", "elevation_m"),
    "roads": ("source_id", "class", "road_name", "name", "width_m"),
    "park_entrances": ("source_id", "park_name", "name"),
    "footways": ("source_id", "paving", "width_m"),
    "bus_stops": ("source_id", "name", "longitude", "latitude"),
    "land_characteristics": (
        "pnu",
        "jimok",
        "official_area_m2",
        "zoning_1",
        "zoning_2",
        "land_use",
        "reference_year",
        "reference_month",
        "data_date",
    ),
    "land_use_regulation": ("pnu", "relation_code", "relation", "zone_code", "zone_name", "data_date"),
    "zoning": ("zone_code", "zone_name"),
    "building_register": (
        "register_id",
        "pnu",
        "ledger_kind_code",
        "name",
        "part_name",
        "footprint_area_m2",
        "gross_floor_area_m2",
        "structure_code",
        "structure",
        "use_code",
        "use",
        "roof_code",
        "roof",
        "roof_other",
        "height_m",
        "floors_above",
        "floors_below",
        "approved_on",
        "created_on",
    ),
}
"""Columns of a layer as read, by role; any of them may be absent from a source."""

QUANTITIES = frozenset(
    {
        "floors_above",
        "floors_below",
        "height_m",
        "gross_floor_area_m2",
        "floor_area_ratio_pct",
        "building_coverage_pct",
        "floors_limit",
        "height_limit_m",
        "homes",
        "elevation_m",
        "width_m",
        "official_area_m2",
        "footprint_area_m2",
    }
)
"""Raw columns that are quantities; every other one is text by nature."""

TABLE_ROLES: frozenset[Role] = frozenset({"land_characteristics", "land_use_regulation", "building_register"})
"""Roles whose files are read for their attributes alone; a geometry that comes with them is not looked at."""

PLACE_TABLE_ROLES: frozenset[Role] = frozenset({"bus_stops"})
"""Roles of points that a table with `longitude` and `latitude` may hold as well as a map layer."""

NEEDED: Mapping[Role, tuple[tuple[str, ...], ...]] = {
    "parcels": (("pnu",), ("dong_name", "jibun")),
    "land_cover": (("class_code",),),
    "parks": (("class_code",),),
    "plan_blocks": (("block_id", "land_use"),),
    "terrain": (("elevation_m",),),
    "land_characteristics": (("pnu", "official_area_m2"), ("pnu", "zoning_1")),
    "land_use_regulation": (("pnu", "zone_name"),),
    "zoning": (("zone_code",), ("zone_name",)),
    "building_register": (("register_id",), ("pnu",)),
}
"""What a source of the site file has to map at least: one of the alternatives; the other roles need geometry alone."""
