"""Measured hours of the Korea Meteorological Administration (종관기상관측 ASOS), as its data portal hands them out.

A CSV in CP949, one line per station and hour, in Korean standard time. What an hour stands for:

* 일사(MJ/m2) at hh:00 is the sum over the hour that *ends* at hh:00. Its mean, sum / 3,600 s, belongs to the middle of
  that hour; the value at 00:00 belongs to the day before. At night it is blank. A blank counts as zero only while the
  sun is below `low_sun_deg`; any other is a gap.
* 기온, 풍속 and 현지기압 are observed at the full hour; the middle of an hour gets the mean of its two ends.

Only global irradiation is measured: direct and diffuse come from it by the Erbs correlation (pvlib).

Several years of one station become one typical year: each month is taken, hour by hour as it was measured, from the year
whose irradiation in that month is nearest to the mean of all years that have that month complete. Averaging hours over
years would turn sun and cloud into haze. Short gaps are bridged and told; a month with longer ones is not used, and a
month that no year has is refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib

from geodata.errors import InputError
from geodata.parameters import Parameters, load_parameters
from geodata.weather.record import (
    HOURS,
    KST_H,
    TYPICAL_YEAR,
    Weather,
    checked_values,
    decode,
    place_name,
    read_bytes,
    refuse_sun_at_night,
)

READING = "hour ending (KST)"
_AGAIN = "Download 기상자료개방포털 data.kma.go.kr > 종관기상관측(ASOS) > 시간 자료 with 기온, 풍속, 현지기압 and 일사, CSV, one station"
_HEADING = re.compile(r"^\s*(?P<name>[^()]+?)\s*(?:\((?P<unit>[^()]*)\))?\s*$")
_WANTED = {
    "일사": ("ghi", ("mj/m2", "mj/m^2", "mj/m²", "mj/㎡")),
    "기온": ("temp_air", ("°c", "℃", "c", "?c")),
    "풍속": ("wind_speed", ("m/s",)),
    "현지기압": ("pressure", ("hpa",)),
}
_STATES = ("temp_air", "wind_speed", "pressure")
_MJ_H = 1e6 / 3600.0
"""W/m2 of a MJ/m2 within one hour."""


@lru_cache(maxsize=1)
def asos_parameters() -> Parameters:
    """Return the values of ``asos_stations.yaml``: places of the stations, and what gaps are bridged."""
    return load_parameters("geodata.weather", "asos_stations.yaml")


@dataclass(frozen=True)
class Station:
    """A synoptic station."""

    number: str
    name: str
    latitude: float
    longitude: float
    elevation_m: float


def asos_station(number: str) -> Station | None:
    """Return the station of that number, None if its place is not known here."""
    entry = asos_parameters()["stations"].get(number)
    return Station(number, *entry) if entry else None


def is_asos_heading(line: str) -> bool:
    """Return whether ``line`` is the heading of an hourly ASOS file."""
    return line.startswith(("지점,", '"지점"')) and "일시" in line and re.search(r"(^|[,\"])기온\(", line) is not None


def read_asos(files: Sequence[tuple[Path, str | None]]) -> Weather:
    """Read one or more hourly ASOS files of one station, each a path and the member of an archive, as one typical year.

    Raises
    ------
    InputError
        If a file is not hourly ASOS, holds several stations or one whose place is unknown, its units or times are wrong,
        hours are given twice with different values, or a month is complete in no year.
    """
    where = ", ".join(sorted(place_name(path, member) for path, member in files))
    notes: list[str] = []
    tables = [_table(decode(read_bytes(path, member)), place_name(path, member), notes) for path, member in files]
    numbers = sorted({number for _, found in tables for number in found})
    if len(numbers) != 1:
        raise InputError(f"{where}: several stations ({', '.join(numbers)}); one is needed. {_AGAIN}")
    station = asos_station(numbers[0])
    if station is None:
        raise InputError(
            f"{where}: the place of station {numbers[0]} is not known. Add its number, name, latitude, longitude and elevation "
            "to geodata/weather/asos_stations.yaml"
        )
    hours = _one_series([table for table, _ in tables], where, notes)
    middle = _at_middle(hours)
    elevation = pvlib.solarposition.get_solarposition(
        _utc(middle.index), station.latitude, station.longitude, altitude=station.elevation_m
    )
    filled, usable = _bridged(middle, elevation["elevation"].to_numpy(), notes)
    year, years = _typical_year(filled, usable, where, notes)
    frame = _components(year, station)

    def when(mask: np.ndarray) -> str:
        return f"{year.index[mask][0]:%Y-%m-%d %H:%M} KST"

    labels = frame.index
    frame = checked_values(frame, where, when, notes, elevation_m=station.elevation_m)
    frame.index = labels
    refuse_sun_at_night(frame, station.latitude, station.longitude, where, f"Station {station.number} {station.name}")
    return Weather(
        frame=frame,
        latitude=station.latitude,
        longitude=station.longitude,
        elevation_m=station.elevation_m,
        station=f"{station.name} (KMA {station.number})",
        source=f"기상청 ASOS 시간자료, {where}",
        utc_offset_h=KST_H,
        reading=READING,
        notes=(
            "irradiation at hh:00 is taken as the sum of the hour that ends then (KST); direct and diffuse by Erbs",
            *notes,
        ),
        years_ghi_kwh_m2=years,
    )


def _utc(local: pd.Index) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.DatetimeIndex(local) - pd.Timedelta(hours=KST_H)).tz_localize("UTC")


def _table(text: str, where: str, notes: list[str]) -> tuple[pd.DataFrame, set[str]]:
    """Return the wanted columns of one file by time (KST, as labelled), in W/m2, degC, m/s and Pa, and its stations."""
    heading = next(csv.reader([text.partition("\n")[0]]), [])
    if not is_asos_heading(text.partition("\n")[0]):
        raise InputError(f"{where} is no hourly ASOS file: its first line must name 지점, 일시 and 기온(°C). {_AGAIN}")
    data = pd.read_csv(io.StringIO(text), dtype="str", skipinitialspace=True, index_col=False)
    data.columns = pd.Index([str(name).strip() for name in heading][: data.shape[1]])
    if not len(data):
        raise InputError(f"{where} has no rows. {_AGAIN}")
    found = {}
    for position, title in enumerate(data.columns):
        match = _HEADING.match(title)
        if match is None or match["name"] not in _WANTED or "QC" in title:
            continue
        ours, units = _WANTED[match["name"]]
        unit = (match["unit"] or units[0]).strip().casefold()
        if unit not in units:
            raise InputError(f"{where}: {match['name']} is in {match['unit']}, expected {units[0]}. {_AGAIN}")
        values = _numbers(data.iloc[:, position], f"{where}, {title}")
        flag = f"{match['name']} QC플래그"
        if flag in data.columns:
            # flags of the portal: 0 or blank good, 1 wrong, 9 missing
            bad = data[flag].isin(["1", "9"]) & values.notna()
            if bad.any():
                notes.append(f"{where}: {int(bad.sum()):,} values of {match['name']} are flagged as wrong and not used")
            values = values.mask(data[flag].isin(["1", "9"]))
        found[ours] = values
    absent = [name for name, (ours, _) in _WANTED.items() if ours not in found and ours != "pressure"]
    if absent:
        raise InputError(f"{where} has no column {', '.join(absent)}. {_AGAIN}")
    table = pd.DataFrame(found).reindex(columns=["ghi", *_STATES])
    table.index = _times(data["일시"], where)
    table["ghi"] *= _MJ_H
    if (table["ghi"] > 1600.0).any():
        worst = table["ghi"].idxmax()
        raise InputError(
            f"{where}: 일사 of {table['ghi'].max() / _MJ_H:.2f} MJ/m2 in one hour is impossible ({worst:%Y-%m-%d %H:%M}; possible: "
            f"up to {1600.0 / _MJ_H:.2f}). Is it in another unit, or the sum of a day? {_AGAIN}"
        )
    table["pressure"] *= 100.0
    return table, set(data["지점"].dropna().str.strip())


def _numbers(text: pd.Series, where: str) -> pd.Series:
    blank = text.isna() | (text.str.strip() == "")
    values = pd.to_numeric(text.mask(blank), errors="coerce").astype("float64")
    strange = values.isna() & ~blank
    if strange.any():
        raise InputError(f"{where}: {text[strange].iloc[0]!r} is no number. {_AGAIN}")
    return values


def _times(text: pd.Series, where: str) -> pd.DatetimeIndex:
    times = pd.to_datetime(text.str.strip(), format="%Y-%m-%d %H:%M", errors="coerce")
    # opened and saved by a spreadsheet, zeros at the front are gone
    times = times.fillna(pd.to_datetime(text.str.strip(), format="%Y-%m-%d %H:%M:%S", errors="coerce"))
    if times.isna().any():
        raise InputError(f"{where}: 일시 {text[times.isna()].iloc[0]!r} is no time like 2024-01-01 13:00. {_AGAIN}")
    if (times.dt.minute != 0).any():
        raise InputError(f"{where}: 일시 {text[times.dt.minute != 0].iloc[0]!r} is not at the full hour. {_AGAIN}")
    return pd.DatetimeIndex(times)


def _one_series(tables: list[pd.DataFrame], where: str, notes: list[str]) -> pd.DataFrame:
    """Return every hour from the first to the last once, with blanks where a file has none."""
    hours = pd.concat(tables).sort_index(kind="stable")
    twice = hours.index.duplicated(keep=False)
    if twice.any():
        same = hours[twice].groupby(level=0).nunique().le(1).all(axis=1)
        if not same.all():
            first = same.index[~same][0]
            raise InputError(
                f"{where}: {int((~same).sum()):,} hours are given twice with different values (first: {first:%Y-%m-%d %H:%M}). "
                "Remove one of the files or rows"
            )
        notes.append(f"{int(twice.sum() - len(same)):,} hours are given twice with the same values")
        # of two rows one may be blank where the other is not
        hours = hours.groupby(level=0).first()
    every = pd.date_range(hours.index[0], hours.index[-1], freq="h")
    return hours.reindex(every)


def _at_middle(hours: pd.DataFrame) -> pd.DataFrame:
    """Return the hours by their middle (KST): irradiance of the hour that ends, states as the mean of both ends."""
    middle = hours.copy()
    before = hours[list(_STATES)].shift(1)
    # the first hour of a file has no beginning, and next to a gap one end is all there is
    both = (hours[list(_STATES)] + before) / 2.0
    middle[list(_STATES)] = both.fillna(hours[list(_STATES)]).fillna(before)
    middle.index = pd.DatetimeIndex(middle.index) - pd.Timedelta(minutes=30)
    return middle


def _bridged(middle: pd.DataFrame, elevation: np.ndarray, notes: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the hours with blanks at night set to zero and short gaps bridged, and which hours may be used."""
    values = asos_parameters()
    frame = middle.copy()
    ghi = frame["ghi"].to_numpy(copy=True)
    dark = elevation <= float(values["low_sun_deg"])
    ghi[np.isnan(ghi) & dark] = 0.0
    gap = np.isnan(ghi)
    # above the atmosphere, horizontal: what a clearness index refers to
    days = pd.DatetimeIndex(frame.index)
    ceiling = pvlib.irradiance.get_extra_radiation(days).to_numpy() * np.sin(np.radians(np.maximum(elevation, 0.0)))
    clearness = pd.Series(np.where(dark | gap, np.nan, ghi / np.maximum(ceiling, 1.0)))
    line = clearness.interpolate(limit_direction="both").to_numpy()
    ghi = np.where(gap, line * ceiling, ghi)
    usable = ~(gap & (_run_length(gap, dark) > int(values["longest_gap_h"])))
    month = days.to_period("M")
    share = pd.Series(gap & ~dark).groupby(month).transform("sum") / pd.Series(~dark).groupby(month).transform("sum")
    usable &= share.to_numpy() <= float(values["largest_gap_share"])
    frame["ghi"] = ghi
    for name in _STATES:
        blank = frame[name].isna().to_numpy()
        if name == "pressure" and blank.all():
            continue
        short = _run_length(blank, np.zeros_like(blank)) <= int(values["longest_state_gap_h"])
        frame[name] = frame[name].interpolate(limit_direction="both")
        if name != "pressure":
            usable &= ~(blank & ~short)
        else:
            frame.loc[blank & ~short, name] = np.nan
    frame["bridged"] = gap
    return frame, usable


def _run_length(gap: np.ndarray, ignore: np.ndarray) -> np.ndarray:
    """Return for each hour how many missing hours its run has; hours to ``ignore`` neither count nor end a run."""
    position = np.flatnonzero(~ignore)
    missing = gap[position]
    run = np.cumsum(np.concatenate([[True], missing[1:] != missing[:-1]])) if len(missing) else np.zeros(0, dtype=int)
    lengths = np.bincount(run, weights=missing) if len(missing) else np.zeros(1)
    result = np.zeros(len(gap))
    result[position] = lengths[run] if len(missing) else 0.0
    return result


def _typical_year(
    frame: pd.DataFrame, usable: np.ndarray, where: str, notes: list[str]
) -> tuple[pd.DataFrame, dict[int, float]]:
    """Return 8,760 measured hours, each month from the year nearest to the mean of that month; and the complete years' totals.

    Totals are global horizontal irradiation [kWh/m2].
    """
    index = pd.DatetimeIndex(frame.index)
    leap = (index.month == 2) & (index.day == 29)
    if leap.any():
        notes.append(f"29 February left out ({int(leap.sum())} hours)")
    frame, usable, index = frame.loc[~leap], usable[~leap], index[~leap]
    whole = pd.date_range(f"{TYPICAL_YEAR}-01-01 00:30", periods=HOURS, freq="h")
    wanted = pd.Series(1, index=whole).groupby(whole.month).sum()
    groups = pd.DataFrame(
        {"year": index.year, "month": index.month, "ghi": frame["ghi"].to_numpy() / 1000.0, "usable": usable}
    ).groupby(["month", "year"])
    months = groups.agg(hours=("usable", "sum"), rows=("usable", "size"), ghi=("ghi", "sum")).reset_index()
    # a file of one calendar year ends an hour early, because its 31 December 23:00-24:00 is labelled in the next year
    complete = months[months["hours"] >= months["month"].map(wanted) - 1]
    absent = sorted(set(range(1, 13)) - set(complete["month"]))
    if absent:
        told = "; ".join(_lacking(months, month, int(wanted[month])) for month in absent)
        raise InputError(
            f"{where}: no year has these months complete: {told}. Put another year of the same station beside it, and the "
            f"month is taken from there. {_AGAIN}"
        )
    mean = complete.groupby("month")["ghi"].transform("mean")
    # of two years that are equally near, the later one
    ranked = complete.assign(off=(complete["ghi"] - mean).abs().round(6)).sort_values(
        ["month", "off", "year"], ascending=[True, True, False]
    )
    chosen = ranked.drop_duplicates("month").set_index("month")["year"]
    taken = frame.loc[np.asarray(chosen.reindex(index.month)) == index.year]
    bridged = int(taken["bridged"].sum())
    total = float(taken["ghi"].sum())
    if bridged:
        share = float(taken.loc[taken["bridged"], "ghi"].sum()) / total
        notes.append(f"{bridged:,} missing daylight hours were bridged by the clearness index; {share:.2%} of the year")
    years = sorted(set(complete["year"]))
    if len(years) > 1:
        listed = ", ".join(f"{month}: {year}" for month, year in chosen.items())
        notes.append(
            f"{len(years)} years ({years[0]}-{years[-1]}); each month from the year nearest to its mean ({listed}); "
            f"{total / 1000:,.0f} kWh/m2, mean of the years {complete.groupby('month')['ghi'].mean().sum():,.0f}"
        )
    else:
        notes.append(f"one measured year ({years[0]}), not a typical one")
    moved = taken.index.map(lambda stamp: stamp.replace(year=TYPICAL_YEAR))
    year = taken.drop(columns="bridged").set_axis(moved).reindex(whole)
    year["ghi"] = year["ghi"].fillna(0.0)
    by_year = complete.groupby("year")["ghi"].agg(["size", "sum"])
    totals = {int(number): float(by_year["sum"][number]) for number in by_year.index[by_year["size"] == 12].to_numpy()}
    whole_year = year.interpolate(limit_direction="both") if year["pressure"].notna().any() else _without_pressure(year)
    return whole_year, totals


def _without_pressure(year: pd.DataFrame) -> pd.DataFrame:
    return year.drop(columns="pressure").interpolate(limit_direction="both").assign(pressure=np.nan)


def _lacking(months: pd.DataFrame, month: int, wanted: int) -> str:
    of_month = months[months["month"] == month]
    if of_month.empty:
        return f"month {month} (absent)"
    best = of_month.sort_values("hours").iloc[-1]
    return f"month {month} (best: {int(best['year'])}, {int(best['hours']):,} of {wanted:,} hours usable)"


def _components(year: pd.DataFrame, station: Station) -> pd.DataFrame:
    """Return the year by UTC with direct and diffuse irradiance."""
    frame = year.copy()
    frame.index = _utc(year.index).as_unit("s").rename("time")
    sun = pvlib.solarposition.get_solarposition(
        frame.index, station.latitude, station.longitude, altitude=station.elevation_m
    )
    parts = pvlib.irradiance.erbs(frame["ghi"].to_numpy(), sun["zenith"].to_numpy(), frame.index)
    frame["dni"] = np.asarray(parts["dni"])
    frame["dhi"] = np.asarray(parts["dhi"])
    return frame
