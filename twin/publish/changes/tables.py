"""The layers of `changes.gpkg`, from the GeoPackages of two releases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio

from geodata.catalogue import LAYERS
from geodata.catalogue.changes import CHANGE_LAYERS
from geodata.catalogue.model import Field, Layer, difference_unit
from twin.publish.changes.compare import SHAPE, LayerChange, compare_layer
from twin.publish.changes.rows import read_differing

MOST_VALUES = 200_000
"""How many single values are listed at most: the fields in which fewest features changed come first, and whole."""


def compare_geopackages(
    before: Mapping[str, Path], after: Mapping[str, Path], crs: str, *, most_values: int = MOST_VALUES
) -> dict[str, pd.DataFrame]:
    """Return the layers of `changes.gpkg`, finished, from scenario to GeoPackage of the release before and of this one.

    What follows depends on the content of the files alone. A scenario or a layer that only one release has is told in
    one row of ``changed_layers`` and not taken apart.
    """
    layers: list[dict[str, Any]] = []
    features: list[pd.DataFrame] = []
    values: list[pd.DataFrame] = []
    for scenario in sorted({*before, *after}):
        old, new = _held(before.get(scenario)), _held(after.get(scenario))
        for name, layer in LAYERS.items():
            if name not in old and name not in new:
                continue
            told: dict[str, Any] = {"scenario": scenario, "layer": name, "layer_ko": layer.ko}
            told |= {"rows_before": old.get(name), "rows_after": new.get(name)}
            if name in old and name in new:
                found = compare_layer(layer, *read_differing(layer, before[scenario], after[scenario]))
                told |= {"added": found.added, "removed": found.removed, "altered": found.altered}
                told["note"] = _note(layer, found)
                marks = {"scenario": scenario, "layer": name}
                if len(found.features):
                    features.append(found.features.assign(**marks, layer_ko=layer.ko))
                if len(found.values):
                    values.append(_labelled(layer, found.values).assign(**marks))
            else:
                told["note"] = _only_one(scenario, name, bool(old), bool(new))
            layers.append(told)
    listed = pd.concat(values, ignore_index=True) if values else _empty("changed_values")
    fields = _by_field(listed, most_values)
    listed = listed.merge(fields[["scenario", "layer", "field", "listed"]], how="left")
    raw = {
        "changed_features": _change_points(features, crs),
        "changed_layers": pd.DataFrame(layers, columns=list(CHANGE_LAYERS["changed_layers"].names)),
        "changed_fields": fields,
        "changed_values": listed[listed["listed"].astype("bool")],
    }
    return {name: layer.finish(raw[name]) for name, layer in CHANGE_LAYERS.items()}


def _held(path: Path | None) -> dict[str, int]:
    """Return the layers that a GeoPackage holds, with their rows."""
    if path is None:
        return {}
    names = [name for name, _ in pyogrio.list_layers(path) if name in LAYERS]
    return {name: int(pyogrio.read_info(path, layer=name, force_feature_count=True)["features"]) for name in names}


def _note(layer: Layer, found: LayerChange) -> str | None:
    notes = []
    if layer.key is None:
        notes.append("키가 없어 행 집합으로 비교 · no key: compared as sets of rows")
    if found.fields_new:
        notes.append(f"새 필드 · new fields: {', '.join(found.fields_new)}")
    if found.fields_gone:
        notes.append(f"없어진 필드 · fields gone: {', '.join(found.fields_gone)}")
    return "; ".join(notes) or None


def _only_one(scenario: str, name: str, had_scenario: bool, has_scenario: bool) -> str:
    if not had_scenario:
        return f"새 시나리오 {scenario}: 비교하지 않음 · new scenario, not compared"
    if not has_scenario:
        return f"없어진 시나리오 {scenario}: 비교하지 않음 · scenario gone, not compared"
    return f"한쪽 릴리스에만 있는 레이어 {name}: 비교하지 않음 · layer of one release only, not compared"


def _labelled(layer: Layer, values: pd.DataFrame) -> pd.DataFrame:
    known: dict[str, Field] = {f.name: f for f in (*layer.fields, SHAPE)}
    return values.assign(
        field_ko=values["field"].map({name: f.ko for name, f in known.items()}),
        field_en=values["field"].map({name: f.en for name, f in known.items()}),
        unit=values["field"].map({name: f.unit or None for name, f in known.items()}),
    )


def _by_field(values: pd.DataFrame, most_values: int) -> pd.DataFrame:
    names = ["scenario", "layer", "field", "field_ko", "field_en", "unit"]
    grouped = values.groupby(names, dropna=False, sort=True)["difference"]
    fields = grouped.agg(
        altered="size", difference_mean="mean", difference_min="min", difference_max="max"
    ).reset_index()
    fields["unit"] = fields["unit"].map(difference_unit, na_action="ignore")
    smallest_first = fields["altered"].sort_values(kind="stable")
    fields["listed"] = (smallest_first.cumsum() <= most_values).reindex(fields.index).astype("bool")
    return fields


def _change_points(features: list[pd.DataFrame], crs: str) -> gpd.GeoDataFrame:
    if not features:
        return gpd.GeoDataFrame(_empty("changed_features"), geometry=[], crs=crs)
    rows = gpd.GeoDataFrame(pd.concat(features, ignore_index=True), geometry="geometry", crs=crs)
    rows["change_id"] = rows["scenario"] + "/" + rows["layer"] + "/" + rows["feature_key"].astype("str")
    return rows


def _empty(name: str) -> pd.DataFrame:
    columns = {
        f.name: pd.Series([], dtype="float64" if f.kind == "real" else "object") for f in CHANGE_LAYERS[name].fields
    }
    return pd.DataFrame(columns)
