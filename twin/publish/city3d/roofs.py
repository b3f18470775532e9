"""Solids with roof shapes (LoD2): roof planes lifted to their heights over a footprint, with walls wherever heights part.

The planes of a building divide its footprint into cells that share their corners. Over each cell lies its plane; where two
planes part there is a wall between them, and around the footprint a wall down to the ground. The highest corner of the roof
is at ``altitude`` + ``height``, so that block and roof shape agree. A solid that is not closed is not published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.repair import polygon_parts
from twin.publish.city3d.faces import GROUND, ROOF, WALL, Faces, faces_of_lists

GRID_M = 0.01
"""Corners of the cells lie on this grid, so that neighbours share them exactly."""
_LOWEST_ROOF_M = 0.3
"""A roof that comes closer to the ground than this is none."""

Corner = tuple[int, int]
Outline = list[list[Corner]]


def roof_shapes(
    buildings: gpd.GeoDataFrame, planes: gpd.GeoDataFrame, ground: np.ndarray, rules: Mapping[str, Any]
) -> Faces:
    """Return one closed solid for each building whose roof planes are known, in the order of ``buildings``.

    Parameters
    ----------
    buildings
        ``building_id``, ``height`` [m] and footprints.
    planes
        Roof planes: ``building_id``, ``tilt_deg``, ``azimuth_deg`` (downslope), the plane as seen from above and, where it
        is known, ``top_m``, the level of its highest corner in whatever datum: only differences within a building count.
    ground
        Height of the ground under each building [m above sea level].
    rules
        ``city3d.yaml``.
    """
    solids = []
    number = {name: place for place, name in enumerate(buildings["building_id"])}
    footprints, heights = buildings.geometry.to_numpy(), buildings["height"].to_numpy(dtype=np.float64)
    known = planes[planes["building_id"].isin(number)]
    for name, own in sorted(known.groupby("building_id", sort=True), key=lambda pair: number[pair[0]]):
        place = number[name]
        parts = shapely.get_parts(footprints[place])
        if len(parts) != 1:
            continue
        faces = _solid(parts[0], own, float(ground[place]), float(heights[place]), rules)
        if faces is not None:
            solids.append((place, faces))
    return faces_of_lists(solids)


def _solid(
    footprint: BaseGeometry, planes: gpd.GeoDataFrame, ground: float, height: float, rules: Mapping[str, Any]
) -> list[tuple[int, list[np.ndarray]]] | None:
    origin = np.floor(shapely.bounds(footprint)[:2])
    outline = shapely.set_precision(shapely.transform(footprint, lambda xy: xy - origin), GRID_M)
    shapes = shapely.transform(planes.geometry.to_numpy(), lambda xy: xy - origin)
    cells = _cells(outline, shapes, float(rules["least_covered"]))
    if cells is None:
        return None
    owner, outlines = cells
    levels = _levels(planes, shapes)
    heights = _corner_heights(owner, outlines, levels, float(rules["same_height_m"]))
    top = max(heights.values())
    heights = {key: round(ground + height + value - top, 3) for key, value in heights.items()}
    if min(heights.values()) < ground + _LOWEST_ROOF_M:
        return None
    faces = _faces(outlines, heights, round(ground, 3), origin)
    return faces if _is_closed(faces) else None


def _cells(outline: BaseGeometry, shapes: np.ndarray, least_covered: float) -> tuple[list[int], list[Outline]] | None:
    """Return the plane of each cell, and its rings of corners on the grid; None where planes cover too little."""
    free, lines, covered = outline, [shapely.boundary(outline)], 0.0
    kept: list[BaseGeometry] = []
    for shape in shapely.set_precision(shapes, GRID_M):
        own = _overlay(shapely.intersection, shape, free)
        kept.append(own)
        free = _overlay(shapely.difference, free, own)
        covered += shapely.area(own)
        lines.append(shapely.boundary(own))
    if covered < least_covered * shapely.area(outline):
        return None
    network = shapely.union_all([line for line in lines if not shapely.is_empty(line)], grid_size=GRID_M)
    pieces = shapely.get_parts(shapely.polygonize(shapely.get_parts(network)))
    middle = shapely.point_on_surface(pieces)
    pieces = pieces[shapely.contains(outline, middle)]
    if not len(pieces):
        return None
    middle = shapely.point_on_surface(pieces)
    # what no plane covers is a sliver beside one: it continues the nearest
    apart = [np.nan_to_num(shapely.distance(np.array(kept, dtype=object), point), nan=np.inf) for point in middle]
    owner = [int(np.argmin(distances)) for distances in apart]
    pieces = shapely.orient_polygons(pieces, exterior_cw=False)
    outlines = [
        [[(round(x / GRID_M), round(y / GRID_M)) for x, y in shapely.get_coordinates(ring)[:-1]] for ring in shapely.get_rings(piece)]
        for piece in pieces
    ]  # fmt: skip
    return owner, outlines


def _overlay(operation: Callable[..., BaseGeometry], one: BaseGeometry, other: BaseGeometry) -> BaseGeometry:
    """Return the polygons of an overlay on the grid; an empty polygon where there are none."""
    found = polygon_parts(np.array([operation(one, other, grid_size=GRID_M)], dtype=object))[0]
    return shapely.Polygon() if found is None else found


def _levels(planes: gpd.GeoDataFrame, shapes: np.ndarray) -> np.ndarray:
    """Return level, slope towards east and towards north of each plane: (planes, 3) [m, m/m]."""
    tilt = np.tan(np.radians(planes["tilt_deg"].to_numpy(dtype=np.float64)))
    azimuth = np.radians(np.nan_to_num(planes["azimuth_deg"].to_numpy(dtype=np.float64)))
    east, north = -tilt * np.sin(azimuth), -tilt * np.cos(azimuth)
    top = planes["top_m"].to_numpy(dtype=np.float64) if "top_m" in planes.columns else np.zeros(len(planes))
    top = np.where(np.isnan(top).any(), 0.0, top)
    corners, owner = shapely.get_coordinates(shapes, return_index=True)
    rise = corners[:, 0] * east[owner] + corners[:, 1] * north[owner]
    highest = np.full(len(planes), -np.inf)
    np.maximum.at(highest, owner, rise)
    return np.column_stack([top - highest, east, north])


def _corner_heights(
    owner: list[int], outlines: list[Outline], levels: np.ndarray, same_m: float
) -> dict[tuple[int, Corner], float]:
    """Return the height of each cell's plane at each of its corners; heights that nearly meet are one."""
    at: dict[Corner, list[tuple[float, int]]] = {}
    for cell, rings in enumerate(outlines):
        level, east, north = levels[owner[cell]]
        for corner in {corner for ring in rings for corner in ring}:
            z = level + GRID_M * (east * corner[0] + north * corner[1])
            at.setdefault(corner, []).append((z, cell))
    heights: dict[tuple[int, Corner], float] = {}
    for corner, stack in at.items():
        shared = np.inf
        for z, cell in sorted(stack, reverse=True):
            shared = shared if shared - z <= same_m else z
            heights[cell, corner] = round(shared, 3)
    return heights


def _faces(
    outlines: list[Outline], heights: dict[tuple[int, Corner], float], ground: float, origin: np.ndarray
) -> list[tuple[int, list[np.ndarray]]]:
    """Return ground, roof and wall faces of a building."""
    beside = {
        (a, b): cell for cell, rings in enumerate(outlines) for ring in rings for a, b in _edges(ring)
    }  # fmt: skip
    between: dict[tuple[Corner, Corner], tuple[float, float, float]] = {}
    walls: list[list[tuple[float, float, float]]] = []

    def point(corner: Corner, z: float) -> tuple[float, float, float]:
        return corner[0] * GRID_M, corner[1] * GRID_M, z

    for (a, b), cell in beside.items():
        za, zb = heights[cell, a], heights[cell, b]
        other = beside.get((b, a))
        if other is None:
            walls.append([point(a, ground), point(b, ground), point(b, zb), point(a, za)])
            continue
        oa, ob = heights[other, a], heights[other, b]
        if za >= oa and zb >= ob:
            walls.append([point(a, oa), point(b, ob), point(b, zb), point(a, za)])
        elif (za - oa) * (zb - ob) < 0:
            # the planes cross on this edge: each has a wall on the side where it is the higher
            share = (za - oa) / ((za - oa) - (zb - ob))
            here, there = np.array(point(a, za)), np.array(point(b, zb))
            # seen from either side the crossing is the same point
            crossing = between.get((b, a)) or tuple(np.round(here + share * (there - here), 4).tolist())
            between[a, b] = crossing
            if za > oa:
                walls.append([point(a, oa), crossing, point(a, za)])
            else:
                walls.append([crossing, point(b, ob), point(b, zb)])
    shift = np.array([*origin, 0.0])
    faces: list[tuple[int, list[np.ndarray]]] = []
    for cell, rings in enumerate(outlines):
        floor, roof = [], []
        for ring in rings:
            floor.append(np.array([point(corner, ground) for corner in reversed(ring)]) + shift)
            lifted = []
            for a, b in _edges(ring):
                lifted.append(point(a, heights[cell, a]))
                if (a, b) in between:
                    lifted.append(between[a, b])
            roof.append(np.array(lifted) + shift)
        faces += [(GROUND, floor), (ROOF, roof)]
    for wall in _split(walls, [ring for _, rings in faces for ring in rings], shift):
        faces.append((WALL, [wall]))
    return faces


def _split(
    walls: list[list[tuple[float, float, float]]], others: list[np.ndarray], shift: np.ndarray
) -> list[np.ndarray]:
    """Return walls with a corner wherever a corner of another face lies on one of their upright edges."""
    levels: dict[tuple[float, float], set[float]] = {}
    lifted = [np.array(wall) + shift for wall in walls]
    for x, y, z in (p for ring in [*lifted, *others] for p in np.round(ring, 3).tolist()):
        levels.setdefault((x, y), set()).add(z)
    result = []
    for ring in lifted:
        corners = list(dict.fromkeys(tuple(p) for p in np.round(ring, 3).tolist()))
        if len(corners) < 3:
            continue
        whole = []
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
            whole.append(a)
            if a[:2] == b[:2]:
                low, high = sorted((a[2], b[2]))
                steps = sorted((z for z in levels[a[0], a[1]] if low < z < high), reverse=a[2] > b[2])
                whole += [(a[0], a[1], z) for z in steps]
        result.append(np.array(whole))
    return result


def _edges(ring: list[Corner]) -> list[tuple[Corner, Corner]]:
    return list(zip(ring, ring[1:] + ring[:1], strict=True))


def _is_closed(faces: list[tuple[int, list[np.ndarray]]]) -> bool:
    """Tell whether every edge is used as often in one direction as in the other."""
    seen: Counter[tuple[tuple[float, ...], tuple[float, ...]]] = Counter()
    for _, rings in faces:
        for ring in rings:
            corners = [tuple(p) for p in np.round(ring, 3).tolist()]
            seen.update(zip(corners, corners[1:] + corners[:1], strict=True))
    return all(count == seen[b, a] for (a, b), count in list(seen.items()))
