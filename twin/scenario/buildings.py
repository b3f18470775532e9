"""Buildings of a scenario: those that stand, with their block, floor area and homes."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from twin.scenario.blocks import NEW, block_of
from twin.scenario.floor_area import floor_areas

EXISTING, PLANNED = "existing", "planned"
"""Values of the column `status` of buildings."""


def present_buildings(buildings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return clean ``buildings`` with `block_id` (none), `status`, floor area and its source, `homes` and its source.

    Homes of the present are unknown unless the clean layer carries them.
    """
    found = buildings.join(floor_areas(buildings))
    nothing = pd.Series(None, index=found.index, dtype="str")
    found["block_id"] = nothing
    found["status"] = pd.Series(EXISTING, index=found.index, dtype="str")
    if "homes" not in found.columns:
        found["homes"] = pd.Series(pd.NA, index=found.index, dtype="Int64")
    found["homes_source"] = nothing.mask(found["homes"].notna(), "register")
    return found


def staying_buildings(present: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the ``present`` buildings that no new block replaces, with the standing block that holds them.

    A building lies in the block that holds its representative point.
    """
    owner = block_of(present.geometry.to_numpy(), blocks)
    inside = owner >= 0
    known = blocks["block_id"].to_numpy(dtype=object)
    leaves = inside & (blocks["block_status"].to_numpy()[owner] == NEW) if len(blocks) else inside
    names = np.full(len(present), None, dtype=object)
    names[inside] = known[owner[inside]]
    found = present.assign(block_id=pd.Series(names, index=present.index, dtype="str"))
    return found[~leaves].reset_index(drop=True)


def all_buildings(layers: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Return one frame of all ``layers`` (present, designed, massed), none of them empty, with the columns of the first and more."""
    if len(layers) == 1:
        return layers[0]
    empty = [layer.dropna(axis="columns", how="all") for layer in layers]
    joined = gpd.GeoDataFrame(pd.concat(empty, ignore_index=True), geometry="geometry", crs=layers[0].crs)
    names = list(dict.fromkeys(name for layer in layers for name in layer.columns))
    joined = joined.reindex(columns=names)
    return joined.astype(
        {name: layer[name].dtype for layer in reversed(layers) for name in layer.columns if name != "geometry"}
    )
