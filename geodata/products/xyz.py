"""Terrain as text: one point in a line, ``x y height``, in any order, with or without a header line.

Blanks, commas, semicolons or tabs stand between the numbers. The points must lie on a regular grid that runs along the
axes; places of the grid without a point are gaps. A file is read twice in pieces, so that only its grid is held.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
from rasterio import Affine

from geodata.errors import InputError
from geodata.products.terrain_report import PROFILE

SUFFIXES = (".xyz", ".txt", ".csv", ".dat", ".asc")
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_POINT = re.compile(rf"\s*{_NUMBER}(?:\s*[,;]\s*|\s+){_NUMBER}(?:\s*[,;]\s*|\s+){_NUMBER}\s*[,;]?\s*")
_MAX_HEADER_LINES = 2
_LEAST_LINES = 4
_CHUNK_ROWS = 1_000_000
_MAX_SIDE = 100_000
"""More columns or rows than this are no sheet: the points do not lie on a grid."""
_LEAST_FILLED = 0.02
"""Share of the grid that has a point; scattered points fill less of the grid that their coordinates span."""
_ON_GRID = 0.02
"""How far a point may lie from its place in the grid, as a share of the cell."""

Open = Callable[[], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True)
class XyzGrid:
    """A terrain grid; ``heights`` (rows from north to south) are float32 [m], gaps are NaN."""

    transform: Affine
    heights: npt.NDArray[np.float32]
    points: int
    repeated: int
    """Points whose place was given before with another height; the last one counts."""

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Return minx, miny, maxx, maxy of the cells."""
        return tuple(float(v) for v in rasterio.transform.array_bounds(*self.heights.shape, self.transform))  # type: ignore[return-value]


def is_xyz(head: bytes, suffix: str) -> bool:
    """Return whether the first bytes of a file (4 KB or more) are lines of three numbers, after two header lines at most."""
    if suffix not in SUFFIXES or b"\0" in head:
        return False
    lines = [line for line in head.decode("latin-1").lstrip("\ufeff\xef\xbb\xbf").splitlines() if line.strip()]
    # the last line may be cut off
    lines = lines[:-1] if len(head) >= 4096 else lines
    start = _header_lines(lines)
    if start is None or len(lines) - start < _LEAST_LINES:
        return False
    return all(_POINT.fullmatch(line) for line in lines[start:])


def _header_lines(lines: list[str]) -> int | None:
    for number, line in enumerate(lines[: _MAX_HEADER_LINES + 1]):
        if _POINT.fullmatch(line):
            return number
    return None


def read_xyz(open_file: Open, name: str) -> XyzGrid:
    """Read the grid that ``open_file`` opens; ``name`` is what messages call it.

    Raises
    ------
    InputError
        If the points do not lie on a regular grid along the axes, or a line is not three numbers.
    """
    xs, ys, count = _coordinates(open_file, name)
    west, cell_x, columns = _axis(xs, name, "x")
    south, cell_y, rows = _axis(ys, name, "y")
    if count < _LEAST_FILLED * columns * rows:
        raise InputError(_scattered(name, f"{count:,} points in a grid of {columns:,} x {rows:,}"))
    heights = np.full((rows, columns), np.nan, dtype=np.float32)
    repeated = 0
    for chunk in _chunks(open_file, name):
        column = np.rint((chunk[:, 0] - west) / cell_x).astype(np.int64)
        row = rows - 1 - np.rint((chunk[:, 1] - south) / cell_y).astype(np.int64)
        values = chunk[:, 2].astype(np.float32)
        before = heights[row, column]
        heights[row, column] = values
        once = ~pd.Series(row * columns + column).duplicated().to_numpy()
        changed = once & ~np.isnan(before) & (before != heights[row, column])
        repeated += int((values != heights[row, column]).sum() + changed.sum())
    transform = Affine(cell_x, 0.0, west - cell_x / 2, 0.0, -cell_y, south + (rows - 0.5) * cell_y)
    return XyzGrid(transform, heights, count, repeated)


def write_geotiff(grid: XyzGrid, path: Path, crs: str) -> Path:
    """Write ``grid`` as a GeoTIFF in ``crs``, for readers of rasters."""
    profile = {**PROFILE, "zlevel": 1}
    with rasterio.open(
        path,
        "w",
        crs=crs,
        transform=grid.transform,
        width=grid.heights.shape[1],
        height=grid.heights.shape[0],
        **profile,
    ) as target:
        target.write(grid.heights, 1)
    return path


def _chunks(open_file: Open, name: str) -> Iterator[npt.NDArray[np.float64]]:
    """Yield the points (n x 3) piece by piece."""
    with open_file() as stream:
        head = stream.read(65_536).decode("latin-1").lstrip("\ufeff\xef\xbb\xbf").splitlines()
    filled = [line for line in head if line.strip()]
    start = _header_lines(filled)
    if start is None:
        raise InputError(f"{name}: its first lines are not three numbers each")
    first = filled[start]
    separator = "," if "," in first else ";" if ";" in first else r"\s+"
    with open_file() as stream:
        try:
            reader = pd.read_csv(
                stream,
                sep=separator,
                header=None,
                skiprows=head.index(first),
                usecols=[0, 1, 2],
                dtype="float64",
                comment="#",
                chunksize=_CHUNK_ROWS,
                skipinitialspace=True,
                encoding="utf-8-sig",
                encoding_errors="replace",
            )
            for chunk in reader:
                values = chunk.to_numpy(dtype=np.float64)
                if not np.isfinite(values).all():
                    raise InputError(f"{name}: a line is not three numbers; copy or export it again")
                yield values
        except (ValueError, pd.errors.ParserError) as error:
            raise InputError(f"{name}: a line is not three numbers ({error}); copy or export it again") from error


def _coordinates(open_file: Open, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], int]:
    """Return the distinct coordinates of all points along both axes, and how many points there are."""
    found: list[npt.NDArray[np.float64]] = [np.empty(0), np.empty(0)]
    count = 0
    for chunk in _chunks(open_file, name):
        count += len(chunk)
        for axis in (0, 1):
            found[axis] = np.union1d(found[axis], np.unique(chunk[:, axis]))
            if len(found[axis]) > 4 * _MAX_SIDE:
                raise InputError(_scattered(name, f"more than {4 * _MAX_SIDE:,} different coordinates"))
    return found[0], found[1], count


def _axis(values: npt.NDArray[np.float64], name: str, axis: str) -> tuple[float, float, int]:
    """Return first coordinate, step and number of places along one axis."""
    if len(values) < 2:
        raise InputError(_scattered(name, f"all points have the same {axis}"))
    steps = np.diff(values)
    # one coordinate may be written in two ways that differ in the last decimal
    cell = float(np.min(steps[steps > 0.01 * np.median(steps)]))
    places = int(np.rint((values[-1] - values[0]) / cell)) + 1
    if places > _MAX_SIDE:
        raise InputError(_scattered(name, f"{places:,} places along {axis}"))
    # the step told by all of them together is exact where single ones are rounded
    if places > 1:
        cell = float((values[-1] - values[0]) / (places - 1))
    off = (values - values[0]) / cell
    if (np.abs(off - np.rint(off)) > _ON_GRID).any():
        raise InputError(_scattered(name, f"{axis} does not go in equal steps"))
    return float(values[0]), cell, places


def _scattered(name: str, why: str) -> str:
    return (
        f"{name}: its points do not lie on a regular grid along the axes ({why}). Give the grid as its agency delivers it, or "
        "make a GeoTIFF of it first"
    )
