"""A planner's own design: given buildings that take the place of the massing in the blocks they lie in."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from geodata.accounting import QualityLog
from twin.massing.homes import shared_homes
from twin.massing.town import PLANNED
from twin.scenario.blocks import NEW, block_of
from twin.scenario.floor_area import floor_areas


@dataclass(frozen=True)
class Design:
    """Designed buildings with their block, and what should be known about them."""

    buildings: gpd.GeoDataFrame
    quality: gpd.GeoDataFrame


def designed_buildings(clean: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame) -> Design:
    """Return the ``clean`` buildings of a design that lie in new ``blocks``, with the homes of their block shared out.

    A building lies in the block that holds its representative point. One in no new block is told and left out, because
    what stands there is not the plan's to replace.

    Parameters
    ----------
    clean
        Buildings as `geodata.clean.buildings.clean_buildings` gives them.
    blocks
        Blocks of `twin.scenario.blocks.judge_blocks`.
    """
    log = QualityLog("designs", str(blocks.crs))
    owner = block_of(clean.geometry.to_numpy(), blocks)
    new = (blocks["block_status"] == NEW).to_numpy()
    inside = (owner >= 0) & new[owner] if len(blocks) else owner >= 0
    log.add("design_outside", clean.loc[~inside, "building_id"], clean.geometry[~inside])
    found, owner = clean[inside].reset_index(drop=True), owner[inside]
    found = found.join(floor_areas(found))
    found["block_id"] = pd.Series(blocks["block_id"].to_numpy(dtype=object)[owner], dtype="str")
    found["dong_code"] = blocks["dong_code"].to_numpy(dtype=object)[owner]
    found["building_id"] = "design-" + found["building_id"].astype("str")
    found["status"] = pd.Series([PLANNED] * len(found), dtype="str")
    found["homes"] = shared_homes(blocks, owner, found["floor_area_m2"].to_numpy("float64"))
    found["homes_source"] = pd.Series(["design"] * len(found), dtype="str").where(found["homes"].notna())
    log.add("design_used", found["building_id"], found.geometry, found["block_id"])
    return Design(found.sort_values("building_id", ignore_index=True), log.frame())
