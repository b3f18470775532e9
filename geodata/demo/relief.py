"""The lie of the land: a valley along a stream between ridged hills, as a 5 m height grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import rasterio.features
import rasterio.transform
import shapely
from scipy import ndimage
from scipy.interpolate import CubicSpline
from shapely.geometry.base import BaseGeometry

from geodata.demo.spec import Design, Points

CELL_M = 5.0


@dataclass(frozen=True)
class Relief:
    """Heights above sea level on a grid whose first row is the northernmost."""

    height_m: np.ndarray
    above_valley_m: np.ndarray
    """Hills alone: height above the valley floor."""
    west: float
    north: float

    @property
    def transform(self) -> rasterio.Affine:
        """The grid's affine transform."""
        return rasterio.transform.from_origin(self.west, self.north, CELL_M, CELL_M)

    def sample(self, grid: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return values of ``grid`` at points, bilinear between cell centres."""
        rows = (self.north - np.asarray(y)) / CELL_M - 0.5
        columns = (np.asarray(x) - self.west) / CELL_M - 0.5
        return ndimage.map_coordinates(grid, [rows, columns], order=1, mode="nearest")


def smooth_noise(shape: tuple[int, int], wavelength_cells: float, random: np.random.Generator) -> np.ndarray:
    """Return smooth noise of zero mean and unit deviation, shape ``shape``."""
    step = wavelength_cells / 4
    coarse = random.standard_normal((int(shape[0] / step) + 6, int(shape[1] / step) + 6))
    coarse = ndimage.gaussian_filter(coarse, 1.4, mode="reflect")
    rows = np.linspace(2, 2 + shape[0] / step, shape[0])
    columns = np.linspace(2, 2 + shape[1] / step, shape[1])
    fine = ndimage.map_coordinates(coarse, np.meshgrid(rows, columns, indexing="ij"), order=3, mode="reflect")
    return (fine - fine.mean()) / fine.std()


def smooth_curve(
    points: Points, origin: tuple[float, float], *, closed: bool = False, step_m: float = 20.0
) -> np.ndarray:
    """Return a smooth curve through ``points`` (local metres) as an (n, 2) array in EPSG:5186."""
    knots = np.asarray(points, dtype=float) + origin
    if closed:
        knots = np.vstack([knots, knots[:1]])
    chord = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(knots, axis=0).T))])
    spline = CubicSpline(chord, knots, bc_type="periodic" if closed else "natural")
    return spline(np.linspace(0.0, chord[-1], max(8, int(chord[-1] / step_m))))


def streams(design: Design) -> list[tuple[shapely.LineString, float]]:
    """Return the centre lines of stream and tributaries with the width of their corridor in metres."""
    lines = [(shapely.LineString(smooth_curve(design.stream, design.origin)), design.stream_width_m)]
    return lines + [
        (shapely.LineString(smooth_curve(p, design.origin)), design.tributary_width_m) for p in design.tributaries
    ]


def build_relief(design: Design, ground: BaseGeometry, random: np.random.Generator) -> Relief:
    """Return the relief under ``ground`` and `Design.terrain_margin_m` around it."""
    bounds = np.asarray(ground.bounds) + np.array([-1, -1, 1, 1]) * design.terrain_margin_m
    west, south = np.floor(bounds[:2] / 100) * 100
    east, north = np.ceil(bounds[2:] / 100) * 100
    shape = (int((north - south) / CELL_M), int((east - west) / CELL_M))
    transform = rasterio.transform.from_origin(west, north, CELL_M, CELL_M)
    x = west + (np.arange(shape[1]) + 0.5) * CELL_M - design.origin[0]
    y = north - (np.arange(shape[0]) + 0.5) * CELL_M - design.origin[1]
    grid_x, grid_y = np.meshgrid(x, y)

    lines = streams(design)
    to_stream = _distance(lines, shape, transform)
    valley = design.valley_half_width_m
    warp = valley / CELL_M
    bend_x = smooth_noise(shape, warp * 1.1, random) * valley * 0.17
    bend_y = smooth_noise(shape, warp * 1.1, random) * valley * 0.17
    hills = np.zeros(shape)
    for hill in design.hills:
        angle = np.deg2rad(hill.azimuth_deg)
        dx, dy = grid_x + bend_x - hill.x, grid_y + bend_y - hill.y
        along = dx * np.sin(angle) + dy * np.cos(angle)
        across = dx * np.cos(angle) - dy * np.sin(angle)
        hills = np.maximum(hills, 0) + hill.height_m * np.exp(
            -((along / hill.long_m) ** 2) - (across / hill.short_m) ** 2
        )
    # spurs and gullies: ridged noise that grows with height, so that the valley floor stays flat
    ridged = sum(
        (1 - np.abs(smooth_noise(shape, warp * size, random))) * share
        for size, share in ((0.9, 0.55), (0.45, 0.25), (0.22, 0.07))
    )
    hills = hills * (1 + 0.55 * ridged)
    hills *= np.clip((to_stream - 25) / (valley * 0.55), 0, 1) ** 1.3
    hills = np.maximum(hills - 1.5, 0)

    low, high = design.valley_floor_m
    span = grid_y.max() - grid_y.min()
    floor = low + (high - low) * (grid_y - grid_y.min()) / span + 4.0 * (np.clip(to_stream / valley, 0, 2.5) ** 1.2)
    floor += 0.5 * smooth_noise(shape, warp * 0.5, random) * np.clip(to_stream / 150, 0, 1)
    channel = sum(2.2 * np.exp(-((_distance([line], shape, transform) / (line[1] * 0.3)) ** 4)) for line in lines)
    height = ndimage.gaussian_filter(floor + hills - channel, 1.0)
    return Relief(
        height.astype("float32"), ndimage.gaussian_filter(hills, 3.0).astype("float32"), float(west), float(north)
    )


def _distance(
    lines: list[tuple[shapely.LineString, float]], shape: tuple[int, int], transform: rasterio.Affine
) -> np.ndarray:
    """Distance to the nearest line in metres, shape ``shape``."""
    burnt = rasterio.features.rasterize(
        [line for line, _ in lines], out_shape=shape, transform=transform, all_touched=True
    )
    return ndimage.distance_transform_edt(burnt == 0) * CELL_M


def wooded(relief: Relief, ground: BaseGeometry, above_m: float, smallest_m2: float = 6000.0) -> BaseGeometry:
    """Return the woods: ground at least ``above_m`` over the valley floor, with smooth edges; clearings are filled."""
    coarse = relief.above_valley_m[::2, ::2] > above_m
    transform = rasterio.transform.from_origin(relief.west, relief.north, CELL_M * 2, CELL_M * 2)
    found = rasterio.features.shapes(coarse.astype("uint8"), mask=coarse, transform=transform)
    shapes = np.array([shapely.Polygon(shape["coordinates"][0]) for shape, _ in found], dtype=object)
    smooth = shapely.buffer(shapely.buffer(shapely.buffer(shapes, 14), -28), 14)
    parts = shapely.get_parts(shapely.union_all(smooth))
    parts = parts[shapely.area(parts) > smallest_m2]
    rings = shapely.get_exterior_ring(shapely.simplify(parts, 7.0))
    return shapely.intersection(shapely.union_all(shapely.polygons([_corner_cut(ring) for ring in rings])), ground)


def _corner_cut(ring: shapely.LinearRing, rounds: int = 3) -> shapely.LinearRing:
    """Smooth a ring by cutting its corners (Chaikin 1974)."""
    xy = shapely.get_coordinates(ring)[:-1]
    for _ in range(rounds):
        following = np.roll(xy, -1, axis=0)
        xy = np.stack([0.75 * xy + 0.25 * following, 0.25 * xy + 0.75 * following], axis=1).reshape(-1, 2)
    return shapely.LinearRing(xy)
