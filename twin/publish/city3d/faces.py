"""Faces of solids: many polygons in space as flat arrays, and the block (LoD1) that a footprint and a height make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

GROUND, WALL, ROOF = 0, 1, 2
KINDS = ("GroundSurface", "WallSurface", "RoofSurface")
"""Names of the three kinds, as CityJSON calls them."""
CLOSEST_CORNERS_M = 0.01


@dataclass(frozen=True)
class Faces:
    """Polygons in space, all counter-clockwise as seen from outside their solid.

    ``points`` is (n, 3) [m]; rings are open (the last corner is not the first again) and lie one after the other.
    A face is a shell ring and the rings of its holes; the faces of one solid lie together.
    """

    points: np.ndarray
    ring_start: np.ndarray
    """First point of each ring, and the number of points at the end: (rings + 1,)."""
    face_start: np.ndarray
    """First ring of each face, and the number of rings at the end: (faces + 1,)."""
    kind: np.ndarray
    """`GROUND`, `WALL` or `ROOF`: (faces,)."""
    solid: np.ndarray
    """Number of the solid that each face belongs to: (faces,)."""
    building: np.ndarray
    """Number of the building that each solid belongs to: (solids,)."""

    @property
    def ring_solid(self) -> np.ndarray:
        """Solid of each ring."""
        return np.repeat(self.solid, np.diff(self.face_start))

    @property
    def point_face(self) -> np.ndarray:
        """Face of each point."""
        ring_face = np.repeat(np.arange(len(self.kind)), np.diff(self.face_start))
        return np.repeat(ring_face, np.diff(self.ring_start))

    @property
    def point_building(self) -> np.ndarray:
        """Building of each point."""
        return self.building[self.solid[self.point_face]]


def joined(parts: Sequence[Faces]) -> Faces:
    """Return the faces of ``parts`` as one, solid by solid in the order of their buildings."""
    points = np.concatenate([part.points for part in parts])
    offsets = np.cumsum([0, *(len(part.points) for part in parts)])
    rings = np.cumsum([0, *(len(part.ring_start) - 1 for part in parts)])
    solids = np.cumsum([0, *(len(part.building) for part in parts)])
    ring_start = [part.ring_start[:-1] + offset for part, offset in zip(parts, offsets, strict=False)]
    face_start = [part.face_start[:-1] + ring for part, ring in zip(parts, rings, strict=False)]
    return Faces(
        points,
        np.concatenate([*ring_start, [len(points)]]),
        np.concatenate([*face_start, [rings[-1]]]),
        np.concatenate([part.kind for part in parts]),
        np.concatenate([part.solid + first for part, first in zip(parts, solids, strict=False)]),
        np.concatenate([part.building for part in parts]),
    )


def faces_of_lists(solids: Sequence[tuple[int, Sequence[tuple[int, Sequence[np.ndarray]]]]]) -> Faces:
    """Return faces given as lists: for each solid its building and its faces, each a kind and its rings (n, 3)."""
    rings = [ring for _, faces in solids for _, outline in faces for ring in outline]
    counts = [len(outline) for _, faces in solids for _, outline in faces]
    return Faces(
        np.concatenate([np.zeros((0, 3)), *rings]),
        np.cumsum([0, *(len(ring) for ring in rings)]),
        np.cumsum([0, *counts]),
        np.array([kind for _, faces in solids for kind, _ in faces], dtype=np.int64),
        np.repeat(np.arange(len(solids)), [len(faces) for _, faces in solids]),
        np.array([building for building, _ in solids], dtype=np.int64),
    )


def blocks(footprints: gpd.GeoSeries, ground: np.ndarray, top: np.ndarray) -> Faces:
    """Return the blocks over ``footprints`` from ``ground`` to ``top`` [m above sea level], one solid for each part.

    Shells of the footprints run counter-clockwise, as published layers have them; holes run the other way.
    """
    parts, building = shapely.get_parts(footprints.to_numpy(), return_index=True)
    # corners that fall together on the millimetre grid of the files would make walls without width
    parts = shapely.remove_repeated_points(parts, CLOSEST_CORNERS_M)
    parts = shapely.orient_polygons(parts, exterior_cw=False)
    rings, part = shapely.get_rings(parts, return_index=True)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    # a ring is closed in shapely and open here
    last = np.append(ring[1:] != ring[:-1], True)
    corners, ring = corners[~last], ring[~last]
    size = np.bincount(ring, minlength=len(rings))
    start = np.cumsum([0, *size])
    number = np.arange(len(corners))
    following = np.where(number + 1 == start[ring + 1], start[ring], number + 1)
    backwards = start[ring] + start[ring + 1] - 1 - number
    below, above = ground[building][part][ring], top[building][part][ring]

    floor = np.column_stack([corners, below])
    roof = np.column_stack([corners, above])
    wall = np.stack([floor, floor[following], roof[following], roof], axis=1).reshape(-1, 3)
    holes = np.bincount(part, minlength=len(parts))
    first_ring = np.cumsum([0, *holes])
    caps = joined(
        [
            Faces(points, start, first_ring, np.full(len(parts), kind), np.arange(len(parts)), building)
            for points, kind in ((floor[backwards], GROUND), (roof, ROOF))
        ]
    )
    walls = Faces(
        wall, 4 * np.arange(len(corners) + 1), np.arange(len(corners) + 1),
        np.full(len(corners), WALL), part[ring], building,
    )  # fmt: skip
    whole = joined([caps, walls])
    solid = np.concatenate([np.tile(np.arange(len(parts)), 2), part[ring]])
    return subset(whole, np.argsort(solid, kind="stable"), solid, building)


def subset(faces: Faces, which: np.ndarray, solid: np.ndarray, building: np.ndarray) -> Faces:
    """Return the faces numbered ``which``, in that order, as faces of other solids."""
    rings = _runs(faces.face_start, which)
    points = _runs(faces.ring_start, rings)
    return Faces(
        faces.points[points],
        np.cumsum([0, *np.diff(faces.ring_start)[rings]]),
        np.cumsum([0, *np.diff(faces.face_start)[which]]),
        faces.kind[which],
        solid[which],
        building,
    )


def _runs(start: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Return the numbers of all members of the runs ``which``; run i goes from start[i] to start[i + 1]."""
    size = (start[1:] - start[:-1])[which]
    before = np.cumsum(size) - size
    return np.repeat(start[:-1][which] - before, size) + np.arange(size.sum())
