"""Cover from rasters, weighted by how much of each cell lies inside a feature.

Class rasters give the same columns as polygons do; a vegetation index gives its mean and the share above a threshold.
exactextract computes exact cell coverage, so no cell is counted by its centre alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import rasterio
from exactextract import exact_extract
from exactextract.raster import RasterioRasterSource

from geodata.crs import identify
from geodata.errors import InputError
from twin.green.cover import KNOWN_CLASSES, cover_table
from twin.green.policy import green_policy
from twin.green.vegetation import Observed

NDVI_ROUNDING = 1e-6
"""How far beyond -1..1 a stored NDVI may lie by rounding alone."""


def cover_from_raster(
    features: gpd.GeoDataFrame, key: str, raster: Path, classes: Mapping[int, str] | None = None
) -> pd.DataFrame:
    """Return what covers each of ``features`` according to a class raster: the columns of `twin.green.cover.cover_of`.

    Parameters
    ----------
    features, key
        As for `cover_of`.
    raster
        Raster of class values in the CRS of ``features`` [m], north up.
    classes
        Cell value to class code of the land cover map (3-digit text); by default the values are those codes themselves.
        Cells of other values, cells without data and ground outside the raster count as unknown.

    Raises
    ------
    InputError
        If the raster cannot be read or used as it is, its CRS differs, or ``classes`` names a code the map does not have.
    """
    policy = green_policy()
    if classes is None:
        classes = {int(code): code for code in policy.names}
    wrong = sorted(set(classes.values()) - set(policy.names))
    if wrong:
        raise InputError(f"classes for {raster}: {', '.join(wrong)} are not class codes of the land cover map")
    with _opened(raster, features) as source:
        cell_area = abs(source.transform.a * source.transform.e)
        found = exact_extract(
            RasterioRasterSource(source), _shapes(features), ["unique", "frac", "count"], output="pandas"
        )
    lengths = found["unique"].map(len).to_numpy()
    feature = np.repeat(np.arange(len(features)), lengths)
    code = pd.Series(_joined(found["unique"])).map({float(value): code for value, code in classes.items()})
    area = _joined(found["frac"]) * np.repeat(found["count"].to_numpy(), lengths) * cell_area
    column = pd.Categorical(policy.level_1(code), categories=KNOWN_CLASSES).codes
    known, width = column >= 0, len(KNOWN_CLASSES)
    cell = feature[known] * width + column[known]
    areas = np.bincount(cell, weights=area[known], minlength=len(features) * width).reshape(len(features), width)
    green = policy.is_green(code).to_numpy()
    green_areas = np.bincount(feature[green], weights=area[green], minlength=len(features))
    return cover_table(features, key, areas, green_areas)


def ndvi_green_share(
    features: gpd.GeoDataFrame, key: str, raster: Path, threshold: float | None, scale: float | None = None
) -> pd.DataFrame:
    """Return mean NDVI of ``features`` and the share of their area whose NDVI is above ``threshold``.

    Parameters
    ----------
    features, key
        As for `twin.green.cover.cover_of`.
    raster
        Raster of NDVI in the CRS of ``features`` [m], north up; cells without data (clouds) are masked or NaN.
    threshold
        NDVI above which a cell counts as green, in -1..1. It has to be stated with the result; None gives no share.
    scale
        Factor from stored values to NDVI, such as 0.0001; None takes what the raster declares, which is mostly 1.

    Returns
    -------
    DataFrame
        Indexed by ``key``, in the order of ``features``: `ndvi_mean`, `ndvi_green_pct` (both of the part with data, NaN
        where there is none; the share only with a threshold) and `ndvi_known_pct`, the share of the feature that has data.

    Raises
    ------
    InputError
        If the raster cannot be read or used as it is, its CRS differs, or its scaled values lie outside -1..1.
    """
    if threshold is not None and not -1 <= threshold <= 1:
        raise InputError(f"the NDVI threshold is {threshold}; it must lie in -1..1")
    with _opened(raster, features) as source:
        factor, offset = (source.scales[0], source.offsets[0]) if scale is None else (scale, 0.0)
        cell_area = abs(source.transform.a * source.transform.e)
        bands = [_Index(source, factor, offset, None, "ndvi")]
        if threshold is not None:
            bands.append(_Index(source, factor, offset, threshold, "green"))
        found = exact_extract(bands, _shapes(features), ["mean", "count", "min", "max"], output="pandas")
    if threshold is None:
        # one band alone is told without its name
        found.columns = [f"ndvi_{name}" for name in found.columns]
    lowest, highest = found["ndvi_min"].min(), found["ndvi_max"].max()
    if lowest < -1 - NDVI_ROUNDING or highest > 1 + NDVI_ROUNDING:
        raise InputError(
            f"{raster} holds values from {lowest:g} to {highest:g} after scaling by {factor:g}; NDVI lies in -1..1. "
            "State its scale (often 0.0001), and declare its nodata value"
        )
    if factor != 1 and 0 < max(abs(lowest - offset), abs(highest - offset)) <= abs(factor):
        raise InputError(f"{raster} holds values within -1..1 already; do not scale them by {factor:g}")
    known = found["ndvi_count"].to_numpy() * cell_area / features.area.to_numpy()
    share = {} if threshold is None else {"ndvi_green_pct": 100.0 * found["green_mean"].to_numpy()}
    return pd.DataFrame(
        {
            "ndvi_mean": found["ndvi_mean"].to_numpy(),
            **share,
            # cell coverage is single precision: a feature that is wholly known may come out a millionth above 100 %
            "ndvi_known_pct": np.minimum(100.0 * known, 100.0),
        },
        index=pd.Index(features[key].astype("str"), name=key),
    )


def observed_by(features: gpd.GeoDataFrame, key: str, raster: Path) -> Observed:
    """Return what of each of ``features`` the index ``raster`` has a value for; clouds are holes in it.

    Parameters are those of `ndvi_green_share`.
    """
    known = ndvi_green_share(features, key, raster, threshold=None)["ndvi_known_pct"].to_numpy()
    with rasterio.open(raster) as source:
        return Observed(np.nan_to_num(known) / 100.0 * features.area.to_numpy(), abs(source.transform.a))


class _Index(RasterioRasterSource):
    """NDVI of a raster window by window: as values, or as 1 where it is above a threshold and 0 elsewhere."""

    def __init__(self, source: Any, factor: float, offset: float, threshold: float | None, name: str) -> None:
        super().__init__(source, name=name)
        self.factor = factor
        self.shift = offset
        self.threshold = threshold

    def nodata_value(self) -> None:
        """Return None: cells without data are NaN, because scaling changes their value."""
        return

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> np.ndarray:
        """Return one window of the band, NaN without data: exactextract 0.3 overlooks masks under features within one row or column."""
        window = rasterio.windows.Window(x0, y0, nx, ny)
        stored = self.ds.read(self.band_idx, window=window, masked=True).astype("float64")
        values = np.ma.filled(stored * self.factor + self.shift, np.nan)
        told = values if self.threshold is None else values > self.threshold
        return np.where(np.isfinite(values), told, np.nan)


@contextmanager
def _opened(raster: Path, features: gpd.GeoDataFrame) -> Iterator[Any]:
    """Open ``raster`` if it can be laid over ``features`` as it is."""
    try:
        source = rasterio.open(raster)
    except rasterio.errors.RasterioIOError as error:
        raise InputError(f"{raster} cannot be read as a raster ({error})") from error
    with source:
        if source.crs is None or features.crs is None:
            what = "raster" if source.crs is None else "features"
            raise InputError(f"{raster}: the {what} has no CRS; declare it")
        # a raster often carries the parameters of a known system without its code
        crs = pyproj.CRS.from_wkt(source.crs.to_wkt())
        if not crs.equals(features.crs, ignore_axis_order=True) and (identify(crs) or crs) != identify(features.crs):
            raise InputError(f"{raster} is in {crs.name}, the features in {features.crs.name}; reproject the raster")
        if not features.crs.is_projected:
            raise InputError(f"{raster}: {features.crs} is not projected, so cells have no area in m2; reproject it")
        if source.transform.b != 0 or source.transform.d != 0:
            raise InputError(f"{raster} is rotated; warp it to a north-up grid")
        yield source


def _shapes(features: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return features[[features.geometry.name]].reset_index(drop=True)


def _joined(arrays: pd.Series) -> np.ndarray:
    return np.concatenate([np.asarray(values, dtype="float64") for values in arrays] or [np.empty(0)])
