"""What single points see: façades, tree crowns, windows.

Rays run cell by cell from the point itself, with heights interpolated across the ray and walls on the borders of cells as
in `twin.sky.lines`. Points lie in the array's own coordinates: x metres east of its western edge, y metres north of
its southern edge, z metres in the surface's datum.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geodata.errors import InputError
from twin.sky.compiled import compiled, side_by_side
from twin.sky.lines import WALL_SLOPE, Grid, checked_azimuths

_CLEARANCE_M = 1e-3
"""A line of sight that grazes a surface by less is free."""
_SURE = 1e-9
"""Share by which one slope must pass another to be larger for certain."""


def horizon_at(
    surface: npt.ArrayLike,
    cell_size_m: float,
    xyz: npt.ArrayLike,
    azimuths: int | Sequence[float] | np.ndarray,
    threads: int | None = None,
) -> np.ndarray:
    """Return the skyline seen from points on or above the surface.

    Parameters
    ----------
    surface : (rows, columns) heights [m], north up; NaN where there is none
    cell_size_m : side of the square cells [m]
    xyz : (points, 3) metres east of the array's western edge, north of its southern edge, and height
    azimuths : number of directions evenly from north, or directions [deg]
    threads : how many share the work; None is one for each processor

    Returns
    -------
    float64 (points, azimuths) [deg]: negative where everything is lower, 0 where nothing lies further out

    Raises
    ------
    InputError
        If surface, cell size, points or directions are unusable.

    Notes
    -----
    The cell that holds the point hides nothing from it, so a point on a wall may lie in a cell of its own building.
    """
    directions = checked_azimuths(azimuths)
    everything = np.full(len(directions), -np.inf), np.full(len(directions), np.inf)
    grid = Grid.of(surface, cell_size_m)
    return np.degrees(np.arctan(_highest(grid, _points(xyz), directions, everything, threads)))


def lit(
    surface: npt.ArrayLike,
    cell_size_m: float,
    xyz: npt.ArrayLike,
    azimuth_deg: np.ndarray,
    elevation_deg: np.ndarray,
    *,
    threads: int | None = None,
) -> np.ndarray:
    """Return whether points see the sun in each of its positions: whether `horizon_at` is lower than it there.

    A ray ends where nothing can reach the sun any more, or something has; so this costs a fraction of the skyline.

    Parameters
    ----------
    surface, cell_size_m, xyz, threads : as in `horizon_at`
    azimuth_deg, elevation_deg : (positions,) of the sun, above the horizon

    Returns
    -------
    bool (points, positions)

    Raises
    ------
    InputError
        As in `horizon_at`.
    """
    tangent = np.tan(np.radians(elevation_deg))
    # far wider than rounding, so that what is left out cannot decide
    around = tangent * (1 - _SURE), tangent * (1 + _SURE)
    directions = np.asarray(azimuth_deg, dtype=np.float64)
    grid = Grid.of(surface, cell_size_m)
    seen: np.ndarray = np.degrees(np.arctan(_highest(grid, _points(xyz), directions, around, threads)))
    return seen < elevation_deg[None, :]


def _highest(
    grid: Grid, points: np.ndarray, directions: np.ndarray, asked: tuple[np.ndarray, np.ndarray], threads: int | None
) -> np.ndarray:
    """Return the steepest slope in each direction: exact between the two that are ``asked``, else on the same side of them."""
    out = np.empty((len(points), len(directions)))
    radians = np.radians(directions)
    side_by_side(
        _rays, grid.heights, grid.cell_size_m, WALL_SLOPE * grid.cell_size_m, points, np.sin(radians), np.cos(radians),
        float(np.nanmax(grid.heights)), *asked, out, threads=threads,
    )  # fmt: skip
    return out


def visible(surface: npt.ArrayLike, cell_size_m: float, from_xyz: npt.ArrayLike, to_xyz: npt.ArrayLike) -> np.ndarray:
    """Return whether points see each other over the surface.

    Parameters
    ----------
    surface : (rows, columns) heights [m], north up; NaN where there is none, which hides nothing
    cell_size_m : side of the square cells [m]
    from_xyz, to_xyz : (pairs, 3) or one point for all pairs; coordinates as in `horizon_at`

    Returns
    -------
    bool (pairs,)

    Raises
    ------
    InputError
        If surface, cell size or points are unusable.

    Notes
    -----
    The cells of the two points themselves hide nothing.
    """
    grid = Grid.of(surface, cell_size_m)
    begin, end = _points(from_xyz), _points(to_xyz)
    if len(begin) != len(end) and 1 not in (len(begin), len(end)):
        raise InputError(f"{len(begin)} points cannot be paired with {len(end)}; give as many, or one")
    begin, end = (np.ascontiguousarray(part) for part in np.broadcast_arrays(begin, end))
    out = np.empty(len(begin), dtype=bool)
    side_by_side(_sights, grid.heights, grid.cell_size_m, WALL_SLOPE * grid.cell_size_m, begin, end, out)
    return out


def _points(xyz: npt.ArrayLike) -> np.ndarray:
    points = np.atleast_2d(np.asarray(xyz, dtype=np.float64))
    if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
        raise InputError(
            f"points are rows of x, y, z in metres, all finite; given is an array of the shape {points.shape}"
        )
    return np.ascontiguousarray(points)


@compiled
def _rays(heights, cell, wall, points, easts, norths, highest, floor, enough, out, part, parts):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows, columns = heights.shape
    for point in range(part, len(points), parts):
        column0, row0, z0 = points[point, 0] / cell, rows - points[point, 1] / cell, points[point, 2]
        own_row, own_column = int(np.floor(row0)), int(np.floor(column0))
        # between two cells a height may lie half a wall above both
        most = (highest + 0.5 * wall - z0) * (1 + 1e-9)
        for azimuth in range(len(easts)):
            east, south = easts[azimuth], -norths[azimuth]
            by_column = abs(east) > abs(south) * (1 + 1e-12)
            # u runs along the major axis, v across
            along, across = (east, south) if by_column else (south, east)
            u0, v0 = (column0, row0) if by_column else (row0, column0)
            u_count, v_count = (columns, rows) if by_column else (rows, columns)
            way = 1 if along > 0 else -1
            slope = across / abs(along)
            step = cell * np.sqrt(1 + slope * slope)
            u = int(np.floor(u0))
            if (u + 0.5 - u0) * way <= 0:
                u += way
            best, any_seen = -np.inf, False
            # the last three samples, nearest last in the name
            third, second, before = np.nan, np.nan, z0
            if 0 <= own_row < rows and 0 <= own_column < columns and heights[own_row, own_column] < z0:
                before = np.float64(heights[own_row, own_column])
            steep = wall * np.sqrt(1 + slope * slope)
            # a point outside the array first comes to it
            if way > 0 and u < 0:
                u = 0
            if way < 0 and u >= u_count:
                u = u_count - 1
            while 0 <= u < u_count:
                t = (u + 0.5 - u0) * way
                position = v0 + slope * t
                v = int(np.floor(position))
                if (v < 0 and slope <= 0) or (v >= v_count and slope >= 0):
                    break
                if most > 0 and most <= max(best, floor[azimuth]) * max(t - 2.5, 0.05) * step:
                    break
                row, column = (v, u) if by_column else (u, v)
                if 0 <= v < v_count and heights[row, column] == heights[row, column]:
                    here = np.float64(heights[row, column])
                    offset = position - (v + 0.5)
                    side = 1 if offset > 0 else -1
                    rise = np.nan
                    if 0 <= v + side < v_count:
                        rise = (heights[v + side, u] if by_column else heights[u, v + side]) - here
                    if not abs(rise) <= wall:
                        rise = 0.0
                        if 0 <= v - side < v_count:
                            own = here - (heights[v - side, u] if by_column else heights[u, v - side])
                            rise = own if abs(own) <= wall else 0.0
                    z = here + abs(offset) * rise
                    if not (row == own_row and column == own_column):
                        best = max(best, (z - z0) / (t * step))
                        any_seen = True
                        if best > enough[azimuth]:
                            break
                        # a wall is known to be one when two more samples behind it are as high
                        flat = max(abs(second - before), abs(before - z))
                        if second - third > steep and abs(second - before) <= steep and abs(before - z) <= steep:
                            best = max(best, (second - 0.5 * flat - z0) / (max(t - 2.5, 0.05) * step))
                        third, second, before = second, before, z
                else:
                    third, second, before = second, before, np.nan
                u += way
            out[point, azimuth] = best if any_seen else 0.0


@compiled
def _sights(heights, cell, wall, begins, ends, out, part, parts):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows, columns = heights.shape
    for pair in range(part, len(begins), parts):
        column0, row0, z0 = begins[pair, 0] / cell, rows - begins[pair, 1] / cell, begins[pair, 2]
        column1, row1, z1 = ends[pair, 0] / cell, rows - ends[pair, 1] / cell, ends[pair, 2]
        by_column = abs(column1 - column0) > abs(row1 - row0)
        u0, v0 = (column0, row0) if by_column else (row0, column0)
        u1, v1 = (column1, row1) if by_column else (row1, column1)
        u_count, v_count = (columns, rows) if by_column else (rows, columns)
        length = abs(u1 - u0)
        free = True
        if length > 0:
            way = 1 if u1 > u0 else -1
            slope, climb = (v1 - v0) / length, (z1 - z0) / length
            u = int(np.floor(u0))
            if (u + 0.5 - u0) * way <= 0:
                u += way
            if way > 0 and u < 0:
                u = 0
            if way < 0 and u >= u_count:
                u = u_count - 1
            before = np.nan
            while 0 <= u < u_count and free:
                t = (u + 0.5 - u0) * way
                if t >= length:
                    break
                position = v0 + slope * t
                v = int(np.floor(position))
                row, column = (v, u) if by_column else (u, v)
                own = (row == int(np.floor(row0)) and column == int(np.floor(column0))) or (
                    row == int(np.floor(row1)) and column == int(np.floor(column1))
                )
                if own or not 0 <= v < v_count or heights[row, column] != heights[row, column]:
                    before = np.nan
                else:
                    here = np.float64(heights[row, column])
                    offset = position - (v + 0.5)
                    side = 1 if offset > 0 else -1
                    rise = np.nan
                    if 0 <= v + side < v_count:
                        rise = (heights[v + side, u] if by_column else heights[u, v + side]) - here
                    if not abs(rise) <= wall:
                        rise = 0.0
                        if 0 <= v - side < v_count:
                            own_rise = here - (heights[v - side, u] if by_column else heights[u, v - side])
                            rise = own_rise if abs(own_rise) <= wall else 0.0
                    z = here + abs(offset) * rise
                    sight = z0 + climb * t
                    # the higher of two cells with a wall between them reaches half a step further
                    border = sight - 0.5 * climb
                    if z > sight + _CLEARANCE_M:
                        free = False
                    if abs(z - before) > wall * np.sqrt(1 + slope * slope) and max(z, before) > border + _CLEARANCE_M:
                        free = False
                    before = z
                u += way
        out[pair] = free
