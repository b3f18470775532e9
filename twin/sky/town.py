"""Skylines of all roof planes of a town: tile by tile, so that a change is swept again only where it can be seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely

from twin.sky.planes import HorizonDistribution
from twin.sky.tiles import Bounds, SurfaceFolder, Tile, far_skyline, join_tiles, pooled_surface, sweep_tile, tiles_of

DISTRIBUTION = "distribution.npz"
FAR = "far.npy"

Keep = Callable[[str, dict[str, Any], Callable[[Path], None]], Path]
"""Gives the folder of a part by its name and what it is made from, filling it only if it is not there yet."""


def town_skyline(
    planes: gpd.GeoDataFrame, surface: SurfaceFolder, azimuths: int, keep: Keep
) -> tuple[HorizonDistribution, np.ndarray]:
    """Return near and far skylines of all planes, in their order.

    Parameters
    ----------
    planes : with ``tilt_deg``, ``azimuth_deg`` (missing on flat roofs) and outlines in the CRS of the surface
    surface : heights of terrain and buildings
    azimuths : directions in which the skyline is taken
    keep : where the skylines of a tile are kept between runs

    Returns
    -------
    distribution, far_deg
        counts of cells by horizon angle; angle [deg] of what lies beyond each tile's halo, float32 (planes, azimuths)
    """
    shapes = planes.geometry.to_numpy()
    tilt = planes["tilt_deg"].to_numpy(dtype=np.float64)
    azimuth = planes["azimuth_deg"].fillna(180.0).to_numpy(dtype=np.float64)

    def swept(tile: Tile) -> HorizonDistribution:
        heights = surface.read(tile.near)
        mine = tile.planes

        def fill(folder: Path) -> None:
            orientation = {"tilt_deg": tilt[mine], "azimuth_deg": azimuth[mine]}
            found = sweep_tile(tile, heights, surface.cell_size_m, shapes[mine], **orientation, azimuths=azimuths)
            found.save(folder / DISTRIBUTION)

        outlines = b"".join(shapely.to_wkb(shapes[mine]))
        made_from = {
            "near": tile.near,
            "cell_size_m": surface.cell_size_m,
            "azimuths": azimuths,
            "content": _digest(heights.tobytes(), outlines, tilt[mine].tobytes(), azimuth[mine].tobytes()),
        }
        return HorizonDistribution.load(keep(tile.name, made_from, fill) / DISTRIBUTION)

    tiles = tiles_of(shapes, surface.cell_size_m)
    distribution = join_tiles(tiles, [swept(tile) for tile in tiles])
    far = pooled_surface(surface.read, _reach(surface), surface.cell_size_m)
    return distribution, far_skyline(distribution, shapes, [far])


def save_skyline(distribution: HorizonDistribution, far_deg: np.ndarray, folder: Path) -> None:
    """Write both skylines into ``folder``; `load_skyline` reads them."""
    distribution.save(folder / DISTRIBUTION)
    np.save(folder / FAR, far_deg, allow_pickle=False)


def load_skyline(folder: Path) -> tuple[HorizonDistribution, np.ndarray]:
    """Read what `save_skyline` has written."""
    return HorizonDistribution.load(folder / DISTRIBUTION), np.load(folder / FAR, allow_pickle=False)


def _digest(*contents: bytes) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()


def _reach(surface: SurfaceFolder) -> Bounds:
    """Return the box of everything that is known: the surface and the terrain around it."""
    boxes = [surface.bounds]
    if surface.terrain is not None:
        with rasterio.open(surface.terrain) as source:
            boxes.append(np.array([tuple(source.bounds)]))
    every = np.vstack(boxes)
    return (*every[:, :2].min(axis=0).tolist(), *every[:, 2:].max(axis=0).tolist())
