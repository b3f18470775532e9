"""Centre lines of road polygons, for towns and plans whose roads are known as land only.

The borders are walked in short steps; where the cells of their Voronoi diagram meet inside the land, both borders are equally
near. Lines so found wander by less than a step, and reach into corners: they serve distances on foot, not drawings.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import Voronoi

STEP_M = 4.0
"""Distance of the points along a border; half of the narrowest road that keeps its line."""
DUST_M2 = 20.0


def centrelines(roads: np.ndarray, crs: str) -> gpd.GeoDataFrame:
    """Return the centre lines of road polygons.

    Parameters
    ----------
    roads
        Polygons or MultiPolygons in a projected CRS [m]; neighbours are taken as one.

    Returns
    -------
    GeoDataFrame
        Two-point LineStrings with `class` (도로), `width_m` (twice the distance to the border [m], at the line's middle).
    """
    shapes = roads[~(shapely.is_missing(roads) | shapely.is_empty(roads))]
    land = shapely.get_parts(shapely.union_all(shapes, grid_size=0.01)) if len(shapes) else np.array([], dtype=object)
    land = land[shapely.area(land) > DUST_M2] if len(land) else land
    found: list[np.ndarray] = []
    for part in land:
        border = shapely.get_coordinates(shapely.segmentize(part.boundary, STEP_M))
        border = np.unique(border.round(3), axis=0)
        diagram = Voronoi(border - border[0], qhull_options="Qbb Qc Qz")
        ridges = np.asarray(diagram.ridge_vertices)
        ridges = ridges[(ridges >= 0).all(axis=1)]
        corners = diagram.vertices + border[0]
        shapely.prepare(part)
        inside = shapely.contains_xy(part, corners)
        ridges = ridges[inside[ridges].all(axis=1)]
        lines = shapely.linestrings(corners[ridges])
        # a ridge between two points of one straight border leaves the land at a bend only
        lines = lines[shapely.contains_properly(part, lines)] if len(lines) else lines
        found.append(lines)
    lines = np.concatenate(found) if found else np.array([], dtype=object)
    borders = np.asarray([part.boundary for part in land], dtype=object)
    middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    width = 2 * _distance_to(borders, middle) if len(lines) else np.array([])
    return gpd.GeoDataFrame({"class": "도로", "width_m": width}, geometry=lines, crs=crs)


def _distance_to(borders: np.ndarray, points: np.ndarray) -> np.ndarray:
    xy, ring = shapely.get_coordinates(shapely.get_parts(borders), return_index=True)
    same = np.flatnonzero(ring[1:] == ring[:-1])
    sides = np.asarray(shapely.linestrings(np.stack([xy[same], xy[same + 1]], axis=1)))
    _, distance = shapely.STRtree(sides).query_nearest(points, all_matches=False, return_distance=True)
    return np.asarray(distance)
