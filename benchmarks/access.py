"""How fast the ways on foot are found: a made grid of streets with homes and parks, for areas that double.

Asked for: the cost grows with the area, not faster. A square kilometre has streets every 60 m, 1,000 homes and 6 parks, as the
demo district has.
"""

from __future__ import annotations

import argparse
import time

import geopandas as gpd
import numpy as np
import shapely

from twin.green.access.park_access import park_access
from twin.green.access.walk_network import build_network

CRS = "EPSG:5186"
STREET_M = 60.0
ORIGIN = np.array([190_000.0, 540_000.0])


def made_town(area_km2: float, seed: int = 41210) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return streets, homes and parks of a square town."""
    random = np.random.default_rng(seed)
    count = round(1000 * np.sqrt(area_km2) / STREET_M)
    at = np.arange(count + 1) * STREET_M
    x, y = (grid.ravel() for grid in np.meshgrid(at, at[:-1], indexing="ij"))
    up = np.stack([np.column_stack([x, y]), np.column_stack([x, y + STREET_M])], axis=1)
    ways = np.concatenate([up, up[:, :, ::-1]]) + ORIGIN
    streets = gpd.GeoDataFrame(
        {"class": ["시도"] * len(ways), "width_m": 8.0}, geometry=list(shapely.linestrings(ways)), crs=CRS
    )

    def boxes(number: int, side: float) -> np.ndarray:
        corner = random.uniform(0, at[-1] - side, (number, 2)) + ORIGIN
        return np.asarray(shapely.box(*corner.T, *(corner + side).T))

    homes = boxes(round(1000 * area_km2), 10.0)
    greens = boxes(max(1, round(6 * area_km2)), 90.0)
    parks = {"park_id": [f"p{n}" for n in range(len(greens))], "class_code": "UQT220", "status": "built"}
    return (
        streets,
        gpd.GeoDataFrame({"building_id": [f"b{n}" for n in range(len(homes))]}, geometry=homes, crs=CRS),
        gpd.GeoDataFrame(parks, geometry=greens, crs=CRS),
    )


def main(arguments: list[str]) -> None:
    """Print seconds for each area."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks access", description=__doc__)
    parser.add_argument("--km2", default="3.2,6.4,12.7,25.4", help="areas, separated by commas")
    for area in (float(text) for text in parser.parse_args(arguments).km2.split(",")):
        streets, homes, parks = made_town(area)
        wall, processor = time.perf_counter(), time.process_time()
        network = build_network(streets)
        found = park_access(homes, parks, network)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        reached = found.buildings["park_distance_m"].notna().sum()
        print(
            f"{area:5.1f} km2: {len(network.start):,} edges, {len(homes):,} homes ({reached:,} reach a park), {len(parks):,} parks: "
            f"{wall:.2f} s, {processor:.2f} s of processor, {1000 * processor / area:.0f} ms a km2"
        )
