"""What tiling costs and what it gets wrong, for several sizes of tile and halo: the ground for `twin.sky.tiles`' sizes."""

from __future__ import annotations

import argparse
import time

import numpy as np
import shapely

from benchmarks.sky import CELL_SIZE_M, Town, daylight_hours, machine, town
from twin.sky.factors import unshaded_fraction
from twin.sky.lines import Grid
from twin.sky.plane_cells import cells_by_number
from twin.sky.planes import HorizonDistribution, reduce_horizons
from twin.sky.tiles import Bounds, far_skyline, join_tiles, pooled_surface, sweep_tile, tiles_of

AZIMUTHS = 72


def main(arguments: list[str]) -> None:
    """Print errors of yearly shading against the untiled sweep, and seconds of processor time."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks tiles", description=__doc__)
    parser.add_argument("--side", type=int, default=4000, help="cells along each side")
    parser.add_argument("--halos", type=float, nargs="+", default=[100.0, 200.0, 300.0, 500.0])
    parser.add_argument("--tiles", type=float, nargs="+", default=[500.0, 1000.0])
    options = parser.parse_args(arguments)
    print(f"tiles: {machine()}")
    place = town(options.side)
    shapes = shapely.box(*place.boxes.T)
    grid = Grid.of(place.heights, CELL_SIZE_M, row0=-options.side)
    began = time.process_time()
    cells = cells_by_number(place.numbers, len(shapes), grid)
    whole = reduce_horizons(grid, cells, place.tilt_deg, place.azimuth_deg, AZIMUTHS)
    exact = _yearly_loss(whole)
    print(
        f"untiled: {options.side * CELL_SIZE_M:.0f} m square, {len(shapes):,} planes, mean loss {exact.mean():.2f} points, {time.process_time() - began:.1f} s"
    )
    edge = options.side * CELL_SIZE_M
    far_surface = pooled_surface(lambda bounds: _read(place, bounds), (0.0, 0.0, edge, edge), CELL_SIZE_M)
    print(
        "tile m  halo m   CPU s   near only: 95 %    max   with far skyline: 95 %    max    mean   (points of yearly beam)"
    )
    for tile_m in options.tiles:
        for halo_m in options.halos:
            began = time.process_time()
            tiles = tiles_of(shapes, CELL_SIZE_M, tile_m=tile_m, halo_m=halo_m)
            swept = [
                sweep_tile(
                    tile, _read(place, tile.near), CELL_SIZE_M, shapes[tile.planes],
                    tilt_deg=place.tilt_deg[tile.planes], azimuth_deg=place.azimuth_deg[tile.planes], azimuths=AZIMUTHS,
                )
                for tile in tiles
            ]  # fmt: skip
            joined = join_tiles(tiles, swept)
            far = far_skyline(joined, shapes, [far_surface])
            spent = time.process_time() - began
            near_error, error = np.abs(_yearly_loss(joined) - exact), _yearly_loss(joined, far) - exact
            print(
                f"{tile_m:6.0f}  {halo_m:6.0f}  {spent:6.1f}   {np.quantile(near_error, 0.95):15.3f} {near_error.max():6.2f}"
                f"   {np.quantile(np.abs(error), 0.95):22.3f} {np.abs(error).max():6.2f} {error.mean():+7.4f}"
            )


def _read(place: Town, bounds: Bounds) -> np.ndarray:
    """Heights within ``bounds``, NaN beyond the town."""
    side = len(place.heights)
    west, south, east, north = (round(edge / CELL_SIZE_M) for edge in bounds)
    out = np.full((north - south, east - west), np.nan, dtype=np.float32)
    top, left = side - north, west
    rows, columns = slice(max(0, top), min(side, side - south)), slice(max(0, left), min(side, east))
    out[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = place.heights[rows, columns]
    return out


def _yearly_loss(distribution: HorizonDistribution, far: np.ndarray | None = None) -> np.ndarray:
    """Share of the year's beam on level ground that each plane loses [percentage points]."""
    sun = daylight_hours().iloc[::3]
    weight = np.sin(np.radians(sun["apparent_elevation"].to_numpy()))
    lit = unshaded_fraction(distribution, sun["azimuth"], sun["apparent_elevation"], far)
    return 100.0 * (1.0 - weight @ lit / weight.sum())
