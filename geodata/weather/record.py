"""One typical year of weather, and the checks that every format goes through.

Time convention
---------------
`Weather.frame` is indexed by the *middle* of the interval that a row stands for, in UTC, and the sun is always taken
at the index. Each format module says how its labels become that middle. Months of a typical year come from different
years; all rows are given the year `TYPICAL_YEAR`, which is no leap year.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib

from geodata.errors import InputError

TYPICAL_YEAR = 2023
HOURS = 8760
KST_H = 9.0
"""Korean standard time is this many hours ahead of UTC, without daylight saving since 1988."""

RESTORE = "Take a complete typical year (for example TMYx from climate.onebuilding.org) or restore the rows"

COLUMNS: Mapping[str, str] = {
    "ghi": "global horizontal irradiance",
    "dni": "direct normal irradiance",
    "dhi": "diffuse horizontal irradiance",
    "temp_air": "dry bulb temperature",
    "wind_speed": "wind speed",
    "pressure": "station pressure",
}
# The range outside which a value is impossible: EnergyPlus, Auxiliary Programs, EPW format. Irradiance: nothing at
# ground level reaches 1,600 W/m2 over an hour.
RANGE: Mapping[str, tuple[float, float]] = {
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
    """Which interval a row of the file stands for, in words."""
    notes: tuple[str, ...] = ()
    years_ghi_kwh_m2: Mapping[int, float] = field(default_factory=dict)
    """Yearly global horizontal irradiation of each measured year that is complete [kWh/m2]; empty for a typical year."""

    @property
    def ghi_kwh_m2(self) -> float:
        """Yearly global horizontal irradiation [kWh/m2]."""
        return float(self.frame["ghi"].sum()) / 1000.0


def place_name(path: Path, member: str | None) -> str:
    """Return what a weather file is called in messages."""
    return path.name if member is None else f"{path.name}/{member}"


def read_bytes(path: Path, member: str | None = None) -> bytes:
    """Return the content of a file, or of the ``member`` of a zip archive.

    Raises
    ------
    InputError
        If there is no such file or member, or it cannot be read.
    """
    where = place_name(path, member)
    try:
        if member is None:
            return path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            return archive.read(member)
    except FileNotFoundError:
        raise InputError(f"weather file {path} does not exist") from None
    except KeyError:
        raise InputError(
            f"{where}: the archive has no such member; unpack it and put the weather file into the inbox"
        ) from None
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{where} cannot be read ({error}). Copy it into the inbox again") from error


def decode(raw: bytes) -> str:
    """Return text that is UTF-8, with or without a byte order mark, or else CP949."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp949", errors="replace")


def checked_values(
    data: pd.DataFrame,
    where: str,
    when: Callable[[np.ndarray], str],
    notes: list[str],
    *,
    elevation_m: float,
    missing: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return the six columns as numbers.

    Parameters
    ----------
    data : with the columns of `COLUMNS`, as text or numbers
    where : the file, for messages
    when : gives the time of the first True row of a mask, in the file's own words
    notes : receives what was filled
    elevation_m : of the station; a missing pressure is that of the standard atmosphere there
    missing : value from which on a column's value means "missing"

    Raises
    ------
    InputError
        If values other than pressure are missing, or any is impossible, or the sun never shines.
    """
    frame = pd.DataFrame(index=data.index)
    for name, words in COLUMNS.items():
        numbers = pd.to_numeric(data[name], errors="coerce").astype("float64") + 0.0
        absent = numbers.isna()
        if missing is not None:
            absent |= numbers >= missing[name]
        if name == "pressure" and absent.any():
            # pressure only refracts the sun's rays near the horizon: the standard atmosphere will do
            numbers = numbers.mask(absent, pvlib.atmosphere.alt2pres(elevation_m))
            notes.append(
                f"station pressure missing in {int(absent.sum()):,} hours; standard atmosphere at {elevation_m:g} m taken"
            )
        elif absent.any():
            raise InputError(
                f"{where}: {words} is missing in {int(absent.sum()):,} hours (first: {when(absent.to_numpy())}). {RESTORE}"
            )
        low, high = RANGE[name]
        wrong = (numbers < low) | (numbers > high)
        if wrong.any():
            value = numbers[wrong].iloc[0]
            raise InputError(
                f"{where}: {words} is impossible in {int(wrong.sum()):,} hours (first: {value:g} at {when(wrong.to_numpy())}; "
                f"possible: {low:g} to {high:g}). {RESTORE}"
            )
        frame[name] = numbers
    if float(frame["ghi"].sum()) <= 0:
        raise InputError(f"{where}: global horizontal irradiance is zero all year. {RESTORE}")
    return frame


def cos_zenith(index: pd.DatetimeIndex, latitude: float, longitude: float, elevation_m: float) -> np.ndarray:
    """Return the cosine of the sun's apparent zenith angle at ``index``."""
    position = pvlib.solarposition.get_solarposition(index, latitude, longitude, altitude=elevation_m)
    return np.cos(np.radians(position["apparent_zenith"].to_numpy()))


def closure_error(
    frame: pd.DataFrame, shift: pd.Timedelta, latitude: float, longitude: float, elevation_m: float
) -> float:
    """Return by how much global differs from diffuse + direct x cos(zenith), root mean square [W/m2].

    The sun is taken at the index of ``frame`` moved by ``shift``: only with the sun where it was when the values were
    made do the three components agree with each other.
    """
    ghi, dni, dhi = (frame[name].to_numpy() for name in ("ghi", "dni", "dhi"))
    cosine = cos_zenith(pd.DatetimeIndex(frame.index) + shift, latitude, longitude, elevation_m)
    up = cosine > 0
    if not up.any():
        return float("inf")
    return float(np.sqrt(np.mean((ghi - dhi - dni * cosine)[up] ** 2)))


def night_share(frame: pd.DataFrame, latitude: float, longitude: float) -> float:
    """Return the share of the yearly irradiation that falls into hours in which it was night."""
    position = pvlib.solarposition.get_solarposition(frame.index, latitude, longitude)
    # the sun that is 8 degrees down at mid-interval was below the horizon during the whole hour, even in the tropics
    dark = position["elevation"].to_numpy() < -8.0
    return float(frame["ghi"].to_numpy()[dark].sum() / frame["ghi"].sum())


def refuse_sun_at_night(frame: pd.DataFrame, latitude: float, longitude: float, where: str, origin: str) -> None:
    """Refuse a file whose sun shines in the night: its time zone, hours or coordinates (``origin``) are wrong.

    Raises
    ------
    InputError
        If more than a thousandth of the yearly irradiation falls into the night.
    """
    share = night_share(frame, latitude, longitude)
    if share > 0.001:
        raise InputError(
            f"{where}: {share:.1%} of the yearly irradiation falls into the night. {origin} ({latitude}, {longitude}) "
            "or its time zone does not fit its hours; correct that or take the original file"
        )


def utc_offset_of(longitude: float, latitude: float) -> float:
    """Return the standard time [h ahead of UTC] of a place whose file does not tell: Korea's own, else by longitude."""
    in_korea = 124.0 <= longitude <= 132.5 and 33.0 <= latitude <= 39.0
    return KST_H if in_korea else float(np.round(longitude / 15.0))


def rolled_year(stamps: pd.DatetimeIndex, utc_offset_h: float) -> pd.DatetimeIndex:
    """Return UTC ``stamps`` moved by whole years so that all lie in the `TYPICAL_YEAR` of standard time.

    The hours of 29 February must be gone before.
    """
    local = stamps + pd.Timedelta(hours=utc_offset_h)
    parts = pd.DataFrame({"year": TYPICAL_YEAR, "month": local.month, "day": local.day})
    moved = pd.DatetimeIndex(pd.to_datetime(parts)) + (local.tz_localize(None) - local.tz_localize(None).normalize())
    return pd.DatetimeIndex((moved - pd.Timedelta(hours=utc_offset_h)).tz_localize("UTC")).as_unit("s").rename("time")
