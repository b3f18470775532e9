"""Exact shared areas of two sets of polygons, in time linear in their vertices.

A road network or a forest is often one polygon with a hundred thousand vertices that meets thousands of parcels; laying
it over each of them whole would cost the product of the two. Large polygons are therefore cut along straight lines
first. Cutting moves no border, so areas stay exact to the rounding of double precision.
"""

from __future__ import annotations

import numpy as np
import shapely

MAX_VERTICES = 256
"""Polygons with more vertices are cut; from 128 to 512 the measured cost is the same."""

MAX_CUTS = 16
"""Rounds of halving. Rings that meet in one point can stay over the limit however often they are cut."""


def shared_areas(features: np.ndarray, polygons: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which of ``features`` share area with which of ``polygons``, and how much.

    Parameters
    ----------
    features, polygons
        One-dimensional arrays of valid Polygons or MultiPolygons in one projected CRS [m]; None is allowed and shares nothing.

    Returns
    -------
    feature, polygon
        Positions in the two inputs, one entry per pair of pieces, sorted; a pair may occur more than once, its areas add up.
    area
        Shared area [m2].
    """
    feature_parts, feature_owner = small_parts(features)
    polygon_parts, polygon_owner = small_parts(polygons)
    feature, polygon = shapely.STRtree(polygon_parts).query(feature_parts, predicate="intersects")
    feature, polygon, area = _areas(feature_parts, polygon_parts, feature, polygon)
    return feature_owner[feature], polygon_owner[polygon], area


def overlaps(polygons: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which of ``polygons`` share area with one another: first, second (first < second) and area [m2], as `shared_areas`."""
    parts, owner = small_parts(polygons)
    first, second = shapely.STRtree(parts).query(parts, predicate="intersects")
    once = owner[first] < owner[second]
    first, second, area = _areas(parts, parts, first[once], second[once])
    return owner[first], owner[second], area


def cut_away(polygons: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return ``polygons`` without the ground of ``others``; None where nothing is left. What meets none stays untouched.

    Parameters
    ----------
    polygons, others
        One-dimensional arrays of valid Polygons or MultiPolygons in one projected CRS [m]; ``others`` may overlap. Those with
        many vertices are best cut by `small_parts` first.
    """
    result = polygons.copy()
    polygon, other = shapely.STRtree(others).query(polygons, predicate="intersects")
    if not len(polygon):
        return result
    order = np.lexsort((other, polygon))
    polygon, other = polygon[order], other[order]
    touched, start, count = np.unique(polygon, return_index=True, return_counts=True)
    cover = others[other[start]]
    groups = np.split(others[other], start[1:])
    for position in np.flatnonzero(count > 1):
        cover[position] = shapely.union_all(groups[position])
    rest = shapely.difference(polygons[touched], cover)
    rest[shapely.area(rest) == 0] = None
    result[touched] = rest
    return result


def _areas(
    features: np.ndarray, polygons: np.ndarray, feature: np.ndarray, polygon: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pairs that share area, sorted, and how much; overlay runs only where neither shape holds the other."""
    order = np.lexsort((polygon, feature))
    feature, polygon = feature[order], polygon[order]
    # the pieces are our own copies, so preparing them leaves no trace on the caller's geometries
    shapely.prepare(features)
    shapely.prepare(polygons)
    whole = shapely.contains_properly(features[feature], polygons[polygon])
    area = np.where(whole, shapely.area(polygons)[polygon], 0.0)
    rest = np.flatnonzero(~whole)
    covered = shapely.covers(polygons[polygon[rest]], features[feature[rest]])
    area[rest[covered]] = shapely.area(features[feature[rest[covered]]])
    rest = rest[~covered]
    area[rest] = shapely.area(shapely.intersection(features[feature[rest]], polygons[polygon[rest]]))
    found = area > 0
    return feature[found], polygon[found], area[found]


def small_parts(polygons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ``polygons`` as Polygons of at most `MAX_VERTICES` vertices, and the position each belongs to."""
    parts, owner = shapely.get_parts(polygons, return_index=True)
    done: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(MAX_CUTS):
        large = shapely.get_num_coordinates(parts) > MAX_VERTICES
        done.append((parts[~large], owner[~large]))
        parts, owner = parts[large], owner[large]
        if not len(parts):
            break
        halves = np.concatenate(_halves(parts))
        cut, source = shapely.get_parts(shapely.intersection(np.concatenate([parts, parts]), halves), return_index=True)
        areal = shapely.get_type_id(cut) == shapely.GeometryType.POLYGON
        parts, owner = cut[areal], np.concatenate([owner, owner])[source[areal]]
    done.append((parts, owner))
    parts = np.concatenate([piece for piece, _ in done])
    owner = np.concatenate([position for _, position in done])
    order = np.argsort(owner, kind="stable")
    return parts[order], owner[order]


def _halves(polygons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two boxes for each of ``polygons`` that halve its bounds across the longer side."""
    left, bottom, right, top = shapely.bounds(polygons).T
    wide = right - left > top - bottom
    middle_x, middle_y = (left + right) / 2, (bottom + top) / 2
    first = shapely.box(left, bottom, np.where(wide, middle_x, right), np.where(wide, top, middle_y))
    second = shapely.box(np.where(wide, middle_x, left), np.where(wide, bottom, middle_y), right, top)
    return first, second
