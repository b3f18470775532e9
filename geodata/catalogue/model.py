"""What a published layer and a published column are.

A `Layer` is declared once, in the modules beside this one. The pandera schema, the column order, the rounding,
the GeoPackage aliases, Dagster's table schema, the documentation and the manifest all derive from it.
"""

from __future__ import annotations

from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pandera.pandas as pa
import shapely
from pydantic import BaseModel, ConfigDict

Kind = Literal["text", "integer", "real", "boolean", "date"]
PANDAS_TYPE: dict[Kind, Any] = {
    "text": "str",
    "integer": "Int64",
    "real": "float64",
    "boolean": "boolean",
    "date": "datetime64[ms]",
}
UNSHADED = {"ko": "음영 미반영", "en": "unshaded"}


def difference_unit(unit: str) -> str:
    """Return the unit of the difference of two values in ``unit``: shares differ by percentage points."""
    return "%p" if unit == "%" else unit


class Choice(BaseModel):
    """One allowed value of a coded column, in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ko: str
    en: str


class Field(BaseModel):
    """One published column: type, unit, decimals, bounds, labels and descriptions."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    kind: Kind
    ko: str
    en: str
    about_ko: str = ""
    about_en: str = ""
    unit: str = ""
    decimals: int | None = None
    nullable: bool = True
    required: bool = True
    """False: the column is published only when its physics was computed; no placeholder stands in."""
    sunlit: bool = False
    """True: the value depends on shading; until shading is computed its labels say so."""
    unique: bool = False
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    choices: dict[str, Choice] = {}

    def label(self, language: Literal["ko", "en"], *, unshaded: bool = False) -> str:
        """Return the label with its unit, and with "unshaded" where that has to be said."""
        text = self.ko if language == "ko" else self.en
        notes = [self.unit] if self.unit else []
        if self.sunlit and unshaded:
            notes.append(UNSHADED[language])
        return f"{text} ({', '.join(notes)})" if notes else text

    def check(self) -> pa.Column:
        """Return the pandera column that holds values to this declaration."""
        checks = []
        if self.minimum is not None:
            checks.append(pa.Check.ge(self.minimum))
        if self.maximum is not None:
            checks.append(pa.Check.le(self.maximum))
        if self.pattern is not None:
            checks.append(pa.Check.str_matches(self.pattern))
        if self.choices:
            checks.append(pa.Check.isin(list(self.choices)))
        return pa.Column(
            PANDAS_TYPE[self.kind] if self.kind != "text" else None,
            checks=checks,
            nullable=self.nullable,
            unique=self.unique,
            required=self.required,
            description=self.en,
        )


class LayerError(ValueError):
    """A frame does not hold what its layer declares."""


class Layer(BaseModel):
    """One published layer: key, geometry type and fields, in the order in which they are published."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    ko: str
    en: str
    about_ko: str
    about_en: str
    geometry: Literal["MultiPolygon", "Point"] | None
    key: str | None
    fields: tuple[Field, ...]
    planned_only: bool = False

    def __getitem__(self, name: str) -> Field:
        """Return the field called ``name``."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"layer {self.name!r} has no field {name!r}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all declared columns, in order."""
        return tuple(field.name for field in self.fields)

    def finish(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Bring ``frame`` into published form: declared columns only, cast, rounded, ordered and sorted by key.

        Raises
        ------
        LayerError
            If a required column is missing or a value cannot take the declared type.
        """
        missing = [f.name for f in self.fields if f.required and f.name not in frame.columns]
        if missing:
            raise LayerError(f"layer {self.name}: required columns are missing: {', '.join(missing)}")
        columns: dict[str, pd.Series] = {}
        for field in self.fields:
            if field.name not in frame.columns:
                continue
            try:
                columns[field.name] = _cast(frame[field.name], field)
            except (TypeError, ValueError) as error:
                raise LayerError(f"layer {self.name}, column {field.name}: {error}") from error
        result = pd.DataFrame(columns, index=frame.index)
        if self.geometry is not None:
            if not isinstance(frame, gpd.GeoDataFrame):
                raise LayerError(f"layer {self.name}: a geometry column is required")
            result = gpd.GeoDataFrame(result, geometry=_published_shape(frame.geometry, self.geometry), crs=frame.crs)
        order = [self.key] if self.key else [f.name for f in self.fields if f.name in result.columns]
        return result.sort_values(order, ignore_index=True, kind="stable")

    def problems(self, frame: pd.DataFrame, crs: str | None = None) -> list[str]:
        """Return everything in which ``frame`` departs from this declaration; an empty list is a pass.

        CRS and geometry are looked at first and by hand: pandera answers a CRS mismatch with a bare ``TypeError``.
        """
        found: list[str] = []
        if self.geometry is not None:
            if not isinstance(frame, gpd.GeoDataFrame):
                return [f"{self.name}: no geometry column"]
            if crs is not None and (frame.crs is None or frame.crs != crs):
                found.append(f"{self.name}: CRS is {frame.crs}, expected {crs}")
            present = frame.geometry[frame.geometry.notna()]
            bad_type = sorted(set(present.geom_type) - {self.geometry})
            if bad_type:
                found.append(f"{self.name}: geometry types {bad_type}, expected {self.geometry}")
            invalid = int((~present.is_valid).sum())
            if invalid:
                found.append(f"{self.name}: {invalid} invalid geometries")
            if self.geometry == "MultiPolygon":
                empty = int(frame.geometry.isna().sum() + present.is_empty.sum())
                if empty:
                    found.append(f"{self.name}: {empty} features without geometry")
        undeclared = [c for c in frame.columns if c not in self.names and c != "geometry"]
        if undeclared:
            found.append(f"{self.name}: undeclared columns {undeclared}")
        schema = pa.DataFrameSchema({f.name: f.check() for f in self.fields}, strict=False)
        try:
            schema.validate(pd.DataFrame(frame.drop(columns="geometry", errors="ignore")), lazy=True)
        except pa.errors.SchemaErrors as error:
            cases = error.failure_cases
            for (column, check), group in cases.groupby(["column", "check"], dropna=False, sort=True):
                example = group["failure_case"].iloc[0]
                found.append(f"{self.name}.{column}: {check} fails {len(group)} times, first value {example!r}")
        return found


def _cast(values: pd.Series, field: Field) -> pd.Series:
    if field.kind == "real":
        numbers = pd.to_numeric(values).astype("float64")
        if np.isinf(numbers.to_numpy()).any():
            raise ValueError("infinite values")
        # -0.0 and 0.0 are the same number but not the same bytes
        return numbers.round(field.decimals) + 0.0 if field.decimals is not None else numbers
    if field.kind == "date":
        return pd.to_datetime(values).astype("datetime64[ms]")
    return values.astype(PANDAS_TYPE[field.kind])


def _published_shape(geometry: gpd.GeoSeries, kind: str) -> np.ndarray:
    shapes = shapely.force_2d(geometry.to_numpy())
    if kind == "Point":
        return shapes
    # counter-clockwise shells, as GeoPackage validators recommend
    shapes = shapely.orient_polygons(shapes, exterior_cw=False)
    single = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
    shapes[single] = shapely.multipolygons(shapes[single].reshape(-1, 1)) if single.any() else shapes[single]
    return shapes
