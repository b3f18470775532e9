"""Shapes as matplotlib artists, built from coordinate arrays without a loop over features."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.path import Path as Outline

from geodata.catalogue import Layer
from twin.publish.styles import LegendClass, Style, classify
from twin.publish.styles.style import OTHER_COLOUR

_CHUNK = 300
"""Polygons in one path: many enough to be quick, few enough for the rasteriser's memory."""


def outlines(shapes: np.ndarray) -> list[Outline]:
    """Return paths of all polygons in ``shapes``, holes included; missing and empty ones are left out."""
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if len(shapes) == 0:
        return []
    parts, owner = shapely.get_parts(shapes, return_index=True)
    lines, polygon = shapely.get_rings(parts, return_index=True)
    shells = np.diff(polygon, prepend=-1) != 0
    # one shell turns the other way than its holes, so that the holes stay open
    backwards = shapely.is_ccw(lines) != shells
    lines[backwards] = shapely.reverse(lines[backwards])
    corners, line = shapely.get_coordinates(lines, return_index=True)
    rings = np.searchsorted(line, np.arange(len(lines) + 1))
    # a path begins with a whole feature
    starts = np.append(np.flatnonzero(shells)[np.diff(owner, prepend=-1) != 0], len(lines))
    codes = np.full(len(corners), Outline.LINETO, dtype=Outline.code_type)
    codes[rings[:-1]] = Outline.MOVETO
    codes[rings[1:] - 1] = Outline.CLOSEPOLY
    first = rings[starts]
    cuts = [*first[:-1:_CHUNK], first[-1]]
    return [Outline(corners[a:b], codes[a:b]) for a, b in pairwise(cuts)]


def draw_polygons(
    axes: Axes,
    shapes: np.ndarray,
    *,
    fill: str | None,
    edge: str | None,
    width: float = 0.2,
    alpha: float = 1.0,
    hatch: str | None = None,
    order: float,
) -> None:
    """Draw polygons in one colour; ``width`` in points, ``order`` is what lies above what."""
    paths = outlines(shapes)
    if paths:
        axes.add_collection(
            PathCollection(
                paths,
                facecolors=fill or "none",
                edgecolors=edge or "none",
                linewidths=width if edge else 0.0,
                alpha=alpha,
                hatch=hatch,
                zorder=order,
            ),
            autolim=False,
        )


def draw_points(axes: Axes, points: np.ndarray, *, colour: str, order: float) -> None:
    """Draw points in one colour, with a rim that sets them off from what lies below; those without a place are left out."""
    placed = points[~(shapely.is_missing(points) | shapely.is_empty(points))]
    x, y = shapely.get_x(placed), shapely.get_y(placed)
    axes.scatter(x, y, s=9, color=colour, edgecolors="white", linewidths=0.3, zorder=order)


def draw_classes(
    axes: Axes,
    frame: gpd.GeoDataFrame,
    layer: Layer,
    style: Style,
    classes: list[LegendClass],
    *,
    width: float,
    alpha: float = 1.0,
    order: float,
) -> None:
    """Draw a layer in the colours of its style."""
    shapes = frame.geometry.to_numpy()
    if not classes or style.column is None:
        if layer.geometry == "Point":
            draw_points(axes, shapes, colour=style.fill or OTHER_COLOUR, order=order)
            return
        draw_polygons(axes, shapes, fill=style.fill, edge=style.outline, width=width, alpha=alpha, order=order)
        return
    found = classify(frame[style.column], style, classes)
    for position in range(-1, len(classes)):
        here = shapes[found == position]
        colour = OTHER_COLOUR if position < 0 else classes[position].colour
        if layer.geometry == "Point":
            draw_points(axes, here, colour=colour, order=order)
            continue
        hatch = "////" if position >= 0 and classes[position].hatched else None
        # outlines of small features seen from afar would cover their colour
        edge = style.outline if width >= 0.12 else None
        if hatch and edge is None:
            edge = "#5d8f6d"
        draw_polygons(axes, here, fill=colour, edge=edge, width=width, alpha=alpha, hatch=hatch, order=order)
