"""How many trees are in sight of a building: lines of sight from windows on its outer walls to crowns nearby.

Terrain and buildings hide trees; crowns hide no other crown, because one sees a wood as many trees and not as its edge.
"""

from __future__ import annotations

import math
from dataclasses import replace

import geopandas as gpd
import numpy as np
import shapely

from geodata.parameters import Parameters, load_parameters
from twin.sky.tiles import TILE_M, Bounds, SurfaceFolder
from twin.sky.visibility import visible

_PAIRS_AT_ONCE = 1_000_000
"""Lines of sight that are looked along together: 60 bytes each."""


def rule_parameters() -> Parameters:
    """Return the values of ``three_thirty.yaml``."""
    return load_parameters("twin.green", "three_thirty.yaml")


def windows(homes: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the places from which people look out.

    Parameters
    ----------
    homes
        Outlines, `floors_above` (1 where unknown) and `altitude` [m]; a building without altitude has no window.

    Returns
    -------
    home, xyz
        Position in ``homes`` of each window and its coordinates [m], just outside the outer walls.
    """
    values = rule_parameters()
    rings, part_owner = shapely.get_parts(homes.geometry.to_numpy(), return_index=True)
    rings = shapely.get_exterior_ring(rings)
    at, ring = shapely.get_coordinates(rings, return_index=True)
    wall = np.flatnonzero(ring[1:] == ring[:-1])
    way = at[wall + 1] - at[wall]
    length = np.hypot(*way.T)
    wall, way, length = (part[length >= values["shortest_wall"]] for part in (wall, way, length))
    count = np.maximum(1, np.ceil(length / values["facade_spacing"] - 1e-9)).astype(np.int64)
    each = np.repeat(np.arange(len(wall)), count)
    share = (np.arange(len(each)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[each]
    side = np.where(shapely.is_ccw(rings), -1.0, 1.0)[ring[wall]]
    outward = np.column_stack([-way[:, 1], way[:, 0]]) * (side / length)[:, None]
    xy = at[wall[each]] + way[each] * share[:, None] + outward[each] * values["window_offset"]
    home = part_owner[ring[wall[each]]]
    floors = homes["floors_above"].to_numpy("float64", na_value=1.0)
    floor = np.floor(values["window_floor_share"] * (np.maximum(floors, 1.0) - 1.0) + 1e-9)
    z = homes["altitude"].to_numpy("float64") + floor * values["storey_height"] + values["window_height"]
    known = np.isfinite(z[home])
    return home[known], np.column_stack([xy, z[home]])[known]


def trees_in(bounds: Bounds, surface: np.ndarray, crowns: np.ndarray, cell_size_m: float) -> np.ndarray:
    """Return the trees of a rectangle: (trees, 3) coordinates [m] of what of each must be in sight.

    Parameters
    ----------
    bounds
        Of the rectangle [m].
    surface, crowns
        Heights of terrain and buildings [m], and of trees above them, NaN or 0 without; north up.

    Notes
    -----
    Trees stand in the middle of squares of `tree_spacing` that are counted from the origin of the CRS, so every
    rectangle knows the same trees.
    """
    values = rule_parameters()
    spacing, (west, south, east, north) = float(values["tree_spacing"]), bounds
    xs = (np.arange(math.ceil(west / spacing - 0.5), math.ceil(east / spacing - 0.5)) + 0.5) * spacing
    ys = (np.arange(math.ceil(south / spacing - 0.5), math.ceil(north / spacing - 0.5)) + 0.5) * spacing
    x, y = (part.ravel() for part in np.meshgrid(xs, ys))
    row = np.floor((north - y) / cell_size_m).astype(np.int64).clip(0, surface.shape[0] - 1)
    column = np.floor((x - west) / cell_size_m).astype(np.int64).clip(0, surface.shape[1] - 1)
    high, ground = crowns[row, column], surface[row, column]
    standing = (high > 0) & np.isfinite(ground)
    z = ground.astype(np.float64) + float(values["sight_height_share"]) * high
    return np.column_stack([x, y, z])[standing]


def trees_in_sight(homes: gpd.GeoDataFrame, surface: SurfaceFolder, crowns: SurfaceFolder | None) -> np.ndarray:
    """Return for each of ``homes`` how many trees are seen from any of its windows, counted up to `trees_wanted`.

    Parameters
    ----------
    homes
        As for `windows`, in the CRS of ``surface``.
    surface
        Terrain and buildings, without trees.
    crowns
        Heights of trees on it; None where there are none at all.

    Returns
    -------
    float64 (homes,)
        NaN where the building has no window: its ground height is not known, or it is walled in.
    """
    bare = replace(surface, canopy=None)
    home, xyz = windows(homes)
    seen = np.zeros(len(homes), dtype=np.int64)
    looks = np.zeros(len(homes), dtype=bool)
    tile = np.floor(xyz[:, :2] / TILE_M).astype(np.int64)
    # a building on the border of two tiles belongs to that of its first window, or it would count trees twice
    first = np.unique(home, return_index=True)[1]
    for corner in np.unique(tile[first], axis=0):
        mine = np.isin(home, home[first[(tile[first] == corner).all(axis=1)]])
        count, open_ = _seen(home[mine], xyz[mine], bare, crowns)
        seen[: len(count)] += count
        looks[home[mine][open_]] = True
    wanted = int(rule_parameters()["trees_wanted"])
    return np.where(looks, np.minimum(seen, wanted), np.nan)


def _seen(
    home: np.ndarray, xyz: np.ndarray, surface: SurfaceFolder, crowns: SurfaceFolder | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of trees that each home sees, by its position, and which windows are open to the air."""
    size, reach = surface.cell_size_m, float(rule_parameters()["sight_radius"])
    low, high = xyz[:, :2].min(axis=0) - reach, xyz[:, :2].max(axis=0) + reach
    west, south = (math.floor(edge / size) * size for edge in low)
    east, north = (math.ceil(edge / size) * size for edge in high)
    bounds = (west, south, east, north)
    heights = surface.read(bounds)
    row = np.floor((north - xyz[:, 1]) / size).astype(np.int64)
    column = np.floor((xyz[:, 0] - west) / size).astype(np.int64)
    open_ = ~(heights[row, column] > xyz[:, 2])
    total = np.zeros(int(home.max()) + 1, dtype=np.int64)
    if crowns is None or np.isnan(heights).all():
        return total, open_
    trees = trees_in(bounds, heights, crowns.read(bounds), size)
    if not len(trees):
        return total, open_
    origin = np.array([west, south, 0.0])
    looking = np.flatnonzero(open_)
    crowns_at = np.asarray(shapely.points(trees[:, :2]), dtype=object)
    window, tree = shapely.STRtree(crowns_at).query(
        shapely.points(xyz[looking, :2]), predicate="dwithin", distance=reach
    )
    found = []
    for begin in range(0, len(window), _PAIRS_AT_ONCE):
        some = slice(begin, begin + _PAIRS_AT_ONCE)
        at, to = looking[window[some]], tree[some]
        free = visible(heights, size, xyz[at] - origin, trees[to] - origin)
        found.append(np.unique(np.column_stack([home[at[free]], to[free]]), axis=0))
    pairs = np.unique(np.concatenate(found), axis=0) if found else np.empty((0, 2), dtype=np.int64)
    return np.bincount(pairs[:, 0], minlength=len(total)), open_
