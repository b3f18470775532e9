"""Whether time is linear in area and memory bounded: synthetic districts side by side, their tiles streamed from disk.

A district is 13 tiles of 1 km, about the 12.7 km2 of the demo's, with 30,000 roof planes, more than twice as many as there.
Target: ten of them, 127 km2, in less than 5 GB and in time linear in area. Each count runs in a process of its own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine

from benchmarks.edit import Parts
from benchmarks.sky import CELL_SIZE_M, machine, town
from twin.sky.sky_view import AZIMUTHS
from twin.sky.tiles import SurfaceFolder
from twin.sky.town import save_skyline, town_skyline

TILES = 13
"""Of one district."""
ROWS = 10
TILE_M = 1000


def main(arguments: list[str]) -> None:
    """Print time and memory for each number of districts, and what they come to for ten."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks districts", description=__doc__)
    parser.add_argument("--count", default="1,2", help="numbers of districts, such as 1,2,4")
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.alone is not None:
        _measure(options.alone)
        return
    print(f"districts: {machine()}")
    measured = []
    for count in (int(part) for part in options.count.split(",")):
        command = [sys.executable, "-m", "benchmarks", "districts", "--alone", str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
        area, planes, seconds, busy, memory = (float(word) for word in done.stdout.split())
        measured.append((area, seconds, busy, memory))
        print(
            f"  {count:2d} districts, {area:5.0f} km2, {planes:8,.0f} planes: {seconds:7.1f} s   "
            f"({busy:.1f} s of processor time), {memory:.2f} GB at most"
        )
    if len(measured) > 1:
        _fit(np.array(measured))


def _fit(measured: np.ndarray) -> None:
    """Print straight lines through the figures, and what they say of 127 km2."""
    for name, values, unit in (("time", 1, "s"), ("processor time", 2, "s"), ("memory", 3, "GB")):
        slope, base = np.polyfit(measured[:, 0], measured[:, values], 1)
        off = np.abs(base + slope * measured[:, 0] - measured[:, values]).max()
        print(
            f"  {name}: {base:.2f} + {slope:.3f} {unit}/km2, off by {off:.2f} {unit} at most; "
            f"127 km2 by this line: {base + slope * 127:.1f} {unit}"
        )


def _measure(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        planes = _write(count * TILES, folder / "surface")
        _sweep_one_cell(folder / "warm")
        began, busy = time.perf_counter(), time.process_time()
        surface = SurfaceFolder.open(folder / "surface")
        (folder / "out").mkdir()
        save_skyline(*town_skyline(planes, surface, AZIMUTHS, Parts(folder / "parts")), folder / "out")
        took, busy = time.perf_counter() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(count * TILES * TILE_M**2 / 1e6, len(planes), took, busy, peak)


def _write(tiles: int, folder: Path) -> gpd.GeoDataFrame:
    """Write that many tiles of surface, column by column, and return their roof planes."""
    folder.mkdir()
    frames = []
    for number in range(tiles):
        column, row = divmod(number, ROWS)
        west, south = column * TILE_M, row * TILE_M
        part = town(round(TILE_M / CELL_SIZE_M), number, west=west, north=south + TILE_M)
        _write_tile(folder / f"E{column}_N{row}.tif", part.heights, west, south + TILE_M)
        frames.append(
            gpd.GeoDataFrame(
                {"tilt_deg": part.tilt_deg, "azimuth_deg": part.azimuth_deg},
                geometry=shapely.box(*(part.boxes + np.array([west, south, west, south])).T), crs="EPSG:5186",
            )
        )  # fmt: skip
    return gpd.GeoDataFrame(
        {name: np.concatenate([frame[name] for frame in frames]) for name in ("tilt_deg", "azimuth_deg")},
        geometry=np.concatenate([frame.geometry.to_numpy() for frame in frames]), crs="EPSG:5186",
    )  # fmt: skip


def _write_tile(path: Path, heights: np.ndarray, west: float, north: float) -> None:
    options = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "width": heights.shape[1], "height": heights.shape[0], "tiled": True,
        "blockxsize": 512, "blockysize": 512, "compress": "deflate", "predictor": 3, "zlevel": 1, "nodata": float("nan"),
    }  # fmt: skip
    place = Affine(CELL_SIZE_M, 0, west, 0, -CELL_SIZE_M, north)
    with rasterio.open(path, "w", crs="EPSG:5186", transform=place, **options) as target:
        target.write(heights, 1)


def _sweep_one_cell(folder: Path) -> None:
    """Compile, or read from the cache."""
    folder.mkdir()
    _write_tile(folder / "tile.tif", np.zeros((40, 40), dtype=np.float32), 0, 20)
    plane = gpd.GeoDataFrame({"tilt_deg": [0.0], "azimuth_deg": [180.0]}, geometry=[shapely.box(2, 2, 9, 9)])
    town_skyline(plane, SurfaceFolder.open(folder), 8, Parts(folder / "parts"))
