"""Sheared grid lines: how a raster is cut into parallel lines of sight without gaps and without resampling its cells.

For an azimuth the major axis is the one closer to it. Line ``j`` runs along it and moves sideways by ``slope`` cells
(at most one) per cell. The cell nearest to the line in each step belongs to it, so that every cell lies on exactly one
line, and what is found along a line lands in place. Heights are interpolated across the line, between the two cells
that it passes; without that, tilted roofs would shade themselves. Where neighbours differ by a wall
(more than `WALL_SLOPE`), the height is continued with the slope of the cell's own side instead, and the wall stands on
the border between the cells.

Lines are fixed to the grid that ``Grid.row0`` and ``Grid.column0`` count in, not to the array given: a tile and the
whole town are cut by the same lines. Opposite azimuths share their lines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real

import numpy as np
import numpy.typing as npt

from geodata.errors import InputError
from twin.sky.compiled import compiled, side_by_side

WALL_SLOPE = 2.0
"""Rise over run between neighbouring cells beyond which the step is a wall: 63 deg, steeper than any pitched roof."""
SMALLEST_CELL_M = 0.01
_CHUNK = 32
"""Cells of a row that are looked through for walls together."""


@dataclass(frozen=True)
class Grid:
    """A north-up height raster.

    ``heights`` is float32 (rows, columns) in metres, row 0 in the north; NaN is a hole. ``row0`` and ``column0`` tell
    where its first cell lies in the grid of the whole town.
    """

    heights: np.ndarray
    cell_size_m: float
    row0: int = 0
    column0: int = 0

    @cached_property
    def transposed(self) -> np.ndarray:
        """The heights with the west in row 0, so that east-west lines are swept as fast as north-south ones."""
        return np.ascontiguousarray(self.heights.T)

    @classmethod
    def of(cls, surface: npt.ArrayLike, cell_size_m: float, row0: int = 0, column0: int = 0) -> Grid:
        """Return the grid of ``surface`` after checking it.

        Raises
        ------
        InputError
            If the surface is not two-dimensional, is empty, holds infinite heights or no height at all; if the cell
            size is not one positive number of metres.
        """
        heights = np.ascontiguousarray(surface, dtype=np.float32)
        if heights.ndim != 2 or heights.size == 0:
            raise InputError(f"a surface is an array of rows x columns, this one has the shape {heights.shape}")
        size = checked_cell_size(cell_size_m)
        if np.isinf(heights).any():
            raise InputError("the surface holds infinite heights; mark cells without height as NaN")
        if np.isnan(heights).all():
            raise InputError("no cell of the surface has a height; check the nodata value and the extent of the raster")
        return cls(heights, size, row0, column0)


def checked_cell_size(cell_size_m: object) -> float:
    """Return the cell size as a float.

    Raises
    ------
    InputError
        If it is a pair (cells must be square), not a positive number, or so small that it must be degrees.
    """
    if not isinstance(cell_size_m, Real):
        raise InputError(
            f"cell_size_m is {cell_size_m!r}, but cells must be square and their size one number in metres; "
            "resample a raster with other cells first, for example with gdalwarp -tr 0.5 0.5"
        )
    size = float(cell_size_m)
    if not math.isfinite(size) or size <= 0:
        raise InputError(f"cell_size_m is {size:g}; it must be a positive number of metres")
    if size < SMALLEST_CELL_M:
        raise InputError(
            f"cell_size_m is {size:g}, as if in degrees; reproject the surface to a CRS in metres such as EPSG:5186"
        )
    return size


def checked_azimuths(azimuths: int | Sequence[float] | np.ndarray) -> np.ndarray:
    """Return azimuths [deg, clockwise from north, 0 to 360]: that many evenly from north, or the given ones.

    Raises
    ------
    InputError
        If there are none, or one is not finite.
    """
    if isinstance(azimuths, int | np.integer):
        if azimuths < 1:
            raise InputError(f"azimuths is {azimuths}; at least one direction is needed")
        return np.arange(int(azimuths)) * (360.0 / int(azimuths))
    given = np.atleast_1d(np.asarray(azimuths, dtype=np.float64))
    if given.ndim != 1 or given.size == 0 or not np.isfinite(given).all():
        raise InputError("azimuths must be a number of directions or a list of finite degrees clockwise from north")
    return np.mod(given, 360.0)


@dataclass(frozen=True)
class Lines:
    """The lines of a grid along one azimuth and its opposite.

    A frame is the raster itself, or its transpose if ``transposed``. In step ``y`` (row of the frame) line ``j``
    passes the cell in column ``j + shift[y]`` and crosses the row ``offset[y]`` columns beyond that cell's centre.
    """

    transposed: bool
    shift: np.ndarray
    offset: np.ndarray
    step_m: float
    """Distance between two steps along the line."""

    @classmethod
    def along(cls, grid: Grid, azimuth_deg: float) -> Lines:
        """Return the lines of ``grid`` along ``azimuth_deg``."""
        # opposite directions get the very same lines
        radians = math.radians(azimuth_deg % 180.0)
        east, north = math.sin(radians), math.cos(radians)
        rows, columns = grid.heights.shape
        transposed = abs(east) > abs(north) * (1 + 1e-12)
        # rows count southward, so a line that leads north-east loses rows as it gains columns
        slope = -north / east if transposed else -east / north
        slope = float(round(slope)) if abs(slope - round(slope)) < 1e-12 else slope
        start, count, across = (grid.column0, columns, grid.row0) if transposed else (grid.row0, rows, grid.column0)
        position = slope * np.arange(start, start + count, dtype=np.float64)
        cell = np.floor(position + 0.5)
        return cls(
            transposed=transposed,
            shift=cell.astype(np.int64) - across,
            offset=(position - cell).astype(np.float32),
            step_m=grid.cell_size_m * math.hypot(1.0, slope),
        )

    def looks_back(self, azimuth_deg: float) -> bool:
        """Return True if ``azimuth_deg`` looks toward later rows of the frame (south, or east if transposed)."""
        radians = math.radians(azimuth_deg)
        return math.sin(radians) > 0 if self.transposed else math.cos(radians) < 0

    def across(self, first_row: int, last_row: int, first_column: int, last_column: int) -> tuple[int, int]:
        """Return the lines whose heights depend on cells of a window of the raster: the first, and the first beyond.

        A line looks at the cells beside it, too, and where there are walls at those before and after.
        """
        bounds = first_row - 1, last_row + 1, first_column - 1, last_column + 1
        low, high, left, right = (*bounds[2:], *bounds[:2]) if self.transposed else bounds
        shift = self.shift[max(low, 0) : high]
        return left - int(shift.max()), right - int(shift.min())

    def spans(
        self, first_row: int, last_row: int, first_column: int, last_column: int
    ) -> tuple[int, np.ndarray, np.ndarray]:
        """Return which lines cross a window of the frame, and where.

        Returns
        -------
        number of the first line, and for it and all further ones the first row inside and the first row beyond
        (equal where the line misses the window)
        """
        shift = self.shift[first_row:last_row]
        low, high = int(shift.min()), int(shift.max())
        line = np.arange(first_column - high, last_column - low)
        falling = shift[0] > shift[-1]
        rising = shift[::-1] if falling else shift
        # the line is inside while first_column - line <= shift < last_column - line
        start = np.searchsorted(rising, first_column - line, side="left")
        stop = np.searchsorted(rising, last_column - line, side="left")
        if falling:
            start, stop = len(rising) - stop, len(rising) - start
        return int(line[0]), start + first_row, stop + first_row


def line_heights(
    grid: Grid,
    lines: Lines,
    out: np.ndarray | None = None,
    threads: int | None = None,
    band: tuple[int, int] | None = None,
) -> np.ndarray:
    """Return the heights [m] under the lines, each in the cell of the frame that belongs to the line.

    NaN stays NaN; a neighbour without height counts as a wall. The result may be the grid's own array, or ``out``
    (float32, rows x columns of any shape), which is written to in place of a new array. With a ``band``, first line and
    first beyond, only heights under its lines are told.
    """
    frame = grid.transposed if lines.transposed else grid.heights
    if not lines.offset.any():
        return frame
    out = np.empty_like(frame) if out is None else out.reshape(frame.shape)
    columns = frame.shape[1]
    first, last = (np.zeros_like(lines.shift), np.full_like(lines.shift, columns))
    if band is not None:
        first, last = (np.clip(lines.shift + line, 0, columns) for line in band)
    wall = np.float32(WALL_SLOPE * grid.cell_size_m)
    side_by_side(_interpolate, frame, lines.offset, first, last, wall, out, threads=threads)
    return out


@compiled
def _interpolate(frame, offset, wanted_from, wanted_to, wall, out, part, parts):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    rows, columns = frame.shape
    none = np.float32(0.0)
    for row in range(rows * part // parts, rows * (part + 1) // parts):
        share = offset[row]
        side = 1 if share > 0 else -1
        share = abs(share)
        here, to = frame[row], out[row]
        for first in range(wanted_from[row] // _CHUNK * _CHUNK, wanted_to[row], _CHUNK):
            last = min(first + _CHUNK, columns)
            inner_first, inner_last = max(first, 1), min(last, columns - 1)
            walls = np.int32(first == 0) + np.int32(last == columns)
            own, passed = here[inner_first:inner_last], here[inner_first + side : inner_last + side]
            target = to[inner_first:inner_last]
            for place in range(len(target)):
                rise = passed[place] - own[place]
                smooth = abs(rise) <= wall
                walls += np.int32(not smooth)
                target[place] = own[place] + share * (rise if smooth else none)
            if walls == 0:
                continue
            # rare and slow: cells beside a wall, a hole or the border, in which the side passed gives no slope
            for column in range(first, last):
                if 0 < column < columns - 1 and abs(here[column + side] - here[column]) <= wall:
                    continue
                z = here[column]
                if 0 <= column + side < columns and abs(here[column + side] - z) <= wall:
                    to[column] = z + share * (here[column + side] - z)
                    continue
                # The own side's slope, taken from here and from the rows before and after. The least of them: at a
                # ridge they differ, and a height too high would shade the roof that it belongs to.
                least = np.float32(np.inf)
                for beside in range(max(0, row - 1), min(rows, row + 2)):
                    middle = frame[beside, column]
                    if abs(middle - z) <= wall:
                        if 0 <= column + side < columns and abs(frame[beside, column + side] - middle) <= wall:
                            least = min(least, frame[beside, column + side] - middle)
                        if 0 <= column - side < columns and abs(middle - frame[beside, column - side]) <= wall:
                            least = min(least, middle - frame[beside, column - side])
                to[column] = z + share * (least if least < np.inf else none)
