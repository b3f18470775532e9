"""How fast green cover and biotope ratio are measured: parcels laid over land cover, exactly.

Target on two cores: 20,000 parcels on 50,000 land cover polygons in 20 s, and a cost that grows no faster than the area. Parcels
and land cover are two tessellations of one square, cut at random; one in nine cells of the land cover is a road or a house.
"""

from __future__ import annotations

import argparse
import time

import geopandas as gpd
import numpy as np
import shapely

from benchmarks.sky import machine
from twin.green.biotope.ratio import present_ratios, surfaces_of
from twin.green.biotope.surfaces import surface_areas, surface_pairs
from twin.green.cover import cover_of, green_polygons

CRS = "EPSG:5186"
PARCELS, POLYGONS = 20_000, 50_000
PARCEL_M2 = 600.0
CLASSES = ("112", "154", "211", "231", "331", "411", "511", "622", "711")


def tessellation(count: int, side: float, rng: np.random.Generator) -> np.ndarray:
    """Return ``count`` cells that fill a square of ``side`` metres."""
    square = shapely.box(0, 0, side, side)
    points = shapely.multipoints(rng.uniform(0, side, (count, 2)))
    return shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(points, extend_to=square)), square)


def measure(share: float) -> tuple[float, float, float]:
    """Return area [km2] and the seconds of cover and of the biotope ratio for ``share`` of the full size."""
    rng = np.random.default_rng(41210)
    side = float(np.sqrt(PARCELS * share * PARCEL_M2))
    lots = tessellation(int(PARCELS * share), side, rng)
    shapes = tessellation(int(POLYGONS * share), side, rng)
    parcels = gpd.GeoDataFrame({"pnu": [f"{i:019d}" for i in range(len(lots))]}, geometry=lots, crs=CRS)
    cover = gpd.GeoDataFrame(
        {"class_code": rng.choice(CLASSES, len(shapes)), "source": "bench"}, geometry=shapes, crs=CRS
    )
    houses = gpd.GeoDataFrame(geometry=shapely.buffer(shapely.centroid(lots[::2]), 5, cap_style="square"), crs=CRS)
    began = time.perf_counter()
    green = green_polygons(cover)
    cover_of(parcels, "pnu", cover, green)
    covered = time.perf_counter()
    surfaces = surfaces_of(cover, green, houses)
    present_ratios(parcels, surface_areas(parcels, "pnu", surfaces, surface_pairs(parcels, surfaces)))
    return side**2 / 1e6, covered - began, time.perf_counter() - covered


def main(arguments: list[str]) -> None:
    """Print seconds for several sizes, and how cost grows with area."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks green", description=__doc__)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.25, 0.5, 1.0], help="of 20,000 parcels")
    options = parser.parse_args(arguments)
    print(f"green: {machine()}")
    found = [measure(share) for share in options.shares]
    for share, (area, cover_s, ratio_s) in zip(options.shares, found, strict=True):
        print(
            f"  {int(PARCELS * share):7,} parcels x {int(POLYGONS * share):7,} polygons, {area:5.1f} km2: cover {cover_s:6.1f} s, "
            f"biotope ratio {ratio_s:6.1f} s, {(cover_s + ratio_s) / area:5.2f} s/km2"
        )
    if len(found) > 1:
        first, last = found[0], found[-1]
        growth = (last[1] + last[2]) / (first[1] + first[2]) / (last[0] / first[0])
        print(f"  cost grows {growth:.2f} times as fast as the area (1 is linear)")
