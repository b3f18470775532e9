"""Roofs of public and school buildings as candidates."""

from __future__ import annotations

from functools import lru_cache

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.parameters import Parameters, load_parameters
from twin.indicators import building_loss

COLUMNS = (
    "site_kind", "site_id", "name", "use", "dong_code", "area_m2", "capacity_kwp", "yield_kwh", "specific_yield_kwh_kwp", "shading_loss_pct",
    "avoided_tco2", "capex_krw", "npv_krw", "lcoe_krw_kwh", "payback_years", "geometry",
)  # fmt: skip
"""What every candidate tells."""


@lru_cache(maxsize=1)
def shortlist_parameters() -> Parameters:
    """Return the values of ``weights.yaml``."""
    return load_parameters("twin.shortlist", "weights.yaml")


def roof_candidates(
    buildings: gpd.GeoDataFrame, roofs: pd.DataFrame, values: Parameters | None = None
) -> gpd.GeoDataFrame:
    """Return the school and public buildings that carry modules, with the `COLUMNS` of a candidate.

    Parameters
    ----------
    buildings
        Published layer with the sums of its roofs, energy and money.
    roofs
        Published layer; `shading_loss_pct` is averaged over a building's roofs by capacity, missing where it is not known.
    """
    values = shortlist_parameters() if values is None else values
    code = buildings["use_code"].fillna("").astype("str")
    school = code.str.startswith(tuple(values["school_uses"]))
    public = code.str.startswith(tuple(values["public_uses"]))
    chosen = (school | public) & (buildings["capacity_kwp"] > 0) & (buildings["yield_kwh"] > 0)
    found = buildings[chosen]
    frame = found.assign(
        site_kind=np.where(school[chosen], "school", "public"),
        site_id=found["building_id"],
        area_m2=found["roof_area_m2"],
        specific_yield_kwh_kwp=found["yield_kwh"] / found["capacity_kwp"],
        shading_loss_pct=building_loss(roofs).reindex(found["building_id"]).to_numpy(),
    )
    return frame[list(COLUMNS)]
