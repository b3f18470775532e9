"""The planes of one roof, found in its cells: few slopes, each a level of its own, fitted by least squares.

Slopes of cells gather around those of the roof's planes. Cells of one slope that touch are a first plane; planes that agree
are joined. Then each cell goes to the plane that explains its neighbourhood best, and planes are fitted again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

_BIN = 0.1
"""Of the histogram of slopes [m/m]."""
_ROUNDS = 3
_FURNITURE_M = 1.0
"""Whatever stands off a plane by more does not count more against it."""
_WINDOW = 5
"""Cells across the neighbourhood that is asked for its plane."""
_TRIM = 3.0
"""Cells further off than this many times the median are left out of a fit."""


@dataclass(frozen=True)
class RoofCells:
    """Cells of one roof in the smallest rectangle around them, north up.

    ``height``, ``east``, ``north`` (slopes [m/m], up towards east and towards north) have the rectangle's shape; ``inside``
    marks the roof's own.
    """

    height: np.ndarray
    east: np.ndarray
    north: np.ndarray
    inside: np.ndarray
    cell_size_m: float

    @property
    def x(self) -> np.ndarray:
        """Distance of the columns' middles from the rectangle's western edge [m]."""
        return (np.arange(self.height.shape[1]) + 0.5) * self.cell_size_m

    @property
    def y(self) -> np.ndarray:
        """Distance of the rows' middles from the rectangle's northern edge, negative towards south [m]."""
        return -(np.arange(self.height.shape[0]) + 0.5) * self.cell_size_m


@dataclass(frozen=True)
class FittedPlanes:
    """Planes ``z = level + east x + north y`` of one roof, and the plane that each cell belongs to."""

    coefficients: np.ndarray
    """(planes, 3): level [m], east, north [m/m]."""
    label: np.ndarray
    """int, shape of the cells; -1 outside the roof."""


def slopes(heights: np.ndarray, cell_size_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return slopes towards east and north [m/m], each the least-squares plane over 3 x 3 cells; NaN beside gaps."""
    padded = np.pad(heights.astype(np.float64), 1, constant_values=np.nan)
    along = padded[:-2] + padded[1:-1] + padded[2:]
    across = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return (along[:, 2:] - along[:, :-2]) / (6 * cell_size_m), (across[:-2] - across[2:]) / (6 * cell_size_m)


def find_planes(cells: RoofCells, rules: Mapping[str, Any]) -> FittedPlanes | None:
    """Return the planes of a roof by ``rules`` (``roof_fit.yaml``); None if its cells show none."""
    regions = _regions(cells, rules)
    if not regions:
        return None
    x, y = np.broadcast_arrays(cells.x[None, :], cells.y[:, None])
    planes = _joined([_fit(cells, x, y, region) for region in regions], regions, x, y, rules)
    enough = max(int(rules["least_cells"]), float(rules["least_share"]) * cells.inside.sum())
    label = _labelled(cells, planes, x, y)
    for _ in range(_ROUNDS):
        kept = _needed(cells, planes, label, enough, float(rules["same_plane_m"]))
        if len(kept) < len(planes):
            label = _labelled(cells, planes[kept], x, y)
        planes = np.array([_fit(cells, x, y, label == number) for number in np.unique(label[cells.inside])])
        if len(planes) == 1:
            return FittedPlanes(planes, np.where(cells.inside, 0, -1))
        before, label = label, _labelled(cells, planes, x, y)
        if np.array_equal(before, label):
            break
    return FittedPlanes(planes, label)


def residuals(cells: RoofCells, coefficients: np.ndarray) -> np.ndarray:
    """Return heights above a plane [m], shape of the cells."""
    level, east, north = coefficients
    return cells.height - (level + east * cells.x[None, :] + north * cells.y[:, None])


def _regions(cells: RoofCells, rules: Mapping[str, Any]) -> list[np.ndarray]:
    """Return connected cells of one slope each, as masks."""
    steepest, radius = np.tan(np.radians(float(rules["steepest_deg"]))), float(rules["same_direction"])
    free = cells.inside & (np.hypot(cells.east, cells.north) <= steepest)
    # the rim of a region is steep and does not show yet
    enough = max(int(rules["least_cells"]), float(rules["least_share"]) * cells.inside.sum() / 2)
    bins = int(np.ceil(steepest / _BIN)) * 2 + 3
    regions: list[np.ndarray] = []
    for _ in range(int(rules["most_planes"])):
        east, north = cells.east[free], cells.north[free]
        if len(east) < enough:
            break
        place = (np.floor(east / _BIN).astype(int) + bins // 2) * bins + np.floor(north / _BIN).astype(int) + bins // 2
        counts = np.bincount(place, minlength=bins * bins).reshape(bins, bins)
        crowd = ndimage.uniform_filter(counts.astype(np.float64), 3, mode="constant")
        column, row = np.unravel_index(int(np.argmax(crowd)), crowd.shape)
        middle = np.array([column - bins // 2 + 0.5, row - bins // 2 + 0.5]) * _BIN
        for _ in range(_ROUNDS):
            near = np.hypot(east - middle[0], north - middle[1]) <= radius
            if not near.any():
                break
            middle = np.array([east[near].mean(), north[near].mean()])
        alike = free & (np.hypot(cells.east - middle[0], cells.north - middle[1]) <= radius)
        if alike.sum() < enough:
            break
        numbers, count = ndimage.label(alike)
        sizes = np.bincount(numbers.reshape(-1), minlength=count + 1)
        regions += [numbers == number for number in range(1, count + 1) if sizes[number] >= enough]
        free &= ~alike
    return regions


def _fit(cells: RoofCells, x: np.ndarray, y: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Return the least-squares plane through a region's cells, without those that stand far off it."""
    height, east, north = cells.height[region], x[region], y[region]
    level, up_east, up_north = _solve(east, north, height)
    off = np.abs(height - (level + up_east * east + up_north * north))
    near = off <= _TRIM * np.median(off) + 1e-6
    return np.array(_solve(east[near], north[near], height[near]))


def _solve(east: np.ndarray, north: np.ndarray, height: np.ndarray) -> tuple[float, float, float]:
    # normal equations about the middle, so that no digits are lost; cells in one line give a plane level across it
    count = len(height)
    middle_east, middle_north, mean = float(east.sum()) / count, float(north.sum()) / count, float(height.sum()) / count
    east, north, height = east - middle_east, north - middle_north, height - mean
    aa, ab, bb = float(east @ east), float(east @ north), float(north @ north)
    small = 1e-9 * (aa + bb) + 1e-12
    aa, bb = aa + small, bb + small
    ah, bh = float(east @ height), float(north @ height)
    whole = aa * bb - ab * ab
    up_east, up_north = (bb * ah - ab * bh) / whole, (aa * bh - ab * ah) / whole
    return mean - up_east * middle_east - up_north * middle_north, up_east, up_north


def _joined(
    planes: list[np.ndarray], regions: list[np.ndarray], x: np.ndarray, y: np.ndarray, rules: Mapping[str, Any]
) -> np.ndarray:
    """Return planes without those that continue a larger one."""
    order = sorted(range(len(planes)), key=lambda number: (-int(regions[number].sum()), number))
    kept: list[np.ndarray] = []
    least = np.cos(np.radians(float(rules["same_plane_deg"])))
    for number in order:
        level, east, north = planes[number]
        centre = np.array([1.0, x[regions[number]].mean(), y[regions[number]].mean()])
        for other in kept:
            alike = (1 + east * other[1] + north * other[2]) / np.sqrt(
                (1 + east**2 + north**2) * (1 + other[1] ** 2 + other[2] ** 2)
            )
            apart = abs(centre @ (planes[number] - other))
            if alike >= least and apart <= float(rules["same_plane_m"]):
                break
        else:
            kept.append(np.array([level, east, north]))
    return np.array(kept)


def _needed(cells: RoofCells, planes: np.ndarray, label: np.ndarray, enough: float, near_m: float) -> list[int]:
    """Return the planes without those that are too small, or whose cells the others explain as well.

    A ridge is such a plane: its cells are level, and lie on both slopes.
    """
    kept = list(range(len(planes)))
    off = np.abs(np.array([residuals(cells, plane) for plane in planes]))
    sizes = np.bincount(label[cells.inside], minlength=len(planes))
    for number in sorted(kept, key=lambda n: (int(sizes[n]), n)):
        if len(kept) == 1:
            break
        others = [other for other in kept if other != number]
        left = off[others][:, label == number].min(axis=0)
        if sizes[number] < enough or np.sqrt(np.mean(left**2)) <= near_m:
            kept = others
    return kept


def _labelled(cells: RoofCells, planes: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the plane that each cell belongs to: the one that its neighbourhood is nearest to on the average."""
    if len(planes) == 1:
        return np.where(cells.inside, 0, -1)
    inside = cells.inside.astype(np.float64)
    height = np.where(cells.inside, cells.height, 0.0)
    around = np.maximum(ndimage.uniform_filter(inside, _WINDOW, mode="constant"), 1e-9)
    best, label = np.full(height.shape, np.inf), np.full(height.shape, -1)
    for number, (level, east, north) in enumerate(planes):
        off = np.minimum(np.abs(height - (level + east * x + north * y)), _FURNITURE_M) * inside
        cost = ndimage.uniform_filter(off, _WINDOW, mode="constant") / around
        nearer = cost < best
        best[nearer], label[nearer] = cost[nearer], number
    return np.where(cells.inside, label, -1)
