"""Where two surfaces differ: boxes around the cells whose heights have changed, found by the files that are not the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.ndimage import find_objects, label

from twin.sky.tiles import Bounds, SurfaceFolder

_BLOCK_CELLS = 20
"""Changed cells in neighbouring blocks of so many cells share one box."""


@dataclass(frozen=True)
class ChangedBox:
    """A rectangle that holds changed cells."""

    bounds: Bounds
    highest_m: float
    """Of both surfaces, in the box and the margin around it."""


def changed_boxes(before: SurfaceFolder, now: SurfaceFolder, margin_cells: int) -> list[ChangedBox] | None:
    """Return boxes outside of which both surfaces read alike, or None where they cannot be held against each other.

    That is where cells, CRS, the terrain around the tiles, the tiles themselves or the cells without a height differ: terrain
    that fills gaps is resampled as wide as the gaps are. Trees are not looked at.

    Parameters
    ----------
    margin_cells : how far around each box its ``highest_m`` is taken
    """
    alike = (before.cell_size_m, before.crs) == (now.cell_size_m, now.crs)
    alike &= [path.name for path in before.paths] == [path.name for path in now.paths]
    alike &= np.array_equal(before.bounds, now.bounds) and same_file(before.terrain, now.terrain)
    if not alike:
        return None
    found = []
    for old, new, place in zip(before.paths, now.paths, now.bounds.tolist(), strict=True):
        if same_file(old, new):
            continue
        boxes = _boxes(*(replace(folder, terrain=None, canopy=None).read(tuple(place)) for folder in (before, now)))
        if boxes is None:
            return None
        size, west, north = now.cell_size_m, place[0], place[3]
        for top, left, bottom, right in boxes:
            bounds = west + left * size, north - bottom * size, west + right * size, north - top * size
            found.append(ChangedBox(bounds, _highest((before, now), bounds, margin_cells * size)))
    return found


def changed_bounds(before: SurfaceFolder, now: SurfaceFolder) -> np.ndarray | None:
    """Return the boxes of all changed cells, trees included: (boxes, 4) west, south, east, north [m]; None as in `changed_boxes`."""
    if (before.canopy is None) != (now.canopy is None):
        return None
    pairs = [(before, now)]
    if before.canopy is not None and now.canopy is not None:
        pairs.append((before.canopy, now.canopy))
    found = []
    for pair in pairs:
        boxes = changed_boxes(*pair, 0)
        if boxes is None:
            return None
        found += [box.bounds for box in boxes]
    return np.array(found).reshape(-1, 4)


def reaches(boxes: np.ndarray | None, bounds: Bounds) -> bool:
    """Tell whether cells within ``bounds`` may have changed; ``boxes`` are those of `changed_bounds`."""
    if boxes is None:
        return True
    west, south, east, north = bounds
    inside = (boxes[:, 0] < east) & (boxes[:, 2] > west) & (boxes[:, 1] < north) & (boxes[:, 3] > south)
    return bool(inside.any())


def same_file(one: Path | None, other: Path | None) -> bool:
    """Tell whether two files hold the same bytes; None is a file that is not there."""
    if one is None or other is None:
        return one is other
    return one.samefile(other) or (
        one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()
    )


def _boxes(before: np.ndarray, now: np.ndarray) -> list[tuple[int, int, int, int]] | None:
    """Return top, left, bottom and right of boxes around changed cells [cells]; None where other cells lack a height."""
    bare = np.isnan(now)
    if not np.array_equal(np.isnan(before), bare):
        return None
    differs = (before != now) & ~bare
    rows, columns = (-(-side // _BLOCK_CELLS) for side in differs.shape)
    padded = np.zeros((rows * _BLOCK_CELLS, columns * _BLOCK_CELLS), dtype=bool)
    padded[: differs.shape[0], : differs.shape[1]] = differs
    blocks = padded.reshape(rows, _BLOCK_CELLS, columns, _BLOCK_CELLS).any(axis=(1, 3))
    boxes = []
    for part in find_objects(label(blocks, np.ones((3, 3)))[0]):
        first_row, first_column = (side.start * _BLOCK_CELLS for side in part)
        inside = padded[first_row : part[0].stop * _BLOCK_CELLS, first_column : part[1].stop * _BLOCK_CELLS]
        row, column = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
        top, left = first_row + int(row[0]), first_column + int(column[0])
        boxes.append((top, left, first_row + int(row[-1]) + 1, first_column + int(column[-1]) + 1))
    return boxes


def _highest(surfaces: tuple[SurfaceFolder, SurfaceFolder], box: Bounds, wide_m: float) -> float:
    around = box[0] - wide_m, box[1] - wide_m, box[2] + wide_m, box[3] + wide_m
    return float(np.nanmax(np.stack([surface.read(around) for surface in surfaces])))
