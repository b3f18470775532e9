"""What the walking network is made from: road centrelines where there are any, else the land that roads take; in a plan with its roads."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from twin.green.access.centrelines import centrelines
from twin.green.access.walk_network import WalkNetwork, access_parameters, build_network
from twin.overlay import cut_away, small_parts

ROAD_JIMOK = "도"
ROAD_CLASS = "154"
ROAD_USE = "road"


@dataclass(frozen=True)
class PlannedGround:
    """What a plan makes of the ground: all that it changes, and what of that becomes road. Polygons."""

    changed: np.ndarray
    roads: np.ndarray

    @classmethod
    def of(cls, ground: gpd.GeoDataFrame, use_of_block: pd.Series) -> PlannedGround:
        """Return it from the changed ground with `block_id`, and `use_class` by `block_id`."""
        shapes = ground.geometry.to_numpy()
        return cls(shapes, shapes[(ground["block_id"].map(use_of_block) == ROAD_USE).to_numpy(dtype=bool)])


def walk_network(
    roads: gpd.GeoDataFrame | None,
    parcels: gpd.GeoDataFrame | None,
    land_cover: gpd.GeoDataFrame | None,
    plan: PlannedGround | None = None,
) -> tuple[WalkNetwork, str] | None:
    """Return the walking network and what it is made from (``roads``, ``plan``, ``parcels``, ``land_cover``), or None without any.

    Parameters
    ----------
    roads
        Clean road centrelines.
    parcels
        Clean parcels; those of the land category 도로 stand in where there are no lines.
    land_cover
        Clean land cover; its roads stand in where there are no such parcels either.
    plan
        Streets on ground that a plan changes are gone, and its own roads take part; then the source is ``plan``.
    """
    changes = plan is not None and len(plan.changed) > 0
    if roads is not None and len(roads):
        if not changes or plan is None:
            return build_network(roads), "roads"
        lines = pd.concat([_staying(roads, plan.changed), centrelines(plan.roads, str(roads.crs))], ignore_index=True)
        return build_network(lines, reach_m=access_parameters()["derived_reach"]), "plan"
    for frame, column, value, name in (
        (parcels, "jimok", ROAD_JIMOK, "parcels"),
        (land_cover, "class_code", ROAD_CLASS, "land_cover"),
    ):
        if frame is None or column not in frame.columns:
            continue
        land = frame.geometry.to_numpy()[(frame[column] == value).to_numpy(dtype=bool)]
        if changes and plan is not None:
            parts, _ = small_parts(land)
            left = cut_away(parts, small_parts(plan.changed)[0])
            land = np.concatenate([left[~shapely.is_missing(left)], plan.roads])
        lines = centrelines(land, str(frame.crs))
        if len(lines):
            return build_network(lines, reach_m=access_parameters()["derived_reach"]), "plan" if changes else name
    return None


def _staying(roads: gpd.GeoDataFrame, changed: np.ndarray) -> gpd.GeoDataFrame:
    """Return the lines of ``roads`` outside ``changed``; lines that nobody may walk along stay whole, and so do barriers."""
    closed = roads["class"].isin(access_parameters()["not_walkable"]).to_numpy()
    rest = shapely.difference(roads.geometry.to_numpy(), shapely.union_all(changed))
    shapes = np.where(closed, roads.geometry.to_numpy(), rest)
    stays = roads.set_geometry(gpd.GeoSeries(shapes, index=roads.index, crs=roads.crs))
    stays = stays[~stays.geometry.is_empty].explode(index_parts=False, ignore_index=True)
    return stays[["class", "width_m", "geometry"]]
