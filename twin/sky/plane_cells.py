"""Which cells of the surface stand for which roof plane.

A cell belongs to the plane that its centre lies in. Cells at a plane's rim are left out: their height may be that of the
ground or of a neighbour, which adds several points of false shading. A plane that has no cells left keeps its rim, and
one so small that it holds no cell centre is looked at in the cell under it; a flag tells which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import rasterio.features
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from twin.sky.compiled import compiled
from twin.sky.horizon import Window
from twin.sky.lines import Grid, checked_cell_size


class Sampling(IntEnum):
    """Where a plane's horizon was taken."""

    INTERIOR = 0
    """In its cells, without the outermost."""
    WITH_RIM = 1
    """In all its cells: there are none further in."""
    ONE_CELL = 2
    """In the cell under it: it is smaller than a cell."""
    NO_SURFACE = 3
    """Nowhere: no cell under it has a height. It counts as free."""


SAMPLING_TEXT: dict[Sampling, tuple[str, str]] = {
    Sampling.INTERIOR: ("지붕면 안쪽 격자", "cells inside the plane"),
    Sampling.WITH_RIM: ("작은 지붕면: 가장자리 격자 포함", "small plane: cells at its rim included"),
    Sampling.ONE_CELL: ("격자보다 작은 지붕면: 격자 하나", "plane smaller than a cell: one cell"),
    Sampling.NO_SURFACE: ("표면 높이 없음: 음영을 계산하지 않음", "no surface height here: shading was not computed"),
}
"""Korean and English words for each flag."""


@dataclass(frozen=True)
class PlaneCells:
    """Cells of each plane, in the order of rows and columns.

    Cells of plane ``p`` are ``cell[start[p]:start[p + 1]]``: flat indices into ``window``.
    """

    window: Window
    start: np.ndarray
    cell: np.ndarray
    sampling: np.ndarray
    """`Sampling` of each plane, uint8."""
    height_m: np.ndarray
    """Mean height of each plane's cells; NaN where there is no surface."""

    def __len__(self) -> int:
        """Return the number of planes."""
        return len(self.sampling)

    def on_grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Return row and column of each of ``cell`` in the grid."""
        row, column = np.divmod(self.cell.astype(np.int64), max(self.window.last_column - self.window.first_column, 1))
        return row + self.window.first_row, column + self.window.first_column

    def take(self, planes: np.ndarray) -> PlaneCells:
        """Return the cells of some planes, in the order asked for, in a window no larger than these need."""
        wanted = np.asarray(planes, dtype=np.int64)
        begin, sizes = self.start[wanted], np.diff(self.start)[wanted]
        start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        source = np.repeat(begin - start[:-1], sizes) + np.arange(start[-1])
        row, column = (of_all[source] for of_all in self.on_grid())
        window = Window(0, 0, 0, 0)
        if len(source):
            window = Window(int(row.min()), int(row.max()) + 1, int(column.min()), int(column.max()) + 1)
        width = window.last_column - window.first_column
        cell = ((row - window.first_row) * width + column - window.first_column).astype(self.cell.dtype)
        return PlaneCells(window, start, cell, self.sampling[wanted], self.height_m[wanted])

    def transposed(self) -> np.ndarray:
        """Return ``cell`` as flat indices into the transposed window."""
        height = self.window.last_row - self.window.first_row
        width = self.window.last_column - self.window.first_column
        row, column = np.divmod(self.cell, width)
        return (column * height + row).astype(self.cell.dtype)


def plane_cells(shapes: Sequence[BaseGeometry] | np.ndarray, grid: Grid, west: float, north: float) -> PlaneCells:
    """Return the cells of planes given as polygons.

    Parameters
    ----------
    shapes : outlines of the planes in a CRS in metres; where they overlap the later one counts
    grid : surface
    west, north : coordinates of its north-western corner [m]

    Raises
    ------
    InputError
        If a plane has no geometry.
    """
    outlines = np.asarray(shapes, dtype=object)
    hollow = shapely.is_missing(outlines) | shapely.is_empty(outlines)
    if hollow.any():
        raise InputError(f"roof plane {int(np.flatnonzero(hollow)[0])} has no geometry; leave such planes out")
    size = grid.cell_size_m
    if len(outlines) == 0:
        return cells_by_number(np.zeros(grid.heights.shape, dtype=np.int32), 0, grid, np.empty((0, 2), dtype=np.int64))
    numbers = rasterio.features.rasterize(
        zip(outlines, range(1, len(outlines) + 1), strict=True),
        out_shape=grid.heights.shape, transform=Affine(size, 0.0, west, 0.0, -size, north), dtype="int32",
    )  # fmt: skip
    points = shapely.get_coordinates(shapely.point_on_surface(outlines))
    under = np.column_stack([np.floor((north - points[:, 1]) / size), np.floor((points[:, 0] - west) / size)])
    return cells_by_number(numbers, len(outlines), grid, under.astype(np.int64))


def cells_by_number(numbers: np.ndarray, count: int, grid: Grid, under: npt.ArrayLike | None = None) -> PlaneCells:
    """Return the cells of planes given as a raster.

    Parameters
    ----------
    numbers : int32, shape of the surface: 1 for the first plane, 0 for none
    count : number of planes
    grid : surface; cells without height count for no plane
    under : (planes, 2) row and column of a cell under each plane, for those that hold no cell centre

    Raises
    ------
    InputError
        If ``numbers`` does not lie on the surface.
    """
    heights = grid.heights
    if numbers.shape != heights.shape:
        raise InputError(f"planes have {numbers.shape} cells, the surface has {heights.shape}")
    numbers = np.ascontiguousarray(numbers, dtype=np.int32)
    inner = np.zeros(count + 1, dtype=np.int64)
    whole = np.zeros(count + 1, dtype=np.int64)
    bounds = np.array([heights.shape[0], 0, heights.shape[1], 0], dtype=np.int64)
    _count(numbers, heights, inner, whole, bounds)
    sampling = np.full(count, Sampling.INTERIOR, dtype=np.uint8)
    sampling[inner[1:] == 0] = Sampling.WITH_RIM
    sampling[whole[1:] == 0] = Sampling.NO_SURFACE
    spot = (
        np.zeros((count, 2), dtype=np.int64) if under is None else np.asarray(under, dtype=np.int64).reshape(count, 2)
    )
    if under is not None:
        on_array = np.all((spot >= 0) & (spot < heights.shape), axis=1)
        on_surface = on_array.copy()
        on_surface[on_array] = ~np.isnan(heights[spot[on_array, 0], spot[on_array, 1]])
        sampling[(sampling == Sampling.NO_SURFACE) & on_surface] = Sampling.ONE_CELL
    single = sampling == Sampling.ONE_CELL
    if single.any():
        bounds[0], bounds[2] = min(bounds[0], spot[single, 0].min()), min(bounds[2], spot[single, 1].min())
        bounds[1], bounds[3] = max(bounds[1], spot[single, 0].max() + 1), max(bounds[3], spot[single, 1].max() + 1)
    if bounds[0] >= bounds[1]:
        bounds[:] = 0
    sizes = np.select(
        [sampling == Sampling.INTERIOR, sampling == Sampling.WITH_RIM, single], [inner[1:], whole[1:], 1], 0
    )
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    cell = np.empty(start[-1], dtype=np.int32 if heights.size < 2**31 else np.int64)
    sums = np.zeros(count)
    _collect(numbers, heights, sampling, spot, bounds, start[:-1].copy(), cell, sums)
    with np.errstate(invalid="ignore"):
        mean = sums / sizes
    return PlaneCells(Window(*(int(edge) for edge in bounds)), start, cell, sampling, mean)


def check_metric(crs: object, cell_size_m: object) -> float:
    """Return the cell size after checking that planes and surface lie in a CRS in metres.

    Raises
    ------
    InputError
        If the CRS is unknown, geographic or not in metres, or the cell size unusable.
    """
    known = rasterio.crs.CRS.from_user_input(crs) if crs else None
    if known is None or not known.is_projected or known.linear_units not in ("metre", "meter", "m"):
        raise InputError(
            f"the surface's CRS is {known or 'unknown'}; shading needs a CRS in metres such as EPSG:5186, so reproject it first"
        )
    return checked_cell_size(cell_size_m)


@compiled
def _count(numbers, heights, inner, whole, bounds):  # type: ignore[no-untyped-def]
    rows, columns = numbers.shape
    for row in range(rows):
        for column in range(columns):
            plane = numbers[row, column]
            if plane == 0 or heights[row, column] != heights[row, column]:
                continue
            whole[plane] += 1
            bounds[0], bounds[1] = min(bounds[0], row), max(bounds[1], row + 1)
            bounds[2], bounds[3] = min(bounds[2], column), max(bounds[3], column + 1)
            if 0 < row < rows - 1 and 0 < column < columns - 1:
                alike = True
                for down in range(-1, 2):
                    for right in range(-1, 2):
                        alike &= numbers[row + down, column + right] == plane
                if alike:
                    inner[plane] += 1


@compiled
def _collect(numbers, heights, sampling, spot, bounds, place, cell, sums):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows, columns = numbers.shape
    width = bounds[3] - bounds[2]
    for row in range(bounds[0], bounds[1]):
        for column in range(bounds[2], bounds[3]):
            plane = numbers[row, column] - 1
            if plane < 0 or heights[row, column] != heights[row, column]:
                continue
            if sampling[plane] == 0:
                if row == 0 or row == rows - 1 or column == 0 or column == columns - 1:
                    continue
                alike = True
                for down in range(-1, 2):
                    for right in range(-1, 2):
                        alike &= numbers[row + down, column + right] == plane + 1
                if not alike:
                    continue
            cell[place[plane]] = (row - bounds[0]) * width + column - bounds[2]
            place[plane] += 1
            sums[plane] += heights[row, column]
    for plane in range(len(sampling)):
        if sampling[plane] == 2:
            row, column = spot[plane]
            cell[place[plane]] = (row - bounds[0]) * width + column - bounds[2]
            sums[plane] += heights[row, column]
