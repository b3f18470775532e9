"""Where an image of the present still tells the truth of a plan."""

from __future__ import annotations

import geopandas as gpd
import numpy as np

from twin.overlay import shared_areas

TOUCHED_M2 = 1.0
"""Borders that miss each other by centimetres do not make a parcel a changed one."""


def unchanged_parcels(parcels: gpd.GeoDataFrame, ground: gpd.GeoDataFrame) -> np.ndarray:
    """Return which of ``parcels`` share no more than a square metre with the changed ``ground``."""
    parcel, _, area = shared_areas(parcels.geometry.to_numpy(), ground.geometry.to_numpy())
    return np.bincount(parcel, weights=area, minlength=len(parcels)) <= TOUCHED_M2
