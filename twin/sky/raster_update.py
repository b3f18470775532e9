"""The numbers of a raster tile after an edit, from those before it: only cells that see something else are summed up again.

Most cells of a town stand behind something that has not changed. Which ones do not is found by sweeping lines of sight through
changed cells before and after, and by looking where the far skyline was and is higher than what is near. What a cell sees is
looked up in tables; a horizon that moves within one entry moves nothing. The result is that of `RasterMaker.values`, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.sky.cell_sums import FarField, moved_cells, refar_cells, sums_of_cells
from twin.sky.raster_tile import RasterMaker, RasterTile, coded_values
from twin.sky.tile_update import differing, is_wide, window_of

_MOST_CELLS = 0.6
"""Where more of the cells see something else, the whole tile is hardly dearer."""


@dataclass(frozen=True)
class TileSight:
    """What a tile's numbers follow from at one time, beside the sun."""

    heights: list[np.ndarray]
    """As `RasterMaker.read` gives them."""
    lowest: np.ndarray
    nodes: np.ndarray
    """Far skyline, as `RasterMaker.far_nodes` gives it."""
    built: np.ndarray
    """Cells of roofs."""


def updated_values(
    maker: RasterMaker, tile: RasterTile, numbers: np.ndarray, then: TileSight, now: TileSight, *, threads: int | None = None
) -> np.ndarray | None:  # fmt: skip
    """Return a tile's coded numbers ``now``, or None where so much has changed that the whole tile is as quick.

    ``numbers`` are those of ``then``, uint16 (bands, rows, columns) as `twin.sky.raster_tile.coded_values` gives them.
    """
    if len(then.heights) != len(now.heights) or any(np.isnan(sight.heights[0]).all() for sight in (then, now)):
        return None
    cells = _other_cells(maker, tile, then, now, threads)
    if cells is None:
        return None
    cells &= tile.wanted
    if cells.sum() > _MOST_CELLS * tile.wanted.sum():
        return None
    updated, at = numbers.copy(), np.nonzero(cells)
    if len(at[0]):
        found = _values_at(maker, tile, now, at, threads)
        updated[:, at[0], at[1]] = coded_values(found, tile.wanted[at], now.built[at])
    return updated


def _other_cells(
    maker: RasterMaker, tile: RasterTile, then: TileSight, now: TileSight, threads: int | None
) -> np.ndarray | None:
    """Return which cells may have other numbers, or None where changes reach too far."""
    inner, window, azimuths = maker.inner(tile), maker.window(tile), maker.light.azimuths_deg
    found: np.ndarray = then.built != now.built
    differs = [differing(*pair) for pair in zip(then.heights, now.heights, strict=True)]
    for part in differs:
        found |= part[inner]
    if any(part.any() for part in differs[1:]):
        found |= maker.evergreen_around(tile, then.heights) != maker.evergreen_around(tile, now.heights)
    before, after = (maker.far_field(tile, sight.heights[0], sight.lowest, sight.nodes) for sight in (then, now))
    found |= before.rise != after.rise
    fields = FarField(before.low, before.high, after.rise, after.step), after
    for one, two in zip(_surfaces(then), _surfaces(now), strict=True):
        changed = window_of(differing(one, two))
        grids = maker.surface_grid(tile, one), maker.surface_grid(tile, two)
        if changed is not None:
            if is_wide(changed, two.shape):
                return None
            found |= moved_cells(grids, azimuths, window, changed, threads)
        found |= refar_cells(grids[1], azimuths, window, fields, threads)
    return found


def _surfaces(sight: TileSight) -> list[np.ndarray]:
    """Return the surfaces that are swept: the bare one, and that with the trees on it where there are any."""
    ground = sight.heights[0]
    return [ground] if len(sight.heights) == 1 else [ground, ground + sight.heights[1]]


def _values_at(
    maker: RasterMaker, tile: RasterTile, now: TileSight, at: tuple[np.ndarray, ...], threads: int | None
) -> np.ndarray:
    """Return what `RasterMaker.values` returns of some cells: float32 (bands, cells)."""
    light, window = maker.light, maker.window(tile)
    far = maker.far_field(tile, now.heights[0], now.lowest, now.nodes)
    cells = at[0].astype(np.int64), at[1].astype(np.int64)

    def sums(surface: np.ndarray, table: np.ndarray) -> np.ndarray:
        grid = maker.surface_grid(tile, surface)
        return sums_of_cells(grid, light.azimuths_deg, window, cells, table, far=far, threads=threads)[:, None, :]

    surfaces = _surfaces(now)
    if len(surfaces) == 1:
        return light.cells(sums(surfaces[0], light.bare_table), None, None)[:, 0]
    open_sky, behind = sums(surfaces[0], light.open_table), sums(surfaces[1], light.tree_table)
    behind[:, 0, now.heights[1][maker.inner(tile)][at] > 0] = 0.0
    return light.cells(open_sky, behind, maker.evergreen_around(tile, now.heights)[at][None, :])[:, 0]
