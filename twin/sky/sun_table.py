"""What a level cell receives above its horizon, tabulated by azimuth and tangent of the horizon angle.

A year's sun is a list of positions with weights (hours, energy). Each position is shared between the two azimuths next
to it; a cell's sum over azimuths of what lies above its horizon in each is then the sum over the year of weights times
unshaded shares, as `twin.sky.factors.unshaded_fraction` has them. A cell costs one look-up per azimuth however long
the list is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.errors import InputError
from twin.solar.irradiance import plane_components
from twin.solar.resource import Resource, solar_position

FRACTION_BITS = 15
"""Bits of a float32 that are dropped: tangents are told apart to 1 part in 256."""
FIRST_TANGENT = 2.0**-10
"""Horizons below it (0.06 deg) hide nothing."""
FIRST_KEY = 117 << (23 - FRACTION_BITS)
"""Leading bits of `FIRST_TANGENT`."""
KEYS = 20 << (23 - FRACTION_BITS)
"""Table entries: tangents up to 1024 (89.9 deg)."""
SUMMER = (6, 7, 8)
STEPS_PER_HOUR = 4
"""Positions of the sun within an hour: shadows then move on by less than a sector of azimuth."""
_YEAR = 2025


@dataclass(frozen=True)
class SunPath:
    """Positions of the sun in a year, all above the horizon, and what each of them is worth.

    ``weight`` is (positions, columns); ``month`` is 0 for January.
    """

    azimuth_deg: np.ndarray
    elevation_deg: np.ndarray
    month: np.ndarray
    weight: np.ndarray


def daylight_path(latitude: float, longitude: float, altitude_m: float, timezone: str) -> SunPath:
    """Return the path of the sun in a calendar year; columns are hours of summer (June to August) and of the year.

    It needs no weather: an hour of cloud counts like an hour of sun.
    """
    step = pd.Timedelta(hours=1) / STEPS_PER_HOUR
    first = pd.Timestamp(year=_YEAR, month=1, day=1, tz=timezone)
    times = pd.date_range(first, first + pd.DateOffset(years=1), freq=step, inclusive="left") + step / 2
    sun = solar_position(times, latitude, longitude, altitude_m)
    elevation = 90.0 - sun["apparent_zenith"].to_numpy()
    up = elevation > 0
    month = times.month.to_numpy()
    hours = np.full(len(times), 1.0 / STEPS_PER_HOUR)
    weight = np.column_stack([np.where(np.isin(month, SUMMER), hours, 0.0), hours])
    return SunPath(sun["azimuth"].to_numpy()[up], elevation[up], month[up] - 1, weight[up])


@dataclass(frozen=True)
class Irradiation:
    """What a level plane in the open receives in a year [kWh/m2], by where it comes from."""

    direct: SunPath
    """Beam and circumsolar light with the sun that it comes from; one column."""
    isotropic: np.ndarray
    """(12,) light of the even sky in each month."""
    global_horizontal: np.ndarray
    """(12,) of each month."""


def level_irradiation(resource: Resource, timezone: str) -> Irradiation:
    """Return the yearly irradiation of a level plane, by pvlib's components.

    Within an hour its direct light is spread evenly over `STEPS_PER_HOUR` positions of the sun, so that shadows have no
    fingers. What sky and ground give a level plane besides is nothing: Perez' horizon band and the ground lie in its own plane.
    """
    parts = plane_components(resource, np.array([0.0]), np.array([180.0]))
    hours = pd.DatetimeIndex(resource.lit.index)
    month = hours.tz_convert(timezone).month.to_numpy() - 1
    offsets = pd.to_timedelta((np.arange(STEPS_PER_HOUR) + 0.5) / STEPS_PER_HOUR - 0.5, unit="h")
    times = hours.repeat(STEPS_PER_HOUR) + pd.TimedeltaIndex(np.tile(offsets.to_numpy(), len(hours)))
    sun = solar_position(times, resource.latitude, resource.longitude, resource.altitude_m)
    direct = (parts.beam + parts.circumsolar)[:, 0] / 1000.0
    path = SunPath(
        sun["azimuth"].to_numpy(), np.maximum(90.0 - sun["apparent_zenith"].to_numpy(), 0.0),
        np.repeat(month, STEPS_PER_HOUR), np.repeat(direct / STEPS_PER_HOUR, STEPS_PER_HOUR)[:, None],
    )  # fmt: skip
    return Irradiation(path, _monthly(parts.isotropic[:, 0], month), _monthly(parts.ghi[:, 0], month))


def _monthly(values: np.ndarray, month: np.ndarray) -> np.ndarray:
    return np.bincount(month, weights=values / 1000.0, minlength=12)


def tangent_keys() -> np.ndarray:
    """Return the tangent that each table entry stands for: the middle of its interval, and 0 for the first entry."""
    keys = (np.arange(KEYS, dtype=np.int64) + FIRST_KEY) << FRACTION_BITS
    middles = (keys + (1 << (FRACTION_BITS - 1))).astype(np.int32).view(np.float32).astype(np.float64)
    middles[0] = 0.0
    return middles


def tangent_table(azimuths_deg: np.ndarray, azimuth_deg: np.ndarray, elevation_deg: np.ndarray, weight: np.ndarray) -> np.ndarray:  # fmt: skip
    """Return what lies above a horizon in each azimuth, by the horizon's tangent.

    Parameters
    ----------
    azimuths_deg : (azimuths,) directions of the sweep, evenly spaced from the first
    azimuth_deg, elevation_deg : (positions,) of the sun
    weight : (positions, columns)

    Returns
    -------
    float32 (azimuths, KEYS, columns). The entry of a tangent ``t`` is its leading bits less `FIRST_KEY`, at least 0;
    entry 0 is a free horizon and holds all positions, also those at elevation 0

    Raises
    ------
    InputError
        If directions are not evenly spaced.
    """
    count = len(azimuths_deg)
    if count > 1 and not np.allclose(np.diff(azimuths_deg), 360.0 / count):
        raise InputError("a sun table needs evenly spaced azimuths; sweep with a number of azimuths")
    place = np.mod(azimuth_deg - azimuths_deg[0], 360.0) * count / 360.0
    lower = np.floor(place).astype(np.int64)
    share = place - lower
    lower %= count
    middles = tangent_keys()
    tangent = np.tan(np.radians(np.clip(elevation_deg, 0.0, 89.9)))
    out = np.empty((count, KEYS, weight.shape[1]), dtype=np.float32)
    for index in range(count):
        here, beyond = lower == index, (lower + 1) % count == index
        heights = np.concatenate([tangent[here], tangent[beyond]])
        worth = np.concatenate([weight[here] * (1.0 - share[here, None]), weight[beyond] * share[beyond, None]])
        order = np.argsort(heights, kind="stable")
        above = np.zeros((len(order) + 1, weight.shape[1]))
        above[:-1] = np.cumsum(worth[order[::-1]], axis=0)[::-1]
        out[index] = above[np.searchsorted(heights[order], middles, side="right")]
        out[index, 0] = above[0]
    return out
