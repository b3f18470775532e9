from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.products.weather import READINGS, read_epw
from twin.solar.checks import noon_offset_min, physics_problems
from twin.solar.resource import prepare_resource
from twin.solar.roofs import roof_planes
from twin.solar.yields import roof_yields


@pytest.fixture(scope="module")
def roofs(resource, tmp_path_factory) -> pd.DataFrame:
    out = tmp_path_factory.mktemp("checked")
    frame = gpd.GeoDataFrame(
        {"building_id": ["A", "B", "C"], "pnu": "4121010100100010000", "dong_code": "4121010100"},
        geometry=[shapely.box(0, 0, 20, 10), shapely.box(30, 0, 60, 10), shapely.box(70, 0, 71, 1)],
        crs="EPSG:5186",
    )
    planes = roof_planes(frame)
    roof_yields(planes, resource, out)
    return planes.merge(pd.read_parquet(out / "roofs.parquet").drop(columns="capacity_kwp"), on="roof_id").drop(
        columns="geometry"
    )


def test_sound_results_pass(roofs, resource):
    assert physics_problems(roofs, resource) == []
    rounded = roofs.round(
        {name: 1 for name in roofs.columns if name.endswith(("kwh", "kwp", "m2"))} | {"capacity_kwp": 3}
    )
    assert physics_problems(rounded, resource) == []
    assert physics_problems(roofs.iloc[:0], resource) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"yield_kwh": lambda r: r["yield_kwh"] * 1.3}, ["exceeds irradiation", "months do not add up"]),
        ({"yield_07_kwh": lambda r: r["yield_07_kwh"] + 2}, ["months do not add up"]),
        ({"yield_07_kwh": lambda r: -r["yield_07_kwh"]}, ["a result is negative", "months do not add up"]),
        ({"poa_kwh_m2": lambda r: np.nan}, ["a result is missing"]),
        ({"specific_yield_kwh_kwp": lambda r: 2500.0}, ["beyond any place", "contradict"]),
        ({"irradiation_kwh_m2": lambda r: r["irradiation_kwh_m2"] * 1.05}, ["more than the horizontal"]),
        ({"irradiation_kwh_m2": lambda r: r["irradiation_kwh_m2"] * 0.9}, ["less than the horizontal"]),
        ({"capacity_kwp": lambda r: 0.0}, ["yield without modules", "not that of a whole number of modules"]),
        ({"capacity_kwp": lambda r: r["capacity_kwp"] + 0.1}, ["not that of a whole number of modules"]),
        (
            {"module_count": lambda r: r["module_count"] * 4, "capacity_kwp": lambda r: r["capacity_kwp"] * 4},
            ["more than the usable area"],
        ),
        ({"module_count": lambda r: 1}, ["exceeds irradiation x module area", "whole number"]),
        ({"usable_area_m2": lambda r: 0.75 * r["area_m2"]}, ["more than the largest share"]),
    ],
)
def test_what_breaks_physics_is_told(roofs, resource, change, words):
    found = " | ".join(physics_problems(roofs.assign(**change), resource))
    for word in words:
        assert word in found
    assert "(first: A-1)" in found


def test_shaded_roofs_may_receive_less(roofs, resource):
    shaded = roofs.assign(shading_loss_pct=10.0, irradiation_kwh_m2=roofs["irradiation_kwh_m2"] * 0.9)
    assert physics_problems(shaded, resource) == []


@pytest.mark.parametrize("minutes", [-60, -30, 30, 60])
def test_shifted_hours_are_noticed(weather, place, minutes):
    assert abs(noon_offset_min(prepare_resource(weather, *place, None))) < 15
    shifted = replace(weather, frame=weather.frame.set_index(weather.frame.index + pd.Timedelta(minutes=minutes)))
    problems = physics_problems(pd.DataFrame(), prepare_resource(shifted, *place, None))
    assert len(problems) == 1
    assert "from solar noon" in problems[0]


@pytest.mark.realdata
@pytest.mark.parametrize(
    "name",
    [
        "weather/KOR_IN_Gimpo.Intl.AP.471100_TMYx.2009-2023.epw",
        "weather/KOR_SO_Seoul.WS.471080_TMYx.2011-2025.epw",
        "oracles/denver_WD100.epw",
    ],
)
def test_noon_of_real_files(shared_data, name):
    weather = read_epw(shared_data / name)
    where = weather.latitude, weather.longitude, weather.elevation_m
    assert abs(noon_offset_min(prepare_resource(weather, *where, None))) < 8
    wrong = -30 if weather.reading == "hour centred" else 30
    assert READINGS["hour centred"] - READINGS["hour ending"] == 30
    shifted = replace(weather, frame=weather.frame.set_index(weather.frame.index + pd.Timedelta(minutes=wrong)))
    assert abs(noon_offset_min(prepare_resource(shifted, *where, None))) > 20
