"""Defects as real deliveries have them, planted where they can be counted."""

from __future__ import annotations

import numpy as np
import shapely


class Picker:
    """Hands out records for planting; no record is taken twice."""

    def __init__(self, candidates: np.ndarray, random: np.random.Generator) -> None:
        self._left = random.permutation(np.asarray(candidates))

    def take(self, count: int, allowed: np.ndarray | None = None) -> np.ndarray:
        """Return up to ``count`` positions, sorted, among ``allowed`` (a mask over all records) where it is given."""
        usable = self._left if allowed is None else self._left[allowed[self._left]]
        taken = usable[:count]
        self._left = self._left[~np.isin(self._left, taken)]
        return np.sort(taken)


def bow_ties(shapes: np.ndarray) -> np.ndarray:
    """Return the polygons with a knot of a few centimetres tied into the longest edge; each becomes invalid.

    The area changes by less than a footprint of a cup, so that sums stay comparable.
    """
    knotted = []
    for shape in shapes:
        ring = shapely.get_coordinates(shape.exterior)
        step = np.diff(ring, axis=0)
        edge = int(np.argmax(np.hypot(*step.T)))
        along = step[edge] / np.hypot(*step[edge])
        across = np.array([along[1], -along[0]])
        middle = (ring[edge] + ring[edge + 1]) / 2
        knot = [middle + 0.05 * along, middle + 0.04 * across, middle - 0.02 * along - 0.02 * across]
        holes = [hole.coords for hole in shape.interiors]
        knotted.append(shapely.Polygon(np.vstack([ring[: edge + 1], knot, ring[edge + 1 :]]), holes))
    return np.array(knotted, dtype=object)
