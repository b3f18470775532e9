"""A sheet of paper for maps: panels, title, legend, scale bar, north arrow and the marks that data need.

Draws with its own canvas and its own font file, so nothing of matplotlib's global state is read or changed.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import rasterio
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LightSource
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.patches import Patch, Polygon, Rectangle
from matplotlib.patheffects import withStroke
from PIL import Image
from pylopdf_fonts_ko import sans_path
from rasterio.enums import Resampling

from geodata.catalogue.model import UNSHADED
from twin.publish.about import DEMO, ReleaseAbout
from twin.publish.styles import LegendClass

PAPER = "#fbfaf7"
INK = "#2b2b2b"
FAINT = "#6f6b62"

Bounds = tuple[float, float, float, float]


@cache
def _font_file() -> str:
    return str(sans_path())


def font(size_pt: float) -> FontProperties:
    """Return Noto Sans KR, which has Hangul and Latin."""
    return FontProperties(fname=_font_file(), size=size_pt)


@dataclass
class Sheet:
    """A figure of ``width`` x ``height`` inches at ``dpi``."""

    width: float
    height: float
    dpi: int

    def __post_init__(self) -> None:
        self.figure = Figure(figsize=(self.width, self.height), dpi=self.dpi, facecolor=PAPER)
        self.canvas = FigureCanvasAgg(self.figure)

    def panel(self, left: float, bottom: float, width: float, height: float, bounds: Bounds) -> Axes:
        """Return axes at the given place in inches that show ``bounds`` whole, metres square."""
        axes = self.figure.add_axes((left / self.width, bottom / self.height, width / self.width, height / self.height))
        minx, miny, maxx, maxy = bounds
        scale = max((maxx - minx) / width, (maxy - miny) / height)
        middle_x, middle_y = (minx + maxx) / 2, (miny + maxy) / 2
        axes.set_xlim(middle_x - scale * width / 2, middle_x + scale * width / 2)
        axes.set_ylim(middle_y - scale * height / 2, middle_y + scale * height / 2)
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_facecolor("#ffffff")
        for side in axes.spines.values():
            side.set_color("#b9b4a8")
            side.set_linewidth(0.6)
        return axes

    def text(self, x: float, y: float, words: str, size_pt: float, *, colour: str = INK, align: str = "left") -> None:
        """Write at ``x``, ``y`` inches from the lower left corner."""
        self.figure.text(
            x / self.width, y / self.height, words, fontproperties=font(size_pt), color=colour, ha=align, va="baseline"
        )

    def marks(self, about: ReleaseAbout, y: float, size_pt: float, *, margin: float, unshaded: bool) -> None:
        """Write, at the right edge, what a reader must not miss."""
        words = [(f"{DEMO['ko']} / {DEMO['en']}", "#b3400a")] if about.demo else []
        if unshaded and about.unshaded:
            words.append((f"{UNSHADED['ko']} / {UNSHADED['en']}", "#3d4f7d"))
        padding = 0.35 * size_pt / 72
        right = self.width - margin - padding
        for word, colour in words:
            drawn = self.figure.text(
                right / self.width,
                y / self.height,
                word,
                fontproperties=font(size_pt),
                color="white",
                ha="right",
                va="baseline",
                bbox={"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": "none"},
            )
            box = drawn.get_window_extent(self.canvas.get_renderer())
            right -= box.width / self.dpi + 2 * padding + 0.1

    def save(self, path: Path, *, colours: int | None = None) -> None:
        """Write a PNG without date; ``colours`` keeps it small by a palette."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=self.dpi, facecolor=PAPER, metadata={"Software": None})
        if colours is None:
            path.write_bytes(buffer.getvalue())
            return
        # a class that few features have must keep its colour
        picture = (
            Image.open(buffer)
            .convert("RGB")
            .quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        )
        picture.save(path, format="PNG", optimize=True)


def shrink(picture: Path, out: Path, share: float) -> None:
    """Write ``picture`` as a PNG of ``share`` of its width and height; smoothed, so that words stay readable."""
    with Image.open(picture) as whole:
        size = (round(whole.width * share), round(whole.height * share))
        whole.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(out, format="PNG")


def in_two_lines(words: str, line: int | None) -> str:
    """Return ``words`` in both languages, Korean above English where they are wider than ``line`` Latin letters; None: as they are."""
    wide = sum(2 if ord(letter) > 0x2E7F else 1 for letter in words)
    if line is None or wide <= line or " / " not in words:
        return words
    ko, en = words.split(" / ", 1)
    return "\n".join([ko, *textwrap.wrap(en, line)])


def legend_box(
    axes: Axes,
    title: str,
    classes: Sequence[LegendClass],
    *,
    size_pt: float,
    anchor: tuple[float, float],
    columns: int = 1,
    edge: str = "#8a8578",
    line: int | None = None,
) -> float:
    """Put a legend with its upper left corner at ``anchor`` (shares of the panel) and return where its right edge is.

    Words longer than ``line`` letters, where it is given, go to a second line.
    """
    handles = [
        Patch(facecolor=entry.colour, edgecolor=edge, linewidth=0.5, hatch="////" if entry.hatched else None)
        for entry in classes
    ]
    drawn = Legend(
        axes,
        handles,
        [in_two_lines(entry.ko if entry.ko == entry.en else f"{entry.ko} / {entry.en}", line) for entry in classes],
        title=in_two_lines(title, line),
        prop=font(size_pt),
        title_fontproperties=font(size_pt * 1.08),
        loc="upper left",
        bbox_to_anchor=anchor,
        borderaxespad=0.0,
        borderpad=0.0,
        ncols=columns,
        frameon=False,
        handlelength=1.3,
        handleheight=1.0,
        labelspacing=0.35,
        columnspacing=1.2,
        alignment="left",
    )
    axes.add_artist(drawn)
    box = drawn.get_window_extent()
    return float(axes.transAxes.inverted().transform((box.x1, box.y0))[0])


def scale_bar(axes: Axes, size_pt: float) -> None:
    """Draw a bar of a round length, about a fifth of the panel's width."""
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    length = round_length((right - left) / 5)
    x, y, thick = left + (right - left) * 0.03, low + (high - low) * 0.035, (high - low) * 0.007
    axes.add_patch(Rectangle((x, y), length, thick, facecolor="white", edgecolor=INK, linewidth=0.7, zorder=50))
    axes.add_patch(Rectangle((x, y), length / 2, thick, facecolor=INK, edgecolor=INK, linewidth=0.7, zorder=51))
    words = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    axes.text(
        x + length, y + thick * 1.6, words, fontproperties=font(size_pt), color=INK, ha="right", va="bottom", zorder=51,
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
    )  # fmt: skip


def round_length(about_m: float) -> float:
    """Return the largest of 1, 2 or 5 times a power of ten that is not longer than ``about_m`` [m]."""
    power = 10.0 ** np.floor(np.log10(about_m))
    return float(max(step * power for step in (1, 2, 5) if step * power <= about_m * (1 + 1e-9)))


def north_arrow(axes: Axes, size_pt: float) -> None:
    """Draw an arrow to grid north in the upper right corner."""
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    tall = (high - low) * 0.06
    x, y = right - (right - left) * 0.035, high - (high - low) * 0.115
    halo = [withStroke(linewidth=2.5, foreground="white")]
    for side, colour in ((-1, INK), (1, "white")):
        corners = [(x, y + tall), (x + side * tall * 0.32, y), (x, y + tall * 0.25)]
        axes.add_patch(Polygon(corners, closed=True, facecolor=colour, edgecolor=INK, linewidth=0.7, zorder=51))
    axes.text(
        x,
        y + tall * 1.08,
        "N",
        fontproperties=font(size_pt),
        color=INK,
        ha="center",
        va="bottom",
        zorder=51,
        path_effects=halo,
    )


def hillshade(axes: Axes, terrain: Path, *, strength: float, opaque: bool = False, order: float) -> None:
    """Draw the relief of an elevation raster in the CRS of the map, light from the north-west as maps have it.

    By default slopes that turn from the light darken what lies below and level ground leaves it as it is; ``opaque``
    draws the relief itself in grey, and nothing where no height is known. The raster is read at about the resolution
    of the panel, never whole.
    """
    box = axes.get_window_extent()
    with rasterio.open(terrain) as source:
        step = max(1.0, source.width / box.width, source.height / box.height)
        shape = (max(2, int(source.height / step)), max(2, int(source.width / step)))
        heights = source.read(1, out_shape=shape, masked=True, resampling=Resampling.average).filled(np.nan)
        bounds = source.bounds
    known = np.isfinite(heights)
    if not known.any():
        return
    filled = np.where(known, heights, np.nanmean(heights)).astype("float64")
    cell = (bounds.right - bounds.left) / shape[1]
    light = LightSource(azdeg=315, altdeg=45).hillshade(filled, vert_exag=2.0, dx=cell, dy=cell)
    level = np.sin(np.radians(45.0))
    dark = strength * (np.clip(1 - light / level, 0, 1) if not opaque else 1 - light)
    tone = 1 - dark if opaque else np.zeros_like(dark)
    picture = np.dstack([tone, tone, tone, np.where(known, 1.0 if opaque else dark, 0.0)])
    limits = axes.get_xlim(), axes.get_ylim()
    place = (bounds.left, bounds.right, bounds.bottom, bounds.top)
    axes.imshow(picture, extent=place, zorder=order, interpolation="bilinear", aspect="equal")
    axes.set_xlim(limits[0])
    axes.set_ylim(limits[1])
