"""Numbers of the report, each with the layer, the field and the rule that it comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from geodata.catalogue import LAYERS
from geodata.catalogue.model import Field
from twin.energy.arithmetic import whole_rows

DASH = "–"
_ADDITIVE = frozenset({"m2", "m3", "kWh", "MWh", "GWh", "kWp", "kW", "MWp", "tCO2eq", "tCO2", "kgCO2eq", "KRW", "원"})
_SHARES = {"green_cover_pct": ("green_area_m2", "area_m2")}
"""Shares whose parts are published too: they are taken anew from the sums."""


@dataclass(frozen=True)
class Number:
    """One printed number; ``rule`` is how it was made of the rows of ``layer``."""

    text: str
    unit: str
    layer: str
    field: str
    scenario: str
    rule: str
    value: float | None

    @property
    def source(self) -> str:
        """Return the mark that leads back to the GeoPackage."""
        return f"{self.scenario}/twin.gpkg · {self.layer}.{self.field} · {self.rule}"


def shown(value: object, decimals: int | None) -> str:
    """Return a number with groups of thousands; a dash where there is none. Large numbers need no decimals."""
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return DASH
    number = float(value)  # type: ignore[arg-type]
    digits = 0 if abs(number) >= 1000 or float(number).is_integer() else min(decimals or 0, 2)
    return f"{number:,.{digits}f}"


def row_number(row: pd.Series, field: Field, scenario: str) -> Number:
    """Return a number as it stands in one row of `districts`."""
    raw = row.get(field.name)
    missing = raw is None or bool(pd.isna(raw))
    code = str(row["dong_code"])
    return Number(
        shown(raw, field.decimals), field.unit, "districts", field.name, scenario, f"dong_code={code}", None if raw is None or missing else float(raw)
    )  # fmt: skip


def whole_number(districts: pd.DataFrame, field: Field, scenario: str) -> Number:
    """Return a number for the whole town: the district's own row, else the sum or the mean by area of its dongs."""
    rows = whole_rows(districts)
    values = pd.to_numeric(rows[field.name], errors="coerce").astype("float64")
    rule, value = "kind=district", float(values.iloc[0]) if len(values) == 1 else math.nan
    if len(rows) != 1 or (rows["kind"] != "district").any():
        additive = field.kind == "integer" or field.unit in _ADDITIVE
        if field.name in _SHARES and all(name in rows for name in _SHARES[field.name]):
            part, all_of = (float(rows[name].sum()) for name in _SHARES[field.name])
            rule, value = "/".join(_SHARES[field.name]), 100 * part / all_of
        elif additive:
            rule, value = "sum", float(values.sum(min_count=1))
        else:
            known = values.notna()
            weights = rows["area_m2"].astype("float64")[known]
            rule = "mean by area_m2"
            value = float((values[known] * weights).sum() / weights.sum()) if known.any() else math.nan
    return Number(
        shown(value, field.decimals), field.unit, "districts", field.name, scenario, rule, None if math.isnan(value) else value
    )  # fmt: skip


def layer_sum(frame: pd.DataFrame, layer: str, column: str, scenario: str) -> Number | None:
    """Return the sum of a column over a whole published layer; None where it was not published."""
    if column not in frame.columns or not frame[column].notna().any():
        return None
    value = float(frame[column].sum())
    field = LAYERS[layer][column]
    return Number(shown(value, field.decimals), field.unit, layer, column, scenario, "sum", value)
