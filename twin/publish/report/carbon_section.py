"""The carbon path in the report: a table of telling years for each town, and a chart of all years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from geodata.catalogue.energy import CARBON_PATH
from geodata.catalogue.model import Field
from twin.publish.report.charts import lines
from twin.publish.report.figures import Number, shown

COLUMNS = (
    "built_pct",
    "yield_kwh",
    "avoided_held_tco2",
    "avoided_tco2",
    "avoided_held_sum_tco2",
    "target_reduction_pct",
    "target_reduction_tco2",
    "share_of_target_pct",
)
"""Columns of the table, as far as they were published."""
EVERY_YEARS = 5


@dataclass(frozen=True)
class PathTable:
    """The carbon path of one scenario: its columns, and a row of numbers for each year shown."""

    fields: tuple[Field, ...]
    rows: tuple[tuple[int, tuple[Number, ...]], ...]


def path_table(path: pd.DataFrame | None, scenario: str) -> PathTable | None:
    """Return the table of the layer `carbon_path` of ``scenario``; None without it.

    Shown are the first year and the last, that in which all roofs are built, and every fifth, on which targets are set.
    """
    if path is None or path.empty:
        return None
    fields = tuple(CARBON_PATH[name] for name in COLUMNS if name in path.columns)
    ordered = path.sort_values("year")
    years = ordered["year"].astype(int)
    whole = years[ordered["built_pct"] >= ordered["built_pct"].max()].min()
    told = years.isin([years.min(), years.max(), whole]) | (years % EVERY_YEARS == 0)
    rows = [
        (int(row["year"]), tuple(_number(row, field, scenario) for field in fields))
        for _, row in ordered[told].iterrows()
    ]
    return PathTable(fields, tuple(rows))


def path_chart(paths: Sequence[tuple[str, pd.DataFrame]]) -> tuple[str, str, str, str] | None:
    """Return Korean and English title, source and SVG of what each of the ``paths`` (label, layer) avoids year by year.

    A full line holds the newest published grid factor, a broken one follows the scenario in which the grid gets clean.
    """
    known = [(label, path.sort_values("year")) for label, path in paths if not path.empty]
    if not known:
        return None
    series = []
    for label, path in known:
        years = [int(year) for year in path["year"]]
        series.append((f"{label}, 배출계수 고정 / factor held", years, path["avoided_held_tco2"].tolist(), False))
        series.append((f"{label}, 배출계수 감소 / grid gets clean", years, path["avoided_tco2"].tolist(), True))
    title = "해마다 줄이는 온실가스", "Avoided year by year"
    return *title, "carbon_path.avoided_held_tco2, avoided_tco2", lines(series, "tCO2eq/a")


def _number(row: pd.Series, field: Field, scenario: str) -> Number:
    value = row[field.name]
    known = None if pd.isna(value) else float(value)
    rule = f"year={int(row['year'])}"
    return Number(shown(value, field.decimals), field.unit, CARBON_PATH.name, field.name, scenario, rule, known)
