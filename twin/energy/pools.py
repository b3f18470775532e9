"""Who shares power with whom: the buildings of a plan block, of a legal dong, and of the project's district."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse

from twin.energy.balance import Pool
from twin.indicators import row_members

DONGS, BLOCKS = "districts", "blocks"
"""Kinds of pool, named after the layer that tells them."""


def pool_of(codes: pd.Series) -> Pool:
    """Return the pool of groups that ``codes`` name, building by building; missing where a building is in none."""
    keys = sorted(set(codes.dropna()))
    column = pd.Index(keys).get_indexer(codes) if keys else np.full(len(codes), -1)
    inside = column >= 0
    entries = (np.ones(int(inside.sum())), (np.flatnonzero(inside), column[inside]))
    return Pool(tuple(keys), scipy.sparse.csr_matrix(entries, shape=(len(codes), len(keys))))


def pools_of(buildings: gpd.GeoDataFrame, districts: gpd.GeoDataFrame) -> dict[str, Pool]:
    """Return the pools of ``buildings``: one group for each row of ``districts``, and one for each block where there are any.

    Parameters
    ----------
    buildings
        `dong_code`, geometry, and `block_id` where there is a plan.
    districts
        As `twin.indicators.district_shapes` gives them.
    """
    keys, row, column = [], [], []
    for number, (code, inside) in enumerate(row_members(buildings, districts)):
        keys.append(code)
        row.append(np.flatnonzero(inside))
        column.append(np.full(int(inside.sum()), number))
    at = (np.concatenate(row), np.concatenate(column))
    member = scipy.sparse.csr_matrix((np.ones(len(at[0])), at), shape=(len(buildings), len(keys)))
    found = {DONGS: Pool(tuple(keys), member)}
    if "block_id" in buildings.columns and buildings["block_id"].notna().any():
        found[BLOCKS] = pool_of(buildings["block_id"])
    return found
