"""The solar resource of a site: one typical year, the sun's path, and the correction to a station normal.

Weather files built from reanalysis can stand 15 to 35 % above the means that stations measured. Where the site file
names a station normal, the year is corrected to it by making cloudy hours cloudier (or clearer). The clearer an hour the less
it changes, and the clearest not at all; a plain factor on all hours would dim the blue sky instead:

    kt' = k0 (kt / k0)^p   for kt < k0,     kt' = kt   above,

with the hourly clearness index kt, the index k0 of the clearest hours, and one exponent p that brings the year to the
target. The diffuse fraction of the file is moved by the change that the Erbs correlation predicts between kt and kt',
and direct irradiance follows by closure. p = 1 leaves the file untouched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pvlib
from scipy.optimize import brentq

from geodata.errors import InputError
from geodata.parameters import Parameters, load_parameters
from geodata.products.weather import Weather
from geodata.site import ResourceSpec

METHOD = "clearness-index mapping kt' = k0 (kt/k0)^p; diffuse fraction moved by Erbs; direct by closure"
_LIMITS = (0.1, 10.0)
"""Exponents within which a correction is believed; beyond them the file is not from a comparable place."""


@lru_cache(maxsize=1)
def resource_parameters() -> Parameters:
    """Return the values of ``resource.yaml``."""
    return load_parameters("twin.solar", "resource.yaml")


@dataclass(frozen=True)
class Resource:
    """A typical year at the site.

    ``hourly`` has 8,760 rows indexed by the middle of each interval (UTC) with ``ghi``, ``dni``, ``dhi`` [W/m2],
    ``temp_air`` [degC], ``wind_speed`` [m/s], ``apparent_zenith``, ``zenith``, ``azimuth`` [deg], ``dni_extra``
    [W/m2] and ``airmass``. ``daylight`` marks the hours in which a plane can receive anything.
    """

    hourly: pd.DataFrame
    daylight: np.ndarray
    latitude: float
    longitude: float
    altitude_m: float
    corrected: bool
    ghi_file_kwh_m2: float
    ghi_kwh_m2: float
    exponent: float = 1.0
    method: str = ""
    weather_station: str = ""
    weather_source: str = ""
    normal_station: str = ""
    normal_source: str = ""
    normal_verified: bool = False
    interannual_std_pct: float | None = None
    """Standard deviation of yearly irradiation, year by year [%]; None where nothing tells it."""
    interannual_source: str = ""
    notes: tuple[str, ...] = ()
    parameters: Parameters = field(default_factory=resource_parameters, repr=False)

    @property
    def correction_factor(self) -> float:
        """Yearly irradiation used, over that of the weather file."""
        return self.ghi_kwh_m2 / self.ghi_file_kwh_m2

    @property
    def lit(self) -> pd.DataFrame:
        """The daylight rows of ``hourly``."""
        return self.hourly.loc[self.daylight]

    def about(self) -> dict[str, Any]:
        """Return what has to be told about the resource, as plain data."""
        return {
            "weather_station": self.weather_station,
            "weather_source": self.weather_source,
            "ghi_file_kwh_m2": round(self.ghi_file_kwh_m2, 1),
            "ghi_kwh_m2": round(self.ghi_kwh_m2, 1),
            "corrected": self.corrected,
            "correction_factor": round(self.correction_factor, 4),
            "correction_exponent": round(self.exponent, 6),
            "correction_method": self.method,
            "normal_station": self.normal_station,
            "normal_source": self.normal_source,
            "normal_verified": self.normal_verified,
            "interannual_std_pct": self.interannual_std_pct,
            "interannual_source": self.interannual_source,
            "notes": list(self.notes),
        }


def solar_position(
    times: pd.DatetimeIndex,
    latitude: float,
    longitude: float,
    altitude_m: float,
    *,
    pressure: float | None = None,
    temperature: float | np.ndarray = 12.0,
) -> pd.DataFrame:
    """Return the sun's position at ``times`` by NREL's SPA algorithm (pvlib).

    Parameters
    ----------
    times : with time zone
    latitude, longitude : deg
    altitude_m : m
    pressure : Pa, yearly mean; that of the standard atmosphere at ``altitude_m`` if None
    temperature : degC, one value or one per time; pressure and temperature only enter refraction

    Returns
    -------
    DataFrame indexed by ``times`` with ``apparent_zenith``, ``zenith``, ``azimuth`` [deg clockwise from north]
    """
    position = pvlib.solarposition.get_solarposition(
        times, latitude, longitude, altitude=altitude_m, pressure=pressure, temperature=temperature, method="nrel_numpy"
    )
    return position[["apparent_zenith", "zenith", "azimuth"]]


def prepare_resource(
    weather: Weather, latitude: float, longitude: float, altitude_m: float, spec: ResourceSpec | None
) -> Resource:
    """Return the resource of a site at ``latitude``, ``longitude`` [deg] and ``altitude_m`` from ``weather``.

    With ``spec`` the yearly global horizontal irradiation is brought to ``spec.value`` [kWh/m2]; without it the
    weather file is used as it is and the result says ``corrected=False``.

    Raises
    ------
    InputError
        If no believable correction reaches the station normal.
    """
    frame = weather.frame[["ghi", "dni", "dhi", "temp_air", "wind_speed"]].copy()
    sun = solar_position(
        pd.DatetimeIndex(frame.index), latitude, longitude, altitude_m, temperature=frame["temp_air"].to_numpy()
    )
    frame = frame.join(sun)
    frame["dni_extra"] = pvlib.irradiance.get_extra_radiation(frame.index).to_numpy()
    frame["airmass"] = pvlib.atmosphere.get_relative_airmass(frame["apparent_zenith"].to_numpy())
    exponent = 1.0
    if spec is not None:
        exponent = _exponent(frame, spec, weather)
        if exponent != 1.0:
            frame = _mapped(frame, exponent)
    # two hours of a year may have the sun up and no light at all; Perez' clearness is undefined there
    spread, spread_source = _interannual(weather, spec)
    daylight = (frame["apparent_zenith"] < 90.0) & ((frame["dhi"] > 0) | (frame["dni"] > 0))
    return Resource(
        hourly=frame,
        daylight=daylight.to_numpy(),
        latitude=latitude,
        longitude=longitude,
        altitude_m=altitude_m,
        corrected=spec is not None,
        ghi_file_kwh_m2=weather.ghi_kwh_m2,
        ghi_kwh_m2=float(frame["ghi"].sum()) / 1000.0,
        exponent=exponent,
        method=METHOD if spec is not None else "",
        weather_station=weather.station,
        weather_source=weather.source,
        normal_station=spec.station if spec else "",
        normal_source=" ".join(filter(None, (spec.source, spec.period))) if spec else "",
        normal_verified=spec.verified if spec else False,
        interannual_std_pct=spread,
        interannual_source=spread_source,
        notes=weather.notes,
    )


def _interannual(weather: Weather, spec: ResourceSpec | None) -> tuple[float | None, str]:
    """Return the standard deviation of yearly irradiation [%] and its source: the site file's, else that of measured years."""
    if spec is not None and spec.interannual_std_pct is not None:
        return spec.interannual_std_pct, spec.interannual_source
    years = weather.years_ghi_kwh_m2
    least = int(resource_parameters()["interannual_years"])
    if len(years) < least:
        return None, ""
    totals = np.array([total for _, total in sorted(years.items())])
    spread = 100.0 * float(totals.std(ddof=1) / totals.mean())
    return spread, f"{len(years)} measured years {min(years)}-{max(years)} of {weather.station}"


def _clearness(frame: pd.DataFrame) -> np.ndarray:
    return pvlib.irradiance.clearness_index(
        frame["ghi"].to_numpy(), frame["zenith"].to_numpy(), frame["dni_extra"].to_numpy()
    )


def _mapped_ghi(ghi: np.ndarray, kt: np.ndarray, exponent: float) -> np.ndarray:
    ceiling = float(resource_parameters()["clear_sky_index"])
    cloudy = (kt > 0) & (kt < ceiling)
    ratio = np.ones_like(kt)
    ratio[cloudy] = (kt[cloudy] / ceiling) ** (exponent - 1.0)
    return ghi * ratio


def _exponent(frame: pd.DataFrame, spec: ResourceSpec, weather: Weather) -> float:
    ghi, kt = frame["ghi"].to_numpy(), _clearness(frame)
    target = spec.value * 1000.0

    def excess(logarithm: float) -> float:
        return float(_mapped_ghi(ghi, kt, float(np.exp(logarithm))).sum()) / target - 1.0

    if abs(excess(0.0)) <= 1e-6:
        return 1.0
    low, high = (float(np.log(limit)) for limit in _LIMITS)
    brightest, darkest = excess(low), excess(high)
    if brightest < 0 or darkest > 0:
        raise InputError(
            f"the weather file of {weather.station} gives {weather.ghi_kwh_m2:,.0f} kWh/m2 a year and cannot be corrected to "
            f"{spec.value:,.0f} kWh/m2 (reachable: {(darkest + 1) * spec.value:,.0f} to {(brightest + 1) * spec.value:,.0f}). "
            "Check solar.resource.value in the site file, or take a weather file of a nearer station"
        )
    return float(np.exp(brentq(excess, low, high, xtol=1e-12, rtol=1e-12)))


def _mapped(frame: pd.DataFrame, exponent: float) -> pd.DataFrame:
    """Return ``frame`` with global, diffuse and direct irradiance [W/m2] mapped by ``exponent``."""
    frame = frame.copy()
    ghi, dhi = frame["ghi"].to_numpy(), frame["dhi"].to_numpy()
    zenith = frame["zenith"].to_numpy()
    new_ghi = _mapped_ghi(ghi, _clearness(frame), exponent)
    day_of_year = pd.DatetimeIndex(frame.index).day_of_year.to_numpy()

    def erbs_fraction(values: np.ndarray) -> np.ndarray:
        modelled = pvlib.irradiance.erbs(values, zenith, day_of_year)["dhi"]
        return np.divide(modelled, values, out=np.ones_like(values), where=values > 0)

    fraction = np.divide(dhi, ghi, out=np.ones_like(ghi), where=ghi > 0)
    fraction = np.clip(fraction + erbs_fraction(new_ghi) - erbs_fraction(ghi), 0.0, 1.0)
    cos_zenith = np.cos(np.radians(frame["apparent_zenith"].to_numpy()))
    # closure divides by cos(zenith): near the horizon that is left to diffuse, and no hour may outshine the sky
    high_enough = cos_zenith > np.sin(np.radians(float(resource_parameters()["lowest_sun_deg"])))
    direct = np.divide((1.0 - fraction) * new_ghi, cos_zenith, out=np.zeros_like(ghi), where=high_enough)
    ceiling = np.maximum(frame["dni"].to_numpy(), _clear_sky_direct(frame))
    direct = np.where(high_enough, np.minimum(direct, ceiling), 0.0)
    frame["ghi"] = new_ghi
    frame["dni"] = direct
    frame["dhi"] = np.maximum(new_ghi - direct * np.where(high_enough, cos_zenith, 0.0), 0.0)
    return frame


def _clear_sky_direct(frame: pd.DataFrame) -> np.ndarray:
    """Return direct irradiance [W/m2] under a very clean, dry sky."""
    clear = pvlib.clearsky.simplified_solis(
        90.0 - frame["apparent_zenith"].to_numpy(),
        aod700=0.05,
        precipitable_water=0.5,
        dni_extra=frame["dni_extra"].to_numpy(),
    )
    return np.nan_to_num(clear["dni"])
