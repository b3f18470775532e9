"""Which format a weather file has, and what a look at it tells: by its first lines, never by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from geodata.errors import InputError
from geodata.products.model import WeatherSample
from geodata.weather.asos import asos_station, is_asos_heading
from geodata.weather.record import decode

FORMATS = ("EPW", "PVGIS_TMY", "NSRDB", "KMA_ASOS")
HEAD_BYTES = 4096
_YEARS = {"EPW": (8760,), "PVGIS_TMY": (8760,), "NSRDB": (8760, 8784)}
"""How many rows a whole year has."""


@dataclass(frozen=True)
class WeatherLook:
    """What a weather file looks like before its hours are read."""

    sample: WeatherSample
    encoding: str
    whole_year: bool
    """False: the number of its hours is not that of a year."""


def weather_format(head: bytes) -> str | None:
    """Return which of `FORMATS` a file has, from its first `HEAD_BYTES` bytes; None if it is no weather file."""
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if start[:9].upper() == b"LOCATION,":
        # PVGIS knows no place names and says so
        return "PVGIS_TMY" if start.upper().startswith(b"LOCATION,UNKNOWN,-,UNKNOWN,ECMWF") else "EPW"
    if start.startswith(b"Latitude (decimal degrees):") and b"month,year" in head:
        return "PVGIS_TMY"
    if start[:1] == b"{" and b'"radiation_db"' in head and re.search(rb'"(tmy_hourly|months_selected)"', head):
        return "PVGIS_TMY"
    if start.startswith((b"Source,Location ID,", b'"Source","Location ID"')):
        return "NSRDB"
    first = decode(start.partition(b"\n")[0])
    return "KMA_ASOS" if is_asos_heading(first.strip()) else None


def look_at_weather(raw: bytes) -> WeatherLook:
    """Return what the weather file with the content ``raw`` is.

    Raises
    ------
    InputError
        If its head does not tell where it was made, or an ASOS file lacks irradiation.
    """
    kind = weather_format(raw[:HEAD_BYTES])
    text = decode(raw)
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        if kind == "EPW" or (kind == "PVGIS_TMY" and lines[0].upper().startswith("LOCATION")):
            return _epw(lines, kind)
        if kind == "PVGIS_TMY":
            return _pvgis(text, lines)
        if kind == "NSRDB":
            return _nsrdb(lines)
        if kind == "KMA_ASOS":
            return _asos(lines, raw)
    except (IndexError, ValueError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("its head has no latitude and longitude") from None
    raise InputError("it is no weather file")


def _look(sample: WeatherSample, encoding: str = "UTF-8") -> WeatherLook:
    return WeatherLook(sample, encoding, sample.rows in _YEARS.get(sample.format, (sample.rows,)))


def _epw(lines: list[str], kind: str) -> WeatherLook:
    head = [part.strip() for part in lines[0].split(",")]
    if len(head) < 8:
        raise InputError("its LOCATION line has no latitude and longitude")
    # eight header lines stand before the hours
    rows = max(len(lines) - 8, 0)
    return _look(WeatherSample(kind, head[1], float(head[6]), float(head[7]), rows), "Latin-1")


def _pvgis(text: str, lines: list[str]) -> WeatherLook:
    if lines[0].startswith("Latitude"):
        latitude, longitude = (float(line.split(":")[1]) for line in lines[:2])
        rows = sum(re.match(r"[0-9]{8}:[0-9]{4},", line) is not None for line in lines)
    else:
        place = text.partition('"location"')[2][:400]
        latitude, longitude = (
            float(re.search(rf'"{name}"\s*:\s*(-?[0-9.]+)', place)[1])  # type: ignore[index]
            for name in ("latitude", "longitude")
        )
        rows = text.count('"time(UTC)"')
    station = f"PVGIS {latitude:.3f} N {longitude:.3f} E"
    return _look(WeatherSample("PVGIS_TMY", station, latitude, longitude, rows))


def _nsrdb(lines: list[str]) -> WeatherLook:
    head = dict(zip(lines[0].split(","), lines[1].split(","), strict=False))
    station = f"NSRDB {head['Location ID']}"
    rows = max(len(lines) - 3, 0)
    return _look(WeatherSample("NSRDB", station, float(head["Latitude"]), float(head["Longitude"]), rows))


def _asos(lines: list[str], raw: bytes) -> WeatherLook:
    if "일사" not in lines[0]:
        raise InputError("it has no column 일사(MJ/m2); tick 일사 when downloading")
    numbers = sorted({line.split(",", 1)[0].strip().strip('"') for line in lines[1:]})
    station = asos_station(numbers[0]) if len(numbers) == 1 else None
    encoding = "UTF-8" if _is_utf8(raw) else "CP949"
    if station is None:
        what = f"stations {', '.join(numbers[:5])}" if len(numbers) > 1 else f"station {', '.join(numbers)}"
        known = "one station is needed" if len(numbers) > 1 else "its place is not known"
        raise InputError(f"{what}: {known}")
    sample = WeatherSample("KMA_ASOS", station.number, station.latitude, station.longitude, len(lines) - 1)
    return _look(sample, encoding)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
