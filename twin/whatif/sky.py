"""What hides the sky from each roof after an edit, and which roofs see another sky than before.

A roof in a tile whose rectangle the edit does not reach keeps the skyline that it had; only what lies beyond the rectangle,
the far skyline, is looked at again for all roofs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.compute import ComputeSpec
from twin.sky.canopy_skyline import CanopySkyline, canopy_skyline, changed_planes
from twin.sky.planes import HorizonDistribution
from twin.sky.tiles import SurfaceFolder, far_skyline, tiles_of
from twin.sky.town import Keep, Known, SweptTown, far_surfaces, near_skyline
from twin.sky.town_sky import TownSky, other_trees


@dataclass(frozen=True)
class ChangedSky:
    """Roofs that see another sky, and that sky."""

    rows: np.ndarray
    """Positions in the table of planes after the edit, ascending."""
    sky: TownSky
    """Of these planes."""


def changed_sky(
    before: TownSky,
    planes_before: gpd.GeoDataFrame,
    planes: gpd.GeoDataFrame,
    changed: np.ndarray,
    *,
    surface: SurfaceFolder,
    evergreen: SurfaceFolder | None,
    hills: Path | None,
    azimuths: int,
    keep: Keep,
    compute: ComputeSpec | None = None,
    surface_before: SurfaceFolder | None = None,
    known: Known | None = None,
) -> ChangedSky:
    """Return the sky of every plane that is new or sees another sky than ``before``.

    Parameters
    ----------
    before, planes_before
        Skylines and planes of the last run.
    planes
        Planes after the edit, sorted by `roof_id` like ``planes_before``.
    changed
        Shapes under which heights may differ.
    surface
        Heights after the edit, with its trees.
    evergreen
        Kinds of trees, None without trees.
    hills, azimuths, keep, compute
        As for `twin.sky.town.town_skyline`.
    surface_before, known
        Heights before the edit, with their trees, and where the skylines of that town are kept; without them tiles that the
        edit reaches are swept whole.
    """
    old = pd.Index(planes_before["roof_id"]).get_indexer(planes["roof_id"])
    same = (old >= 0) & shapely.equals_identical(
        planes.geometry.to_numpy(), planes_before.geometry.to_numpy()[np.maximum(old, 0)]
    )
    rows = _reached(planes, changed, ~same, surface.cell_size_m)
    swept = planes.iloc[rows].reset_index(drop=True)
    bare = replace(surface, canopy=None)
    town = None
    if surface_before is not None and known is not None:
        town = SweptTown(planes_before, surface_before, known)
    near = near_skyline(swept, bare, azimuths, keep, compute, before=town and town.without_trees)
    trees = None
    if evergreen is not None:
        trees = canopy_skyline(
            swept,
            near,
            surface=surface,
            evergreen=evergreen,
            azimuths=azimuths,
            keep=keep,
            compute=compute,
            before=town,
        )
    rest = np.setdiff1d(np.arange(len(planes)), rows)
    whole = _joined(before.near, old[rest], near, rest, rows)
    far = far_skyline(whole, planes.geometry.to_numpy(), far_surfaces(bare, keep, compute, hills=hills))
    differs = ~same
    differs[same] |= (far[same] != before.far_deg[old[same]]).any(axis=1)
    kept = rows[same[rows]]
    at = np.searchsorted(rows, kept)
    differs[kept] |= changed_planes(before.near.take(old[kept]), near.take(at))
    differs[kept] |= near.sampling[at] != before.near.sampling[old[kept]]
    differs[kept] |= other_trees(before.trees, old[kept], trees, at)
    found = np.flatnonzero(differs)
    # of planes that were not swept again the trees are those of before
    again = np.isin(found, rows)
    here, there = np.searchsorted(rows, found[again]), old[found[~again]]
    hidden = _picked((trees, here, np.flatnonzero(again)), (before.trees, there, np.flatnonzero(~again)))
    return ChangedSky(found, TownSky(whole.take(found), far[found], hidden))


def _reached(planes: gpd.GeoDataFrame, changed: np.ndarray, new: np.ndarray, cell_size_m: float) -> np.ndarray:
    """Positions of all planes of the tiles whose rectangle the edit reaches or whose planes are others now."""
    tree = shapely.STRtree(changed)
    found = [
        tile.planes
        for tile in tiles_of(planes.geometry.to_numpy(), cell_size_m)
        if new[tile.planes].any() or len(tree.query(shapely.box(*tile.near), predicate="intersects"))
    ]
    return np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def _joined(
    before: HorizonDistribution, old: np.ndarray, near: HorizonDistribution, rest: np.ndarray, rows: np.ndarray
) -> HorizonDistribution:
    if not len(rows):
        return before.take(old)
    return HorizonDistribution.join([before.take(old), near], [rest, rows])


def _picked(*parts: tuple[CanopySkyline | None, np.ndarray, np.ndarray]) -> CanopySkyline | None:
    """Return the trees of planes of several skylines; each part gives which planes, and where these planes go."""
    found = [(trees.take(wanted), to) for trees, wanted, to in parts if trees is not None]
    found = [(trees, to) for trees, to in found if len(trees.planes)]
    if not found:
        return None
    planes = np.concatenate([to[trees.planes] for trees, to in found])
    order = np.argsort(planes)
    joined = HorizonDistribution.join([trees.distribution for trees, _ in found])
    evergreen = np.concatenate([trees.evergreen for trees, _ in found])
    return CanopySkyline(planes[order], joined.take(order), evergreen[order])
