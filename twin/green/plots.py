"""The plot of a building: the parcels it stands on, or the block of the plan it belongs to, and how green that is."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from twin.green.vegetation import blend_parameters
from twin.overlay import shared_areas
from twin.same_rows import row_before


def plot_cover(
    buildings: gpd.GeoDataFrame,
    parcels: gpd.GeoDataFrame | None,
    parcel_cover: pd.DataFrame | None,
    blocks: gpd.GeoDataFrame | None = None,
    block_cover: pd.DataFrame | None = None,
    *,
    known: tuple[gpd.GeoDataFrame, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Return the green of the plot of each of ``buildings``.

    The plot is every parcel that holds at least the share of the footprint stated in ``blend.yaml``; where none does, the
    one that holds most. A building with a `block_id` has its block for a plot. Areas of the plot are sums over whole
    parcels, so two buildings on one parcel share one plot.

    Parameters
    ----------
    buildings
        `building_id`, footprints and, for planned ones, `block_id`.
    parcels, blocks
        With `pnu` or `block_id`.
    parcel_cover, block_cover
        `green_area_m2` by `pnu` or `block_id`, from `twin.green.cover.cover_of`.
    known
        Other buildings and the result for them, with the same parcels, blocks and cover; those that are the same keep theirs.

    Returns
    -------
    DataFrame
        Indexed by `building_id`: `plot_area_m2`, `plot_green_area_m2` [m2] and `plot_green_cover_pct`; NaN without a plot,
        the latter two also where the green of one of its parcels is not known.
    """
    if known is not None:
        then, table = known
        same = row_before(buildings, then, "building_id", ["block_id"]) >= 0
        new = plot_cover(buildings[~same].reset_index(drop=True), parcels, parcel_cover, blocks, block_cover)
        told = np.full((len(buildings), len(table.columns)), np.nan)
        told[same] = table.loc[buildings.loc[same, "building_id"]].to_numpy()
        told[~same] = new.to_numpy()
        return pd.DataFrame(told, columns=table.columns, index=pd.Index(buildings["building_id"], name="building_id"))
    keys = pd.Index(buildings["building_id"], name="building_id")
    told = np.full((len(buildings), 2), np.nan)
    in_block = np.zeros(len(buildings), dtype=bool)
    if blocks is not None and block_cover is not None and "block_id" in buildings.columns:
        where = pd.Index(blocks["block_id"]).get_indexer(pd.Index(buildings["block_id"]))
        in_block = where >= 0
        green = block_cover["green_area_m2"].reindex(blocks["block_id"]).to_numpy("float64")
        told[in_block, 0] = shapely.area(blocks.geometry.to_numpy())[where[in_block]]
        told[in_block, 1] = green[where[in_block]]
    if parcels is not None and parcel_cover is not None:
        own = np.flatnonzero(~in_block)
        building, parcel = _on_parcels(buildings.geometry.to_numpy()[own], parcels.geometry.to_numpy())
        area = shapely.area(parcels.geometry.to_numpy())[parcel]
        green = parcel_cover["green_area_m2"].reindex(parcels["pnu"]).to_numpy("float64")[parcel]
        found = np.unique(building)
        for column, values in enumerate((area, green)):
            told[own[found], column] = np.bincount(building, weights=values, minlength=len(own))[found]
    table = pd.DataFrame(told, columns=["plot_area_m2", "plot_green_area_m2"], index=keys)
    table["plot_green_cover_pct"] = np.minimum(100.0 * told[:, 1] / told[:, 0], 100.0)
    return table


def _on_parcels(footprints: np.ndarray, parcels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of footprint and parcel that belong together, each once."""
    building, parcel, area = shared_areas(footprints, parcels)
    pairs, member = np.unique(np.column_stack([building, parcel]), axis=0, return_inverse=True)
    shared = np.bincount(member, weights=area, minlength=len(pairs))
    building, parcel = pairs[:, 0], pairs[:, 1]
    largest = np.zeros(len(footprints))
    np.maximum.at(largest, building, shared)
    enough = shared >= shapely.area(footprints)[building] * float(blend_parameters()["plot_least_share_pct"]) / 100
    kept = enough | (shared == largest[building])
    return building[kept], parcel[kept]
