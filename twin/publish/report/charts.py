"""Charts of the report as SVG text: the same numbers give the same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from twin.publish.map_sheet import FAINT, INK, font

COLOURS = ("#2c6e91", "#e0a030", "#7a9e55", "#a8577e", "#6f6b62", "#c9c4b8", "#4b8f8c", "#b5651d")
"""Told apart by who sees no red or green, and in grey."""


def bars(
    names: Sequence[str],
    series: Sequence[tuple[str, Sequence[float]]],
    unit: str,
    *,
    wide: float = 7.2,
    tall: float = 2.4,
) -> str:
    """Return upright bars, one group for each of ``names``, one colour for each of ``series`` (label, values)."""
    figure, axes = _axes(wide, tall)
    room = 0.8 / len(series)
    for number, (label, values) in enumerate(series):
        places = [i - 0.4 + room * (number + 0.5) for i in range(len(names))]
        axes.bar(places, list(values), width=room * 0.92, color=COLOURS[number], label=label)
    axes.set_xticks(range(len(names)), list(names), fontproperties=font(8))
    axes.set_ylabel(unit, fontproperties=font(8), color=FAINT)
    axes.grid(axis="y", color="#e2ded4", linewidth=0.6)
    _finish(axes, legend=len(series) > 1)
    return _text(figure)


def lines(
    series: Sequence[tuple[str, Sequence[int], Sequence[float], bool]],
    unit: str,
    *,
    wide: float = 7.2,
    tall: float = 2.8,
) -> str:
    """Return lines over years, one for each of ``series`` (label, years, values, broken); a broken one shares the colour before it."""
    figure, axes = _axes(wide, tall)
    colour = -1
    for label, years, values, broken in series:
        colour += not broken
        axes.plot(years, values, color=COLOURS[colour], label=label, linewidth=1.8, linestyle="--" if broken else "-")
    axes.set_ylim(bottom=0)
    axes.set_ylabel(unit, fontproperties=font(8), color=FAINT)
    axes.grid(axis="y", color="#e2ded4", linewidth=0.6)
    axes.xaxis.set_major_locator(MultipleLocator(5))
    _finish(axes, legend=True, outside=True)
    return _text(figure)


def stacks(
    names: Sequence[str], parts: Sequence[tuple[str, Sequence[float], str]], unit: str, *, wide: float = 7.2
) -> str:
    """Return lying bars, one for each of ``names``, divided into ``parts`` (label, values, colour)."""
    figure, axes = _axes(wide, 0.75 + 0.38 * len(names))
    left = [0.0] * len(names)
    for label, values, colour in parts:
        axes.barh(range(len(names)), list(values), left=left, color=colour, label=label, height=0.62)
        left = [a + b for a, b in zip(left, values, strict=True)]
    axes.set_yticks(range(len(names)), list(names), fontproperties=font(8))
    axes.invert_yaxis()
    axes.set_xlabel(unit, fontproperties=font(8), color=FAINT)
    axes.grid(axis="x", color="#e2ded4", linewidth=0.6)
    _finish(axes, legend=True, outside=True)
    return _text(figure)


def _axes(wide: float, tall: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(wide, tall), layout="constrained", facecolor="none")
    axes = figure.add_subplot()
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    return figure, axes


def _finish(axes: Axes, *, legend: bool, outside: bool = False) -> None:
    for name, side in axes.spines.items():
        side.set_visible(name in ("left", "bottom"))
        side.set_color("#b9b4a8")
    axes.tick_params(colors=INK, length=0)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(8))
    axes.xaxis.get_offset_text().set_fontproperties(font(8))
    if legend and outside:
        axes.legend(prop=font(7.5), frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    elif legend:
        axes.legend(prop=font(8), frameon=False, ncols=3)


def _text(figure: Figure) -> str:
    # ids of clip paths and markers are random without a salt; glyphs are drawn, so that no font is needed to read them
    with mpl.rc_context({"svg.hashsalt": "report", "svg.fonttype": "path"}):
        stream = io.StringIO()
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    return re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
