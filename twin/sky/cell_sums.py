"""Sums over azimuths of tabulated values for every cell, from horizons that are swept and forgotten one by one."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np

from twin.sky.compiled import compiled, side_by_side
from twin.sky.horizon import Window, horizon_slopes
from twin.sky.lines import Grid, Lines
from twin.sky.sun_table import FIRST_KEY, FRACTION_BITS, KEYS


class FarField:
    """The far skyline on a lattice of nodes over a window, at two heights above each node.

    Between nodes and between the two heights it is interpolated: seen from a roof the far skyline lies lower.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray, rise: np.ndarray, step: int) -> None:
        """Take tangents (azimuths, node rows, node columns) at both heights, and where each cell stands between them.

        ``rise`` is float32 (rows, columns), 0 at the lower height and 1 at the higher. Node (i, j) stands at cell (i step, j step).
        """
        self.low, self.high = np.ascontiguousarray(low), np.ascontiguousarray(high)
        self.step, self.rise = step, rise
        self._rise = {False: np.ascontiguousarray(rise), True: np.ascontiguousarray(rise.T)}

    def seen(self, azimuth: int, transposed: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return both node lattices of one azimuth and the cells' rise, laid out as the horizons are."""
        low, high = self.low[azimuth], self.high[azimuth]
        if transposed:
            low, high = np.ascontiguousarray(low.T), np.ascontiguousarray(high.T)
        return low, high, self._rise[transposed]


def sums_over_azimuths(
    grid: Grid,
    azimuths_deg: np.ndarray,
    window: Window,
    table: np.ndarray,
    *,
    far: FarField,
    threads: int | None = None,
) -> np.ndarray:
    """Return for each cell of the window the sum over azimuths of what the table holds at its horizon.

    Parameters
    ----------
    grid : surface
    azimuths_deg : (azimuths,)
    table : float32 (azimuths, `KEYS`, columns), columns a multiple of 4; see `twin.sky.sun_table.tangent_table`
    far : skyline beyond the grid, which no horizon is below

    Returns
    -------
    float32 (columns, rows, columns of the window); NaN where the surface is NaN
    """
    rows, columns = window.last_row - window.first_row, window.last_column - window.first_column
    values = table.shape[2]
    sums = {False: np.zeros((rows, columns, values), np.float32), True: np.zeros((columns, rows, values), np.float32)}
    for index, slope, transposed in horizon_slopes(grid, azimuths_deg, window, threads):
        low, high, rise = far.seen(index, transposed)
        side_by_side(_add, slope, low, high, rise, far.step, table[index], FIRST_KEY, KEYS, FRACTION_BITS, sums[transposed],
                     threads=threads)  # fmt: skip
    return np.ascontiguousarray(np.moveaxis(sums[False] + sums[True].transpose(1, 0, 2), 2, 0))


def sums_of_cells(
    grid: Grid, azimuths_deg: np.ndarray, window: Window, cells: tuple[np.ndarray, np.ndarray], table: np.ndarray,
    *, far: FarField, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Return what `sums_over_azimuths` returns of some cells, to the same bits: float32 (columns, cells).

    ``cells`` are rows and columns in the window.
    """
    count, values = len(cells[0]), table.shape[2]
    sums = {False: np.zeros((count, values), np.float32), True: np.zeros((count, values), np.float32)}
    for index, slope, transposed in horizon_slopes(grid, azimuths_deg, window, threads, only=cells):
        low, high, rise = far.seen(index, transposed)
        row, column = cells[::-1] if transposed else cells
        side_by_side(_add_some, row, column, slope, low, high, rise, far.step, table[index], FIRST_KEY, KEYS, FRACTION_BITS,
                     sums[transposed], threads=threads)  # fmt: skip
    return np.ascontiguousarray((sums[False] + sums[True]).T)


def moved_cells(
    grids: tuple[Grid, Grid], azimuths_deg: np.ndarray, window: Window, changed: Window, threads: int | None = None
) -> np.ndarray:
    """Return which cells of the window see another near horizon on the second grid, as far as tables tell horizons apart.

    ``changed`` holds all cells whose heights differ.
    """
    shape = (window.last_row - window.first_row, window.last_column - window.first_column)
    moved = {False: np.zeros(shape, dtype=np.bool_), True: np.zeros(shape[::-1], dtype=np.bool_)}
    old, new = (horizon_slopes(grid, azimuths_deg, window, threads, across=changed) for grid in grids)
    for (index, one, transposed), (_, two, _) in zip(old, new, strict=True):
        lines = Lines.along(grids[1], azimuths_deg[index])
        first = (window.first_row, window.first_column)
        first_row, first_column = first[::-1] if transposed else first
        begin, end = (line + lines.shift - first_column for line in lines.across(*astuple(changed)))
        side_by_side(_compare, one, two, begin[first_row:], end[first_row:], FIRST_KEY, KEYS, FRACTION_BITS, moved[transposed],
                     threads=threads)  # fmt: skip
    found: np.ndarray = moved[False] | moved[True].T
    return found


def refar_cells(
    grid: Grid, azimuths_deg: np.ndarray, window: Window, fields: tuple[FarField, FarField], threads: int | None = None
) -> np.ndarray:
    """Return which cells of the window see another skyline with the second far field, as far as tables tell.

    Cells stand at the same height between the nodes of both.
    """
    shape = (window.last_row - window.first_row, window.last_column - window.first_column)
    moved = {False: np.zeros(shape, dtype=np.bool_), True: np.zeros(shape[::-1], dtype=np.bool_)}
    then, now = fields
    moved_nodes = (then.low != now.low) | (then.high != now.high)
    wanted = np.flatnonzero(moved_nodes.any(axis=(1, 2)))
    row, column = np.nonzero(_cells_between(moved_nodes.any(axis=0), now.step, shape))
    if not len(row):
        return moved[False]
    for index, slope, transposed in horizon_slopes(grid, azimuths_deg[wanted], window, threads, only=(row, column)):
        before, after = (field.seen(int(wanted[index]), transposed) for field in fields)
        side_by_side(_compare_far, slope, *before[:2], *after, now.step, FIRST_KEY, KEYS, FRACTION_BITS, moved[transposed],
                     threads=threads)  # fmt: skip
    found: np.ndarray = moved[False] | moved[True].T
    return found


def _cells_between(nodes: np.ndarray, step: int, shape: tuple[int, int]) -> np.ndarray:
    """Return which cells have one of the marked ``nodes`` at a corner of the square that they lie in."""
    squares = nodes[:-1, :-1] | nodes[1:, :-1] | nodes[:-1, 1:] | nodes[1:, 1:]
    row, column = (np.arange(side) // step for side in shape)
    found: np.ndarray = squares[row][:, column]
    return found


def bilinear(nodes: np.ndarray, step: int, shape: tuple[int, int]) -> np.ndarray:
    """Return float32 values of all cells between nodes that stand ``step`` cells apart, the first at the first cell."""
    row, column = (np.arange(side) / step for side in shape)
    up, left = (np.minimum(place.astype(np.int64), side - 2) for place, side in zip((row, column), nodes.shape, strict=True))  # fmt: skip
    down_share, right_share = (row - up)[:, None], (column - left)[None, :]
    upper = nodes[up][:, left] * (1 - right_share) + nodes[up][:, left + 1] * right_share
    lower = nodes[up + 1][:, left] * (1 - right_share) + nodes[up + 1][:, left + 1] * right_share
    return (upper * (1 - down_share) + lower * down_share).astype(np.float32)


@compiled
def _add(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    slope, low, high, rise, step, table, first_key, keys, fraction_bits, sums, part, parts,
):  # fmt: skip
    rows, columns = slope.shape
    values = sums.shape[2]
    bits = slope.view(np.int32)
    one = np.float32(1.0)
    far = high.max() > 0 or low.max() > 0
    low_row, high_row = np.empty(low.shape[1], dtype=np.float32), np.empty(low.shape[1], dtype=np.float32)
    behind = np.zeros(1, dtype=np.float32)
    behind_bits = behind.view(np.int32)
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        above, to = slope[row], sums[row]
        if far:
            node = row // step
            share = np.float32(row - node * step) / np.float32(step)
            for place in range(len(low_row)):
                low_row[place] = low[node, place] * (one - share) + low[node + 1, place] * share
                high_row[place] = high[node, place] * (one - share) + high[node + 1, place] * share
        for column in range(columns):
            up = above[column]
            key = bits[row, column]
            if np.isnan(up):
                for value in range(values):
                    to[column, value] = np.nan
                continue
            if far:
                node = column // step
                share = np.float32(column - node * step) / np.float32(step)
                lower = low_row[node] * (one - share) + low_row[node + 1] * share
                higher = high_row[node] * (one - share) + high_row[node + 1] * share
                behind[0] = lower + (higher - lower) * rise[row, column]
                if behind[0] > up:
                    key = behind_bits[0]
            # a negative horizon has a negative key
            entry = min(max((key >> fraction_bits) - first_key, 0), keys - 1)
            worth, total = table[entry], to[column]
            for value in range(0, values, 4):
                total[value] += worth[value]
                total[value + 1] += worth[value + 1]
                total[value + 2] += worth[value + 2]
                total[value + 3] += worth[value + 3]


@compiled
def _add_some(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows, columns, slope, low, high, rise, step, table, first_key, keys, fraction_bits, sums, part, parts,
):  # fmt: skip
    # step for step as in `_add`, so that every bit is the same
    values = sums.shape[1]
    bits = slope.view(np.int32)
    one = np.float32(1.0)
    far = high.max() > 0 or low.max() > 0
    behind = np.zeros(1, dtype=np.float32)
    behind_bits = behind.view(np.int32)
    for cell in range(part, len(rows), parts):
        row, column, total = rows[cell], columns[cell], sums[cell]
        up = slope[row, column]
        key = bits[row, column]
        if np.isnan(up):
            for value in range(values):
                total[value] = np.nan
            continue
        if far:
            upper, left = row // step, column // step
            down = np.float32(row - upper * step) / np.float32(step)
            right = np.float32(column - left * step) / np.float32(step)
            low_left = low[upper, left] * (one - down) + low[upper + 1, left] * down
            low_right = low[upper, left + 1] * (one - down) + low[upper + 1, left + 1] * down
            high_left = high[upper, left] * (one - down) + high[upper + 1, left] * down
            high_right = high[upper, left + 1] * (one - down) + high[upper + 1, left + 1] * down
            lower = low_left * (one - right) + low_right * right
            higher = high_left * (one - right) + high_right * right
            behind[0] = lower + (higher - lower) * rise[row, column]
            if behind[0] > up:
                key = behind_bits[0]
        worth = table[min(max((key >> fraction_bits) - first_key, 0), keys - 1)]
        for value in range(values):
            total[value] += worth[value]


@compiled
def _compare(one, two, begin, end, first_key, keys, fraction_bits, moved, part, parts):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows, columns = one.shape
    before, after = one.view(np.int32), two.view(np.int32)
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        for column in range(max(begin[row], 0), min(end[row], columns)):
            if before[row, column] == after[row, column]:
                continue
            old = min(max((before[row, column] >> fraction_bits) - first_key, 0), keys - 1)
            new = min(max((after[row, column] >> fraction_bits) - first_key, 0), keys - 1)
            if old != new or np.isnan(one[row, column]) != np.isnan(two[row, column]):
                moved[row, column] = True


@compiled
def _compare_far(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    slope, old_low, old_high, new_low, new_high, rise, step, first_key, keys, fraction_bits, moved, part, parts,
):  # fmt: skip
    rows, columns = slope.shape
    one = np.float32(1.0)
    found = np.zeros(2, dtype=np.float32)
    bits = found.view(np.int32)
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        upper = row // step
        down = np.float32(row - upper * step) / np.float32(step)
        for column in range(columns):
            up = slope[row, column]
            left = column // step
            alike = True
            for place in range(left, left + 2):
                for node in range(upper, upper + 2):
                    alike &= (
                        old_low[node, place] == new_low[node, place] and old_high[node, place] == new_high[node, place]
                    )
            if alike or np.isnan(up):
                continue
            right = np.float32(column - left * step) / np.float32(step)
            for turn in range(2):
                low, high = (old_low, old_high) if turn == 0 else (new_low, new_high)
                low_left = low[upper, left] * (one - down) + low[upper + 1, left] * down
                low_right = low[upper, left + 1] * (one - down) + low[upper + 1, left + 1] * down
                high_left = high[upper, left] * (one - down) + high[upper + 1, left] * down
                high_right = high[upper, left + 1] * (one - down) + high[upper + 1, left + 1] * down
                lower = low_left * (one - right) + low_right * right
                higher = high_left * (one - right) + high_right * right
                found[turn] = max(lower + (higher - lower) * rise[row, column], up)
            # both are at or above the near horizon; what lies below the level counts as the level does
            old = min(max((bits[0] >> fraction_bits) - first_key, 0), keys - 1)
            new = min(max((bits[1] >> fraction_bits) - first_key, 0), keys - 1)
            if old != new:
                moved[row, column] = True
