"""Building records that share one footprint: one building stands there, and one record of it is kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from geodata.clean.candidates import Candidates
from geodata.clean.columns import dates

STEP_M = 0.01
"""Footprints whose corners agree to a centimetre are the same."""


def merge_same_footprints(candidates: Candidates) -> None:
    """Drop all but one record of each footprint (``same_footprint``): the roof would count as often as it has records.

    The record that knows most is kept: a height, floors, a parcel number, a register key, then the latest approval; of equal
    ones the first in the order of content.
    """
    rows = candidates.features
    if not len(rows):
        return
    rounded = shapely.transform(rows.geometry.to_numpy(), lambda xy: np.round(xy / STEP_M) * STEP_M + 0.0)
    shape = pd.Series(shapely.to_wkb(shapely.normalize(rounded)), index=rows.index, dtype=object)
    if not shape.duplicated().any():
        return
    known = (
        8 * (rows["height_m"] > 0).astype("int64")
        + 4 * (rows["floors_above"] > 0).astype("int64")
        + 2 * rows["pnu"].notna().astype("int64")
        + rows["register_id"].notna().astype("int64")
    )
    approved = dates(rows["approved_on"]).fillna(pd.Timestamp(0)).astype("int64")
    order = pd.DataFrame({"known": -known, "approved": -approved, "place": np.arange(len(rows))})
    ranked = shape.loc[order.sort_values(["known", "approved", "place"]).index]
    repeated = ranked.duplicated().reindex(rows.index)
    keeper = dict(zip(shape[~repeated], rows.loc[~repeated, "source_key"], strict=True))
    candidates.drop("same_footprint", repeated, "kept: " + shape.map(keeper).astype("str"))
