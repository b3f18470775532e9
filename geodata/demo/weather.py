"""A plausible year of weather west of Seoul: clear winters, hazy springs, a monsoon, bright autumns.

Clear-sky irradiance is pvlib's (Ineichen with a monthly Linke turbidity); clouds are a seeded process of days and hours.
The year's horizontal irradiation is scaled to a station normal.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pvlib
from scipy import stats
from scipy.ndimage import gaussian_filter1d

YEAR = 2025
UTC_OFFSET_H = 9
LINKE_TURBIDITY = (2.8, 3.1, 3.6, 4.0, 4.2, 4.5, 4.6, 4.3, 3.7, 3.3, 3.0, 2.8)
CLEAR_SKY_INDEX = (0.76, 0.76, 0.75, 0.74, 0.74, 0.65, 0.52, 0.60, 0.70, 0.78, 0.72, 0.72)
"""Mean share of the clear-sky irradiation that arrives, by month."""
TEMPERATURE_C = (-2.4, 0.4, 5.7, 12.1, 17.6, 22.3, 25.2, 25.9, 21.2, 14.6, 7.2, 0.2)
DAILY_RANGE_K = (9.0, 9.6, 10.2, 10.8, 10.4, 8.6, 6.4, 7.0, 8.6, 10.4, 9.4, 8.8)
HUMIDITY_PCT = (60, 58, 58, 57, 62, 69, 80, 77, 70, 64, 63, 61)
RAIN_MM = (16, 26, 36, 70, 95, 120, 390, 340, 140, 50, 50, 22)
WIND_M_S = (2.4, 2.6, 2.8, 2.9, 2.6, 2.3, 2.4, 2.3, 2.0, 1.9, 2.2, 2.3)
WIND_FROM_DEG = (310, 310, 295, 270, 250, 230, 215, 210, 330, 330, 315, 315)


def synthetic_year(
    latitude: float, longitude: float, altitude_m: float, ghi_kwh_m2: float, random: np.random.Generator
) -> pd.DataFrame:
    """Return 8,760 hours, indexed by the middle of each hour in local standard time.

    Columns ghi, dni, dhi, extraterrestrial, extraterrestrial_normal [W/m2, whole numbers], temp_air, dew_point [degC],
    humidity_pct, pressure_pa, wind_speed [m/s], wind_from_deg, cloud_tenths, rain_mm.
    """
    times = pd.date_range(f"{YEAR}-01-01 00:30", periods=8760, freq="h", tz=f"Etc/GMT-{UTC_OFFSET_H}")
    month = times.month.to_numpy() - 1
    place = pvlib.location.Location(latitude, longitude, altitude=altitude_m)
    sun = place.get_solarposition(times)
    turbidity = _by_month(LINKE_TURBIDITY, times)
    airmass = pvlib.atmosphere.get_absolute_airmass(
        pvlib.atmosphere.get_relative_airmass(sun["apparent_zenith"]), pvlib.atmosphere.alt2pres(altitude_m)
    )
    extra = pvlib.irradiance.get_extra_radiation(times)
    clear = pvlib.clearsky.ineichen(sun["apparent_zenith"], airmass, turbidity, altitude=altitude_m, dni_extra=extra)
    index = _clear_sky_index(month, random)
    ghi = clear["ghi"].fillna(0.0).to_numpy() * index
    ghi = np.where(sun["zenith"].to_numpy() < 89.0, ghi, 0.0)
    ghi = np.round(_scaled(ghi, clear["ghi"].fillna(0.0).to_numpy() * 1.08, ghi_kwh_m2))
    beam = pvlib.irradiance.erbs(pd.Series(ghi, index=times), sun["zenith"], times)
    dni = np.round(np.where(ghi > 0, beam["dni"].to_numpy(), 0.0))
    cosine = np.clip(np.cos(np.deg2rad(sun["zenith"].to_numpy())), 0.0, 1.0)
    dhi = np.clip(np.round(ghi - dni * cosine), 0.0, ghi)
    frame = pd.DataFrame({"ghi": ghi, "dni": dni, "dhi": dhi}, index=times)
    frame["extraterrestrial"] = np.round(extra.to_numpy() * cosine)
    frame["extraterrestrial_normal"] = np.where(cosine > 0, np.round(extra.to_numpy()), 0.0)
    return frame.join(_air(times, month, index, altitude_m, random))


def _by_month(values: tuple[float, ...], times: pd.DatetimeIndex) -> np.ndarray:
    """Monthly means as a smooth curve over the year."""
    knots = np.arange(-1, 13) * 365 / 12 + 15.2
    return np.interp(
        times.day_of_year.to_numpy() + times.hour.to_numpy() / 24,
        knots,
        np.concatenate([values[-1:], values, values[:1]]),
    )


def _persistent(n: int, memory: float, random: np.random.Generator) -> np.ndarray:
    """First-order autoregressive noise of unit deviation."""
    shocks = random.standard_normal(n) * np.sqrt(1 - memory**2)
    out = np.empty(n)
    out[0] = random.standard_normal()
    for i in range(1, n):
        out[i] = memory * out[i - 1] + shocks[i]
    return out


def _clear_sky_index(month: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Hourly clear-sky index: days are clear, broken or overcast (a beta law), hours wander most on broken days."""
    mean = np.array(CLEAR_SKY_INDEX)[month[::24]]
    rank = stats.norm.cdf(_persistent(365, 0.42, random))
    day = stats.beta.ppf(np.clip(rank, 0.01, 0.99), mean / (1 - mean), 1.0) * 0.94 + 0.06
    base = np.interp(np.arange(8760) / 24, np.arange(365) + 0.5, day)
    spread = 0.26 * np.sqrt(np.clip(base * (1.05 - base), 0, None)) * 2
    return np.clip(base + spread * _persistent(8760, 0.72, random), 0.05, 1.06)


def _scaled(ghi: np.ndarray, limit: np.ndarray, total_kwh_m2: float) -> np.ndarray:
    """Scale to the wanted yearly sum without passing ``limit`` in any hour."""
    for _ in range(40):
        ghi = np.minimum(ghi * (total_kwh_m2 * 1000 / ghi.sum()), limit)
    return ghi


def _air(
    times: pd.DatetimeIndex, month: np.ndarray, index: np.ndarray, altitude_m: float, random: np.random.Generator
) -> pd.DataFrame:
    """Temperature, humidity, pressure, wind, clouds and rain that go with the sky."""
    hour = times.hour.to_numpy() + 0.5
    cloud = gaussian_filter1d(1 - index, 3.0)
    wave = np.cos((hour - 15.0) / 24 * 2 * np.pi)
    weather = np.repeat(_persistent(365, 0.72, random), 24)
    temperature = _by_month(TEMPERATURE_C, times) + gaussian_filter1d(weather, 9.0) * 3.4
    temperature += wave * _by_month(DAILY_RANGE_K, times) / 2 * (1.25 - 0.8 * cloud)
    humidity = (
        _by_month(HUMIDITY_PCT, times) - 17 * wave + 26 * (cloud - cloud.mean()) + 5 * _persistent(8760, 0.9, random)
    )
    humidity = np.clip(humidity, 14, 100)
    gamma = np.log(humidity / 100) + 17.625 * temperature / (243.04 + temperature)  # Magnus, Alduchov and Eskridge 1996
    dew_point = 243.04 * gamma / (17.625 - gamma)
    season = np.cos((times.day_of_year.to_numpy() - 15) / 365 * 2 * np.pi)
    sea_level = 101_600 + 950 * season + 420 * gaussian_filter1d(weather, 12.0) - 500 * (cloud - cloud.mean())
    wind = (
        _by_month(WIND_M_S, times)
        * (1 + 0.35 * np.clip(wave, -1, 1))
        * np.exp(0.42 * _persistent(8760, 0.86, random) - 0.09)
    )
    turn = np.array(WIND_FROM_DEG)[month] + 55 * _persistent(8760, 0.93, random)
    rain = np.where((cloud > 0.62) & (random.random(8760) < 0.42), random.gamma(0.7, 1.0, 8760), 0.0)
    monthly = pd.Series(rain).groupby(month).transform("sum").to_numpy()
    rain = rain * np.array(RAIN_MM)[month] / np.maximum(monthly, 1.0)
    return pd.DataFrame(
        {
            "temp_air": temperature.round(1),
            "dew_point": np.minimum(dew_point, temperature).round(1),
            "humidity_pct": humidity.round(),
            "pressure_pa": (sea_level * np.exp(-altitude_m / 8434.0)).round(),
            "wind_speed": np.clip(wind, 0, 16).round(1),
            "wind_from_deg": np.round(turn % 360),
            "cloud_tenths": np.clip(np.round(cloud * 11), 0, 10),
            "rain_mm": rain.round(1),
        },
        index=times,
    )
