"""Sky view, hours of shade and yearly irradiation of the ground and of roofs, cell by cell, in tiles.

All cells are level. Shade counts the hours in which the sun is above the level horizon and something hides it, whatever the
weather; an hour behind a crown counts by what the crown holds back. Irradiation is pvlib's for a level plane, less what
neighbours, hills and trees hide, plus the first bounce, as for roofs. Under a tree only the crown's transmissivity is left.

Rasters are coarser than the surface: each of their cells takes the height of one cell of it, so that walls stay walls.
The far skyline is told to a tenth of a degree: an edit far away then leaves the tiles alone that do not see it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import rasterio.features
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from twin.sky.canopy import LeafMix, held_back
from twin.sky.cell_sums import FarField, bilinear, sums_over_azimuths
from twin.sky.far import FarSurface, far_horizon
from twin.sky.horizon import Window
from twin.sky.lines import Grid, checked_azimuths
from twin.sky.sun_table import Irradiation, SunPath, tangent_keys, tangent_table
from twin.sky.tiles import HALO_M, TILE_M, Bounds, SurfaceFolder
from twin.sky.town import Keep

NODE_M = 50.0
"""Distance between the places at which the far skyline is looked up."""
NODE_RISE_M = 30.0
"""Height above ground of the second look-up at each place; a roof in between sees a skyline in between."""
NOTHING = 65535
"""Cells without a value in the tiles kept."""
SCALES: dict[str, float] = {
    "sky_view": 1e-3,
    "shade_hours_summer": 1.0,
    "shade_hours_year": 1.0,
    "irradiation_kwh_m2": 1.0,
}
"""Rasters and the step of their values."""
TILE_FILE = "rasters.tif"


@dataclass(frozen=True)
class Light:
    """A year's sun for cells: tables for a sweep without trees, for one with them, and what needs no direction."""

    azimuths_deg: np.ndarray
    open_table: np.ndarray
    """Columns: sky view; hours of summer, of the year and direct kWh/m2; these three as held back by deciduous crowns,
    and by evergreen ones; two unused."""
    tree_table: np.ndarray
    """Columns: sky view; the six of held-back light; one unused."""
    totals: np.ndarray
    """(9,) the nine of ``open_table`` beside the sky view, in the open."""
    held_mean: np.ndarray
    """Share of light held back by deciduous and by evergreen crowns, mean of twelve months."""
    isotropic: np.ndarray
    """[kWh/m2]: all of the year, and as held back by deciduous and evergreen crowns."""
    global_horizontal: np.ndarray
    surroundings_albedo: float
    weather: bool

    @classmethod
    def of(cls, azimuths: int, daylight: SunPath, irradiation: Irradiation | None, surroundings_albedo: float) -> Light:
        """Return the light of a year; without ``irradiation`` it is nought and no weather is known."""
        directions = checked_azimuths(azimuths)
        held = np.stack([held_back(0.0), held_back(1.0)])
        paths = [daylight] if irradiation is None else [daylight, irradiation.direct]
        tables, totals = [], []
        for path in paths:
            kinds = [path.weight, *(path.weight * held[kind, path.month][:, None] for kind in (0, 1))]
            weight = np.concatenate(kinds, axis=1)
            tables.append(tangent_table(directions, path.azimuth_deg, path.elevation_deg, weight))
            totals.append(weight.sum(axis=0))
        if irradiation is None:
            tables.append(np.zeros_like(tables[0][:, :, :3]))
            totals.append(np.zeros(3))
        hours, direct = tables
        nine = np.concatenate(
            [part for kind in range(3) for part in (hours[:, :, 2 * kind : 2 * kind + 2], direct[:, :, kind : kind + 1])],
            axis=2,
        )  # fmt: skip
        sums = np.concatenate(
            [part for kind in range(3) for part in (totals[0][2 * kind : 2 * kind + 2], totals[1][kind : kind + 1])]
        )
        sky = _sky_column(len(directions))
        none = np.zeros_like(sky)
        months = np.zeros(12) if irradiation is None else irradiation.isotropic
        whole = np.zeros(12) if irradiation is None else irradiation.global_horizontal
        return cls(
            azimuths_deg=directions,
            open_table=np.concatenate([sky, nine, none, none], axis=2),
            tree_table=np.concatenate([sky, nine[:, :, 3:], none], axis=2),
            totals=sums,
            held_mean=held.mean(axis=1),
            isotropic=np.array([months.sum(), *(held @ months)]),
            global_horizontal=np.array([whole.sum(), *(held @ whole)]),
            surroundings_albedo=surroundings_albedo,
            weather=irradiation is not None,
        )

    @cached_property
    def digest(self) -> str:
        """Hash over everything that cells depend on."""
        parts = (self.open_table, self.tree_table, self.totals, self.held_mean, self.isotropic, self.global_horizontal)
        return _digest(*parts, np.array([self.surroundings_albedo]))

    def cells(self, open_sky: np.ndarray, trees: np.ndarray | None, evergreen: np.ndarray | None) -> np.ndarray:
        """Return float32 (4, rows, columns) in the order of `SCALES` from the sums of both sweeps."""
        count = len(self.azimuths_deg)
        sky = open_sky[0] / np.float32(count)
        hours_and_energy = open_sky[1:4].copy()
        unseen = 1.0 - sky
        diffuse = self.isotropic[0] * sky + self.surroundings_albedo * self.global_horizontal[0] * unseen
        if trees is not None and evergreen is not None:
            hidden = np.maximum(sky - trees[0] / np.float32(count), 0.0)
            for kind, share in enumerate((1.0 - evergreen, evergreen)):
                lost = np.maximum(open_sky[4 + 3 * kind : 7 + 3 * kind] - trees[1 + 3 * kind : 4 + 3 * kind], 0.0)
                hours_and_energy -= share * lost
                sky = sky - share * self.held_mean[kind] * hidden
                back = self.isotropic[1 + kind] - self.surroundings_albedo * self.global_horizontal[1 + kind]
                diffuse = diffuse - share * back * hidden
        shade = np.maximum(self.totals[:2, None, None] - hours_and_energy[:2], 0.0)
        irradiation = hours_and_energy[2] + diffuse
        if not self.weather:
            irradiation = np.full_like(irradiation, np.nan)
        return np.stack([sky, shade[0], shade[1], irradiation]).astype(np.float32)


@dataclass(frozen=True)
class RasterTile:
    """Wanted cells of one square: ``bounds`` are theirs, ``near`` the rectangle that is swept for them."""

    name: str
    bounds: Bounds
    near: Bounds
    wanted: np.ndarray


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
        left, right = west + columns[0] * cell_size_m, west + (columns[-1] + 1) * cell_size_m
        top, bottom = north - rows[0] * cell_size_m, north - (rows[-1] + 1) * cell_size_m
        tiles.append(
            RasterTile(
                f"E{column}_N{row}",
                (left, bottom, right, top),
                (left - halo, bottom - halo, right + halo, top + halo),
                wanted[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1],
            )  # fmt: skip
        )
    return tiles


@dataclass(frozen=True)
class RasterMaker:
    """Everything that rasters of a town are made from."""

    surface: SurfaceFolder
    """With its ``canopy`` where there are trees."""
    evergreen: SurfaceFolder | None
    roofs: gpd.GeoSeries
    """Outlines of buildings; their cells have no sky view and no shade of the ground."""
    far: FarSurface
    light: Light
    cell_size_m: float

    def keep(self, tile: RasterTile, keep: Keep) -> Path:
        """Return the file of a tile, made only if what it depends on has changed."""
        inputs = self._inputs(tile)
        made_from = {
            "near": tile.near,
            "bounds": tile.bounds,
            "cell_size_m": self.cell_size_m,
            "content": _digest(*(part for part in inputs if part is not None), tile.wanted),
            "light": self.light.digest,
        }
        return keep(tile.name, made_from, lambda folder: self._write(folder / TILE_FILE, tile, inputs)) / TILE_FILE

    def _inputs(
        self, tile: RasterTile
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None, np.ndarray, np.ndarray]:
        """Heights, trees, evergreen share, cells of roofs, and the far skyline's nodes."""
        ground = self._coarse(replace(self.surface, canopy=None), tile.near)
        trees = kinds = None
        if self.surface.canopy is not None and self.evergreen is not None:
            found = self._coarse(self.surface.canopy, tile.near)
            found = np.where(found > 0, found, np.float32(0.0))
            if found.any():
                trees, kinds = found, np.nan_to_num(self._coarse(self.evergreen, tile.near))
        grid = Affine(self.cell_size_m, 0.0, tile.bounds[0], 0.0, -self.cell_size_m, tile.bounds[3])
        near = self.roofs.to_numpy()[np.sort(self.roofs.sindex.query(shapely.box(*tile.bounds)))]
        built = np.zeros(tile.wanted.shape, dtype=bool)
        if len(near):
            built = rasterio.features.geometry_mask(near, tile.wanted.shape, grid, invert=True)
        return ground, trees, kinds, built, self._far_nodes(tile, ground)

    def _coarse(self, source: SurfaceFolder, near: Bounds) -> np.ndarray:
        factor = round(self.cell_size_m / source.cell_size_m)
        return np.ascontiguousarray(source.read(near)[factor // 2 :: factor, factor // 2 :: factor])

    def _window(self, tile: RasterTile) -> Window:
        rows, columns = tile.wanted.shape
        first_row, first_column = (
            round((tile.near[3] - tile.bounds[3]) / self.cell_size_m), round((tile.bounds[0] - tile.near[0]) / self.cell_size_m),
        )  # fmt: skip
        return Window(first_row, first_row + rows, first_column, first_column + columns)

    @property
    def _node_step(self) -> int:
        return max(1, round(NODE_M / self.cell_size_m))

    def _far_nodes(self, tile: RasterTile, ground: np.ndarray) -> np.ndarray:
        """Ground height, and the far skyline at both heights [deg, to a tenth]: (1 + 2 azimuths, node rows, node columns)."""
        window, step = self._window(tile), self._node_step
        counts = tuple((side - 1) // step + 2 for side in tile.wanted.shape)
        lowest = _lowest(
            ground[window.first_row : window.last_row, window.first_column : window.last_column], step, counts
        )
        row, column = np.indices(counts)
        # nodes beyond the last cell stand in the halo, and in the corner of a cell rather than its middle
        x = tile.bounds[0] + column * step * self.cell_size_m
        y = tile.bounds[3] - row * step * self.cell_size_m
        near = np.array(
            [
                min(tile.near[0], x.min()),
                min(tile.near[1], y.min()),
                max(tile.near[2], x.max()),
                max(tile.near[3], y.max()),
            ]
        )
        skyline = [
            far_horizon(
                [self.far], np.column_stack([x.ravel(), y.ravel(), lowest.ravel() + up]), self.light.azimuths_deg,
                np.tile(near, (x.size, 1)),
            ).T.reshape(-1, *counts)
            for up in (0.0, NODE_RISE_M)
        ]  # fmt: skip
        return np.concatenate([lowest[None], *(np.round(part, 1) for part in skyline)]).astype(np.float32)

    def _write(
        self, path: Path, tile: RasterTile,
        inputs: tuple[np.ndarray, np.ndarray | None, np.ndarray | None, np.ndarray, np.ndarray],
    ) -> None:  # fmt: skip
        ground, trees, kinds, built, nodes = inputs
        values = self.values(tile, ground, trees, kinds, nodes)
        values[:, ~tile.wanted] = np.nan
        values[:3, built] = np.nan
        steps = np.array(list(SCALES.values()), dtype=np.float32)[:, None, None]
        coded = np.where(np.isfinite(values), np.rint(np.nan_to_num(values) / steps), NOTHING).astype(np.uint16)
        rows, columns = tile.wanted.shape
        profile = {
            "driver": "GTiff", "dtype": "uint16", "count": len(SCALES), "nodata": NOTHING, "width": columns, "height": rows,
            "compress": "deflate", "predictor": 2, "zlevel": 1, "interleave": "band",
            "crs": self.surface.crs,
            "transform": Affine(self.cell_size_m, 0.0, tile.bounds[0], 0.0, -self.cell_size_m, tile.bounds[3]),
        }  # fmt: skip
        with rasterio.open(path, "w", **profile) as target:
            target.write(coded)

    def values(
        self,
        tile: RasterTile,
        ground: np.ndarray,
        trees: np.ndarray | None,
        kinds: np.ndarray | None,
        nodes: np.ndarray,
    ) -> np.ndarray:
        """Return float32 (4, rows, columns) of the tile's rectangle in the order of `SCALES`; NaN without surface."""
        if np.isnan(ground).all():
            return np.full((len(SCALES), *tile.wanted.shape), np.nan, dtype=np.float32)
        size, window, directions = self.cell_size_m, self._window(tile), self.light.azimuths_deg
        inner = (slice(window.first_row, window.last_row), slice(window.first_column, window.last_column))
        row0, column0 = round(-tile.near[3] / size), round(tile.near[0] / size)
        above = (ground[inner] - bilinear(nodes[0], self._node_step, tile.wanted.shape)) / np.float32(NODE_RISE_M)
        low, high = np.tan(np.radians(nodes[1:])).reshape(2, len(directions), *nodes.shape[1:])
        rise = np.clip(np.nan_to_num(above), 0.0, 1.0).astype(np.float32)
        far = FarField(low, high, rise, self._node_step)
        grid = Grid.of(ground, size, row0, column0)
        table = self.light.open_table if trees is not None else self.light.open_table[:, :, :4]
        open_sky = sums_over_azimuths(grid, directions, window, np.ascontiguousarray(table), far)
        if trees is None or kinds is None:
            return self.light.cells(open_sky, None, None)
        grid = Grid.of(ground + trees, size, row0, column0)
        behind = sums_over_azimuths(grid, directions, window, self.light.tree_table, far)
        crowns = trees[inner] > 0
        behind[:, crowns] = 0.0
        mix = LeafMix.of(trees, kinds, size, tile.near[0], tile.near[3])
        x = tile.bounds[0] + (np.arange(tile.wanted.shape[1]) + 0.5) * size
        y = tile.bounds[3] - (np.arange(tile.wanted.shape[0]) + 0.5) * size
        around = mix.at(x[None, :], y[:, None])
        evergreen = np.where(crowns, kinds[inner], around).astype(np.float32)
        return self.light.cells(open_sky, behind, evergreen)


def _sky_column(azimuths: int) -> np.ndarray:
    """Squared cosine of the horizon angle by its tangent, as a table column."""
    tangent = tangent_keys()
    column = (1.0 / (1.0 + tangent * tangent)).astype(np.float32)
    return np.tile(column[None, :, None], (azimuths, 1, 1))


def _lowest(heights: np.ndarray, step: int, counts: tuple[int, ...]) -> np.ndarray:
    """Return the lowest height around each node; where there is none, the lowest of all."""
    rows, columns = counts
    padded = np.full((rows * step, columns * step), np.nan, dtype=np.float32)
    half = step // 2
    inside = heights[: rows * step - half, : columns * step - half]
    padded[half : half + inside.shape[0], half : half + inside.shape[1]] = inside
    filled = np.where(np.isnan(padded), np.float32(np.inf), padded)
    lowest = filled.reshape(rows, step, columns, step).min(axis=(1, 3))
    known = lowest[np.isfinite(lowest)]
    return np.where(np.isfinite(lowest), lowest, known.min() if len(known) else np.float32(0.0))


def _digest(*parts: np.ndarray) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr((part.shape, part.dtype.str)).encode())
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def read_tiles(paths: list[Path]) -> Iterator[tuple[Affine, np.ndarray]]:
    """Yield the place and the coded values (4, rows, columns) of tiles, one at a time."""
    for path in paths:
        with rasterio.open(path) as source:
            yield source.transform, source.read()
