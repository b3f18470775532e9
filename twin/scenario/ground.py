"""The ground of a plan: what of the present land cover leaves, and what arrives in its place."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.clean.land_cover import trim_overlaps
from geodata.repair import MIN_AREA_M2, Shapes, make_valid_polygons
from twin.scenario.blocks import NEW, as_wanted
from twin.scenario.rules import PLAN_SOURCE, scenario_rules


def changed_ground(blocks: gpd.GeoDataFrame, land_cover: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Return the ground that the plan changes: `block_id`, `class_code`, `source` and geometry, without overlaps.

    Of each new block that is what remains after the woods, grass and water that stay in it.

    Parameters
    ----------
    blocks
        Blocks of `twin.scenario.blocks.judge_blocks`.
    land_cover
        Clean land cover of the present, or None.
    """
    ground = scenario_rules()["ground_of_use"]
    new = blocks[(blocks["block_status"] == NEW) & blocks["use_class"].isin(list(ground))]
    new = new.sort_values("block_id", ignore_index=True)
    shapes, _ = trim_overlaps(new.geometry.to_numpy())
    if land_cover is not None and len(new):
        shapes = _without(shapes, _staying(new, shapes, land_cover))
    there = ~shapely.is_missing(shapes)
    return gpd.GeoDataFrame(
        {
            "block_id": new["block_id"].to_numpy()[there],
            "class_code": new["use_class"].map(ground).to_numpy()[there],
            "source": pd.Series(PLAN_SOURCE, index=range(int(there.sum())), dtype="str"),
        },
        geometry=shapes[there],
        crs=blocks.crs,
    ).astype({"block_id": "str", "class_code": "str"})


def planned_cover(land_cover: gpd.GeoDataFrame, ground: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the land cover of the plan: ``land_cover`` cut by ``ground``, and ``ground``; columns of the clean layer.

    `source_kind` tells which of the two speaks, ``land_cover`` or ``plan``.

    Parameters
    ----------
    land_cover
        Clean land cover of the present: `class_code`, `source`, polygons without overlaps.
    ground
        Ground of `changed_ground`, in the same CRS.
    """
    rest = _without(land_cover.geometry.to_numpy(), ground.geometry.to_numpy())
    there = ~shapely.is_missing(rest)
    stays = land_cover[there].set_geometry(
        gpd.GeoSeries(rest[there], index=land_cover.index[there], crs=land_cover.crs)
    )
    columns = ["class_code", "source", "source_kind", "geometry"]
    told = [layer.assign(source_kind=kind)[columns] for layer, kind in ((stays, "land_cover"), (ground, "plan"))]
    return pd.concat(told, ignore_index=True)


def outside_ground(features: gpd.GeoDataFrame, ground: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return ``features`` (polygons) less the ``ground`` that a plan changes; what lies wholly on it is gone."""
    rest = _without(features.geometry.to_numpy(), ground.geometry.to_numpy())
    there = ~shapely.is_missing(rest)
    return features[there].set_geometry(gpd.GeoSeries(rest[there], index=features.index[there], crs=features.crs))


def cover_change(present: gpd.GeoDataFrame, planned: gpd.GeoDataFrame) -> dict[str, float]:
    """Return how much forest the plan fells and how much ground it changes [m2], as sums over both land covers."""
    felled = sum(
        sign * layer.area[layer["class_code"].str[0] == "3"].sum() for sign, layer in ((1, present), (-1, planned))
    )
    return {
        "forest_felled_m2": round(float(felled), 1),
        "ground_changed_m2": round(float(planned.area[planned["source"] == PLAN_SOURCE].sum()), 1),
    }


def _staying(blocks: gpd.GeoDataFrame, shapes: Shapes, land_cover: gpd.GeoDataFrame) -> Shapes:
    """Land cover that stays inside the block it lies in, cut to that block."""
    cover = land_cover.geometry.to_numpy()
    block, polygon = shapely.STRtree(cover).query(shapes, predicate="intersects")
    use = blocks["use_class"].to_numpy(dtype=object)[block]
    code = land_cover["class_code"].to_numpy(dtype=object)[polygon]
    stays = as_wanted(use, code) & np.isin(use, list(scenario_rules()["stays_in_use"]))
    pieces = make_valid_polygons(shapely.intersection(shapes[block[stays]], cover[polygon[stays]]))
    return pieces[shapely.area(pieces) >= MIN_AREA_M2]


def _without(shapes: Shapes, cutters: Shapes) -> Shapes:
    """``shapes`` less the ``cutters`` that meet them; None where nothing is left."""
    result = shapes.copy()
    if not len(cutters) or not len(shapes):
        return result
    shape, cutter = shapely.STRtree(cutters).query(shapes, predicate="intersects")
    meet = ~shapely.touches(shapes[shape], cutters[cutter])
    order = np.lexsort((cutter[meet], shape[meet]))
    shape, cutter = shape[meet][order], cutter[meet][order]
    touched, start = np.unique(shape, return_index=True)
    unions = [shapely.union_all(group) for group in np.split(cutters[cutter], start[1:])] if len(touched) else []
    rest = make_valid_polygons(shapely.difference(shapes[touched], np.array(unions, dtype=object)))
    rest[~(shapely.area(rest) >= MIN_AREA_M2)] = None
    result[touched] = rest
    return result
