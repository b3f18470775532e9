"""Our figures beside others', on one surface in one run: GRASS r.horizon, and a plain pvlib ModelChain for each roof.

The surface is a square of the demo town in cells of 0.5 m. Targets: 300 times the throughput of r.horizon on the same raster,
and horizon angles that differ from its by 0.6 deg at most in the median and by 2.5 deg in 95 % of cells.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pvlib

from benchmarks._district import District, build_district
from benchmarks._grass import grass_horizons, grass_missing
from benchmarks.edit import Parts
from benchmarks.sky import CELL_SIZE_M, machine
from benchmarks.sky import town as synthetic_town
from twin.sky.factors import PlaneFactors, factors_of
from twin.sky.horizon import horizon_angle, horizon_slopes
from twin.sky.lines import Grid
from twin.sky.sky_view import AZIMUTHS
from twin.sky.town import town_skyline
from twin.solar.resource import Resource
from twin.solar.yields import roof_yields


def main(arguments: list[str]) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks rivals", description=__doc__)
    parser.add_argument("--side", type=float, default=600.0, help="side of the square that r.horizon sweeps [m]")
    parser.add_argument("--roofs", type=int, default=40, help="roofs that the ModelChain runs for")
    parser.add_argument(
        "--dense", action="store_true", help="horizons of the synthetic town of `benchmarks.sky` instead"
    )
    options = parser.parse_args(arguments)
    print(f"rivals: {machine()}")
    if options.dense:
        place = synthetic_town(round(options.side / CELL_SIZE_M))
        _horizons("synthetic town", place.heights, CELL_SIZE_M, place.numbers > 0)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        town = build_district(folder, "town")
        surface = town.surface(folder / "surface")
        x, y = (round(at - options.side / 2) for at in town.area.area.centroid.coords[0])
        heights = surface.read((x, y, x + options.side, y + options.side))
        _horizons("demo town", heights, town.cell_size_m)
        began, busy = time.perf_counter(), time.process_time()
        near, far = town_skyline(town.planes, surface, AZIMUTHS, Parts(folder / "parts"))
        resource = town.resource()
        swept = time.perf_counter() - began, time.process_time() - busy
        factors = factors_of(town.planes, near, far, resource)
        _yields(town, resource, folder / "yields", factors, swept=swept, count=options.roofs)


def _horizons(words: str, heights: np.ndarray, cell_size_m: float, roofs: np.ndarray | None = None) -> None:
    rows, columns = heights.shape
    print(f"horizons of {rows} x {columns} cells of {cell_size_m} m of the {words}:")
    grid = Grid.of(heights, cell_size_m)
    azimuths = np.arange(AZIMUTHS) * 360.0 / AZIMUTHS
    for _ in horizon_slopes(grid, azimuths[:4]):
        pass
    began, busy = time.perf_counter(), time.process_time()
    for _ in horizon_slopes(grid, azimuths):
        pass
    ours = heights.size * AZIMUTHS / 1e6 / (time.perf_counter() - began)
    ours_busy = heights.size * AZIMUTHS / 1e6 / (time.process_time() - busy)
    print(
        f"  ours, {AZIMUTHS} azimuths    {ours:8.1f} Mpx.azimuth/s   {ours_busy:8.1f} for each second of processor time"
    )
    why = grass_missing()
    if why:
        print(f"  GRASS r.horizon       skipped: {why}")
        return
    found = grass_horizons(heights, cell_size_m, start_deg=15, step_deg=60)
    count = len(found.by_azimuth)
    theirs, theirs_busy = (heights.size * count / 1e6 / seconds for seconds in (found.seconds, found.processor_seconds))
    print(
        f"  r.horizon, {count} azimuths {theirs:8.3f} Mpx.azimuth/s   {theirs_busy:8.3f} for each second of processor time"
    )
    print(f"  ratio                 {ours / theirs:8.0f}                 {ours_busy / theirs_busy:8.0f}")
    off = horizon_difference(heights, cell_size_m, found.by_azimuth)
    middle, most = np.quantile(off, [0.5, 0.95])
    print(f"  difference of angles: median {middle:.3f} deg, 95 % within {most:.3f} deg")
    if roofs is not None:
        most = np.quantile(off.reshape(count, -1)[:, roofs.ravel()], 0.95)
        print(f"  of cells on roofs: 95 % within {most:.3f} deg")


def horizon_difference(heights: np.ndarray, cell_size_m: float, others: dict[float, np.ndarray]) -> np.ndarray:
    """Return the absolute differences [deg] of our horizon from others' in all cells and azimuths; both at least 0."""
    # r.horizon knows no negative horizon
    return np.concatenate(
        [
            np.abs(np.maximum(horizon_angle(heights, cell_size_m, azimuth), 0.0) - angles).ravel()
            for azimuth, angles in others.items()
        ]
    )


def _yields(
    town: District, resource: Resource, out: Path, factors: PlaneFactors, *, swept: tuple[float, float], count: int
) -> None:
    planes = town.planes
    print(f"a year of hourly yield, {len(planes):,} roofs of the demo town:")
    roof_yields(planes.iloc[:50], resource, out / "warm")
    began, busy = time.perf_counter(), time.process_time()
    roof_yields(planes, resource, out / "all", factors)
    took, took_busy = time.perf_counter() - began + swept[0], time.process_time() - busy + swept[1]
    rate, rate_busy = len(planes) / took, len(planes) / took_busy
    print(f"  ours, with shading    {rate:8.1f} roofs/s          {rate_busy:8.1f} for each second of processor time")
    few = planes[planes["capacity_kwp"] > 0].iloc[:count]
    began, busy = time.perf_counter(), time.process_time()
    plain_model_chains(few, resource, town)
    theirs, theirs_busy = len(few) / (time.perf_counter() - began), len(few) / (time.process_time() - busy)
    print(
        f"  ModelChain, unshaded  {theirs:8.1f} roofs/s          {theirs_busy:8.1f} for each second of processor time"
    )
    print(f"  ratio                 {rate / theirs:8.1f}                  {rate_busy / theirs_busy:8.1f}")


def plain_model_chains(planes: gpd.GeoDataFrame, resource: Resource, town: District) -> list[float]:
    """Return the yearly yield [kWh] of each roof by pvlib's ModelChain as its manual shows it, one roof after the other."""
    place = pvlib.location.Location(*town.place())
    weather = resource.hourly[["ghi", "dni", "dhi", "temp_air", "wind_speed"]]
    heat = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_polymer"]
    found = []
    for plane in planes.itertuples():
        rated = 1000.0 * float(plane.capacity_kwp)
        array = pvlib.pvsystem.Array(
            pvlib.pvsystem.FixedMount(float(plane.module_tilt_deg), float(plane.module_azimuth_deg)),
            module_parameters={"pdc0": rated, "gamma_pdc": -0.004}, temperature_model_parameters=heat,
        )  # fmt: skip
        system = pvlib.pvsystem.PVSystem([array], inverter_parameters={"pdc0": rated / 1.2})
        chain = pvlib.modelchain.ModelChain.with_pvwatts(system, place)
        found.append(float(chain.run_model(weather).results.ac.sum()) / 1000.0)
    return found
