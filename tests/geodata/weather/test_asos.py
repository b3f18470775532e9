from __future__ import annotations

import numpy as np
import pandas as pd
import pvlib
import pytest

from geodata.errors import InputError
from geodata.weather.asos import read_asos


def test_an_hour_ends_at_its_label_in_korean_time(write_asos, hour_means):
    weather = read_asos([(write_asos(), None)])
    frame = weather.frame
    assert len(frame) == 8760
    assert frame.index[0] == pd.Timestamp("2022-12-31T15:30Z")  # 00:30 KST
    assert frame.index[-1] == pd.Timestamp("2023-12-31T14:30Z")
    # the sum labelled 13:00 on 21 June is that of 12:00 to 13:00, whose middle is 12:30 KST
    assert frame.loc["2023-06-21T03:30Z", "ghi"] == pytest.approx(hour_means["2023-06-21 12:00"], abs=0.02)
    # every hour, against the means of the five-minute steps; sums are written with four decimals
    expected = hour_means.to_numpy()
    assert frame["ghi"].to_numpy()[:-1] == pytest.approx(expected[:-1], abs=0.02)
    assert weather.ghi_kwh_m2 == pytest.approx(expected.sum() / 1000, rel=1e-4)
    assert weather.reading == "hour ending (KST)"
    assert (weather.utc_offset_h, weather.station) == (9.0, "서울 (KMA 108)")
    assert (weather.latitude, weather.longitude) == (37.5714, 126.9658)


def test_read_as_hour_beginning_the_noon_would_be_wrong(write_asos):
    """The centre of the year's irradiation lies at solar noon; any other interval would move it by an hour."""
    frame = read_asos([(write_asos(), None)]).frame
    noon = pvlib.solarposition.sun_rise_set_transit_spa(frame.index, 37.5714, 126.9658)["transit"]
    hours = frame.index.hour + frame.index.minute / 60
    off = (hours - (noon.dt.hour + noon.dt.minute / 60 + noon.dt.second / 3600).to_numpy() + 12) % 24 - 12
    assert abs(np.average(off, weights=frame["ghi"])) * 60 < 2.0


def test_states_belong_to_the_middle_of_the_hour(write_asos):
    frame = read_asos([(write_asos(), None)]).frame
    # 0.001 degrees more with every row; the middle of the hour between rows 100 and 101 is 0.1005
    assert frame["temp_air"].iloc[100] == pytest.approx(0.1005, abs=1e-9)
    assert (frame["pressure"] == 100_550.0).all()
    assert (frame["wind_speed"] == 2.0).all()


def test_components_agree_with_each_other_and_with_erbs(write_asos):
    frame = read_asos([(write_asos(), None)]).frame
    sun = pvlib.solarposition.get_solarposition(frame.index, 37.5714, 126.9658, altitude=86)
    high = sun["elevation"] > 5
    cosine = np.cos(np.radians(sun["zenith"]))
    assert (frame["dni"] * cosine + frame["dhi"])[high].to_numpy() == pytest.approx(
        frame["ghi"][high].to_numpy(), abs=0.01
    )
    # Erbs, Klein and Duffie (1982): diffuse fraction at a clearness index of at most 0.22 is 1 - 0.09 kt
    extra = pvlib.irradiance.get_extra_radiation(frame.index) * cosine
    dull = high & (frame["ghi"] / extra <= 0.22)
    kt = (frame["ghi"] / extra)[dull]
    assert dull.sum() > 10
    assert (frame["dhi"] / frame["ghi"])[dull].to_numpy() == pytest.approx((1 - 0.09 * kt).to_numpy(), abs=1e-6)


def _blank(table: pd.DataFrame, first: str, hours: int, column: str = "일사(MJ/m2)") -> pd.DataFrame:
    rows = table.index[table["일시"] == first][0] + np.arange(hours)
    table.loc[rows, column] = ""
    return table


def test_short_gaps_in_daylight_are_bridged_and_told(write_asos, hour_means):
    weather = read_asos([(write_asos(change=lambda t: _blank(t, "2023-05-10 12:00", 2)), None)])
    assert any("2 missing daylight hours were bridged" in note for note in weather.notes)
    bridged = weather.frame.loc["2023-05-10T02:30Z":"2023-05-10T03:30Z", "ghi"]
    # the clearness index hardly changes about noon of an even day
    assert bridged.to_numpy() == pytest.approx(hour_means["2023-05-10 11:00":"2023-05-10 12:00"].to_numpy(), rel=0.02)


def test_blanks_at_night_are_zero_and_not_told(write_asos):
    notes = read_asos([(write_asos(), None)]).notes
    assert not any("missing" in note for note in notes)
    assert any("one measured year (2023), not a typical one" in note for note in notes)


def test_long_gaps_are_refused_with_the_month_and_what_to_do(write_asos):
    with pytest.raises(InputError) as error:
        read_asos([(write_asos(change=lambda t: _blank(t, "2023-05-10 09:00", 8)), None)])
    for word in ("asos.csv", "month 5", "best: 2023", "another year of the same station"):
        assert word in str(error.value)


def test_missing_rows_are_gaps_too(write_asos):
    with pytest.raises(InputError, match="month 7"):
        read_asos([(write_asos(change=lambda t: t[~t["일시"].str.startswith("2023-07-1")]), None)])


def test_a_month_with_a_gap_comes_from_the_other_year(write_asos):
    """2022 is 20 % brighter, 2023 lacks May: May is 2022's, and the others tie and are taken from the later year."""
    bright = write_asos("2022.csv", year=2022, factor=1.2)
    gap = write_asos("2023.csv", change=lambda t: _blank(t, "2023-05-10 09:00", 8))
    weather = read_asos([(bright, None), (gap, None)])
    assert any("2 years (2022-2023)" in note and "5: 2022" in note and "6: 2023" in note for note in weather.notes)


def test_months_come_from_the_year_nearest_to_the_mean(write_asos, hour_means):
    """Yearly factors 0.8, 1.0, 1.3: the mean is 1.033, so that every month is taken from the middle year as measured."""
    files = [(write_asos(f"{y}.csv", year=y, factor=f), None) for y, f in ((2021, 0.8), (2022, 1.0), (2023, 1.3))]
    weather = read_asos(files)
    assert weather.ghi_kwh_m2 == pytest.approx(hour_means.sum() / 1000, rel=1e-3)
    june = weather.frame.loc["2023-06-20T15:00Z":"2023-06-21T15:00Z", "ghi"].to_numpy()
    assert june == pytest.approx(hour_means["2023-06-21"].to_numpy(), abs=0.02)


def test_a_leap_day_is_left_out_and_told(write_asos):
    weather = read_asos([(write_asos(year=2024), None)])
    assert len(weather.frame) == 8760
    assert any("29 February left out (24 hours)" in note for note in weather.notes)


def _doubled(table: pd.DataFrame, value: str | None) -> pd.DataFrame:
    row = table[table["일시"] == "2023-06-21 13:00"].copy()
    if value is not None:
        row["일사(MJ/m2)"] = value
    return pd.concat([table, row])


def test_hours_given_twice(write_asos):
    same = read_asos([(write_asos(change=lambda t: _doubled(t, None)), None)])
    assert any("1 hours are given twice with the same values" in note for note in same.notes)
    with pytest.raises(InputError, match=r"1 hours are given twice with different values \(first: 2023-06-21 13:00\)"):
        read_asos([(write_asos(change=lambda t: _doubled(t, "0.5")), None)])


def test_flagged_values_are_not_used(write_asos):
    def flag(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[table["일시"] == "2023-05-10 12:00", ["일사(MJ/m2)", "일사 QC플래그"]] = ["5.0", "1"]
        return table

    weather = read_asos([(write_asos(change=flag), None)])
    assert any("1 values of 일사 are flagged as wrong" in note for note in weather.notes)
    assert weather.frame.loc["2023-05-10T02:30Z", "ghi"] < 1100


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.rename(columns={"일사(MJ/m2)": "일사(W/m2)"}), ["일사 is in W/m2, expected mj/m2"]),
        (lambda t: t.rename(columns={"기온(°C)": "기온(K)"}), ["기온 is in K"]),
        (lambda t: t.drop(columns=["일사(MJ/m2)", "일사 QC플래그"]), ["has no column 일사"]),
        (lambda t: t.assign(**{"일사(MJ/m2)": 250.0}), ["250.00 MJ/m2 in one hour is impossible", "another unit"]),
        (lambda t: t.assign(**{"일사(MJ/m2)": "-"}), ["'-' is no number"]),
        (lambda t: t.assign(일시=t["일시"].str.replace("2023-06-21 13:00", "2023-06-31 13:00")), ["is no time like"]),
        (lambda t: t.assign(일시=t["일시"].str.replace("13:00", "13:30")), ["not at the full hour"]),
        (lambda t: t.assign(지점=np.where(t.index < 100, 112, 108)), ["several stations (108, 112)"]),
        (lambda t: t.assign(지점=999), ["place of station 999 is not known"]),
        (lambda t: t.head(0), ["has no rows"]),
        (lambda t: t.assign(**{"풍속(m/s)": 99.0}), ["wind speed is impossible"]),
    ],
)
def test_what_is_refused(write_asos, change, words):
    with pytest.raises(InputError) as error:
        read_asos([(write_asos(change=change), None)])
    for word in ["asos.csv", *words]:
        assert word in str(error.value)


def test_utf8_and_a_file_without_pressure(write_asos):
    path = write_asos(change=lambda t: t.drop(columns="현지기압(hPa)"), encoding="utf-8-sig")
    weather = read_asos([(path, None)])
    # standard atmosphere at 86 m
    assert weather.frame["pressure"].iloc[0] == pytest.approx(100_296, abs=10)
    assert any("station pressure missing in 8,760 hours" in note for note in weather.notes)
