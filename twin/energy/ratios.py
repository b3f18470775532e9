"""Shares that tell an energy balance: of buildings, and of the rows that sum them up."""

from __future__ import annotations

import numpy as np
import pandas as pd


def energy_ratios(frame: pd.DataFrame) -> pd.DataFrame:
    """Return ``frame`` with the shares [%] that its sums allow.

    * `self_consumption_pct` = `self_consumed_kwh` / `yield_kwh`: what the own roofs' buildings use themselves
    * `self_sufficiency_pct` = `self_consumed_kwh` / `demand_kwh`: how much of the demand that is
    * `pv_share_of_demand_pct` = `yield_kwh` / `demand_kwh`, over the year, whenever it comes; may exceed 100
    * `pooled_self_sufficiency_pct` = `pooled_self_consumed_kwh` / `demand_kwh`

    Missing where the denominator is zero or unknown.
    """
    shares = {
        "self_consumption_pct": ("self_consumed_kwh", "yield_kwh"),
        "self_sufficiency_pct": ("self_consumed_kwh", "demand_kwh"),
        "pv_share_of_demand_pct": ("yield_kwh", "demand_kwh"),
        "pooled_self_sufficiency_pct": ("pooled_self_consumed_kwh", "demand_kwh"),
    }
    told = {}
    for name, (part, whole) in shares.items():
        if part not in frame.columns or whole not in frame.columns:
            continue
        above, below = (frame[column].to_numpy("float64", na_value=np.nan) for column in (part, whole))
        share = 100.0 * np.divide(above, below, out=np.full(len(frame), np.nan), where=below > 0)
        told[name] = share
    return frame.assign(**told)
