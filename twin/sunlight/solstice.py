"""The sun of the shortest day in true solar time: it stands in the south at 12."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.parameters import Parameters, load_parameters
from geodata.study_area import StudyArea
from twin.solar.resource import solar_position

_YEAR = 2025


@lru_cache(maxsize=1)
def winter_parameters() -> Parameters:
    """Return the values of ``winter_sun.yaml``."""
    return load_parameters("twin.sunlight", "winter_sun.yaml")


@dataclass(frozen=True)
class SolsticeSun:
    """Positions of the sun, one in the middle of each step of time; all arrays have one value for each step."""

    hour: np.ndarray
    """True solar time [h]."""
    azimuth_deg: np.ndarray
    elevation_deg: np.ndarray
    step_h: float


def solstice_sun(latitude: float, longitude: float, values: Parameters | None = None) -> SolsticeSun:
    """Return the sun of the solstice in the hours in which sun is summed up.

    Parameters
    ----------
    latitude, longitude
        Of the town [deg].
    values
        In place of ``winter_sun.yaml``.
    """
    values = winter_parameters() if values is None else values
    step_h = float(values["step"]) / 60.0
    hour = np.arange(float(values["sum_from"]) + step_h / 2, float(values["sum_to"]), step_h)
    noon = _solar_noon(pd.Timestamp(f"{_YEAR}-{values['day']}T12:00", tz="UTC"), latitude, longitude)
    times = noon + pd.to_timedelta(hour - 12.0, unit="h")
    sun = solar_position(times, latitude, longitude, 0.0)
    return SolsticeSun(hour, sun["azimuth"].to_numpy(), 90.0 - sun["apparent_zenith"].to_numpy(), step_h)


def town_sun(area: StudyArea) -> SolsticeSun:
    """Return the sun of the solstice in the middle of the study area."""
    centre = gpd.GeoSeries([area.area.representative_point()], crs=area.crs).to_crs("EPSG:4326").iloc[0]
    return solstice_sun(centre.y, centre.x)


def _solar_noon(utc_noon: pd.Timestamp, latitude: float, longitude: float) -> pd.Timestamp:
    """Return when the sun crosses the meridian: where its azimuth passes 180 deg, to a second."""
    first = utc_noon - pd.Timedelta(hours=longitude / 15.0)
    times = pd.date_range(first - pd.Timedelta(minutes=20), periods=41, freq="min")
    azimuth = solar_position(times, latitude, longitude, 0.0)["azimuth"].to_numpy()
    minutes = float(np.interp(180.0, azimuth, np.arange(len(times))))
    return times[0] + pd.Timedelta(minutes=minutes)
