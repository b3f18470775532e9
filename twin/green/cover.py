"""What covers the ground: green polygons, and the exact cover of parcels, dongs and blocks by land cover class."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.catalogue.shared import COVER_CLASSES
from geodata.class_tables import class_words
from geodata.clean.identifiers import identify
from geodata.errors import InputError
from twin.green.policy import green_policy
from twin.overlay import shared_areas
from twin.scenario.rules import PLAN_SOURCE

KNOWN_CLASSES = tuple(name for name in COVER_CLASSES if name != "unknown")
COVER_COLUMNS = tuple(f"cover_{name}_m2" for name in COVER_CLASSES)

RELATIVE_ROUNDING = 1e-6
"""Overlays in double precision and coverage fractions in single precision stay below this share of a feature's area."""

OVERLAP_TOLERANCE_M2 = 0.05
"""Half of the smallest published area: where polygons overlap by less, their areas are scaled to fit instead of refused."""


def green_polygons(land_cover: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the green polygons of ``land_cover``: the columns of the layer `green`, sorted by `green_id`.

    `green_id` is minted from the class and the shape to the centimetre, so it survives a new order of rows and a new
    starting point of rings. Land cover whose polygons do not overlap gives green polygons that do not overlap.

    Parameters
    ----------
    land_cover
        Clean land cover: `class_code` (3-digit text), `source`, valid Polygon or MultiPolygon geometry, projected CRS [m].
    """
    policy = green_policy()
    wanted = policy.is_green(land_cover["class_code"]) & (land_cover.area > 0)
    frame = land_cover.loc[wanted, ["class_code", "source", "geometry"]].reset_index(drop=True)
    parts, owner = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    if len(parts):
        frame = frame.set_geometry(gpd.GeoSeries(shapely.multipolygons(parts, indices=owner), crs=land_cover.crs))
    code = frame["class_code"]
    minted = pd.Series(np.nan, index=frame.index, dtype="str")
    frame["green_id"], _ = identify(frame, minted, ["class_code"], ["class_code", "source"], "g")
    frame["class_ko"] = class_words(code, policy.names, "ko")
    frame["class_en"] = class_words(code, policy.names, "en")
    groups = code.map(dict(policy.groups)).astype("str")
    frame["group"] = groups.mask(frame["source"] == PLAN_SOURCE, "planned")
    frame["area_m2"] = frame.area
    frame["is_canopy"] = code.isin(list(policy.canopy))
    frame["is_agricultural"] = code.isin(list(policy.agricultural))
    return frame.sort_values("green_id", ignore_index=True)


def cover_of(
    features: gpd.GeoDataFrame, key: str, land_cover: gpd.GeoDataFrame, green: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Return what covers each of ``features``: exact areas by level-1 class, and green cover.

    Parameters
    ----------
    features
        Parcels, dongs or blocks with unique text in the column ``key`` and valid polygons.
    land_cover
        Clean land cover as for `green_polygons`. A class outside the 41 of the map counts as unknown.
    green
        The layer `green`; it need not come from ``land_cover``.

    Returns
    -------
    DataFrame
        Indexed by ``key``, in the order of ``features``. `cover_<class>_m2` for the seven level-1 classes and `unknown`,
        which takes what no polygon reaches: the eight sum to the feature's area. `green_area_m2`, and `green_cover_pct`
        of the *whole* area of the feature, also where land cover reaches only a part of it (`cover_unknown_m2` tells how
        much is missing); both are NaN where neither land cover nor green reaches the feature at all.

    Raises
    ------
    InputError
        If CRSs differ, a key repeats, or polygons of one layer overlap inside a feature.
    """
    for name, layer in (("land cover", land_cover), ("green", green)):
        if layer.crs != features.crs:
            raise InputError(f"{name} is in {layer.crs}, the features in {features.crs}; reproject one of them")
    shapes = features.geometry.to_numpy()
    classes = pd.Categorical(green_policy().level_1(land_cover["class_code"]), categories=KNOWN_CLASSES).codes
    known = classes >= 0
    feature, polygon, area = shared_areas(shapes, land_cover.geometry.to_numpy()[known])
    width = len(KNOWN_CLASSES)
    cell = feature * width + classes[known][polygon]
    areas = np.bincount(cell, weights=area, minlength=len(shapes) * width).reshape(len(shapes), width)
    feature, _, area = shared_areas(shapes, green.geometry.to_numpy())
    green_areas = np.bincount(feature, weights=area, minlength=len(shapes))
    return cover_table(features, key, areas, green_areas)


def cover_table(features: gpd.GeoDataFrame, key: str, areas: np.ndarray, green_areas: np.ndarray) -> pd.DataFrame:
    """Return the columns of `cover_of` from measured areas.

    Parameters
    ----------
    features, key
        As for `cover_of`.
    areas
        Area of each feature (rows) by `KNOWN_CLASSES` (columns) [m2].
    green_areas
        Green area of each feature [m2].

    Raises
    ------
    InputError
        If a key repeats, or the areas of a feature exceed it by more than rounding.
    """
    keys = features[key]
    if keys.duplicated().any():
        raise InputError(f"{key} {keys[keys.duplicated()].iloc[0]} occurs more than once; merge its rows first")
    total = shapely.area(features.geometry.to_numpy())
    areas = _fitted(areas, total, keys, "land cover")
    green_areas = _fitted(green_areas[:, np.newaxis], total, keys, "green")[:, 0]
    known = areas.sum(axis=1)
    unknown = np.maximum(total - known, 0.0)
    reached = (known > 0) | (green_areas > 0)
    table = pd.DataFrame(
        np.column_stack([areas, unknown]), columns=list(COVER_COLUMNS), index=pd.Index(keys.astype("str"), name=key)
    )
    table["green_area_m2"] = np.where(reached, green_areas, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["green_cover_pct"] = np.where(reached, np.minimum(100.0 * green_areas / total, 100.0), np.nan)
    return table


def _fitted(areas: np.ndarray, total: np.ndarray, keys: pd.Series, name: str) -> np.ndarray:
    """Return ``areas`` with rows that differ from ``total`` by rounding alone scaled to sum to it."""
    covered = areas.sum(axis=1)
    excess = covered - total
    allowed = np.maximum(RELATIVE_ROUNDING * total, OVERLAP_TOLERANCE_M2)
    bad = np.flatnonzero(excess > allowed)
    if len(bad):
        worst = bad[np.argmax(excess[bad])]
        raise InputError(
            f"{name} covers {len(bad)} features more than once, most of all {keys.name} {keys.iloc[worst]} "
            f"({covered[worst]:,.1f} m2 on {total[worst]:,.1f} m2); its polygons overlap and must be trimmed first"
        )
    close = (covered > 0) & ((excess > 0) | (np.abs(excess) <= RELATIVE_ROUNDING * total))
    factor = np.ones(len(total))
    factor[close] = total[close] / covered[close]
    return areas * factor[:, np.newaxis]
