"""Winter sun after an edit: of homes in whose sun something has changed."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from twin.green.access.residents import homes_of
from twin.sky.tiles import SurfaceFolder
from twin.sunlight.solstice import SolsticeSun, winter_parameters
from twin.sunlight.winter_sun import COLUMNS, winter_sun


def edited_sunlight(
    before: pd.DataFrame,
    footprints: gpd.GeoDataFrame,
    changed: np.ndarray,
    surface: SurfaceFolder | None,
    sun: SolsticeSun,
) -> pd.DataFrame | None:
    """Return the winter sun of all buildings after the edit by `building_id`; None where it was not counted before.

    Parameters
    ----------
    before
        Layer `buildings` of the last run.
    footprints
        All buildings after the edit.
    changed
        Shapes under which heights may differ.
    surface
        Heights after the edit; None where nothing has changed.
    sun
        Of the town.
    """
    names = [name for name in COLUMNS if name in before.columns]
    if not names:
        return None
    kept = before.set_index("building_id")[names]
    homes = homes_of(footprints)
    # a block that is built otherwise may give an identifier of homes to a building that holds none
    kept = kept.reindex(homes["building_id"]).reindex(footprints["building_id"])
    if surface is None or not len(homes):
        return kept
    again = homes[_in_reach(homes.geometry.to_numpy(), changed)].reset_index(drop=True)
    found = winter_sun(again, surface, sun) if len(again) else kept.iloc[:0]
    rest = kept[~kept.index.isin(found.index)]
    return pd.concat([rest, found[names]]).astype(kept.dtypes.to_dict())


def moved_sunlight(before: pd.DataFrame, after: pd.DataFrame | None) -> set[str]:
    """Return the buildings whose published winter sun differs, of those that both have."""
    if after is None:
        return set()
    old = before.set_index("building_id")[list(after.columns)]
    both = old.index.intersection(after.index)
    one, two = (frame.loc[both].astype("float64").round(2) for frame in (old, after))
    differs = (one != two) & ~(one.isna() & two.isna())
    return set(both[differs.any(axis=1).to_numpy()])


def _in_reach(homes: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """Return which homes the sun of these hours may reach across ``changed``: near enough, and not wholly south of it."""
    reach = float(winter_parameters()["reach"]) + float(winter_parameters()["offset"])
    box = shapely.bounds(changed)
    (west, south), (east, north) = box[:, :2].min(axis=0).tolist(), box[:, 2:].max(axis=0).tolist()
    around = shapely.box(west - reach, south - 2 * float(winter_parameters()["offset"]), east + reach, north + reach)
    found: np.ndarray = shapely.intersects(homes, around)
    return found
