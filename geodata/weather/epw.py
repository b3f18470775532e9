"""Typical years in the EPW format (EnergyPlus).

An EPW row with hour *h* holds means over the hour that ends at *h* o'clock local standard time. Some publishers fill
the rows with values centred on *h* o'clock instead. Such a file gives itself away: its global, direct and diffuse
irradiance only agree with each other when the sun is taken half an hour later. `read_epw` measures this closure for
each reading in `READINGS`, and departs from the standard one only on clear evidence, which it tells in
`Weather.notes`.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib

from geodata.errors import InputError
from geodata.weather.record import (
    HOURS,
    RESTORE,
    TYPICAL_YEAR,
    Weather,
    checked_values,
    closure_error,
    decode,
    place_name,
    read_bytes,
    refuse_sun_at_night,
)

READINGS = {"hour ending": 30, "hour centred": 60}
"""Minutes from the start of the EPW hour to the middle of the interval that a row stands for."""

_HEADER_LINES = 8
# Codes for a missing value: EnergyPlus, Auxiliary Programs, EPW format.
_MISSING = {"ghi": 9999.0, "dni": 9999.0, "dhi": 9999.0, "temp_air": 99.9, "wind_speed": 999.0, "pressure": 999999.0}


def read_epw(path: Path, member: str | None = None) -> Weather:
    """Read an EPW file, or the ``member`` of a zip archive, and refuse anything but one whole, plausible year.

    Raises
    ------
    InputError
        If the file is no EPW, does not hold exactly the 8,760 hours of a year without 29 February, or has missing
        or impossible values, or sun in the night.
    """
    where = place_name(path, member)
    data, meta = parse_epw(decode(read_bytes(path, member)), where)
    notes: list[str] = []
    elevation_m = float(meta["altitude"])
    frame = epw_values(data, where, notes, elevation_m)
    latitude, longitude = float(meta["latitude"]), float(meta["longitude"])
    reading = _reading(frame, latitude, longitude, elevation_m, notes)
    frame.index = frame.index + pd.Timedelta(minutes=READINGS[reading])
    refuse_sun_at_night(frame, latitude, longitude, where, "Its LOCATION line")
    return Weather(
        frame=frame,
        latitude=latitude,
        longitude=longitude,
        elevation_m=elevation_m,
        station=str(meta["city"]),
        source=f"{meta['data_type']} {meta['WMO_code']}, {where}",
        utc_offset_h=float(meta["TZ"]),
        reading=reading,
        notes=tuple(notes),
    )


def parse_epw(text: str, where: str) -> tuple[pd.DataFrame, dict]:
    """Return the rows of an EPW file, indexed by the start of the hour in UTC (`TYPICAL_YEAR`), and its LOCATION.

    Raises
    ------
    InputError
        If the text is no EPW, or does not hold each hour of a common year exactly once.
    """
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
    return data, meta


def epw_values(data: pd.DataFrame, where: str, notes: list[str], elevation_m: float) -> pd.DataFrame:
    """Return the six columns of EPW rows as numbers; refuse missing and impossible values (`checked_values`)."""

    def when(mask: np.ndarray) -> str:
        row = data.loc[mask].iloc[0]
        return f"month {int(row['month'])}, day {int(row['day'])}, hour {int(row['hour'])}"

    return checked_values(data, where, when, notes, elevation_m=elevation_m, missing=_MISSING)


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
    raise InputError(f"{told}: {'; '.join(parts)}. {RESTORE}")


def _hour(number: int) -> str:
    return f"month {number // 10_000}, day {number // 100 % 100}, hour {number % 100}"


def _reading(frame: pd.DataFrame, latitude: float, longitude: float, elevation_m: float, notes: list[str]) -> str:
    """Return the reading under which global = diffuse + direct x cos(zenith) holds, the standard one if in doubt."""
    error = {
        name: closure_error(frame, pd.Timedelta(minutes=minutes), latitude, longitude, elevation_m)
        for name, minutes in READINGS.items()
    }
    standard, other = error["hour ending"], error["hour centred"]
    # 10 W/m2 is far above rounding to whole watts; half is far below what any partly sunny file gives by chance
    if standard > 10.0 and other < 0.5 * standard:
        notes.append(
            "rows are read as centred on the full hour, not as hour-ending: global, direct and diffuse irradiance of the "
            f"file agree within {other:.1f} W/m2 (rms) that way, and only within {standard:.1f} W/m2 in the standard reading"
        )
        return "hour centred"
    return "hour ending"
