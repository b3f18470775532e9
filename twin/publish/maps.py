"""Pictures of the town: an overview of two maps, and a small map of each layer.

Colours and classes are those of the QGIS styles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes

from geodata.catalogue import LAYERS, PUBLISHED
from geodata.catalogue.model import UNSHADED
from twin.kept_tiles import ShapeHashes
from twin.publish.about import ReleaseAbout, scenario_words
from twin.publish.map_shapes import draw_classes, draw_polygons
from twin.publish.map_sheet import (
    FAINT,
    Bounds,
    Sheet,
    font,
    hillshade,
    in_two_lines,
    legend_box,
    north_arrow,
    scale_bar,
)
from twin.publish.styles import LegendClass, Style, classify, legend, styles_for

_EXTENT_LAYERS = ("buildings", "parcels", "plan_blocks", "roofs", "green", "parks", "districts")
MAP_DPI = 150
_SIDE = 7.6
"""Width of one panel of the overview, inches."""
_GAP = 0.035
"""Room between two legends, share of the panel."""


def draw_map(
    layers: Mapping[str, pd.DataFrame],
    path: Path,
    *,
    about: ReleaseAbout,
    scenario: str = "existing",
    terrain: Path | None = None,
    attribution: str = "",
    dpi: int = MAP_DPI,
) -> None:
    """Write the overview of a town as PNG: land, green and building heights; and the yield of every roof.

    Parameters
    ----------
    layers
        Published frames by layer name; absent ones are left out, with their legend.
    terrain
        Elevation raster in the same CRS, for the relief below.
    attribution
        Line about the sources.

    Raises
    ------
    ValueError
        If no layer has a shape.
    """
    bounds = extent_of(layers)
    maps = [_draw_land] + ([_draw_solar] if _shapes(layers, "roofs") is not None else [])
    tall = float(np.clip(_SIDE * (bounds[3] - bounds[1]) / (bounds[2] - bounds[0]), 0.62 * _SIDE, 1.15 * _SIDE))
    sheet = Sheet(width=len(maps) * (_SIDE + 0.4) + 0.4, height=tall + 3.35, dpi=dpi)
    sheet.text(0.4, sheet.height - 0.62, about.title_ko, 23)
    words = " / ".join(dict.fromkeys(scenario_words(scenario)))
    sheet.text(0.4, sheet.height - 0.98, f"{about.title_en}  ·  {words}", 12, colour=FAINT)
    sheet.marks(about, sheet.height - 0.62, 12, margin=0.4, unshaded=len(maps) > 1)
    for number, draw in enumerate(maps):
        axes = sheet.panel(0.4 + number * (_SIDE + 0.4), 1.85, _SIDE, tall, bounds)
        if terrain is not None:
            hillshade(axes, terrain, strength=0.45, order=3.5)
        title = draw(axes, layers, about, tall)
        axes.set_title(title, fontproperties=font(12.5), loc="left", pad=6)
        _draw_districts(axes, layers)
        scale_bar(axes, 9.5)
        north_arrow(axes, 10)
    sheet.text(0.4, 0.17, attribution, 8, colour=FAINT)
    sheet.text(
        sheet.width - 0.4,
        0.17,
        f"{about.crs} · 자료 기준 / data as of {about.timestamp[:10]}",
        8,
        colour=FAINT,
        align="right",
    )
    sheet.save(path)


def draw_layer(
    name: str,
    frame: pd.DataFrame,
    path: Path,
    *,
    about: ReleaseAbout,
    background: gpd.GeoDataFrame | None = None,
    dpi: int = 100,
) -> bool:
    """Write a small map of one layer as PNG, in the colours of its default style; False if it has nothing to show.

    ``background`` are shapes drawn below in a faint line, such as the parcels or the dongs.
    """
    shapes = _shapes({name: frame}, name)
    if shapes is None:
        return False
    layer = PUBLISHED[name]
    style, classes = _look(name, shapes)
    sheet = Sheet(width=7.6, height=5.4, dpi=dpi)
    axes = sheet.panel(0.15, 0.35, 5.0, 4.5, _margin(tuple(shapes.total_bounds)))
    if background is not None:
        draw_polygons(
            axes, background.geometry.to_numpy(), fill="#f6f4ee", edge="#cfcabd", width=0.2 * _thin(axes), order=1
        )
    draw_classes(axes, shapes, layer, style, classes, width=0.8 if name == "districts" else 0.3 * _thin(axes), order=2)
    if name == "districts":
        _name_districts(axes, shapes)
    title = in_two_lines(f"{layer.ko} / {layer.en}", 60)
    sheet.text(0.15, 5.02, title, 9 if "\n" in title else 13)
    sunlit = style.column is not None and layer[style.column].sunlit
    sheet.marks(about, 5.04, 7.5, margin=0.15, unshaded=sunlit)
    if classes:
        legend_box(axes, _legend_title(name, style, about), classes, size_pt=7.5, anchor=(1.03, 1.0), line=36)
    scale_bar(axes, 7.5)
    north_arrow(axes, 8)
    sheet.text(0.15, 0.12, f"{len(frame):,} · {about.title_ko} · {about.crs}", 7, colour=FAINT)
    sheet.save(path, colours=128)
    return True


def drawn_of(
    name: str, frame: pd.DataFrame, about: ReleaseAbout, background: gpd.GeoDataFrame | None = None
) -> dict[str, Any]:
    """Return all that `draw_layer` draws of the layer, in a form that tells two equal pictures: values as classes of the legend."""
    shapes = _shapes({name: frame}, name)
    told: dict[str, Any] = {"layer": name, "rows": len(frame), "about": asdict(about)}
    if shapes is not None:
        style, classes = _look(name, shapes)
        values = np.zeros(len(shapes)) if style.column is None else classify(shapes[style.column], style, classes)
        told["shapes"] = ShapeHashes(shapes.geometry.to_numpy(), values).of(np.arange(len(shapes)))
        told["columns"] = [str(column) for column in frame.columns]
        told["names"] = shapes["name_ko"].tolist() if name == "districts" else None
    if background is not None:
        told["background"] = ShapeHashes(background.geometry.to_numpy()).of(np.arange(len(background)))
    return told


def draw_terrain(terrain: Path, path: Path, *, about: ReleaseAbout, area: gpd.GeoDataFrame, dpi: int = 100) -> None:
    """Write a small map of an elevation or surface raster as relief, below the outlines of ``area``; blank is unknown."""
    sheet = Sheet(width=6.0, height=5.4, dpi=dpi)
    axes = sheet.panel(0.15, 0.35, 5.7, 4.5, _margin(tuple(area.total_bounds)))
    axes.set_facecolor("#e9d8d8")
    hillshade(axes, terrain, strength=0.8, opaque=True, order=1)
    draw_polygons(axes, area.geometry.to_numpy(), fill=None, edge="#3a3a3a", width=0.8, order=2)
    sheet.text(0.15, 5.02, "지형 / Terrain", 13)
    sheet.marks(about, 5.04, 7.5, margin=0.15, unshaded=False)
    scale_bar(axes, 7.5)
    north_arrow(axes, 8)
    sheet.text(0.15, 0.12, f"분홍: 자료 없음 / pink: no data · {about.title_ko} · {about.crs}", 7, colour=FAINT)
    sheet.save(path, colours=128)


def extent_of(layers: Mapping[str, pd.DataFrame]) -> Bounds:
    """Return the box (minx, miny, maxx, maxy) [m] that a map should show: buildings and parcels, with a margin.

    Raises
    ------
    ValueError
        If no layer has a shape.
    """
    found = [shapes for name in _EXTENT_LAYERS if (shapes := _shapes(layers, name)) is not None]
    if not found:
        raise ValueError("no layer has a shape to draw")
    land = [shapes for name in ("buildings", "parcels", "plan_blocks") if (shapes := _shapes(layers, name)) is not None]
    boxes = np.array([shapes.total_bounds for shapes in land or found[:1]])
    return _margin((*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)))


def _thin(axes: Axes) -> float:
    """Factor for line widths: a whole district must not drown in the outlines of its parcels."""
    left, right = axes.get_xlim()
    return float(np.clip(1800.0 / (right - left), 0.12, 1.0))


def _margin(bounds: tuple[float, ...]) -> Bounds:
    minx, miny, maxx, maxy = bounds
    room = max(0.03 * max(maxx - minx, maxy - miny), 10.0)
    return minx - room, miny - room, maxx + room, maxy + room


def _shapes(layers: Mapping[str, pd.DataFrame], name: str) -> gpd.GeoDataFrame | None:
    """Features of a layer that have a shape, or None where there are none."""
    frame = layers.get(name)
    if not isinstance(frame, gpd.GeoDataFrame):
        return None
    there = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    return there if len(there) else None


def _look(name: str, frame: pd.DataFrame) -> tuple[Style, list[LegendClass]]:
    style = styles_for(PUBLISHED[name], tuple(frame.columns))[0]
    classes = legend(PUBLISHED[name], style)
    return style, classes


def _legend_title(name: str, style: Style, about: ReleaseAbout) -> str:
    layer = PUBLISHED[name]
    if style.column is None:
        return f"{layer.ko} / {layer.en}"
    field = layer[style.column]
    mark = f"\n({UNSHADED['ko']} / {UNSHADED['en']})" if field.sunlit and about.unshaded else ""
    return f"{field.ko} / {field.en}{mark}"


def _draw_land(axes: Axes, layers: Mapping[str, pd.DataFrame], about: ReleaseAbout, tall: float) -> str:
    parcels, green, blocks = (_shapes(layers, name) for name in ("parcels", "green", "plan_blocks"))
    below = -0.12 / tall
    at = 0.0
    if parcels is not None:
        draw_polygons(axes, parcels.geometry.to_numpy(), fill="#f3efe6", edge=None, alpha=0.55, order=1)
    if blocks is not None:
        style, classes = _look("plan_blocks", blocks)
        draw_classes(axes, blocks, LAYERS["plan_blocks"], style, classes, width=0.4, alpha=0.7, order=2)
    if green is not None:
        style, classes = _look("green", green)
        draw_classes(axes, green, LAYERS["green"], style, classes, width=0.0, order=3)
        at = legend_box(axes, "녹지 / Green", classes, size_pt=9, anchor=(at, below)) + _GAP
    if parcels is not None:
        draw_polygons(axes, parcels.geometry.to_numpy(), fill=None, edge="#b5ad9b", width=0.3 * _thin(axes), order=4)
    parks = _shapes(layers, "parks")
    if parks is not None:
        draw_polygons(axes, parks.geometry.to_numpy(), fill=None, edge="#0f6b4f", width=0.9, order=5)
        designated = [LegendClass("결정 구역", "designated", "#ffffff")]
        at = legend_box(axes, "공원 / Parks", designated, size_pt=9, anchor=(at, below), edge="#0f6b4f") + _GAP
    buildings = _shapes(layers, "buildings")
    if buildings is not None:
        style, classes = _look("buildings", buildings)
        draw_classes(axes, buildings, LAYERS["buildings"], style, classes, width=0.25 * _thin(axes), order=6)
        legend_box(axes, "건물 높이 / Building height", classes, size_pt=9, columns=2, anchor=(at, below))
    return "토지·녹지·건물 / Land, green and buildings"


def _draw_solar(axes: Axes, layers: Mapping[str, pd.DataFrame], about: ReleaseAbout, tall: float) -> str:
    parcels, green, roofs = (_shapes(layers, name) for name in ("parcels", "green", "roofs"))
    if green is not None:
        draw_polygons(axes, green.geometry.to_numpy(), fill="#dfe8d8", edge=None, alpha=0.6, order=2)
    if parcels is not None:
        draw_polygons(axes, parcels.geometry.to_numpy(), fill=None, edge="#d5d0c4", width=0.3 * _thin(axes), order=3)
    if roofs is None:
        return ""
    style, classes = _look("roofs", roofs)
    draw_classes(axes, roofs, LAYERS["roofs"], style, classes, width=0.25 * _thin(axes), order=6)
    if classes:
        legend_box(
            axes, _legend_title("roofs", style, about), classes, size_pt=9, columns=3, anchor=(0.0, -0.12 / tall)
        )
    total = roofs["yield_kwh"].sum() / 1e6 if "yield_kwh" in roofs.columns else None
    words = f"  ·  {total:,.1f} GWh" if total is not None else ""
    mark = f" ({UNSHADED['ko']})" if about.unshaded and total is not None else ""
    return f"지붕 태양광 / Rooftop solar{words}{mark}"


def _draw_districts(axes: Axes, layers: Mapping[str, pd.DataFrame]) -> None:
    districts = _shapes(layers, "districts")
    if districts is None:
        return
    draw_polygons(axes, districts.geometry.to_numpy(), fill=None, edge="#3a3a3a", width=1.0, order=8)


def _name_districts(axes: Axes, districts: gpd.GeoDataFrame) -> None:
    inside = shapely.point_on_surface(districts.geometry.to_numpy())
    for x, y, name in zip(shapely.get_x(inside), shapely.get_y(inside), districts["name_ko"], strict=True):
        axes.text(x, y, name, fontproperties=font(9), ha="center", va="center", zorder=9)
