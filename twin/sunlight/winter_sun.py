"""Hours of direct sun at the lowest storey of homes on the shortest day.

Points lie along the walls that look south; a point has sun while its wall faces the sun and nothing stands higher than the sun in
that direction: buildings and terrain, not trees, as Korean practice counts it. Nothing here says that a rule is met.
"""

from __future__ import annotations

import math
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.parameters import Parameters
from twin.facades import WallPoints, wall_points
from twin.sky.tasks import run_tasks
from twin.sky.tiles import TILE_M, Bounds, SurfaceFolder
from twin.sky.visibility import lit as lit_of
from twin.sunlight.points import EarlierSun, SunnedPoints, sun_positions
from twin.sunlight.solstice import SolsticeSun, winter_parameters

COLUMNS = (
    "winter_sun_points", "winter_sun_run_least_h", "winter_sun_run_median_h", "winter_sun_sum_least_h", "winter_sun_sum_median_h",
    "winter_sun_reached_pct",
)  # fmt: skip


def winter_sun(
    homes: gpd.GeoDataFrame, surface: SurfaceFolder, sun: SolsticeSun, values: Parameters | None = None
) -> pd.DataFrame:
    """Return the winter sun of each of ``homes``.

    Parameters
    ----------
    homes
        Residential buildings: `building_id`, outlines and `altitude` [m].
    surface
        Terrain and buildings; trees on it are left out.
    sun
        Of `twin.sunlight.solstice.solstice_sun`.
    values
        In place of ``winter_sun.yaml``.

    Returns
    -------
    DataFrame
        Indexed by `building_id`: `COLUMNS`. Homes without a point in the open (no wall that looks south, unknown ground,
        walled in) count 0 points and have no hours.
    """
    return winter_sun_and_points(homes, surface, sun, values)[0]


def winter_sun_and_points(
    homes: gpd.GeoDataFrame,
    surface: SurfaceFolder,
    sun: SolsticeSun,
    values: Parameters | None = None,
    earlier: EarlierSun | None = None,
) -> tuple[pd.DataFrame, SunnedPoints]:
    """Return `winter_sun`, and the points that it was found at.

    Parameters
    ----------
    earlier
        What was found before an edit: points whose sun the edit cannot touch are not looked at again. What comes out is
        the same, bit for bit, with and without it.
    """
    values = winter_parameters() if values is None else values
    points, found = _points_of(homes, surface, sun, values, earlier)
    inside = (sun.hour > float(values["run_from"])) & (sun.hour < float(values["run_to"]))
    lit = found.lit[found.open]
    owner = points.building[found.open]
    table = pd.DataFrame({"run": longest_run(lit[:, inside]) * sun.step_h, "sum": lit.sum(axis=1) * sun.step_h})
    table["reached"] = 100.0 * (
        (table["run"] >= float(values["run_wanted"]) - 1e-9) | (table["sum"] >= float(values["sum_wanted"]) - 1e-9)
    )
    grouped = table.groupby(owner)
    rows = pd.DataFrame(
        {
            "winter_sun_points": grouped.size(),
            "winter_sun_run_least_h": grouped["run"].min(),
            "winter_sun_run_median_h": grouped["run"].median(),
            "winter_sun_sum_least_h": grouped["sum"].min(),
            "winter_sun_sum_median_h": grouped["sum"].median(),
            "winter_sun_reached_pct": grouped["reached"].mean(),
        }
    ).reindex(range(len(homes)))
    rows["winter_sun_points"] = rows["winter_sun_points"].fillna(0).astype("Int64")
    return rows.set_index(pd.Index(homes["building_id"], name="building_id")), found


def _points_of(
    homes: gpd.GeoDataFrame, surface: SurfaceFolder, sun: SolsticeSun, values: Parameters, earlier: EarlierSun | None
) -> tuple[WallPoints, SunnedPoints]:
    """Return the points at the homes' walls that look south, and the sun that each has."""
    points = wall_points(
        homes.geometry.to_numpy(),
        spacing_m=float(values["spacing"]),
        shortest_m=float(values["shortest_wall"]),
        offset_m=float(values["offset"]),
    )
    ground = homes["altitude"].to_numpy("float64") if "altitude" in homes.columns else np.full(len(homes), np.nan)
    south = np.abs(points.facing_deg - 180.0) <= float(values["facing"]) + 1e-9
    south &= np.isfinite(ground[points.building])
    points = WallPoints(points.building[south], points.xy[south], points.facing_deg[south])
    xyz = np.column_stack([points.xy, ground[points.building] + float(values["window_height"])])
    bare = replace(surface, canopy=None)
    lit, open_ = np.zeros((len(xyz), len(sun.hour)), dtype=bool), np.zeros(len(xyz), dtype=bool)
    held = np.full(len(xyz), -1) if earlier is None else earlier.where_it_holds(xyz, points.facing_deg, bare, sun)
    if earlier is not None:
        kept = held >= 0
        lit[kept], open_[kept] = earlier.points.lit[held[kept]], earlier.points.open[held[kept]]
    asked = np.flatnonzero(held < 0)
    tile = np.floor(xyz[asked, :2] / TILE_M).astype(np.int64)
    corners, owner = np.unique(tile, axis=0, return_inverse=True)
    jobs = [(corner, asked[owner.reshape(-1) == number]) for number, corner in enumerate(corners)]

    def look(job: tuple[np.ndarray, np.ndarray], threads: int) -> tuple[np.ndarray, np.ndarray]:
        corner, mine = job
        box = _looked_at(corner, float(values["reach"]), bare.cell_size_m)
        return _lit(xyz[mine], points.facing_deg[mine], bare, sun, box, threads=threads)

    for (_, mine), (in_sun, in_the_open) in zip(jobs, run_tasks(look, jobs), strict=True):
        lit[mine], open_[mine] = in_sun, in_the_open
    return points, SunnedPoints(xyz, points.facing_deg, lit, open_, sun_positions(sun))


def longest_run(lit: np.ndarray) -> np.ndarray:
    """Return the longest unbroken stretch of True in each row; shape (rows,)."""
    run = longest = np.zeros(len(lit), dtype=np.int64)
    for column in lit.T:
        run = np.where(column, run + 1, 0)
        longest = np.maximum(longest, run)
    return longest


def _looked_at(corner: np.ndarray, reach_m: float, cell_size_m: float) -> Bounds:
    """Return the rectangle that points of a tile look at: the same whichever of its points are asked for.

    The sun of these hours stands south of east and west, so nothing to the north is in it.
    """
    wide = math.ceil(reach_m / cell_size_m) * cell_size_m
    west, south = (corner * TILE_M).tolist()
    return west - wide, south - wide, west + TILE_M + wide, south + TILE_M + 2 * cell_size_m


def _lit(
    xyz: np.ndarray, facing_deg: np.ndarray, surface: SurfaceFolder, sun: SolsticeSun, bounds: Bounds, *, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return in which steps each point has sun, and which points lie in the open air."""
    size, (west, south, _, north) = surface.cell_size_m, bounds
    heights = surface.read(bounds)
    if np.isnan(heights).all():
        return np.zeros((len(xyz), len(sun.hour)), dtype=bool), np.zeros(len(xyz), dtype=bool)
    row = np.floor((north - xyz[:, 1]) / size).astype(np.int64)
    column = np.floor((xyz[:, 0] - west) / size).astype(np.int64)
    under = heights[row, column]
    open_ = np.isfinite(under) & ~(under > xyz[:, 2])
    lit = np.zeros((len(xyz), len(sun.hour)), dtype=bool)
    up = np.flatnonzero(sun.elevation_deg > 0)
    toward = np.cos(np.radians(sun.azimuth_deg[None, up] - facing_deg[open_, None])) > 0
    free = lit_of(
        heights, size, xyz[open_] - [west, south, 0.0], sun.azimuth_deg[up], sun.elevation_deg[up], threads=threads
    )
    lit[np.ix_(open_, up)] = toward & free
    return lit, open_
