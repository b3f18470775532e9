"""Parks of a plan: the designated ones that stay, and the park and green blocks that arrive."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.class_tables import class_words, load_classes
from twin.overlay import shared_areas
from twin.scenario.blocks import NEW, block_of
from twin.scenario.rules import scenario_rules

SHARE_ROUNDING = 1e-6

GENERAL = {"park": "UQT200", "green": "UQT300"}
"""Class of a block of which the plan says no more than park or green."""


def planned_parks(parks: gpd.GeoDataFrame | None, blocks: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the columns of the layer `parks` for a plan, sorted by `park_id`.

    A designated park stays unless its representative point lies in a new block of another use. Park and green blocks
    arrive with status ``planned``, except where designated parks that stay cover `designated_share` of the block.

    Parameters
    ----------
    parks
        Clean parks of the present, or None where there are none.
    blocks
        Blocks of `twin.scenario.blocks.judge_blocks`.
    """
    arriving = blocks[blocks["use_class"].isin(list(GENERAL))]
    staying = None
    if parks is not None:
        owner = block_of(parks.geometry.to_numpy(), blocks)
        gone = (blocks["block_status"] == NEW) & ~blocks["use_class"].isin(list(GENERAL))
        staying = parks[~((owner >= 0) & gone.to_numpy()[owner])]
        shapes = np.array([shapely.union_all(staying.geometry.to_numpy())])
        block, _, area = shared_areas(arriving.geometry.to_numpy(), shapes)
        share = np.bincount(block, weights=area, minlength=len(arriving)) / arriving.area.to_numpy()
        arriving = arriving[share < scenario_rules()["designated_share"]]
    frames = [frame for frame in (staying, _as_parks(arriving)) if frame is not None and len(frame)]
    if not frames:
        return _as_parks(arriving)
    return pd.concat(frames, ignore_index=True).sort_values("park_id", ignore_index=True)


def park_problems(
    published: gpd.GeoDataFrame, designated: gpd.GeoDataFrame | None, blocks: gpd.GeoDataFrame
) -> list[str]:
    """Return what a plan's layer `parks` lacks or has from nowhere; an empty list is a pass.

    Every park comes from the designated ones or from a block, and ground of park and green blocks is under a park at
    least to the share from which a block counts as designated.
    """
    arriving = blocks[blocks["use_class"].isin(list(GENERAL))]
    known = set("plan-" + arriving["block_id"]) | (set() if designated is None else set(designated["park_id"]))
    strays = sorted(set(published["park_id"]) - known)
    found = [f"parks: {len(strays)} from nowhere, for example {strays[0]}"] if strays else []
    block, _, area = shared_areas(
        arriving.geometry.to_numpy(), np.array([shapely.union_all(published.geometry.to_numpy())])
    )
    share = np.bincount(block, weights=area, minlength=len(arriving)) / arriving.area.to_numpy()
    bare = arriving.loc[share < scenario_rules()["designated_share"] - SHARE_ROUNDING, "block_id"]
    if len(bare):
        found.append(f"parks: {len(bare)} park blocks are under no park, for example {bare.iloc[0]}")
    return found


def _as_parks(blocks: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    classes = load_classes("geodata.clean", "park_classes.yaml")
    named = {words["ko"]: code for code, words in classes.items() if words["kind"] in GENERAL}
    longest = sorted(named, key=len, reverse=True)
    code = blocks["land_use"].map(lambda use: next((named[word] for word in longest if word in use), None))
    code = code.where(code.notna(), blocks["use_class"].map(GENERAL)).astype("str")
    return gpd.GeoDataFrame(
        {
            "park_id": "plan-" + blocks["block_id"],
            "name": pd.Series(None, index=blocks.index, dtype="str"),
            "class_code": code,
            "class_ko": class_words(code, classes, "ko"),
            "class_en": class_words(code, classes, "en"),
            "status": pd.Series("planned", index=blocks.index, dtype="str"),
            "dong_code": blocks["dong_code"],
            "area_m2": blocks.area,
        },
        geometry=blocks.geometry.to_numpy(),
        crs=blocks.crs,
    ).reset_index(drop=True)
