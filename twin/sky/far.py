"""The far skyline: one angle per roof plane and azimuth for everything beyond the surface that was swept for it.

Far surfaces are coarse: terrain and roofs max-pooled to about 5 m, then a terrain model out to some 20 km. Rays run
outward from where they leave the near surface, in steps that grow with distance: at each distance the level of a pyramid
is read whose cells are at most `RELATIVE_STEP` of it, so a far mountain costs as much as a near house.
Pyramid cells hold the highest of their heights: a skyline may be drawn up to half a cell too near, never left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from geodata.errors import InputError
from twin.sky.compiled import compiled, side_by_side
from twin.sky.lines import Grid

RELATIVE_STEP = 0.015
"""Largest cell over distance: 0.9 deg across, a fifth of the spacing of 72 azimuths."""
EARTH_RADIUS_M = 6_371_000.0
REFRACTION = 0.13
"""Standard coefficient of terrestrial refraction (Gauss): light bends with 0.13 of the earth's curvature."""


@dataclass(frozen=True)
class FarSurface:
    """A coarse height raster with its place: ``west`` and ``north`` edge [m]; NaN hides nothing."""

    grid: Grid
    west: float
    north: float

    @classmethod
    def of(cls, heights: npt.ArrayLike, cell_size_m: float, west: float, north: float) -> FarSurface:
        """Return the far surface of north-up ``heights`` [m].

        Raises
        ------
        InputError
            If the heights or the cell size are unusable, or the place is not finite.
        """
        if not (math.isfinite(west) and math.isfinite(north)):
            raise InputError(f"a far surface needs its north-western corner in metres, given is ({west}, {north})")
        return cls(Grid.of(heights, cell_size_m), float(west), float(north))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north [m]."""
        rows, columns = self.grid.heights.shape
        size = self.grid.cell_size_m
        return self.west, self.north - rows * size, self.west + columns * size, self.north

    @cached_property
    def pyramid(self) -> list[np.ndarray]:
        """Heights at once, twice, four times … the cell size, down to a single cell; -inf where nothing is."""
        levels = [np.where(np.isnan(self.grid.heights), np.float32(-np.inf), self.grid.heights)]
        while max(levels[-1].shape) > 1:
            levels.append(_pool(levels[-1], 2, np.float32(-np.inf)))
        return levels


def max_pooled(heights: np.ndarray, factor: int) -> np.ndarray:
    """Return the highest height of each ``factor`` x ``factor`` block of cells, float32; NaN where none has one."""
    found = _pool(
        np.where(np.isnan(heights), np.float32(-np.inf), heights).astype(np.float32), factor, np.float32(-np.inf)
    )
    return np.where(np.isneginf(found), np.float32(np.nan), found)


def _pool(heights: np.ndarray, factor: int, nothing: np.float32) -> np.ndarray:
    rows, columns = (-(-side // factor) for side in heights.shape)
    padded = np.full((rows * factor, columns * factor), nothing, dtype=np.float32)
    padded[: heights.shape[0], : heights.shape[1]] = heights
    return padded.reshape(rows, factor, columns, factor).max(axis=(1, 3))


def far_horizon(
    surfaces: Sequence[FarSurface],
    xyz: npt.ArrayLike,
    azimuths_deg: npt.ArrayLike,
    near: npt.ArrayLike,
    *,
    curved: bool = True,
    threads: int | None = None,
) -> np.ndarray:
    """Return the skyline of what lies beyond the near surface.

    Parameters
    ----------
    surfaces : from the finest to the coarsest; a coarser one counts where the finer ones end
    xyz : (planes, 3) centre and mean height of each plane [m]; a plane without a height gets 0
    azimuths_deg : directions, clockwise from north
    near : (planes, 4) west, south, east, north of the surface that was swept for each plane [m]
    curved : lower far heights by the earth's curvature less refraction

    Returns
    -------
    float32 (planes, azimuths) [deg], at least 0

    Raises
    ------
    InputError
        If shapes do not fit, or a plane lies outside its near surface.
    """
    points = np.ascontiguousarray(xyz, dtype=np.float64).reshape(-1, 3)
    bounds = np.ascontiguousarray(near, dtype=np.float64).reshape(-1, 4)
    directions = np.atleast_1d(np.asarray(azimuths_deg, dtype=np.float64))
    if len(bounds) != len(points):
        raise InputError(f"{len(points)} planes need as many near surfaces, given are {len(bounds)}")
    seen = np.isfinite(points[:, 2])
    inside = (points[:, 0] >= bounds[:, 0]) & (points[:, 0] <= bounds[:, 2])
    inside &= (points[:, 1] >= bounds[:, 1]) & (points[:, 1] <= bounds[:, 3])
    if (seen & ~inside).any():
        raise InputError(
            f"plane {int(np.flatnonzero(seen & ~inside)[0])} lies outside the surface that was swept for it"
        )
    radians = np.radians(directions)
    begin = _exits(points, bounds, np.sin(radians), np.cos(radians))
    tangent = np.zeros((len(points), len(directions)))
    drop = (1.0 - REFRACTION) / (2.0 * EARTH_RADIUS_M) if curved else 0.0
    for surface in surfaces:
        levels = surface.pyramid
        shapes = np.array([level.shape for level in levels], dtype=np.int64)
        offsets = np.concatenate([[0], np.cumsum(shapes.prod(axis=1))]).astype(np.int64)
        stacked = np.concatenate([level.reshape(-1) for level in levels])
        box = np.tile(np.array(surface.bounds), (len(points), 1))
        end = _exits(points, box, np.sin(radians), np.cos(radians))
        side_by_side(
            _march, stacked, shapes, offsets, surface.grid.cell_size_m, surface.west, surface.north, points, seen,
            np.sin(radians), np.cos(radians), begin, end, float(levels[-1].max()), drop, RELATIVE_STEP, tangent, threads=threads,
        )  # fmt: skip
        begin = np.maximum(begin, end)
    return np.degrees(np.arctan(tangent)).astype(np.float32)


def _exits(points: np.ndarray, bounds: np.ndarray, east: np.ndarray, north: np.ndarray) -> np.ndarray:
    """Return the distance [m] at which rays leave a box, (points, azimuths); 0 for a point outside that misses it."""
    x, y = points[:, :1], points[:, 1:2]
    with np.errstate(divide="ignore", invalid="ignore"):
        to_side = np.where(east > 0, bounds[:, 2:3] - x, x - bounds[:, 0:1]) / np.abs(east)
        to_end = np.where(north > 0, bounds[:, 3:4] - y, y - bounds[:, 1:2]) / np.abs(north)
    to_side, to_end = (np.where(np.isnan(part), np.inf, part) for part in (to_side, to_end))
    return np.maximum(np.minimum(to_side, to_end), 0.0)


@compiled
def _march(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    heights, shapes, offsets, cell, west, north_edge, points, seen, east, north, begin, end, highest, drop, relative, tangent, part, parts,
):  # fmt: skip
    for point in range(part, len(points), parts):
        if not seen[point]:
            continue
        x, y, z = points[point]
        for azimuth in range(len(east)):
            best = tangent[point, azimuth]
            distance, last = begin[point, azimuth], end[point, azimuth]
            level, size = 0, cell
            while distance < last:
                while level + 1 < len(shapes) and size * 2.0 <= relative * distance:
                    level += 1
                    size *= 2.0
                if highest - z <= best * distance:
                    break
                # the middle of the next step stands for it
                at = distance + 0.5 * size
                column = int(np.floor((x + at * east[azimuth] - west) / size))
                row = int(np.floor((north_edge - y - at * north[azimuth]) / size))
                if 0 <= row < shapes[level, 0] and 0 <= column < shapes[level, 1]:
                    up = heights[offsets[level] + row * shapes[level, 1] + column]
                    # empty cells hold -inf and never rise above anything
                    best = max(best, (up - at * at * drop - z) / at)
                distance += size
            tangent[point, azimuth] = best
