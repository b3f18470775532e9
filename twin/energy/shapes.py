"""Load shapes: which share of its yearly demand a use draws in each hour of the year.

    s(t) = w(t) / sum of w,     w(t) = month(t) * day(t) * level(t)

``day`` is the profile (of mean one) of an ordinary day or of a holiday, ``level`` 1 or the holiday's share. The calendar is that of the
year the weather is told in; weekends are holidays.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from geodata.parameters import Parameters, load_parameters
from twin.energy.uses import energy_uses

_SATURDAY = 5


@lru_cache(maxsize=1)
def shape_parameters() -> Parameters:
    """Return the values of ``load_shapes.yaml``."""
    return load_parameters("twin.energy", "load_shapes.yaml")


def load_shapes(hours: pd.DatetimeIndex, timezone: str, values: Parameters | None = None) -> np.ndarray:
    """Return the share of the yearly demand in each hour; shape (hours, uses), every column sums to one.

    Parameters
    ----------
    hours : middles of the intervals, with time zone
    timezone : in which days and hours of the day are told
    values : parameters; those of ``load_shapes.yaml`` if None
    """
    values = shape_parameters() if values is None else values
    local = hours.tz_convert(timezone)
    off = is_holiday(local, values)
    month, hour = local.month.to_numpy() - 1, local.hour.to_numpy()
    columns = []
    for words in energy_uses().values():
        shape = values[words["shape"]]
        by_month = np.array(shape["month"], dtype=np.float64)
        workday, holiday = (_unit_mean(shape[name]) for name in ("workday", "holiday"))
        level = np.where(off, float(shape["holiday_level"]), 1.0)
        weight = by_month[month] * level * np.where(off, holiday[hour], workday[hour])
        columns.append(weight / weight.sum())
    return np.column_stack(columns)


def is_holiday(local: pd.DatetimeIndex, values: Parameters | None = None) -> np.ndarray:
    """Return which of the hours ``local`` fall on a weekend or a public holiday of fixed date; shape (hours,)."""
    values = shape_parameters() if values is None else values
    fixed = {str(day) for day in values["holidays"]}
    named = np.isin(local.strftime("%m-%d").to_numpy(dtype=object), list(fixed))
    return np.asarray((local.day_of_week >= _SATURDAY) | named)


def _unit_mean(profile: list[float]) -> np.ndarray:
    hours = np.array(profile, dtype=np.float64)
    return hours / hours.mean()
