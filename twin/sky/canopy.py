"""Trees on the surface: where they stand, how high they are, and what light their crowns let through in each month.

Crowns are taken as solid from the ground to the top and as evenly thin: what only they hide is let through with one
transmissivity a month, a mean of deciduous and evergreen crowns by the trees' kind. Where buildings stand there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.features
import shapely
from affine import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from scipy.ndimage import gaussian_filter

from geodata.errors import InputError
from geodata.parameters import Parameters, load_parameters
from twin.green.policy import green_policy
from twin.kept_tiles import Keep, ShapeHashes, Told, file_hash, made_tile
from twin.sky.tiles import TILE_M, SurfaceFolder

HEIGHTS = "heights"
"""Folder of tiles with the height of trees above the ground [m], 0 where none stand."""
EVERGREEN = "evergreen"
"""Folder of tiles with the share of evergreen crowns [0-1]."""
MIX_CELL_M = 10.0
MIX_REACH_M = 40.0
"""Standard deviation of the weight by which trees nearby make up the mix of kinds that hides a place's sky."""


@lru_cache(maxsize=1)
def canopy_parameters() -> Parameters:
    """Return the values of ``canopy.yaml``.

    Raises
    ------
    InputError
        If heights or shares are not given for exactly the canopy classes of the green policy, or a transmissivity is not
        twelve numbers between 0 and 1.
    """
    values = load_parameters("twin.sky", "canopy.yaml")
    for name in ("tree_height", "evergreen_share"):
        if set(values[name]) != green_policy().canopy:
            raise InputError(
                f"twin/sky/canopy.yaml, {name}: classes are {sorted(values[name])}, but twin/green/policy.yaml calls "
                f"{sorted(green_policy().canopy)} canopy; give one value to each of these"
            )
    for name in ("transmissivity_deciduous", "transmissivity_evergreen"):
        if len(values[name]) != 12 or not all(0.0 <= share <= 1.0 for share in values[name]):
            raise InputError(f"twin/sky/canopy.yaml, {name}: give twelve shares between 0 and 1, January first")
    return values


def held_back(evergreen: npt.ArrayLike, parameters: Parameters | None = None) -> np.ndarray:
    """Return what share of the light crowns hold back in each month.

    Parameters
    ----------
    evergreen : (...) share of evergreen crowns among them [0-1]

    Returns
    -------
    float64 (12, ...): one minus the transmissivity
    """
    values = canopy_parameters() if parameters is None else parameters
    share = np.asarray(evergreen, dtype=np.float64)[None, ...]
    months = (12,) + (1,) * (share.ndim - 1)
    bare, green = (
        np.asarray(values[f"transmissivity_{kind}"], dtype=np.float64).reshape(months)
        for kind in ("deciduous", "evergreen")
    )
    return 1.0 - (bare * (1.0 - share) + green * share)


@dataclass(frozen=True)
class CanopyReport:
    """What trees were found."""

    tiles: tuple[str, ...]
    canopy_m2: float
    """Ground under crowns, counted in cells."""
    evergreen_share: float
    """Mean over that ground; NaN without trees."""
    highest_m: float

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


def build_canopy(
    land_cover: gpd.GeoDataFrame | None,
    cleared: npt.ArrayLike,
    surface: SurfaceFolder,
    out: Path,
    *,
    heights: Path | None = None,
    only: Callable[[shapely.Geometry], bool] | None = None,
    keep: Keep | None = None,
) -> CanopyReport:
    """Write the trees of the town as tiles like those of the surface: ``out/heights`` and ``out/evergreen``.

    Parameters
    ----------
    land_cover : ``class_code`` and polygons; canopy classes get the height and the kind of ``canopy.yaml``
    cleared : outlines of buildings and roof planes; every cell that they touch is free of trees
    surface : tiles of terrain and buildings; trees are wanted on them and on the tiles around them
    heights : raster of tree heights above ground [m] in any CRS; where it has a value it decides, where it has none the
        land cover does
    only : which tiles are wanted, by their square; all of them if None
    keep : where tiles are kept between runs, so that only those are made whose trees or buildings have changed

    Notes
    -----
    A tile is written only where a tree stands. Neighbouring tiles agree, because all cells lie on the surface's grid.
    """
    canopy_parameters()
    codes = sorted(green_policy().canopy)
    woods = (
        land_cover[land_cover["class_code"].isin(codes)] if land_cover is not None else gpd.GeoDataFrame(geometry=[])
    )
    shapes = woods.geometry.to_numpy()
    number = np.array([codes.index(code) + 1 for code in woods["class_code"]] if len(woods) else [], dtype=np.int64)
    roofs = np.asarray(cleared, dtype=object)
    trees, roof_tree = shapely.STRtree(shapes), shapely.STRtree(roofs)
    wood_hashes, roof_hashes, given = ShapeHashes(shapes, number), ShapeHashes(roofs), file_hash(heights)
    size = surface.cell_size_m
    told: dict[str, dict[str, Any]] = {}
    for east, north in _squares(surface):
        box = shapely.box(east, north, east + TILE_M, north + TILE_M)
        if only is not None and not only(box):
            continue
        found = np.sort(trees.query(box, predicate="intersects"))
        if len(found) == 0 and heights is None:
            continue
        above = np.sort(roof_tree.query(box, predicate="intersects"))
        name = f"E{round(east / TILE_M)}_N{round(north / TILE_M)}"
        grid = Affine(size, 0.0, east, 0.0, -size, north + TILE_M)
        woods_here = list(zip(shapes[found], number[found], strict=True))
        make = partial(
            _make_tile, name, grid=grid, crs=surface.crs, woods=woods_here, roofs=roofs[above], heights=heights
        )
        made_from = {
            "grid": [east, north, size, surface.crs],
            "given": given,
            "woods": wood_hashes.of(found),
            "roofs": roof_hashes.of(above),
        }
        tile = made_tile(name, make, out, keep, made_from)
        if tile is not None:
            told[name] = tile
    cells = sum(tile["cells"] for tile in told.values())
    evergreen = sum(tile["evergreen"] for tile in told.values())
    mean = evergreen / cells if cells else float("nan")
    highest = max((tile["highest_m"] for tile in told.values()), default=0.0)
    return CanopyReport(tuple(told), cells * size * size, mean, highest)


def _make_tile(
    name: str,
    folder: Path,
    *,
    grid: Affine,
    crs: str,
    woods: list[tuple[shapely.Geometry, int]],
    roofs: np.ndarray,
    heights: Path | None,
) -> Told:
    """Write the trees of one tile below ``folder`` and tell what stands there; None where no tree does."""
    values, codes, side = canopy_parameters(), sorted(green_policy().canopy), round(TILE_M / grid.a)
    height_of = np.array([0.0, *(values["tree_height"][code] for code in codes)], dtype=np.float32)
    share_of = np.array([0.0, *(values["evergreen_share"][code] for code in codes)], dtype=np.float32)
    kind = np.zeros((side, side), dtype=np.uint8)
    if woods:
        rasterio.features.rasterize(woods, out=kind, transform=grid)
    height, evergreen = height_of[kind], share_of[kind]
    if heights is not None:
        given = _given(heights, crs, grid, side)
        known = ~np.isnan(given)
        height[known] = np.where(given[known] >= values["lowest_tree"], given[known], 0.0)
        evergreen[known & (kind == 0)] = values["evergreen_share_unknown"]
    if len(roofs):
        height[rasterio.features.geometry_mask(roofs, height.shape, grid, all_touched=True, invert=True)] = 0
    standing = height > 0
    if not standing.any():
        return None
    evergreen[~standing] = 0.0
    for kind_of, values_of in ((HEIGHTS, height), (EVERGREEN, evergreen)):
        _write(folder / kind_of / f"{name}.tif", values_of, grid, crs)
    return {
        "cells": int(standing.sum()),
        "evergreen": float(evergreen.sum(dtype=np.float64)),
        "highest_m": float(np.max(height)),
    }


def _squares(surface: SurfaceFolder) -> Iterator[tuple[float, float]]:
    """South-western corners of the kilometre squares of the surface and around it, west to east, south to north."""
    corners = {(round(west / TILE_M), round(south / TILE_M)) for west, south in surface.bounds[:, :2].tolist()}
    around = {(east + right, north + up) for east, north in corners for right in (-1, 0, 1) for up in (-1, 0, 1)}
    return ((east * TILE_M, north * TILE_M) for east, north in sorted(around))


def _given(heights: Path, crs: str, grid: Affine, side: int) -> np.ndarray:
    with (
        rasterio.open(heights) as source,
        WarpedVRT(
            source, crs=crs, transform=grid, width=side, height=side, nodata=float("nan"), resampling=Resampling.nearest
        ) as warped,
    ):
        found: np.ndarray = warped.read(1, out_dtype="float32")
    return found


def _write(path: Path, values: np.ndarray, grid: Affine, crs: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "width": values.shape[1], "height": values.shape[0],
        "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "zlevel": 1,
    }  # fmt: skip
    with rasterio.open(path, "w", crs=crs, transform=grid, **profile) as target:
        target.write(values, 1)


def open_canopy(folder: Path) -> tuple[SurfaceFolder, SurfaceFolder]:
    """Return readers of tree heights and evergreen shares that `build_canopy` has written; 0 or NaN where no tree is."""
    return SurfaceFolder.open(folder / HEIGHTS), SurfaceFolder.open(folder / EVERGREEN)


@dataclass(frozen=True)
class LeafMix:
    """What kind of trees stand near each place of a rectangle: ``share`` of evergreen crowns in cells of about `MIX_CELL_M`."""

    share: np.ndarray
    cell_size_m: float
    west: float
    north: float

    @classmethod
    def of(cls, height: np.ndarray, evergreen: np.ndarray, cell_size_m: float, west: float, north: float) -> LeafMix:
        """Return the mix around each place, weighed by crown volume and nearness.

        Parameters
        ----------
        height, evergreen : of each cell of the rectangle, as `open_canopy` reads them
        west, north : its north-western corner [m]

        Notes
        -----
        Out of reach of any tree stands the mean of the rectangle, and without trees in it the unknown mix.
        """
        tall = np.where(height > 0, height, np.float32(0.0)).astype(np.float64)
        factor = max(1, round(MIX_CELL_M / cell_size_m))
        volume, green = (
            _block_sums(part, factor) for part in (tall, tall * np.where(tall > 0, evergreen, np.float32(0.0)))
        )
        whole = float(np.sum(volume))
        mean = float(np.sum(green)) / whole if whole > 0 else float(canopy_parameters()["evergreen_share_unknown"])
        spread = MIX_REACH_M / (factor * cell_size_m)
        near, near_green = (gaussian_filter(part, spread, mode="constant", truncate=5.0) for part in (volume, green))
        share = np.divide(near_green, near, out=np.full(near.shape, mean), where=near > 1e-9 * max(whole, 1e-300))
        return cls(np.clip(share, 0.0, 1.0), factor * cell_size_m, west, north)

    def at(self, x: npt.ArrayLike, y: npt.ArrayLike) -> np.ndarray:
        """Return the share of evergreen crowns around places [m]."""
        return self.share[self._index(self.north - np.asarray(y), 0), self._index(np.asarray(x) - self.west, 1)]

    def _index(self, distance: np.ndarray, axis: int) -> np.ndarray:
        return np.clip(np.floor(distance / self.cell_size_m).astype(np.int64), 0, self.share.shape[axis] - 1)


def _block_sums(values: np.ndarray, factor: int) -> np.ndarray:
    rows, columns = (-(-side // factor) for side in values.shape)
    padded = np.zeros((rows * factor, columns * factor))
    padded[: values.shape[0], : values.shape[1]] = values
    sums: np.ndarray = padded.reshape(rows, factor, columns, factor).sum(axis=(1, 3))
    return sums
