"""Which rows of a table are those of another night, so that what follows from a row alone need not be made again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import shapely


def row_before(
    now: pd.DataFrame, then: pd.DataFrame, key: str, columns: Iterable[str] = (), *, outlines: bool = True
) -> np.ndarray:
    """Return where each row of ``now`` stands in ``then`` with the same outline, to the bit, and the same ``columns``.

    Parameters
    ----------
    now, then
        Tables with text in the column ``key``. A column that either lacks counts as missing there. A key that occurs more
        than once in either table is never the same.
    outlines
        False to leave them out.

    Returns
    -------
    int (now,), -1 where there is no such row
    """
    once = np.flatnonzero(~then[key].duplicated(keep=False).to_numpy())
    place = pd.Index(then[key].iloc[once]).get_indexer(pd.Index(now[key]))
    known = np.flatnonzero((place >= 0) & ~now[key].duplicated(keep=False).to_numpy())
    found = once[place[known]]
    same = np.ones(len(known), dtype=bool)
    if outlines:
        one, two = (shapely.to_wkb(frame.geometry.to_numpy()[at]) for frame, at in ((now, known), (then, found)))
        same &= one == two
    for name in columns:
        one, two = (
            frame[name].astype(object).to_numpy()[at] if name in frame.columns else np.full(len(at), None, dtype=object)
            for frame, at in ((now, known), (then, found))
        )
        gaps = pd.isna(one), pd.isna(two)
        # a missing value cannot be compared
        valued = np.flatnonzero(~(gaps[0] | gaps[1]))
        alike = gaps[0] & gaps[1]
        alike[valued] = np.array([a == b for a, b in zip(one[valued], two[valued], strict=True)], dtype=bool)
        same &= alike
    rows = np.full(len(now), -1)
    rows[known[same]] = found[same]
    return rows


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
