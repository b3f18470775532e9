"""Terrain from contour lines and spot heights: a triangulated surface, and how well it agrees with heights kept aside.

The points of contour lines and the spot heights are joined to Delaunay triangles, within which heights change linearly.
A triangle counts only where its circumscribed circle, which holds no other point, is smaller than `reach_m`: beyond the
outermost heights and across wide gaps there is no terrain. Triangles are made block by block from the points within twice
that radius around a block, which gives the same triangles as all points at once would.

To tell the accuracy the surface is first made from the contour lines alone and compared with the spot heights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.features
import shapely
from rasterio import Affine
from rasterio.windows import Window
from scipy.spatial import Delaunay, QhullError

from geodata.clean.columns import numbers
from geodata.errors import InputError
from geodata.inventory import Dataset, RawLayer
from geodata.parameters import Parameters, load_parameters
from geodata.products.terrain_report import PROFILE, VERTICAL_DATUM_NOTE, TerrainReport
from geodata.study_area import StudyArea
from geodata.vector_file import read_dataset

Floats = npt.NDArray[np.float64]

_BLOCK = 256
"""Cells along the side of the square that is triangulated at once."""
_POINT_STEP_M = 0.001
"""Points closer than this are one point."""


def contour_parameters() -> Parameters:
    """Return the parameters of the interpolation."""
    return load_parameters("geodata.products", "contours.yaml")


@dataclass(frozen=True)
class Heights:
    """Measured heights as read, and where the records went: ``read = outside + used + reasoned``.

    ``lines`` and ``spots`` are points (n x 3) [m]: vertices of contour lines, and spot heights.
    """

    lines: Floats
    spots: Floats
    read: int
    outside: int
    used: int
    reasoned: int


@dataclass(frozen=True)
class Surface:
    """Triangles over measured heights: ``corners`` (n x 3 x 3) [m], as x, y and height of the three corners."""

    corners: Floats

    def at(self, places: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return heights [m] at ``places`` (m x 2), NaN where no triangle is, and whether the triangle there is level."""
        heights, level = np.full(len(places), np.nan), np.zeros(len(places), dtype=bool)
        shapes = shapely.polygons(self.corners[:, :, :2])
        tree = shapely.STRtree(np.asarray(shapely.points(places), dtype=object))
        found, place = tree.query(shapes, predicate="intersects")
        # a place on the side of two triangles has the same height in both
        order = np.lexsort((found, place))
        place, first = np.unique(place[order], return_index=True)
        a, b, c = np.moveaxis(self.corners[found[order][first]], 1, 0)
        u, v, w = b - a, c - a, places[place] - a[:, :2]
        twice_area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
        along_u = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / twice_area
        along_v = (u[:, 0] * w[:, 1] - u[:, 1] * w[:, 0]) / twice_area
        heights[place] = a[:, 2] + along_u * u[:, 2] + along_v * v[:, 2]
        level[place] = (u[:, 2] == 0) & (v[:, 2] == 0)
        return heights, level


def build_contour_terrain(
    inbox: Path, datasets: Sequence[Dataset], area: StudyArea, out: Path, *, margin_m: float = 300.0
) -> TerrainReport:
    """Write the terrain of ``area`` and ``margin_m`` around its bounds, made from contour lines and spot heights.

    Parameters
    ----------
    inbox : folder to which the datasets' paths are relative
    datasets : vector datasets of the role terrain, lines and points with ``elevation_m``
    area : study area; its CRS is the CRS of the result
    out : float32 GeoTIFF to write, gaps are NaN

    Raises
    ------
    InputError
        If no height lies near the study area.
    """
    parameters = contour_parameters()
    cell, reach = float(parameters["cell_size_m"]), float(parameters["reach_m"])
    minx, miny, maxx, maxy = area.area.bounds
    west, south = (np.floor((low - margin_m) / cell) * cell for low in (minx, miny))
    width, height = (int(np.ceil((high + margin_m - low) / cell)) for high, low in ((maxx, west), (maxy, south)))
    transform = Affine(cell, 0.0, west, 0.0, -cell, south + height * cell)
    wide = 2.0 * reach
    box = (west - wide, south - wide, west + width * cell + wide, south + height * cell + wide)
    heights = measured_heights([read_dataset(inbox, dataset, area.crs, box) for dataset in datasets], parameters)
    check = agreement(heights, parameters)
    points = distinct_points(np.vstack([heights.spots, heights.lines]))
    inside = covered = level = 0
    lowest, highest = np.inf, -np.inf
    with rasterio.open(out, "w", crs=area.crs, transform=transform, width=width, height=height, **PROFILE) as target:
        for window in _blocks(width, height):
            values, flat = _block_heights(points, rasterio.windows.transform(window, transform), window, cell, reach)
            target.write(values.astype(np.float32), 1, window=window)
            wanted = rasterio.features.geometry_mask(
                [area.area], values.shape, rasterio.windows.transform(window, transform), invert=True
            )
            known = ~np.isnan(values)
            inside += int(wanted.sum())
            covered += int((wanted & known).sum())
            level += int((wanted & flat).sum())
            if known.any():
                lowest, highest = min(lowest, float(np.nanmin(values))), max(highest, float(np.nanmax(values)))
    if covered == 0:
        raise InputError(
            f"no contour line or spot height lies near the study area (bounds {[round(v) for v in area.area.bounds]} in "
            f"{area.crs}); take the map sheets of this place, or a DEM"
        )
    notes = [
        VERTICAL_DATUM_NOTE,
        (
            f"made from {len(heights.lines):,} points of contour lines and {len(heights.spots):,} spot heights; no place "
            f"is further than {reach:g} m from one"
        ),
        check.words,
        (
            f"{100.0 * level / covered:.1f} % of it lies in triangles between points of one height, where hilltops and "
            "valley floors come out level"
        ),
    ]
    if heights.reasoned:
        notes.append(
            f"{heights.reasoned:,} contour lines or spot heights without usable elevation or shape were not used"
        )
    return TerrainReport(
        cell_size_m=cell,
        coverage_pct=100.0 * covered / inside,
        minimum_m=lowest,
        maximum_m=highest,
        sheets=sum(len(dataset.parts) for dataset in datasets),
        notes=tuple(notes),
        method="contours",
        check_rmse_m=check.rmse_m,
        check_points=check.compared,
        records={name: getattr(heights, name) for name in ("read", "outside", "used", "reasoned")},
    )


def measured_heights(layers: Sequence[RawLayer], parameters: Parameters) -> Heights:
    """Return the measured heights of ``layers``: lines become points at most `vertex_step_m` apart.

    The column ``elevation_m`` counts; where it is empty, the Z coordinate of the shape.
    """
    lines, spots = [np.empty((0, 3))], [np.empty((0, 3))]
    used = 0
    for layer in layers:
        shapes = layer.frame.geometry.to_numpy()
        elevation = _elevations(layer, shapes)
        shapes = shapely.force_2d(shapes)
        kind = shapely.get_dimensions(shapes)
        finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
        sound = (
            finite
            & (elevation >= parameters["elevation_minimum_m"])
            & (elevation <= parameters["elevation_maximum_m"])
            & ((kind == 0) | ((kind == 1) & (shapely.length(shapes) > 0)))
        )
        used += int(sound.sum())
        for dimension, into in ((1, lines), (0, spots)):
            chosen = sound & (kind == dimension)
            some = shapes[chosen]
            if dimension == 1:
                some = shapely.segmentize(some, parameters["vertex_step_m"])
            xy, owner = shapely.get_coordinates(some, return_index=True)
            into.append(np.column_stack([xy, elevation[chosen][owner]]))
    read, outside = sum(layer.read for layer in layers), sum(layer.outside for layer in layers)
    return Heights(
        lines=distinct_points(np.vstack(lines)),
        spots=distinct_points(np.vstack(spots)),
        read=read,
        outside=outside,
        used=used,
        reasoned=read - outside - used,
    )


def _elevations(layer: RawLayer, shapes: npt.NDArray[np.object_]) -> Floats:
    elevation = numbers(layer.frame["elevation_m"]).to_numpy(dtype=np.float64).copy()
    in_shape = np.flatnonzero(np.isnan(elevation) & shapely.has_z(shapes))
    if len(in_shape):
        xyz, owner = shapely.get_coordinates(shapes[in_shape], include_z=True, return_index=True)
        which, first = np.unique(owner, return_index=True)
        elevation[in_shape[which]] = xyz[first, 2]
    return elevation


def distinct_points(points: Floats) -> Floats:
    """Return ``points`` (n x 3) sorted by place, each place once; of several heights at one place the first given counts."""
    grid = np.round(points[:, :2] / _POINT_STEP_M).astype(np.int64)
    _, first = np.unique(grid, axis=0, return_index=True)
    return points[first]


def triangulate(points: Floats, reach_m: float) -> Surface:
    """Return the Delaunay triangles over ``points`` (n x 3) [m] whose circumscribed circle is no larger than ``reach_m``."""
    none = Surface(np.empty((0, 3, 3)))
    if len(points) < 3:
        return none
    try:
        # coordinates of millions would cost digits
        triangles = Delaunay(points[:, :2] - points[:, :2].mean(axis=0)).simplices
    except QhullError:  # all points lie on one line
        return none
    corners = points[triangles]
    a, b, c = (np.hypot(*(corners[:, i, :2] - corners[:, j, :2]).T) for i, j in ((1, 2), (2, 0), (0, 1)))
    (ux, uy), (vx, vy) = (corners[:, 1, :2] - corners[:, 0, :2]).T, (corners[:, 2, :2] - corners[:, 0, :2]).T
    with np.errstate(divide="ignore", invalid="ignore"):
        radius = a * b * c / (2.0 * np.abs(ux * vy - uy * vx))
    return Surface(corners[radius <= reach_m])


def _blocks(width: int, height: int) -> list[Window]:
    return [
        Window(column, row, min(_BLOCK, width - column), min(_BLOCK, height - row))
        for row in range(0, height, _BLOCK)
        for column in range(0, width, _BLOCK)
    ]


def _block_heights(
    points: Floats, transform: Affine, window: Window, cell: float, reach_m: float
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return heights and whether the ground is level, for the cells of one block."""
    shape = (int(window.height), int(window.width))
    west, north = transform.c, transform.f
    near = _within(points, (west, north - shape[0] * cell, west + shape[1] * cell, north), 2.0 * reach_m)
    surface = triangulate(points[near], reach_m)
    x, y = np.meshgrid(west + (np.arange(shape[1]) + 0.5) * cell, north - (np.arange(shape[0]) + 0.5) * cell)
    heights, level = surface.at(np.column_stack([x.ravel(), y.ravel()]))
    return heights.reshape(shape), level.reshape(shape)


def _within(points: Floats, box: tuple[float, float, float, float], margin: float) -> npt.NDArray[np.bool_]:
    return (
        (points[:, 0] >= box[0] - margin)
        & (points[:, 0] <= box[2] + margin)
        & (points[:, 1] >= box[1] - margin)
        & (points[:, 1] <= box[3] + margin)
    )


@dataclass(frozen=True)
class Agreement:
    """How well the contour lines alone predict the spot heights."""

    rmse_m: float | None
    bias_m: float | None
    compared: int
    kept_aside: int

    @property
    def words(self) -> str:
        """Return it as a sentence."""
        if self.rmse_m is None:
            return f"the contour lines reach none of {self.kept_aside:,} spot heights: the accuracy is not known"
        return (
            f"made from contour lines alone, it differs from {self.compared:,} of {self.kept_aside:,} spot heights by "
            f"{self.rmse_m:.2f} m (RMSE; mean {self.bias_m:+.2f} m); the others lie beyond its reach"
        )


def agreement(heights: Heights, parameters: Parameters) -> Agreement:
    """Compare a surface made from contour lines alone with the spot heights, which it has not seen."""
    reach = float(parameters["reach_m"])
    spots = heights.spots
    estimate = np.full(len(spots), np.nan)
    side = _BLOCK * float(parameters["cell_size_m"])
    block = np.floor(spots[:, :2] / side).astype(np.int64)
    for place in np.unique(block, axis=0):
        here = (block == place).all(axis=1)
        west, south = place * side
        near = _within(heights.lines, (west, south, west + side, south + side), 2.0 * reach)
        estimate[here] = triangulate(heights.lines[near], reach).at(spots[here, :2])[0]
    difference = (estimate - spots[:, 2])[~np.isnan(estimate)]
    if len(difference) == 0:
        return Agreement(None, None, 0, len(spots))
    return Agreement(float(np.sqrt(np.mean(difference**2))), float(np.mean(difference)), len(difference), len(spots))
