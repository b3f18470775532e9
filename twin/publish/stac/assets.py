"""Files of a release as STAC assets: media type, role, title in both languages, size and checksum."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

import rasterio
from pydantic import BaseModel, ConfigDict

from geodata.catalogue import LAYERS
from geodata.shipped_yaml import shipped_yaml
from twin.publish.durable import sha256_of
from twin.publish.rasters import raster_styles

SHA2_256 = "1220"
"""What a multihash begins with: the code of SHA-256 and its length of 32 bytes."""


class Kind(BaseModel):
    """What files whose names end alike are."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ends: str
    media: str
    roles: tuple[str, ...]


class Title(BaseModel):
    """Title of a file in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ko: str
    en: str


class Words(BaseModel):
    """What ``assets.yaml`` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kinds: tuple[Kind, ...]
    parts: tuple[str, ...]
    whole: tuple[str, ...]
    titles: dict[str, Title]


@cache
def words() -> Words:
    """Return what ``assets.yaml`` says."""
    return Words.model_validate(shipped_yaml(files(__package__).joinpath("assets.yaml").read_text(encoding="utf-8")))


def is_part(name: str) -> bool:
    """Tell whether the file ``name`` of a release is part of something that has an entry of its own."""
    told = words()
    return name not in told.whole and any(fnmatchcase(name, pattern) for pattern in told.parts)


def scenario_of(name: str, scenarios: Sequence[str]) -> str | None:
    """Return the scenario that the file ``name`` of a release belongs to, None where it belongs to all of them."""
    path = PurePosixPath(name)
    for scenario in sorted(scenarios, key=len, reverse=True):
        named = path.stem == scenario or path.name.startswith(f"{scenario}_") or path.stem == f"report_{scenario}"
        if scenario in path.parts[:-1] or named:
            return scenario
    return None


def asset(name: str, path: Path, scenario: str | None, *, up: str, known: Mapping[str, str]) -> dict[str, Any]:
    """Return the STAC asset of the file ``name`` of a release, which now lies at ``path``.

    Parameters
    ----------
    up
        From where the entry will lie to the top of the release: ``../`` for each folder.
    known
        Names to sha256 where that is known already.
    """
    kind = next((k for k in words().kinds if name.endswith(k.ends)), None)
    digest = known.get(name) or sha256_of(path)
    return {
        "href": f"{up}{name}",
        "title": title_of(name, scenario),
        "type": kind.media if kind else "application/octet-stream",
        "roles": list(kind.roles) if kind else ["data"],
        "file:size": path.stat().st_size,
        "file:checksum": f"{SHA2_256}{digest}",
        **(_raster(path) if name.endswith(".tif") else {}),
    }


def title_of(name: str, scenario: str | None) -> str:
    """Return the title of the file ``name``, Korean first; its own name where there is none."""
    path = PurePosixPath(name)
    plain = path.name.removeprefix(f"{scenario}_").replace(f"report_{scenario}", "report")
    stem = PurePosixPath(plain).stem
    room = path.parts[0]
    if path.suffix == ".parquet" and stem in LAYERS:
        return f"{LAYERS[stem].ko} / {LAYERS[stem].en}"
    if room == "rasters" and stem in raster_styles():
        style, look = raster_styles()[stem], " (QGIS 스타일 / style)" if path.suffix == ".qml" else ""
        return f"{style.ko} / {style.en}{look}"
    for key in (name, f"{room}/{plain}", plain, room):
        if key in words().titles:
            return f"{words().titles[key].ko} / {words().titles[key].en}"
    return path.name


def _raster(path: Path) -> dict[str, Any]:
    """Return grid, values and unit of a raster of one band."""
    with rasterio.open(path) as source:
        told: dict[str, Any] = {
            "proj:code": source.crs.to_string(),
            "proj:shape": [source.height, source.width],
            "proj:transform": list(source.transform)[:6],
            "data_type": source.dtypes[0],
        }
        if source.nodata is not None:
            told["nodata"] = "nan" if math.isnan(source.nodata) else source.nodata
        if source.units[0]:
            told["unit"] = source.units[0]
    return told
