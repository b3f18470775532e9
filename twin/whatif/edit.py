"""The edit of one block of a plan."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.clean.plan_blocks import LIMITS
from geodata.errors import InputError

WHOLE = ("floors_limit", "homes")
"""Quantities that are counts."""


@dataclass(frozen=True)
class BlockEdit:
    """New values of one block; None leaves the plan's own. Zero means "none given", except for homes."""

    block_id: str
    land_use: str | None = None
    floor_area_ratio_pct: float | None = None
    building_coverage_pct: float | None = None
    floors_limit: float | None = None
    height_limit_m: float | None = None
    homes: float | None = None

    def values(self) -> dict[str, str | float]:
        """Return what the edit changes, by column of the clean plan blocks."""
        names = ("land_use", *LIMITS, "homes")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def applied(self, blocks: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return ``blocks`` with the edited values, as cleaning the edited file would.

        Raises
        ------
        InputError
            If there is no such block, or a value would not pass the cleaning of plan blocks.
        """
        row = self.position(blocks)
        found = blocks.copy()
        for name, value in self.values().items():
            sound = _sound(name, value)
            found[name] = found[name].where(np.arange(len(found)) != row, sound)
        return found.astype({name: blocks[name].dtype for name in self.values()})

    def position(self, blocks: pd.DataFrame) -> int:
        """Return the row of the block.

        Raises
        ------
        InputError
            If there is no such block.
        """
        rows = np.flatnonzero(blocks["block_id"] == self.block_id)
        if len(rows):
            return int(rows[0])
        close = difflib.get_close_matches(self.block_id, list(blocks["block_id"]), n=3, cutoff=0.5)
        known = close or sorted(blocks["block_id"])[:3]
        raise InputError(
            f"블록 {self.block_id!r}이(가) 계획에 없습니다 · the plan has no block {self.block_id!r}; "
            f"blocks are named as in the layer plan_blocks, for example {', '.join(known)}"
        )


def _sound(name: str, value: str | float) -> str | float | None:
    if isinstance(value, str):
        if not value.strip():
            raise InputError("용도가 비어 있습니다 · the land use is empty; name one, for example 공동주택용지")
        return value.strip()
    whole = value == np.floor(value) if name in WHOLE else True
    most = LIMITS.get(name, np.inf)
    if not (np.isfinite(value) and 0 <= value <= most and whole):
        limit = f"0–{most:g}" if np.isfinite(most) else "0 이상 · 0 or more"
        kind = ", 정수 · whole" if name in WHOLE else ""
        raise InputError(f"{name} = {value:g}: 쓸 수 없는 값 · unusable; {limit}{kind}")
    return None if value == 0 and name in LIMITS else value
