"""Sky view, hours of shade and yearly irradiation of the ground and of roofs, cell by cell, in tiles.

All cells are level. Shade counts the hours in which the sun is above the level horizon and something hides it, whatever the
weather; an hour behind a crown counts by what the crown holds back. Irradiation is pvlib's for a level plane, less what
neighbours, hills and trees hide, plus the first bounce, as for roofs. Under a tree only the crown's transmissivity is left.

Rasters are coarser than the surface: each of their cells takes the height of one cell of it, so that walls stay walls.
The far skyline is told to a tenth of a degree: an edit far away then leaves the tiles alone that do not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import rasterio.features
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from geodata.compute import ComputeSpec
from geodata.errors import InputError
from twin.sky.canopy import LeafMix
from twin.sky.cell_light import Light, digest_of_arrays
from twin.sky.cell_sums import FarField, bilinear, sums_over_azimuths
from twin.sky.far import FarSurface, far_horizon
from twin.sky.horizon import Window
from twin.sky.lines import Grid
from twin.sky.sun_table import Irradiation, SunPath
from twin.sky.tasks import run_tasks
from twin.sky.tiles import HALO_M, TILE_M, Bounds, SurfaceFolder
from twin.sky.town import Keep, far_surface

NODE_M = 50.0
"""Distance between the places at which the far skyline is looked up."""
NODE_RISE_M = 30.0
"""Height above ground of the second look-up at each place; a roof in between sees a skyline in between."""
STEPS: dict[str, float] = {
    "sky_view": 1e-2,
    "shade_hours_summer": 1.0,
    "shade_hours_year": 1.0,
    "irradiation_kwh_m2": 1.0,
}
"""Rasters, in the order of the bands of a tile, and the step that their whole numbers count in."""
NOTHING = 65535
"""Cells without a value."""
TILE_FILE = "rasters.tif"
_LOWEST, _HASH = "lowest.npy", "sha256"


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


def default_cell_size_m(surface_cell_size_m: float) -> float:
    """Return the smallest multiple of the surface's cell that is at least 1 m and divides a kilometre [m].

    1 m is what a town of 30 km2 can afford every night: a quarter of the surface's cells, each with 72 horizons.
    """
    factor = max(1, int(np.ceil(1.0 / surface_cell_size_m - 1e-9)))
    while abs(TILE_M / (factor * surface_cell_size_m) - round(TILE_M / (factor * surface_cell_size_m))) > 1e-6:
        factor += 1
    return factor * surface_cell_size_m


def raster_tiles(
    surface: SurfaceFolder, area: BaseGeometry, cell_size_m: float, halo_m: float = HALO_M
) -> list[RasterTile]:
    """Return the tiles of the surface that hold cells of ``area``, west to east and south to north.

    Raises
    ------
    InputError
        If the cell is no multiple of the surface's, or does not divide a kilometre.
    """
    factor, side = round(cell_size_m / surface.cell_size_m), round(TILE_M / cell_size_m)
    if abs(factor * surface.cell_size_m - cell_size_m) > 1e-6 or factor < 1 or abs(side * cell_size_m - TILE_M) > 1e-6:
        raise InputError(
            f"surface.raster_cell_size_m is {cell_size_m:g}, but it must be a multiple of surface.cell_size_m "
            f"({surface.cell_size_m:g}) and divide 1,000 m, for example {2 * surface.cell_size_m:g}"
        )
    halo = np.ceil(halo_m / cell_size_m - 1e-9) * cell_size_m
    tiles = []
    corners = {(round(west / TILE_M), round(south / TILE_M)) for west, south in surface.bounds[:, :2].tolist()}
    for column, row in sorted(corners):
        west, north = column * TILE_M, (row + 1) * TILE_M
        part = shapely.intersection(area, shapely.box(west, north - TILE_M, west + TILE_M, north))
        if part.is_empty or part.area == 0:
            continue
        grid = Affine(cell_size_m, 0.0, west, 0.0, -cell_size_m, north)
        wanted = rasterio.features.geometry_mask([part], (side, side), grid, invert=True)
        rows, columns = np.flatnonzero(wanted.any(axis=1)), np.flatnonzero(wanted.any(axis=0))
        if len(rows) == 0:
            continue
        left, right = (float(west + edge * cell_size_m) for edge in (columns[0], columns[-1] + 1))
        top, bottom = (float(north - edge * cell_size_m) for edge in (rows[0], rows[-1] + 1))
        bounds, near = (left, bottom, right, top), (left - halo, bottom - halo, right + halo, top + halo)
        inside = wanted[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        tiles.append(RasterTile(f"E{column}_N{row}", bounds, near, inside))
    return tiles


def town_rasters(
    area: BaseGeometry, surface: SurfaceFolder, evergreen: SurfaceFolder | None, roofs: gpd.GeoSeries, year: Year,
    *, cell_size_m: float, keep: Keep, compute: ComputeSpec | None = None,
) -> list[Path]:  # fmt: skip
    """Return the raster files of all tiles of a town, west to east and south to north.

    Parameters
    ----------
    area : whose cells are wanted
    surface : heights of terrain and buildings, with its ``canopy`` where trees stand on it
    evergreen : share of evergreen crowns, None without trees
    roofs : outlines of buildings; in their cells there is irradiation, but no sky view and no shade of the ground
    keep, compute : as in `twin.sky.town.town_skyline`

    Returns
    -------
    GeoTIFFs of uint16 with one band for each of `STEPS`, whole numbers of its step, `NOTHING` where there is no value

    Raises
    ------
    InputError
        If ``cell_size_m`` does not fit the surface, or a cluster does not answer.
    """
    tiles = raster_tiles(surface, area, cell_size_m)
    bare = replace(surface, canopy=None)
    maker = RasterMaker(surface, evergreen, far_surface(bare, keep, compute), year, cell_size_m)
    outlines, index = roofs.to_numpy(), roofs.sindex
    jobs = [(tile, outlines[np.sort(index.query(shapely.box(*tile.bounds)))]) for tile in tiles]
    return run_tasks(partial(_kept, maker, keep), jobs, compute)


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

    def values(
        self, tile: RasterTile, heights: Sequence[np.ndarray], lowest: np.ndarray, nodes: np.ndarray, threads: int | None = None
    ) -> np.ndarray:  # fmt: skip
        """Return float32 (bands, rows, columns) of the tile's rectangle in the order of `STEPS`; NaN without surface.

        ``heights`` are those of `read`, ``lowest`` and ``nodes`` those of the methods of these names.
        """
        ground = heights[0]
        if np.isnan(ground).all():
            return np.full((len(STEPS), *tile.wanted.shape), np.nan, dtype=np.float32)
        size, window, light = self.cell_size_m, self.window(tile), self.light
        inner = (slice(window.first_row, window.last_row), slice(window.first_column, window.last_column))
        origin = round(-tile.near[3] / size), round(tile.near[0] / size)
        rise = (ground[inner] - bilinear(lowest, self.node_step, tile.wanted.shape)) / np.float32(NODE_RISE_M)
        low, high = np.tan(np.radians(nodes))
        far = FarField(low, high, np.clip(np.nan_to_num(rise), 0.0, 1.0).astype(np.float32), self.node_step)

        def sums(surface: np.ndarray, table: np.ndarray) -> np.ndarray:
            grid = Grid.of(surface, size, *origin)
            return sums_over_azimuths(grid, light.azimuths_deg, window, table, far=far, threads=threads)

        if len(heights) == 1:
            return light.cells(sums(ground, np.ascontiguousarray(light.open_table[:, :, :4])), None, None)
        trees, kinds = heights[1:]
        open_sky, behind = sums(ground, light.open_table), sums(ground + trees, light.tree_table)
        crowns = trees[inner] > 0
        behind[:, crowns] = 0.0
        x = tile.bounds[0] + (np.arange(tile.wanted.shape[1]) + 0.5) * size
        y = tile.bounds[3] - (np.arange(tile.wanted.shape[0]) + 0.5) * size
        around = LeafMix.of(trees, kinds, size, tile.near[0], tile.near[3]).at(x[None, :], y[:, None])
        return light.cells(open_sky, behind, np.where(crowns, kinds[inner], around).astype(np.float32))

    def write(self, path: Path, tile: RasterTile, built: np.ndarray, values: np.ndarray) -> None:
        """Write a tile's wanted values as `town_rasters` tells; ``built`` marks the cells of roofs."""
        found = values.copy()
        found[:, ~tile.wanted] = np.nan
        found[:3, built] = np.nan
        steps = np.array(list(STEPS.values()), dtype=np.float32)[:, None, None]
        coded = np.where(np.isfinite(found), np.rint(np.nan_to_num(found) / steps), NOTHING).astype(np.uint16)
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


def _kept(maker: RasterMaker, keep: Keep, job: tuple[RasterTile, np.ndarray], threads: int) -> Path:
    """Return the file of one tile, made only if something that can be seen from its cells has changed."""
    tile, outlines = job
    read: list[list[np.ndarray]] = []

    def look(folder: Path) -> None:
        read.append(maker.read(tile))
        np.save(folder / _LOWEST, maker.lowest(tile, read[0][0]), allow_pickle=False)
        (folder / _HASH).write_text(digest_of_arrays(*read[0]), encoding="ascii")

    place = {"near": tile.near, "bounds": tile.bounds, "cell_size_m": maker.cell_size_m}
    seen = keep(f"{tile.name}.heights", {**place, "identity": maker.identity(tile)}, look)
    lowest = np.load(seen / _LOWEST, allow_pickle=False)
    nodes = maker.far_nodes(tile, lowest, threads)
    built = np.zeros(tile.wanted.shape, dtype=bool)
    if len(outlines):
        built = rasterio.features.geometry_mask(outlines, built.shape, maker.grid(tile), invert=True)

    def fill(folder: Path) -> None:
        heights = read.pop() if read else maker.read(tile)
        maker.write(folder / TILE_FILE, tile, built, maker.values(tile, heights, lowest, nodes, threads))

    heights = (seen / _HASH).read_text(encoding="ascii")
    made_from = {
        **place,
        "heights": heights,
        "cells": digest_of_arrays(tile.wanted, built, nodes),
        "light": maker.light.digest,
    }
    return keep(tile.name, made_from, fill) / TILE_FILE
