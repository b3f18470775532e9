"""Buildings and blocks after an edit: the same sums and the same hourly match as of a whole run, of those that it touches."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from geodata.catalogue import LAYERS
from twin.energy.balance import hourly_balance
from twin.energy.columns import building_columns, pool_columns
from twin.energy.demand import building_demand
from twin.energy.pools import BLOCKS, pool_of
from twin.energy.shapes import load_shapes
from twin.indicators import block_sums, building_sums
from twin.solar.resource import Resource


@dataclass(frozen=True)
class TouchedTown:
    """What the edit touches, in published form."""

    buildings: gpd.GeoDataFrame
    """Layer `buildings`: of the edited block, of every other block in which a roof or a home sees another sky, and such buildings elsewhere."""
    blocks: gpd.GeoDataFrame
    """Layer `plan_blocks`: the edited block and those others, without green cover."""


def touched_town(
    footprints: gpd.GeoDataFrame,
    planes: pd.DataFrame,
    roofs: gpd.GeoDataFrame,
    blocks: gpd.GeoDataFrame,
    hours: Callable[[Sequence[str]], pd.DataFrame],
    *,
    block_id: str,
    changed_roofs: frozenset[str],
    sunlight: pd.DataFrame | None,
    other_sun: Set[str],
    resource: Resource,
    timezone: str,
) -> TouchedTown:
    """Return buildings and blocks that the edit touches.

    Parameters
    ----------
    footprints, planes, roofs, blocks
        All buildings, roof planes, published roofs and blocks after the edit.
    hours
        AC power of roofs [W], see `twin.whatif.yields.EditedYields.hours`.
    block_id
        The edited block.
    changed_roofs
        `roof_id` of the roofs that were computed again.
    sunlight
        Winter sun of all buildings by `building_id`, None where it was not counted.
    other_sun
        `building_id` of those whose winter sun is another one now.
    """
    seen = planes.loc[planes["roof_id"].isin(changed_roofs), "building_id"]
    direct = footprints["building_id"].isin(seen) | (footprints["block_id"] == block_id)
    direct |= footprints["building_id"].isin(other_sun)
    names = {block_id, *footprints.loc[direct, "block_id"].dropna()}
    mine = footprints[direct | footprints["block_id"].isin(names)].reset_index(drop=True)
    own = planes[planes["building_id"].isin(mine["building_id"])]
    lit = pd.DatetimeIndex(resource.hourly.index)
    demand = building_demand(mine)
    balance = hourly_balance(
        demand,
        own,
        hours,
        shapes=load_shapes(lit, timezone),
        daylight=resource.daylight,
        pools={BLOCKS: pool_of(mine["block_id"])},
    )
    frame = mine.join(building_sums(mine, roofs[roofs["building_id"].isin(mine["building_id"])]), on="building_id")
    matched = demand.merge(balance.buildings, on="building_id", validate="one_to_one")
    if sunlight is not None:
        frame = frame.join(sunlight, on="building_id")
    layer = LAYERS["buildings"]
    buildings = layer.finish(building_columns(frame, matched))
    rows = blocks[blocks["block_id"].isin(names)].reset_index(drop=True)
    rows = rows.join(block_sums(rows, buildings), on="block_id")
    if BLOCKS in balance.pools:
        pooled = balance.pools[BLOCKS].yearly().rename_axis("block_id")
        rows = pool_columns(rows, pooled, "block_id")
    return TouchedTown(buildings, LAYERS["plan_blocks"].finish(rows))
