"""Physics of an energy balance: energy is neither made nor lost, and sharing never wastes what its members used."""

from __future__ import annotations

import numpy as np
import pandas as pd

ROUNDING_KWH = 0.5
"""Half of the last published decimal of an energy."""
_STORED = 1e-6
"""Hours are stored in single precision."""


def balance_problems(frame: pd.DataFrame, key: str) -> list[str]:
    """Return everything impossible about the balance of ``frame``; an empty list is a pass.

    Held to: used + exported = yield; used is at most demand; a pool uses at least what its members use alone, and pool used + exported
    = yield. What may be lost is half a kilowatt hour for every building that counts in a row and every value compared.

    Parameters
    ----------
    frame
        Rows of `buildings`, `districts` or `plan_blocks` with `self_consumed_kwh`; `building_count` where rows are sums.
    key
        Column that names a row.
    """
    if "self_consumed_kwh" not in frame.columns:
        return []
    value = {
        name: frame[name].to_numpy("float64", na_value=np.nan)
        for name in (
            "yield_kwh",
            "demand_kwh",
            "self_consumed_kwh",
            "export_kwh",
            "pooled_self_consumed_kwh",
            "pooled_export_kwh",
        )
        if name in frame.columns
    }
    members = frame["building_count"].to_numpy("float64") if "building_count" in frame.columns else np.ones(len(frame))
    slack = ROUNDING_KWH * (3 + 3 * members) + _STORED * np.nan_to_num(value["yield_kwh"])
    own, made = value["self_consumed_kwh"], value["yield_kwh"]
    found: list[str] = []

    def report(bad: np.ndarray, what: str) -> None:
        if bad.any():
            found.append(f"{int(bad.sum())} rows: {what}, first {key} {frame[key].iloc[int(np.argmax(bad))]}")

    report(np.abs(own + value["export_kwh"] - made) > slack, "used and exported energy do not sum to the yield")
    report(own > value["demand_kwh"] + slack, "more is used than is asked for")
    if "pooled_self_consumed_kwh" in value:
        pooled = value["pooled_self_consumed_kwh"]
        report(pooled < own - slack, "a community uses less than its members alone")
        report(
            np.abs(pooled + value["pooled_export_kwh"] - made) > slack, "a community's energy does not sum to the yield"
        )
    return found
