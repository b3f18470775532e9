"""What a summer day burdens the ground with: sealed ground, and pavements without shade. No temperature is told."""

from __future__ import annotations

from functools import lru_cache

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.clean.land_cover import land_cover_classes
from geodata.errors import InputError
from geodata.parameters import Parameters, load_parameters
from twin.green.ground_shade import SUMMER_DAYS, Grounds, ShadeRaster
from twin.overlay import shared_areas
from twin.sky.sun_table import SunPath


@lru_cache(maxsize=1)
def heat_parameters() -> Parameters:
    """Return the values of ``heat.yaml``.

    Raises
    ------
    InputError
        If imperviousness is not given as a share for exactly the classes of the land cover map.
    """
    values = load_parameters("twin.green", "heat.yaml")
    sealed = values["imperviousness"]
    if set(sealed) != set(land_cover_classes()) or not all(0.0 <= share <= 1.0 for share in sealed.values()):
        raise InputError(
            "twin/green/heat.yaml, imperviousness: give one share between 0 and 1 to each class of "
            "geodata/clean/land_cover_classes.yaml"
        )
    return values


def imperviousness(features: gpd.GeoDataFrame, land_cover: gpd.GeoDataFrame) -> np.ndarray:
    """Return the share of sealed ground of each of ``features`` [%].

    Of the part that land cover knows, by exact areas; NaN where it knows nothing.
    """
    sealed = land_cover["class_code"].map(heat_parameters()["imperviousness"])
    known = sealed.notna().to_numpy()
    share = sealed.to_numpy("float64")[known]
    feature, polygon, area = shared_areas(features.geometry.to_numpy(), land_cover.geometry.to_numpy()[known])
    whole = np.bincount(feature, weights=area, minlength=len(features))
    hard = np.bincount(feature, weights=area * share[polygon], minlength=len(features))
    return np.divide(100.0 * hard, whole, out=np.full(len(features), np.nan), where=whole > 0)


def summer_sun_h(path: SunPath) -> float:
    """Return how long the sun is up on a mean day of June to August [h]; ``path`` is that of `daylight_path`."""
    return float(path.weight[:, 0].sum()) / SUMMER_DAYS


def shaded_grounds(
    shade: ShadeRaster, land_cover: gpd.GeoDataFrame, footways: gpd.GeoDataFrame | None = None
) -> Grounds:
    """Return which cells of ``shade`` are open ``ground`` (all), ``pavement`` and, where a map tells them, ``footway``.

    Pavements are the land of `pavement_classes`. A cell is pavement or footway if its middle is.
    """
    paved = land_cover.geometry[land_cover["class_code"].isin(heat_parameters()["pavement_classes"])]
    found = {"ground": np.ones(shade.hours.shape, dtype=bool), "pavement": shade.cells_of(paved)}
    if footways is not None:
        found["footway"] = shade.cells_of(footways.geometry)
    return found


def heat_of(
    features: gpd.GeoDataFrame, key: str, impervious_pct: np.ndarray, shaded: pd.DataFrame | None, sun_h: float
) -> pd.DataFrame:
    """Return the burden of a summer day on each of ``features``.

    Parameters
    ----------
    features, key
        Polygons with unique text in the column ``key``.
    impervious_pct
        Of `imperviousness`.
    shaded
        Shade of the grounds of each feature, from `twin.green.ground_shade.mean_shade`; None where there is no surface to
        cast shade.
    sun_h
        How long the sun is up on a mean day of June to August [h].

    Returns
    -------
    DataFrame
        Indexed by ``key``: `impervious_pct`, and with ``shaded`` `ground_shade_h`, `pavement_shade_h`, where a map tells them
        `footway_shade_h`, and `heat_exposure` (0 to 100, by the formula of ``heat.yaml``; NaN where a part of it is not known).
    """
    table = pd.DataFrame(index=pd.Index(features[key].astype("str"), name=key))
    table["impervious_pct"] = impervious_pct
    if shaded is None:
        return table
    for name in shaded.columns:
        table[name] = np.minimum(shaded[name].to_numpy(), sun_h)
    values = heat_parameters()
    hard, sun = float(values["weight_impervious"]), float(values["weight_sun"])
    in_sun = 1.0 - table["ground_shade_h"] / sun_h
    table["heat_exposure"] = 100.0 * (hard * table["impervious_pct"] / 100.0 + sun * in_sun) / (hard + sun)
    return table
