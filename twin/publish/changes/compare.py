"""Two versions of one published layer, compared by key and with the decimals of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.catalogue.model import Field, Layer

SHAPE = Field(name="geom", kind="real", ko="도형", en="Shape", unit="m2", decimals=1)
"""A changed shape is told by its area, also where only its outline moved."""
SHAPE_TOLERANCE_M = 1e-3
_NAMED_FIELDS = 6
_GAP, _NULL = "\x1f", "\x00"


@dataclass(frozen=True)
class LayerChange:
    """What differs between two versions of a layer.

    ``features`` has ``feature_key``, ``dong_code``, ``change``, ``field_count``, ``fields`` and a point inside the shape;
    ``values`` has ``feature_key``, ``field``, ``old_value``, ``new_value`` and, for numbers, ``difference``. Both are
    empty for a table without a key, of which only ``added`` and ``removed`` rows are counted.
    ``fields_gone`` and ``fields_new`` are columns that only one version has; they are not compared.
    """

    added: int
    removed: int
    altered: int
    features: gpd.GeoDataFrame
    values: pd.DataFrame
    fields_gone: tuple[str, ...]
    fields_new: tuple[str, ...]


def compare_layer(layer: Layer, before: pd.DataFrame, after: pd.DataFrame) -> LayerChange:
    """Return what was added to, removed from and altered in ``layer`` between two published frames.

    Values that agree after rounding to the decimals of the catalogue are equal, missing values are equal to each other,
    and shapes are equal if no vertex moved by more than 1 mm, wherever their rings begin.
    """
    shared = tuple(f for f in layer.fields if f.name in before.columns and f.name in after.columns)
    part = layer.model_copy(update={"fields": shared})
    old, new = part.finish(before), part.finish(after)
    gone = tuple(f.name for f in layer.fields if f.name in before.columns and f.name not in after.columns)
    fresh = tuple(f.name for f in layer.fields if f.name in after.columns and f.name not in before.columns)
    if layer.key is None:
        more, fewer = row_differences(old, new)
        none = _features([], [], old.iloc[:0])
        return LayerChange(int(more.sum()), int(fewer.sum()), 0, none, _no_values(), gone, fresh)
    old, new = old.set_index(layer.key, drop=False), new.set_index(layer.key, drop=False)
    added, removed = new.index.difference(old.index), old.index.difference(new.index)
    both = new.index.intersection(old.index).sort_values()
    values = _altered_values(part, old.loc[both], new.loc[both])
    names = values.groupby("feature_key", sort=True)["field"].agg(list)
    altered = pd.Index(names.index, dtype=both.dtype)
    parts = [
        _features(["added"] * len(added), [[]] * len(added), new.loc[added]),
        _features(["removed"] * len(removed), [[]] * len(removed), old.loc[removed]),
        _features(["altered"] * len(altered), names.tolist(), new.loc[altered]),
    ]
    features = gpd.GeoDataFrame(
        pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True), geometry="geometry"
    )
    return LayerChange(len(added), len(removed), len(altered), features, values, gone, fresh)


def row_differences(old: pd.DataFrame, new: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return how often each row (its values as one text) is in ``new`` beyond ``old``, and in ``old`` beyond ``new``."""
    more = _row_counts(new).sub(_row_counts(old), fill_value=0).astype("int64").sort_index()
    return more[more > 0], -more[more < 0]


def _row_counts(frame: pd.DataFrame) -> pd.Series:
    words = pd.DataFrame(frame.drop(columns="geometry", errors="ignore")).astype("str").fillna(_NULL)
    return words.iloc[:, 0].str.cat(words.iloc[:, 1:], sep=_GAP).value_counts()


def _altered_values(layer: Layer, old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    found = [_no_values()]
    for field in layer.fields:
        if field.name == layer.key:
            continue
        a, b = old[field.name], new[field.name]
        differs = ~((a == b).fillna(False).to_numpy("bool") | (a.isna() & b.isna()).to_numpy("bool"))
        if differs.any():
            found.append(_listed(field, a[differs], b[differs]))
    if layer.geometry is not None and len(old):
        was, now = old["geometry"].to_numpy(), new["geometry"].to_numpy()
        moved = ~shapely.equals_exact(was, now, tolerance=SHAPE_TOLERANCE_M, normalize=True)
        moved &= ~(shapely.is_missing(was) & shapely.is_missing(now))
        if moved.any():
            areas = (pd.Series(shapely.area(g[moved]), index=old.index[moved]).round(1) for g in (was, now))
            found.append(_listed(SHAPE, *areas))
    return pd.concat([f for f in found if len(f)] or found, ignore_index=True)


def _listed(field: Field, old: pd.Series, new: pd.Series) -> pd.DataFrame:
    numeric = field.kind in ("real", "integer")
    difference = new.astype("float64") - old.astype("float64") if numeric else pd.Series(np.nan, index=old.index)
    return pd.DataFrame(
        {
            "feature_key": old.index.to_numpy(),
            "field": field.name,
            "old_value": _texts(old, field),
            "new_value": _texts(new, field),
            "difference": difference.to_numpy("float64"),
        }
    )


def _texts(values: pd.Series, field: Field) -> list[str | None]:
    """Return ``values`` as they would be read in the published layer."""
    if field.kind == "real" and field.decimals is not None:
        return [
            None if missing else f"{v:.{field.decimals}f}" for v, missing in zip(values, values.isna(), strict=True)
        ]
    if field.kind == "date":
        return [None if missing else f"{v:%Y-%m-%d}" for v, missing in zip(values, values.isna(), strict=True)]
    return [None if missing else str(v) for v, missing in zip(values, values.isna(), strict=True)]


def _no_values() -> pd.DataFrame:
    empty = {name: pd.Series([], dtype="object") for name in ("feature_key", "field", "old_value", "new_value")}
    return pd.DataFrame(empty | {"difference": pd.Series([], dtype="float64")})


def _features(change: list[str], fields: list[list[str]], rows: pd.DataFrame) -> gpd.GeoDataFrame:
    shapes = rows["geometry"] if "geometry" in rows.columns else pd.Series([None] * len(rows), dtype="object")
    more = [f" … +{len(names) - _NAMED_FIELDS}" if len(names) > _NAMED_FIELDS else "" for names in fields]
    return gpd.GeoDataFrame(
        {
            "feature_key": rows.index.to_numpy() if len(rows) else np.array([], dtype="object"),
            "dong_code": _dongs(rows),
            "change": change,
            "field_count": [len(names) for names in fields],
            "fields": [", ".join(n[:_NAMED_FIELDS]) + rest or None for n, rest in zip(fields, more, strict=True)],
        },
        geometry=shapely.point_on_surface(shapes.to_numpy()) if len(rows) else [],
        crs=getattr(rows, "crs", None),
    )


def _dongs(rows: pd.DataFrame) -> np.ndarray:
    if "dong_code" not in rows.columns:
        return np.full(len(rows), None, dtype=object)
    # the project's own district has no code of a legal dong
    return rows["dong_code"].where(rows["dong_code"].str.fullmatch("[0-9]{10}", na=False), None).to_numpy("object")
