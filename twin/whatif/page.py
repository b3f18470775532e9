"""One page of a what-if: what was edited, the figures before and after, a map of both, the neighbours it reaches most."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.accounting import REASONS
from geodata.catalogue import LAYERS
from geodata.catalogue.whatif import PLACES
from twin.publish.about import DEMO, ReleaseAbout
from twin.publish.html_template import html_template
from twin.publish.map_shapes import draw_classes, draw_polygons
from twin.publish.map_sheet import FAINT, Bounds, Sheet, font, legend_box, north_arrow, scale_bar
from twin.publish.styles import LegendClass, legend, styles_for
from twin.whatif.edit import BlockEdit

MOST_NEIGHBOURS = 15
"""How many neighbours the page lists."""
AROUND_M = 150.0
"""Ground shown around the edited block."""
LOSES, GAINS = "#b3400a", "#1f6f4a"
_SIDE = 6.4


def edit_lines(edit: BlockEdit, blocks: pd.DataFrame, design: str | None) -> list[tuple[str, str, str]]:
    """Return label, old and new value of everything that was edited."""
    layer, row = LAYERS["plan_blocks"], blocks[blocks["block_id"] == edit.block_id].iloc[0]
    lines = []
    for name, value in edit.values().items():
        field = layer[name]
        old = row.get(name)
        lines.append((f"{field.ko} · {field.en}", _value(old, field.unit), _value(value, field.unit)))
    if design is not None:
        lines.append(("건물 · buildings", "배치 가정 · massing", f"설계안 · design {design}"))
    return lines


def neighbours(houses: pd.DataFrame) -> pd.DataFrame:
    """Return the neighbours whose yield changes, the largest changes first."""
    return _moved(houses, "yield_kwh_change")


def sun_neighbours(houses: pd.DataFrame) -> pd.DataFrame:
    """Return the neighbours whose unbroken winter sun changes, the largest changes first."""
    return _moved(houses, "winter_sun_run_median_h_change")


def _moved(houses: pd.DataFrame, change: str) -> pd.DataFrame:
    other = houses[houses["place"] == "neighbours"]
    if change not in other.columns:
        return other.iloc[:0]
    size = other[change].abs().astype("float64")
    moved = other[(size > 0).to_numpy()]
    order = np.lexsort((moved["building_id"].to_numpy(dtype=str), -size[moved.index].to_numpy()))
    return moved.iloc[order]


def draw_both(
    path: Path,
    block: gpd.GeoDataFrame,
    before: gpd.GeoDataFrame,
    after: gpd.GeoDataFrame,
    *,
    houses: gpd.GeoDataFrame,
    about: ReleaseAbout,
) -> None:
    """Write a map of the buildings around ``block`` before and after, and of the neighbours whose yield changes."""
    west, south, east, north = block.total_bounds
    bounds: Bounds = (west - AROUND_M, south - AROUND_M, east + AROUND_M, north + AROUND_M)
    tall = _SIDE * min(1.3, max(0.6, (bounds[3] - bounds[1]) / (bounds[2] - bounds[0])))
    sheet = Sheet(width=2 * _SIDE + 0.6, height=tall + 2.15, dpi=110)
    layer = LAYERS["buildings"]
    style = styles_for(layer, tuple(before.columns))[0]
    classes = legend(layer, style)
    moved = neighbours(houses)
    for number, (frame, title) in enumerate(((before, "이전 / before"), (after, "이후 / after"))):
        axes = sheet.panel(0.2 + number * (_SIDE + 0.2), 1.5, _SIDE, tall, bounds)
        draw_polygons(axes, block.geometry.to_numpy(), fill="#fff3cf", edge=None, order=1)
        seen = frame.cx[bounds[0] : bounds[2], bounds[1] : bounds[3]]
        if len(seen):
            draw_classes(axes, gpd.GeoDataFrame(seen), layer, style, classes, width=0.5, order=2)
        if number == 1:
            for colour, side in ((LOSES, moved["yield_kwh_change"] < 0), (GAINS, moved["yield_kwh_change"] > 0)):
                draw_polygons(axes, moved[side].geometry.to_numpy(), fill=None, edge=colour, width=1.8, order=3)
        draw_polygons(axes, block.geometry.to_numpy(), fill=None, edge="#2b2b2b", width=1.6, order=4)
        axes.set_title(title, fontproperties=font(12), loc="left", pad=5)
        scale_bar(axes, 9)
        north_arrow(axes, 9)
        if number == 0:
            legend_box(axes, "건물 높이 / Building height", classes, size_pt=8.5, columns=3, anchor=(0.0, -0.1 / tall))
        elif len(moved):
            told = [LegendClass("발전량이 줄어드는 이웃", "neighbours that lose yield", "#ffffff")]
            legend_box(axes, "", told, size_pt=8.5, anchor=(0.0, -0.02), edge=LOSES)
            told = [LegendClass("발전량이 느는 이웃", "neighbours that gain yield", "#ffffff")]
            legend_box(axes, "", told, size_pt=8.5, anchor=(0.5, -0.02), edge=GAINS)
    sheet.marks(about, sheet.height - 0.35, 9, margin=0.2, unshaded=True)
    sheet.text(0.2, 0.12, f"{about.title_ko} · {about.crs}", 8, colour=FAINT)
    sheet.save(path, colours=128)


def whatif_page(
    tables: Mapping[str, pd.DataFrame],
    lines: list[tuple[str, str, str]],
    notes: pd.DataFrame,
    picture: bytes,
    about: ReleaseAbout,
    *,
    block_id: str,
    scenario: str,
) -> str:
    """Return the page as HTML text; it opens without any network.

    Parameters
    ----------
    tables
        Layers of `whatif.gpkg`.
    lines
        Of `edit_lines`.
    notes
        Quality rows of the edited block.
    picture
        PNG of `draw_both`.
    """
    summary, moved = tables["whatif_summary"], neighbours(tables["whatif_buildings"])
    dark = sun_neighbours(tables["whatif_buildings"])
    page: dict[str, Any] = {
        "title_ko": about.title_ko,
        "title_en": about.title_en,
        "demo": f"{DEMO['ko']} · {DEMO['en']}" if about.demo else "",
        "block": block_id,
        "scenario": scenario,
        "lines": lines,
        "places": [
            (PLACES[str(place)].ko, PLACES[str(place)].en, rows.to_dict("records"))
            for place, rows in summary.groupby("place", sort=False)
        ],
        "neighbours": moved.head(MOST_NEIGHBOURS).drop(columns="geometry").to_dict("records"),
        "neighbour_count": len(moved),
        "darker": dark.head(MOST_NEIGHBOURS).drop(columns="geometry").to_dict("records"),
        "darker_count": len(dark),
        "notes": note_lines(notes),
        "picture": base64.b64encode(picture).decode("ascii"),
    }
    return html_template("twin.whatif", "whatif.html", {"number": number, "signed": signed}).render(page)


def picture_of(
    block: gpd.GeoDataFrame, before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, houses: gpd.GeoDataFrame, about: ReleaseAbout
) -> bytes:  # fmt: skip
    """Return the map of `draw_both` as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.png"
        draw_both(path, block, before, after, houses=houses, about=about)
        return path.read_bytes()


def note_lines(notes: pd.DataFrame) -> list[str]:
    """Return quality rows in words."""
    told = []
    for key, code, detail in zip(notes["key"], notes["reason"], notes["detail"], strict=True):
        more = f" ({detail})" if isinstance(detail, str) and detail else ""
        told.append(f"{key}: {REASONS[code].ko} · {REASONS[code].en}{more}")
    return told


def number(value: Any) -> str:
    """Return a figure with as many digits as can be read, a dash where there is none."""
    if pd.isna(value):
        return "–"
    return f"{float(value):,.{digits(value)}f}".replace("-", "−")


def signed(value: Any) -> str:
    """Return a difference with its sign."""
    if pd.isna(value):
        return ""
    return "0" if value == 0 else f"{float(value):+,.{digits(value)}f}".replace("-", "−")


def digits(value: Any) -> int:
    """Return how many decimals a figure of this size is shown with."""
    return 0 if abs(float(value)) >= 1000 or float(value).is_integer() else 1 if abs(float(value)) >= 10 else 2


def _value(value: Any, unit: str) -> str:
    if value is None or pd.isna(value):
        return "없음 · none"
    if isinstance(value, str):
        return value
    return f"{float(value):,g} {unit}".strip()
