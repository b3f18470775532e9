"""Yearly electricity demand of every building: floor area times the intensity of its use."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from geodata.parameters import Parameters, load_parameters
from twin.energy.uses import energy_uses, use_numbers


@lru_cache(maxsize=1)
def intensity_parameters() -> Parameters:
    """Return the values of ``intensity.yaml``: kWh a year by m2 of floor, by energy use."""
    return load_parameters("twin.energy", "intensity.yaml")


def building_demand(buildings: pd.DataFrame, values: Parameters | None = None) -> pd.DataFrame:
    """Return the yearly demand of each of ``buildings``.

    Parameters
    ----------
    buildings
        `building_id`, `use_code` (missing where unknown), `floor_area_m2` [m2], and `homes` where some are known.
    values
        Intensities [kWh/m2]; those of ``intensity.yaml`` if None.

    Returns
    -------
    DataFrame
        In the order of ``buildings``: `building_id`, `energy_use`, `demand_kwh`, and `home_demand_kwh`, the demand of buildings whose number of homes is known, NaN for the others.
    """
    values = intensity_parameters() if values is None else values
    names = np.array(list(energy_uses()), dtype=object)
    number = use_numbers(buildings["use_code"])
    intensity = np.array([float(values[name]) for name in names])
    demand = buildings["floor_area_m2"].to_numpy("float64", na_value=np.nan) * intensity[number]
    homes = buildings["homes"] if "homes" in buildings.columns else pd.Series(pd.NA, index=buildings.index)
    known = homes.notna().to_numpy() & (homes.fillna(0).to_numpy("float64") > 0)
    return pd.DataFrame(
        {
            "building_id": buildings["building_id"].to_numpy(),
            "energy_use": pd.Series(names[number], dtype="str"),
            "demand_kwh": demand,
            "home_demand_kwh": np.where(known, demand, np.nan),
        }
    )
