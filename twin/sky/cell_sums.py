"""Sums over azimuths of tabulated whole numbers for every cell, from horizons that are swept and forgotten one by one.

Whole numbers add up to the same sum in any order. After an edit only what moved is therefore taken out of a cell's sum and
put in anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from twin.sky.compiled import compiled, side_by_side
from twin.sky.horizon import Window, horizon_slopes
from twin.sky.lines import Grid, Lines
from twin.sky.sun_table import FIRST_KEY, FRACTION_BITS, KEYS

SKIPPED = 255
"""Mix of a cell that gets nothing from a surface."""
_VALUES = 4
_KEY = (FIRST_KEY, KEYS, FRACTION_BITS)


@dataclass(frozen=True)
class Surface:
    """A surface to be swept, and what its horizons are worth."""

    grid: Grid
    table: np.ndarray
    """int32 (azimuths, `KEYS`, 8): four values, and four to be added for every step of a cell's mix; see `twin.sky.cell_light.Light`."""
    mix: np.ndarray
    """uint8 (rows, columns of the window), `SKIPPED` for cells that get nothing."""


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


class _Sums:
    """Sums of a window's cells, kept in both layouts in which horizons come."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._parts = {False: np.zeros((*shape, _VALUES), np.int32), True: np.zeros((*shape[::-1], _VALUES), np.int32)}

    def laid_out(self, transposed: bool) -> np.ndarray:
        """Return the sums that horizons of this layout are added to."""
        return self._parts[transposed]

    def all(self) -> np.ndarray:
        """Return int32 (4, rows, columns)."""
        return np.ascontiguousarray(np.moveaxis(self._parts[False] + self._parts[True].transpose(1, 0, 2), 2, 0))


def sums_over_azimuths(
    surfaces: Sequence[Surface], azimuths_deg: np.ndarray, window: Window, far: FarField, *, threads: int | None = None
) -> np.ndarray:
    """Return for each cell of the window the sum over surfaces and azimuths of what tables hold at its horizon.

    Parameters
    ----------
    surfaces : all on one grid
    azimuths_deg : (azimuths,)
    far : skyline beyond the grid, which no horizon is below

    Returns
    -------
    int32 (4, rows, columns of the window); anything where a surface is NaN
    """
    sums = _Sums(_shape(window))
    for surface in surfaces:
        mix = _both_layouts(surface.mix)
        for index, slope, transposed in horizon_slopes(surface.grid, azimuths_deg, window, threads):
            side_by_side(_add, slope, *far.seen(index, transposed), far.step, mix[transposed], surface.table[index], *_KEY,
                         sums.laid_out(transposed), threads=threads)  # fmt: skip
    return sums.all()


def sums_of_cells(
    surfaces: Sequence[Surface], azimuths_deg: np.ndarray, window: Window, cells: tuple[np.ndarray, np.ndarray], far: FarField,
    *, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Return what `sums_over_azimuths` returns of some cells, int32 (4, cells); ``cells`` are rows and columns in the window."""
    sums = np.zeros((len(cells[0]), _VALUES), np.int32)
    for surface in surfaces:
        mix = _both_layouts(surface.mix)
        for index, slope, transposed in horizon_slopes(surface.grid, azimuths_deg, window, threads, only=cells):
            row, column = cells[::-1] if transposed else cells
            side_by_side(_add_some, row, column, slope, *far.seen(index, transposed), far.step, mix[transposed], surface.table[index],
                         *_KEY, sums, threads=threads)  # fmt: skip
    return np.ascontiguousarray(sums.T)


def moved_sums(
    grids: tuple[Grid, Grid], surface: Surface, azimuths_deg: np.ndarray, window: Window, far: FarField,
    *, changed: Window, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Return by how much a surface's sums differ on the second grid from those on the first: int32 (4, rows, columns).

    ``changed`` holds all cells whose heights differ; what is returned for these themselves has no meaning.
    """
    sums, mix = _Sums(_shape(window)), _both_layouts(surface.mix)
    old, new = (horizon_slopes(grid, azimuths_deg, window, threads, across=changed) for grid in grids)
    for (index, one, transposed), (_, two, _) in zip(old, new, strict=True):
        lines = Lines.along(grids[1], azimuths_deg[index])
        first = (window.first_row, window.first_column)
        first_row, first_column = first[::-1] if transposed else first
        begin, end = (line + lines.shift - first_column for line in lines.across(*astuple(changed)))
        side_by_side(_add_moved, one, two, begin[first_row:], end[first_row:], *far.seen(index, transposed), far.step,
                     mix[transposed], surface.table[index], *_KEY, sums.laid_out(transposed), threads=threads)  # fmt: skip
    return sums.all()


def refar_sums(
    surface: Surface,
    azimuths_deg: np.ndarray,
    window: Window,
    fields: tuple[FarField, FarField],
    *,
    threads: int | None = None,
) -> np.ndarray:
    """Return by how much sums with the second far field differ from those with the first: int32 (4, rows, columns).

    Cells stand at the same height between the nodes of both.
    """
    shape = _shape(window)
    sums, mix = _Sums(shape), _both_layouts(surface.mix)
    then, now = fields
    moved_nodes = (then.low != now.low) | (then.high != now.high)
    wanted = np.flatnonzero(moved_nodes.any(axis=(1, 2)))
    row, column = np.nonzero(_cells_between(moved_nodes.any(axis=0), now.step, shape))
    if not len(row):
        return sums.all()
    for index, slope, transposed in horizon_slopes(
        surface.grid, azimuths_deg[wanted], window, threads, only=(row, column)
    ):
        azimuth = int(wanted[index])
        before, after = (field.seen(azimuth, transposed) for field in fields)
        side_by_side(_add_refar, slope, *before[:2], *after, now.step, mix[transposed], surface.table[azimuth], *_KEY,
                     sums.laid_out(transposed), threads=threads)  # fmt: skip
    return sums.all()


def _shape(window: Window) -> tuple[int, int]:
    return window.last_row - window.first_row, window.last_column - window.first_column


def _both_layouts(cells: np.ndarray) -> dict[bool, np.ndarray]:
    return {False: np.ascontiguousarray(cells), True: np.ascontiguousarray(cells.T)}


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
    slope, low, high, rise, step, mix, table, first_key, keys, fraction_bits, sums, part, parts,
):  # fmt: skip
    rows, columns = slope.shape
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
            kind = np.int32(mix[row, column])
            if kind == SKIPPED:
                continue
            key = bits[row, column]
            if far:
                node = column // step
                share = np.float32(column - node * step) / np.float32(step)
                lower = low_row[node] * (one - share) + low_row[node + 1] * share
                higher = high_row[node] * (one - share) + high_row[node + 1] * share
                behind[0] = lower + (higher - lower) * rise[row, column]
                if behind[0] > above[column]:
                    key = behind_bits[0]
            # a negative horizon has a negative key
            worth, total = table[min(max((key >> fraction_bits) - first_key, 0), keys - 1)], to[column]
            for value in range(4):
                total[value] += worth[value] + kind * worth[value + 4]


@compiled
def _add_some(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows, columns, slope, low, high, rise, step, mix, table, first_key, keys, fraction_bits, sums, part, parts,
):  # fmt: skip
    # step for step as in `_add`, so that every horizon is the same
    bits = slope.view(np.int32)
    one = np.float32(1.0)
    far = high.max() > 0 or low.max() > 0
    behind = np.zeros(1, dtype=np.float32)
    behind_bits = behind.view(np.int32)
    for cell in range(part, len(rows), parts):
        row, column, total = rows[cell], columns[cell], sums[cell]
        kind = np.int32(mix[row, column])
        if kind == SKIPPED:
            continue
        key = bits[row, column]
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
            if behind[0] > slope[row, column]:
                key = behind_bits[0]
        worth = table[min(max((key >> fraction_bits) - first_key, 0), keys - 1)]
        for value in range(4):
            total[value] += worth[value] + kind * worth[value + 4]


@compiled
def _add_moved(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    one_slope, two_slope, begin, end, low, high, rise, step, mix, table, first_key, keys, fraction_bits, sums, part, parts,
):  # fmt: skip
    rows, columns = one_slope.shape
    before, after = one_slope.view(np.int32), two_slope.view(np.int32)
    one = np.float32(1.0)
    far = high.max() > 0 or low.max() > 0
    behind = np.zeros(1, dtype=np.float32)
    behind_bits = behind.view(np.int32)
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        upper = row // step
        down = np.float32(row - upper * step) / np.float32(step)
        for column in range(max(begin[row], 0), min(end[row], columns)):
            old_key, new_key = before[row, column], after[row, column]
            kind = np.int32(mix[row, column])
            if old_key == new_key or kind == SKIPPED:
                continue
            if far:
                left = column // step
                right = np.float32(column - left * step) / np.float32(step)
                low_left = low[upper, left] * (one - down) + low[upper + 1, left] * down
                low_right = low[upper, left + 1] * (one - down) + low[upper + 1, left + 1] * down
                high_left = high[upper, left] * (one - down) + high[upper + 1, left] * down
                high_right = high[upper, left + 1] * (one - down) + high[upper + 1, left + 1] * down
                lower = low_left * (one - right) + low_right * right
                higher = high_left * (one - right) + high_right * right
                behind[0] = lower + (higher - lower) * rise[row, column]
                if behind[0] > one_slope[row, column]:
                    old_key = behind_bits[0]
                if behind[0] > two_slope[row, column]:
                    new_key = behind_bits[0]
            old = min(max((old_key >> fraction_bits) - first_key, 0), keys - 1)
            new = min(max((new_key >> fraction_bits) - first_key, 0), keys - 1)
            if old != new:
                lost, won, total = table[old], table[new], sums[row, column]
                for value in range(4):
                    total[value] += won[value] - lost[value] + kind * (won[value + 4] - lost[value + 4])


@compiled
def _add_refar(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    slope, old_low, old_high, new_low, new_high, rise, step, mix, table, first_key, keys, fraction_bits, sums, part, parts,
):  # fmt: skip
    rows, columns = slope.shape
    one = np.float32(1.0)
    found = np.zeros(2, dtype=np.float32)
    bits = found.view(np.int32)
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        upper = row // step
        down = np.float32(row - upper * step) / np.float32(step)
        for left in range((columns + step - 1) // step):
            alike = True
            for place in range(left, left + 2):
                for node in range(upper, upper + 2):
                    alike &= (
                        old_low[node, place] == new_low[node, place] and old_high[node, place] == new_high[node, place]
                    )
            if alike:
                continue
            for column in range(left * step, min((left + 1) * step, columns)):
                kind, up = np.int32(mix[row, column]), slope[row, column]
                if kind == SKIPPED or np.isnan(up):
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
                    lost, won, total = table[old], table[new], sums[row, column]
                    for value in range(4):
                        total[value] += won[value] - lost[value] + kind * (won[value + 4] - lost[value + 4])
