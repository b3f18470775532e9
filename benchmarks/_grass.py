"""Horizon angles by GRASS ``r.horizon``, for comparison."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

# on the central meridian of EPSG:5186, so that true north is up in the raster
_WEST, _SOUTH = 200_000.0, 540_000.0

_SCRIPT = """set -e
r.in.gdal --quiet input=dem.tif output=dem
g.region raster=dem
TIMEFORMAT='took %R %U %S'
time r.horizon -d --quiet elevation=dem step={step:g} start={start:g} end={end:g} maxdistance={reach:g} output=horizon
for map in $(g.list type=raster pattern='horizon_*'); do
  r.out.gdal --quiet -c input=$map output=$map.tif format=GTiff type=Float32
done
"""


@dataclass(frozen=True)
class GrassHorizons:
    """Horizon angles [deg] by azimuth clockwise from north, and what they took."""

    by_azimuth: dict[float, np.ndarray]
    seconds: float
    processor_seconds: float


def grass_missing() -> str:
    """Return why GRASS cannot be run here, or nothing."""
    return "" if shutil.which("grass") else "GRASS is not installed; on Debian: apt-get install grass-core"


def grass_horizons(heights: np.ndarray, cell_size_m: float, *, start_deg: float, step_deg: float) -> GrassHorizons:
    """Return the horizon of every cell in some directions, seen as far as the raster reaches.

    ``start_deg`` and ``step_deg`` are GRASS's own: counter-clockwise from east. Reading and writing maps is not timed.

    Raises
    ------
    RuntimeError
        If GRASS fails.
    """
    rows, columns = heights.shape
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = Affine(cell_size_m, 0, _WEST, 0, -cell_size_m, _SOUTH + rows * cell_size_m)
        options = {"driver": "GTiff", "dtype": "float32", "count": 1, "width": columns, "height": rows}
        with rasterio.open(folder / "dem.tif", "w", crs="EPSG:5186", transform=place, **options) as target:
            target.write(heights.astype(np.float32), 1)
        reach = np.hypot(rows, columns) * cell_size_m
        script = _SCRIPT.format(step=step_deg, start=start_deg, end=360, reach=np.ceil(reach))
        (folder / "run.sh").write_text(script, encoding="utf-8")
        command = ["grass", "--tmp-location", "EPSG:5186", "--exec", "bash", str(folder / "run.sh")]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
        took = re.search(r"took ([\d.]+) ([\d.]+) ([\d.]+)", done.stderr)
        if done.returncode != 0 or took is None:
            raise RuntimeError(f"GRASS failed:\n{done.stderr}")
        found = {}
        for path in sorted(folder.glob("horizon_*.tif")):
            with rasterio.open(path) as source:
                found[(90.0 - float(path.stem.removeprefix("horizon_").replace("_", "."))) % 360.0] = source.read(1)
    wall, user, system = (float(part) for part in took.groups())
    return GrassHorizons(found, wall, user + system)
