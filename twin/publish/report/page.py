"""Putting the report together: numbers, charts and maps into one HTML file without any foreign address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from geodata.catalogue import LAYERS
from geodata.catalogue.model import Field
from geodata.catalogue.shared import COVER_CLASSES
from twin.energy.arithmetic import ArithmeticRow, orders_of_magnitude, whole_rows
from twin.publish.about import ReleaseAbout, scenario_words
from twin.publish.html_template import html_template
from twin.publish.report.carbon_section import path_chart, path_table
from twin.publish.report.charts import bars, stacks
from twin.publish.report.figures import Number, layer_sum, row_number, whole_number
from twin.publish.report.pictures import layer_map, overview
from twin.publish.report.themes import MONTH, Theme, in_reading_order, theme_fields
from twin.publish.report.told import SAID, UNSAID, resource_name, source_name
from twin.publish.report.units import amount, difference, in_one_unit, large
from twin.sky.town import Keep

KeepOf = Callable[[str], Keep]

HEADLINES = (
    "yield_kwh",
    "capacity_kwp",
    "green_cover_pct",
    "demand_kwh",
    "avoided_tco2",
    "homes",
    "building_count",
    "park_area_m2",
    "area_m2",
)
"""Columns of `districts` that the first page shows, as far as they are published; six at most."""
EXTRAS = ("avoided", "share_of_demand")
"""Lines of the arithmetic that the first page shows too."""
CARDS = 6
_COVER_COLOURS = {
    "built": "#b9b4ab",
    "farm": "#e6d98f",
    "forest": "#3f7d4f",
    "grass": "#a6cf7a",
    "wetland": "#6fb1a8",
    "bare": "#d8b48a",
    "water": "#6f9fd0",
    "unknown": "#eeeeee",
}


@dataclass(frozen=True)
class Town:
    """Published layers of one scenario by name."""

    scenario: str
    layers: Mapping[str, pd.DataFrame]
    picture: Path | None = None
    """Its overview map, where it is drawn already."""

    @property
    def words(self) -> tuple[str, str]:
        """Return its name in Korean and English."""
        return scenario_words(self.scenario)

    @property
    def districts(self) -> pd.DataFrame:
        """Return the layer that totals are told from."""
        return self.layers["districts"]


@dataclass(frozen=True)
class Headline:
    """One large number of the first page."""

    field: Field
    numbers: tuple[tuple[Town, Number, str, str], ...]
    """For each town the number, and how it is printed: text and unit."""


def write_report(
    towns: Sequence[Town], path: Path, *, about: ReleaseAbout, terrain: Path | None = None, keep: KeepOf | None = None
) -> dict[str, Any]:
    """Write the report of ``towns``, the present first, and return how many numbers and charts it holds.

    Parameters
    ----------
    towns
        One or two scenarios; each has at least `districts`.
    terrain
        Elevation raster for the relief below the map.
    keep
        Gives for each scenario where maps of its layers are kept.
    """
    extras = _extras(towns)
    page = {
        "about": about,
        "extras": extras,
        "towns": towns,
        "whole_title": _whole_title(towns[0].districts),
        "headlines": _headlines(towns)[: CARDS - len(extras)],
        "overviews": [(town, overview(town.layers, about, town.scenario, terrain, town.picture)) for town in towns],
        "arithmetic": [(town, orders_of_magnitude(town.districts)) for town in towns],
        "themes": [_chapter(theme, towns, about, keep) for theme in in_reading_order()],
        "uncertainty": _uncertainty(towns),
        "quality": [(town, _quality(town.layers.get("quality"))) for town in towns],
        "sources": _topic(towns[-1], "input file"),
        "missing": [(source_name(row["name"]), row["value"]) for row in _topic(towns[-1], "missing")],
        "assumptions": _assumptions(towns[-1]),
        "resource": [
            (resource_name(row["name"]), row["name"], SAID.get(row["value"], row["value"]))
            for row in _topic(towns[-1], "resource")
            if row["value"] not in UNSAID
        ],
        "css": files("twin.publish.report").joinpath("report.css").read_text(encoding="utf-8"),
    }
    html = html_template("twin.publish.report", "report.html", {"amount": amount}).render(page)
    path.write_text(html, encoding="utf-8")
    return {"numbers": html.count("data-field="), "charts": html.count("<svg"), "maps": html.count("data:image/png")}


def _whole_title(districts: pd.DataFrame) -> tuple[str, str]:
    rows = whole_rows(districts)
    if (rows["kind"] == "district").any():
        return str(rows["name_ko"].iloc[0]), "the project's district"
    return f"법정동 {len(rows)}개, 사업지구 아님", f"{len(rows)} legal dongs, not the district"


def _headlines(towns: Sequence[Town]) -> list[Headline]:
    found = []
    for name in HEADLINES:
        having = [town for town in towns if name in town.districts]
        if not having or name not in {field.name for field in LAYERS["districts"].fields}:
            continue
        field = LAYERS["districts"][name]
        numbers = tuple(
            (town, number, *large(number))
            for town in having
            if (number := whole_number(town.districts, field, town.scenario)).value is not None
        )
        if numbers:
            found.append(Headline(field, numbers))
    return found


def _extras(towns: Sequence[Town]) -> list[tuple[str, list[tuple[Town, ArithmeticRow]]]]:
    """Return lines of the arithmetic for the first page, each with its row of every town."""
    rows = [(town, row) for town in towns for row in orders_of_magnitude(town.districts)]
    return [(key, found) for key in EXTRAS if (found := [(town, row) for town, row in rows if row.key == key])]


def _chapter(theme: Theme, towns: Sequence[Town], about: ReleaseAbout, keep: KeepOf | None) -> dict[str, Any]:
    columns = list(dict.fromkeys(name for town in towns for name in town.districts.columns))
    fields = theme_fields(theme, columns)
    return {
        "theme": theme,
        "fields": fields,
        "totals": [_total(field, towns) for field in fields],
        "tables": [(town, _names(town), _lines(town, fields)) for town in towns] if fields else [],
        "charts": _charts(theme, towns),
        "paths": [
            (town, table)
            for town in towns
            if theme.key == "carbon" and (table := path_table(town.layers.get("carbon_path"), town.scenario))
        ],
        "maps": [
            (town, name, picture)
            for town in towns
            for name in theme.maps
            if (picture := layer_map(name, town.layers, about, None if keep is None else keep(town.scenario)))
        ],
    }


def _total(field: Field, towns: Sequence[Town]) -> tuple[Field, str, list[Number | None], str | None]:
    """Return field, unit, number of each town and their difference, for one line of a theme."""
    raw = [whole_number(t.districts, field, t.scenario) if field.name in t.districts else None for t in towns]
    unit, factor, numbers = in_one_unit(field, raw)
    return field, unit, numbers, difference(raw, unit, factor) if len(raw) == 2 else None


def _ordered(town: Town) -> pd.DataFrame:
    return town.districts.sort_values(["kind", "dong_code"], ascending=[False, True])


def _names(town: Town) -> list[str]:
    return [str(name) for name in _ordered(town)["name_ko"]]


def _lines(town: Town, fields: Sequence[Field]) -> list[tuple[Field, str, list[Number | None]]]:
    """Return for each field its unit and the number of every dong."""
    rows = _ordered(town)
    lines = []
    for field in fields:
        raw = [row_number(row, field, town.scenario) if field.name in rows else None for _, row in rows.iterrows()]
        unit, _, numbers = in_one_unit(field, raw)
        lines.append((field, unit, numbers))
    return lines


def _charts(theme: Theme, towns: Sequence[Town]) -> list[tuple[str, str, str, str]]:
    """Return Korean and English title, source and SVG of each chart."""
    charts: list[tuple[str, str, str, str]] = []
    if theme.key == "sun":
        series = []
        for town in towns:
            months = sorted(name for name in town.districts.columns.astype(str) if MONTH.fullmatch(name))
            if len(months) == 12:
                sums = whole_rows(town.districts)[months].sum()
                series.append((" / ".join(town.words), [float(v) / 1e6 for v in sums]))
        if series:
            names = [f"{month}월" for month in range(1, 13)]
            charts.append(
                ("월별 발전량", "Yield by month", "districts.yield_01_kwh … yield_12_kwh", bars(names, series, "GWh"))
            )
    if theme.key == "carbon":
        paths = [(" / ".join(t.words), t.layers["carbon_path"]) for t in towns if "carbon_path" in t.layers]
        chart = path_chart(paths)
        charts += [chart] if chart is not None else []
    if theme.key == "green":
        for town in towns:
            names = [f"cover_{name}_m2" for name in COVER_CLASSES if f"cover_{name}_m2" in town.districts]
            if not names:
                continue
            rows = _ordered(town)
            parts = [
                (
                    " / ".join(COVER_CLASSES[name[6:-3]]),
                    [float(v) / 1e4 for v in rows[name].fillna(0)],
                    _COVER_COLOURS[name[6:-3]],
                )
                for name in names
            ]
            title = f"토지피복, {town.words[0]}", f"Land cover, {town.words[1]}"
            svg = stacks([str(n) for n in rows["name_ko"]], parts, "ha")
            charts.append((*title, "districts.cover_…_m2", svg))
    return charts


def _uncertainty(towns: Sequence[Town]) -> list[dict[str, Any]]:
    found = []
    for town in towns:
        roofs = town.layers.get("roofs")
        if roofs is None:
            continue
        middle = layer_sum(roofs, "roofs", "yield_kwh", town.scenario)
        careful = layer_sum(roofs, "roofs", "yield_p90_kwh", town.scenario) if "yield_p90_kwh" in roofs else None
        if middle is not None:
            share = 100 * careful.value / middle.value if careful and careful.value and middle.value else None
            found.append({"town": town, "middle": middle, "careful": careful, "share": share})
    return found


def _quality(frame: pd.DataFrame | None) -> list[tuple[str, str, str, str, int]]:
    if frame is None or frame.empty:
        return []
    counts = frame.groupby(["source", "outcome", "reason_ko", "reason_en"]).size().reset_index(name="count")
    counts = counts.sort_values(["source", "count", "reason_en"], ascending=[True, False, True])
    return [(str(a), str(b), str(c), str(d), int(e)) for a, b, c, d, e in counts.itertuples(index=False)]


def _topic(town: Town, topic: str) -> list[dict[str, str]]:
    frame = town.layers.get("run_info")
    if frame is None:
        return []
    names = ["name", "value", "unit", "source", "note"]
    rows = frame.loc[frame["topic"] == topic, names].fillna("")
    return [{name: str(row[name]) for name in names} for _, row in rows.iterrows()]


def _assumptions(town: Town) -> list[dict[str, str]]:
    """Return the parameters that nobody has verified yet."""
    frame = town.layers.get("run_info")
    if frame is None:
        return []
    open_ones = frame["topic"].str.startswith("parameter ") & frame["verified"].eq(False).fillna(value=False)
    rows = frame[open_ones].drop(columns="verified").fillna("")
    return [
        {name: str(row[name]) for name in ("topic", "name", "value", "unit", "source")} for _, row in rows.iterrows()
    ]
