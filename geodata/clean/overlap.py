"""Largest overlap: which polygon of another layer holds most of a feature."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.repair import Shapes
from geodata.study_area import StudyArea


def largest_overlap(shapes: Shapes, others: Shapes) -> npt.NDArray[np.intp]:
    """Return for each of ``shapes`` the index of the one of ``others`` that overlaps it most; -1 where none does.

    Areas are exact; of equal overlaps the first of ``others`` counts. Cost grows with the number of touching pairs.
    """
    tree = shapely.STRtree(others)
    left, right = tree.query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[left], others[right]))
    left, right, shared = left[shared > 0], right[shared > 0], shared[shared > 0]
    order = np.lexsort((right, -shared, left))
    first, position = np.unique(left[order], return_index=True)
    found = np.full(len(shapes), -1, dtype=np.intp)
    found[first] = right[order][position]
    return found


def dong_codes(pnu: pd.Series, shapes: Shapes, area: StudyArea) -> pd.Series:
    """Return the legal dong of each feature: the first ten digits of its PNU, else the dong it overlaps most."""
    codes = pnu.str.slice(0, 10).to_numpy(dtype=object).copy()
    missing = np.flatnonzero(pnu.isna())
    if len(missing):
        found = largest_overlap(shapes[missing], area.dongs.geometry.to_numpy())
        known = area.dongs["dong_code"].to_numpy(dtype=object)
        codes[missing] = None
        codes[missing[found >= 0]] = known[found[found >= 0]]
    return pd.Series(codes, index=pnu.index, dtype="str")
