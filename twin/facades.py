"""Points along the outer walls of buildings, where people look out and the sun comes in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely


@dataclass(frozen=True)
class WallPoints:
    """Points just outside outer walls, wall by wall."""

    building: np.ndarray
    """(points,) position of the building."""
    xy: np.ndarray
    """(points, 2) coordinates [m]."""
    facing_deg: np.ndarray
    """(points,) where the wall looks, clockwise from north."""


def wall_points(shapes: np.ndarray, *, spacing_m: float, shortest_m: float, offset_m: float) -> WallPoints:
    """Return points along the outer walls of ``shapes``, at most ``spacing_m`` apart and at least one on each wall.

    Parameters
    ----------
    shapes
        Outlines of buildings [m].
    shortest_m
        Shorter walls have no point.
    offset_m
        Points stand so far out of the drawn wall.
    """
    rings, part_owner = shapely.get_parts(shapes, return_index=True)
    rings = shapely.get_exterior_ring(rings)
    at, ring = shapely.get_coordinates(rings, return_index=True)
    wall = np.flatnonzero(ring[1:] == ring[:-1])
    way = at[wall + 1] - at[wall]
    length = np.hypot(*way.T)
    wall, way, length = (part[length >= shortest_m] for part in (wall, way, length))
    count = np.maximum(1, np.ceil(length / spacing_m - 1e-9)).astype(np.int64)
    each = np.repeat(np.arange(len(wall)), count)
    share = (np.arange(len(each)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[each]
    side = np.where(shapely.is_ccw(rings), -1.0, 1.0)[ring[wall]]
    outward = np.column_stack([-way[:, 1], way[:, 0]]) * (side / length)[:, None]
    xy = at[wall[each]] + way[each] * share[:, None] + outward[each] * offset_m
    facing = np.degrees(np.arctan2(outward[:, 0], outward[:, 1])) % 360.0
    return WallPoints(part_owner[ring[wall[each]]], xy, facing[each])
