from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.errors import InputError
from geodata.inbox import take_inventory
from geodata.products.weather import read_weather
from geodata.site import SourceSpec
from geodata.weather.nsrdb import read_nsrdb
from geodata.weather.pvgis import read_pvgis
from geodata.weather.record import closure_error


def _written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8"))
    return path


@pytest.mark.parametrize("form", ["csv", "json", "epw"])
def test_the_moment_is_found_in_every_format(tmp_path, pvgis_rows, sky, form, made):
    """Irradiance was taken 11 minutes after the label; no format says so, the sun does."""
    text = {"csv": made.pvgis_csv, "json": made.pvgis_json, "epw": made.pvgis_epw}[form](pvgis_rows(11 / 60))
    weather = read_pvgis(_written(tmp_path / f"tmy.{form}", text))
    frame = weather.frame
    assert len(frame) == 8760
    assert any("11 minutes after the full hour" in note for note in weather.notes)
    # rolled to the Korean year: the first label at or after midnight KST is 15:00 UTC
    assert frame.index[0] == pd.Timestamp("2022-12-31T15:11Z")
    assert frame.index[-1] == pd.Timestamp("2023-12-31T14:11Z")
    expected = sky.at(pd.DatetimeIndex(["2023-06-21T03:11Z"]))
    assert frame.loc["2023-06-21T03:11Z", ["ghi", "dni", "dhi"]].to_numpy() == pytest.approx(
        expected.iloc[0].to_numpy(), abs=0.02
    )
    assert frame.loc["2023-06-21T03:11Z", "pressure"] == 100_500
    assert frame.loc["2023-06-21T03:11Z", "wind_speed"] == 1.5
    assert weather.utc_offset_h == 9.0
    assert weather.latitude == pytest.approx(37.571, abs=1e-3)


def test_the_stated_moment_counts(tmp_path, pvgis_rows, made):
    text = made.pvgis_csv(pvgis_rows(0.5), stated=0.5)
    weather = read_pvgis(_written(tmp_path / "tmy.csv", text))
    assert weather.frame.index[0] == pd.Timestamp("2022-12-31T15:30Z")
    assert weather.notes == ()
    assert "2005-2016" in weather.source


def test_the_moment_of_a_published_day():
    """Six hours that PVGIS published for 45 N, 8 E (pvlib test data, BSD-3); SARAH scans there 10 to 11 minutes past."""
    label = pd.date_range("2014-01-06T09:00Z", periods=6, freq="h")
    day = pd.DataFrame(
        {
            "ghi": [210.0, 330.0, 357.0, 323.0, 257.0, 203.0],
            "dni": [450.9, 770.1, 672.25, 497.15, 384.61, 595.03],
            "dhi": [93.0, 68.0, 102.0, 137.0, 132.0, 63.0],
        },
        index=label,
    )
    error = [closure_error(day, pd.Timedelta(minutes=m), 45.0, 8.0, 250.0) for m in range(61)]
    assert abs(int(np.argmin(error)) - 10.6) <= 2
    assert min(error) < 2.0


def test_an_epw_in_local_time(tmp_path, pvgis_rows, made):
    """If UTC puts the sun into the night, the hours are those of the LOCATION line."""
    rows = pvgis_rows(0.5)
    local = rows.iloc[np.roll(np.arange(8760), 9)].reset_index(drop=True)
    local["time(UTC)"] = rows["time(UTC)"]  # row h now holds what happened h hours KST
    text = made.pvgis_epw(local, zone=9)
    # labelled h, not h - 1: the file's hour 10 is 10:00 KST
    weather = read_pvgis(_written(tmp_path / "tmy.epw", text))
    assert any("time zone of the LOCATION line (UTC+9)" in note for note in weather.notes)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda t: t.replace("20130915:0300", "20130915:0400", 1), ["1 missing, 1 repeated"]),
        (lambda t: t[: len(t) // 2], ["cannot be parsed as a PVGIS typical year"]),
        (lambda t: t.replace("T2m", "T3m", 1), ["lacks dry bulb temperature"]),
        (lambda t: t.replace(",100500.0", ",1005.0"), ["station pressure is impossible in 8,760 hours"]),
    ],
)
def test_what_is_refused(tmp_path, pvgis_rows, damage, words, made):
    with pytest.raises(InputError) as error:
        read_pvgis(_written(tmp_path / "tmy.csv", damage(made.pvgis_csv(pvgis_rows(0.5), stated=0.5))))
    for word in ["tmy.csv", *words]:
        assert word in str(error.value)


def test_nsrdb_is_labelled_with_its_moment(tmp_path, sky, made):
    weather = read_nsrdb(_written(tmp_path / "psm.csv", made.nsrdb_csv(sky)))
    assert weather.frame.index[0] == pd.Timestamp("2022-12-31T15:30Z")
    # values of 2019 stand at the same day and hour of the typical year; the sun repeats itself within 1 W/m2 or so
    same = sky.at(pd.DatetimeIndex(["2019-06-21T03:30Z"])).iloc[0].to_numpy()
    assert weather.frame.loc["2023-06-21T03:30Z", ["ghi", "dni", "dhi"]].to_numpy() == pytest.approx(same, abs=0.01)
    assert weather.frame["pressure"].iloc[0] == 100_400
    assert (weather.reading, weather.notes) == ("as labelled", ())
    assert weather.station == "NSRDB 1234567"


def test_nsrdb_in_utc_and_on_the_full_hour(tmp_path, sky, made):
    weather = read_nsrdb(_written(tmp_path / "psm.csv", made.nsrdb_csv(sky, minute=0, zone=0)))
    assert weather.frame.index[0] == pd.Timestamp("2022-12-31T15:00Z")
    assert weather.reading == "as labelled"


def test_nsrdb_half_an_hour_off_is_noticed_and_told(tmp_path, sky, made):
    weather = read_nsrdb(_written(tmp_path / "psm.csv", made.nsrdb_csv(sky, minute=0, moment=30)))
    assert weather.reading == "half an hour later"
    assert "half an hour later" in weather.notes[0]


def test_nsrdb_leap_year(tmp_path, sky, made):
    weather = read_nsrdb(_written(tmp_path / "psm.csv", made.nsrdb_csv(sky, year=2020)))
    assert len(weather.frame) == 8760
    assert "29 February left out (24 hours)" in weather.notes


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda t: t.replace("w/m2,w/m2,w/m2", "w/m2,w/m2,kWh/m2"), ["GHI Units is 'kwh/m2', expected 'w/m2'"]),
        (lambda t: t.replace(",c,mbar", ",f,mbar"), ["Temperature Units is 'f'"]),
        (lambda t: "\n".join(t.splitlines()[:5000]), ["8,760: 3,763 missing"]),
        (lambda t: t.replace("2019,7,1,5,30", "2019,7,1,4,30"), ["1 missing, 1 repeated"]),
        (lambda t: t.replace("Wind Speed,", "Wind,").replace(",Wind Speed\n", ",Wind\n"), ["lacks wind speed"]),
        (
            lambda t: t.replace("NSRDB,1234567,-,-,-,37.5714,126.9658", "NSRDB,1234567,-,-,-,37.5714,-53.0"),
            ["into the night"],
        ),
        (lambda t: t.replace(",9,86,", ",nine,86,"), ["cannot be parsed"]),
    ],
)
def test_what_of_nsrdb_is_refused(tmp_path, sky, damage, words, made):
    with pytest.raises(InputError) as error:
        read_nsrdb(_written(tmp_path / "psm.csv", damage(made.nsrdb_csv(sky))))
    for word in ["psm.csv", *words]:
        assert word in str(error.value)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def _datasets(inbox: Path) -> list[tuple]:
    found = take_inventory(inbox)
    assert [p for p in found.problems if p.fatal] == []
    return [(d.product, d.role, len(d.parts), d.parts[0].rows, d.parts[0].bounds) for d in found.datasets]


@pytest.mark.parametrize("name", ["tmy.csv", "tmy.json", "tmy.epw", "psm.csv"])
def test_recognised_by_their_heads_and_read(inbox, sky, pvgis_rows, name, made):
    rows = pvgis_rows(0.5)
    text = {
        "tmy.csv": made.pvgis_csv(rows, 0.5), "tmy.json": made.pvgis_json(rows), "tmy.epw": made.pvgis_epw(rows),
    }.get(name) or made.nsrdb_csv(sky)  # fmt: skip
    _written(inbox / "기상.dat", text)
    datasets = _datasets(inbox)
    place = pytest.approx((126.9658, 37.5714, 126.9658, 37.5714), abs=1e-3)
    assert datasets == [("NSRDB" if name == "psm.csv" else "PVGIS_TMY", "weather", 1, 8760, place)]
    weather = read_weather(inbox, take_inventory(inbox).datasets)
    assert weather.frame.loc["2023-06-21T03:30Z", "ghi"] > 300


def test_years_of_a_station_are_one_dataset(inbox, write_asos, hour_means):
    for year in (2022, 2023):
        write_asos(f"OBS_ASOS_TIM_{year}.csv", year=year).rename(inbox / f"{year}.csv")
    assert _datasets(inbox) == [("KMA_ASOS", "weather", 2, 8760, (126.9658, 37.5714, 126.9658, 37.5714))]
    found = take_inventory(inbox)
    assert {part.encoding for part in found.datasets[0].parts} == {"CP949"}
    weather = read_weather(inbox, found.datasets)
    assert weather.ghi_kwh_m2 == pytest.approx(hour_means.sum() / 1000, rel=1e-3)


def test_asos_in_an_archive(inbox, write_asos):
    path = write_asos("a.csv")
    with zipfile.ZipFile(inbox / "OBS.zip", "w") as archive:
        archive.write(path, "OBS_ASOS_TIM.csv")
    assert len(read_weather(inbox, take_inventory(inbox).datasets).frame) == 8760


def test_asos_without_irradiation_or_of_many_stations_says_so(inbox, write_asos):
    write_asos("a.csv", change=lambda t: t.drop(columns=["일사(MJ/m2)", "일사 QC플래그"])).rename(inbox / "a.csv")
    write_asos("b.csv", change=lambda t: t.assign(지점=np.where(t.index < 9, 112, 108))).rename(inbox / "b.csv")
    told = {p.path: p.what for p in take_inventory(inbox).problems}
    assert "no column 일사" in told["a.csv"]
    assert "stations 108, 112: one station is needed" in told["b.csv"]


def test_a_short_year_is_a_problem(inbox, pvgis_rows, made):
    _written(inbox / "a.csv", made.pvgis_csv(pvgis_rows(0.5).head(8000), 0.5))
    assert "8,000 hourly rows" in take_inventory(inbox).problems[0].what


def test_weather_of_several_kinds_is_a_choice(inbox, sky, write_asos, made):
    write_asos("a.csv").rename(inbox / "a.csv")
    _written(inbox / "b.csv", made.nsrdb_csv(sky))
    with pytest.raises(InputError, match=r"found 2: a.csv, b.csv. Name the one"):
        read_weather(inbox, take_inventory(inbox).datasets)


def test_the_site_file_names_the_years_of_a_station(inbox, sky, write_asos, made):
    _written(inbox / "b.csv", made.nsrdb_csv(sky))
    (inbox / "asos").mkdir()
    for year in (2022, 2023):
        write_asos("a.csv", year=year).rename(inbox / "asos" / f"{year}.csv")
    found = take_inventory(inbox, {"weather": SourceSpec(path=Path("asos"))})
    assert [(d.product, len(d.parts)) for d in found.datasets] == [("KMA_ASOS", 2)]
    assert read_weather(inbox, found.datasets).station == "서울 (KMA 108)"
