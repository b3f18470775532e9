"""Roads from which a site is reached."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from twin.scenario.blocks import NEW
from twin.scenario.ndvi import unchanged_parcels

ROAD_LAND = "도"
"""Land category of roads."""


def roads_of(
    centrelines: gpd.GeoDataFrame | None,
    parcels: gpd.GeoDataFrame | None,
    blocks: gpd.GeoDataFrame | None,
    ground: gpd.GeoDataFrame | None,
) -> gpd.GeoDataFrame | None:
    """Return the roads of a scenario, each with its `road_source`; None where no source tells any.

    Centrelines where there are any, else parcels of land category 도 outside the ``ground`` that a plan changes; with new road
    ``blocks`` of the plan.
    """
    parts = []
    if centrelines is not None and len(centrelines):
        parts.append(centrelines[["geometry"]].assign(road_source="roads"))
    elif parcels is not None:
        own = parcels[parcels["jimok"] == ROAD_LAND]
        if ground is not None:
            own = own[unchanged_parcels(own, ground)]
        parts.append(own[["geometry"]].assign(road_source="parcels"))
    if blocks is not None:
        planned = blocks[(blocks["use_class"] == "road") & (blocks["block_status"] == NEW)]
        parts.append(planned[["geometry"]].assign(road_source="plan"))
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else None
