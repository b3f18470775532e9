"""Cutting land into pieces: all pieces of one generation are cut at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

FAR_M = 4000.0


@dataclass(frozen=True)
class Cut:
    """How land is cut.

    Pieces larger than ``area_m2`` (times a random factor) are cut near their middle, across or along their longer
    side, whichever brings them nearer to ``aspect``; ``gap_m`` leaves a lane between the two halves.
    """

    area_m2: float
    aspect: float = 1.4
    gap_m: float = 0.0
    off_middle: float = 0.06
    tilt_deg: float = 0.0
    spread: float = 0.25
    narrowest_m: float = 0.0
    """A piece is not cut when a half would be narrower than this."""


def frames(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return centre (n, 2), unit vector along the longer side (n, 2), length and breadth of each oriented envelope."""
    boxes = shapely.get_coordinates(shapely.get_exterior_ring(shapely.oriented_envelope(shapes))).reshape(-1, 5, 2)
    first, second = boxes[:, 1] - boxes[:, 0], boxes[:, 2] - boxes[:, 1]
    one, two = np.hypot(*first.T), np.hypot(*second.T)
    along = np.where((one >= two)[:, None], first, second)
    along /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    # one of the two opposite directions, always the same, so that results do not hang on vertex order
    flip = (along[:, 0] < -1e-9) | ((np.abs(along[:, 0]) <= 1e-9) & (along[:, 1] < 0))
    along[flip] *= -1
    return boxes[:, :4].mean(axis=1), along, np.maximum(one, two), np.minimum(one, two)


def boxes_at(centre: np.ndarray, along: np.ndarray, half_along: np.ndarray, half_across: np.ndarray) -> np.ndarray:
    """Return rectangles by centre, direction and half sizes; each argument has one row per rectangle."""
    across = np.column_stack([-along[:, 1], along[:, 0]])
    a, b = along * np.asarray(half_along)[:, None], across * np.asarray(half_across)[:, None]
    corners = np.stack([centre - a - b, centre + a - b, centre + a + b, centre - a + b], axis=1)
    return np.asarray(shapely.polygons(corners), dtype=object)


def polygon_parts(shapes: np.ndarray, owner: np.ndarray, smallest_m2: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return the polygon parts of ``shapes`` with their owners; slivers and other geometry types are left out."""
    parts, index = shapely.get_parts(shapes, return_index=True)
    inner, position = shapely.get_parts(parts, return_index=True)
    owner = owner[index][position]
    keep = (shapely.get_type_id(inner) == 3) & (shapely.area(inner) > smallest_m2)
    return inner[keep], owner[keep]


def subdivide(
    shapes: np.ndarray, cut: Cut, random: np.random.Generator, *, generations: int = 24
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cut polygons until they are small enough.

    Returns
    -------
    pieces, owner : the finished pieces and the position of the polygon each came from
    lanes, lane_owner : the strips left between halves, likewise
    """
    work, owner = polygon_parts(np.asarray(shapes, dtype=object), np.arange(len(shapes)))
    done: list[tuple[np.ndarray, np.ndarray]] = []
    lanes: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(generations):
        if len(work) == 0:
            break
        limit = cut.area_m2 * random.uniform(1 - cut.spread, 1 + cut.spread, len(work)) * 1.4
        centre, along, length, breadth = frames(work)
        across_long = _prefers_shorter(length, breadth, cut.aspect)
        cut_side = np.where(across_long, length, breadth)
        stop = (shapely.area(work) <= limit) | ((cut_side - cut.gap_m) / 2 < cut.narrowest_m)
        done.append((work[stop], owner[stop]))
        work, owner, centre, along = work[~stop], owner[~stop], centre[~stop], along[~stop]
        across_long, cut_side = across_long[~stop], cut_side[~stop]
        if len(work) == 0:
            break
        normal = np.where(across_long[:, None], along, np.column_stack([-along[:, 1], along[:, 0]]))
        angle = np.deg2rad(random.uniform(-cut.tilt_deg, cut.tilt_deg, len(work)))
        normal = np.column_stack(
            [
                normal[:, 0] * np.cos(angle) - normal[:, 1] * np.sin(angle),
                normal[:, 0] * np.sin(angle) + normal[:, 1] * np.cos(angle),
            ]
        )
        at = centre + normal * (random.uniform(-cut.off_middle, cut.off_middle, len(work)) * cut_side)[:, None]
        halves = []
        for side in (-1.0, 1.0):
            middle = at + normal * side * (FAR_M + cut.gap_m / 2)
            slab = boxes_at(middle, normal, np.full(len(work), FAR_M), np.full(len(work), FAR_M))
            halves.append(polygon_parts(shapely.intersection(work, slab), owner))
        if cut.gap_m > 0:
            strip = boxes_at(at, normal, np.full(len(work), cut.gap_m / 2), np.full(len(work), FAR_M))
            lanes.append(polygon_parts(shapely.intersection(work, strip), owner))
        work = np.concatenate([halves[0][0], halves[1][0]])
        owner = np.concatenate([halves[0][1], halves[1][1]])
    done.append((work, owner))
    return *_joined(done), *_joined(lanes)


def _prefers_shorter(length: np.ndarray, breadth: np.ndarray, aspect: float) -> np.ndarray:
    """Tell where halving the longer side brings the piece nearer to ``aspect`` than halving the shorter one."""
    safe = np.maximum(breadth, 0.1)
    halved_long = np.maximum(length / 2, safe) / np.minimum(length / 2, safe)
    halved_short = length / (safe / 2)
    return np.abs(np.log(halved_long / aspect)) <= np.abs(np.log(halved_short / aspect))


def _joined(found: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    if not found:
        return np.array([], dtype=object), np.array([], dtype=int)
    return np.concatenate([shapes for shapes, _ in found]), np.concatenate([owner for _, owner in found])
