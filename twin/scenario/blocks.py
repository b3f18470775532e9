"""Blocks of one plan: the class of their use, and whether they stand already."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.accounting import QualityLog
from geodata.clean.land_use import OTHER, use_classes
from geodata.clean.plan_blocks import UNKNOWN_USE
from twin.kept_areas import kept_areas
from twin.scenario.floor_area import floor_areas
from twin.scenario.rules import scenario_rules
from twin.sky.town import Keep

STANDING, NEW = "standing", "new"
_IN_BLOCKS = "cover_in_blocks"


@dataclass(frozen=True)
class PlanBlocks:
    """Blocks with `use_class`, `block_status` and `built_share_pct`, and what should be known about them."""

    blocks: gpd.GeoDataFrame
    quality: gpd.GeoDataFrame


def judge_blocks(
    blocks: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame | None,
    land_cover: gpd.GeoDataFrame | None,
    keep: Keep | None = None,
) -> PlanBlocks:
    """Return ``blocks`` with the class of their use and whether they stand already.

    A block for buildings stands if the buildings in it (representative point) hold `standing_floor_share` of the floor
    area that the plan allows; without ratios, if there is any building. An open block (park, road, water …) stands if
    `standing_cover_share` of it is covered today as the plan wants it. A use that is unknown or that says nothing of
    the ground leaves the block as it is. Homes that the plan gives a standing block are told and not shared out: of its
    buildings no source says how many they hold.

    Parameters
    ----------
    blocks
        Clean plan blocks, with unique `block_id`.
    buildings, land_cover
        Clean layers of the present, or None where there are none.
    keep
        Where it is kept how much land cover lies in each block, as long as neither changes.
    """
    log = QualityLog("plan_blocks", str(blocks.crs))
    found = blocks.copy()
    classes = use_classes(blocks["land_use"])
    strange = classes.isna() & (blocks["land_use"] != UNKNOWN_USE)
    log.add(
        "land_use_unknown", blocks.loc[strange, "block_id"], blocks.geometry[strange], blocks.loc[strange, "land_use"]
    )
    found["use_class"] = classes.fillna(OTHER).astype("str")
    rules = scenario_rules()
    built = found["use_class"].isin(rules["built_uses"]).to_numpy()
    kept_as_is = ~found["use_class"].isin(list(rules["ground_of_use"])).to_numpy()
    floor_share = _floor_share(found, buildings)
    cover_share = _cover_share(found, land_cover, keep)
    stands = np.where(built, floor_share >= rules["standing_floor_share"], cover_share >= rules["standing_cover_share"])
    found["block_status"] = pd.Series(np.where(stands | kept_as_is, STANDING, NEW), index=found.index, dtype="str")
    found["built_share_pct"] = 100.0 * np.where(built, floor_share, cover_share)
    untold = (found["block_status"] == STANDING) & (found["homes"] > 0).fillna(value=False)
    log.add(
        "homes_of_standing",
        found.loc[untold, "block_id"],
        found.geometry[untold],
        found.loc[untold, "homes"].map("{} homes".format),
    )
    return PlanBlocks(found, log.frame())


def planned_floor_area(blocks: pd.DataFrame) -> np.ndarray:
    """Return the floor area that the plan allows on each block [m2]: by its ratio, else coverage times floors; NaN if neither."""
    ratio, coverage, floors = (
        blocks[name].to_numpy("float64", na_value=np.nan)
        for name in ("floor_area_ratio_pct", "building_coverage_pct", "floors_limit")
    )
    area = blocks["area_m2"].to_numpy("float64")
    return area * np.where(np.isnan(ratio), coverage * floors, ratio) / 100.0


def block_of(shapes: np.ndarray, blocks: gpd.GeoDataFrame) -> np.ndarray:
    """Return for each of ``shapes`` the position of the block that holds its representative point, -1 where none does.

    Of blocks that overlap the first counts.
    """
    found = np.full(len(shapes), -1, dtype=np.intp)
    if len(shapes) and len(blocks):
        points = shapely.point_on_surface(shapes)
        # what is asked with is prepared: a block once for all its points
        block, which = shapely.STRtree(points).query(blocks.geometry.to_numpy(), predicate="intersects")
        order = np.lexsort((block, which))
        first, position = np.unique(which[order], return_index=True)
        found[first] = block[order][position]
    return found


def _floor_share(blocks: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame | None) -> np.ndarray:
    wanted = planned_floor_area(blocks)
    if buildings is None:
        return np.zeros(len(blocks))
    owner = block_of(buildings.geometry.to_numpy(), blocks)
    area = floor_areas(buildings)["floor_area_m2"].to_numpy()
    present = np.bincount(owner[owner >= 0], weights=area[owner >= 0], minlength=len(blocks))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isnan(wanted), (present > 0).astype(float), np.where(wanted > 0, present / wanted, 0.0))


def _cover_share(blocks: gpd.GeoDataFrame, land_cover: gpd.GeoDataFrame | None, keep: Keep | None) -> np.ndarray:
    """Share of each block that is covered today as its use wants it; 0 without land cover."""
    if land_cover is None:
        return np.zeros(len(blocks))
    block, polygon, area = kept_areas(blocks.geometry.to_numpy(), land_cover.geometry.to_numpy(), keep, _IN_BLOCKS)
    code = land_cover["class_code"].to_numpy(dtype=object)[polygon]
    use = blocks["use_class"].to_numpy(dtype=object)[block]
    wanted = as_wanted(use, code)
    return np.bincount(block[wanted], weights=area[wanted], minlength=len(blocks)) / blocks.area.to_numpy()


def as_wanted(use_class: np.ndarray, class_code: np.ndarray) -> np.ndarray:
    """Return where land cover ``class_code`` on a block of ``use_class`` is, or may stay, as the plan wants it."""
    rules = scenario_rules()
    ground, stays = rules["ground_of_use"], rules["stays_in_use"]
    return np.array(
        [
            code == ground.get(use) or code.startswith(tuple(stays.get(use, ())))
            for use, code in zip(use_class, class_code, strict=True)
        ],
        dtype=bool,
    )
