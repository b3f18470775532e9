"""Ways on foot inside large plots: round drives of estates, paths of parks, and the gates that join them to the streets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.demo.plots import STREETS

DRIVE_M, PATH_M = 5.95, 9.0
"""Middle of an estate's round drive and of a park's path, from the edge of the plot."""
LARGE_PARK_M2 = 4_500.0
"""Parks of this size have a path around them."""
LONGEST_GATEWAY_M = 40.0
"""From a gate to the centre line of the street before it."""
CROSSED_M = 6.0
"""So much of other land a gateway may touch: designated borders depart from lots."""


def gates_of(
    places: np.ndarray, number: np.ndarray, streets: np.ndarray, parcels: gpd.GeoDataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return gates of ``places`` (polygons), at most ``number`` each and as far apart as may be.

    A gate is a point of the border with a street before it and nobody's land between.

    Returns
    -------
    place, gate, street
        Position of the place, the gate (points), and the nearest point of the centre line of the street (points).
    """
    rims = shapely.segmentize(shapely.get_exterior_ring(shapely.get_geometry(places, 0)), 6.0)
    xy, place = shapely.get_coordinates(rims, return_index=True)
    points = np.asarray(shapely.points(xy))
    at, street = shapely.STRtree(streets).query_nearest(points, max_distance=LONGEST_GATEWAY_M, all_matches=False)
    place, points = place[at], points[at]
    links = np.asarray(shapely.shortest_line(points, streets[street]))

    shapes = parcels.geometry.to_numpy()
    link, lot = shapely.STRtree(shapes).query(links, predicate="intersects")
    middle = shapely.point_on_surface(shapes[lot])
    foreign = ~parcels["purpose"].isin(STREETS).to_numpy()[lot] & ~shapely.intersects(places[place[link]], middle)
    crossed = np.where(foreign, shapely.length(shapely.intersection(links[link], shapes[lot])), 0.0)
    crossed = np.bincount(link, weights=crossed, minlength=len(links))
    inside = shapely.length(shapely.intersection(links, places[place]))
    open_ones = (crossed < CROSSED_M) & (inside < CROSSED_M)
    chosen = np.concatenate(
        [
            _apart(np.flatnonzero(open_ones & (place == one)), points, shapely.length(links), int(number[one]))
            for one in range(len(places))
        ]
    )
    return place[chosen], points[chosen], np.asarray(shapely.get_point(links[chosen], -1))


def _apart(candidates: np.ndarray, points: np.ndarray, way_m: np.ndarray, number: int) -> np.ndarray:
    """Return up to ``number`` of ``candidates``: first the one with the shortest way, then always the farthest from those taken."""
    if not len(candidates):
        return candidates
    taken = [candidates[np.argmin(way_m[candidates].round(2))]]
    while len(taken) < number:
        distance = np.min([shapely.distance(points[candidates], points[one]) for one in taken], axis=0).round(2)
        if distance.max() < LONGEST_GATEWAY_M:
            break
        taken.append(candidates[np.argmax(distance)])
    return np.asarray(taken)


def estate_drives(
    parcels: gpd.GeoDataFrame, buildings: pd.DataFrame, streets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the round drives of apartment estates, broken where a building stands, and their ways to the streets."""
    mine = np.flatnonzero(parcels["purpose"] == "apartment")
    blocks = parcels.geometry.to_numpy()[mine]
    standing = shapely.union_all(buildings["geometry"][buildings["parcel"].isin(mine)].to_numpy())
    rings, owner = _rings(blocks, DRIVE_M)
    gates = gates_of(blocks, np.clip(shapely.length(blocks) // 220, 1, 3), streets, parcels)
    drives = shapely.get_parts(shapely.difference(rings, shapely.buffer(standing, 1.0)))
    return drives[shapely.length(drives) > 12.0], gateways(gates, rings, owner)


def park_paths(parks: np.ndarray, plots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the paths around the ``plots`` of large parks, and the park (of ``parks``) that each lies in."""
    rings = _rings(plots[shapely.area(plots) > LARGE_PARK_M2], PATH_M)[0]
    ring, park = shapely.STRtree(parks).query(rings, predicate="within")
    first = np.unique(ring, return_index=True)[1]
    return rings[ring[first]], park[first]


def gateways(gates: tuple[np.ndarray, np.ndarray, np.ndarray], rings: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Return a way from the street through each gate to the nearest of the ``rings`` of its place, where it has one."""
    lines = []
    for place, gate, street in zip(*gates, strict=True):
        own = rings[owner == place]
        if len(own):
            links = shapely.shortest_line(gate, own)
            nearest = links[np.argmin(shapely.length(links).round(3))]
            lines.append(np.concatenate([shapely.get_coordinates(street), shapely.get_coordinates(nearest)]))
    return np.array([shapely.LineString(xy) for xy in lines], dtype=object)


def _rings(shapes: np.ndarray, inset_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines ``inset_m`` inside the outlines of ``shapes``, with the shape's position."""
    inner, owner = shapely.get_parts(shapely.buffer(shapes, -inset_m, join_style="mitre"), return_index=True)
    rings = np.asarray(shapely.simplify(shapely.get_exterior_ring(inner), 0.3))
    long = shapely.length(rings) > 60.0
    return rings[long], owner[long]
