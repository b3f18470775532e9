"""Floor area of buildings: as recorded where it can be meant, else footprint times floors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.heights import height_parameters, storey_heights
from twin.scenario.rules import scenario_rules


def floor_areas(buildings: pd.DataFrame) -> pd.DataFrame:
    """Return `floor_area_m2` [m2] and `floor_area_source` of each building, indexed as ``buildings``.

    ``recorded``: the recorded floor area, if it is not larger than footprint and floors can hold; ``floors``: footprint
    times floors above ground; ``height``: footprint times the floors that the height holds.

    Parameters
    ----------
    buildings
        `gross_floor_area_m2`, `footprint_area_m2` [m2], `floors_above`, `floors_below`, `height` [m], `use_code`.
    """
    footprint = buildings["footprint_area_m2"].to_numpy("float64")
    above = buildings["floors_above"].to_numpy("float64", na_value=np.nan)
    below = buildings["floors_below"].to_numpy("float64", na_value=0.0)
    storey = storey_heights(buildings["use_code"], height_parameters())
    by_height = np.maximum(np.round(buildings["height"].to_numpy("float64") / storey), 1.0)
    floors = np.where(np.isnan(above), by_height, above)
    recorded = buildings["gross_floor_area_m2"].to_numpy("float64", na_value=np.nan)
    largest = scenario_rules()["recorded_floor_maximum"] * footprint * (floors + below)
    believed = (recorded > 0) & (recorded <= largest)
    source = np.where(believed, "recorded", np.where(np.isnan(above), "height", "floors"))
    return pd.DataFrame(
        {
            "floor_area_m2": np.where(believed, recorded, footprint * floors),
            "floor_area_source": pd.Series(source, index=buildings.index, dtype="str"),
        },
        index=buildings.index,
    )
