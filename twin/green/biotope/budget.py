"""One budget for every roof: what modules take cannot be planted, and the curve between the two.

All areas are seen from above. A flat roof of area A with usable area U for modules can be planted on
max(0, (1 - r) A - U), where r stays free; steeper roofs carry modules only. On the curve a share of the modules is given up,
the least productive flat roof first, so no other choice of roofs gives more energy for as much planted roof.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.parameters import Parameters, load_parameters
from twin.green.biotope.rules import OWN_RULES, SURFACES, rule_set


def budget_parameters() -> Parameters:
    """Return the values of ``roof_budget.yaml``."""
    return load_parameters("twin.green.biotope", "roof_budget.yaml")


def roof_budget(roofs: pd.DataFrame, buildings: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the budget of each roof plane, in the order of ``roofs``.

    Planes that together reach over the footprint of their building (eaves) are scaled down to it.

    Parameters
    ----------
    roofs
        `building_id`, `tilt_deg`, and `area_m2` and `usable_area_m2` along the slope [m2].
    buildings
        `building_id` and footprints.

    Returns
    -------
    DataFrame
        `plan_m2` roof, `pv_m2` modules, `green_alone_m2` plants if no module stood there, `green_m2` plants beside all modules.
        Always pv_m2 + green_m2 <= plan_m2, and the planes of a building sum to no more than its footprint.
    """
    values = budget_parameters()
    tilt = roofs["tilt_deg"].to_numpy("float64")
    level = np.cos(np.radians(tilt))
    plan = roofs["area_m2"].to_numpy("float64") * level
    footprint = pd.Series(shapely.area(buildings.geometry.to_numpy()), index=buildings["building_id"].to_numpy())
    whole = pd.Series(plan).groupby(roofs["building_id"].to_numpy()).sum()
    scale = (footprint.reindex(whole.index) / whole.where(whole > 0, 1.0)).clip(upper=1.0).fillna(0.0)
    fit = scale.reindex(roofs["building_id"].to_numpy()).to_numpy("float64")
    plan = plan * fit
    pv = np.minimum(roofs["usable_area_m2"].to_numpy("float64") * level * fit, plan)
    alone = np.where(tilt < float(values["flat_below_deg"]), (1.0 - float(values["reserved_share"])) * plan, 0.0)
    return pd.DataFrame(
        {"plan_m2": plan, "pv_m2": pv, "green_alone_m2": alone, "green_m2": np.maximum(alone - pv, 0.0)},
        index=roofs.index,
    )


def building_budget(roofs: pd.DataFrame, budget: pd.DataFrame) -> pd.DataFrame:
    """Return `pv_roof_m2` and `green_roof_m2` of each building with a roof, indexed by `building_id`."""
    sums = budget[["pv_m2", "green_m2"]].groupby(roofs["building_id"].to_numpy(), sort=True).sum()
    sums.columns = pd.Index(["pv_roof_m2", "green_roof_m2"])
    sums.index.name = "building_id"
    return sums


def trade_off(
    roofs: pd.DataFrame, budget: pd.DataFrame, unit: pd.Series, ground: pd.DataFrame, weight: float
) -> pd.DataFrame:
    """Return kWh against biotope area ratio for each unit of ground.

    Parameters
    ----------
    roofs
        `roof_id` and `yield_kwh`.
    budget
        From `roof_budget`, same rows.
    unit
        Unit in which each roof lies; roofs without one do not count.
    ground
        By unit: `effective_m2`, the weighted area without planted roofs, and `area_m2` [m2].
    weight
        What planted roof counts for in the rule set.

    Returns
    -------
    DataFrame
        Sorted by `unit` and `pv_share_pct`: `pv_m2`, `green_roof_m2`, `yield_kwh` and `biotope_pct`.
    """
    energy = roofs["yield_kwh"].fillna(0.0).to_numpy("float64")
    pv = budget["pv_m2"].to_numpy()
    # what planting gains when the modules of a plane go
    gain = budget["green_alone_m2"].to_numpy() - budget["green_m2"].to_numpy()
    worth = np.where(gain > 0, energy / np.where(gain > 0, gain, 1.0), np.inf)
    steps = np.array(budget_parameters()["steps_pct"], dtype="float64")
    rows = []
    codes, names = pd.factorize(unit, sort=True)
    effective, area_m2 = (ground[name].reindex(names).to_numpy("float64") for name in ("effective_m2", "area_m2"))
    for number, name in enumerate(names):
        at = np.flatnonzero(codes == number)
        order = at[np.lexsort((roofs["roof_id"].to_numpy()[at], -worth[at]))]
        area = np.concatenate([[0.0], np.cumsum(pv[order])])
        kwh = np.concatenate([[0.0], np.cumsum(energy[order])])
        lost = np.concatenate([[0.0], np.cumsum(gain[order])])
        modules = steps / 100.0 * area[-1]
        # shares, because slopes over square metres overflow where hardly any roof is usable
        share = area / area[-1] if area[-1] > 0 else area
        planted = budget["green_alone_m2"].to_numpy()[at].sum() - np.interp(steps / 100.0, share, lost)
        ratio = 100.0 * (effective[number] + weight * planted) / area_m2[number]
        rows.append(
            pd.DataFrame(
                {
                    "unit": name, "pv_share_pct": steps, "pv_m2": modules, "green_roof_m2": np.maximum(planted, 0.0),
                    "yield_kwh": np.interp(steps / 100.0, share, kwh), "biotope_pct": np.minimum(ratio, 100.0),
                }
            )
        )  # fmt: skip
    columns = ["unit", "pv_share_pct", "pv_m2", "green_roof_m2", "yield_kwh", "biotope_pct"]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)


def curves(
    roofs: gpd.GeoDataFrame, budget: pd.DataFrame, districts: gpd.GeoDataFrame, surfaces: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the roof budget of each dong and the district, and their trade-off curves by the own rule set.

    A roof counts in the dong of its `dong_code`, and in the district if a point on it lies inside. Curves need yields and
    the surfaces of the ground, else they are None.

    Parameters
    ----------
    roofs
        The layer `roofs`.
    budget
        From `roof_budget`, same rows.
    districts
        `dong_code`, `kind`, `area_m2` and geometry, from `twin.indicators.district_shapes`.
    surfaces
        Area by surface of each row of ``districts`` [m2], by `dong_code`.
    """
    units = [roofs["dong_code"].astype("str")]
    for code, shape in districts.loc[districts["kind"] == "district", ["dong_code", "geometry"]].itertuples(
        index=False
    ):
        shapely.prepare(shape)
        inside = shapely.covers(shape, shapely.point_on_surface(roofs.geometry.to_numpy()))
        units.append(pd.Series(np.where(inside, code, None), index=roofs.index, dtype="str"))
    keys = pd.Index(districts["dong_code"], name="dong_code")
    columns = {"pv_m2": "pv_roof_m2", "green_m2": "green_roof_m2"}
    summed = pd.concat([budget[list(columns)].groupby(unit.to_numpy(), sort=True).sum() for unit in units])
    sums = summed.rename(columns=columns).reindex(keys).fillna(0.0)
    if surfaces is None or "yield_kwh" not in roofs.columns:
        return sums, None
    rules = rule_set(OWN_RULES)
    weights = np.array([rules.weights[name] for name in SURFACES])
    ground = districts.set_index("dong_code")[["area_m2"]]
    ground["effective_m2"] = surfaces[list(SURFACES)].reindex(keys).to_numpy("float64") @ weights
    known = [unit.where(unit.isin(keys)) for unit in units]
    weight = rules.weights["roof_green"]
    told = [trade_off(roofs, budget, unit, ground, weight) for unit in known]
    return sums, pd.concat(told, ignore_index=True)


def block_curves(
    roofs: gpd.GeoDataFrame,
    budget: pd.DataFrame,
    buildings: pd.DataFrame,
    blocks: gpd.GeoDataFrame,
    surfaces: pd.DataFrame,
) -> pd.DataFrame:
    """Return the trade-off curves of the plan blocks that hold roofs, by the own rule set.

    Parameters
    ----------
    roofs
        The layer `roofs`, with yields.
    budget
        From `roof_budget`, same rows.
    buildings
        `building_id` and `block_id`.
    blocks
        `block_id` and geometry.
    surfaces
        Area by surface of each of ``blocks`` [m2], by `block_id`.
    """
    rules = rule_set(OWN_RULES)
    ground = pd.DataFrame({"area_m2": shapely.area(blocks.geometry.to_numpy())}, index=blocks["block_id"].astype("str"))
    weights = np.array([rules.weights[name] for name in SURFACES])
    ground["effective_m2"] = surfaces[list(SURFACES)].reindex(ground.index).to_numpy("float64") @ weights
    unit = roofs["building_id"].map(buildings.set_index("building_id")["block_id"])
    return trade_off(roofs, budget, unit.where(unit.isin(ground.index)), ground, rules.weights["roof_green"])
