"""From buildings to parcels and districts: residents, and the share of them that a park serves."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.parameters import load_parameters
from twin.green.access.walk_network import access_parameters


def building_columns(residents: pd.DataFrame, distances: pd.DataFrame, network_source: str) -> pd.DataFrame:
    """Return the columns that residential buildings carry, indexed by `building_id`.

    ``residents`` are those of `twin.green.access.residents`, ``distances`` those of `twin.green.access.park_access`.
    """
    table = residents.join(distances.rename(columns={"park_id": "nearest_park_id"}))
    # as published, so that nobody who reads 300 m finds the home unserved
    near = table["park_distance_m"].round(0) <= access_parameters()["park_distance"]
    return table.assign(park_300m=near, network_source=network_source)


def unserved(buildings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the residential buildings that no park serves, with `unserved_reason`."""
    homes = buildings[(buildings["park_300m"] == False).fillna(False).to_numpy(dtype=bool)]  # noqa: E712  # missing is not False
    return homes.assign(unserved_reason=homes["park_reason"].fillna("far"))


def with_served(buildings: pd.DataFrame) -> pd.DataFrame:
    """Return ``buildings`` with `residents_300m`, the residents that a park serves, if residents are known at all."""
    if "park_300m" not in buildings.columns:
        return buildings
    served = buildings["park_300m"].fillna(False).to_numpy(dtype=bool)
    return buildings.assign(
        residents_300m=buildings["residents"].where(served, 0.0).where(buildings["residents"].notna())
    )


SERVED = ("residents", "residents_300m")


def resident_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Return ``rows`` with `residents_300m_pct`, and `park_per_resident_m2` where `park_area_m2` is known; NaN without residents."""
    if "residents_300m" not in rows.columns:
        return rows
    people = rows["residents"].where(rows["residents"] > 0)
    rows = rows.assign(residents_300m_pct=np.minimum(100 * rows["residents_300m"] / people, 100.0))
    if "park_area_m2" in rows.columns:
        standard = load_parameters("twin.green.access", "park_standards.yaml")["urban_area"]
        rows = rows.assign(park_per_resident_m2=rows["park_area_m2"] / people, park_standard_per_resident_m2=standard)
    return rows


def resident_sums(features: pd.DataFrame, key: str, buildings: pd.DataFrame) -> pd.DataFrame:
    """Return `residents` and `residents_300m_pct` of each of ``features``, indexed by ``key``; missing where nobody lives.

    ``key`` is `pnu` or `block_id`, in both tables.
    """
    values = with_served(buildings)
    index = pd.Index(features[key], name=key)
    if "residents_300m" not in values.columns:
        return pd.DataFrame(index=index)
    sums = values[list(SERVED)].groupby(values[key].to_numpy(), sort=True).sum(min_count=1).reindex(index)
    return resident_shares(sums)[["residents", "residents_300m_pct"]]
