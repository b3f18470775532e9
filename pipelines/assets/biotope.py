"""Steps of the biotope area ratio of one scenario, and of the roof that modules and plants share."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geodata.study_area import with_parcels
from pipelines.assets.green import index_has_level
from pipelines.assets.sources import AREA, load_area
from pipelines.steps import Step, step
from pipelines.work import Work, read_table
from twin.green.biotope.budget import block_curves, building_budget, curves, roof_budget
from twin.green.biotope.planned import (
    block_targets,
    mean_targets,
    planned_ratio,
    planned_surfaces,
    present_and_planned,
)
from twin.green.biotope.ratio import parcel_targets, present_ratios, surfaces_of
from twin.green.biotope.surfaces import Known, Surfaces, surface_areas, surface_pairs
from twin.green.cover import green_polygons
from twin.green.vegetation import blockers, vegetation_of
from twin.indicators import district_shapes

TRADE_OFF = "biotope_tradeoff.parquet"


def present_ground(work: Work) -> Surfaces:
    """Return the surfaces of the town as it is, also from within a plan."""
    cover, buildings = work.frame("sources/land_cover"), work.frame_or_none("sources/buildings")
    seen = None
    if index_has_level(work):
        area = with_parcels(load_area(work), work.frame_or_none("sources/parcels"))
        seen = vegetation_of(work.path("sources/ndvi", "ndvi.tif"), area, blockers(cover, buildings), "ndvi")
    return surfaces_of(cover, None if seen is None else green_polygons(cover, seen), buildings)


def planned_ground(work: Work) -> Surfaces:
    """Return the surfaces that the plan makes of its ground."""
    return planned_surfaces(
        work.frame("scenario/land_cover"),
        work.frame_or_none("scenario/green"),
        work.frame_or_none("scenario/footprints"),
        work.frame("scenario/blocks", "ground.parquet"),
        work.frame("scenario/blocks").set_index("block_id")["use_class"],
    )


def areas_in(work: Work, features: gpd.GeoDataFrame, key: str, ground: str, surfaces: Surfaces) -> pd.DataFrame:
    """Return the area of each surface in each of ``features`` [m2]; where land and features are those of before, only from what changed."""
    known, file = None, f"{ground}_by_{key}.parquet"
    before = work.before_where_same(
        "scenario/land_cover", "sources/land_cover", "scenario/blocks", "sources/parcels", AREA
    )
    if before is not None:
        known = Known(read_table(before.data / f"{ground}_top.parquet"), read_table(before.data / file))
    pairs = surface_pairs(features, surfaces, known)
    work.write(pairs, file)
    return surface_areas(features, key, surfaces, pairs)


@step(
    "scenario/biotope",
    group="green",
    essential=("scenario/land_cover",),
    needs=("scenario/green", "scenario/footprints", "scenario/blocks", "sources/land_cover", "sources/buildings", "sources/ndvi",
           "sources/parcels", "sources/parcel_land", AREA),
)  # fmt: skip
def biotope(work: Work) -> None:
    """Present biotope area ratio by three rule sets, of a plan the planned one too, with targets beside it.

    필지·계획 블록·법정동별 현재·계획 생태면적률과 목표.
    """
    rows, parcels = district_shapes(load_area(work)), work.frame_or_none("sources/parcels")
    blocks = work.frame_or_none("scenario/blocks")
    ground = present_ground(work)
    work.write(ground.top_frame(work.site.crs), "present_top.parquet")
    areas = areas_in(work, rows, "dong_code", "present", ground)
    table = present_ratios(rows, areas)
    if blocks is not None:
        now = present_ratios(blocks, areas_in(work, blocks, "block_id", "present", ground))
        future = planned_ground(work)
        work.write(future.top_frame(work.site.crs), "planned_top.parquet")
        areas = areas_in(work, rows, "dong_code", "planned", future)
        by_block = areas_in(work, blocks, "block_id", "planned", future)
        table = present_and_planned(table, planned_ratio(rows, areas))
        told = block_targets(present_and_planned(now, planned_ratio(blocks, by_block)), blocks)
        work.write(told, "blocks.parquet")
        work.write(by_block, "block_surfaces.parquet")
        table["biotope_mean_target_pct"] = mean_targets(rows, blocks, told["biotope_target_pct"])
    elif parcels is not None:
        ratios = present_ratios(parcels, areas_in(work, parcels, "pnu", "present", ground))
        told = parcel_targets(ratios, parcels, work.frame_or_none("sources/parcel_land"))
        work.write(told, "parcels.parquet")
        # targets follow the land, not what stands on it
        before = work.before_where_same("sources/parcels", "sources/parcel_land", AREA)
        table["biotope_mean_target_pct"] = (
            mean_targets(rows, parcels, told["biotope_target_pct"])
            if before is None
            else read_table(before.data / "districts.parquet")["biotope_mean_target_pct"]
        )
    work.write(table, "districts.parquet")
    work.write(areas, "district_surfaces.parquet")


@step(
    "scenario/roof_budget",
    group="green",
    essential=("scenario/roofs",),
    needs=("scenario/footprints", "scenario/biotope", "scenario/blocks", AREA),
)
def shared_roof(work: Work) -> None:
    """Roof of each building and dong that modules take and that is left for plants, and the curve between the two.

    건물·법정동·계획 블록별 태양광과 옥상녹화의 지붕 면적, 절충 곡선.
    """
    roofs = work.frame("scenario/roofs")
    buildings = work.frame("scenario/footprints")
    budget = roof_budget(roofs, buildings)
    work.write(building_budget(roofs, budget), "buildings.parquet")
    rows = district_shapes(load_area(work))
    surfaces = work.frame_or_none("scenario/biotope", "district_surfaces.parquet")
    sums, curve = curves(roofs, budget, rows, surfaces)
    work.write(sums, "districts.parquet")
    if curve is None:
        return
    if work.has("scenario/blocks"):
        ground = work.frame("scenario/biotope", "block_surfaces.parquet")
        own = block_curves(roofs, budget, buildings, work.frame("scenario/blocks"), ground)
        curve = pd.concat([curve, own], ignore_index=True)
    work.write(curve, TRADE_OFF)


STEPS: tuple[Step, ...] = (biotope, shared_roof)
