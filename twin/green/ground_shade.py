"""Summer shade of the ground inside features: exact sums over the cells of a shade raster.

A feature larger than a square of `PIECE_M` is measured square by square, so that after a small change only the squares
that hold changed cells are measured again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import rasterio.features
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource

from geodata.repair import Shapes, polygon_parts

SUMMER_DAYS = 92
"""June to August."""

PIECE_M = 500.0
"""Side of the squares; a whole number of cells where these divide a kilometre."""

BLOCK = 16
"""Cells on a side of the blocks in which changed cells are looked for."""

Grounds = dict[str, np.ndarray]
"""Which cells of a raster belong to each kind of ground, by its name."""


@dataclass(frozen=True)
class ShadeRaster:
    """Hours of shade from June to August in cells [h], as they are stored; ``nodata`` where there is no ground."""

    hours: np.ndarray
    nodata: float | None
    grid: rasterio.Affine
    crs: str

    @classmethod
    def read(cls, path: Path) -> ShadeRaster:
        """Return the raster of a file."""
        with rasterio.open(path) as source:
            return cls(source.read(1), source.nodata, source.transform, source.crs.to_wkt())

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north [m]."""
        west, south, east, north = rasterio.transform.array_bounds(*self.hours.shape, self.grid)
        return west, south, east, north

    def cells_of(self, shapes: gpd.GeoSeries) -> np.ndarray:
        """Return which cells have their middle in one of ``shapes``."""
        if not len(shapes):
            return np.zeros(self.hours.shape, dtype=bool)
        mask = rasterio.features.geometry_mask(shapes.to_numpy(), self.hours.shape, self.grid, invert=True)
        return np.asarray(mask)


def pieces_of(features: Shapes) -> tuple[Shapes, np.ndarray]:
    """Return ``features``, the larger ones cut along squares of `PIECE_M`, and the position of the feature each piece belongs to."""
    bounds = shapely.bounds(features)
    large = np.flatnonzero((bounds[:, 2:] - bounds[:, :2] > PIECE_M).any(axis=1))
    small = np.setdiff1d(np.arange(len(features)), large)
    shapes, owners = [features[small]], [small]
    for position in large:
        west, south, east, north = bounds[position]
        columns, rows = (np.arange(np.floor(low / PIECE_M), np.ceil(high / PIECE_M)) * PIECE_M
                         for low, high in ((west, east), (south, north)))  # fmt: skip
        left, bottom = (part.ravel() for part in np.meshgrid(columns, rows))
        squares = shapely.box(left, bottom, left + PIECE_M, bottom + PIECE_M)
        cut = polygon_parts(shapely.intersection(features[position], squares))
        cut = cut[~(shapely.is_missing(cut) | shapely.is_empty(cut))]
        shapes.append(cut)
        owners.append(np.full(len(cut), position))
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return np.concatenate(shapes)[order], owner[order]


class GroundShade:
    """Shade of the grounds of a town, and how it was before.

    Parameters
    ----------
    shade, grounds
        Hours, and the cells of each ground on the same grid.
    before
        The hours of another night, on the same grounds.
    """

    def __init__(self, shade: ShadeRaster, grounds: Grounds, before: ShadeRaster | None = None) -> None:
        self.grounds = grounds
        self._shade = shade
        grids = [(each.hours.shape, each.grid, each.nodata, each.crs) for each in (shade, before) if each is not None]
        self._changed = _Blocks.of(shade.hours != before.hours) if before is not None and grids[0] == grids[1] else None

    def sums(self, pieces: Shapes, known: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return sum of the mean day's shade [h] times covered cells, and number of covered cells, of each ground in each of ``pieces``.

        Parameters
        ----------
        pieces
            Of `pieces_of`.
        known
            The result for the same pieces with the hours before; then only pieces that may reach a changed cell are measured,
            to the same bits.

        Returns
        -------
        DataFrame
            `<ground>_sum` and `<ground>_count` in the order of ``pieces``, weighted by the exact share of each cell.
        """
        names = [f"{ground}_{what}" for ground in self.grounds for what in ("sum", "count")]
        found, todo = np.full((len(pieces), len(names)), np.nan), np.ones(len(pieces), dtype=bool)
        if known is not None and self._changed is not None:
            found = known[names].to_numpy("float64", copy=True)
            todo = self._changed.reached(shapely.bounds(pieces), self._shade.grid)
        if todo.any():
            bands = [_Band(self._shade, name, cells) for name, cells in self.grounds.items()]
            shapes = gpd.GeoDataFrame(geometry=pieces[todo], crs=self._shade.crs)
            told = exact_extract(bands, shapes, ["sum", "count"], output="pandas")
            # one band alone is told without its name
            told.columns = names if len(bands) == 1 else list(told.columns)
            found[todo] = told[names].to_numpy("float64")
        return pd.DataFrame(found, columns=names)


class _Band(NumPyRasterSource):
    """Mean hours of shade a day in the cells of one ground, window by window."""

    def __init__(self, shade: ShadeRaster, name: str, cells: np.ndarray) -> None:
        super().__init__(shade.hours, *shade.bounds, name=name, srs_wkt=shade.crs)
        self._nothing = shade.nodata
        self._cells = cells

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> np.ndarray:
        """Return one window, NaN where the ground is not: exactextract 0.3 overlooks masks under features within one row or column."""
        hours = super().read_window(x0, y0, nx, ny)
        there = self._cells[y0 : y0 + ny, x0 : x0 + nx]
        if self._nothing is not None:
            there = there & (hours != self._nothing)
        return np.where(there, hours.astype("float32") / np.float32(SUMMER_DAYS), np.float32(np.nan))


@dataclass(frozen=True)
class _Blocks:
    """Blocks of `BLOCK` by `BLOCK` cells that hold a changed one: how many lie above and left of each corner."""

    until: np.ndarray

    @classmethod
    def of(cls, cells: np.ndarray) -> _Blocks:
        rows, columns = (-(-side // BLOCK) for side in cells.shape)
        padded = np.pad(cells, [(0, rows * BLOCK - cells.shape[0]), (0, columns * BLOCK - cells.shape[1])])
        blocks = padded.reshape(rows, BLOCK, columns, BLOCK).any(axis=(1, 3))
        until = np.zeros((rows + 1, columns + 1), dtype=np.int64)
        np.cumsum(np.cumsum(blocks, axis=0, dtype=np.int64), axis=1, out=until[1:, 1:])
        return cls(until)

    def reached(self, bounds: np.ndarray, grid: rasterio.Affine) -> np.ndarray:
        """Return which of ``bounds`` (n, 4) touch a block, one cell of margin included."""
        west, north = ~grid @ (bounds[:, 0], bounds[:, 3])
        east, south = ~grid @ (bounds[:, 2], bounds[:, 1])
        rows, columns = (side - 1 for side in self.until.shape)
        top, bottom = _block_range(north, south, rows)
        left, right = _block_range(west, east, columns)
        until = self.until
        return np.asarray(until[bottom, right] - until[top, right] - until[bottom, left] + until[top, left] > 0)


def _block_range(low: np.ndarray, high: np.ndarray, blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first block of cells from ``low`` to ``high``, and the one after the last."""
    first, after = np.floor((low - 1) / BLOCK), np.floor((high + 1) / BLOCK) + 1
    return np.clip(first, 0, blocks).astype(np.int64), np.clip(after, 0, blocks).astype(np.int64)


def mean_shade(sums: pd.DataFrame, owner: np.ndarray, count: int, grounds: Grounds) -> pd.DataFrame:
    """Return `<ground>_shade_h` [h each day] of ``count`` features from the ``sums`` of their pieces; NaN without such ground."""
    table = {}
    for ground in grounds:
        cells = np.bincount(owner, weights=np.nan_to_num(sums[f"{ground}_count"].to_numpy()), minlength=count)
        hours = np.bincount(owner, weights=np.nan_to_num(sums[f"{ground}_sum"].to_numpy()), minlength=count)
        table[f"{ground}_shade_h"] = np.divide(hours, cells, out=np.full(count, np.nan), where=cells > 0)
    return pd.DataFrame(table)


def save_grounds(grounds: Grounds, folder: Path) -> None:
    """Write ``grounds`` (one at least) into ``folder``; read back by `load_grounds`."""
    arrays: dict[str, Any] = {name: np.packbits(cells) for name, cells in grounds.items()}
    np.savez_compressed(folder / "grounds.npz", shape=np.array(next(iter(grounds.values())).shape), **arrays)


def load_grounds(folder: Path) -> Grounds:
    """Return what `save_grounds` wrote, in its order."""
    with np.load(folder / "grounds.npz") as stored:
        rows, columns = stored["shape"].tolist()
        return {
            name: np.unpackbits(stored[name], count=rows * columns).view(bool).reshape(rows, columns)
            for name in stored.files
            if name != "shape"
        }
