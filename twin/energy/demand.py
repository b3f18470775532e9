"""Yearly electricity demand of every building: floor area times the intensity of its use."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from geodata.heights import height_parameters, storey_heights
from geodata.parameters import Parameters, load_parameters
from twin.energy.uses import energy_uses, use_numbers


@lru_cache(maxsize=1)
def intensity_parameters() -> Parameters:
    """Return the values of ``intensity.yaml``: kWh a year by m2 of floor, by energy use."""
    return load_parameters("twin.energy", "intensity.yaml")


def demand_area(buildings: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the floor area [m2] that demand is told for, and where it is known from; shape (buildings,) each.

    Recorded floor area where there is one; else footprint times floors; else footprint times the storeys that the height holds, one at
    least. A plan's own floor area (`floor_area_m2`, of buildings with `status` planned) comes first.
    """
    recorded = buildings["gross_floor_area_m2"].to_numpy("float64", na_value=np.nan)
    footprint = buildings["footprint_area_m2"].to_numpy("float64")
    floors = buildings["floors_above"].to_numpy("float64", na_value=np.nan)
    storey = storey_heights(buildings["use_code"], height_parameters())
    held = np.maximum(np.round(buildings["height"].to_numpy("float64") / storey), 1.0)
    area = np.where(recorded > 0, recorded, footprint * np.where(floors > 0, floors, held))
    source = np.where(recorded > 0, "recorded", np.where(floors > 0, "floors", "height")).astype(object)
    if {"status", "floor_area_m2"} <= set(buildings.columns):
        planned = buildings["floor_area_m2"].to_numpy("float64", na_value=np.nan)
        own = (buildings["status"] == "planned").to_numpy(dtype=bool) & (planned > 0)
        area, source = np.where(own, planned, area), np.where(own, "planned", source)
    return area, source


def building_demand(buildings: pd.DataFrame, values: Parameters | None = None) -> pd.DataFrame:
    """Return the yearly demand of each of ``buildings``.

    Parameters
    ----------
    buildings
        `building_id`, `use_code` (missing where unknown), what `demand_area` reads, and `homes` where some are known.
    values
        Intensities [kWh/m2]; those of ``intensity.yaml`` if None.

    Returns
    -------
    DataFrame
        In the order of ``buildings``: `building_id`, `energy_use`, `demand_area_m2`, `demand_area_source`, `demand_kwh`, and
        `home_demand_kwh`, the demand of buildings whose number of homes is known, NaN for the others.
    """
    values = intensity_parameters() if values is None else values
    names = np.array(list(energy_uses()), dtype=object)
    number = use_numbers(buildings["use_code"])
    intensity = np.array([float(values[name]) for name in names])
    area, source = demand_area(buildings)
    demand = area * intensity[number]
    homes = buildings["homes"] if "homes" in buildings.columns else pd.Series(pd.NA, index=buildings.index)
    known = homes.notna().to_numpy() & (homes.fillna(0).to_numpy("float64") > 0)
    return pd.DataFrame(
        {
            "building_id": buildings["building_id"].to_numpy(),
            "energy_use": pd.Series(names[number], dtype="str"),
            "demand_area_m2": area,
            "demand_area_source": pd.Series(source, dtype="str"),
            "demand_kwh": demand,
            "home_demand_kwh": np.where(known, demand, np.nan),
        }
    )
