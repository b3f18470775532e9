"""Polygons as they should be: two-dimensional, valid, with an area and inside Korea.

Nothing is judged silently: `repair_polygons` returns, beside the repaired shapes, one mask for each thing that was
found, and its caller writes them to the quality table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geodata.crs import korea_bounds

MIN_AREA_M2 = 0.01
"""A shape smaller than a square decimetre has collapsed."""

Mask = npt.NDArray[np.bool_]
Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Repair:
    """Repaired shapes and what was found; every array has one entry per input shape.

    ``shapes`` are valid 2-D polygons or multipolygons, None where ``missing``, ``out_of_range`` or ``collapsed``.
    """

    shapes: Shapes
    missing: Mask
    out_of_range: Mask
    collapsed: Mask
    repaired: Mask
    had_z: Mask

    @property
    def usable(self) -> Mask:
        """Return which shapes are there, in Korea and have an area."""
        return ~(self.missing | self.out_of_range | self.collapsed)


def polygon_parts(shapes: Shapes) -> Shapes:
    """Return the polygon parts of ``shapes``; None where there are none. Polygons pass unchanged."""
    kinds = shapely.get_type_id(shapes)
    result = shapes.copy()
    mixed = np.flatnonzero(
        (kinds != shapely.GeometryType.POLYGON) & (kinds != shapely.GeometryType.MULTIPOLYGON) & (kinds >= 0)
    )
    if len(mixed) == 0:
        return result
    parts, owner = shapes[mixed], np.arange(len(mixed))
    while (shapely.get_type_id(parts) >= shapely.GeometryType.MULTIPOINT).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        owner = owner[index]
    keep = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)
    collected = np.full(len(mixed), None, dtype=object)
    if keep.any():
        shapely.multipolygons(parts[keep], indices=owner[keep], out=collected)
    result[mixed] = collected
    return result


def make_valid_polygons(shapes: Shapes) -> Shapes:
    """Return valid polygons: shapely's structure method, parts that collapse dropped, polygon parts only.

    The structure method keeps the area that the rings enclose; the older line work method turns overlapping rings
    into holes.
    """
    result = polygon_parts(shapes)
    invalid = ~shapely.is_valid(result) & ~shapely.is_missing(result)
    if invalid.any():
        result[invalid] = polygon_parts(shapely.make_valid(result[invalid], method="structure", keep_collapsed=False))
    return result


def outside_korea(shapes: Shapes, crs: str) -> Mask:
    """Return which ``shapes`` reach out of Korea or have coordinates that are no numbers."""
    west, south, east, north = korea_bounds(crs)
    bounds = shapely.bounds(shapes)
    # comparisons with NaN are false, so coordinates that are no numbers count as out of range
    inside = (bounds[:, 0] >= west) & (bounds[:, 1] >= south) & (bounds[:, 2] <= east) & (bounds[:, 3] <= north)
    finite = np.ones(len(shapes), dtype=bool)
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    return np.asarray(~(inside & finite))


def repair_polygons(geometry: gpd.GeoSeries) -> Repair:
    """Repair ``geometry`` (n shapes of any kind, in a projected CRS with metres).

    Examples
    --------
    >>> import shapely
    >>> bow_tie = shapely.from_wkt("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))")
    >>> repair = repair_polygons(gpd.GeoSeries(shapely.transform([bow_tie], lambda p: p + 200_000), crs="EPSG:5186"))
    >>> bool(repair.repaired[0]), float(shapely.area(repair.shapes[0]))
    (True, 2.0)
    """
    return repair_with(geometry, _polygons)


def _polygons(flat: Shapes) -> tuple[Shapes, Mask, Mask]:
    valid_before = shapely.is_valid(flat)
    fixed = make_valid_polygons(flat)
    stripped = shapely.get_type_id(flat) == shapely.GeometryType.GEOMETRYCOLLECTION
    return fixed, shapely.area(fixed) >= MIN_AREA_M2, ~valid_before | stripped


def repair_with(geometry: gpd.GeoSeries, mend: Callable[[Shapes], tuple[Shapes, Mask, Mask]]) -> Repair:
    """Return ``geometry`` as ``mend`` makes it, and what was found.

    ``mend`` gets two-dimensional shapes, None where they are missing or out of range; it returns what it made of them, which of
    that is as it should be (the rest has collapsed), and which it had to repair.
    """
    shapes: Shapes = np.array(geometry.to_numpy(), dtype=object)
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    out_of_range = ~missing & outside_korea(shapes, geometry.crs.to_string())
    shapes[missing | out_of_range] = None
    had_z = shapely.has_z(shapes)
    fixed, whole, mended = mend(shapely.force_2d(shapes))
    kept = ~(missing | out_of_range) & whole
    collapsed = ~(missing | out_of_range | kept)
    fixed[collapsed] = None
    return Repair(
        shapes=fixed,
        missing=missing,
        out_of_range=out_of_range,
        collapsed=collapsed,
        repaired=kept & mended,
        had_z=kept & had_z,
    )
