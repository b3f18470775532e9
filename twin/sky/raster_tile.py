"""Sky view, hours of shade and yearly irradiation of the cells of one tile; see `twin.sky.rasters`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from twin.sky.canopy import LeafMix
from twin.sky.cell_light import MIX_STEPS, STEPS, Light
from twin.sky.cell_sums import SKIPPED, FarField, Surface, bilinear, sums_over_azimuths
from twin.sky.far import FarSurface, far_horizon
from twin.sky.horizon import Window
from twin.sky.lines import Grid
from twin.sky.sun_table import Irradiation, SunPath
from twin.sky.tiles import Bounds, SurfaceFolder

NODE_M = 50.0
"""Distance between the places at which the far skyline is looked up."""
NODE_RISE_M = 30.0
"""Height above ground of the second look-up at each place; a roof in between sees a skyline in between."""
NOTHING = 65535
"""Cells without a value."""


@dataclass(frozen=True)
class RasterTile:
    """Wanted cells of one square: ``bounds`` are theirs, ``near`` the rectangle that is swept for them."""

    name: str
    bounds: Bounds
    near: Bounds
    wanted: np.ndarray


@dataclass(frozen=True)
class Year:
    """The sun of a year, as far as it is known, and the directions in which the horizon is taken."""

    daylight: SunPath
    irradiation: Irradiation | None
    surroundings_albedo: float
    azimuths: int


@dataclass(frozen=True)
class RasterMaker:
    """Makes the rasters of single tiles."""

    surface: SurfaceFolder
    """With its ``canopy`` where there are trees."""
    evergreen: SurfaceFolder | None
    far: FarSurface
    year: Year
    cell_size_m: float

    @cached_property
    def light(self) -> Light:
        """The year's tables; made where they are used, since they are larger than what they are made from."""
        return Light.of(self.year.azimuths, self.year.daylight, self.year.irradiation, self.year.surroundings_albedo)

    def identity(self, tile: RasterTile) -> list[str]:
        """Return hashes of the files that the tile's heights are read from."""
        return [self.surface.identity(tile.near), self.evergreen.identity(tile.near) if self.evergreen else ""]

    def read(self, tile: RasterTile) -> list[np.ndarray]:
        """Return heights of terrain and buildings in ``tile.near``, and those and the evergreen share of trees if any."""
        ground = self._coarse(replace(self.surface, canopy=None), tile.near)
        if self.surface.canopy is None or self.evergreen is None:
            return [ground]
        trees = self._coarse(self.surface.canopy, tile.near)
        trees = np.where(trees > 0, trees, np.float32(0.0))
        if not trees.any():
            return [ground]
        return [ground, trees, np.nan_to_num(self._coarse(self.evergreen, tile.near))]

    def _coarse(self, source: SurfaceFolder, near: Bounds) -> np.ndarray:
        factor = round(self.cell_size_m / source.cell_size_m)
        return np.ascontiguousarray(source.read(near)[factor // 2 :: factor, factor // 2 :: factor])

    def window(self, tile: RasterTile) -> Window:
        """Return the place of the wanted cells in ``tile.near``."""
        rows, columns = tile.wanted.shape
        first_row = round((tile.near[3] - tile.bounds[3]) / self.cell_size_m)
        first_column = round((tile.bounds[0] - tile.near[0]) / self.cell_size_m)
        return Window(first_row, first_row + rows, first_column, first_column + columns)

    @property
    def node_step(self) -> int:
        """Cells from one node of the far skyline to the next."""
        return max(1, round(NODE_M / self.cell_size_m))

    def lowest(self, tile: RasterTile, ground: np.ndarray) -> np.ndarray:
        """Return the lowest height around each node [m]; where none is known, the lowest of the tile."""
        step, window = self.node_step, self.window(tile)
        rows, columns = ((side - 1) // step + 2 for side in tile.wanted.shape)
        half = step // 2
        padded = np.full((rows * step, columns * step), np.inf, dtype=np.float32)
        heights = ground[window.first_row : window.last_row, window.first_column : window.last_column]
        inside = heights[: rows * step - half, : columns * step - half]
        place = padded[half : half + inside.shape[0], half : half + inside.shape[1]]
        np.copyto(place, inside, where=~np.isnan(inside))
        found = padded.reshape(rows, step, columns, step).min(axis=(1, 3))
        known = found[np.isfinite(found)]
        return np.where(np.isfinite(found), found, known.min() if len(known) else np.float32(0.0))

    def far_nodes(self, tile: RasterTile, lowest: np.ndarray, threads: int | None = None) -> np.ndarray:
        """Return the far skyline [deg, to a tenth] at each node: (2, azimuths, node rows, node columns).

        First as seen from the ground, then from `NODE_RISE_M` above it.
        """
        row, column = np.indices(lowest.shape)
        spacing = self.node_step * self.cell_size_m
        x, y = (tile.bounds[0] + column * spacing).ravel(), (tile.bounds[3] - row * spacing).ravel()
        near, directions = np.tile(tile.near, (x.size, 1)), self.light.azimuths_deg
        found = [
            far_horizon([self.far], np.column_stack([x, y, lowest.ravel() + up]), directions, near, threads=threads)
            for up in (0.0, NODE_RISE_M)
        ]
        return np.round(np.stack([part.T.reshape(-1, *lowest.shape) for part in found]), 1).astype(np.float32)

    def sums(
        self, tile: RasterTile, heights: Sequence[np.ndarray], lowest: np.ndarray, nodes: np.ndarray, threads: int | None = None
    ) -> np.ndarray:  # fmt: skip
        """Return the sums over azimuths of what the tile's cells see: int32 (4, rows, columns), for `values`.

        ``heights`` are those of `read`, ``lowest`` and ``nodes`` those of the methods of these names.
        """
        if np.isnan(heights[0]).all():
            return np.zeros((len(STEPS), *tile.wanted.shape), dtype=np.int32)
        far = self.far_field(tile, heights[0], lowest, nodes)
        surfaces = self.surfaces(tile, heights)
        return sums_over_azimuths(surfaces, self.light.azimuths_deg, self.window(tile), far, threads=threads)

    def values(self, tile: RasterTile, heights: Sequence[np.ndarray], sums: np.ndarray) -> np.ndarray:
        """Return float32 (bands, rows, columns) of the tile's rectangle in the order of `STEPS`; NaN without surface."""
        return np.where(np.isnan(heights[0][self.inner(tile)]), np.float32(np.nan), self.light.values(sums))

    def surfaces(self, tile: RasterTile, heights: Sequence[np.ndarray]) -> list[Surface]:
        """Return the surfaces that are swept: the bare one, and that with the trees on it where there are any.

        ``heights`` are those of `read`, of which one is not NaN.
        """
        ground, light = heights[0], self.light
        if len(heights) == 1:
            return [Surface(self._grid_of(tile, ground), light.bare_table, np.zeros(tile.wanted.shape, np.uint8))]
        mix = self.mix(tile, heights)
        # under a crown nothing is left but what the crown lets through
        beside = np.where(heights[1][self.inner(tile)] > 0, np.uint8(SKIPPED), mix)
        return [
            Surface(self._grid_of(tile, ground), light.open_table, mix),
            Surface(self._grid_of(tile, ground + heights[1]), light.tree_table, beside),
        ]

    def inner(self, tile: RasterTile) -> tuple[slice, slice]:
        """Return where the wanted cells lie in ``tile.near``."""
        window = self.window(tile)
        return slice(window.first_row, window.last_row), slice(window.first_column, window.last_column)

    def _grid_of(self, tile: RasterTile, heights: np.ndarray) -> Grid:
        size = self.cell_size_m
        return Grid.of(heights, size, round(-tile.near[3] / size), round(tile.near[0] / size))

    def far_field(self, tile: RasterTile, ground: np.ndarray, lowest: np.ndarray, nodes: np.ndarray) -> FarField:
        """Return the far skyline over the wanted cells; arguments as for `sums`."""
        rise = (ground[self.inner(tile)] - bilinear(lowest, self.node_step, tile.wanted.shape)) / np.float32(
            NODE_RISE_M
        )
        low, high = np.tan(np.radians(nodes))
        return FarField(low, high, np.clip(np.nan_to_num(rise), 0.0, 1.0).astype(np.float32), self.node_step)

    def mix(self, tile: RasterTile, heights: Sequence[np.ndarray]) -> np.ndarray:
        """Return the share of evergreen crowns among the trees that hide each cell's sky, or of its own crown, in `MIX_STEPS`."""
        _, trees, kinds = heights
        size, inner = self.cell_size_m, self.inner(tile)
        x = tile.bounds[0] + (np.arange(tile.wanted.shape[1]) + 0.5) * size
        y = tile.bounds[3] - (np.arange(tile.wanted.shape[0]) + 0.5) * size
        around = LeafMix.of(trees, kinds, size, tile.near[0], tile.near[3]).at(x[None, :], y[:, None])
        share = np.where(trees[inner] > 0, kinds[inner], around)
        return np.rint(np.clip(share, 0.0, 1.0) * MIX_STEPS).astype(np.uint8)

    def write(self, path: Path, tile: RasterTile, coded: np.ndarray) -> None:
        """Write a tile's values as `coded_values` gives them."""
        profile = {
            "driver": "GTiff", "dtype": "uint16", "count": len(STEPS), "nodata": NOTHING, "width": coded.shape[2],
            "height": coded.shape[1], "compress": "deflate", "predictor": 2, "zlevel": 1, "interleave": "band",
            "crs": self.surface.crs, "transform": self.grid(tile),
        }  # fmt: skip
        with rasterio.open(path, "w", **profile) as target:
            target.write(coded)

    def grid(self, tile: RasterTile) -> Affine:
        """Return the place of the wanted cells."""
        return Affine(self.cell_size_m, 0.0, tile.bounds[0], 0.0, -self.cell_size_m, tile.bounds[3])


def coded_values(values: np.ndarray, wanted: np.ndarray, built: np.ndarray) -> np.ndarray:
    """Return ``values`` (bands, …) as uint16 as `town_rasters` tells; ``built`` marks cells of roofs. Shapes beyond bands are alike."""
    found = values.copy()
    found[:, ~wanted] = np.nan
    found[:3, built] = np.nan
    steps = np.array(list(STEPS.values()), dtype=np.float32).reshape(-1, *[1] * wanted.ndim)
    return np.where(np.isfinite(found), np.rint(np.nan_to_num(found) / steps), NOTHING).astype(np.uint16)
