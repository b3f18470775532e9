"""Triangles of the faces of solids, for pictures: roofs and walls, each face with a normal of its own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from twin.publish.city3d.faces import GROUND, WALL, Faces


@dataclass(frozen=True)
class Mesh:
    """Triangles over corners; corners are not shared between faces, so that edges stay sharp."""

    corner: np.ndarray
    """Number of the point of `Faces.points` at each corner: (corners,)."""
    face: np.ndarray
    """Face that each corner belongs to: (corners,)."""
    triangles: np.ndarray
    """Corners of each triangle, counter-clockwise from outside: (triangles, 3)."""


def mesh_of(faces: Faces) -> Mesh:
    """Return the triangles of all faces but those on the ground, which nobody sees."""
    shown = faces.kind != GROUND
    corner = np.flatnonzero(shown[faces.point_face])
    place = np.full(len(faces.points), -1)
    place[corner] = np.arange(len(corner))
    triangles = np.concatenate([_walls(faces), _roofs(faces)])
    triangles = triangles[np.argsort(faces.point_face[triangles[:, 0]], kind="stable")] if len(triangles) else triangles
    return Mesh(corner, faces.point_face[corner], place[triangles])


def face_normals(faces: Faces, points: np.ndarray) -> np.ndarray:
    """Return the outward unit normal of each face over ``points``, Newell's sum over all its rings: (faces, 3)."""
    ring = np.repeat(np.arange(len(faces.ring_start) - 1), np.diff(faces.ring_start))
    number = np.arange(len(points))
    last = number + 1 == faces.ring_start[ring + 1]
    following = np.where(last, faces.ring_start[ring], number + 1)
    first = points[faces.ring_start[:-1]][ring]
    cross = np.cross(points - first, points[following] - first)
    total = np.zeros((len(faces.kind), 3))
    np.add.at(total, faces.point_face, cross)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.divide(total, length, out=np.zeros_like(total), where=length > 0)


def _walls(faces: Faces) -> np.ndarray:
    """Return the triangles of upright faces: fans from the first corner, since they have three or four corners in a row."""
    sizes = np.diff(faces.ring_start)
    walls = np.flatnonzero(faces.kind == WALL)
    start, size = faces.ring_start[faces.face_start[walls]], sizes[faces.face_start[walls]]
    count = size - 2
    wall = np.repeat(np.arange(len(walls)), count)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    first = start[wall]
    return np.column_stack([first, first + step + 1, first + step + 2])


def _roofs(faces: Faces) -> np.ndarray:
    """Return the triangles of roofs, cut over their outlines as seen from above."""
    roofs = np.flatnonzero(~np.isin(faces.kind, (GROUND, WALL)))
    if not len(roofs):
        return np.zeros((0, 3), dtype=np.int64)
    pieces, owners, numbers = [], [], []
    for face in roofs.tolist():
        rings = range(faces.face_start[face], faces.face_start[face + 1])
        spans = [(faces.ring_start[ring], faces.ring_start[ring + 1]) for ring in rings]
        flat = [faces.points[a:b, :2] for a, b in spans]
        pieces.append(shapely.Polygon(flat[0], flat[1:]))
        owners.append(np.concatenate(flat))
        numbers.append(np.concatenate([np.arange(a, b) for a, b in spans]))
    cut = shapely.constrained_delaunay_triangles(np.array(pieces, dtype=object))
    parts, owner = shapely.get_parts(shapely.orient_polygons(cut, exterior_cw=False), return_index=True)
    corners = shapely.get_coordinates(parts).reshape(-1, 4, 2)[:, :3]
    found = np.empty((len(parts), 3), dtype=np.int64)
    edges = np.append(np.flatnonzero(np.diff(owner, prepend=-1)), len(owner))
    for begin, end in pairwise(edges.tolist()):
        own = owner[begin]
        # triangles have the outline's own corners: each is found by its place
        order = np.lexsort((owners[own][:, 1], owners[own][:, 0]))
        keys = owners[own][order].view([("x", "f8"), ("y", "f8")]).reshape(-1)
        wanted = np.ascontiguousarray(corners[begin:end].reshape(-1, 2)).view(keys.dtype).reshape(-1)
        found[begin:end] = numbers[own][order][np.searchsorted(keys, wanted)].reshape(-1, 3)
    return found
