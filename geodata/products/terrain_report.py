"""What every terrain raster has in common: its file format, its vertical datum, and the report on it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

BLOCK = 512
VERTICAL_DATUM_NOTE = "heights are taken as metres above mean sea level at Incheon (EPSG:5193); the files do not say"
PROFILE = {
    "driver": "GTiff", "count": 1, "dtype": "float32", "nodata": float("nan"), "tiled": True, "blockxsize": BLOCK,
    "blockysize": BLOCK, "compress": "deflate", "predictor": 3, "zlevel": 6, "bigtiff": "if_safer",
}  # fmt: skip


@dataclass(frozen=True)
class TerrainReport:
    """What the terrain raster holds."""

    cell_size_m: float
    coverage_pct: float
    """Share of the study area that has terrain [%]."""
    minimum_m: float
    maximum_m: float
    sheets: int
    notes: tuple[str, ...] = ()
    method: str = "elevation model"
    """``elevation model``, or ``contours`` where contour lines and spot heights were interpolated."""
    check_rmse_m: float | None = None
    """Root mean square difference from heights that were kept aside [m]; None where there are none."""
    check_points: int = 0
    records: dict[str, int] = field(default_factory=dict)
    """Contour lines and spot heights: ``read = outside + used + reasoned``."""

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)
