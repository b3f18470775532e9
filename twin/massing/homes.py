"""Homes of a block, shared out over its buildings."""

from __future__ import annotations

import numpy as np
import pandas as pd


def shared_homes(blocks: pd.DataFrame, owner: np.ndarray, floor_area_m2: np.ndarray) -> pd.Series:
    """Return the homes of each building: those of its block, shared by floor area, whole, and none lost (largest remainder)."""
    homes = blocks["homes"].to_numpy("float64", na_value=np.nan)
    whole = np.bincount(owner, weights=floor_area_m2, minlength=len(blocks))
    share = homes[owner] * floor_area_m2 / whole[owner]
    given = np.floor(share + 1e-9)
    left = np.nan_to_num(homes - np.bincount(owner, weights=given, minlength=len(blocks))).round().astype(int)
    order = np.lexsort((np.arange(len(owner)), -(share - given), owner))
    rank = pd.Series(owner[order]).groupby(owner[order]).cumcount().to_numpy()
    given[order[rank < left[owner[order]]]] += 1
    return pd.Series(given).where(~np.isnan(share)).astype("Int64")
