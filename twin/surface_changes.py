"""Where a surface is not what it was in another night."""

from __future__ import annotations

import filecmp

import numpy as np
import rasterio
import shapely

from twin.sky.tiles import SurfaceFolder

SQUARE_CELLS = 64
"""Changed cells are told by squares of so many cells a side."""


def changed_squares(now: SurfaceFolder, then: SurfaceFolder) -> np.ndarray | None:
    """Return squares (polygons) that hold every cell whose height differs between two surfaces, those of their trees not counted.

    None where the two are not made of the same tiles, or other cells have no height: terrain fills such gaps, and is resampled as
    wide as they are.
    """
    names = [[path.name for path in folder.paths] for folder in (now, then)]
    if (
        names[0] != names[1]
        or now.cell_size_m != then.cell_size_m
        or now.crs != then.crs
        or not np.array_equal(now.bounds, then.bounds)
    ):
        return None
    found = [np.empty(0, dtype=object)]
    for one, two, bounds in zip(now.paths, then.paths, now.bounds, strict=True):
        if filecmp.cmp(one, two, shallow=False):
            continue
        with rasterio.open(one) as first, rasterio.open(two) as second:
            here, there = first.read(1), second.read(1)
        if not np.array_equal(np.isnan(here), np.isnan(there)):
            return None
        changed = (here != there) & ~np.isnan(here)
        row, column = (np.unique(np.column_stack(np.nonzero(changed)) // SQUARE_CELLS, axis=0)).T
        side = SQUARE_CELLS * now.cell_size_m
        west, north = bounds[0] + column * side, bounds[3] - row * side
        found.append(shapely.box(west, north - side, west + side, north))
    return np.concatenate(found)
