"""Typical-year weather from EPW files.

Time convention
---------------
An EPW row with hour *h* holds means over the hour that ends at *h* o'clock local standard time. `Weather.frame` is
indexed by the *middle* of that interval in UTC, and the sun is always taken at the index. Some publishers fill the
rows with values centred on *h* o'clock instead. Such a file gives itself away: its global, direct and diffuse
irradiance only agree with each other when the sun is taken half an hour later. `read_epw` measures this closure for
each reading in `READINGS`, and departs from the standard one only on clear evidence, which it tells in
`Weather.notes`.

Months of a typical year come from different years; all rows are given the year `TYPICAL_YEAR`, which is no leap year.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib

from geodata.errors import InputError
from geodata.inventory import Dataset

TYPICAL_YEAR = 2023
HOURS = 8760

READINGS = {"hour ending": 30, "hour centred": 60}
"""Minutes from the start of the EPW hour to the middle of the interval that a row stands for."""

_HEADER_LINES = 8
_RESTORE = "Take a complete typical year (for example TMYx from climate.onebuilding.org) or restore the rows"

_COLUMNS = {
    "ghi": "global horizontal irradiance",
    "dni": "direct normal irradiance",
    "dhi": "diffuse horizontal irradiance",
    "temp_air": "dry bulb temperature",
    "wind_speed": "wind speed",
    "pressure": "station pressure",
}
# Codes for a missing value and the range outside which a value is impossible: EnergyPlus, Auxiliary Programs, EPW
# format. Irradiance: nothing at ground level reaches 1,600 W/m2 over an hour.
_MISSING = {"ghi": 9999.0, "dni": 9999.0, "dhi": 9999.0, "temp_air": 99.9, "wind_speed": 999.0, "pressure": 999999.0}
_RANGE = {
    "ghi": (0.0, 1600.0),
    "dni": (0.0, 1600.0),
    "dhi": (0.0, 1600.0),
    "temp_air": (-70.0, 70.0),
    "wind_speed": (0.0, 60.0),
    "pressure": (31_000.0, 120_000.0),
}


@dataclass(frozen=True)
class Weather:
    """One typical year.

    ``frame`` has 8,760 rows in time order, indexed by the middle of each interval (UTC), with columns ``ghi``,
    ``dni``, ``dhi`` [W/m2], ``temp_air`` [degC], ``wind_speed`` [m/s] and ``pressure`` [Pa], none of them missing.
    """

    frame: pd.DataFrame
    latitude: float
    longitude: float
    elevation_m: float
    station: str
    source: str
    utc_offset_h: float
    reading: str = "hour ending"
    """Which interval a row stands for: a key of `READINGS`."""
    notes: tuple[str, ...] = ()

    @property
    def ghi_kwh_m2(self) -> float:
        """Yearly global horizontal irradiation [kWh/m2]."""
        return float(self.frame["ghi"].sum()) / 1000.0


def read_epw(path: Path, member: str | None = None) -> Weather:
    """Read an EPW file, or the ``member`` of a zip archive, and refuse anything but one whole, plausible year.

    Raises
    ------
    InputError
        If the file is no EPW, does not hold exactly the 8,760 hours of a year without 29 February, or has missing
        or impossible values, or sun in the night.
    """
    where = path.name if member is None else f"{path.name}/{member}"
    text = _text(path, member, where)
    lines = text.splitlines()
    if not lines or not lines[0].upper().startswith("LOCATION,"):
        raise InputError(f"{where} is not an EPW weather file: its first line must begin with LOCATION")
    if len(lines) < _HEADER_LINES or not lines[7].upper().startswith("DATA PERIODS"):
        raise InputError(
            f"{where}: line 8 must begin with DATA PERIODS; the EPW header is incomplete. Take the original file"
        )
    rows = [line for line in lines[_HEADER_LINES:] if line.strip()]
    _check_calendar(rows, where)
    # only clean ASCII separators reach the parser; comments may be in any encoding
    buffer = io.StringIO("\n".join([*lines[:_HEADER_LINES], *rows]) + "\n")
    try:
        data, meta = pvlib.iotools.read_epw(buffer, coerce_year=TYPICAL_YEAR)
    except (ValueError, KeyError, pd.errors.ParserError) as error:
        raise InputError(f"{where} cannot be parsed as EPW ({error}). Take the original file again") from error
    data = data.rename(columns={"atmospheric_pressure": "pressure"}).sort_index()
    data.index = data.index.tz_convert("UTC").as_unit("s").rename("time")
    notes: list[str] = []
    frame = _values(data, float(meta["altitude"]), where, notes)
    latitude, longitude = float(meta["latitude"]), float(meta["longitude"])
    reading = _reading(frame, latitude, longitude, float(meta["altitude"]), notes)
    frame.index = frame.index + pd.Timedelta(minutes=READINGS[reading])
    _check_night(frame, latitude, longitude, where)
    return Weather(
        frame=frame,
        latitude=latitude,
        longitude=longitude,
        elevation_m=float(meta["altitude"]),
        station=str(meta["city"]),
        source=f"{meta['data_type']} {meta['WMO_code']}, {where}",
        utc_offset_h=float(meta["TZ"]),
        reading=reading,
        notes=tuple(notes),
    )


def read_weather(inbox: Path, datasets: Sequence[Dataset]) -> Weather:
    """Read the one weather file of an inbox, plain or inside an archive.

    Raises
    ------
    InputError
        If there is more than one weather file, or the file is unusable (see `read_epw`).
    """
    parts = [part for dataset in datasets for part in dataset.parts]
    if len(parts) != 1:
        names = ", ".join(sorted(part.data_source for part in parts)) or "none"
        raise InputError(
            f"one weather file is needed, found {len(parts)}: {names}. Name the one to use in the site file under sources.weather.path"
        )
    part = parts[0]
    member = part.data_source.removeprefix(part.file.path + "/") if part.data_source != part.file.path else None
    return read_epw(inbox / part.file.path, member)


def _text(path: Path, member: str | None, where: str) -> str:
    try:
        if member is None:
            raw = path.read_bytes()
        else:
            with zipfile.ZipFile(path) as archive:
                raw = archive.read(member)
    except FileNotFoundError:
        raise InputError(f"weather file {path} does not exist") from None
    except KeyError:
        raise InputError(
            f"{where}: the archive has no such member; unpack it and put the .epw file into the inbox"
        ) from None
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{where} cannot be read ({error}). Copy it into the inbox again") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp949", errors="replace")


def _check_calendar(rows: list[str], where: str) -> None:
    """Refuse anything but each hour of a common year exactly once."""
    count = len(rows)
    try:
        found = np.array([[int(value) for value in row.split(",", 4)[1:4]] for row in rows], dtype=np.int64).reshape(
            -1, 3
        )
    except ValueError as error:
        raise InputError(
            f"{where}: a data row does not begin with year, month, day, hour ({error}). Take the original file"
        ) from None
    numbers = found[:, 0] * 10_000 + found[:, 1] * 100 + found[:, 2]
    days = pd.date_range(f"{TYPICAL_YEAR}-01-01", periods=365, freq="D")
    expected = np.repeat(np.asarray(days.month * 10_000 + days.day * 100), 24) + np.tile(np.arange(1, 25), 365)
    if count == HOURS and np.array_equal(np.sort(numbers), expected):
        return
    told = f"{where} has {count:,} hourly rows, expected 8,760"
    if (found[:, 0] * 100 + found[:, 1] == 229).any():
        raise InputError(f"{told}: it holds 29 February. Remove that day, or take a typical year, which has none")
    missing = np.setdiff1d(expected, numbers)
    unique, times = np.unique(numbers, return_counts=True)
    repeated, strange = unique[times > 1], np.setdiff1d(unique, expected)
    parts = [
        f"{len(hours):,} {what} (first: {_hour(int(hours[0]))})"
        for what, hours in (("missing", missing), ("repeated", repeated), ("outside the calendar", strange))
        if len(hours)
    ]
    raise InputError(f"{told}: {'; '.join(parts)}. {_RESTORE}")


def _hour(number: int) -> str:
    return f"month {number // 10_000}, day {number // 100 % 100}, hour {number % 100}"


def _values(data: pd.DataFrame, elevation_m: float, where: str, notes: list[str]) -> pd.DataFrame:
    """Return the six columns as numbers; refuse missing and impossible values."""
    frame = pd.DataFrame(index=data.index)
    for name, words in _COLUMNS.items():
        numbers = pd.to_numeric(data[name], errors="coerce").astype("float64")
        missing = numbers.isna() | (numbers >= _MISSING[name])
        if name == "pressure" and missing.any():
            # pressure only refracts the sun's rays near the horizon: the standard atmosphere will do
            numbers = numbers.mask(missing, pvlib.atmosphere.alt2pres(elevation_m))
            notes.append(
                f"station pressure missing in {int(missing.sum()):,} hours; standard atmosphere at {elevation_m:g} m taken"
            )
        elif missing.any():
            raise InputError(
                f"{where}: {words} is missing in {int(missing.sum()):,} hours (first: {_when(data, missing)}). {_RESTORE}"
            )
        low, high = _RANGE[name]
        wrong = (numbers < low) | (numbers > high)
        if wrong.any():
            value = numbers[wrong].iloc[0]
            raise InputError(
                f"{where}: {words} is impossible in {int(wrong.sum()):,} hours (first: {value:g} at {_when(data, wrong)}; "
                f"possible: {low:g} to {high:g}). {_RESTORE}"
            )
        frame[name] = numbers
    if float(frame["ghi"].sum()) <= 0:
        raise InputError(f"{where}: global horizontal irradiance is zero all year. {_RESTORE}")
    return frame


def _when(data: pd.DataFrame, mask: pd.Series) -> str:
    row = data.loc[mask.to_numpy()].iloc[0]
    return f"month {int(row['month'])}, day {int(row['day'])}, hour {int(row['hour'])}"


def _cos_zenith(index: pd.DatetimeIndex, latitude: float, longitude: float, elevation_m: float) -> np.ndarray:
    position = pvlib.solarposition.get_solarposition(index, latitude, longitude, altitude=elevation_m)
    return np.cos(np.radians(position["apparent_zenith"].to_numpy()))


def _reading(frame: pd.DataFrame, latitude: float, longitude: float, elevation_m: float, notes: list[str]) -> str:
    """Return the reading under which global = diffuse + direct x cos(zenith) holds, the standard one if in doubt."""
    error: dict[str, float] = {}
    ghi, dni, dhi = (frame[name].to_numpy() for name in ("ghi", "dni", "dhi"))
    for name, minutes in READINGS.items():
        middle = pd.DatetimeIndex(frame.index) + pd.Timedelta(minutes=minutes)
        cos_zenith = _cos_zenith(middle, latitude, longitude, elevation_m)
        up = cos_zenith > 0
        error[name] = float(np.sqrt(np.mean((ghi - dhi - dni * cos_zenith)[up] ** 2)))
    standard, other = error["hour ending"], error["hour centred"]
    # 10 W/m2 is far above rounding to whole watts; half is far below what any partly sunny file gives by chance
    if standard > 10.0 and other < 0.5 * standard:
        notes.append(
            "rows are read as centred on the full hour, not as hour-ending: global, direct and diffuse irradiance of the "
            f"file agree within {other:.1f} W/m2 (rms) that way, and only within {standard:.1f} W/m2 in the standard reading"
        )
        return "hour centred"
    return "hour ending"


def _check_night(frame: pd.DataFrame, latitude: float, longitude: float, where: str) -> None:
    """Refuse a file whose sun shines in the night: its time zone, hours or coordinates are wrong."""
    position = pvlib.solarposition.get_solarposition(frame.index, latitude, longitude)
    # the sun that is 8 degrees down at mid-interval was below the horizon during the whole hour, even in the tropics
    dark = position["elevation"].to_numpy() < -8.0
    share = float(frame["ghi"].to_numpy()[dark].sum() / frame["ghi"].sum())
    if share > 0.001:
        raise InputError(
            f"{where}: {share:.1%} of the yearly irradiation falls into the night. Its LOCATION line ({latitude}, {longitude}) "
            "or its time zone does not fit its hours; correct that line or take the original file"
        )
