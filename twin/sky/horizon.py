"""Horizon angles of every cell of a surface in one direction, exact along grid lines and in linear time.

Along each line the upper convex hull of everything further out is kept as a stack (Timonen and Westerholm 2010 for
the idea). A cell's horizon is the hull vertex that it sees under the steepest angle; a vertex under the line from the
one below it to the cell is hidden from all later cells and leaves the stack for good, so every cell costs the same
however far it sees. Both directions of a line are swept from one copy of its heights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from twin.sky.compiled import compiled, side_by_side
from twin.sky.lines import WALL_SLOPE, Grid, Lines, checked_azimuths, line_heights

_BLOCK = 64
"""Lines swept together, …"""
_STRIP = 256
"""… over so many rows at a time: measured best of 16 to 64 lines and 64 to 256 rows."""


@dataclass(frozen=True)
class Window:
    """Cells of a grid for which horizons are wanted: rows and columns, first and first beyond."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int

    @classmethod
    def whole(cls, grid: Grid) -> Window:
        """Return the window of all cells."""
        return cls(0, grid.heights.shape[0], 0, grid.heights.shape[1])


def horizon_angle(surface: npt.ArrayLike, cell_size_m: float, azimuth_deg: float) -> np.ndarray:
    """Return the elevation angle of the skyline seen from every cell in one direction.

    Parameters
    ----------
    surface : (rows, columns) heights [m], north up; NaN where there is none
    cell_size_m : side of the square cells [m]
    azimuth_deg : direction, clockwise from north

    Returns
    -------
    float32 (rows, columns) [deg], -90 to 90: negative where all that lies further out is lower, 0 where nothing lies
    further out, NaN exactly where the surface is NaN

    Raises
    ------
    InputError
        If the surface or the cell size is unusable; see `Grid.of`.

    Notes
    -----
    There is no search radius: everything within the array counts. Heights are interpolated across the line of sight
    (see `twin.sky.lines`). Where it drops steeper than `WALL_SLOPE` stands a wall: on the border of the cells, half a
    step nearer than the last high sample, if that is one of three at least. Holes hide nothing.
    The curvature of the earth is neglected: 0.014 deg at 3.6 km.
    """
    grid = Grid.of(surface, cell_size_m)
    azimuth = float(checked_azimuths([azimuth_deg])[0])
    _, slope, transposed = next(horizon_slopes(grid, np.array([azimuth])))
    angle = np.degrees(np.arctan(slope))
    return np.ascontiguousarray(angle.T) if transposed else angle


def horizon_slopes(
    grid: Grid,
    azimuths_deg: np.ndarray | Sequence[float],
    window: Window | None = None,
    threads: int | None = None,
    *,
    across: Window | None = None,
    only: tuple[np.ndarray, np.ndarray] | None = None,
) -> Iterator[tuple[int, np.ndarray, bool]]:
    """Sweep azimuth by azimuth and yield the tangent of the horizon angle, opposite azimuths after each other.

    Parameters
    ----------
    grid : surface
    azimuths_deg : directions
    window : cells wanted; all if None. What lies outside still hides the sky
    across : only lines of sight that these cells lie on or beside are swept; other cells hold anything
    only : rows and columns of the window; only lines through these cells are swept, and other cells hold anything

    Yields
    ------
    index of the azimuth; float32 array of the window; True if that array is transposed. The array is written anew
    by a later step: use it before going on
    """
    azimuths = np.asarray(azimuths_deg, dtype=np.float64)
    window = Window.whole(grid) if window is None else window
    # memory fresh from the system costs more than the sweep itself
    spare = np.empty_like(grid.heights)
    shape = (window.last_row - window.first_row, window.last_column - window.first_column)
    buffers: dict[bool, np.ndarray] = {}
    for pair in _opposites(azimuths):
        lines = Lines.along(grid, azimuths[pair[0]])
        band = None if across is None else lines.across(*astuple(across))
        asked_for = None if only is None else _asked_for(lines, window, only)
        heights = line_heights(grid, lines, spare, threads, asked_for[:2] if asked_for else band)
        asked: list[np.ndarray | None] = [None, None]
        for index in pair:
            back = lines.looks_back(azimuths[index])
            if back not in buffers:
                buffers[back] = np.empty(shape, dtype=np.float32)
            asked[back] = buffers[back].reshape(shape[::-1] if lines.transposed else shape)
        sweep_lines(heights, lines, window, ahead=asked[0], back=asked[1], threads=threads, band=band, only=asked_for)
        for index in pair:
            found = asked[lines.looks_back(azimuths[index])]
            assert found is not None  # noqa: S101 - set above
            yield index, found, lines.transposed


def sweep_lines(
    heights: np.ndarray, lines: Lines, window: Window, *,
    ahead: np.ndarray | None, back: np.ndarray | None, threads: int | None = None, band: tuple[int, int] | None = None,
    only: _Asked | None = None,
) -> None:  # fmt: skip
    """Fill ``ahead`` and ``back`` with the tangent of the horizon angle toward earlier and later rows of the frame.

    With a ``band``, first line and first beyond, only cells on its lines are filled; with ``only``, those that it asks for.
    """
    rows, columns = heights.shape
    bounds = (window.first_row, window.last_row, window.first_column, window.last_column)
    if lines.transposed:
        bounds = (*bounds[2:], *bounds[:2])
    first_line, wanted_from, wanted_to = lines.spans(*bounds)
    if only is not None:
        first_line, _, wanted_from, wanted_to = only
    elif band is not None:
        first, last = max(band[0] - first_line, 0), max(band[1] - first_line, 0)
        first_line, wanted_from, wanted_to = first_line + first, wanted_from[first:last], wanted_to[first:last]
    whole_first, start, stop = lines.spans(0, rows, 0, columns)
    here = slice(first_line - whole_first, first_line - whole_first + len(wanted_from))
    nothing = np.empty((0, 0), dtype=np.float32)
    side_by_side(
        _sweep, heights, lines.shift, first_line, start[here], stop[here], wanted_from, wanted_to,
        bounds[0], bounds[2], WALL_SLOPE * lines.step_m, lines.step_m,
        nothing if ahead is None else ahead, nothing if back is None else back, threads=threads,
    )  # fmt: skip


_Asked = tuple[int, int, np.ndarray, np.ndarray]
"""First line and first beyond; of each line the first row asked for and the first beyond (equal where there is none)."""


def _asked_for(lines: Lines, window: Window, only: tuple[np.ndarray, np.ndarray]) -> _Asked:
    row, column = only[0] + window.first_row, only[1] + window.first_column
    if lines.transposed:
        row, column = column, row
    line = column - lines.shift[row]
    first, last = int(line.min()), int(line.max()) + 1
    begin, end = np.full(last - first, len(lines.shift)), np.zeros(last - first, dtype=np.int64)
    np.minimum.at(begin, line - first, row)
    np.maximum.at(end, line - first, row + 1)
    return first, last, np.minimum(begin, end), end


def _opposites(azimuths: np.ndarray) -> list[tuple[int, ...]]:
    """Group indices of opposite azimuths, north-south lines before east-west ones so that one transpose is warm."""
    waiting: dict[float, int] = {}
    pairs: list[tuple[int, ...]] = []
    for index, azimuth in enumerate(azimuths):
        axis = round(float(azimuth) % 180.0, 9) % 180.0
        other = waiting.pop(axis, None)
        if other is not None and round(abs(float(azimuth) - float(azimuths[other])) - 180.0, 9) == 0:
            pairs.append((other, index))
        else:
            if other is not None:
                pairs.append((other,))
            waiting[axis] = index
    pairs += [(index,) for index in waiting.values()]
    return sorted(
        pairs, key=lambda pair: (abs(np.sin(np.radians(azimuths[pair[0]]))) > 0.7072, azimuths[pair[0]] % 180.0, pair)
    )


@compiled
def _sweep(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    heights, shift, first_line, start, stop, wanted_from, wanted_to, first_row, first_column, wall, step, ahead, back, part, parts,
):  # fmt: skip
    rows, columns = heights.shape
    last_column = first_column + max(ahead.shape[1], back.shape[1])
    # turned so that a line lies in one piece; one strip of rows at a time stays in the processor's cache
    samples = np.empty((_BLOCK, _STRIP + 16), dtype=np.float32)
    found = np.empty((_BLOCK, _STRIP + 16), dtype=np.float32)
    # Each line's hull. Its last two vertices are kept apart, in `state` between strips and in variables within one;
    # `deeper` counts those below them and `known` is 0, 1 or 2 for none, one or at least two in all.
    vertex_x, vertex_z = np.empty((_BLOCK, 2 * rows + 3)), np.empty((_BLOCK, 2 * rows + 3))
    deeper, known, state = np.zeros(_BLOCK, dtype=np.int64), np.zeros(_BLOCK, dtype=np.int64), np.zeros((_BLOCK, 7))
    count = len(start)
    for block in range(part, (count + _BLOCK - 1) // _BLOCK, parts):
        low, high = block * _BLOCK, min(count, (block + 1) * _BLOCK)
        top_row, end_row, wanted_top, wanted_end = rows, 0, rows, 0
        for line in range(low, high):
            if wanted_from[line] < wanted_to[line]:
                top_row, end_row = min(top_row, start[line]), max(end_row, stop[line])
                wanted_top, wanted_end = min(wanted_top, wanted_from[line]), max(wanted_end, wanted_to[line])
        for backward in range(2):
            out = back if backward else ahead
            if out.shape[0] == 0 or wanted_top >= wanted_end:
                continue
            deeper[:], known[:], state[:, 4:] = 0, 0, np.nan
            way = -1 if backward else 1
            # a sweep comes from the array's border and ends with the last cell wanted
            begin, end = (wanted_top, end_row) if backward else (top_row, wanted_end)
            for strip in range((end - begin + _STRIP - 1) // _STRIP):
                upper = max(begin, end - (strip + 1) * _STRIP) if backward else begin + strip * _STRIP
                lower = end - strip * _STRIP if backward else min(end, upper + _STRIP)
                for row in range(upper, lower):
                    column = first_line + low + shift[row]
                    one, beyond = max(0, -column), min(high - low, columns - column)
                    if one < beyond:
                        source = heights[row, column + one : column + beyond]
                        for line in range(beyond - one):
                            samples[line + one, row - upper] = source[line]
                for line in range(low, high):
                    near = max(upper, wanted_from[line] if backward else start[line])
                    far = min(lower, stop[line] if backward else wanted_to[line])
                    if near >= far or wanted_from[line] >= wanted_to[line]:
                        continue
                    own = line - low
                    z_of, to, xs, zs = samples[own], found[own], vertex_x[own], vertex_z[own]
                    depth, number = np.uint64(deeper[own]), known[own]
                    x1, z1, x2, z2 = state[own, 0], state[own, 1], state[own, 2], state[own, 3]
                    before, second, third = state[own, 4], state[own, 5], state[own, 6]
                    row = far - 1 if backward else near
                    # x counts samples from where the line enters the array
                    entered = stop[line] - 1 - row if backward else row - start[line]
                    for sample in range(entered, entered + far - near):
                        place, x = np.uint64(row - upper), np.float64(sample)
                        z = np.float64(z_of[place])
                        if np.isnan(z):
                            to[place] = np.nan
                        else:
                            if before - z > wall and abs(before - second) <= wall and abs(second - third) <= wall:
                                edge = x - 0.5
                                # taken to fall toward the edge, so that no roof is higher than it is
                                rim = before - 0.5 * max(abs(before - second), abs(second - third))
                                while number == 2 and (z2 - rim) * (edge - x1) >= (z1 - rim) * (edge - x2):
                                    x1, z1 = x2, z2
                                    number = 2 if depth > 0 else 1
                                    if depth > 0:
                                        depth -= np.uint64(1)
                                        x2, z2 = xs[depth], zs[depth]
                                if number == 2:
                                    xs[depth], zs[depth] = x2, z2
                                    depth += np.uint64(1)
                                x2, z2, x1, z1, number = x1, z1, edge, rim, 2
                            while number == 2 and (z2 - z) * (x - x1) >= (z1 - z) * (x - x2):
                                x1, z1 = x2, z2
                                number = 2 if depth > 0 else 1
                                if depth > 0:
                                    depth -= np.uint64(1)
                                    x2, z2 = xs[depth], zs[depth]
                            to[place] = (z1 - z) / ((x - x1) * step) if number > 0 else 0.0
                            if number == 2:
                                xs[depth], zs[depth] = x2, z2
                                depth += np.uint64(1)
                            x2, z2, x1, z1, number = x1, z1, x, z, 2 if number > 0 else 1
                        third, second, before = second, before, z
                        row += way
                    deeper[own], known[own] = depth, number
                    state[own, 0], state[own, 1], state[own, 2], state[own, 3] = x1, z1, x2, z2
                    state[own, 4], state[own, 5], state[own, 6] = before, second, third
                for row in range(max(upper, wanted_top), min(lower, wanted_end)):
                    column = first_line + low + shift[row]
                    one, beyond = max(0, first_column - column), min(high - low, last_column - column)
                    if one < beyond:
                        target = out[row - first_row, column + one - first_column : column + beyond - first_column]
                        for line in range(beyond - one):
                            target[line] = found[line + one, row - upper]
