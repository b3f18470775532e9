"""The layers of `whatif.gpkg`: the town before and after the edit, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.catalogue import LAYERS, Field
from geodata.catalogue.whatif import COMPARED_BLOCKS, COMPARED_BUILDINGS, WHATIF_LAYERS
from twin.indicators import building_loss
from twin.whatif.buildings import TouchedTown

ADDED_UP = (
    "homes", "floor_area_m2", "footprint_area_m2", "capacity_kwp", "yield_kwh", "demand_kwh", "self_consumed_kwh", "avoided_tco2",
)  # fmt: skip
"""Columns of `buildings` that are summed for each place."""


@dataclass(frozen=True)
class Town:
    """Published layers of one state of the plan; of the state after the edit only what it touches."""

    buildings: gpd.GeoDataFrame
    roofs: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame


def whatif_tables(
    block_id: str, before: Town, touched: TouchedTown, roofs: gpd.GeoDataFrame
) -> dict[str, pd.DataFrame]:
    """Return the layers of `whatif.gpkg`, finished.

    Parameters
    ----------
    block_id
        The edited block.
    before
        The whole plan as it was computed.
    touched
        What the edit touches, after it.
    roofs
        All roofs after the edit.
    """
    names = set(touched.buildings["building_id"])
    old_block = before.buildings["block_id"] == block_id
    old = before.buildings[before.buildings["building_id"].isin(names) | old_block]
    loss = [building_loss(frame) for frame in (before.roofs, roofs)]
    houses = _compared(old, touched.buildings, "building_id", COMPARED_BUILDINGS)
    houses = houses.join(_pair(loss[0], loss[1], "shading_loss_pct"), on="building_id")
    houses["place"] = np.where(houses["block_id"] == block_id, "block", "neighbours")
    houses["fate"] = _fates(old, touched.buildings, houses)
    named = touched.blocks["block_id"]
    blocks = _compared(
        before.blocks[before.blocks["block_id"].isin(named)], touched.blocks, "block_id", COMPARED_BLOCKS
    )
    blocks["place"] = np.where(blocks["block_id"] == block_id, "block", "neighbours")
    raw = {
        "whatif_summary": _summary(block_id, before, touched, roofs, houses),
        "whatif_blocks": blocks,
        "whatif_buildings": houses[(houses["fate"] != "same") | (houses["place"] == "block")],
    }
    return {name: layer.finish(raw[name]) for name, layer in WHATIF_LAYERS.items()}


def town_after(block_id: str, before: Town, touched: TouchedTown) -> gpd.GeoDataFrame:
    """Return all buildings after the edit, in the form of the layer `buildings`."""
    stays = before.buildings["block_id"] != block_id
    stays &= ~before.buildings["building_id"].isin(touched.buildings["building_id"])
    return gpd.GeoDataFrame(
        pd.concat([before.buildings[stays], touched.buildings], ignore_index=True), crs=before.buildings.crs
    )


def _pair(before: pd.Series, after: pd.Series, name: str) -> pd.DataFrame:
    both = pd.concat([before.rename(f"{name}_before"), after.rename(f"{name}_after")], axis=1)
    both[f"{name}_change"] = both[f"{name}_after"] - both[f"{name}_before"]
    return both


def _compared(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, key: str, names: Iterable[str]) -> gpd.GeoDataFrame:
    """Rows of both states by ``key``, those that leave with the shape they had; ``names`` before, after and their difference."""
    gone = before[~before[key].isin(after[key])]
    found = gpd.GeoDataFrame(pd.concat([after, gone], ignore_index=True), geometry="geometry", crs=after.crs)
    old, new = before.set_index(key), after.set_index(key)
    columns: dict[str, np.ndarray] = {}
    for name in names:
        if name not in after.columns and name not in before.columns:
            continue
        one, two = (
            frame[name].astype("float64") if name in frame.columns else pd.Series(np.nan, index=frame.index)
            for frame in (old, new)
        )
        told = _pair(one.reindex(found[key]), two.reindex(found[key]), name)
        columns |= {str(column): told[column].to_numpy() for column in told}
    return found.assign(**columns)


def _fates(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, rows: gpd.GeoDataFrame) -> np.ndarray:
    had, has = (rows["building_id"].isin(frame["building_id"]).to_numpy() for frame in (before, after))
    changes = [name for name in rows.columns if name.endswith("_change")]
    moved = (rows[changes].abs() > 0).any(axis=1).to_numpy()
    shapes = before.set_index("building_id").geometry.reindex(rows["building_id"]).to_numpy()
    moved = moved | had & has & ~np.array(
        [one == two for one, two in zip(shapes, rows.geometry, strict=True)], dtype=bool
    )
    return np.select([~had, ~has, moved], ["new", "gone", "changed"], "same")


def _summary(
    block_id: str, before: Town, touched: TouchedTown, roofs: gpd.GeoDataFrame, houses: gpd.GeoDataFrame
) -> pd.DataFrame:
    old, new = before.buildings, touched.buildings
    reached = houses.loc[(houses["place"] == "neighbours") & (houses["fate"] != "same"), "building_id"]
    sides = {
        "block": (old[old["block_id"] == block_id], new[new["block_id"] == block_id]),
        "neighbours": (old[old["building_id"].isin(reached)], new[new["building_id"].isin(reached)]),
        "town": (old, town_after(block_id, before, touched)),
    }
    rows = []
    for place, (one, two) in sides.items():
        figures = [_figures(*side) for side in ((one, before.roofs), (two, roofs))]
        for field in _measures():
            values = [figure.get(field.name, np.nan) for figure in figures]
            if np.isnan(values).all():
                continue
            rows.append(
                {
                    "place": place, "measure": field.name, "measure_ko": field.ko, "measure_en": field.en, "unit": field.unit or None,
                    "before": values[0], "after": values[1], "change": values[1] - values[0],
                }
            )  # fmt: skip
    return pd.DataFrame(rows).assign(row=range(1, len(rows) + 1))


def _measures() -> list[Field]:
    buildings = LAYERS["buildings"]
    return [
        LAYERS["plan_blocks"]["building_count"],
        *(buildings[name] for name in ADDED_UP),
        buildings["self_sufficiency_pct"],
        LAYERS["roofs"]["specific_yield_kwh_kwp"],
        LAYERS["roofs"]["shading_loss_pct"],
    ]


def _figures(buildings: pd.DataFrame, roofs: pd.DataFrame) -> dict[str, float]:
    told = {"building_count": float(len(buildings))}
    for name in ADDED_UP:
        if name in buildings.columns:
            told[name] = float(buildings[name].astype("float64").sum())
    if told.get("demand_kwh", 0.0) > 0 and "self_consumed_kwh" in told:
        told["self_sufficiency_pct"] = 100.0 * told["self_consumed_kwh"] / told["demand_kwh"]
    if told.get("capacity_kwp", 0.0) > 0:
        told["specific_yield_kwh_kwp"] = told["yield_kwh"] / told["capacity_kwp"]
        mine = roofs[roofs["building_id"].isin(buildings["building_id"])]
        weight = mine["capacity_kwp"].to_numpy("float64")
        if "shading_loss_pct" in mine.columns and weight.sum() > 0:
            loss = mine["shading_loss_pct"].to_numpy("float64", na_value=np.nan)
            known = np.isfinite(loss)
            told["shading_loss_pct"] = float((loss[known] * weight[known]).sum() / weight[known].sum())
    return told
