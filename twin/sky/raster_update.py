"""The sums of a raster tile after an edit, from those before it: only horizons that the edit moves are summed up again.

Most cells of a town stand behind something that has not changed, and those that see the edit see it in few directions. Both
are found by sweeping lines of sight through changed cells before and after, and by looking where the far skyline was and is
higher than what is near. Sums are whole numbers, so what moved is taken out of them and put in anew: the result is that of
`RasterMaker.sums`, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.sky.cell_sums import FarField, moved_sums, refar_sums, sums_of_cells
from twin.sky.raster_tile import RasterMaker, RasterTile
from twin.sky.tile_update import differing, is_wide, window_of

_MOST_CELLS = 0.6
"""Where more of the cells stand otherwise themselves, the whole tile is hardly dearer."""


@dataclass(frozen=True)
class TileSight:
    """What a tile's sums follow from at one time, beside the sun."""

    heights: list[np.ndarray]
    """As `RasterMaker.read` gives them."""
    lowest: np.ndarray
    nodes: np.ndarray
    """Far skyline, as `RasterMaker.far_nodes` gives it."""


def updated_sums(
    maker: RasterMaker, tile: RasterTile, sums: np.ndarray, then: TileSight, now: TileSight, *, threads: int | None = None
) -> np.ndarray | None:  # fmt: skip
    """Return a tile's sums ``now``, or None where so much has changed that the whole tile is as quick.

    ``sums`` are those of ``then``, as `RasterMaker.sums` gives them.
    """
    if len(then.heights) != len(now.heights) or any(np.isnan(sight.heights[0]).all() for sight in (then, now)):
        return None
    before, after = (maker.far_field(tile, sight.heights[0], sight.lowest, sight.nodes) for sight in (then, now))
    old_surfaces, surfaces = (maker.surfaces(tile, sight.heights) for sight in (then, now))
    pairs = list(zip(old_surfaces, surfaces, strict=True))
    # cells with another height, other trees on them or another mix of trees around
    anew = (before.rise != after.rise) | (old_surfaces[0].mix != surfaces[0].mix)
    for one, two in zip(then.heights, now.heights, strict=True):
        anew |= differing(one, two)[maker.inner(tile)]
    changed = [window_of(differing(old.grid.heights, new.grid.heights)) for old, new in pairs]
    wide = any(part is not None and is_wide(part, now.heights[0].shape) for part in changed)
    if wide or anew.sum() > _MOST_CELLS * anew.size:
        return None
    window, azimuths = maker.window(tile), maker.light.azimuths_deg
    fields = FarField(before.low, before.high, after.rise, after.step), after
    updated = sums.copy()
    for (old, new), part in zip(pairs, changed, strict=True):
        if part is not None:
            grids = old.grid, new.grid
            updated += moved_sums(grids, new, azimuths, window, fields[0], changed=part, threads=threads)
        updated += refar_sums(new, azimuths, window, fields, threads=threads)
    row, column = np.nonzero(anew)
    if len(row):
        cells = row.astype(np.int64), column.astype(np.int64)
        updated[:, row, column] = sums_of_cells(surfaces, azimuths, window, cells, after, threads=threads)
    return updated
