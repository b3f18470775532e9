"""Centre lines of the streets, drawn from the land they take: where both kerbs are equally near, without the stubs into corners."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.spatial import Voronoi

STEP_M = 3.0
"""Distance of the points along a kerb."""
STUB = 1.7
"""A piece that ends nowhere is a stub into a corner up to so many times the distance to the kerb where it begins."""
WANDER_M = 0.5
"""A line so drawn wanders by less; it is straightened by as much."""


def centre_lines(land: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the centre lines of street land (polygons) and the width of each [m].

    Lines run from junction to junction and share their end points, in whole centimetres.
    """
    parts = shapely.get_parts(shapely.union_all(land, grid_size=0.01))
    found: list[np.ndarray] = []
    width: list[np.ndarray] = []
    for part in parts[shapely.area(parts) > 200.0]:
        kerbs = part.boundary
        tree = _sides(kerbs)
        lines = _without_stubs(_skeleton(part), tree)
        lines = np.asarray(shapely.simplify(lines, WANDER_M))
        samples, owner = shapely.get_coordinates(shapely.segmentize(lines, 10.0), return_index=True)
        clearance = _clearance(tree, np.asarray(shapely.points(samples)))
        order = np.lexsort((clearance, owner))
        count = np.bincount(owner, minlength=len(lines))
        # the middle one of the clearances along a line: junctions are wider
        middle = np.cumsum(count) - count + count // 2
        found.append(lines)
        width.append(2 * clearance[order][middle])
    lines = np.concatenate(found)
    lines = shapely.transform(lines, lambda xy: xy.round(2))
    order = np.lexsort(shapely.bounds(lines).T)
    return lines[order], np.concatenate(width)[order]


def _sides(kerbs: shapely.Geometry) -> shapely.STRtree:
    xy, ring = shapely.get_coordinates(shapely.get_parts(kerbs), return_index=True)
    same = np.flatnonzero(ring[1:] == ring[:-1])
    return shapely.STRtree(np.asarray(shapely.linestrings(np.stack([xy[same], xy[same + 1]], axis=1))))


def _clearance(tree: shapely.STRtree, points: np.ndarray) -> np.ndarray:
    """Return how far each of ``points`` is from the nearest kerb [m]."""
    return np.asarray(tree.query_nearest(points, all_matches=False, return_distance=True)[1])


def _skeleton(part: shapely.Polygon) -> np.ndarray:
    """Return the lines inside ``part`` that are equally far from two places of its border."""
    border = np.unique(shapely.get_coordinates(shapely.segmentize(part.boundary, STEP_M)).round(3), axis=0)
    diagram = Voronoi(border - border[0], qhull_options="Qbb Qc Qz")
    ridges = np.asarray(diagram.ridge_vertices)
    corners = (diagram.vertices + border[0]).round(3)
    shapely.prepare(part)
    inside = np.append(shapely.contains_xy(part, corners), False)
    ridges = ridges[inside[ridges].all(axis=1) & (ridges >= 0).all(axis=1)]
    ridges = ridges[(corners[ridges[:, 0]] != corners[ridges[:, 1]]).any(axis=1)]
    lines = shapely.linestrings(corners[ridges])
    return np.asarray(lines[shapely.contains_properly(part, lines)])


def _without_stubs(lines: np.ndarray, tree: shapely.STRtree) -> np.ndarray:
    """Return ``lines`` joined from junction to junction; stubs go, and what they leave is joined again."""
    while True:
        lines = shapely.get_parts(shapely.line_merge(shapely.union_all(lines)))
        ends = np.stack([shapely.get_coordinates(shapely.get_point(lines, at)) for at in (0, -1)], axis=1)
        _, node = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
        degree = np.bincount(node.ravel())[node.reshape(-1, 2)]
        free = (degree == 1).any(axis=1) & (degree > 1).any(axis=1)
        root = ends[np.arange(len(lines)), np.argmax(degree, axis=1)]
        stub = free & (shapely.length(lines) < STUB * _clearance(tree, np.asarray(shapely.points(root))) + STEP_M)
        if not stub.any():
            return lines
        lines = lines[~stub]
