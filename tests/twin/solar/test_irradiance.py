from __future__ import annotations

import numpy as np
import pvlib
import pytest

from geodata.products.weather import read_epw
from twin.solar.irradiance import COMPONENTS, SkyFactors, plane_components, plane_of_array
from twin.solar.resource import prepare_resource

TILTS = np.array([0.0, 10, 30, 30, 30, 30, 36, 45, 60, 90, 90, 5])
AZIMUTHS = np.array([180.0, 180, 180, 90, 270, 0, 200, 135, 315, 180, 0, 359.9])


@pytest.fixture(scope="module")
def components(resource):
    return plane_components(resource, TILTS, AZIMUTHS)


def pvlib_total(resource, tilt: float, azimuth: float) -> np.ndarray:
    """Pvlib's own sum in the daylight hours."""
    lit = resource.lit
    total = pvlib.irradiance.get_total_irradiance(
        tilt, azimuth, lit["apparent_zenith"], lit["azimuth"], lit["dni"], lit["ghi"], lit["dhi"],
        dni_extra=lit["dni_extra"], albedo=0.2, model="perez",
    )  # fmt: skip
    return total["poa_global"].to_numpy()


def test_a_free_plane_receives_what_pvlib_says(resource, components):
    poa = plane_of_array(components, factors=SkyFactors())
    for number, (tilt, azimuth) in enumerate(zip(TILTS, AZIMUTHS, strict=True)):
        assert np.abs(poa[:, number] - pvlib_total(resource, tilt, azimuth)).max() < 1e-9


def test_factors_of_one_as_arrays_change_no_bit(components):
    index = np.array([2, 0, 2, 9])
    ones = np.ones((len(components.hours), len(index)))
    free = plane_of_array(components)[:, index]
    assert np.array_equal(plane_of_array(components, index), free)
    assert np.array_equal(plane_of_array(components, index, SkyFactors(ones, ones, ones, ones, ones)), free)


@pytest.mark.parametrize("name", COMPONENTS)
def test_each_factor_takes_away_its_own_component(components, name):
    # 0.5 of a component that may be negative can only push the sum up; the sky is never negative as a whole here
    reduced = plane_of_array(components, factors=SkyFactors(**{name: 0.5}))
    expected = plane_of_array(components) - 0.5 * getattr(components, name)
    sky = expected - components.beam - components.ground
    positive = sky > 1e-9
    assert np.abs(reduced - expected)[positive].max() < 1e-9


def test_nothing_reaches_a_plane_that_sees_nothing(components):
    assert (plane_of_array(components, factors=SkyFactors(0.0, 0.0, 0.0, 0.0, 0.0)) == 0).all()


def test_factors_per_plane_and_hour(components):
    index = np.array([2, 2])
    shade = np.ones((len(components.hours), 2))
    shade[:100, 1] = 0.25
    poa = plane_of_array(components, index, SkyFactors(beam=shade))
    assert np.array_equal(poa[100:, 0], poa[100:, 1])
    assert (poa[:100, 0] - poa[:100, 1]) == pytest.approx(0.75 * components.beam[:100, 2])


def test_components_are_finite_and_only_the_horizon_band_is_ever_negative(components):
    for name in COMPONENTS:
        values = getattr(components, name)
        assert values.shape == (len(components.hours), len(TILTS))
        assert np.isfinite(values).all()
        if name != "horizon":
            assert values.min() >= 0
    assert (plane_of_array(components) >= 0).all()


def test_daylight_holds_all_irradiation(resource):
    night = resource.hourly.loc[~resource.daylight]
    assert night["ghi"].sum() == 0
    assert 4200 < resource.daylight.sum() < 4500  # about half the year


def test_weather_and_sun_of_different_moments_are_refused(weather, place, resource):
    from dataclasses import replace

    broken = replace(resource, hourly=resource.hourly.assign(dhi=np.nan))
    with pytest.raises(ValueError, match="sun and weather do not fit"):
        plane_components(broken, [30.0], [180.0])


@pytest.mark.realdata
def test_pvwatts_plane_of_array(pvwatts):
    table, resource = pvwatts
    poa = np.zeros(8760)
    poa[resource.daylight] = plane_of_array(plane_components(resource, [20.0], [180.0]))[:, 0]
    assert poa.sum() == pytest.approx(table["poa"].sum(), rel=1e-3)
    assert np.sqrt(np.mean((poa - table["poa"].to_numpy()) ** 2)) < 3.0


@pytest.mark.realdata
def test_ashrae_140_incident_solar(shared_data):
    # ASHRAE 140-2020, table B8-13, case 600: smallest and largest of six programs [kWh/m2]
    weather = read_epw(shared_data / "oracles" / "denver_WD100.epw")
    resource = prepare_resource(weather, weather.latitude, weather.longitude, weather.elevation_m, None)
    components = plane_components(resource, [0, 90, 90, 90, 90], [180, 0, 90, 180, 270], albedo=0.2)
    yearly = plane_of_array(components).sum(axis=0) / 1000
    for value, low, high in zip(yearly, [1663, 399, 1017, 1291, 903], [1670, 477, 1068, 1387, 997], strict=True):
        assert low * 0.99 <= value <= high * 1.01
