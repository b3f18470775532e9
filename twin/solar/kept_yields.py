"""Yields of roofs that nothing has changed for since the last time: where they are stored, and which still hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

CHUNK = 512
"""Roofs computed at a time, and roofs per stored file of hours."""
HOURS_FOLDER = "hours"
SUMS = ("irradiation", "poa", "poa_free", "sky_view")
"""Yearly sums and means of each roof, kept beside the hours."""
SUMS_FILE = "sums.npy"
BINS_FILE = "months_and_hours.npy"
"""Energy of each roof by month and local hour [Wh], float64 (roofs, 12 * 24)."""


@dataclass(frozen=True)
class KeptYields:
    """What `roof_yields` wrote before, and which of it still holds."""

    out: Path
    rows: np.ndarray
    """(roofs,) position of each roof among those of before; -1 for a roof to be computed."""

    def sums(self) -> np.ndarray:
        """Return (`SUMS`, roofs) as they were, NaN for roofs to be computed."""
        before = np.load(self.out / HOURS_FOLDER / SUMS_FILE)
        return np.ascontiguousarray(np.where(self.rows >= 0, before[:, np.maximum(self.rows, 0)], np.nan))

    def bins(self) -> np.ndarray:
        """Return the energy of each roof by month and hour as it was; anything for roofs to be computed."""
        before: np.ndarray = np.load(self.out / HOURS_FOLDER / BINS_FILE)[np.maximum(self.rows, 0)]
        return before

    def fill(self, hours: np.ndarray, some: slice) -> None:
        """Write the hours of those of ``some`` roofs that are kept into ``hours``, float32 (roofs, daylight hours) [W]."""
        rows = self.rows[some]
        for number in np.unique(rows[rows >= 0] // CHUNK):
            mine = np.flatnonzero((rows >= 0) & (rows // CHUNK == number))
            block = np.load(self.out / HOURS_FOLDER / f"{number:05d}.npy", mmap_mode="r")
            hours[mine] = block[rows[mine] % CHUNK]
