"""The height grid as the survey hands it out: an ERDAS IMG whose missing cells are not declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from geodata.demo.relief import CELL_M, Relief
from geodata.demo.spec import CRS

MISSING = -9999.0


def write_terrain(inbox: Path, relief: Relief) -> dict[str, Any]:
    """Write ``DEM_5m.img`` and return what was planted: a corner without heights, as where a sheet frame runs askew."""
    height = relief.height_m.astype("float32").round(2)
    rows, columns = height.shape
    wedge = np.add.outer(np.arange(rows), np.arange(columns)) < min(rows, columns) // 9
    height[wedge] = MISSING
    with rasterio.open(
        inbox / "DEM_5m.img",
        "w",
        driver="HFA",
        width=columns,
        height=rows,
        count=1,
        dtype="float32",
        crs=CRS,
        transform=relief.transform,
    ) as target:
        target.write(height, 1)
    known = height[~wedge]
    return {
        "cell_size_m": CELL_M,
        "cells": int(height.size),
        "cells_missing_undeclared": int(wedge.sum()),
        "missing_value": MISSING,
        "minimum_m": round(float(known.min()), 2),
        "maximum_m": round(float(known.max()), 2),
    }
