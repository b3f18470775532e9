"""How many trees are in sight of a building: lines of sight from windows on its outer walls to crowns nearby.

Terrain and buildings hide trees; crowns hide no other crown, because one sees a wood as many trees and not as its edge.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.parameters import Parameters, load_parameters
from twin.facades import wall_points
from twin.same_rows import row_before
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
    found = wall_points(
        homes.geometry.to_numpy(),
        spacing_m=float(values["facade_spacing"]),
        shortest_m=float(values["shortest_wall"]),
        offset_m=float(values["window_offset"]),
    )
    floors = homes["floors_above"].to_numpy("float64", na_value=1.0)
    floor = np.floor(values["window_floor_share"] * (np.maximum(floors, 1.0) - 1.0) + 1e-9)
    z = homes["altitude"].to_numpy("float64") + floor * values["storey_height"] + values["window_height"]
    known = np.isfinite(z[found.building])
    return found.building[known], np.column_stack([found.xy, z[found.building]])[known]


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


@dataclass(frozen=True)
class SeenBefore:
    """What homes saw in another night."""

    homes: gpd.GeoDataFrame
    trees: pd.Series
    """The result, by `building_id`."""
    changed: np.ndarray
    """Squares that hold every cell whose height, or that of its trees, is another one now."""


def trees_in_sight(
    homes: gpd.GeoDataFrame, surface: SurfaceFolder, crowns: SurfaceFolder | None, known: SeenBefore | None = None
) -> np.ndarray:
    """Return for each of ``homes`` how many trees are seen from any of its windows, counted up to `trees_wanted`.

    Parameters
    ----------
    homes
        As for `windows`, in the CRS of ``surface``.
    surface
        Terrain and buildings, without trees.
    crowns
        Heights of trees on it; None where there are none at all.
    known
        What was seen before; then only homes that changed, or have a change in sight, look out again, to the same count.

    Returns
    -------
    float64 (homes,)
        NaN where the building has no window: its ground height is not known, or it is walled in.
    """
    bare = replace(surface, canopy=None)
    home, xyz = windows(homes)
    told, looking = np.full(len(homes), np.nan), np.ones(len(homes), dtype=bool)
    bounds_before: dict[tuple[int, int], Bounds] = {}
    if known is not None:
        looking = _looks_again(homes, known, surface.cell_size_m)
        told[~looking] = known.trees.loc[homes.loc[~looking, "building_id"]].to_numpy("float64")
        bounds_before = {corner: bounds for corner, bounds, _ in _tiles(*windows(known.homes), surface.cell_size_m)}
    wanted = int(rule_parameters()["trees_wanted"])
    for corner, bounds, own in _tiles(home, xyz, surface.cell_size_m):
        # the same count needs the same rectangle: coordinates in it are rounded
        mine = own & looking[home] if bounds_before.get(corner) == bounds else own
        if not mine.any():
            continue
        count, open_ = _seen(home[mine], xyz[mine], bounds, bare, crowns)
        which = np.unique(home[mine])
        told[which] = np.nan
        with_view = np.unique(home[mine][open_])
        told[with_view] = np.minimum(count[with_view], wanted)
    return told


def _looks_again(homes: gpd.GeoDataFrame, known: SeenBefore, cell_size_m: float) -> np.ndarray:
    """Return which of ``homes`` are not as they were, or may see or be hidden by what changed."""
    again = row_before(homes, known.homes, "building_id", ["floors_above", "altitude"]) < 0
    values = rule_parameters()
    # heights are interpolated from cells beside the line of sight
    reach = float(values["sight_radius"]) + float(values["window_offset"]) + 2 * cell_size_m
    near, _ = shapely.STRtree(known.changed).query(homes.geometry.to_numpy(), predicate="dwithin", distance=reach)
    again[near] = True
    return again


def _tiles(
    home: np.ndarray, xyz: np.ndarray, cell_size_m: float
) -> Iterator[tuple[tuple[int, int], Bounds, np.ndarray]]:
    """Give the corner of each tile, the rectangle that its windows look into, and which windows are its own."""
    tile = np.floor(xyz[:, :2] / TILE_M).astype(np.int64)
    reach = float(rule_parameters()["sight_radius"])
    # a building on the border of two tiles belongs to that of its first window, or it would count trees twice
    first = np.unique(home, return_index=True)[1]
    for corner in np.unique(tile[first], axis=0):
        mine = np.isin(home, home[first[(tile[first] == corner).all(axis=1)]])
        low, high = xyz[mine, :2].min(axis=0) - reach, xyz[mine, :2].max(axis=0) + reach
        west, south = (math.floor(edge / cell_size_m) * cell_size_m for edge in low)
        east, north = (math.ceil(edge / cell_size_m) * cell_size_m for edge in high)
        yield (int(corner[0]), int(corner[1])), (west, south, east, north), mine


def _seen(
    home: np.ndarray, xyz: np.ndarray, bounds: Bounds, surface: SurfaceFolder, crowns: SurfaceFolder | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of trees that each home sees, by its position, and which windows are open to the air."""
    size, reach = surface.cell_size_m, float(rule_parameters()["sight_radius"])
    west, south, _, north = bounds
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
