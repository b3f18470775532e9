"""Making a coverage of the pieces of land: shared vertices, no gaps, no slivers, and country limits that bend a little."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import ndimage
from scipy.spatial import cKDTree

from geodata.demo.layout import URBAN, Layout, zone_at
from geodata.demo.relief import smooth_noise
from geodata.demo.spec import CRS, Design


def as_coverage(pieces: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Node all limits against each other, so that neighbours share every vertex and nothing is left between them.

    A fragment too small to stand alone joins the piece it has the longest limit with.
    """
    shapes = pieces.geometry.to_numpy()
    lines = shapely.union_all(shapely.boundary(shapes), grid_size=0.001)
    edges = shapely.segmentize(shapely.get_parts(shapely.line_merge(lines)), 15.0)
    faces = shapely.get_parts(shapely.polygonize(list(edges)))
    points = shapely.point_on_surface(faces)
    face, piece = shapely.STRtree(shapes).query(points, predicate="dwithin", distance=0.002)
    owner = np.full(len(faces), -1)
    owner[face[::-1]] = piece[::-1]
    orphan = np.flatnonzero(owner < 0)  # slivers that were too small to be a piece
    owner[orphan] = shapely.STRtree(shapes).nearest(points[orphan])
    frame = gpd.GeoDataFrame(
        {"purpose": pieces["purpose"].to_numpy()[owner], "block": pieces["block"].to_numpy()[owner]},
        geometry=faces,
        crs=CRS,
    )
    return _absorbed(frame, 18.0)


def _absorbed(frame: gpd.GeoDataFrame, smallest_m2: float) -> gpd.GeoDataFrame:
    """Merge faces smaller than ``smallest_m2`` into the neighbour with the longest common limit."""
    shapes = frame.geometry.to_numpy()
    tiny = np.flatnonzero((shapely.area(shapes) < smallest_m2) | (shapely.area(shapes) / shapely.length(shapes) < 0.45))
    if len(tiny) == 0:
        return frame
    own, other = shapely.STRtree(shapes).query(shapes[tiny], predicate="touches")
    own = tiny[own]
    solid = ~np.isin(other, tiny)
    own, other = own[solid], other[solid]
    common = shapely.length(shapely.intersection(shapely.boundary(shapes[own]), shapely.boundary(shapes[other])))
    best = pd.DataFrame({"own": own, "other": other, "common": common}).sort_values(["own", "common", "other"])
    best = best[best["common"] > 0].drop_duplicates("own", keep="last")
    target = np.arange(len(frame))
    target[best["own"].to_numpy()] = best["other"].to_numpy()
    changed = np.isin(target, best["other"].to_numpy())
    merged = (
        pd.Series(shapes[changed]).groupby(target[changed]).apply(lambda group: shapely.union_all(group.to_numpy()))
    )
    shapes = shapes.copy()
    shapes[merged.index.to_numpy()] = merged.to_numpy()
    keep = target == np.arange(len(frame))
    return (
        frame[keep].set_geometry(gpd.GeoSeries(shapes[keep], index=frame.index[keep], crs=CRS)).reset_index(drop=True)
    )


def bent(design: Design, layout: Layout, parcels: gpd.GeoDataFrame, random: np.random.Generator) -> gpd.GeoDataFrame:
    """Bend the country's straight limits a little; shared vertices move together, so the coverage stays whole."""
    west, south, east, north = np.asarray(layout.ground.bounds) + np.array([-1, -1, 1, 1]) * 100.0
    step = 10.0
    shape = (int((north - south) / step) + 4, int((east - west) / step) + 4)
    waves = [smooth_noise(shape, 17.0, random) * 3.2 for _ in range(2)]
    grid_x, grid_y = np.meshgrid(west + np.arange(shape[1]) * step, north - np.arange(shape[0]) * step)
    urban = np.isin(zone_at(design, np.column_stack([grid_x.ravel(), grid_y.ravel()])), URBAN).reshape(shape)
    calm = ndimage.gaussian_filter((~urban).astype(float), 4.0)

    shapes = parcels.geometry.to_numpy()
    xy = shapely.get_coordinates(shapes)
    nodes, node = np.unique(xy, axis=0, return_inverse=True)
    at = [(north - nodes[:, 1]) / step, (nodes[:, 0] - west) / step]
    moved = np.column_stack([ndimage.map_coordinates(wave * calm, at, order=1, mode="nearest") for wave in waves])
    moved[shapely.dwithin(shapely.boundary(layout.ground), shapely.points(nodes), 0.01)] = 0.0
    moved_shapes = shapes
    for _ in range(12):
        moved_shapes = shapely.set_coordinates(shapes.copy(), (nodes + moved)[node])
        knots = _knots(moved_shapes)
        if len(knots) == 0:
            break
        # a wedge too thin to bend stays as it was, and the bend fades out towards it
        distance, _ = cKDTree(knots).query(nodes)
        moved *= 1 - np.exp(-((distance / 70.0) ** 2))[:, None]
    return parcels.set_geometry(gpd.GeoSeries(moved_shapes, crs=CRS))


def _knots(shapes: np.ndarray) -> np.ndarray:
    """Return points where polygons cross themselves or each other, (n, 2)."""
    invalid = shapes[~shapely.is_valid(shapes)]
    if len(invalid):
        found = [re.search(r"\[(\S+) ([^\]\s]+)", reason) for reason in shapely.is_valid_reason(invalid)]
        return np.array([(float(match[1]), float(match[2])) for match in found if match])
    return shapely.get_coordinates(shapely.coverage_invalid_edges(shapes))
