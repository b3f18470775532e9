"""Clean roof planes: the surfaces of a city model with tilt and azimuth, each on the building that it covers.

Tilt and azimuth come from the area vector of a surface (Newell): it points out of the roof, and its horizontal part points
down the slope. Neighbouring surfaces in one plane, such as the triangles of a mesh, become one plane.
"""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.accounting import Account, CleanLayer, QualityLog
from geodata.inventory import RawLayer, total
from geodata.study_area import StudyArea

STEEPEST_DEG = 80.0
"""Steeper surfaces are walls, whatever the model calls them."""
FLAT_DEG = 0.1
"""Flatter planes have no azimuth that means anything."""
SAME_PLANE_DEG = 3.0
SAME_PLANE_M = 0.3
"""Touching surfaces whose normals differ by less, and whose middles lie in each other's plane, are one plane."""
SMALLEST_M2 = 1.0
"""Smaller planes, along the slope, are chimneys and scraps."""
LEAST_ON_BUILDING = 0.5
"""A plane belongs to a building if this share of it, seen from above, lies on the footprint."""
LEAST_COVERED = 0.5
"""A building's planes are used if together they cover this share of its footprint."""

COLUMNS = ("building_id", "tilt_deg", "azimuth_deg", "area_m2", "top_m", "source_id")


def clean_roof_planes(raw: Sequence[RawLayer], area: StudyArea, buildings: gpd.GeoDataFrame) -> CleanLayer:
    """Return the roof planes of ``buildings``, sorted by building and place.

    Parameters
    ----------
    raw
        Roof surfaces as 3D polygons in the site's CRS, with ``source_key``.
    area
        The study area.
    buildings
        Clean buildings with ``building_id`` and footprints.

    Returns
    -------
    CleanLayer
        ``features``: ``building_id``, ``tilt_deg``, ``azimuth_deg`` (downslope, clockwise from north; NaN where flat),
        ``area_m2`` along the slope, ``top_m`` (height of the highest corner, as the model gives it), ``source_id`` (first
        surface of the plane) and the plane as seen from above.
    """
    read, outside = total(raw)
    log = QualityLog("roof_planes", area.crs)
    books = {"outside": outside, "merged": 0, "reasoned": 0}
    planes = _surfaces(raw, area.crs)

    def drop(reason: str, which: np.ndarray) -> None:
        nonlocal planes
        gone = planes[which]
        log.add(reason, gone["source_id"], gone.geometry)
        books["reasoned"] += len(gone)
        planes = planes[~which].reset_index(drop=True)

    drop("no_geometry", shapely.is_empty(planes["solid"].to_numpy()))
    vectors = area_vectors(planes["solid"].to_numpy())
    corners, owner = shapely.get_coordinates(planes["solid"].to_numpy(), include_z=True, return_index=True)
    top = np.full(len(planes), -np.inf)
    np.maximum.at(top, owner, corners[:, 2])
    planes["top_m"] = top
    planes = planes.assign(x=vectors[:, 0], y=vectors[:, 1], z=vectors[:, 2])
    drop("geometry_collapsed", np.linalg.norm(planes[["x", "y", "z"]], axis=1) < 1e-3)
    tilt, _ = orientation(planes[["x", "y", "z"]].to_numpy())
    drop("roof_is_wall", tilt > STEEPEST_DEG)
    flat = shapely.make_valid(shapely.force_2d(planes["solid"].to_numpy()), method="structure")
    planes = planes.set_geometry(gpd.GeoSeries(flat, crs=area.crs))
    drop("geometry_collapsed", planes.geometry.area.to_numpy() < 1e-3)

    planes["building_id"] = _building_of(planes.geometry.to_numpy(), buildings)
    alone = planes["building_id"].isna().to_numpy()
    shapely.prepare(area.area)
    beyond = alone & ~shapely.intersects(area.area, shapely.point_on_surface(planes.geometry.to_numpy()))
    books["outside"] += int(beyond.sum())
    planes = planes[~beyond].reset_index(drop=True)
    drop("roof_without_building", planes["building_id"].isna().to_numpy())

    planes, merged = _joined(planes, log)
    books["merged"] += merged
    tilt, azimuth = orientation(planes[["x", "y", "z"]].to_numpy())
    planes = planes.assign(tilt_deg=tilt, azimuth_deg=np.where(tilt < FLAT_DEG, np.nan, azimuth))
    planes.loc[planes["tilt_deg"] < FLAT_DEG, "tilt_deg"] = 0.0
    planes["area_m2"] = planes.geometry.area / np.cos(np.radians(planes["tilt_deg"]))
    drop("roof_tiny", planes["area_m2"].to_numpy() < SMALLEST_M2)
    footprint = pd.Series(buildings.geometry.area.to_numpy(), index=buildings["building_id"])
    covered = planes.geometry.area.groupby(planes["building_id"]).sum() / footprint
    drop("roof_partial", (planes["building_id"].map(covered) < LEAST_COVERED).to_numpy(dtype=bool))

    features = planes[[*COLUMNS, "geometry"]].sort_values(["building_id", "source_id"], ignore_index=True)
    account = Account(source="roof_planes", read=read, published=len(features), **books)
    account.verify()
    return CleanLayer(features, log.frame(), account)


def area_vectors(polygons: np.ndarray) -> np.ndarray:
    """Return the area vector [m2] of the shell of each 3D polygon, shape (n, 3), by Newell's method.

    Its length is the area and its direction the normal; corners that do not quite lie in one plane are averaged.
    """
    rings = shapely.get_exterior_ring(polygons)
    points, owner = shapely.get_coordinates(rings, include_z=True, return_index=True)
    result = np.zeros((len(polygons), 3))
    if not len(points):
        return result
    # near the ring's first corner the products keep all their digits
    first = np.concatenate([[True], owner[1:] != owner[:-1]])
    points = points - points[first][np.cumsum(first) - 1]
    follows = owner[1:] == owner[:-1]
    cross = 0.5 * np.cross(points[:-1][follows], points[1:][follows])
    np.add.at(result, owner[1:][follows], cross)
    return result


def orientation(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return tilt from horizontal and downslope azimuth clockwise from north [deg] of area vectors, shape (n, 3)."""
    # a roof's outside is up: a surface that was wound the wrong way round is turned over
    up = np.where(vectors[:, 2:] < 0, -vectors, vectors)
    tilt = np.degrees(np.arctan2(np.hypot(up[:, 0], up[:, 1]), up[:, 2]))
    azimuth = np.degrees(np.arctan2(up[:, 0], up[:, 1])) % 360.0
    # a tiny negative angle comes out of the remainder as 360
    return tilt, np.where(azimuth >= 360.0, 0.0, azimuth)


def _surfaces(raw: Sequence[RawLayer], crs: str) -> gpd.GeoDataFrame:
    frames = [layer.frame for layer in raw if len(layer.frame)]
    if not frames:
        empty = {"source_id": pd.Series([], dtype="str"), "solid": np.array([], dtype=object)}
        return gpd.GeoDataFrame(empty, geometry=[], crs=crs)
    solid = np.concatenate([frame.geometry.to_numpy() for frame in frames])
    keys = pd.concat([frame["source_key"].astype("str") for frame in frames], ignore_index=True)
    found = gpd.GeoDataFrame({"source_id": keys, "solid": solid}, geometry=shapely.force_2d(solid), crs=crs)
    found.loc[shapely.is_missing(solid), "solid"] = shapely.Polygon()
    return found.sort_values("source_id", ignore_index=True, kind="stable")


def _building_of(shapes: np.ndarray, buildings: gpd.GeoDataFrame) -> pd.Series:
    """Return the building under most of each plane, NaN where none carries `LEAST_ON_BUILDING` of it."""
    footprints = buildings.geometry.to_numpy()
    plane, building = shapely.STRtree(footprints).query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[plane], footprints[building]))
    pairs = pd.DataFrame(
        {"plane": plane, "id": buildings["building_id"].astype("str").to_numpy()[building], "area": shared.round(6)}
    )
    best = pairs.sort_values(["plane", "area", "id"], ascending=[True, False, True]).drop_duplicates("plane")
    best = best[best["area"] >= LEAST_ON_BUILDING * shapely.area(shapes)[best["plane"]]]
    return best.set_index("plane")["id"].reindex(range(len(shapes))).astype("str")


def _joined(planes: gpd.GeoDataFrame, log: QualityLog) -> tuple[gpd.GeoDataFrame, int]:
    """Return ``planes`` with touching surfaces of one plane as one, and how many were merged into others."""
    if planes.empty:
        return planes, 0
    shapes = planes.geometry.to_numpy()
    vectors = planes[["x", "y", "z"]].to_numpy()
    vectors = np.where(vectors[:, 2:] < 0, -vectors, vectors)
    normals = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    points, owner = shapely.get_coordinates(planes["solid"].to_numpy(), include_z=True, return_index=True)
    corners = np.bincount(owner, minlength=len(planes))
    middle = np.column_stack([np.bincount(owner, points[:, axis], len(planes)) / corners for axis in range(3)])
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    building = planes["building_id"].to_numpy()
    keep = (one < other) & (building[one] == building[other])
    one, other = one[keep], other[keep]
    between = middle[other] - middle[one]
    alike = np.einsum("ij,ij->i", normals[one], normals[other]) >= np.cos(np.radians(SAME_PLANE_DEG))
    for number in (one, other):
        alike &= np.abs(np.einsum("ij,ij->i", between, normals[number])) <= SAME_PLANE_M
    # surfaces that meet in a corner only are neighbours, not one plane
    length = np.zeros(len(one))
    length[alike] = shapely.length(shapely.intersection(shapes[one[alike]], shapes[other[alike]]))
    alike &= length > 0.01
    links = coo_array((np.ones(alike.sum()), (one[alike], other[alike])), shape=(len(planes), len(planes)))
    _, group = connected_components(links, directed=False)
    lone = np.bincount(group)[group] == 1
    if lone.all():
        return planes.assign(x=vectors[:, 0], y=vectors[:, 1], z=vectors[:, 2]), 0
    first = ~pd.Series(group).duplicated().to_numpy()
    merged = planes[~first]
    log.add("roof_coplanar", merged["source_id"], merged.geometry)
    sums = pd.DataFrame(vectors, columns=["x", "y", "z"]).groupby(group).sum()
    united = planes.geometry.groupby(group).agg(lambda part: shapely.union_all(part.to_numpy()))
    kept = planes[first].reset_index(drop=True)
    numbers = group[first]
    kept = kept.assign(**{axis: sums[axis].to_numpy()[numbers] for axis in ("x", "y", "z")})
    kept["top_m"] = planes["top_m"].groupby(group).max().to_numpy()[numbers]
    return kept.set_geometry(gpd.GeoSeries(united.to_numpy()[numbers], crs=planes.crs)), len(merged)
