"""What the walking network is made from: road centrelines where there are any, else the land that roads take."""

from __future__ import annotations

import geopandas as gpd

from twin.green.access.centrelines import centrelines
from twin.green.access.walk_network import WalkNetwork, access_parameters, build_network

ROAD_JIMOK = "도"
ROAD_CLASS = "154"


def walk_network(
    roads: gpd.GeoDataFrame | None, parcels: gpd.GeoDataFrame | None, land_cover: gpd.GeoDataFrame | None
) -> tuple[WalkNetwork, str] | None:
    """Return the walking network and what it is made from (``roads``, ``parcels``, ``land_cover``), or None without any.

    Parameters
    ----------
    roads
        Clean road centrelines.
    parcels
        Clean parcels; those of the land category 도로 stand in where there are no lines.
    land_cover
        Clean land cover; its roads stand in where there are no such parcels either.
    """
    if roads is not None and len(roads):
        return build_network(roads), "roads"
    for frame, column, value, name in (
        (parcels, "jimok", ROAD_JIMOK, "parcels"),
        (land_cover, "class_code", ROAD_CLASS, "land_cover"),
    ):
        if frame is None or column not in frame.columns:
            continue
        lines = centrelines(frame.geometry.to_numpy()[(frame[column] == value).to_numpy(dtype=bool)], str(frame.crs))
        if len(lines):
            return build_network(lines, reach_m=access_parameters()["derived_reach"]), name
    return None
