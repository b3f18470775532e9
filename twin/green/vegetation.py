"""Green that a vegetation index sees where the land cover map sees none, as polygons along cell edges.

A cell counts by its index alone, with the threshold stated in ``blend.yaml``. What the map calls green or water already,
and roofs, are cut away exactly, so that no ground is green twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
import shapely
from rasterio.features import rasterize
from rasterio.features import shapes as outlines
from rasterio.windows import Window
from scipy.ndimage import binary_dilation

from geodata.parameters import Parameters, load_parameters
from geodata.repair import Shapes, make_valid_polygons
from geodata.study_area import StudyArea
from twin.green.policy import green_policy
from twin.overlay import cut_away, small_parts

WINDOW = 1024
"""Cells along each side of the windows in which an index is read."""


@dataclass(frozen=True)
class Vegetation:
    """Green seen by a vegetation index.

    ``shapes`` do not overlap. ``dropped_m2`` is what was left out because its pieces were too small.
    """

    shapes: Shapes
    crs: str
    cell_size_m: float
    threshold: float
    source: str
    dropped_m2: float = 0.0


@dataclass(frozen=True)
class Observed:
    """What of each feature a vegetation index has a value for: area [m2], and the size of its cells [m]."""

    area_m2: npt.NDArray[np.float64]
    cell_size_m: float


def blend_parameters() -> Parameters:
    """Return the values of ``blend.yaml``."""
    return load_parameters("twin.green", "blend.yaml")


def has_level(product: str) -> bool:
    """Tell whether the vegetation index of ``product`` has an absolute level that a threshold can be applied to."""
    return product in blend_parameters()["ndvi_products"]


def blockers(land_cover: gpd.GeoDataFrame | None, buildings: gpd.GeoDataFrame | None) -> Shapes:
    """Return the ground to which a vegetation index adds nothing: roofs, and land cover that speaks for itself.

    Parameters
    ----------
    land_cover
        Has `class_code`; None where there is none, and then the index speaks for all ground without a roof.
    buildings
        Footprints.
    """
    taken = [] if buildings is None else [buildings.geometry.to_numpy()]
    if land_cover is not None:
        policy = green_policy()
        filled = policy.level_1(land_cover["class_code"]).isin(blend_parameters()["ndvi_fills"])
        known = land_cover["class_code"].isin(list(policy.names))
        taken.append(land_cover.geometry.to_numpy()[(known & ~filled).to_numpy()])
    return np.concatenate(taken) if taken else np.empty(0, dtype=object)


def vegetation_of(raster: Path, area: StudyArea, taken: Shapes, source: str) -> Vegetation:
    """Return the green of ``raster`` in the cells that meet ``area``, without the ground of ``taken``.

    Parameters
    ----------
    raster
        NDVI in -1..1 in the CRS of the town, north up; cells without data are masked or NaN and are not green.
    area
        Where green is wanted.
    taken
        Polygons to which the index adds nothing, from `blockers`.
    source
        Product and day of the images, for the column `source`.
    """
    values = blend_parameters()
    threshold, smallest = float(values["ndvi_threshold"]), float(values["smallest_patch_m2"])
    parts, _ = small_parts(taken)
    tree, found = shapely.STRtree(parts), []
    with rasterio.open(raster) as index:
        cell = float(abs(index.transform.a))
        for window in _windows(index):
            box = shapely.box(*rasterio.windows.bounds(window, index.transform))
            if not shapely.intersects(box, area.area):
                continue
            stored = index.read(1, window=window, masked=True).astype("float64")
            # a comparison with NaN is false, so cells without data are not green
            green = np.ma.filled(stored, np.nan) > threshold
            transform = rasterio.windows.transform(window, index.transform)
            green &= _touched([area.area], green.shape, transform, all_touched=True)
            local = np.sort(tree.query(box))
            green &= ~_wholly_inside(parts[local], green.shape, transform)
            if not green.any():
                continue
            drawn = outlines(green.astype("uint8"), mask=green, connectivity=4, transform=transform)
            pieces = np.array([shapely.geometry.shape(outline) for outline, _ in drawn], dtype=object)
            found.append(cut_away(pieces, parts[local]))
    shapes = np.concatenate(found) if found else np.empty(0, dtype=object)
    shapes = make_valid_polygons(shapes[~shapely.is_missing(shapes)])
    shapes = shapes[~shapely.is_missing(shapes)]
    size = shapely.area(shapes)
    return Vegetation(
        shapes[size >= smallest],
        area.crs,
        cell,
        threshold,
        f"{source}, NDVI > {threshold:g}",
        float(size[size < smallest].sum()),
    )


def _windows(index: Any) -> Iterator[Window]:
    for top in range(0, index.height, WINDOW):
        for left in range(0, index.width, WINDOW):
            yield Window(left, top, min(WINDOW, index.width - left), min(WINDOW, index.height - top))


def _touched(shapes: Any, shape: tuple[int, ...], transform: Any, *, all_touched: bool) -> npt.NDArray[np.bool_]:
    if len(shapes) == 0:
        return np.zeros(shape, dtype=bool)
    return rasterize(shapes, out_shape=shape, transform=transform, all_touched=all_touched, dtype="uint8") > 0


def _wholly_inside(parts: Shapes, shape: tuple[int, ...], transform: Any) -> npt.NDArray[np.bool_]:
    """Return the cells that surely lie inside one of ``parts``; only cells near a border need exact cutting."""
    centre = _touched(parts, shape, transform, all_touched=False)
    border = _touched(shapely.boundary(parts), shape, transform, all_touched=True)
    return centre & ~binary_dilation(border, np.ones((3, 3), dtype=bool))
