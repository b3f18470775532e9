"""Typical years from PVGIS (European Commission, JRC): CSV, JSON and EPW, read by pvlib.

Rows are labelled in UTC at the full hour, but their irradiance belongs to a moment some minutes later: to the satellite
scan, or to the middle of the hour where it comes from reanalysis. PVGIS 5.3 states that offset in its CSV; other outputs
do not. It is then found from the file itself: global, direct and diffuse irradiance agree with each other only when the
sun is taken at the right moment. Temperature, wind and pressure stay with their row.

The EPW output holds the same rows. Its hour *h* is the row labelled *h* - 1 in UTC; only if that puts the sun into the
night, the hours are taken in the time zone of its LOCATION line.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
from scipy.optimize import minimize_scalar

from geodata.errors import InputError
from geodata.weather.epw import epw_values, parse_epw
from geodata.weather.record import (
    COLUMNS,
    HOURS,
    TYPICAL_YEAR,
    Weather,
    checked_values,
    closure_error,
    decode,
    night_share,
    place_name,
    read_bytes,
    refuse_sun_at_night,
    rolled_year,
    utc_offset_of,
)

READING = "moment after the full hour (UTC)"
_AGAIN = "Download it again from https://re.jrc.ec.europa.eu/pvg_tools (tab TMY, whole file)"


def read_pvgis(path: Path, member: str | None = None) -> Weather:
    """Read a PVGIS typical year in CSV, JSON or EPW format, or the ``member`` of a zip archive.

    The year is rolled so that it begins at midnight of standard time (`utc_offset_of`).

    Raises
    ------
    InputError
        If the file cannot be parsed, does not hold each hour of a common year once, or its values are missing,
        impossible or shine at night.
    """
    where = place_name(path, member)
    text = decode(read_bytes(path, member))
    notes: list[str] = []
    if text.upper().startswith("LOCATION,"):
        frame, latitude, longitude, elevation_m = _epw(text, where, notes)
        source, offset = "PVGIS TMY (EPW)", None
    else:
        frame, inputs = _rows(text, where, notes)
        latitude, longitude, elevation_m = (float(inputs[name]) for name in ("latitude", "longitude", "elevation"))
        source, offset = str(inputs["source"]), inputs["offset"]
    if offset is None:
        offset = _moment(frame, latitude, longitude, elevation_m, notes)
    frame.index = frame.index + pd.Timedelta(seconds=round(offset * 3600))
    zone = utc_offset_of(longitude, latitude)
    frame.index = rolled_year(pd.DatetimeIndex(frame.index), zone)
    frame = frame.sort_index()
    refuse_sun_at_night(frame, latitude, longitude, where, "Its place")
    return Weather(
        frame=frame,
        latitude=latitude,
        longitude=longitude,
        elevation_m=elevation_m,
        station=f"PVGIS {latitude:.3f} N {longitude:.3f} E",
        source=f"{source}, {where}",
        utc_offset_h=zone,
        reading=READING,
        notes=tuple(notes),
    )


def _rows(text: str, where: str, notes: list[str]) -> tuple[pd.DataFrame, dict]:
    """Return the values of a CSV or JSON output, indexed by label (UTC, `TYPICAL_YEAR`), and what its head tells."""
    is_json = text.lstrip().startswith("{")
    try:
        if is_json:
            document = json.loads(text)
            data, meta = pvlib.iotools.read_pvgis_tmy(io.StringIO(text), pvgis_format="json")
            place, origin = document["inputs"]["location"], document["inputs"]["meteo_data"]
            source = f"PVGIS TMY {origin['radiation_db']} {origin['year_min']}-{origin['year_max']}"
            offset = document["inputs"].get("irradiance time offset", place.get("irradiance_time_offset"))
        else:
            data, meta = pvlib.iotools.read_pvgis_tmy(io.BytesIO(text.encode("utf-8")), pvgis_format="csv")
            place = meta["inputs"]
            offset = place.get("irradiance time offset")
            years = [entry["year"] for entry in meta["months_selected"]]
            source = f"PVGIS TMY, months from {min(years)}-{max(years)}"
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError(f"{where} cannot be parsed as a PVGIS typical year ({error}). {_AGAIN}") from error
    absent = [name for name in COLUMNS if name not in data.columns]
    if absent:
        raise InputError(f"{where} lacks {', '.join(COLUMNS[name] for name in absent)}. {_AGAIN}")
    stamps = pd.DatetimeIndex(data.index)

    def when(mask: np.ndarray) -> str:
        return f"{stamps[mask][0]:%Y-%m-%d %H:%M} UTC"

    _check_calendar(stamps, where)
    frame = checked_values(data, where, when, notes, elevation_m=float(place["elevation"]))
    frame.index = rolled_year(stamps, 0.0)
    inputs = {name: place[name] for name in ("latitude", "longitude", "elevation")}
    return frame.sort_index(), inputs | {"source": source, "offset": offset}


def _check_calendar(stamps: pd.DatetimeIndex, where: str) -> None:
    """Refuse anything but each hour of a common year once, whatever year a month comes from."""
    found = stamps.month * 10_000 + stamps.day * 100 + stamps.hour
    year = pd.date_range(f"{TYPICAL_YEAR}-01-01", periods=HOURS, freq="h")
    expected = year.month * 10_000 + year.day * 100 + year.hour
    if len(stamps) == HOURS and np.array_equal(np.sort(found), expected):
        return
    missing, repeated = np.setdiff1d(expected, found), len(found) - len(np.unique(found))
    raise InputError(
        f"{where} has {len(stamps):,} hourly rows, expected 8,760: {len(missing):,} missing, {repeated:,} repeated. {_AGAIN}"
    )


def _epw(text: str, where: str, notes: list[str]) -> tuple[pd.DataFrame, float, float, float]:
    """Return the values of an EPW output, indexed by the label of the row in UTC."""
    data, meta = parse_epw(text, where)
    latitude, longitude, elevation_m = (float(meta[name]) for name in ("latitude", "longitude", "altitude"))
    values = epw_values(data, where, notes, elevation_m)
    zone = float(meta["TZ"])
    # `parse_epw` has taken the hours in the time zone of LOCATION; the row of hour h starts at h - 1
    as_utc = values.set_axis(rolled_year(pd.DatetimeIndex(values.index) + pd.Timedelta(hours=zone), 0.0)).sort_index()
    if night_share(as_utc, latitude, longitude) <= 0.001:
        return as_utc, latitude, longitude, elevation_m
    # in local time the row of hour h is labelled h
    local = values.set_axis(rolled_year(pd.DatetimeIndex(values.index) + pd.Timedelta(hours=1), 0.0)).sort_index()
    notes.append(
        f"hours are taken in the time zone of the LOCATION line (UTC{zone:+g}): in UTC the sun would shine at night"
    )
    return local, latitude, longitude, elevation_m


def _moment(frame: pd.DataFrame, latitude: float, longitude: float, elevation_m: float, notes: list[str]) -> float:
    """Return how long after the label the irradiance was taken [h], found by closure and rounded to a minute."""

    def error(minutes: float) -> float:
        return closure_error(frame, pd.Timedelta(minutes=minutes), latitude, longitude, elevation_m)

    best = minimize_scalar(error, bounds=(0.0, 60.0), method="bounded", options={"xatol": 0.2})
    minutes = float(np.round(best.x))
    notes.append(
        f"the file does not say to which moment its irradiance belongs; {minutes:.0f} minutes after the full hour, where its "
        f"global, direct and diffuse irradiance agree within {float(best.fun):.1f} W/m2 (rms)"
    )
    return minutes / 60.0
