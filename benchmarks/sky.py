"""How fast the sky engine is: one synthetic town, swept whole.

Target on two cores, warm: 7200 x 7200 cells of 0.5 m, 72 azimuths, 30,000 roof planes and the unshaded fraction of all
daylight hours in 30 s and less than 5 GB; the slowest direction within twice the fastest.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib

from twin.sky.compiled import thread_count
from twin.sky.factors import horizon_band_ratio, sky_view_ratio, unshaded_fraction
from twin.sky.horizon import horizon_slopes
from twin.sky.lines import Grid
from twin.sky.plane_cells import cells_by_number
from twin.sky.planes import reduce_horizons
from twin.sky.shadow import cast_shadows, shaded

CELL_SIZE_M = 0.5
PLANES_PER_CELL = 30_000 / 7200**2


@dataclass(frozen=True)
class Town:
    """A surface and its roof planes; the south-western corner lies at (0, 0)."""

    heights: np.ndarray
    numbers: np.ndarray
    """Plane of each cell, from 1; 0 for none."""
    boxes: np.ndarray
    """(planes, 4) west, south, east, north [m]."""
    tilt_deg: np.ndarray
    azimuth_deg: np.ndarray


def town(side: int, seed: int = 41210, *, west: float = 0.0, north: float = 0.0) -> Town:
    """Return rolling ground with houses and apartment blocks on a lattice, as dense as 30,000 planes on 13 km2.

    ``west`` and ``north`` [m] say where on the ground the town begins; its planes are told from its own corner.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) * np.float32(CELL_SIZE_M)
    x, y = x + np.float32(west), y - np.float32(north)
    heights = 40 + 12 * np.sin(x / 400) + 9 * np.cos(y / 310)
    numbers = np.zeros((side, side), dtype=np.int32)
    wanted = round(side * side * PLANES_PER_CELL)
    # a quarter are gabled houses of two planes, the rest flat roofs
    pitch = int(side / np.sqrt(wanted / 1.25)) - 1
    planes: list[tuple[float, ...]] = []
    for row in range(0, side - pitch, pitch):
        for column in range(0, side - pitch, pitch):
            depth, width = rng.integers(pitch // 2, int(pitch * 0.8), 2)
            depth += depth % 2
            top, left = row + int(rng.integers(1, pitch - depth)), column + int(rng.integers(1, pitch - width))
            foot = heights[top + depth // 2, left + width // 2]
            here = np.s_[top : top + depth, left : left + width]
            west, east, north, south = left, left + width, side - top, side - top - depth
            if rng.random() < 0.25:
                half = depth // 2
                across = np.abs(np.arange(depth) + 0.5 - half)[:, None]
                heights[here] = foot + 4 + np.tan(np.radians(30)) * CELL_SIZE_M * (half - across)
                numbers[here] = np.where(np.arange(depth)[:, None] < half, len(planes) + 1, len(planes) + 2)
                planes.append((west, north - half, east, north, 30.0, 0.0))
                planes.append((west, south, east, north - half, 30.0, 180.0))
            else:
                heights[here] = foot + rng.choice([7.0, 12.0, 20.0, 45.0, 75.0], p=[0.35, 0.3, 0.2, 0.1, 0.05])
                numbers[here] = len(planes) + 1
                planes.append((west, south, east, north, 0.0, 180.0))
    table = np.array(planes)
    return Town(heights.astype(np.float32), numbers, table[:, :4] * CELL_SIZE_M, table[:, 4], table[:, 5])


def daylight_hours() -> pd.DataFrame:
    """Return the sun's positions in the middle of all daylight hours of a year in Gwangmyeong."""
    times = pd.date_range("2023-01-01 00:30", periods=8760, freq="h", tz="Asia/Seoul")
    sun = pvlib.solarposition.get_solarposition(times, 37.43, 126.83)
    return sun[sun["apparent_elevation"] > 0]


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that ``work`` takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def machine() -> str:
    """Return the processor's name and the number of threads used."""
    info = Path("/proc/cpuinfo")
    names = (
        [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    return f"{names[0] if names else platform.machine()}, {thread_count()} threads, Python {platform.python_version()}"


def main(arguments: list[str]) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sky", description=__doc__)
    parser.add_argument("--side", type=int, default=7200, help="cells along each side")
    parser.add_argument("--azimuths", type=int, default=72)
    options = parser.parse_args(arguments)
    print(f"sky: {machine()}")
    _warm_up()
    place = town(options.side)
    heights, numbers, tilt, azimuth = place.heights, place.numbers, place.tilt_deg, place.azimuth_deg
    sun = daylight_hours()
    pixels = heights.size / 1e6
    print(
        f"town: {options.side} x {options.side} cells of {CELL_SIZE_M} m, {len(tilt):,} planes, {len(sun):,} daylight hours"
    )
    began, busy = time.perf_counter(), time.process_time()
    grid = Grid.of(heights, CELL_SIZE_M)
    cells = cells_by_number(numbers, len(tilt), grid)
    prepared = time.perf_counter()
    found = reduce_horizons(grid, cells, tilt, azimuth, options.azimuths)
    swept = time.perf_counter()
    isotropic, band = sky_view_ratio(found, tilt, azimuth), horizon_band_ratio(found, tilt, azimuth)
    viewed = time.perf_counter()
    fraction = unshaded_fraction(found, sun["azimuth"], sun["apparent_elevation"])
    done, busy = time.perf_counter(), time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"  cells of planes       {prepared - began:7.2f} s   ({len(cells.cell) / 1e6:.1f} M cells)")
    print(
        f"  sweep and count       {swept - prepared:7.2f} s   "
        f"({pixels * options.azimuths / (swept - prepared):.0f} Mpx.azimuth/s, {len(found.bin) / 1e6:.1f} M entries kept)"
    )
    print(f"  sky view, band        {viewed - swept:7.2f} s   (mean {isotropic.mean():.3f}, {band.mean():.3f})")
    print(f"  hourly fractions      {done - viewed:7.2f} s   (mean {fraction.mean():.3f})")
    print(
        f"  in all                {done - began:7.2f} s   ({busy:.1f} s of processor time, peak memory {peak:.2f} GB)"
    )
    del found, fraction, cells, numbers, place
    _directions(grid, pixels)
    _shadows(grid, sun, pixels)


def _warm_up() -> None:
    """Compile, or read from the cache."""
    place = town(200)
    grid = Grid.of(place.heights, CELL_SIZE_M)
    cells = cells_by_number(place.numbers, len(place.tilt_deg), grid)
    found = reduce_horizons(grid, cells, place.tilt_deg, place.azimuth_deg, 8)
    unshaded_fraction(found, [100.0], [20.0])
    sky_view_ratio(found, place.tilt_deg, place.azimuth_deg)
    shaded(grid, 100.0, 20.0)


def _directions(grid: Grid, pixels: float) -> None:
    print("  one direction and its opposite, heights under the lines included:")
    rates = []
    for azimuth in (0.0, 22.5, 45.0, 67.5, 90.0):
        pair = np.array([azimuth, azimuth + 180])

        def sweep(pair: np.ndarray = pair) -> None:
            for _ in horizon_slopes(grid, pair):
                pass

        rates.append(2 * pixels / min(timed(sweep) for _ in range(3)))
        print(f"    {azimuth:5.1f} deg          {rates[-1]:6.0f} Mpx.azimuth/s")
    print(f"    fastest over slowest  {max(rates) / min(rates):.2f}")


def _shadows(grid: Grid, sun: pd.DataFrame, pixels: float) -> None:
    some = sun.iloc[:: max(1, len(sun) // 12)]

    def cast() -> None:
        for _ in cast_shadows(grid, some["azimuth"], some["apparent_elevation"]):
            pass

    seconds = min(timed(cast) for _ in range(2))
    print(f"  exact shadows         {pixels * len(some) / seconds:7.0f} Mpx/s")
