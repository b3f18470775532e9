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
    """What a plan makes of the ground: all that it changes, and all its road blocks. Polygons.

    Roads of a plan are often one block that reaches through the whole town, which stands already because most of it does;
    its new streets are no changed ground.
    """

    changed: np.ndarray
    roads: np.ndarray

    @classmethod
    def of(cls, ground: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame) -> PlannedGround:
        """Return it from the changed ground, and the blocks of the plan with `use_class`."""
        return cls(ground.geometry.to_numpy(), blocks.geometry.to_numpy()[(blocks["use_class"] == ROAD_USE).to_numpy()])


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
        Streets on ground that a plan changes are gone, and its own roads take part where no street stays in them; then the
        source is ``plan``.
    """
    changes = plan is not None and len(plan.changed) + len(plan.roads) > 0
    if roads is not None and len(roads):
        if not changes or plan is None:
            return build_network(roads), "roads"
        staying = _staying(roads, plan.changed)
        new = _without_street(centrelines(plan.roads, str(roads.crs)), staying)
        lines = pd.concat([staying, new], ignore_index=True)
        network = build_network(lines, reach_m=access_parameters()["derived_reach"])
        return _without_scraps(network, network.road >= len(staying)), "plan"
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
            network = build_network(lines, reach_m=access_parameters()["derived_reach"])
            return _without_scraps(network, np.ones(len(network.road), dtype=bool)), "plan" if changes else name
    return None


def _without_scraps(network: WalkNetwork, made: np.ndarray) -> WalkNetwork:
    """Return ``network`` without short pieces that hang apart and consist of ``made`` edges alone; the longest piece always stays."""
    if not len(network.start):
        return network
    part = network.component[network.start]
    length = np.bincount(part, weights=network.length_m, minlength=1)
    scrap = length < access_parameters()["derived_piece"]
    scrap[part[~made]] = False
    scrap[np.argmax(length)] = False
    return network.without(scrap[part])


def _without_street(lines: gpd.GeoDataFrame, streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return those of the short ``lines`` in the land of roads that have no walkable one of ``streets`` beside them."""
    walked = streets.geometry.to_numpy()[~streets["class"].isin(access_parameters()["not_walkable"]).to_numpy()]
    if not len(lines) or not len(walked):
        return lines
    middle = shapely.line_interpolate_point(lines.geometry.to_numpy(), 0.5, normalized=True)
    _, distance = shapely.STRtree(walked).query_nearest(middle, all_matches=False, return_distance=True)
    return lines[distance > lines["width_m"].to_numpy() / 2 + access_parameters()["entrance_gap"]]


def _staying(roads: gpd.GeoDataFrame, changed: np.ndarray) -> gpd.GeoDataFrame:
    """Return the lines of ``roads`` outside ``changed``; lines that nobody may walk along stay whole, and so do barriers."""
    closed = roads["class"].isin(access_parameters()["not_walkable"]).to_numpy()
    rest = shapely.difference(roads.geometry.to_numpy(), shapely.union_all(changed))
    shapes = np.where(closed, roads.geometry.to_numpy(), rest)
    stays = roads.set_geometry(gpd.GeoSeries(shapes, index=roads.index, crs=roads.crs))
    stays = stays[~stays.geometry.is_empty].explode(index_parts=False, ignore_index=True)
    return stays[["class", "width_m", "geometry"]]
