"""Which rows of a table are those of another night, so that what follows from a row alone need not be made again."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely


def same_rows(now: gpd.GeoDataFrame, then: gpd.GeoDataFrame, key: str, columns: Sequence[str] = ()) -> np.ndarray:
    """Return which rows of ``now`` stand in ``then`` with the same outline, to the bit, and the same ``columns``.

    Parameters
    ----------
    now, then
        Tables with text in the column ``key``. A column that either lacks counts as missing there. A key that occurs more
        than once in either table is never the same.

    Returns
    -------
    bool (now,)
    """
    once = ~then[key].duplicated(keep=False)
    place = pd.Index(then.loc[once, key]).get_indexer(pd.Index(now[key]))
    known = (place >= 0) & ~now[key].duplicated(keep=False).to_numpy()
    other = then[once].iloc[place[known]]
    same = np.zeros(len(now), dtype=bool)
    equal = shapely.to_wkb(now.geometry.to_numpy()[known]) == shapely.to_wkb(other.geometry.to_numpy())
    for name in columns:
        one, two = (
            frame[name].astype(object).to_numpy() if name in frame.columns else np.full(len(frame), None, dtype=object)
            for frame in (now[known], other)
        )
        both_missing = pd.isna(one) & pd.isna(two)
        # a missing value cannot be compared
        either_missing = pd.isna(one) | pd.isna(two)
        alike = np.array(
            [False if gap else a == b for a, b, gap in zip(one, two, either_missing, strict=True)], dtype=bool
        )
        equal = equal & (both_missing | alike)
    same[known] = equal
    return same


def moved_pieces(now: Sequence[bytes], then: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return where each piece of ``then`` stands in ``now`` (-1: nowhere), and which pieces of ``now`` are new.

    None where that tells not enough: pieces changed their order, or occur more than once.
    """
    here, there = (pd.Index(np.array(pieces, dtype=object)) for pieces in (now, then))
    if not here.is_unique or not there.is_unique:
        return None
    place = np.asarray(here.get_indexer(there))
    kept = place[place >= 0]
    if (np.diff(kept) <= 0).any():
        return None
    new = np.ones(len(here), dtype=bool)
    new[kept] = False
    return place, new
