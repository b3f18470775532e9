from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geodata.site import ResourceSpec
from geodata.weather.record import Weather
from twin.solar.irradiance import plane_components, plane_of_array
from twin.solar.resource import prepare_resource
from twin.solar.uncertainty import irradiation_by_model, p90, transposition_spread_pct, uncertainty

ROOFS = pd.DataFrame(
    {"module_tilt_deg": [30.0, 10.0], "module_azimuth_deg": [180.0, 90.0], "yield_kwh": [1000.0, 2000.0]}
)


def test_p90_of_a_normal_spread_by_the_table():
    # the normal quantile of nine in ten is 1.2816 standard deviations
    assert p90(np.array([1000.0]), 5.0)[0] == pytest.approx(1000 * (1 - 0.06408), abs=0.01)


def test_perez_is_the_engines_own_and_the_models_spread_as_the_study_measured(resource):
    tilt, azimuth = np.array([0.0, 30.0]), np.array([180.0, 180.0])
    found = irradiation_by_model(resource, tilt, azimuth)
    assert found["perez"] == pytest.approx(plane_of_array(plane_components(resource, tilt, azimuth)).sum(axis=0) / 1000)
    # study: at 30 deg south isotropic 1783, Hay-Davies 1839, Reindl 1843, Perez 1874: 5 %
    spread = transposition_spread_pct(resource, tilt, azimuth)
    assert 3 < spread[1] < 8
    assert found["isotropic"][1] < found["haydavies"][1] < found["reindl"][1] < found["perez"][1]


def test_columns_only_where_their_source_is_known(resource):
    bare = uncertainty(ROOFS, replace(resource, corrected=False, interannual_std_pct=None))
    assert list(bare.columns) == ["transposition_spread_pct"]
    told = uncertainty(
        ROOFS, replace(resource, corrected=True, ghi_file_kwh_m2=resource.ghi_kwh_m2 / 0.9, interannual_std_pct=4.0)
    )
    assert told["resource_correction_factor"].to_numpy() == pytest.approx(0.9)
    assert list(told["yield_p90_kwh"]) == pytest.approx([948.74, 1897.48], abs=0.01)


def test_measured_years_give_their_own_spread(weather: Weather):
    # ten years, five at 1,200 and five at 1,300: mean 1,250, sample standard deviation 50 x sqrt(10/9)
    years = {2010 + n: 1200.0 + 100.0 * (n % 2) for n in range(10)}
    made = prepare_resource(replace(weather, years_ghi_kwh_m2=years), 37.5, 126.9, 20.0, None)
    assert made.interannual_std_pct == pytest.approx(100 * 50 * (10 / 9) ** 0.5 / 1250)
    assert "2010-2019" in made.interannual_source
    few = replace(weather, years_ghi_kwh_m2={2010: 1200.0, 2011: 1300.0})
    assert prepare_resource(few, 37.5, 126.9, 20.0, None).interannual_std_pct is None


def test_a_spread_without_source_is_refused():
    with pytest.raises(ValueError, match="interannual_source"):
        ResourceSpec(station="x", value=1300, unit="kWh/m2", interannual_std_pct=4)
