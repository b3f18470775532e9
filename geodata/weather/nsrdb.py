"""Weather from the NSRDB (NREL / NLR), PSM3 and PSM4, read by pvlib.

Rows are labelled with the moment that they stand for, in the middle of their interval (hh:30 for hourly files of the
Americas, hh:00 for the Himawari disc that covers Korea). The label is therefore the index, unless the three components of
irradiance say clearly that it is half an hour off.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib

from geodata.errors import InputError
from geodata.weather.record import (
    COLUMNS,
    HOURS,
    Weather,
    checked_values,
    closure_error,
    decode,
    place_name,
    read_bytes,
    refuse_sun_at_night,
    rolled_year,
    utc_offset_of,
)

_UNITS = {
    "GHI Units": ("w/m2",),
    "DNI Units": ("w/m2",),
    "DHI Units": ("w/m2",),
    "Temperature Units": ("c",),
    "Pressure Units": ("mbar", "millibar", "hpa"),
    "Wind Speed Units": ("m/s", "meter/second"),
}
_SHIFTS = {"as labelled": 0, "half an hour later": 30, "half an hour earlier": -30}
_AGAIN = "Download it again from https://nsrdb.nlr.gov with interval 60 minutes and no leap day"


def read_nsrdb(path: Path, member: str | None = None) -> Weather:
    """Read an NSRDB file (PSM3 or PSM4 in SAM CSV format), or the ``member`` of a zip archive.

    29 February of a leap year is left out, which is told.

    Raises
    ------
    InputError
        If the file cannot be parsed, has other units, is not hourly over one whole year, or its values are missing,
        impossible or shine at night.
    """
    where = place_name(path, member)
    text = decode(read_bytes(path, member)).replace("\r\n", "\n")
    try:
        data, meta = pvlib.iotools.read_nsrdb_psm4(io.StringIO(text))
    except (ValueError, KeyError, IndexError, TypeError, StopIteration, pd.errors.ParserError) as error:
        raise InputError(f"{where} cannot be parsed as an NSRDB file ({error}). {_AGAIN}") from error
    for name, known in _UNITS.items():
        unit = str(meta.get(name, known[0])).strip().casefold()
        if unit not in known:
            raise InputError(f"{where}: {name} is {unit!r}, expected {known[0]!r}. {_AGAIN}")
    absent = [name for name in COLUMNS if name not in data.columns]
    if absent:
        raise InputError(
            f"{where} lacks {', '.join(COLUMNS[name] for name in absent)}. Download it with these attributes"
        )
    data["pressure"] *= 100.0
    notes: list[str] = []
    data = _one_year(data, where, notes)
    stamps = pd.DatetimeIndex(data.index)

    def when(mask: np.ndarray) -> str:
        return f"{stamps[mask][0]:%Y-%m-%d %H:%M}"

    latitude, longitude, elevation_m = (float(meta[name]) for name in ("latitude", "longitude", "altitude"))
    frame = checked_values(data, where, when, notes, elevation_m=elevation_m)
    zone = utc_offset_of(longitude, latitude)
    frame.index = rolled_year(stamps.tz_convert("UTC"), zone)
    frame = frame.sort_index()
    reading = _reading(frame, latitude, longitude, elevation_m, notes)
    frame.index = rolled_year(pd.DatetimeIndex(frame.index) + pd.Timedelta(minutes=_SHIFTS[reading]), zone)
    frame = frame.sort_index()
    refuse_sun_at_night(frame, latitude, longitude, where, "Its place")
    return Weather(
        frame=frame,
        latitude=latitude,
        longitude=longitude,
        elevation_m=elevation_m,
        station=f"NSRDB {meta.get('Location ID', '')}".strip(),
        source=f"{meta.get('Source', 'NSRDB')} {meta.get('Version', '')}".strip() + f", {where}",
        utc_offset_h=zone,
        reading=reading,
        notes=tuple(notes),
    )


def _one_year(data: pd.DataFrame, where: str, notes: list[str]) -> pd.DataFrame:
    """Return the 8,760 hours of a common year; refuse other intervals, gaps and repetitions."""
    stamps = pd.DatetimeIndex(data.index)
    if len(stamps) > 8784:
        raise InputError(f"{where} has {len(stamps):,} rows: it is not hourly. {_AGAIN}")
    leap = (stamps.month == 2) & (stamps.day == 29)
    if leap.any():
        notes.append(f"29 February left out ({int(leap.sum())} hours)")
        data, stamps = data.loc[~leap], stamps[~leap]
    hours = stamps.month * 10_000 + stamps.day * 100 + stamps.hour
    repeated = len(hours) - len(np.unique(hours))
    if len(hours) != HOURS or repeated:
        missing = HOURS - len(np.unique(hours))
        raise InputError(
            f"{where} has {len(hours):,} hourly rows, expected 8,760: {missing:,} missing, {repeated:,} repeated. {_AGAIN}"
        )
    return data


def _reading(frame: pd.DataFrame, latitude: float, longitude: float, elevation_m: float, notes: list[str]) -> str:
    error = {
        name: closure_error(frame, pd.Timedelta(minutes=minutes), latitude, longitude, elevation_m)
        for name, minutes in _SHIFTS.items()
    }
    best = min(error, key=lambda name: error[name])
    # the same evidence that an EPW file has to give
    if error["as labelled"] > 10.0 and error[best] < 0.5 * error["as labelled"]:
        notes.append(
            f"rows are taken {best} than their label: global, direct and diffuse irradiance agree within {error[best]:.1f} "
            f"W/m2 (rms) that way, and only within {error['as labelled']:.1f} W/m2 as labelled"
        )
        return best
    return "as labelled"
