"""The edited block: whether it stands, what ground it gets, and which buildings.

What is computed for one block alone is what a run of the whole plan computes for it: blocks are massed one by one,
and only blocks that touch an edited one can share ground or buildings with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from twin.massing.designs import designed_buildings
from twin.massing.homes import shared_homes
from twin.massing.town import mass_blocks
from twin.scenario.blocks import NEW, judge_blocks
from twin.scenario.buildings import all_buildings, present_buildings, staying_buildings
from twin.scenario.ground import changed_ground
from twin.whatif.edit import BlockEdit


@dataclass(frozen=True)
class EditedBlock:
    """One block after the edit."""

    blocks: gpd.GeoDataFrame
    """All blocks of the plan, the edited one judged anew."""
    buildings: gpd.GeoDataFrame | None
    """Buildings of the block as the step `footprints` has them, without ground height; None where it has none."""
    ground: gpd.GeoDataFrame
    """Ground that the plan changes, of all blocks."""
    quality: gpd.GeoDataFrame
    """What should be known of the block and its buildings."""


def edited_block(
    edit: BlockEdit,
    blocks: gpd.GeoDataFrame,
    ground: gpd.GeoDataFrame,
    present: gpd.GeoDataFrame | None,
    land_cover: gpd.GeoDataFrame | None,
    *,
    designs: gpd.GeoDataFrame | None = None,
    new_design: gpd.GeoDataFrame | None = None,
) -> EditedBlock:
    """Return the block of ``edit`` built anew.

    Parameters
    ----------
    blocks, ground
        Of the plan as it was computed: `twin.scenario.blocks.judge_blocks` and `twin.scenario.ground.changed_ground`.
    present, land_cover
        Clean layers of the present, or None where there are none.
    designs
        Designed buildings that the plan has already.
    new_design
        Clean buildings of a design that takes the place of what the plan has in this block.

    Raises
    ------
    InputError
        If the edit names no block of the plan, or a value that cannot be meant.
    """
    before = blocks.iloc[edit.position(blocks)]
    near = touching(blocks, edit.block_id, steps=2)
    around = edit.applied(near)
    site = around.geometry.to_numpy()[[edit.position(around)]]
    # the neighbours are there because buildings may lie in two blocks; only the edited block's judgement is used
    judged = judge_blocks(_raw(around), _meeting(present, site), _meeting(land_cover, site))
    row = int(np.flatnonzero(judged.blocks["block_id"] == edit.block_id)[0])
    own = judged.blocks.iloc[[row]].reset_index(drop=True)
    after = pd.concat([blocks[blocks["block_id"] != edit.block_id], own], ignore_index=True)
    after = after.sort_values("block_id", ignore_index=True)
    if (before["use_class"], before["block_status"]) != (own["use_class"].iloc[0], own["block_status"].iloc[0]):
        # the neighbours' own judgement stands; only who cuts whom may have changed
        surroundings = after[after["block_id"].isin(near["block_id"])]
        ring = touching(blocks, edit.block_id, steps=1)["block_id"]
        anew = changed_ground(surroundings, _meeting(land_cover, surroundings.geometry.to_numpy()))
        ground = pd.concat(
            [ground[~ground["block_id"].isin(ring)], anew[anew["block_id"].isin(ring)]], ignore_index=True
        ).sort_values("block_id", ignore_index=True)
    buildings, told = _buildings(own, after[after["block_id"].isin(near["block_id"])], present, designs, new_design)
    mine = judged.quality[judged.quality["key"] == edit.block_id]
    return EditedBlock(after, buildings, ground, pd.concat([mine, *told], ignore_index=True))


def touching(blocks: gpd.GeoDataFrame, block_id: str, *, steps: int) -> gpd.GeoDataFrame:
    """Return the block ``block_id`` and those that it touches, and what these touch, in ``steps``; in the order of ``blocks``."""
    shapes = blocks.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    found = np.flatnonzero(blocks["block_id"] == block_id)
    for _ in range(steps):
        found = np.unique(np.concatenate([found, tree.query(shapes[found], predicate="intersects")[1]]))
    return blocks.iloc[found].reset_index(drop=True)


def _raw(blocks: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return blocks.drop(columns=["use_class", "block_status", "built_share_pct"])


def _meeting(features: gpd.GeoDataFrame | None, shapes: np.ndarray) -> gpd.GeoDataFrame | None:
    """Features that meet any of ``shapes``, in their order."""
    if features is None:
        return None
    found = np.unique(features.sindex.query(shapes, predicate="intersects")[1])
    return features.iloc[found].reset_index(drop=True)


def _buildings(
    own: gpd.GeoDataFrame,
    around: gpd.GeoDataFrame,
    present: gpd.GeoDataFrame | None,
    designs: gpd.GeoDataFrame | None,
    new_design: gpd.GeoDataFrame | None,
) -> tuple[gpd.GeoDataFrame | None, list[gpd.GeoDataFrame]]:
    block_id = own["block_id"].iloc[0]
    told, layers = [], []
    near = _meeting(present, own.geometry.to_numpy())
    if near is not None and len(near):
        staying = staying_buildings(present_buildings(near), around.reset_index(drop=True))
        layers.append(staying[staying["block_id"] == block_id])
    given = None
    if new_design is not None:
        placed = designed_buildings(new_design, around.reset_index(drop=True))
        given = placed.buildings[placed.buildings["block_id"] == block_id]
        told.append(
            placed.quality[(placed.quality["reason"] != "design_used") | (placed.quality["detail"] == block_id)]
        )
    elif designs is not None:
        given = designs[designs["block_id"] == block_id].reset_index(drop=True)
        owner = np.zeros(len(given), dtype=np.intp)
        given = given.assign(homes=shared_homes(own, owner, given["floor_area_m2"].to_numpy("float64")))
        given["homes_source"] = (
            given["homes_source"].mask(given["homes"].notna(), "design").where(given["homes"].notna())
        )
    if own["block_status"].iloc[0] == NEW:
        if given is not None and len(given):
            layers.append(given)
        else:
            massed = mass_blocks(own)
            layers.append(massed.buildings)
            told.append(massed.quality)
    layers = [layer.reset_index(drop=True) for layer in layers if len(layer)]
    return (all_buildings(layers) if layers else None), told
