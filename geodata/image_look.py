"""What the bands of an image are: a vegetation index, one spectral band, or an aerial photograph with near infrared.

An index shows itself by its values. The red and the infrared band of a satellite look alike, though: which one a file
holds is said by the band's own description, else by the band number that the publisher writes into the file name
(``…_B04_10m.jp2``). No other fact is ever taken from a name.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

NDVI_SCALE = 0.0001
"""Factor from stored integers to NDVI that satellite products use; integers without a declared one are taken so."""
HIGHEST_LAND_M = 2800.0
"""Integers above this are no heights of Korea."""

_BANDS = {
    "red": re.compile(r"(?:^|[_.\-\s])(?:b0?4|red)(?=$|[_.\-\s])"),
    "nir": re.compile(r"(?:^|[_.\-\s])(?:b0?8|nir)(?=$|[_.\-\s])"),
}
_FLOATS = ("float32", "float64")


def band_names(raster: Any, path: str, minimum: float | None, maximum: float | None) -> tuple[str, ...]:
    """Return what the bands of an open raster are: ``("ndvi",)``, ``("red",)``, ``("nir",)``, red, green, blue and nir, or none.

    Parameters
    ----------
    raster
        Open rasterio dataset.
    path
        The file as it is shown.
    minimum, maximum
        Range of sampled values of the first band.
    """
    if raster.count == 1:
        return _single(raster, path, minimum, maximum)
    if raster.count != 4:
        return ()
    told = tuple(_told(text or "") for text in raster.descriptions)
    if told.count("red") == 1 and told.count("nir") == 1:
        return tuple(name or f"band {number}" for number, name in enumerate(told, 1))
    colours = [colour.name for colour in raster.colorinterp]
    # a fourth band that is transparency says so; Korean four-band orthophotos are red, green, blue, near infrared
    if colours[:3] == ["red", "green", "blue"] and colours[3] != "alpha":
        return ("red", "green", "blue", "nir")
    return ()


def _single(raster: Any, path: str, minimum: float | None, maximum: float | None) -> tuple[str, ...]:
    dtype = raster.dtypes[0]
    if raster.colorinterp[0].name == "palette" or minimum is None or maximum is None:
        return ()
    name = _told(raster.descriptions[0] or "") or _told(PurePosixPath(path).stem)
    if name and minimum >= 0 and (dtype == "uint16" or (dtype in _FLOATS and maximum <= 2.0)):
        return (name,)
    if dtype in _FLOATS and minimum >= -1 and maximum <= 1 and maximum - minimum > 0.05:
        return ("ndvi",)
    if dtype == "int16" and minimum >= -10_000 and maximum <= 10_000:
        declared = abs(raster.scales[0] - NDVI_SCALE) < 1e-9
        if declared or maximum > HIGHEST_LAND_M:
            return ("ndvi",)
    return ()


def _told(text: str) -> str:
    found = [name for name, pattern in _BANDS.items() if pattern.search(text.casefold())]
    return found[0] if len(found) == 1 else ""


def scene_of(path: str) -> str:
    """Return what the red and the infrared band of one scene share: their path without the band."""
    stem = path.casefold()
    for pattern in _BANDS.values():
        stem = pattern.sub("_*", stem)
    return stem
