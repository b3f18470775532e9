"""A year of changing cloud over Siheung, and the year of NREL's PVWatts fixture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
import pytest

from geodata.products.weather import Weather
from twin.solar.resource import Resource, prepare_resource

PLACE = (37.45, 126.87, 30.0)


def synthetic_weather() -> Weather:
    index = pd.date_range("2022-12-31T15:30Z", periods=8760, freq="h")
    hours = np.arange(8760)
    temp_air = 12 - 14 * np.cos(2 * np.pi * hours / 8760) + 4 * np.sin(2 * np.pi * (hours - 9) / 24)
    sun = pvlib.solarposition.get_solarposition(index, *PLACE[:2], altitude=PLACE[2], temperature=temp_air)
    elevation = sun["apparent_elevation"].to_numpy()
    clear = pvlib.clearsky.simplified_solis(elevation, dni_extra=pvlib.irradiance.get_extra_radiation(index).to_numpy())
    # cloudless every fifth day, otherwise cloud that moves with the hour
    cloud = np.where(hours // 24 % 5 == 0, 1.0, 0.15 + 0.8 * np.abs(np.sin(hours * 0.37)))
    up = elevation > 0
    dni = np.where(up, clear["dni"] * cloud**3, 0.0)
    dhi = np.where(up, clear["dhi"] * (1 + 1.2 * cloud * (1 - cloud)), 0.0)
    ghi = dni * np.sin(np.radians(elevation.clip(0))) + dhi
    frame = pd.DataFrame(
        {
            "ghi": ghi,
            "dni": dni,
            "dhi": dhi,
            "temp_air": temp_air,
            "wind_speed": 2.0 + np.sin(hours * 0.11),
            "pressure": 101_000.0,
        },
        index=index.rename("time"),
    )
    return Weather(
        frame=frame,
        latitude=PLACE[0],
        longitude=PLACE[1],
        elevation_m=PLACE[2],
        station="Made",
        source="test",
        utc_offset_h=9.0,
    )


@pytest.fixture(scope="session")
def weather() -> Weather:
    return synthetic_weather()


@pytest.fixture(scope="session")
def resource(weather: Weather) -> Resource:
    return prepare_resource(weather, *PLACE, None)


@pytest.fixture(scope="session")
def place() -> tuple[float, float, float]:
    return PLACE


@pytest.fixture(scope="session", params=["rackmount", "roofmount"])
def pvwatts(shared_data: Path, request: pytest.FixtureRequest) -> tuple[pd.DataFrame, Resource]:
    """NREL PVWatts, hour by hour: the file's columns, and the resource made of its weather."""
    table = pd.read_csv(shared_data / "oracles" / f"pvwatts_8760_{request.param}.csv", skiprows=17).iloc[:8760]
    table.columns = ["month", "day", "hour", "dni", "dhi", "temp_air", "wind_speed", "poa", "cell", "dc", "ac"]
    table = table.astype("float64")
    index = pd.date_range("2023-01-01T00:30-07:00", periods=8760, freq="h").tz_convert("UTC")
    latitude, longitude, altitude = 39.73, -105.18, 1819.6
    sun = pvlib.solarposition.get_solarposition(index, latitude, longitude, altitude=altitude)
    up = np.cos(np.radians(sun["apparent_zenith"].to_numpy())).clip(0)
    frame = table[["dni", "dhi", "temp_air", "wind_speed"]].set_index(index)
    frame["ghi"] = frame["dni"] * up + frame["dhi"]
    frame["pressure"] = 81_000.0
    made = Weather(
        frame=frame,
        latitude=latitude,
        longitude=longitude,
        elevation_m=altitude,
        station="Denver",
        source="PVWatts",
        utc_offset_h=-7.0,
    )
    return table, prepare_resource(made, latitude, longitude, altitude, None)
