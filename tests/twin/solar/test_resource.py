from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from geodata.errors import InputError
from geodata.products.weather import read_epw
from geodata.site import ResourceSpec
from twin.solar.resource import prepare_resource, solar_position


def normal(value: float) -> ResourceSpec:
    return ResourceSpec(station="Incheon", value=value, unit="kWh/m2", period="1991-2020", source="KMA")


def test_sun_of_the_spa_report():
    # NREL/TP-560-34302, worked example
    time = pd.DatetimeIndex(["2003-10-17T12:30:30-07:00"])
    sun = solar_position(time, 39.742476, -105.1786, 1830.14, pressure=82_000.0, temperature=11.0)
    assert sun["apparent_zenith"].iloc[0] == pytest.approx(50.11162, abs=1e-4)
    assert sun["azimuth"].iloc[0] == pytest.approx(194.34024, abs=1e-4)


def test_without_a_normal_the_file_is_used_as_it_is(weather, place):
    resource = prepare_resource(weather, *place, None)
    pd.testing.assert_frame_equal(resource.hourly[["ghi", "dni", "dhi"]], weather.frame[["ghi", "dni", "dhi"]])
    assert not resource.corrected
    assert resource.correction_factor == 1.0
    assert resource.about()["corrected"] is False
    assert resource.about()["correction_method"] == ""


def test_a_normal_equal_to_the_file_leaves_it_untouched(weather, place):
    resource = prepare_resource(weather, *place, normal(weather.ghi_kwh_m2))
    pd.testing.assert_frame_equal(resource.hourly[["ghi", "dni", "dhi"]], weather.frame[["ghi", "dni", "dhi"]])
    assert resource.corrected
    assert resource.exponent == 1.0


@pytest.mark.parametrize("factor", [0.75, 0.88, 0.999, 1.05])
def test_target_closure_and_limits(weather, place, factor):
    target = weather.ghi_kwh_m2 * factor
    resource = prepare_resource(weather, *place, normal(target))
    hourly = resource.hourly
    assert hourly["ghi"].sum() / 1000 == pytest.approx(target, rel=1e-6)
    assert resource.ghi_kwh_m2 == pytest.approx(target, rel=1e-6)
    assert resource.correction_factor == pytest.approx(factor, rel=1e-6)
    assert (hourly[["ghi", "dni", "dhi"]] >= 0).all().all()
    assert hourly.notna().drop(columns="airmass").all().all()
    up = hourly["apparent_zenith"] < 90
    closed = hourly["dhi"] + hourly["dni"] * np.cos(np.radians(hourly["apparent_zenith"]))
    assert np.abs(hourly["ghi"] - closed)[up].max() < 1e-9
    assert (hourly["dni"] < hourly["dni_extra"]).all()
    assert (hourly["dhi"] <= hourly["ghi"] + 1e-9).all()


def test_more_target_never_means_less_in_any_hour(weather, place):
    years = [
        prepare_resource(weather, *place, normal(weather.ghi_kwh_m2 * f)).hourly["ghi"] for f in (0.8, 0.9, 1.0, 1.05)
    ]
    for less, more in pairwise(years):
        assert (more >= less - 1e-9).all()


def test_cloud_gets_thicker_and_the_clearest_hours_stay(weather, place):
    frame = weather.frame.copy()
    frame.loc[frame.index.day_of_year % 10 == 6, ["ghi", "dni", "dhi"]] *= 1.12
    weather = replace(weather, frame=frame)
    resource = prepare_resource(weather, *place, normal(weather.ghi_kwh_m2 * 0.88))
    before, after = weather.frame, resource.hourly
    extra = after["dni_extra"] * np.cos(np.radians(after["zenith"])).clip(lower=0.065)
    clearness, ratio = before["ghi"] / extra, after["ghi"] / before["ghi"]
    clearest, clear, thick = clearness > 0.8201, clearness.between(0.7, 0.8), clearness.between(0.05, 0.3)
    assert clearest.sum() > 50
    assert (ratio[clearest] == 1.0).all()
    assert clear.sum() > 50
    assert ratio[clear].min() > 0.9
    assert ratio[thick].max() < 0.8
    # the year loses direct rather than diffuse irradiance
    assert after["dni"].sum() / before["dni"].sum() < 0.88
    assert after["dhi"].sum() / before["dhi"].sum() > 0.88


def test_an_unreachable_normal_is_refused(weather, place):
    with pytest.raises(InputError, match="cannot be corrected to 2,900"):
        prepare_resource(weather, *place, normal(2900.0))


def test_what_is_told(weather, place):
    about = prepare_resource(weather, *place, normal(weather.ghi_kwh_m2 * 0.9)).about()
    assert about["corrected"] is True
    assert about["correction_factor"] == 0.9
    assert "clearness-index" in about["correction_method"]
    assert (about["normal_station"], about["normal_source"], about["normal_verified"]) == (
        "Incheon",
        "KMA 1991-2020",
        False,
    )


@pytest.mark.realdata
def test_gimpo_corrected_to_incheon(shared_data):
    weather = read_epw(shared_data / "weather" / "KOR_IN_Gimpo.Intl.AP.471100_TMYx.2009-2023.epw")
    resource = prepare_resource(weather, 37.45, 126.87, 30.0, normal(1327.0))
    assert resource.hourly["ghi"].sum() / 1000 == pytest.approx(1327.0, rel=1e-6)
    assert resource.correction_factor == pytest.approx(1327 / 1510.022, abs=1e-5)
    assert (resource.hourly[["ghi", "dni", "dhi"]] >= 0).all().all()
