from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
import pytest

from geodata.errors import InputError
from geodata.inventory import Dataset, LayerPart, SourceFile
from geodata.products.weather import read_epw, read_weather

HEADER = """LOCATION,Testville,GG,KOR,TMY,471190,{latitude},{longitude},{zone},30.0
DESIGN CONDITIONS,0
TYPICAL/EXTREME PERIODS,0
GROUND TEMPERATURES,0
HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0
COMMENTS 1,made for a test
COMMENTS 2,
DATA PERIODS,1,1,Data,Sunday,1/ 1,12/31
"""
LATITUDE, LONGITUDE, ZONE = 37.45, 126.87, 9.0


def rows(minutes: int = 30, zone: float = ZONE, longitude: float = LONGITUDE) -> list[list[float]]:
    """A year of half-clear sky; irradiance belongs to the moment `minutes` after the start of the EPW hour."""
    start = pd.date_range("2023-01-01", periods=8760, freq="h") - pd.Timedelta(hours=zone)
    moment = (start + pd.Timedelta(minutes=minutes)).tz_localize("UTC")
    sun = pvlib.solarposition.get_solarposition(moment, LATITUDE, longitude, altitude=30.0)
    up = np.cos(np.radians(sun["apparent_zenith"].to_numpy())).clip(0)
    dni, dhi = np.where(up > 0, 500.0, 0.0), np.where(up > 0, 100.0 * up, 0.0)
    local = pd.date_range("2023-01-01", periods=8760, freq="h")
    # months come from different years, as in every TMY
    years = 2001 + local.month
    # columns of the format: flags and temperatures, long-wave, then irradiance, illuminance, wind, sky, rest
    before = [60, "?9", 15.0, 5.0, 60, 101000, 0, 0, 300]
    after = [0, 0, 0, 0, 180, 2.5, 5, 5, 10, 77777, 9, 999999999, 10, 0.1, 0, 88, 0.2, 0, 0]
    columns = zip(years, local, dni * up + dhi, dni, dhi, strict=True)
    return [[year, t.month, t.day, t.hour + 1, *before, g, b, d, *after] for year, t, g, b, d in columns]


def write(
    path: Path, table: list[list[float]], *, zone: float = ZONE, longitude: float = LONGITUDE, header: str = HEADER
) -> Path:
    head = header.format(latitude=LATITUDE, longitude=longitude, zone=zone)
    lines = [",".join(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row) for row in table]
    path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def year() -> list[list[float]]:
    return rows()


def changed(year: list[list[float]], row: int, column: int, value: float) -> list[list[float]]:
    copy = [list(r) for r in year]
    copy[row][column] = value
    return copy


def test_index_is_the_middle_of_the_interval_in_utc(tmp_path, year):
    weather = read_epw(write(tmp_path / "a.epw", year))
    # hour 1 of 1 January is 00:00 to 01:00 local, 15:00 to 16:00 UTC of the day before
    assert weather.frame.index[0] == pd.Timestamp("2022-12-31T15:30Z")
    assert weather.frame.index[-1] == pd.Timestamp("2023-12-31T14:30Z")
    assert len(weather.frame) == 8760
    assert (np.diff(weather.frame.index.asi8) == np.diff(weather.frame.index.asi8)[0]).all()
    assert list(weather.frame.columns) == ["ghi", "dni", "dhi", "temp_air", "wind_speed", "pressure"]
    assert weather.frame["ghi"].to_numpy() == pytest.approx([round(r[13], 4) for r in year])
    assert (weather.latitude, weather.longitude, weather.utc_offset_h) == (LATITUDE, LONGITUDE, ZONE)
    assert weather.reading == "hour ending"
    assert weather.notes == ()


def test_half_hour_time_zone(tmp_path):
    table = rows(zone=5.5, longitude=80.0)
    weather = read_epw(write(tmp_path / "a.epw", table, zone=5.5, longitude=80.0))
    assert weather.frame.index[0] == pd.Timestamp("2022-12-31T19:00Z")


def test_values_centred_on_the_hour_are_noticed_and_told(tmp_path):
    weather = read_epw(write(tmp_path / "a.epw", rows(minutes=60)))
    assert weather.reading == "hour centred"
    assert weather.frame.index[0] == pd.Timestamp("2022-12-31T16:00Z")
    assert "centred on the full hour" in weather.notes[0]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda t: t[:5000] + t[5001:], ["8,759", "1 missing", "month 7, day 28, hour 9"]),
        (
            lambda t: t[:1416] + [[2004, 2, 29, *t[h][3:]] for h in range(24)] + t[1416:],
            ["8,784", "29 February", "Remove"],
        ),
        (lambda t: [*t[:100], t[99], *t[101:]], ["8,760", "1 repeated", "day 5, hour 4", "1 missing", "day 5, hour 5"]),
        (lambda t: t[:4000], ["4,000", "4,760 missing"]),
        (lambda t: [], ["has 0 hourly rows"]),
        (lambda t: changed(t, 7, 3, "x"), ["data row"]),
    ],
)
def test_anything_but_one_whole_year_is_refused(tmp_path, year, damage, words):
    with pytest.raises(InputError) as error:
        read_epw(write(tmp_path / "gimpo.epw", damage(year)))
    for word in ["gimpo.epw", *words]:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (13, 9999, ["global horizontal irradiance is missing in 1 hours", "month 1, day 9, hour 9"]),
        (14, 9999.0, ["direct normal irradiance is missing"]),
        (6, 99.9, ["dry bulb temperature is missing"]),
        (21, 999, ["wind speed is missing"]),
        (13, 2500, ["impossible", "2500"]),
        (15, -3, ["impossible", "-3"]),
        (6, "abc", ["dry bulb temperature is missing"]),
    ],
)
def test_missing_and_impossible_values_are_refused(tmp_path, year, column, value, words):
    with pytest.raises(InputError) as error:
        read_epw(write(tmp_path / "a.epw", changed(year, 200, column, value)))
    for word in ["a.epw", *words]:
        assert word in str(error.value)


def test_missing_pressure_is_filled_and_told(tmp_path, year):
    weather = read_epw(write(tmp_path / "a.epw", changed(year, 200, 9, 999999)))
    assert weather.frame["pressure"].iloc[200] == pytest.approx(100_965, abs=5)  # standard atmosphere at 30 m
    assert "pressure missing in 1 hours" in weather.notes[0]


def test_sun_in_the_night_is_refused(tmp_path, year):
    with pytest.raises(InputError, match="falls into the night"):
        read_epw(write(tmp_path / "a.epw", year, zone=-3.0))


def test_not_an_epw(tmp_path, year):
    (tmp_path / "a.epw").write_text("date,ghi\n2023-01-01,0\n")
    with pytest.raises(InputError, match="must begin with LOCATION"):
        read_epw(tmp_path / "a.epw")
    with pytest.raises(InputError, match="DATA PERIODS"):
        read_epw(write(tmp_path / "b.epw", year, header=HEADER.replace("DATA PERIODS", "PERIODS")))
    with pytest.raises(InputError, match="does not exist"):
        read_epw(tmp_path / "c.epw")


def test_comments_in_another_encoding_do_not_matter(tmp_path, year):
    path = write(tmp_path / "a.epw", year)
    path.write_bytes(path.read_bytes().replace(b"made for a test", "광명시흥".encode("cp949")))
    assert len(read_epw(path).frame) == 8760


def _dataset(*sources: str) -> Dataset:
    parts = tuple(
        LayerPart(file=SourceFile(path=s.split("/")[0], size=0, sha256=""), data_source=s, kind="weather")
        for s in sources
    )
    return Dataset(product="epw", role="weather", parts=parts)


def test_a_member_of_an_archive(tmp_path, year):
    plain = write(tmp_path / "a.epw", year)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(plain, "inner/b.epw")
    weather = read_weather(tmp_path, [_dataset("a.zip/inner/b.epw")])
    pd.testing.assert_frame_equal(weather.frame, read_epw(plain).frame)
    with pytest.raises(InputError, match="no such member"):
        read_epw(tmp_path / "a.zip", "c.epw")


def test_two_weather_files_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"found 2: a.epw, b.epw. Name the one"):
        read_weather(tmp_path, [_dataset("b.epw"), _dataset("a.epw")])


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "ghi", "reading"),
    [
        # yearly sums: data/README.md and study V2
        ("weather/KOR_IN_Gimpo.Intl.AP.471100_TMYx.2009-2023.epw", 1510, "hour centred"),
        ("weather/KOR_SO_Seoul.WS.471080_TMYx.2011-2025.epw", 1529, "hour centred"),
        ("oracles/denver_WD100.epw", 1670.2, "hour ending"),
    ],
)
def test_real_files(shared_data, name, ghi, reading):
    weather = read_epw(shared_data / name)
    assert weather.ghi_kwh_m2 == pytest.approx(ghi, abs=0.6)
    assert weather.reading == reading
    assert weather.frame.notna().all().all()
