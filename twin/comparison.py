"""A plan held against the town as it is: both sides as they are published, and planned minus existing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.catalogue import LAYERS, Field
from geodata.catalogue.comparison import BLOCK_QUANTITIES, CHANGE, DISTRICT_QUANTITIES, EXISTING, PLANNED
from twin.energy.ratios import energy_ratios
from twin.green.cover import cover_of
from twin.green.vegetation import Observed
from twin.indicators import block_sums
from twin.kept_tiles import ShapeHashes
from twin.scenario.blocks import block_of
from twin.sky.town import Keep

_COVER = "cover.parquet"


def compare_districts(existing: gpd.GeoDataFrame, planned: gpd.GeoDataFrame, scenario: str) -> gpd.GeoDataFrame:
    """Return the columns of the layer `comparison_districts` for the plan ``scenario``.

    Parameters
    ----------
    existing, planned
        The published layer `districts` of both; a quantity that only one of them has is left out.

    Returns
    -------
    GeoDataFrame
        One row for each of ``planned``, in its order. A change is empty where either side is.
    """
    return _beside(existing, planned, "dong_code", DISTRICT_QUANTITIES, scenario)


def compare_blocks(existing: gpd.GeoDataFrame, planned: gpd.GeoDataFrame, scenario: str) -> gpd.GeoDataFrame:
    """Return the columns of the layer `comparison_blocks`: ``existing`` by `present_blocks`, ``planned`` the layer `plan_blocks`."""
    return _beside(existing, planned, "block_id", BLOCK_QUANTITIES, scenario)


def present_blocks(
    blocks: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame | None,
    green: gpd.GeoDataFrame | None,
    land_cover: gpd.GeoDataFrame | None,
    observed: Observed | None = None,
    *,
    keep: Callable[[Callable[[], pd.DataFrame]], pd.DataFrame] = lambda cover: cover(),
) -> gpd.GeoDataFrame:
    """Return what is inside the outlines of ``blocks`` today, in the form of the layer `plan_blocks`, rounded as it is.

    Parameters
    ----------
    blocks
        The layer `plan_blocks` of a plan.
    buildings, green
        Published layers of the present, in the CRS of ``blocks``; None leaves their columns out. A building counts in the
        block in which its representative point lies, as for `twin.scenario.buildings.staying_buildings`.
    land_cover, observed
        As for `twin.green.cover.cover_of`.
    keep
        Gives what covers the blocks, from where it is kept if it is; see `kept_cover`.
    """
    named = [name for name in LAYERS["plan_blocks"].names if name not in {field.name for field in BLOCK_QUANTITIES}]
    frame = blocks[[*(name for name in named if name in blocks.columns), "geometry"]]
    if buildings is not None:
        owner = block_of(buildings.geometry.to_numpy(), blocks)
        inside = buildings[owner >= 0].assign(block_id=blocks["block_id"].to_numpy()[owner[owner >= 0]])
        frame = energy_ratios(frame.join(block_sums(frame, inside), on="block_id"))
    if green is not None:
        cover = keep(partial(cover_of, blocks, "block_id", land_cover, green, observed))
        frame = frame.join(cover[[name for name in cover.columns if name not in frame.columns]], on="block_id")
    return LAYERS["plan_blocks"].finish(frame)


def kept_cover(
    blocks: gpd.GeoDataFrame, keep: Keep, name: str, sources: Mapping[str, str], cover: Callable[[], pd.DataFrame]
) -> pd.DataFrame:
    """Return what ``cover`` gives of ``blocks``, kept under ``name`` as long as neither their outlines nor the ``sources`` change.

    ``sources`` tell apart everything else that ``cover`` looks at.
    """

    def fill(folder: Path) -> None:
        cover().to_parquet(folder / _COVER, compression="zstd")

    outlines = ShapeHashes(blocks.geometry.to_numpy()).of(np.arange(len(blocks)))
    made_from = {"outlines": outlines, "keys": blocks["block_id"].tolist(), "crs": str(blocks.crs), **sources}
    return pd.read_parquet(keep(name, made_from, fill) / _COVER)


def change_problems(rows: pd.DataFrame, fields: Iterable[Field]) -> list[str]:
    """Return where a change is not planned minus existing to the last published decimal; an empty list is a pass."""
    found = []
    for field in fields:
        names = [f"{field.name}_{side}" for side in (EXISTING, PLANNED, CHANGE)]
        if names[-1] not in rows.columns:
            continue
        before, after, change = (rows[name].to_numpy("float64", na_value=np.nan) for name in names)
        slack = 10.0 ** -(field.decimals or 0) / 2
        same = np.abs(after - before - change) < slack
        bad = ~(same | (np.isnan(change) & np.isnan(after - before)))
        if bad.any():
            found.append(f"{names[-1]}: {int(bad.sum())} rows are not planned minus existing")
    return found


def _beside(
    existing: gpd.GeoDataFrame, planned: gpd.GeoDataFrame, key: str, fields: Iterable[Field], scenario: str
) -> gpd.GeoDataFrame:
    before = existing.set_index(key).reindex(planned[key])
    quantities = [f for f in fields if f.name in existing.columns and f.name in planned.columns]
    values: dict[str, pd.Series] = {}
    for field in quantities:
        one, other = before[field.name].set_axis(planned.index), planned[field.name]
        change = other - one
        values |= {f"{field.name}_{EXISTING}": one, f"{field.name}_{PLANNED}": other, f"{field.name}_{CHANGE}": change}
    identity = {"comparison_id": scenario + "/" + planned[key].astype("str"), "scenario": scenario}
    named = planned.drop(columns=[field.name for field in fields], errors="ignore").assign(**identity)
    return gpd.GeoDataFrame(pd.concat([named, pd.DataFrame(values, index=planned.index)], axis=1), crs=planned.crs)
