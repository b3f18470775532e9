"""The town's surface: terrain with buildings on it, in tiles of one kilometre.

Where a measured surface model (DSM) has heights, they stand in place of terrain and buildings. A tile covers one square of the kilometre grid of the site's CRS and exists only where a building stands or ground of
the study area has terrain. Tiles are cut from one virtual grid, so neighbours agree along their seam. Only one tile is
in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import rasterio.features
import shapely
from exactextract import exact_extract
from rasterio import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from geodata.study_area import StudyArea
from twin.kept_tiles import Keep, ShapeHashes, Told, file_hash, made_tile

TILE_M = 1000.0
_TOLD = ("cells", "empty", "measured", "lowest_m", "highest_m")
"""What is told of each tile."""


@dataclass(frozen=True)
class SurfaceReport:
    """What the surface holds."""

    cell_size_m: float
    tiles: tuple[str, ...]
    """Tile names, ``E<km>_N<km>``, sorted."""
    buildings: int
    """Buildings burnt in."""
    buildings_without_altitude: int
    """Buildings left out because no terrain is known under them."""
    cells: int
    cells_without_height: int
    cells_measured: int
    """Cells whose height is that of the surface model."""
    minimum_m: float
    maximum_m: float

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


def ground_heights(buildings: gpd.GeoDataFrame, terrain: Path, known: gpd.GeoDataFrame | None = None) -> np.ndarray:
    """Return the mean terrain height [m] under each footprint, weighted by covered area; NaN where there is none.

    ``known`` are footprints whose ``altitude`` was taken from the same terrain: of the very same shapes it is not taken again.
    """
    if buildings.empty:
        return np.empty(0)
    found = np.full(len(buildings), np.nan)
    shapes = shapely.to_wkb(buildings.geometry.to_numpy())
    held: dict[bytes, float] = {}
    if known is not None and "altitude" in known.columns:
        held = dict(zip(shapely.to_wkb(known.geometry.to_numpy()), known["altitude"].to_numpy("float64"), strict=True))
    there = np.array([shape in held for shape in shapes])
    found[there] = [held[shape] for shape in shapes[there]]
    if not there.all():
        new = gpd.GeoDataFrame(geometry=buildings.geometry.to_numpy()[~there], crs=buildings.crs)
        found[~there] = exact_extract(str(terrain), new, ["mean"], output="pandas")["mean"].to_numpy(dtype=np.float64)
    return found


def build_surface(
    buildings: gpd.GeoDataFrame | None,
    terrain: Path | None,
    area: StudyArea,
    cell_size_m: float,
    out: Path,
    *,
    surface_model: Path | None = None,
    outdated: gpd.GeoSeries | None = None,
    only: Callable[[shapely.Geometry], bool] | None = None,
    keep: Keep | None = None,
) -> SurfaceReport:
    """Write the surface as float32 GeoTIFF tiles ``out/E<km>_N<km>.tif``.

    Parameters
    ----------
    buildings : footprints with ``height`` and ``altitude`` [m], or None for bare ground; roofs lie at their sum, and
        where footprints overlap the higher roof counts
    terrain : raster in the CRS of ``area``, gaps NaN; None if there is only a surface model
    area : study area; its ground is wanted
    cell_size_m : must divide the kilometre
    out : folder, made if it is not there
    surface_model : measured heights of roofs, trees and ground, a raster in the CRS of ``area``, gaps NaN; where it has
        heights nothing is taken from ``buildings`` and ``terrain``
    outdated : ground on which ``surface_model`` is no longer true, or None
    only : which tiles are wanted, by their square; all of them if None
    keep : where tiles are kept between runs, so that only those are made whose ground or buildings have changed

    Raises
    ------
    InputError
        If ``cell_size_m`` does not divide a kilometre.
    """
    side = round(TILE_M / cell_size_m)
    if abs(side * cell_size_m - TILE_M) > 1e-6:
        raise InputError(
            f"surface.cell_size_m is {cell_size_m:g}, but tiles of 1 km need a size that divides 1,000 m: 0.25, 0.5, 1, 2 or 5"
        )
    out.mkdir(parents=True, exist_ok=True)
    roofs, left_out = _roofs(buildings)
    shapes = roofs.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    corners = _tile_corners(shapes, area.area)
    past = np.array([], dtype=object) if outdated is None or surface_model is None else outdated.to_numpy()
    past_tree = shapely.STRtree(past)
    sources = {
        "terrain": file_hash(terrain),
        "model": file_hash(surface_model),
        "area": shapely.to_wkb(area.area, hex=True),
    }
    roof_hashes, past_hashes = ShapeHashes(shapes, roofs["top"].to_numpy()), ShapeHashes(past)
    told: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        ground, model = (
            None if path is None else stack.enter_context(rasterio.open(path)) for path in (terrain, surface_model)
        )
        for east, north in corners:
            box = shapely.box(east, north, east + TILE_M, north + TILE_M)
            if only is not None and not only(box):
                continue
            # ascending roof height: the last one burnt is the highest
            chosen = np.sort(tree.query(box, predicate="intersects"))
            gone = np.sort(past_tree.query(box, predicate="intersects"))
            name = f"E{round(east / 1000)}_N{round(north / 1000)}"
            grid = Affine(cell_size_m, 0.0, east, 0.0, -cell_size_m, north + TILE_M)
            pairs = list(zip(shapes[chosen], roofs["top"].to_numpy()[chosen], strict=True))
            make = partial(
                _make_tile, name, grid=grid, roofs=pairs, ground=ground, model=model, past=past[gone], area=area
            )
            made_from = {
                "grid": [east, north, cell_size_m, area.crs],
                "roofs": roof_hashes.of(chosen),
                "past": past_hashes.of(gone),
            }
            tile = made_tile(name, make, out, keep, made_from | sources)
            if tile is not None:
                told[name] = tile
    tiles = pd.DataFrame.from_dict(told, orient="index", columns=list(_TOLD))
    return SurfaceReport(
        cell_size_m=cell_size_m,
        tiles=tuple(sorted(told)),
        buildings=len(roofs),
        buildings_without_altitude=left_out,
        cells=int(tiles["cells"].sum()),
        cells_without_height=int(tiles["empty"].sum()),
        cells_measured=int(tiles["measured"].sum()),
        minimum_m=float(tiles["lowest_m"].min()),
        maximum_m=float(tiles["highest_m"].max()),
    )


def _make_tile(
    name: str,
    folder: Path,
    *,
    grid: Affine,
    roofs: list[tuple[BaseGeometry, float]],
    ground: rasterio.DatasetReader | None,
    model: rasterio.DatasetReader | None,
    past: np.ndarray,
    area: StudyArea,
) -> Told:
    """Write one tile into ``folder`` and tell what it holds; None where it would hold nothing that is wanted."""
    east, north, cell_size_m = grid.c, grid.f - TILE_M, grid.a
    side = round(TILE_M / cell_size_m)
    heights = _sampled(ground, east, north, side, cell_size_m)
    measured = _sampled(model, east, north, side, cell_size_m)
    if len(past):
        rasterio.features.rasterize(past, out=measured, transform=grid, default_value=np.nan)
    known = np.where(np.isnan(measured), heights, measured)
    if not roofs and not _has_wanted_ground(known, area.area, east, north, cell_size_m):
        return None
    if roofs:
        rasterio.features.rasterize(roofs, out=heights, transform=grid)
    np.copyto(heights, measured, where=~np.isnan(measured))
    if np.isnan(heights).all():
        return None
    _write(folder / f"{name}.tif", heights, grid, area.crs)
    values = (
        heights.size,
        int(np.isnan(heights).sum()),
        int((~np.isnan(measured)).sum()),
        float(np.nanmin(heights)),
        float(np.nanmax(heights)),
    )
    return dict(zip(_TOLD, values, strict=True))


def _roofs(buildings: gpd.GeoDataFrame | None) -> tuple[gpd.GeoDataFrame, int]:
    """Return buildings with a known roof height ``top`` [m], lowest first, and how many have none."""
    if buildings is None or buildings.empty:
        return gpd.GeoDataFrame({"top": np.empty(0)}, geometry=[]), 0
    if "altitude" not in buildings.columns:
        return gpd.GeoDataFrame({"top": np.empty(0)}, geometry=[]), len(buildings)
    top = (buildings["altitude"].astype("float64") + buildings["height"].astype("float64")).to_numpy()
    roofs = gpd.GeoDataFrame({"top": top}, geometry=buildings.geometry.to_numpy(), crs=buildings.crs)
    known = roofs[np.isfinite(top)].sort_values("top", kind="stable", ignore_index=True)
    return known, len(roofs) - len(known)


def _tile_corners(shapes: np.ndarray, area: BaseGeometry) -> list[tuple[float, float]]:
    """Return the south-western corners of tiles that touch a footprint or the area, west to east, south to north."""
    bounds = np.vstack([shapely.bounds(shapes).reshape(-1, 4), [area.bounds]])
    west, south = np.floor(bounds[:, :2].min(axis=0) / TILE_M) * TILE_M
    east, north = np.ceil(bounds[:, 2:].max(axis=0) / TILE_M) * TILE_M
    columns, rows = np.arange(west, east, TILE_M), np.arange(south, north, TILE_M)
    x, y = np.repeat(columns, len(rows)), np.tile(rows, len(columns))
    boxes = shapely.box(x, y, x + TILE_M, y + TILE_M)
    shapely.prepare(area)
    wanted = shapely.intersects(area, boxes)
    wanted[np.unique(shapely.STRtree(boxes).query(shapes, predicate="intersects")[1])] = True
    return list(zip(x[wanted].tolist(), y[wanted].tolist(), strict=True))


def _sampled(
    source: rasterio.DatasetReader | None, east: float, north: float, side: int, cell_size_m: float
) -> np.ndarray:
    """Return heights [m] of one tile: bilinear between cell centres, NaN where the source, if any, has none."""
    heights = np.full((side, side), np.nan, dtype=np.float32)
    if source is None or not _near(source, east, north):
        return heights
    # tiles begin at whole kilometres and hold whole cells: all of them lie on one grid
    grid = Affine(cell_size_m, 0.0, east, 0.0, -cell_size_m, north + TILE_M)
    options = {
        "crs": source.crs, "transform": grid, "width": side, "height": side,
        "src_nodata": float("nan"), "nodata": float("nan"), "tolerance": 1e-3,
    }  # fmt: skip
    with WarpedVRT(source, resampling=Resampling.bilinear, **options) as smooth:
        smooth.read(1, out=heights)
    if np.isnan(heights).any() or _gaps_near(source, east, north):
        # interpolation reaches half a cell beyond the last height; the nearest cell decides where heights end
        with WarpedVRT(source, resampling=Resampling.nearest, **options) as nearest:
            heights[np.isnan(nearest.read(1))] = np.nan
    return heights


def _source_window(source: rasterio.DatasetReader, east: float, north: float) -> Window:
    """Return the terrain cells within two cells of a tile."""
    left, top = ~source.transform @ (east, north + TILE_M)
    right, bottom = ~source.transform @ (east + TILE_M, north)
    columns = max(0, int(np.floor(left)) - 2), min(source.width, int(np.ceil(right)) + 2)
    rows = max(0, int(np.floor(top)) - 2), min(source.height, int(np.ceil(bottom)) + 2)
    return Window(columns[0], rows[0], max(0, columns[1] - columns[0]), max(0, rows[1] - rows[0]))


def _near(source: rasterio.DatasetReader, east: float, north: float) -> bool:
    window = _source_window(source, east, north)
    return window.width > 0 and window.height > 0


def _gaps_near(source: rasterio.DatasetReader, east: float, north: float) -> bool:
    return bool(np.isnan(source.read(1, window=_source_window(source, east, north))).any())


def _has_wanted_ground(heights: np.ndarray, area: BaseGeometry, east: float, north: float, cell_size_m: float) -> bool:
    known = ~np.isnan(heights)
    if not known.any():
        return False
    transform = Affine(cell_size_m, 0.0, east, 0.0, -cell_size_m, north + TILE_M)
    wanted = rasterio.features.geometry_mask([area], heights.shape, transform, invert=True)
    return bool((wanted & known).any())


def _write(path: Path, heights: np.ndarray, transform: Affine, crs: str) -> None:
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "nodata": float("nan"), "width": heights.shape[1],
        "height": heights.shape[0], "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate",
        "predictor": 3, "zlevel": 1,
    }  # fmt: skip
    with rasterio.open(path, "w", crs=crs, transform=transform, **profile) as target:
        target.write(heights, 1)
