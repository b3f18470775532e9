"""Sky view, hours of shade and yearly irradiation of the ground and of roofs, cell by cell, in tiles.

All cells are level. Shade counts the hours in which the sun is above the level horizon and something hides it, whatever the
weather; an hour behind a crown counts by what the crown holds back. Irradiation is pvlib's for a level plane, less what
neighbours, hills and trees hide, plus the first bounce, as for roofs. Under a tree only the crown's transmissivity is left.

Rasters are coarser than the surface: each of their cells takes the height of one cell of it, so that walls stay walls.
The far skyline is told to a tenth of a degree: an edit far away then leaves the tiles alone that do not see it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import rasterio.features
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from geodata.compute import ComputeSpec
from geodata.errors import InputError
from twin.sky.cell_light import digest_of_arrays
from twin.sky.changed_heights import changed_bounds, reaches
from twin.sky.raster_tile import RasterMaker, RasterTile, Year, coded_values
from twin.sky.raster_update import TileSight, updated_sums
from twin.sky.tasks import run_tasks
from twin.sky.tiles import HALO_M, TILE_M, SurfaceFolder
from twin.sky.town import Keep, Known, far_surface

TILE_FILE = "rasters.tif"
_LOWEST, _HASH = "lowest.npy", "sha256"
_SUMS, _NODES, _MADE = "sums.npy", "far_nodes.npy", "made_from.json"


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
    *, cell_size_m: float, keep: Keep, compute: ComputeSpec | None = None, before: RasterTown | None = None,
) -> list[Path]:  # fmt: skip
    """Return the raster files of all tiles of a town, west to east and south to north.

    Parameters
    ----------
    area : whose cells are wanted
    surface : heights of terrain and buildings, with its ``canopy`` where trees stand on it
    evergreen : share of evergreen crowns, None without trees
    roofs : outlines of buildings; in their cells there is irradiation, but no sky view and no shade of the ground
    keep, compute : as in `twin.sky.town.town_skyline`
    before : the town whose rasters were made the last time; results are the same without

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
    changed = None if before is None else before.changed(surface, evergreen)
    return run_tasks(_Tiles(maker, keep, before, changed).kept, jobs, compute)


@dataclass(frozen=True)
class RasterTown:
    """A town whose rasters were made before: what an edit cannot be seen from is taken from there."""

    surface: SurfaceFolder
    evergreen: SurfaceFolder | None
    last: Callable[[str], Path | None]
    """Gives the folder of a part as it was last kept, by its name."""
    known: Known
    """Gives the folder of a part by its name and what it was made from, if it is there."""

    def changed(self, surface: SurfaceFolder, evergreen: SurfaceFolder | None) -> np.ndarray | None:
        """Return boxes of cells that are others now; None where the two towns cannot be held against each other."""
        if (self.evergreen is None) != (evergreen is None):
            return None
        pairs = [(self.surface, surface)]
        if self.evergreen is not None and evergreen is not None:
            pairs.append((self.evergreen, evergreen))
        found = [changed_bounds(*pair) for pair in pairs]
        known = [boxes for boxes in found if boxes is not None]
        return np.concatenate(known) if len(known) == len(found) else None


@dataclass(frozen=True)
class _Tiles:
    """Makes the tiles that are not kept."""

    maker: RasterMaker
    keep: Keep
    before: RasterTown | None
    changed: np.ndarray | None
    """Boxes of cells whose heights, trees or kinds of trees differ from before; None where that is not known."""

    def kept(self, job: tuple[RasterTile, np.ndarray], threads: int) -> Path:
        """Return the file of one tile, made only if something that can be seen from its cells has changed."""
        (tile, outlines), maker, keep = job, self.maker, self.keep
        read: list[list[np.ndarray]] = []

        def look(folder: Path) -> None:
            seen = self._looked_at_before(tile, place)
            if seen is not None:
                for name in (_LOWEST, _HASH):
                    (folder / name).write_bytes((seen / name).read_bytes())
                return
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
        heights_hash = (seen / _HASH).read_text(encoding="ascii")
        frame = digest_of_arrays(tile.wanted, np.array([*tile.near, *tile.bounds, maker.cell_size_m]))
        made_from = {
            "frame": frame, "heights": heights_hash, "cells": digest_of_arrays(built, nodes), "light": maker.light.digest,
        }  # fmt: skip

        def fill(folder: Path) -> None:
            now = TileSight(read.pop() if read else maker.read(tile), lowest, nodes)
            before = self._before(tile, made_from, now)
            sums = None if before is None else updated_sums(maker, tile, *before, now, threads=threads)
            if sums is None:
                sums = maker.sums(tile, now.heights, lowest, nodes, threads)
            coded = coded_values(maker.values(tile, now.heights, sums), tile.wanted, built)
            maker.write(folder / TILE_FILE, tile, coded)
            np.save(folder / _SUMS, sums, allow_pickle=False)
            np.save(folder / _NODES, nodes, allow_pickle=False)
            (folder / _MADE).write_text(json.dumps(made_from), encoding="utf-8")

        return keep(tile.name, made_from, fill) / TILE_FILE

    def _looked_at_before(self, tile: RasterTile, place: dict[str, Any]) -> Path | None:
        """Return the part that holds what the tile's heights of before were, where they are the same now."""
        if self.before is None or reaches(self.changed, tile.near):
            return None
        then = replace(self.maker, surface=self.before.surface, evergreen=self.before.evergreen)
        return self.before.known(f"{tile.name}.heights", {**place, "identity": then.identity(tile)})

    def _before(
        self, tile: RasterTile, made_from: dict[str, str], now: TileSight
    ) -> tuple[np.ndarray, TileSight] | None:
        """Return the tile's sums of before and what they followed from, or None where these are not known."""
        if self.before is None or (last := self.before.last(tile.name)) is None:
            return None
        made = json.loads((last / _MADE).read_text(encoding="utf-8"))
        if made["frame"] != made_from["frame"] or made["light"] != made_from["light"]:
            return None
        heights, lowest = now.heights, now.lowest
        if made["heights"] != made_from["heights"]:
            then = replace(self.maker, surface=self.before.surface, evergreen=self.before.evergreen)
            heights = then.read(tile)
            if digest_of_arrays(*heights) != made["heights"]:
                return None
            lowest = then.lowest(tile, heights[0])
        nodes = np.load(last / _NODES, allow_pickle=False)
        return np.load(last / _SUMS, allow_pickle=False), TileSight(heights, lowest, nodes)
