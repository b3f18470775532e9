"""The skylines of a tile after an edit, from those before it: only lines of sight that the edit touches are swept again.

The result is that of `twin.sky.tiles.sweep_tile`, bit for bit: horizons are counted in whole numbers, so cells that see another
horizon than before move from bin to bin. Planes that are new or stand on other cells are swept in all directions, as ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from twin.sky.horizon import Window
from twin.sky.lines import Grid
from twin.sky.plane_cells import PlaneCells, plane_cells
from twin.sky.planes import HorizonDistribution, reduce_horizons, updated_horizons

_MOST_CHANGED = 1 / 3
"""Of the rows or columns of a tile; where changes lie further apart, a whole sweep is hardly dearer."""


@dataclass(frozen=True)
class PlaneTable:
    """Outlines and orientation of the planes of one tile."""

    shapes: np.ndarray
    tilt_deg: np.ndarray
    azimuth_deg: np.ndarray

    def __len__(self) -> int:
        """Return the number of planes."""
        return len(self.shapes)

    def take(self, rows: np.ndarray) -> PlaneTable:
        """Return some of the planes, in the order asked for."""
        return PlaneTable(self.shapes[rows], self.tilt_deg[rows], self.azimuth_deg[rows])

    def among(self, others: PlaneTable) -> np.ndarray:
        """Return the position of the same plane in ``others``, -1 where there is none."""
        mine, theirs = (
            pd.MultiIndex.from_arrays([shapely.to_wkb(t.shapes), t.tilt_deg, t.azimuth_deg]) for t in (self, others)
        )
        found: np.ndarray = theirs[~theirs.duplicated()].get_indexer(mine)
        first = np.flatnonzero(~theirs.duplicated())
        return np.where(found >= 0, first[found], -1) if len(first) else found


@dataclass(frozen=True)
class TileState:
    """A tile at one time: its planes and the heights of its rectangle."""

    planes: PlaneTable
    grid: Grid
    west: float
    north: float

    def cells(self) -> PlaneCells:
        """Return the cells that stand for the planes."""
        return plane_cells(self.planes.shapes, self.grid, self.west, self.north)


def differing(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return which cells differ between two arrays of one shape; NaN equals NaN."""
    found: np.ndarray = (before != after) & ~(np.isnan(before) & np.isnan(after))
    return found


def window_of(cells: np.ndarray) -> Window | None:
    """Return the rectangle that holds all marked ``cells``; None where none is."""
    rows = np.flatnonzero(cells.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(cells[rows[0] : rows[-1] + 1].any(axis=0))
    return Window(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)


def is_wide(changed: Window, shape: tuple[int, ...]) -> bool:
    """Tell whether ``changed`` reaches so far across an array that lines through it are hardly fewer than all."""
    rows, columns = changed.last_row - changed.first_row, changed.last_column - changed.first_column
    return max(rows / shape[0], columns / shape[1]) > _MOST_CHANGED


def updated_tile(
    before: HorizonDistribution, then: TileState, now: TileState, *, threads: int | None = None
) -> HorizonDistribution | None:
    """Return the skylines of a tile ``now``, or None where so much has changed that a whole sweep is as quick.

    ``before`` are the skylines of ``then``, which is the same rectangle.
    """
    planes, grid = now.planes, now.grid
    changed = window_of(differing(then.grid.heights, grid.heights))
    if changed is not None and is_wide(changed, grid.heights.shape):
        return None
    cells = now.cells()
    old = planes.among(then.planes)
    kept = np.flatnonzero(old >= 0)
    kept = kept[_same_cells(cells.take(kept), then.cells(), old[kept])]
    fresh = np.setdiff1d(np.arange(len(planes)), kept)
    parts, places = [], []
    if len(kept):
        seen = before.take(old[kept])
        if changed is not None:
            table = planes.take(kept)
            seen = updated_horizons(
                seen, (then.grid, grid), cells.take(kept), table.tilt_deg, table.azimuth_deg, changed=changed, threads=threads
            )  # fmt: skip
        parts.append(seen)
        places.append(kept)
    if len(fresh):
        table, near = planes.take(fresh), tuple(before.near[0].tolist())
        parts.append(
            reduce_horizons(
                grid, cells.take(fresh), table.tilt_deg, table.azimuth_deg, before.azimuths_deg, near=near, threads=threads
            )
        )  # fmt: skip
        places.append(fresh)
    return HorizonDistribution.join(parts, places)


def _same_cells(cells: PlaneCells, others: PlaneCells, at: np.ndarray) -> np.ndarray:
    """Return which planes stand on the same cells as those ``at`` these positions of ``others``, at the same height."""
    those = others.take(at)
    same = (np.diff(cells.start) == np.diff(those.start)) & (cells.sampling == those.sampling)
    same &= (cells.height_m == those.height_m) | (np.isnan(cells.height_m) & np.isnan(those.height_m))
    alike = np.flatnonzero(same)
    one, two = cells.take(alike), those.take(alike)
    unequal = np.zeros(len(one.cell), dtype=bool)
    for mine, theirs in zip(one.on_grid(), two.on_grid(), strict=True):
        unequal |= mine != theirs
    total = np.concatenate([[0], np.cumsum(unequal)])
    same[alike] = total[one.start[1:]] == total[one.start[:-1]]
    return same
