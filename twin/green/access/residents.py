"""Where people live: residents of each building, by its homes where these are known, else by its floor area."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pandas as pd

from geodata.parameters import load_parameters

Table = TypeVar("Table", bound=pd.DataFrame)


def residents_of(buildings: pd.DataFrame) -> pd.DataFrame:
    """Return the residents of ``buildings``.

    Parameters
    ----------
    buildings
        `building_id`, `use_code` (text), `gross_floor_area_m2` or `floor_area_m2`, `footprint_area_m2` [m2], `floors_above`;
        `homes` where it is known.

    Returns
    -------
    DataFrame
        Indexed by `building_id`, residential buildings alone: `residents` and `residents_source` (``homes``, ``floor_area``:
        recorded gross floor area, ``footprint``: footprint times floors).
    """
    values = load_parameters("twin.green.access", "residents.yaml")
    number = {name: _numbers(buildings, name) for name in
              ("homes", "gross_floor_area_m2", "floor_area_m2", "footprint_area_m2", "floors_above")}  # fmt: skip
    recorded = np.where(number["gross_floor_area_m2"] > 0, number["gross_floor_area_m2"], number["floor_area_m2"])
    recorded = np.where(recorded > 0, recorded, np.nan)
    # a building of unknown floors has at least one
    drawn = number["footprint_area_m2"] * np.where(number["floors_above"] >= 1, number["floors_above"], 1.0)
    floor_area = np.where(np.isnan(recorded), drawn, recorded)
    by_homes = ~np.isnan(number["homes"])
    people = np.where(
        by_homes, number["homes"] * values["persons_per_home"], floor_area / values["floor_area_per_resident"]
    )
    source = np.where(by_homes, "homes", np.where(np.isnan(recorded), "footprint", "floor_area"))
    lived_in = buildings["use_code"].astype("str").str[:2].isin(values["residential_uses"]).to_numpy()
    lived_in = lived_in | (by_homes & (number["homes"] > 0))
    table = pd.DataFrame({"residents": people, "residents_source": source}, index=pd.Index(buildings["building_id"]))
    return table[lived_in]


def homes_of(buildings: Table) -> Table:
    """Return those of ``buildings`` in which people live, in their order and with their index."""
    return buildings[buildings["building_id"].isin(residents_of(buildings).index)]


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return pd.to_numeric(frame[name]).to_numpy("float64", na_value=np.nan)
