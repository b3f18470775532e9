"""The town in tiles: each is swept with a halo around it, so memory is bounded by the tile and not by the town.

A roof plane belongs to the tile that holds a point on it, as a whole. Swept is the rectangle of the tile's planes,
widened by the halo on all sides and cut from the one grid of the town: lines and cells are those of an untiled
sweep. What lies further away enters at look-up (`twin.sky.far`) and so never makes a tile's result stale.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.windows
import shapely
from affine import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from twin.sky.far import FarSurface, far_horizon, max_pooled
from twin.sky.lines import Grid
from twin.sky.plane_cells import check_metric, plane_cells
from twin.sky.planes import HorizonDistribution, reduce_horizons
from twin.sky.sky_view import AZIMUTHS

# Measured by `python -m benchmarks tiles` on 1.5 km square with houses, blocks and towers of 75 m, 0.5 m cells: error of
# each plane's yearly beam against the untiled sweep, 95 % of planes, in percentage points, far skyline included.
#   tile 1000 m: halo 100 m 0.16, 200 m 0.06, 300 m 0.03, 500 m 0.01     tile 500 m: 0.30, 0.11, 0.06, 0.01
# A halo of 200 m is five times better than the 0.3 points asked for; the cells swept then double (1.4 km square for
# 1 km). Smaller tiles sweep more halo than town; larger ones make every edit dearer.
TILE_M = 1000.0
HALO_M = 200.0
FAR_CELL_M = 5.0
_PLANES_AT_ONCE = 20_000
"""Rays of so many planes are followed at a time: 5 kB each in float64 for 72 azimuths."""

Bounds = tuple[float, float, float, float]
"""West, south, east, north [m]."""
ReadSurface = Callable[[Bounds], np.ndarray]
"""Gives north-up heights [m] within bounds on the cell grid, float32, NaN where there is none."""


@dataclass(frozen=True)
class Tile:
    """One square of the tile grid and what has to be swept for it.

    ``planes`` are positions in the table of planes, ascending; ``near`` is the rectangle with its halo.
    """

    name: str
    planes: np.ndarray
    near: Bounds


def tiles_of(
    shapes: Sequence[BaseGeometry] | np.ndarray, cell_size_m: float, *, tile_m: float = TILE_M, halo_m: float = HALO_M
) -> list[Tile]:
    """Return the tiles that hold roof planes, from west to east and south to north.

    Parameters
    ----------
    shapes : outlines of all planes, in metres
    cell_size_m : of the surface; rectangles lie on multiples of it

    Raises
    ------
    InputError
        If a plane has no geometry.
    """
    outlines = np.asarray(shapes, dtype=object)
    if len(outlines) == 0:
        return []
    hollow = shapely.is_missing(outlines) | shapely.is_empty(outlines)
    if hollow.any():
        raise InputError(f"roof plane {int(np.flatnonzero(hollow)[0])} has no geometry; leave such planes out")
    corner = np.floor(shapely.get_coordinates(shapely.point_on_surface(outlines)) / tile_m).astype(np.int64)
    boxes = shapely.bounds(outlines)
    squares, owner = np.unique(corner, axis=0, return_inverse=True)
    owner = owner.reshape(-1)
    tiles = []
    for number, (column, row) in enumerate(squares.tolist()):
        mine = np.flatnonzero(owner == number)
        low, high = boxes[mine, :2].min(axis=0) - halo_m, boxes[mine, 2:].max(axis=0) + halo_m
        west, south = (math.floor(edge / cell_size_m + 1e-9) * cell_size_m for edge in low)
        east, north = (math.ceil(edge / cell_size_m - 1e-9) * cell_size_m for edge in high)
        tiles.append(Tile(f"E{column}_N{row}", mine, (west, south, east, north)))
    return tiles


def sweep_tile(
    tile: Tile,
    surface: np.ndarray,
    cell_size_m: float,
    shapes: Sequence[BaseGeometry] | np.ndarray,
    *,
    tilt_deg: npt.ArrayLike,
    azimuth_deg: npt.ArrayLike,
    azimuths: int = AZIMUTHS,
    threads: int | None = None,
) -> HorizonDistribution:
    """Return the skylines of a tile's planes, in the order of ``tile.planes``.

    Parameters
    ----------
    tile : of `tiles_of`
    surface : heights [m] of ``tile.near``
    shapes, tilt_deg, azimuth_deg : of this tile's planes

    Raises
    ------
    InputError
        If the surface does not fill ``tile.near``, or planes are unusable. A tile without any surface is no error:
        its planes are flagged `Sampling.NO_SURFACE`.
    """
    grid = tile_grid(tile, surface, cell_size_m)
    cells = plane_cells(shapes, grid, tile.near[0], tile.near[3])
    return reduce_horizons(grid, cells, tilt_deg, azimuth_deg, azimuths, near=tile.near, threads=threads)


def tile_grid(tile: Tile, surface: np.ndarray, cell_size_m: float) -> Grid:
    """Return the grid of a tile's rectangle; ``surface`` and errors as in `sweep_tile`."""
    west, south, east, north = tile.near
    shape = (round((north - south) / cell_size_m), round((east - west) / cell_size_m))
    if surface.shape != shape:
        raise InputError(f"tile {tile.name}: the surface has {surface.shape} cells, its rectangle needs {shape}")
    row0, column0 = round(-north / cell_size_m), round(west / cell_size_m)
    if np.isnan(surface).all():
        # no error here, unlike a whole surface without heights: every plane is flagged
        return Grid(np.ascontiguousarray(surface, dtype=np.float32), cell_size_m, row0, column0)
    return Grid.of(surface, cell_size_m, row0, column0)


def join_tiles(tiles: Sequence[Tile], swept: Sequence[HorizonDistribution]) -> HorizonDistribution:
    """Return the skylines of all planes in the order of the table of planes; ``swept`` as in `HorizonDistribution.join`.

    Raises
    ------
    InputError
        If the tiles do not hold each plane once.
    """
    return HorizonDistribution.join(swept, [tile.planes for tile in tiles])


def far_skyline(
    distribution: HorizonDistribution,
    shapes: Sequence[BaseGeometry] | np.ndarray,
    surfaces: Sequence[FarSurface],
    threads: int | None = None,
) -> np.ndarray:
    """Return the far skyline of planes, float32 (planes, azimuths) [deg]; see `far_horizon`."""
    centre = shapely.get_coordinates(shapely.point_on_surface(np.asarray(shapes, dtype=object)))
    xyz = np.column_stack([centre, distribution.height_m])
    out = np.empty((len(xyz), len(distribution.azimuths_deg)), dtype=np.float32)
    for first in range(0, len(xyz), _PLANES_AT_ONCE):
        some = slice(first, first + _PLANES_AT_ONCE)
        out[some] = far_horizon(
            surfaces, xyz[some], distribution.azimuths_deg, distribution.near[some], threads=threads
        )
    return out


def pooled_surface(
    read: ReadSurface, bounds: Bounds, cell_size_m: float, *, far_cell_m: float = FAR_CELL_M, block_m: float = TILE_M,
    each: Callable[[ReadSurface, Sequence[Bounds]], Iterable[np.ndarray]] = map,
) -> FarSurface:  # fmt: skip
    """Return the surface within ``bounds`` max-pooled to about ``far_cell_m``, read block by block.

    ``each`` calls a function for the bounds of all blocks: one after the other if nothing else is given.

    Raises
    ------
    InputError
        If no cell within the bounds has a height.
    """
    factor = max(1, round(far_cell_m / cell_size_m))
    size = factor * cell_size_m
    side = max(1, round(block_m / size))
    west, north = math.floor(bounds[0] / size) * size, math.ceil(bounds[3] / size) * size
    columns, rows = math.ceil((bounds[2] - west) / size), math.ceil((north - bounds[1]) / size)
    out = np.full((rows, columns), np.nan, dtype=np.float32)
    corners = [(row, column) for row in range(0, rows, side) for column in range(0, columns, side)]
    blocks: list[Bounds] = []
    for row, column in corners:
        height, width = min(side, rows - row), min(side, columns - column)
        left, top = west + column * size, north - row * size
        blocks.append((left, top - height * size, left + width * size, top))

    def pooled(block: Bounds) -> np.ndarray:
        return max_pooled(read(block), factor)

    for (row, column), found in zip(corners, each(pooled, blocks), strict=True):
        out[row : row + found.shape[0], column : column + found.shape[1]] = found
    return FarSurface.of(out, size, west, north)


_FILLED_ROWS = 512
"""Terrain is resampled strip by strip, and only as wide as something is missing."""


@dataclass(frozen=True)
class SurfaceFolder:
    """Reads any rectangle from a folder of surface tiles as `twin.surface.build_surface` writes them."""

    paths: tuple[Path, ...]
    bounds: np.ndarray
    cell_size_m: float
    crs: str
    terrain: Path | None = None
    """Stands in where no tile has a height: hills beside the study area hide the sky too."""
    canopy: SurfaceFolder | None = None
    """Heights of trees [m] that stand on this surface, NaN or 0 where none do."""

    @classmethod
    def open(cls, folder: Path, terrain: Path | None = None) -> SurfaceFolder:
        """Return a reader of all ``*.tif`` in ``folder``, with ``terrain`` [m] around them.

        Raises
        ------
        InputError
            If there are none, or one is not north-up, has other or non-square cells, or no CRS in metres.
        """
        paths = tuple(sorted(folder.glob("*.tif")))
        if not paths:
            raise InputError(f"{folder} holds no surface tiles (*.tif); build the surface first")
        bounds = np.empty((len(paths), 4))
        kinds = set()
        for number, path in enumerate(paths):
            with rasterio.open(path) as source:
                grid = source.transform
                if grid.b != 0 or grid.d != 0 or grid.a <= 0 or grid.e >= 0:
                    raise InputError(f"{path}: the raster is turned or not north-up; warp it with gdalwarp first")
                if not math.isclose(grid.a, -grid.e, rel_tol=1e-9):
                    raise InputError(
                        f"{path}: cells are {grid.a:g} x {-grid.e:g}, they must be square; resample with gdalwarp -tr"
                    )
                check_metric(source.crs, grid.a)
                bounds[number] = source.bounds
                kinds.add((source.crs.to_string(), grid.a))
        if len(kinds) > 1:
            raise InputError(f"{folder}: surface tiles differ in CRS or cell size: {sorted(kinds)}")
        crs, size = kinds.pop()
        return cls(paths, bounds, float(size), crs, terrain)

    def read(self, bounds: Bounds) -> np.ndarray:
        """Return heights [m] within ``bounds``, which lie on the cell grid; NaN where nothing is known."""
        size = self.cell_size_m
        west, south, east, north = bounds
        out = np.full((round((north - south) / size), round((east - west) / size)), np.nan, dtype=np.float32)
        for number in self._touching(bounds):
            left, bottom, right, top = self.bounds[number]
            first, last = round((max(west, left) - west) / size), round((min(east, right) - west) / size)
            upper, lower = round((north - min(north, top)) / size), round((north - max(south, bottom)) / size)
            window = rasterio.windows.Window(
                first + round((west - left) / size), upper + round((top - north) / size), last - first, lower - upper
            )
            with rasterio.open(self.paths[number]) as source:
                out[upper:lower, first:last] = source.read(1, window=window)
        if self.terrain is not None and np.isnan(out).any():
            self._fill(out, self.terrain, west, north)
        if self.canopy is not None:
            # without trees every height keeps its very bits
            trees = self.canopy.read(bounds)
            np.add(out, trees, out=out, where=trees > 0)
        return out

    def identity(self, bounds: Bounds) -> str:
        """Return a hash of the files that `read` takes heights within ``bounds`` from, without reading any height.

        Equal identities mean equal heights; unequal ones say only that some file has changed, maybe elsewhere.
        """
        files = [self._hashes[number] for number in self._touching(bounds)]
        files += [f"terrain {self._hashes[-1]}"] if self.terrain is not None else []
        files += [f"canopy {self.canopy.identity(bounds)}"] if self.canopy is not None else []
        return hashlib.sha256("\n".join(files).encode()).hexdigest()

    @cached_property
    def _hashes(self) -> list[str]:
        """Sha256 of each tile and, last, of the terrain."""
        found = []
        for path in [*self.paths, *([self.terrain] if self.terrain is not None else [])]:
            with path.open("rb") as stream:
                found.append(hashlib.file_digest(stream, "sha256").hexdigest())
        return found

    def _touching(self, bounds: Bounds) -> np.ndarray:
        west, south, east, north = bounds
        touching = (self.bounds[:, 0] < east) & (self.bounds[:, 2] > west)
        touching &= (self.bounds[:, 1] < north) & (self.bounds[:, 3] > south)
        return np.flatnonzero(touching)

    def _fill(self, heights: np.ndarray, terrain: Path, west: float, north: float) -> None:
        size = self.cell_size_m
        options = {
            "crs": self.crs, "transform": Affine(size, 0.0, west, 0.0, -size, north), "width": heights.shape[1],
            "height": heights.shape[0], "src_nodata": float("nan"), "nodata": float("nan"), "resampling": Resampling.bilinear,
        }  # fmt: skip
        with rasterio.open(terrain) as source, WarpedVRT(source, **options) as ground:
            for upper in range(0, len(heights), _FILLED_ROWS):
                strip = heights[upper : upper + _FILLED_ROWS]
                holes = np.flatnonzero(np.isnan(strip).any(axis=0))
                if len(holes):
                    left, right = int(holes[0]), int(holes[-1]) + 1
                    window = rasterio.windows.Window(left, upper, right - left, len(strip))
                    part = strip[:, left:right]
                    np.copyto(part, ground.read(1, window=window), where=np.isnan(part))
