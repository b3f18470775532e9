"""Small towns for the sky's tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pvlib
import pytest
import shapely

from geodata.products.weather import Weather
from twin.solar.resource import Resource, prepare_resource


@dataclass(frozen=True)
class Scene:
    """A surface with its roof planes. The south-western corner lies at (0, 0)."""

    heights: np.ndarray
    cell_size_m: float
    shapes: np.ndarray
    tilt_deg: np.ndarray
    azimuth_deg: np.ndarray

    @property
    def north(self) -> float:
        return self.heights.shape[0] * self.cell_size_m


def build_scene(side_m: int, cell_size_m: float, seed: int, *, gables: bool, tallest_m: float) -> Scene:
    """Houses and blocks on gently rolling ground, one in each square of a 24 m lattice."""
    rng = np.random.default_rng(seed)
    count = round(side_m / cell_size_m)
    x = (np.arange(count) + 0.5) * cell_size_m
    east, north = np.meshgrid(x, x[::-1])
    heights = 40 + 2 * np.sin(east / 90) + 3 * np.cos(north / 70)
    shapes, tilts, azimuths = [], [], []
    for column in range(side_m // 24):
        for row in range(side_m // 24):
            west, south = column * 24 + rng.uniform(1, 6), row * 24 + rng.uniform(1, 6)
            width, depth = rng.uniform(9, 16, 2)
            top = 42 + rng.choice([4.0, 7.0, 0.4 * tallest_m, tallest_m], p=[0.4, 0.3, 0.2, 0.1])
            inside = (east > west) & (east < west + width) & (north > south) & (north < south + depth)
            if gables and top < 50:
                ridge = south + depth / 2
                slope = np.tan(np.radians(30))
                heights[inside] = top + slope * (depth / 2 - np.abs(north[inside] - ridge))
                shapes += [
                    shapely.box(west, south, west + width, ridge),
                    shapely.box(west, ridge, west + width, south + depth),
                ]
                tilts += [30.0, 30.0]
                azimuths += [180.0, 0.0]
            else:
                heights[inside] = top
                shapes.append(shapely.box(west, south, west + width, south + depth))
                tilts.append(0.0)
                azimuths.append(np.nan)
    return Scene(heights.astype(np.float32), cell_size_m, np.array(shapes), np.array(tilts), np.array(azimuths))


@pytest.fixture(scope="session")
def houses() -> Scene:
    """Gabled houses with a few blocks among them."""
    return build_scene(192, 0.5, 7, gables=True, tallest_m=30.0)


@pytest.fixture(scope="session")
def towers() -> Scene:
    """Flat roofs of very different height."""
    return build_scene(192, 0.5, 11, gables=False, tallest_m=75.0)


@pytest.fixture(scope="session")
def clear_year() -> Resource:
    """A year without clouds over Siheung."""
    index = pd.date_range("2022-12-31T15:30Z", periods=8760, freq="h", name="time")
    sun = pvlib.solarposition.get_solarposition(index, 37.45, 126.87)
    elevation = sun["apparent_elevation"].to_numpy()
    clear = pvlib.clearsky.simplified_solis(elevation, dni_extra=pvlib.irradiance.get_extra_radiation(index).to_numpy())
    dni, dhi = (np.where(elevation > 0, np.nan_to_num(clear[name]), 0.0) for name in ("dni", "dhi"))
    frame = pd.DataFrame(
        {"ghi": dni * np.sin(np.radians(elevation.clip(0))) + dhi, "dni": dni, "dhi": dhi}, index=index
    ).assign(temp_air=12.0, wind_speed=2.0, pressure=101_000.0)
    place = {"latitude": 37.45, "longitude": 126.87, "elevation_m": 30.0}
    weather = Weather(frame=frame, **place, station="Made", source="test", utc_offset_h=9.0)
    return prepare_resource(weather, 37.45, 126.87, 30.0, None)
