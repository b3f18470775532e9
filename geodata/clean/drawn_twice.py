"""Buildings that two data sets show: the preferred one keeps its own, the other's are merged into it."""

from __future__ import annotations

import numpy as np
import shapely

from geodata.clean.candidates import Candidates

COVERED = 0.5
"""A footprint of which this share lies under preferred ones is one of them."""


def drop_drawn_twice(candidates: Candidates) -> None:
    """Drop features that a preferred layer already shows (``other_source``); layers come in order of preference."""
    rows = candidates.features
    layer = rows["layer"].to_numpy(dtype=np.int64)
    if len(np.unique(layer)) < 2:
        return
    shapes = rows.geometry.to_numpy()
    later, earlier = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    preferred = layer[earlier] < layer[later]
    later, earlier = later[preferred], earlier[preferred]
    shared = shapely.area(shapely.intersection(shapes[later], shapes[earlier]))
    covered = np.bincount(later, weights=shared, minlength=len(rows))
    best = np.zeros(len(rows), dtype=np.intp)
    order = np.argsort(shared, kind="stable")
    best[later[order]] = earlier[order]
    detail = "shown by " + rows["source_key"].iloc[best].reset_index(drop=True)
    candidates.drop("other_source", covered >= COVERED * shapely.area(shapes), detail)
