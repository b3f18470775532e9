"""Surface and trees after an edit: tiles that it touches are built anew, all others are those of the last run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.study_area import StudyArea
from twin.scenario.ground import planned_cover
from twin.sky.canopy import EVERGREEN, HEIGHTS, build_canopy, open_canopy
from twin.sky.tiles import TILE_M, SurfaceFolder
from twin.surface import build_surface


def edited_surface(
    footprints: gpd.GeoDataFrame,
    changed: np.ndarray,
    before: Path,
    out: Path,
    *,
    terrain: Path | None,
    area: StudyArea,
    cell_size_m: float,
    surface_model: Path | None,
    outdated: gpd.GeoSeries,
) -> SurfaceFolder:
    """Return the surface with the buildings of the edit.

    Parameters
    ----------
    footprints
        All buildings after the edit.
    changed
        Shapes under which heights may differ.
    before
        Folder with the tiles of the last run; they are referred to, never changed.
    out
        Empty folder for the tiles after the edit.
    terrain, area, cell_size_m, surface_model, outdated
        As for `twin.surface.build_surface`.
    """
    touched = _touched_by(changed)
    build_surface(
        footprints, terrain, area, cell_size_m, out, surface_model=surface_model, outdated=outdated, only=touched
    )
    _refer(before, out, touched)
    return SurfaceFolder.open(out, terrain)


def edited_canopy(
    land_cover: gpd.GeoDataFrame,
    cleared: np.ndarray,
    changed: np.ndarray,
    surface: SurfaceFolder,
    *,
    before: Path | None,
    out: Path,
) -> tuple[SurfaceFolder, SurfaceFolder | None]:
    """Return the surface with its trees after the edit, and what kind of trees they are; None without any.

    Parameters
    ----------
    land_cover
        Land cover after the edit, at least in the tiles that ``changed`` touches.
    cleared
        Outlines of buildings and roof planes after the edit.
    before
        Folder of the last run's trees, or None where it had none.
    """
    touched = _touched_by(changed)
    build_canopy(land_cover, cleared, surface, out, only=touched)
    for kind in (HEIGHTS, EVERGREEN):
        if before is not None:
            (out / kind).mkdir(parents=True, exist_ok=True)
            _refer(before / kind, out / kind, touched)
    if not any(out.rglob("*.tif")):
        return surface, None
    heights, evergreen = open_canopy(out)
    return replace(surface, canopy=heights), evergreen


def edited_cover(present: gpd.GeoDataFrame, ground: gpd.GeoDataFrame, changed: np.ndarray) -> gpd.GeoDataFrame:
    """Return the land cover after the edit in the tiles that ``changed`` touches; elsewhere it is missing.

    Parameters
    ----------
    present
        Land cover of the present.
    ground
        Ground of all blocks after the edit.
    """
    bounds = shapely.bounds(changed)
    low, high = np.floor(bounds[:, :2] / TILE_M) * TILE_M, np.ceil(bounds[:, 2:] / TILE_M) * TILE_M
    tiles = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
    near = np.unique(present.sindex.query(tiles, predicate="intersects")[1])
    return planned_cover(present.iloc[near].reset_index(drop=True), ground)


def changed_shapes(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, by: list[str]) -> np.ndarray:
    """Return the shapes of rows that only one of the two frames has, told apart by ``by`` and geometry."""
    keys = [_keys(frame, by) for frame in (before, after)]
    gone, new = ~np.isin(keys[0], keys[1]), ~np.isin(keys[1], keys[0])
    return np.concatenate([before.geometry.to_numpy()[gone], after.geometry.to_numpy()[new]])


def _keys(frame: gpd.GeoDataFrame, by: list[str]) -> np.ndarray:
    hashed = [pd.util.hash_pandas_object(frame[by], index=False).to_numpy(dtype=np.uint64)] if by else []
    shapes = pd.util.hash_array(
        np.array([wkb.hex() for wkb in shapely.to_wkb(frame.geometry.to_numpy())], dtype=object)
    )
    return shapes ^ hashed[0] if hashed else shapes


def _touched_by(shapes: np.ndarray) -> Callable[[shapely.Geometry], bool]:
    tree = shapely.STRtree(shapes)
    return lambda square: len(tree.query(square, predicate="intersects")) > 0


def _refer(before: Path, out: Path, touched: Callable[[shapely.Geometry], bool]) -> None:
    """Link the tiles of ``before`` that ``touched`` leaves alone into ``out``."""
    for path in sorted(before.glob("*.tif")):
        east, north = (int(part[1:]) * TILE_M for part in path.stem.split("_"))
        if not touched(shapely.box(east, north, east + TILE_M, north + TILE_M)):
            (out / path.name).symlink_to(path)
