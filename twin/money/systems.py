"""Investment, cost of energy, value and payback of every system, from its size, its yield and where its power goes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from geodata.parameters import Parameters, load_parameters
from twin.money.closed_forms import levelised_cost, net_present_value, simple_payback


@lru_cache(maxsize=1)
def money_parameters() -> Parameters:
    """Return the values of ``money.yaml``."""
    return load_parameters("twin.money", "money.yaml")


def unit_capex(capacity_kwp: np.ndarray, values: Parameters | None = None) -> np.ndarray:
    """Return the investment [KRW/kWp] of systems of ``capacity_kwp``: that of the first size class that holds them."""
    values = money_parameters() if values is None else values
    classes = sorted((float(size), float(price)) for size, price in values["capex"].items())
    position = np.searchsorted([size for size, _ in classes], capacity_kwp, side="left")
    return np.array([price for _, price in classes])[np.minimum(position, len(classes) - 1)]


def system_money(systems: pd.DataFrame, values: Parameters | None = None) -> pd.DataFrame:
    """Return the money of ``systems``.

    What a building uses itself saves its tariff; the rest is sold at SMP + REC x weight.

    Parameters
    ----------
    systems
        `capacity_kwp` [kWp], `yield_kwh` [kWh], `self_consumed_kwh` [kWh] and `energy_use`.

    Returns
    -------
    DataFrame
        Indexed as ``systems``: `capex_krw`, `lcoe_krw_kwh`, `npv_krw`, `payback_years`; missing without capacity or yield, and
        value and payback without a known demand.
    """
    values = money_parameters() if values is None else values
    capacity, energy, own = (
        systems[name].to_numpy("float64", na_value=np.nan)
        for name in ("capacity_kwp", "yield_kwh", "self_consumed_kwh")
    )
    capacity = np.where((capacity > 0) & (energy > 0), capacity, np.nan)
    capex = capacity * unit_capex(np.nan_to_num(capacity), values)
    opex = capacity * float(values["opex"])
    tariff = systems["energy_use"].map(values["tariff"]).to_numpy("float64", na_value=np.nan)
    sold_at = float(values["smp"]) + float(values["rec"]) * float(values["rec_weight"])
    income = own * tariff + (energy - own) * sold_at
    rate, loss, years = float(values["discount_rate"]), float(values["degradation"]), int(values["lifetime"])
    return pd.DataFrame(
        {
            "capex_krw": capex,
            "lcoe_krw_kwh": levelised_cost(
                capex, opex, np.where(energy > 0, energy, np.nan), rate=rate, degradation=loss, years=years
            ),
            "npv_krw": net_present_value(capex, opex, income, rate=rate, degradation=loss, years=years),
            "payback_years": simple_payback(capex, opex, income),
        },
        index=systems.index,
    )
