"""Whether the numbers of a vegetation index can be trusted: its scale, and clouds over the ground."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from rasterio.windows import Window

from geodata.image_look import NDVI_SCALE
from geodata.parameters import Parameters, load_parameters

BYTE = 255
"""An index of -1 to 1 stretched over a byte for display: where its zero lies, nobody has said."""
SAMPLE = 250_000


@cache
def trust_parameters() -> Parameters:
    """Return the values of ``ndvi.yaml``."""
    return load_parameters("geodata.products", "ndvi.yaml")


def stored_scale(source: Any) -> tuple[float, float]:
    """Return factor and offset from the stored numbers of an index to -1..1.

    Those that the raster declares; integers without any count in ten-thousandths, as satellite products do.
    """
    factor = float(source.scales[0])
    if factor == 1.0 and np.issubdtype(np.dtype(source.dtypes[0]), np.integer):
        factor = NDVI_SCALE
    return factor, float(source.offsets[0])


def scale_problem(source: Any, window: Window) -> str:
    """Return why the numbers of a ready index in ``window`` are no index in -1..1, '' if they may be one."""
    step = max(1, int(np.sqrt(window.width * window.height / SAMPLE)))
    shape = (max(1, int(window.height) // step), max(1, int(window.width) // step))
    stored = source.read(1, window=window, out_shape=shape, masked=True).compressed().astype("float64")
    stored = stored[np.isfinite(stored)]
    if not len(stored):
        return ""
    low, high = float(stored.min()), float(stored.max())
    factor, offset = stored_scale(source)
    undeclared = source.scales[0] == 1.0 and offset == 0.0
    whole = np.issubdtype(np.dtype(source.dtypes[0]), np.integer)
    if whole and undeclared and max(abs(low), abs(high)) <= BYTE:
        return f"whole numbers from {low:g} to {high:g} without a declared scale"
    beyond = 100.0 * float((np.abs(stored * factor + offset) > 1.0 + 1e-6).mean())
    if beyond > float(trust_parameters()["strangers_pct"]):
        return f"{beyond:.0f} % of the cells lie outside -1..1, stored numbers from {low:g} to {high:g}"
    return ""


def clouded(red: np.ndarray, scale: float) -> np.ndarray:
    """Return which cells are taken for cloud; ``red`` is the band less its offset, ``scale`` what the raster declares (1: none)."""
    reflectance = red * (NDVI_SCALE if scale == 1.0 else 1.0)
    return np.asarray(reflectance > float(trust_parameters()["cloud_red_reflectance"]))
