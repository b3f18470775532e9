from __future__ import annotations

from datetime import date

import pytest
import shapely

from geodata.fetch.courtesy import Caller, FetchError
from geodata.fetch.pvgis import fetch_typical_year
from geodata.inbox import take_inventory
from geodata.products.weather import read_weather
from tests.geodata.fetch.conftest import EAGER, serve


def test_the_typical_year_is_one_that_the_weather_reader_takes(tmp_path, pvgis_rows, made):
    area = shapely.Point(190_000, 540_000).buffer(500)
    with serve() as api, Caller(courtesy=EAGER) as caller:
        api.weather = made.pvgis_csv(pvgis_rows(0.5), stated=0.5)
        report = fetch_typical_year(caller, area, "EPSG:5186", tmp_path, date(2026, 11, 26), url=f"{api.url}/tmy")
    assert report.rows == 8760 and report.path.name == "pvgis_tmy_20261126.csv"
    # 10 km west of 127 E and 60 km south of 38 N; a degree of longitude has 88.4 km there
    assert float(api.asked[0]["lat"]) == pytest.approx(38 - 60 / 111.0, abs=0.003)
    assert float(api.asked[0]["lon"]) == pytest.approx(127 - 10 / 88.4, abs=0.003)
    (dataset,) = take_inventory(tmp_path).datasets
    assert dataset.product == "PVGIS_TMY" and len(read_weather(tmp_path, [dataset]).frame) == 8760


def test_what_is_no_typical_year_never_reaches_the_inbox(tmp_path):
    refusal = '{"message": "Location over the sea. Please, select another location", "status": 400}'
    area = shapely.Point(190_000, 540_000).buffer(500)
    with serve() as api, Caller(courtesy=EAGER) as caller, pytest.raises(FetchError, match="over the sea"):
        api.weather = refusal
        fetch_typical_year(caller, area, "EPSG:5186", tmp_path, date(2026, 11, 26), url=f"{api.url}/tmy")
    assert list(tmp_path.iterdir()) == []
