"""The weather year as an EPW file (EnergyPlus weather format: 8 header lines, 8,760 hours that end at the full hour)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.demo.layout import Layout
from geodata.demo.spec import CRS
from geodata.demo.weather import UTC_OFFSET_H, YEAR, synthetic_year

STATION, NORMAL_KWH_M2 = "Incheon (KMA 112)", 1327.0
NORMAL_SOURCE = "Korea Meteorological Administration station mean 4,776 MJ/m2 a year, as quoted in the press"


def write_weather(inbox: Path, layout: Layout, random: np.random.Generator) -> dict[str, Any]:
    """Write ``demo_weather.epw`` for the middle of the study area and return its yearly sums."""
    middle = gpd.GeoSeries([layout.study.centroid], crs=CRS)
    place = middle.to_crs("EPSG:4326").iloc[0]
    relief = layout.relief
    altitude = float(relief.sample(relief.height_m, np.array([middle.iloc[0].x]), np.array([middle.iloc[0].y]))[0])
    latitude, longitude, altitude = round(place.y, 4), round(place.x, 4), round(altitude, 1)
    year = synthetic_year(latitude, longitude, altitude, NORMAL_KWH_M2, random)
    lines = [*_header(latitude, longitude, altitude, year), *_hours(year)]
    (inbox / "demo_weather.epw").write_bytes(("\r\n".join(lines) + "\r\n").encode("ascii"))
    return {
        "hours": len(year),
        "latitude": latitude,
        "longitude": longitude,
        "elevation_m": altitude,
        "utc_offset_h": UTC_OFFSET_H,
        "ghi_kwh_m2": round(float(year["ghi"].sum()) / 1000, 3),
        "dni_kwh_m2": round(float(year["dni"].sum()) / 1000, 3),
        "dhi_kwh_m2": round(float(year["dhi"].sum()) / 1000, 3),
        "normal_kwh_m2": NORMAL_KWH_M2,
        "station": STATION,
        "mean_temp_air_degc": round(float(year["temp_air"].mean()), 3),
    }


def _header(latitude: float, longitude: float, altitude: float, year: pd.DataFrame) -> list[str]:
    ground = (
        year["temp_air"]
        .groupby(pd.DatetimeIndex(year.index).month)
        .mean()
        .rolling(3, center=True, min_periods=1)
        .mean()
        .round(2)
    )
    temperatures = ",".join(f"{value:.2f}" for value in ground)
    weekday = pd.Timestamp(YEAR, 1, 1).day_name()
    return [
        f"LOCATION,Imaginary New Town (DEMO DATA),Gyeonggi,KOR,SYNTHETIC,999999,{latitude:.4f},{longitude:.4f},{UTC_OFFSET_H:.1f},{altitude:.1f}",
        "DESIGN CONDITIONS,0",
        "TYPICAL/EXTREME PERIODS,0",
        f"GROUND TEMPERATURES,1,0.5,,,,{temperatures}",
        "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
        "COMMENTS 1,DEMO DATA (gasang data): a synthetic year made from a seed; nothing in it was measured",
        f"COMMENTS 2,global horizontal irradiation scaled to {NORMAL_KWH_M2:.0f} kWh/m2, the mean of {STATION}",
        f"DATA PERIODS,1,1,Data,{weekday}, 1/ 1,12/31",
    ]


def _hours(year: pd.DataFrame) -> list[str]:
    """Return the 35 fields of each hour; values nobody made are the format's missing marks."""
    stamp = pd.DatetimeIndex(year.index)
    columns: list[pd.Series | np.ndarray | str] = [
        pd.Series(stamp.year),
        pd.Series(stamp.month),
        pd.Series(stamp.day),
        pd.Series(stamp.hour + 1),
        "0",
        "?9?9?9?9E0?9?9?9?9?9?9?9?9?9?9?9?9?9?9?9*9*9?9?9?9",
        _text(year["temp_air"], 1),
        _text(year["dew_point"], 1),
        _text(year["humidity_pct"]),
        _text(year["pressure_pa"]),
        _text(year["extraterrestrial"]),
        _text(year["extraterrestrial_normal"]),
        _infrared(year),
        _text(year["ghi"]),
        _text(year["dni"]),
        _text(year["dhi"]),
        "999999",
        "999999",
        "999999",
        "9999",
        _text(year["wind_from_deg"]),
        _text(year["wind_speed"], 1),
        _text(year["cloud_tenths"]),
        _text(year["cloud_tenths"]),
        "9999",
        "99999",
        "9",
        "999999999",
        "999",
        "0.999",
        "999",
        "99",
        "0.18",
        _text(year["rain_mm"], 1),
        "1.0",
    ]
    table = pd.DataFrame(
        {
            i: column if isinstance(column, str) else pd.Series(column).astype("str").to_numpy()
            for i, column in enumerate(columns)
        },
        index=range(len(year)),
    )
    return [",".join(row) for row in table.to_numpy()]


def _text(values: pd.Series, decimals: int = 0) -> np.ndarray:
    return np.char.mod(f"%.{decimals}f", values.to_numpy() + 0.0)


def _infrared(year: pd.DataFrame) -> np.ndarray:
    """Horizontal infrared from the sky [W/m2] by dew point and clouds (Clark and Allen 1978)."""
    kelvin = year["temp_air"].to_numpy() + 273.15
    dew = year["dew_point"].to_numpy() + 273.15
    cloud = year["cloud_tenths"].to_numpy()
    emissivity = (0.787 + 0.764 * np.log(dew / 273.0)) * (1 + 0.0224 * cloud - 0.0035 * cloud**2 + 0.00028 * cloud**3)
    return np.char.mod("%.0f", emissivity * 5.6697e-8 * kelvin**4)
