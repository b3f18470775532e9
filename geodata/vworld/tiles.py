"""Tiles of the study area that stay below the size which the Data API answers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, order=True)
class Tile:
    """A square in the site's coordinate reference system [m]; tiles of one size lie on one grid from the origin."""

    minx: float
    miny: float
    size_m: float

    @property
    def name(self) -> str:
        """Return the name under which the progress file knows it."""
        return f"{self.minx:.3f},{self.miny:.3f},{self.size_m:.3f}"

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Return minx, miny, maxx, maxy."""
        return (self.minx, self.miny, self.minx + self.size_m, self.miny + self.size_m)

    def quarters(self) -> tuple[Tile, Tile, Tile, Tile]:
        """Return the four tiles of half the size."""
        half = self.size_m / 2
        return (
            Tile(self.minx, self.miny, half),
            Tile(self.minx + half, self.miny, half),
            Tile(self.minx, self.miny + half, half),
            Tile(self.minx + half, self.miny + half, half),
        )


def tiles_of(area: BaseGeometry, size_m: float) -> list[Tile]:
    """Return the tiles of ``size_m`` that touch ``area`` [m], in order of their corners.

    They lie on a grid that does not depend on the area, so that a small change of the area moves no tile.
    """
    minx, miny, maxx, maxy = area.bounds
    columns = np.arange(math.floor(minx / size_m), math.floor(maxx / size_m) + 1) * size_m
    rows = np.arange(math.floor(miny / size_m), math.floor(maxy / size_m) + 1) * size_m
    x, y = (values.ravel() for values in np.meshgrid(columns, rows, indexing="ij"))
    touched = shapely.intersects(shapely.box(x, y, x + size_m, y + size_m), area)
    return [Tile(float(a), float(b), size_m) for a, b in zip(x[touched], y[touched], strict=True)]
