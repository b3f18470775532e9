"""Heights of buildings by a ladder: recorded if plausible, floors, neighbours, one storey.

What is believed and what stands in for missing values is told in ``geodata/clean/storey_heights.yaml``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from geodata.parameters import Parameters, load_parameters

Floats = npt.NDArray[np.float64]

UNKNOWN_MARKS = (9999.0, 99999.0, 999.0)
"""Values that some records carry for "unknown", beside everything that is not above zero."""


def height_parameters() -> Parameters:
    """Return the parameters of the ladder."""
    return load_parameters("geodata.clean", "storey_heights.yaml")


def storey_heights(use_code: pd.Series, parameters: Parameters) -> Floats:
    """Return the storey height [m] of each use; codes are matched by their first two characters."""
    known = use_code.str.slice(0, 2).map(parameters["storey_m_by_use"]).astype("float64")
    return np.asarray(known.fillna(parameters["storey_m"]), dtype=np.float64)


def estimate_heights(
    *,
    height_m: pd.Series,
    floors_above: pd.Series,
    use_code: pd.Series,
    points: Floats,
    footprint_m2: Floats,
    parameters: Parameters,
) -> pd.DataFrame:
    """Return a height for every building and where it comes from.

    The ladder, first rung that holds: (1) ``recorded``: the recorded height, if its height per storey is plausible for
    the use or, without floors, if it is neither below one storey nor above `height_maximum_m`; (2) ``floors``: floors
    times storey height of the use; (3) ``neighbours``: the median of the nearest buildings of rungs 1 and 2, where a
    footprint of another size counts as further away, so that a shed does not inherit a tower's height;
    (4) ``default``: one storey of the use.

    Parameters
    ----------
    height_m, floors_above
        Recorded values (n); zero, negative and 9999 mean that nothing is known.
    use_code
        Building use codes (n), missing where unknown.
    points
        One point of each building (n x 2) [m].
    footprint_m2
        Footprint areas (n) [m2], above zero.
    parameters
        Parameters of `height_parameters`.

    Returns
    -------
    pandas.DataFrame
        ``height`` [m], ``height_source``, ``floors_above`` (believed ones, else missing), ``height_implausible`` and
        ``floors_implausible``; indexed as ``height_m``. Equal inputs in another order give equal heights.
    """
    recorded = _known(height_m)
    floors_given = _known(floors_above)
    sound_floors = (floors_given <= parameters["floors_maximum"]) & (floors_given == np.floor(floors_given))
    floors = np.where(sound_floors, floors_given, np.nan)

    halls = use_code.str.slice(0, 2).isin(parameters["hall_uses"]).to_numpy(dtype=bool)
    tallest_storey = np.where(halls, parameters["hall_storey_maximum_m"], parameters["storey_maximum_m"])
    lowest = parameters["storey_minimum_m"]
    by_floors = (
        (recorded >= lowest * floors)
        & (recorded <= tallest_storey * floors)
        & (recorded <= parameters["tower_maximum_m"])
    )
    by_height = np.isnan(floors) & (recorded >= lowest) & (recorded <= parameters["height_maximum_m"])
    believed = by_floors | by_height

    storey = storey_heights(use_code, parameters)
    height = np.where(believed, recorded, floors * storey)
    source = np.where(believed, "recorded", np.where(np.isnan(floors), "", "floors")).astype(object)
    unknown = np.isnan(height)
    median = _neighbour_median(height, points, footprint_m2, parameters)
    height = np.where(unknown, median, height)
    source[unknown & ~np.isnan(height)] = "neighbours"
    source[np.isnan(height)] = "default"
    height = np.where(np.isnan(height), storey, height)
    return pd.DataFrame(
        {
            "height": height,
            "height_source": pd.Series(source, index=height_m.index, dtype="str"),
            "floors_above": pd.Series(floors, index=height_m.index).astype("Int64"),
            "height_implausible": ~np.isnan(recorded) & ~believed,
            "floors_implausible": ~np.isnan(floors_given) & ~sound_floors,
        },
        index=height_m.index,
    )


def _known(values: pd.Series) -> Floats:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where((numbers > 0) & ~np.isin(numbers, UNKNOWN_MARKS), numbers, np.nan)


def _neighbour_median(height: Floats, points: Floats, footprint_m2: Floats, parameters: Parameters) -> Floats:
    """Return the median height of the nearest known neighbours for buildings without one; NaN where there are too few."""
    result = np.full(len(height), np.nan)
    known, unknown = np.flatnonzero(~np.isnan(height)), np.flatnonzero(np.isnan(height))
    if len(known) < parameters["neighbour_minimum"] or len(unknown) == 0:
        return result
    place = np.column_stack([points, parameters["neighbour_size_m"] * np.log(footprint_m2)])
    # neighbours at equal distance are taken in the order of their place and height, not of the file
    known = known[np.lexsort((height[known], place[known, 2], place[known, 1], place[known, 0]))]
    away, index = cKDTree(place[known]).query(
        place[unknown], k=parameters["neighbour_count"], distance_upper_bound=parameters["neighbour_radius_m"]
    )
    found = np.isfinite(away)
    nearby = np.where(found, height[known][np.minimum(index, len(known) - 1)], np.nan)
    enough = found.sum(axis=1) >= parameters["neighbour_minimum"]
    result[unknown[enough]] = np.nanmedian(nearby[enough], axis=1)
    return result
