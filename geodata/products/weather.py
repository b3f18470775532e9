"""The door to weather: whatever format a file has, it becomes one `Weather`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from geodata.errors import InputError
from geodata.inventory import Dataset, LayerPart
from geodata.weather.asos import read_asos
from geodata.weather.epw import READINGS, read_epw
from geodata.weather.formats import FORMATS, HEAD_BYTES, weather_format
from geodata.weather.nsrdb import read_nsrdb
from geodata.weather.pvgis import read_pvgis
from geodata.weather.record import Weather, place_name, read_bytes

_READERS: Mapping[str, Callable[[Path, str | None], Weather]] = {
    "EPW": read_epw,
    "PVGIS_TMY": read_pvgis,
    "NSRDB": read_nsrdb,
}


def read_weather(inbox: Path, datasets: Sequence[Dataset]) -> Weather:
    """Read the weather of an inbox: one file, plain or inside an archive, or all years of one ASOS station.

    Raises
    ------
    InputError
        If there is more than one weather file, or the file is unusable (see the reader of its format).
    """
    parts = [part for dataset in datasets for part in dataset.parts]
    files = [_file(inbox, part) for part in parts]
    if not parts or (len(parts) > 1 and (len(datasets) > 1 or datasets[0].product != "KMA_ASOS")):
        names = ", ".join(sorted(part.data_source for part in parts)) or "none"
        raise InputError(
            f"one weather file is needed, found {len(parts)}: {names}. Name the one to use in the site file under sources.weather.path"
        )
    found = [weather_format(read_bytes(*file)[:HEAD_BYTES]) for file in files]
    if set(found) == {"KMA_ASOS"}:
        return read_asos(files)
    path, member = files[0]
    if found[0] is None or len(files) > 1:
        raise InputError(f"{place_name(path, member)} is none of the known weather formats: {', '.join(FORMATS)}")
    return _READERS[found[0]](path, member)


def _file(inbox: Path, part: LayerPart) -> tuple[Path, str | None]:
    member = part.data_source.removeprefix(part.file.path + "/") if part.data_source != part.file.path else None
    return inbox / part.file.path, member


__all__ = ["READINGS", "Weather", "read_epw", "read_weather"]
