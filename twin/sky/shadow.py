"""Cast shadows for one position of the sun: the exact answer that stored horizons are measured against.

Along each line of sight towards the sun the lower edge of the sunlit air is carried from cell to cell. It is kept as
height plus the rise of the sunbeam up to that place, which makes it the running maximum of a single number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from geodata.errors import InputError
from twin.sky.compiled import compiled, side_by_side
from twin.sky.lines import WALL_SLOPE, Grid, Lines, line_heights

_TOLERANCE_M = 1e-4
"""A beam that passes a cell by less than this is not blocked: rounding of float32 heights on a plane parallel to the beam."""

_CHUNK = 64
"""Lines that are looked through for walls together."""


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
    """Return `shadow` of a prepared grid."""
    _, cast, transposed = next(cast_shadows(grid, [sun_azimuth_deg], [sun_elevation_deg], threads))
    return np.ascontiguousarray(cast.T) if transposed else cast


def cast_shadows(
    grid: Grid, sun_azimuth_deg: npt.ArrayLike, sun_elevation_deg: npt.ArrayLike, threads: int | None = None
) -> Iterator[tuple[int, np.ndarray, bool]]:
    """Cast the shadows of many positions of the sun, one after the other in one piece of memory.

    Yields
    ------
    index of the position; bool array of cells in shadow, as in `shadow`; True if that array is transposed. The array
    is written anew by the next step: use it before going on

    Raises
    ------
    InputError
        If a position is not finite.
    """
    azimuths, elevations = (
        np.atleast_1d(np.asarray(part, dtype=np.float64)) for part in (sun_azimuth_deg, sun_elevation_deg)
    )
    spare, out = np.empty_like(grid.heights), np.empty(grid.heights.shape, dtype=bool)
    for index, (azimuth, elevation) in enumerate(zip(azimuths.tolist(), elevations.tolist(), strict=True)):
        if not (math.isfinite(azimuth) and math.isfinite(elevation)):
            raise InputError(f"the sun's position ({azimuth}, {elevation}) is not finite")
        if elevation <= 0 or elevation >= 90:
            out[:] = ~np.isnan(grid.heights) if elevation <= 0 else False
            yield index, out, False
            continue
        lines = Lines.along(grid, azimuth)
        heights = line_heights(grid, lines, spare, threads)
        cast = out.reshape(heights.shape)
        rise = lines.step_m * math.tan(math.radians(elevation))
        side_by_side(
            _cast,
            heights,
            lines.shift,
            rise,
            WALL_SLOPE * lines.step_m,
            lines.looks_back(azimuth),
            cast,
            threads=threads,
        )
        yield index, cast, lines.transposed


@compiled
def _cast(heights, shift, rise, wall, back, out, part, parts):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows, columns = heights.shape
    lowest, highest = min(shift[0], shift[-1]), max(shift[0], shift[-1])
    count = columns + highest - lowest
    first, last = -highest + count * part // parts, -highest + count * (part + 1) // parts
    limit = np.full(last - first, -np.inf)
    way = -1 if back else 1
    for step in range(rows):
        row = rows - 1 - step if back else step
        up = step * rise
        begin, end = max(first, -shift[row]), min(last, columns - shift[row])
        for left in range(begin, end, _CHUNK):
            right = min(left + _CHUNK, end)
            z_of, to = (
                heights[row, left + shift[row] : right + shift[row]],
                out[row, left + shift[row] : right + shift[row]],
            )
            edges = limit[left - first : right - first]
            if step >= 3:
                # lines that were inside the array in the step before
                before = row - way
                one, beyond = max(left, -shift[before]), min(right, columns - shift[before])
                drops = np.int32(0)
                if one < beyond:
                    nearer = heights[before, one + shift[before] : beyond + shift[before]]
                    here = z_of[one - left : beyond - left]
                    for place in range(len(nearer)):
                        drops += np.int32(nearer[place] - here[place] > wall)
                if drops > 0:
                    second, third = before - way, before - 2 * way
                    for line in range(one, beyond):
                        top = heights[before, line + shift[before]]
                        if top - z_of[line - left] > wall:
                            two, three = line + shift[second], line + shift[third]
                            if 0 <= two < columns and 0 <= three < columns:
                                change = abs(top - heights[second, two])
                                further = abs(heights[second, two] - heights[third, three])
                                if change <= wall and further <= wall:
                                    # the wall stands half a step nearer than the last high sample; see `twin.sky.horizon`
                                    rim = np.float64(top) + up - 0.5 * rise - 0.5 * np.float64(max(change, further))
                                    edges[line - left] = max(edges[line - left], rim)
            for line in range(len(z_of)):
                beam = np.float64(z_of[line]) + up
                edge = edges[line]
                to[line] = edge > beam + _TOLERANCE_M
                edges[line] = beam if beam > edge else edge
