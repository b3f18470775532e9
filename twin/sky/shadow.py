"""Cast shadows for one position of the sun: the exact answer that stored horizons are measured against.

Along each line of sight towards the sun the lower edge of the sunlit air is carried from cell to cell. It is kept as
height plus the rise of the sunbeam up to that place, which makes it the running maximum of a single number.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geodata.errors import InputError
from twin.sky.compiled import compiled, side_by_side
from twin.sky.lines import WALL_SLOPE, Grid, Lines, line_heights

_TOLERANCE_M = 1e-4
"""A beam that passes a cell by less than this is not blocked: rounding of float32 heights on a plane parallel to the beam."""


def shadow(surface: npt.ArrayLike, cell_size_m: float, sun_azimuth_deg: float, sun_elevation_deg: float) -> np.ndarray:
    """Return which cells lie in the shadow of another cell.

    Parameters
    ----------
    surface : (rows, columns) heights [m], north up; NaN where there is none
    cell_size_m : side of the square cells [m]
    sun_azimuth_deg : clockwise from north
    sun_elevation_deg : above the horizon; at 0 and below every cell is in shadow

    Returns
    -------
    bool (rows, columns); False where the surface is NaN

    Raises
    ------
    InputError
        If the surface or the cell size is unusable, or the sun's position is not finite.

    Notes
    -----
    Cells, lines and walls are those of `horizon_angle`; a cell is in shadow where its horizon angle is above the sun.
    Whether a cell faces the sun at all is not asked.
    """
    return shaded(Grid.of(surface, cell_size_m), sun_azimuth_deg, sun_elevation_deg)


def shaded(grid: Grid, sun_azimuth_deg: float, sun_elevation_deg: float, threads: int | None = None) -> np.ndarray:
    """Return `shadow` of a prepared grid, which for many positions of the sun saves checks and transposes."""
    if not (math.isfinite(sun_azimuth_deg) and math.isfinite(sun_elevation_deg)):
        raise InputError(f"the sun's position ({sun_azimuth_deg}, {sun_elevation_deg}) is not finite")
    if sun_elevation_deg <= 0:
        return ~np.isnan(grid.heights)
    if sun_elevation_deg >= 90:
        return np.zeros(grid.heights.shape, dtype=bool)
    lines = Lines.along(grid, sun_azimuth_deg)
    heights = line_heights(grid, lines, threads=threads)
    out = np.empty(heights.shape, dtype=bool)
    rise = lines.step_m * math.tan(math.radians(sun_elevation_deg))
    back = lines.looks_back(sun_azimuth_deg)
    side_by_side(_cast, heights, lines.shift, rise, WALL_SLOPE * lines.step_m, back, out, threads=threads)
    return np.ascontiguousarray(out.T) if lines.transposed else out


@compiled
def _cast(heights, shift, rise, wall, back, out, part, parts):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows, columns = heights.shape
    lowest, highest = min(shift[0], shift[-1]), max(shift[0], shift[-1])
    count = columns + highest - lowest
    first = -highest + count * part // parts
    last = -highest + count * (part + 1) // parts
    limit = np.full(last - first, -np.inf)
    nearer = np.full(last - first, np.float32(np.nan))
    further = np.full(last - first, np.float32(np.nan))
    furthest = np.full(last - first, np.float32(np.nan))
    for step in range(rows):
        row = rows - 1 - step if back else step
        begin, end = max(first, -shift[row]), min(last, columns - shift[row])
        if begin >= end:
            continue
        z_of = heights[row, begin + shift[row] : end + shift[row]]
        to = out[row, begin + shift[row] : end + shift[row]]
        edges = limit[begin - first : end - first]
        one, two = nearer[begin - first : end - first], further[begin - first : end - first]
        three = furthest[begin - first : end - first]
        up = step * rise
        half = up - 0.5 * rise
        for line in range(end - begin):
            z, last_z = z_of[line], one[line]
            beam = np.float64(z) + up
            edge = edges[line]
            # the wall stands half a step nearer than the last high sample; see `twin.sky.horizon`
            one_step, next_step = abs(last_z - two[line]), abs(two[line] - three[line])
            change = one_step if one_step > next_step else next_step
            solid = (one_step <= wall) & (next_step <= wall)
            rim = np.float64(last_z) + half - 0.5 * np.float64(change)
            edge = rim if (last_z - z > wall) & solid & (rim > edge) else edge
            to[line] = edge > beam + _TOLERANCE_M
            edges[line] = beam if beam > edge else edge
            three[line] = two[line]
            two[line] = last_z
            one[line] = z
