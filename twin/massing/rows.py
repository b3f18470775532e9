"""Rows of bars on a block: rectangles side by side in parallel rows, all inside the block."""

from __future__ import annotations

import math

import numpy as np
import shapely
from shapely.affinity import rotate

from twin.massing.rules import Pattern


def facing_angle_deg(block: shapely.Polygon | shapely.MultiPolygon, tolerance_deg: float) -> float:
    """Return the azimuth [deg] to which the main façades of rows on ``block`` look.

    Rows follow the longer sides of the block's smallest enclosing rectangle, turned by quarters until they look nearest to
    south, but no further from south than ``tolerance_deg``.
    """
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(block))
    if len(corners) < 4:
        return 180.0
    east, north = corners[1] - corners[0]
    bearing = math.degrees(math.atan2(east, north))
    off = (bearing + 45.0) % 90.0 - 45.0
    return 180.0 + max(-tolerance_deg, min(tolerance_deg, off))


def rows_on(
    block: shapely.Polygon | shapely.MultiPolygon, pattern: Pattern, facing_deg: float, row_distance_m: float
) -> np.ndarray:
    """Return bars on ``block``, from the back row to the front one, all at least ``pattern.setback_m`` from its edge.

    Parameters
    ----------
    block
        Valid polygon in a projected CRS [m].
    pattern
        Depth, lengths and gaps of the bars.
    facing_deg
        Azimuth to which the rows look [deg]; the front row is the one that lies furthest that way.
    row_distance_m
        Clear distance between rows [m].

    Returns
    -------
    array of Polygons
        Rectangles of the pattern's depth, no longer and no shorter than it says; empty where none fits.
    """
    turn = facing_deg - 180.0
    origin = block.centroid
    # turned so that rows run west to east and look south
    ground = shapely.buffer(rotate(block, turn, origin=origin), -pattern.setback_m, join_style="mitre")
    if ground.is_empty:
        return np.empty(0, dtype=object)
    west, south, east, north = ground.bounds
    count = math.floor((north - south + row_distance_m) / (pattern.depth_m + row_distance_m))
    if count < 1:
        return np.empty(0, dtype=object)
    first = (north + south + count * pattern.depth_m + (count - 1) * row_distance_m) / 2 - pattern.depth_m
    bottoms = first - np.arange(count) * (pattern.depth_m + row_distance_m)
    strips = shapely.box(np.full(count, west), bottoms, np.full(count, east), bottoms + pattern.depth_m)
    found = []
    for bottom, outside in zip(bottoms, shapely.difference(strips, ground), strict=True):
        for left, right in _free(west, east, outside):
            edges = _bars(left, right, pattern)
            found.append(shapely.box(edges[:, 0], bottom, edges[:, 1], bottom + pattern.depth_m))
    bars = np.concatenate(found) if found else np.empty(0, dtype=object)
    return np.array([rotate(bar, -turn, origin=origin) for bar in bars], dtype=object)


def _free(west: float, east: float, outside: shapely.Geometry) -> list[tuple[float, float]]:
    """Return the stretches from ``west`` to ``east`` above which nothing of ``outside`` lies."""
    parts = shapely.get_parts(outside)
    parts = parts[shapely.area(parts) > 1e-6]
    taken = sorted((left, right) for left, _, right, _ in shapely.bounds(parts))
    free, at = [], west
    for left, right in taken:
        if left > at:
            free.append((at, left))
        at = max(at, right)
    if east > at:
        free.append((at, east))
    return free


def _bars(left: float, right: float, pattern: Pattern) -> np.ndarray:
    length = right - left
    if length < pattern.shortest_m:
        return np.empty((0, 2))
    count = math.ceil((length + pattern.gap_m) / (pattern.longest_m + pattern.gap_m) - 1e-9)
    each = (length - (count - 1) * pattern.gap_m) / count
    if each < pattern.shortest_m:
        count = max(count - 1, 1)
        each = min((length - (count - 1) * pattern.gap_m) / count, pattern.longest_m)
    starts = (
        left + (length - count * each - (count - 1) * pattern.gap_m) / 2 + np.arange(count) * (each + pattern.gap_m)
    )
    return np.column_stack([starts, starts + each])
