"""A footprint divided among the planes of its roof.

Planes meet in straight lines: where they run into each other in their line of intersection, at a step in the line through
the cells on its two sides. All such lines cut the footprint into faces, and each face goes to the plane that most of its
cells belong to. A step that is no straight line is cut along its cells.
"""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from twin.roof_fit.planes import FittedPlanes, RoofCells

_FEWEST = 3
"""Cells along which two planes meet, at least."""
_STRAIGHT_CELLS = 0.75
"""Root mean square distance of cells from the straight line that they follow."""
_MOST_CELLS = 2000
"""Of a large roof, only about so many cells are asked which face they lie in."""


def divide(footprint: BaseGeometry, cells: RoofCells, fitted: FittedPlanes) -> list[tuple[int, BaseGeometry]]:
    """Return which part of the footprint each plane covers; together they are the footprint.

    Parameters
    ----------
    footprint : relative to the north-western corner of the cells [m]
    cells, fitted : of the roof
    """
    if len(fitted.coefficients) == 1:
        return [(0, footprint)]
    cuts = _cuts(footprint, cells, fitted)
    if not cuts:
        return [(int(np.argmax(np.bincount(fitted.label[cells.inside]))), footprint)]
    noded = shapely.union_all([shapely.boundary(footprint), *cuts])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    middles = shapely.point_on_surface(faces)
    shapely.prepare(footprint)
    within = shapely.contains_properly(footprint, middles)
    faces, middles = faces[within], middles[within]
    label = _owners(faces, middles, cells, fitted.label)
    return [(int(number), shapely.union_all(faces[label == number])) for number in np.unique(label)]


def _owners(faces: np.ndarray, middles: np.ndarray, cells: RoofCells, label: np.ndarray) -> np.ndarray:
    """Return the plane of most cells in each face; of a face without cells, the plane of the nearest cell."""
    row, column = np.nonzero(cells.inside)
    every = max(1, len(row) // _MOST_CELLS)
    row, column = row[::every], column[::every]
    x, y, own = cells.x[column], cells.y[row], label[row, column]
    shapely.prepare(faces)
    votes = np.zeros((len(faces), int(label.max()) + 1), dtype=np.int64)
    face, cell = np.nonzero(shapely.contains_xy(faces[:, None], x[None, :], y[None, :]))
    np.add.at(votes, (face, own[cell]), 1)
    owner = votes.argmax(axis=1)
    empty = votes.sum(axis=1) == 0
    points = shapely.get_coordinates(middles[empty])
    distance = np.hypot(points[:, :1] - x[None, :], points[:, 1:] - y[None, :])
    owner[empty] = own[distance.argmin(axis=1)] if len(points) else owner[empty]
    return owner


def _cuts(footprint: BaseGeometry, cells: RoofCells, fitted: FittedPlanes) -> list[BaseGeometry]:
    size, x, y = cells.cell_size_m, cells.x, cells.y
    one, two, place = _meetings(fitted.label, x, y, size)
    west, south, east, north = footprint.bounds
    reach = np.hypot(east - west, north - south) + size
    cuts: list[BaseGeometry] = []
    ragged: set[int] = set()
    pairs, member, number = np.unique(np.column_stack([one, two]), axis=0, return_inverse=True, return_counts=True)
    member = member.reshape(-1)
    for pair, (first, second) in enumerate(pairs.tolist()):
        if number[pair] < _FEWEST:
            continue
        points = place[member == pair]
        line = _intersection(fitted.coefficients[first], fitted.coefficients[second], points, size)
        if line is None:
            line = _straight(points, size)
        if line is None:
            ragged.add(min(first, second, key=lambda n: int((fitted.label == n).sum())))
            continue
        point, along = line
        cuts.append(shapely.linestrings([point - reach * along, point + reach * along]))
    return cuts + [_outline(fitted.label == number, x, y, size) for number in sorted(ragged)]


def _meetings(
    label: np.ndarray, x: np.ndarray, y: np.ndarray, size: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where neighbouring cells belong to different planes: the two planes, the lower number first, and the place."""
    ones, twos, places = [], [], []
    for left, right, dx, dy in (
        (label[:, :-1], label[:, 1:], size / 2, 0.0),
        (label[:-1], label[1:], 0.0, -size / 2),
    ):
        row, column = np.nonzero((left != right) & (left >= 0) & (right >= 0))
        ones.append(np.minimum(left[row, column], right[row, column]))
        twos.append(np.maximum(left[row, column], right[row, column]))
        places.append(np.column_stack([x[column] + dx, y[row] + dy]))
    return np.concatenate(ones), np.concatenate(twos), np.concatenate(places)


def _intersection(
    one: np.ndarray, two: np.ndarray, points: np.ndarray, size: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return a point and the direction of the line in which two planes meet, if the points follow it."""
    level, *lean = one - two
    lean = np.array(lean)
    steep = np.hypot(*lean)
    if steep < 1e-6:
        return None
    normal = lean / steep
    off = points @ normal + level / steep
    if np.median(np.abs(off)) > size or np.sqrt(np.mean(off**2)) > 2 * size:
        return None
    centre = points.mean(axis=0)
    return centre - (centre @ normal + level / steep) * normal, np.array([-normal[1], normal[0]])


def _straight(points: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Return a point and the direction of the straight line through points, if there is one."""
    centre = points.mean(axis=0)
    offset = points - centre
    spread, axes = np.linalg.eigh(offset.T @ offset / len(points))
    return (centre, axes[:, 1]) if np.sqrt(max(spread[0], 0.0)) <= _STRAIGHT_CELLS * size else None


def _outline(region: np.ndarray, x: np.ndarray, y: np.ndarray, size: float) -> BaseGeometry:
    """Return the rim of a region of cells, without the steps of the grid."""
    row, column = np.nonzero(region)
    half = size / 2
    boxes = shapely.box(x[column] - half, y[row] - half, x[column] + half, y[row] + half)
    return shapely.boundary(shapely.simplify(shapely.union_all(boxes), size))
