"""Hours as tables: PV and demand of each dong and block, and the mean day of each month of each building."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twin.energy.balance import PooledHours
from twin.energy.uses import energy_uses


def hourly_table(pooled: PooledHours, hours: pd.DatetimeIndex, timezone: str, key: str) -> pd.DataFrame:
    """Return all hours of the year of each group, one row each.

    Returns
    -------
    DataFrame
        Sorted by ``key`` and time: ``key``, `interval_middle` (local time), `pv_kwh`, `demand_kwh`, `pooled_self_consumed_kwh`.
    """
    local = hours.tz_convert(timezone)
    groups = len(pooled.keys)
    return pd.DataFrame(
        {
            key: pd.Categorical.from_codes(np.repeat(np.arange(groups), len(local)), categories=pd.Index(pooled.keys)),
            "interval_middle": pd.DatetimeIndex(np.tile(local.as_unit("s").asi8, groups).astype("datetime64[s]"))
            .tz_localize("UTC")
            .tz_convert(timezone),
            "pv_kwh": pooled.pv_kwh.T.reshape(-1).round(3),
            "demand_kwh": pooled.demand_kwh.T.reshape(-1).round(3),
            "pooled_self_consumed_kwh": pooled.used_kwh.T.reshape(-1).round(3),
        }
    )


def demand_profiles(demand: pd.DataFrame, shapes: np.ndarray, hours: pd.DatetimeIndex, timezone: str) -> pd.DataFrame:
    """Return the mean demand [kW] of each building in each local hour of the days of each month.

    Returns
    -------
    DataFrame
        Twelve rows for each building with a known demand: `building_id`, `month`, `kw_00` … `kw_23`, as in the table of PV
        (``profile_by_building.parquet``).
    """
    local = hours.tz_convert(timezone)
    group = (local.month.to_numpy() - 1) * 24 + local.hour.to_numpy()
    count = np.bincount(group, minlength=288)
    mean = np.column_stack([np.bincount(group, weights=shape, minlength=288) / count for shape in shapes.T])
    known = demand[demand["demand_kwh"].notna()]
    use = known["energy_use"].map({name: number for number, name in enumerate(energy_uses())}).to_numpy()
    power = mean.T[use] * known["demand_kwh"].to_numpy()[:, None]
    table = pd.DataFrame(power.reshape(-1, 24).astype(np.float32), columns=[f"kw_{hour:02d}" for hour in range(24)])
    table.insert(0, "month", np.tile(np.arange(1, 13, dtype=np.int8), len(known)))
    table.insert(0, "building_id", np.repeat(known["building_id"].to_numpy(dtype=object), 12))
    return table
