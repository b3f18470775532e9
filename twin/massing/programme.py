"""What a plan asks of each block: floor area, ground that may be built on, floors; and where its numbers contradict each other."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.heights import height_parameters, storey_heights
from twin.massing.rules import massing_rules


def programme(blocks: pd.DataFrame) -> pd.DataFrame:
    """Return what is to be built on each of ``blocks``.

    The floor-area ratio is built to its limit, as new towns are. Where coverage times floors cannot hold it, what they can
    hold is built and the block is told as impossible.

    Parameters
    ----------
    blocks
        `area_m2`, `use_class` (a use with a pattern), `floor_area_ratio_pct`, `building_coverage_pct`, `floors_limit` and,
        where known, `height_limit_m`; missing values are allowed.

    Returns
    -------
    DataFrame
        Indexed as ``blocks``: `use_code`, `storey_m` [m], `floors` (most that may stand), `ground_m2` (most that may be built
        on), `floor_area_m2` (to be built), `asked_m2` (what the plan asks for) [m2] and `impossible`.
    """
    rules = massing_rules()
    area = blocks["area_m2"].to_numpy("float64")
    use = blocks["use_class"]
    use_code = use.map(rules["use_code_of"]).astype("str")
    storey = np.asarray(storey_heights(use_code, height_parameters()), dtype="float64")
    coverage = _numbers(blocks, "building_coverage_pct")
    coverage = np.where(np.isnan(coverage), use.map(rules["default_coverage_pct"]).to_numpy("float64"), coverage) / 100
    by_height = np.floor(_numbers(blocks, "height_limit_m") / storey + 1e-9)
    floors = np.fmin(_numbers(blocks, "floors_limit"), by_height)
    floors = np.where(np.isnan(floors), use.map(rules["default_floors"]).to_numpy("float64"), np.maximum(floors, 1.0))
    ground = coverage * area
    ratio = _numbers(blocks, "floor_area_ratio_pct") / 100
    asked = np.where(np.isnan(ratio), ground * floors, ratio * area)
    most = ground * floors
    return pd.DataFrame(
        {
            "use_code": use_code,
            "storey_m": storey,
            "floors": floors.astype(int),
            "ground_m2": ground,
            "floor_area_m2": np.minimum(asked, most),
            "asked_m2": asked,
            "impossible": asked > most * (1 + float(rules["tolerance"])),
        },
        index=blocks.index,
    )


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy("float64", na_value=np.nan)
