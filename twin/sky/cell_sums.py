"""Sums over azimuths of tabulated values for every cell, from horizons that are swept and forgotten one by one."""

from __future__ import annotations

import numpy as np

from twin.sky.compiled import compiled, side_by_side
from twin.sky.horizon import Window, horizon_slopes
from twin.sky.lines import Grid
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
        self.step = step
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
