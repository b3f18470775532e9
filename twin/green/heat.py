"""What a summer day burdens the ground with: sealed ground, and pavements without shade. No temperature is told."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import rasterio.features
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource

from geodata.clean.land_cover import land_cover_classes
from geodata.errors import InputError
from geodata.parameters import Parameters, load_parameters
from twin.overlay import shared_areas
from twin.sky.sun_table import SunPath

SUMMER_DAYS = 92
"""June to August."""


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


def summer_shade(
    features: gpd.GeoDataFrame, land_cover: gpd.GeoDataFrame, shade: Path, footways: gpd.GeoDataFrame | None = None
) -> pd.DataFrame:
    """Return how long the ground of ``features`` lies in the shade on a mean day of June to August.

    Parameters
    ----------
    shade
        Raster of shade hours June to August [h] in the CRS of ``features``, without values on roofs.
    footways
        Land of footways; None where no map tells it.

    Returns
    -------
    DataFrame
        In the order of ``features``: `ground_shade_h` of all open ground, `pavement_shade_h` of the classes of
        `pavement_classes` and with ``footways`` `footway_shade_h` [h each day], means weighted by the exact share of each
        cell; NaN where there is no such ground. A cell is road or footway if its middle is.
    """
    paved = land_cover.geometry[land_cover["class_code"].isin(heat_parameters()["pavement_classes"])]
    with rasterio.open(shade) as source:
        hours = source.read(1, masked=True)
        grid, bounds, wkt = source.transform, source.bounds, source.crs.to_wkt()
    wanted = {"ground": np.ones(hours.shape, dtype=bool), "pavement": _cells(paved, hours.shape, grid)}
    if footways is not None:
        wanted["footway"] = _cells(footways.geometry, hours.shape, grid)
    empty = np.ma.getmaskarray(hours)
    values = np.ma.getdata(hours).astype("float32") / np.float32(SUMMER_DAYS)
    bands = [
        NumPyRasterSource(np.ma.masked_array(values, empty | ~inside), *bounds, name=name, srs_wkt=wkt)
        for name, inside in wanted.items()
    ]
    shapes = features[[features.geometry.name]].reset_index(drop=True)
    found = exact_extract(bands, shapes, ["mean"], output="pandas")
    return pd.DataFrame({f"{name}_shade_h": found[f"{name}_mean"].to_numpy("float64") for name in wanted})


def _cells(shapes: gpd.GeoSeries, size: tuple[int, int], grid: rasterio.Affine) -> np.ndarray:
    """Return which cells of a raster have their middle in one of ``shapes``."""
    if not len(shapes):
        return np.zeros(size, dtype=bool)
    return np.asarray(rasterio.features.geometry_mask(shapes.to_numpy(), size, grid, invert=True))


def heat_of(
    features: gpd.GeoDataFrame,
    key: str,
    land_cover: gpd.GeoDataFrame,
    shade: Path | None,
    sun_h: float,
    *,
    footways: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Return the burden of a summer day on each of ``features``.

    Parameters
    ----------
    features, key
        Polygons with unique text in the column ``key``.
    land_cover
        `class_code` and polygons without overlap in the same CRS [m].
    shade
        As for `summer_shade`; None where there is no surface to cast shade.
    sun_h
        How long the sun is up on a mean day of June to August [h].
    footways
        As for `summer_shade`.

    Returns
    -------
    DataFrame
        Indexed by ``key``: `impervious_pct`, and with ``shade`` `ground_shade_h`, `pavement_shade_h`, with ``footways``
        `footway_shade_h`, and `heat_exposure` (0 to 100, by the formula of ``heat.yaml``; NaN where a part of it is not known).
    """
    table = pd.DataFrame(index=pd.Index(features[key].astype("str"), name=key))
    table["impervious_pct"] = imperviousness(features, land_cover)
    if shade is None:
        return table
    shaded = summer_shade(features, land_cover, shade, footways)
    for name in shaded.columns:
        table[name] = np.minimum(shaded[name].to_numpy(), sun_h)
    values = heat_parameters()
    hard, sun = float(values["weight_impervious"]), float(values["weight_sun"])
    in_sun = 1.0 - table["ground_shade_h"] / sun_h
    table["heat_exposure"] = 100.0 * (hard * table["impervious_pct"] / 100.0 + sun * in_sun) / (hard + sun)
    return table
