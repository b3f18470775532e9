"""The main indicators of every release so far, as one table and one small plot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyogrio
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from geodata.catalogue import LAYERS
from twin.publish.map_sheet import FAINT, INK, font

HISTORY = "tables/indicators_over_releases.parquet"
PLOT = "tables/indicators_over_releases.png"
INDICATORS = (
    "area_m2", "parcel_count", "building_count", "building_footprint_m2", "park_area_m2", "green_area_m2", "green_cover_pct",
    "roof_area_m2", "usable_area_m2", "capacity_kwp", "yield_kwh",
)  # fmt: skip
"""Columns of the layer districts that are followed over releases."""
_COLOURS = ("#2c6e91", "#e0a030", "#7a9e55", "#a8577e")
_MOST_TICKS = 8


def indicator_rows(release_id: str, geopackages: Mapping[str, Path]) -> pd.DataFrame:
    """Return one row for each scenario and each row of its districts, with ``release`` and `INDICATORS`.

    What a release did not publish is missing, never zero.
    """
    rows = []
    for scenario, path in sorted(geopackages.items()):
        if "districts" not in pyogrio.list_layers(path)[:, 0]:
            continue
        read = pyogrio.read_dataframe(path, layer="districts", read_geometry=False)
        frame = pd.DataFrame({"release": release_id, "scenario": scenario}, index=read.index)
        for name in ("dong_code", "name_ko", "kind"):
            frame[name] = read[name].astype("str")
        for name in INDICATORS:
            frame[name] = read[name].astype("float64") if name in read.columns else float("nan")
        rows.append(frame)
    columns = ["release", "scenario", "dong_code", "name_ko", "kind", *INDICATORS]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)


def carry_forward(earlier: pd.DataFrame | None, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the ``rows`` of this release after those of all ``earlier`` ones, by release, scenario and dong."""
    held = rows if earlier is None else pd.concat([earlier[earlier["release"] != rows["release"].max()], rows])
    return held.sort_values(["release", "scenario", "dong_code"], ignore_index=True, kind="stable")


def write_history(history: pd.DataFrame, table: Path, plot: Path) -> None:
    """Write ``history`` as Parquet, and a plot of the whole town's yield and green cover over the releases as PNG."""
    history.to_parquet(table, index=False, compression="zstd")
    whole = totals(history)
    releases = sorted(history["release"].unique())
    figure = Figure(figsize=(7.2, 4.2), dpi=110, layout="constrained", facecolor="white")
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axes, column, factor in ((upper, "yield_kwh", 1e-6), (lower, "green_cover_pct", 1.0)):
        for colour, (scenario, rows) in zip(_COLOURS, whole.groupby("scenario", sort=True), strict=False):
            places = [releases.index(r) for r in rows["release"]]
            axes.plot(places, rows[column] * factor, marker="o", markersize=4, color=colour, label=str(scenario))
    _dress(upper, "연간 발전량 · yearly yield (GWh)")
    _dress(lower, "녹피율 · green cover (%)")
    step = -(-len(releases) // _MOST_TICKS)
    shown = list(range(0, len(releases), step))
    labels = [f"{r[0:4]}-{r[4:6]}-{r[6:8]}\n{r[9:11]}:{r[11:13]}" for r in (releases[i] for i in shown)]
    lower.set_xticks(shown, labels, fontproperties=font(7.5))
    lower.set_xlim(-0.5, len(releases) - 0.5)
    upper.legend(prop=font(8), frameon=False, ncols=4, loc="upper left", bbox_to_anchor=(0, 1.22))
    # without this the version of the drawing library would be part of the bytes
    FigureCanvasAgg(figure).print_png(plot, metadata={"Software": None})


def totals(history: pd.DataFrame) -> pd.DataFrame:
    """Return yield and green cover of the whole town by release and scenario: of the district, else of all dongs."""
    is_district = history["kind"] == "district"
    has_district = is_district.groupby([history["release"], history["scenario"]]).transform("any")
    rows = history[is_district | ~has_district.astype("bool")]
    sums = rows.groupby(["release", "scenario"], sort=True)[["yield_kwh", "green_area_m2", "area_m2"]].sum(min_count=1)
    sums["green_cover_pct"] = 100 * sums["green_area_m2"] / sums["area_m2"]
    return sums.reset_index()


def _dress(axes: Axes, label: str) -> None:
    axes.set_title(label, fontproperties=font(9), color=INK, loc="right")
    axes.grid(axis="y", color="#e2ded4", linewidth=0.6)
    axes.ticklabel_format(axis="y", useOffset=False)
    for name, side in axes.spines.items():
        side.set_visible(name in ("left", "bottom"))
        side.set_color("#b9b4a8")
    axes.tick_params(colors=FAINT, length=0)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_fontproperties(font(7.5))


def district_label(name: str) -> str:
    """Return the bilingual label of an indicator, with its unit."""
    field = LAYERS["districts"][name]
    return f"{field.label('ko')} · {field.en}"
