"""Energy, rules, carbon and money as columns of the published layers."""

from __future__ import annotations

import pandas as pd

from twin.carbon.factors import avoided_tco2, latest_factor
from twin.energy.ratios import energy_ratios
from twin.energy.standing import standing
from twin.money.systems import system_money


def building_columns(buildings: pd.DataFrame, balance: pd.DataFrame) -> pd.DataFrame:
    """Return ``buildings`` with everything that their energy ``balance`` tells.

    Parameters
    ----------
    buildings
        With the sums of their roofs: `capacity_kwp`, `yield_kwh`.
    balance
        Demand and hourly match of every building by `building_id`.
    """
    frame = buildings.join(balance.set_index("building_id"), on="building_id")
    frame = energy_ratios(frame)
    frame["avoided_tco2"] = frame["yield_kwh"] * avoided_tco2(1.0, latest_factor())
    for more in (standing(frame), system_money(frame)):
        frame = frame.join(more)
    return frame


def pool_columns(rows: pd.DataFrame, pooled: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return ``rows`` of districts or blocks, with their sums, joined by ``key`` with what their pools tell, and the shares."""
    return energy_ratios(rows.join(pooled, on=key))
