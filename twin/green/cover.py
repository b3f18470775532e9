"""What covers the ground: green polygons, and the exact cover of parcels, dongs and blocks by land cover class.

Green comes from several sources, ranked in ``blend.yaml``: a plan and the land cover map keep their ground, a vegetation
index adds what it sees elsewhere. Each polygon tells its source, and each feature how far the sources can be trusted.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.catalogue.biotope import GREEN_GROUPS
from geodata.catalogue.shared import COVER_CLASSES
from geodata.class_tables import class_words
from geodata.clean.identifiers import identify
from geodata.errors import InputError
from twin.green.policy import green_policy
from twin.green.vegetation import Observed, Vegetation, blend_parameters
from twin.overlay import shared_areas

KNOWN_CLASSES = tuple(name for name in COVER_CLASSES if name != "unknown")
COVER_COLUMNS = tuple(f"cover_{name}_m2" for name in COVER_CLASSES)
GROUP_COLUMNS = tuple(f"green_{name}_m2" for name in GREEN_GROUPS)

RELATIVE_ROUNDING = 1e-6
"""Overlays in double precision and coverage fractions in single precision stay below this share of a feature's area."""

OVERLAP_TOLERANCE_M2 = 0.05
"""Half of the smallest published area: where polygons overlap by less, their areas are scaled to fit instead of refused."""

NDVI_CODE = "NDVI"
"""Stands in place of a class code where an image tells that something is green but not what."""


def green_polygons(land_cover: gpd.GeoDataFrame | None, vegetation: Vegetation | None = None) -> gpd.GeoDataFrame:
    """Return the green polygons of all sources: the columns of the layer `green`, sorted by `green_id`.

    `green_id` is minted from the class and the shape to the centimetre, so it survives a new order of rows and a new
    starting point of rings. Sources whose polygons do not overlap give green polygons that do not overlap.

    Parameters
    ----------
    land_cover
        Clean land cover: `class_code` (3-digit text), `source`, valid Polygon or MultiPolygon geometry, projected CRS [m];
        a column `source_kind` says ``plan`` where a plan speaks. None where there is no land cover.
    vegetation
        Green seen by a vegetation index on ground that land cover leaves to it. What grows there is not known, so canopy
        is neither true nor false. A green polygon of the same CRS.

    Raises
    ------
    InputError
        If there is no source at all.
    """
    frames = []
    if land_cover is not None:
        frames.append(_mapped(land_cover))
    if vegetation is not None:
        frames.append(_seen(vegetation, None if land_cover is None else land_cover.crs))
    if not frames:
        raise InputError("green needs land cover or a vegetation index")
    frame = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=frames[0].crs)
    parts, owner = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    if len(parts):
        frame = frame.set_geometry(gpd.GeoSeries(shapely.multipolygons(parts, indices=owner), crs=frame.crs))
    minted = pd.Series(np.nan, index=frame.index, dtype="str")
    frame["green_id"], _ = identify(frame, minted, ["class_code"], ["class_code", "source"], "g")
    frame["area_m2"] = frame.area
    return frame.sort_values("green_id", ignore_index=True)


def _mapped(land_cover: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    policy, resolution = green_policy(), blend_parameters()["resolution_m"]
    wanted = policy.is_green(land_cover["class_code"]) & (land_cover.area > 0)
    kept = [name for name in ("class_code", "source", "source_kind") if name in land_cover.columns]
    frame = land_cover.loc[wanted, [*kept, "geometry"]].reset_index(drop=True)
    if "source_kind" not in frame.columns:
        frame["source_kind"] = "land_cover"
    code = frame["class_code"]
    frame["class_ko"] = class_words(code, policy.names, "ko")
    frame["class_en"] = class_words(code, policy.names, "en")
    groups = code.map(dict(policy.groups)).astype("str")
    frame["group"] = groups.mask(frame["source_kind"] == "plan", "planned")
    frame["is_canopy"] = code.isin(list(policy.canopy)).astype("boolean")
    frame["is_agricultural"] = code.isin(list(policy.agricultural))
    frame["resolution_m"] = frame["source_kind"].map(resolution).astype("float64")
    return frame


def _seen(vegetation: Vegetation, crs: object) -> gpd.GeoDataFrame:
    count = len(vegetation.shapes)
    return gpd.GeoDataFrame(
        {
            "class_code": pd.Series([NDVI_CODE] * count, dtype="str"),
            "source": pd.Series([vegetation.source] * count, dtype="str"),
            "source_kind": pd.Series(["ndvi"] * count, dtype="str"),
            "class_ko": pd.Series(["식생지수로 본 녹지"] * count, dtype="str"),
            "class_en": pd.Series(["green by vegetation index"] * count, dtype="str"),
            "group": pd.Series(["vegetation"] * count, dtype="str"),
            "is_canopy": pd.Series([pd.NA] * count, dtype="boolean"),
            "is_agricultural": np.zeros(count, dtype=bool),
            "resolution_m": np.full(count, vegetation.cell_size_m),
        },
        geometry=vegetation.shapes,
        crs=vegetation.crs if crs is None else crs,
    )


def cover_of(
    features: gpd.GeoDataFrame,
    key: str,
    land_cover: gpd.GeoDataFrame | None,
    green: gpd.GeoDataFrame,
    observed: Observed | None = None,
) -> pd.DataFrame:
    """Return what covers each of ``features``: exact areas by level-1 class, green cover by kind, and how sure that is.

    Parameters
    ----------
    features
        Parcels, dongs or blocks with unique text in the column ``key`` and valid polygons.
    land_cover
        Clean land cover as for `green_polygons`. A class outside the 41 of the map counts as unknown. Without any, the
        columns of land cover are absent.
    green
        The layer `green`; it need not come from ``land_cover``.
    observed
        What of each feature a vegetation index with a level has seen; None where there is no such index.

    Returns
    -------
    DataFrame
        Indexed by ``key``, in the order of ``features``. `cover_<class>_m2` for the seven level-1 classes and `unknown`,
        which takes what no polygon reaches: the eight sum to the feature's area. `green_area_m2` and its parts
        `green_<group>_m2`, `green_cover_pct` and `canopy_cover_pct` of the *whole* area of the feature, also where the
        sources reach only a part of it; all are NaN where no source reaches the feature at all. `cover_resolution_m` is
        the mean resolution of what is known, weighted by area; `cover_confidence` follows from it by ``blend.yaml``.

    Raises
    ------
    InputError
        If CRSs differ, a key repeats, or polygons of one layer overlap inside a feature.
    """
    layers = [("green", green)] + ([] if land_cover is None else [("land cover", land_cover)])
    for name, layer in layers:
        if layer.crs != features.crs:
            raise InputError(f"{name} is in {layer.crs}, the features in {features.crs}; reproject one of them")
    shapes = features.geometry.to_numpy()
    count, width = len(shapes), len(KNOWN_CLASSES)
    areas: np.ndarray = np.zeros((count, width))
    if land_cover is not None:
        classes = pd.Categorical(green_policy().level_1(land_cover["class_code"]), categories=KNOWN_CLASSES).codes
        known = classes >= 0
        feature, polygon, area = shared_areas(shapes, land_cover.geometry.to_numpy()[known])
        cell = feature * width + classes[known][polygon]
        areas = np.bincount(cell, weights=area, minlength=count * width).reshape(count, width)
    feature, polygon, area = shared_areas(shapes, green.geometry.to_numpy())
    green_areas = np.bincount(feature, weights=area, minlength=count)
    looked_at = False if observed is None else observed.area_m2 > 0
    table = cover_table(features, key, areas, green_areas, observed=looked_at)
    if land_cover is None:
        table = table.drop(columns=list(COVER_COLUMNS))
    reached = table["green_area_m2"].notna().to_numpy()
    total = shapely.area(shapes)
    groups = pd.Categorical(green["group"], categories=GREEN_GROUPS).codes.astype(np.intp)
    by_group = np.bincount(
        feature * len(GREEN_GROUPS) + groups[polygon], weights=area, minlength=count * len(GREEN_GROUPS)
    ).reshape(count, len(GREEN_GROUPS))
    # overlaps below rounding are scaled away in the whole; the parts follow it
    fit = np.divide(table["green_area_m2"].fillna(0), green_areas, out=np.ones(count), where=green_areas > 0)
    for name, part in zip(GROUP_COLUMNS, by_group.T, strict=True):
        table[name] = np.where(reached, part * fit, np.nan)
    is_canopy = green["is_canopy"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    canopy = np.bincount(feature[is_canopy[polygon]], weights=area[is_canopy[polygon]], minlength=count) * fit
    table["canopy_cover_pct"] = np.where(reached, np.minimum(100.0 * canopy / total, 100.0), np.nan)
    known_m2, resolution = _known(areas.sum(axis=1), green.iloc[polygon], feature, area, observed)
    table["cover_resolution_m"] = resolution
    table["cover_confidence"] = confidence(total, resolution, known_m2)
    return table


def _known(
    mapped: np.ndarray, green: pd.DataFrame, feature: np.ndarray, area: np.ndarray, observed: Observed | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return how much of each feature any source speaks of [m2], and the mean resolution of that [m].

    ``mapped`` is what land cover tells of each feature [m2]; ``green``, ``feature`` and ``area`` are pairs.
    """
    count = len(mapped)
    by_image = green["source_kind"].eq("ndvi").to_numpy()
    added = np.bincount(feature[by_image], weights=area[by_image], minlength=count)
    seen = added if observed is None else np.maximum(observed.area_m2, added)
    known = np.maximum(mapped, seen)
    # what an image adds lies on ground without a map first; the two differ only where sheets have gaps
    coarse = np.maximum(known - mapped, added)
    fine = known - coarse
    weighted = fine * float(blend_parameters()["resolution_m"]["land_cover"])
    weighted += coarse * (0.0 if observed is None else observed.cell_size_m)
    return known, np.divide(weighted, known, out=np.full(count, np.nan), where=known > 0)


def confidence(area_m2: np.ndarray, resolution_m: np.ndarray, known_m2: np.ndarray) -> np.ndarray:
    """Return how sure the cover of features is: ``high``, ``medium``, ``low`` or ``none``.

    Counted is how many cells of the source's resolution the feature holds; limits are in ``blend.yaml``. Confidence is
    low where less of the feature is known than stated there, and none where nothing is.

    Parameters
    ----------
    area_m2, resolution_m, known_m2
        Area of each feature [m2], resolution of what is known of it [m], and the area that is known [m2].
    """
    values = blend_parameters()
    limits = values["confidence_cells"]
    with np.errstate(invalid="ignore"):
        cells = area_m2 / resolution_m**2
        told = np.select([cells >= limits["high"], cells >= limits["medium"]], ["high", "medium"], "low")
    told = np.where(known_m2 < area_m2 * float(values["least_known_pct"]) / 100 * (1 - RELATIVE_ROUNDING), "low", told)
    return np.where(known_m2 > 0, told, "none").astype(object)


def cover_table(
    features: gpd.GeoDataFrame,
    key: str,
    areas: np.ndarray,
    green_areas: np.ndarray,
    observed: np.ndarray | bool = False,
) -> pd.DataFrame:
    """Return the columns of `cover_of` that follow from measured areas.

    Parameters
    ----------
    features, key
        As for `cover_of`.
    areas
        Area of each feature (rows) by `KNOWN_CLASSES` (columns) [m2].
    green_areas
        Green area of each feature [m2].
    observed
        Which features were looked at by a source other than these, so that no green means none.

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
    reached = (known > 0) | (green_areas > 0) | observed
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
