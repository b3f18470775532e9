"""Terrain: sheets of any raster format become one height raster of the study area in the site's CRS.

Sheets of one CRS and cell grid are first laid together cell by cell, so that interpolation sees across their seams;
then each such mosaic is warped (bilinear) into the target grid, finer mosaics first. A target cell gets a height only
if the source cell it lies in has one: nothing is interpolated over gaps. All reading and writing goes by windows.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.features
import rasterio.warp
from rasterio import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from geodata.errors import InputError
from geodata.inventory import Dataset
from geodata.products.contours import build_contour_terrain
from geodata.products.terrain_report import BLOCK, PROFILE, VERTICAL_DATUM_NOTE, TerrainReport
from geodata.products.terrain_sheet import Sheet, judge, look_at, read_heights
from geodata.site import Role
from geodata.study_area import StudyArea

COARSEST_CELL_M = 5.0
FINEST_CELL_M = 1.0


def build_terrain(
    inbox: Path,
    datasets: Sequence[Dataset],
    area: StudyArea,
    out: Path,
    *,
    margin_m: float = 300.0,
    cell_size_m: float | None = None,
) -> TerrainReport:
    """Write the terrain of ``area`` and ``margin_m`` around its bounds as float32 GeoTIFF (gaps are NaN).

    An elevation model comes first. Contour lines and spot heights are interpolated where there is none, or none that
    reaches the area; the two are never mixed.

    Parameters
    ----------
    inbox : folder to which the datasets' paths are relative
    datasets : raster datasets, and vector datasets of contour lines and spot heights; ``nodata`` of a dataset (site file)
        has the last word on what a gap is
    area : study area; its CRS is the CRS of the result
    out : file to write
    cell_size_m : of the cells, which then lie on multiples of it; if None they are 5 m, or those of the finest source
        between 1 and 5 m

    Raises
    ------
    InputError
        If a raster has no CRS, is rotated or is a picture, if its values are no heights, or if nothing reaches the area.
    """
    rasters = [d for d in datasets if d.parts and d.parts[0].kind == "raster"]
    measured = [d for d in datasets if d not in rasters]
    if not rasters and not measured:
        raise InputError("no terrain raster is given; put a DEM (GeoTIFF, IMG, ASCII grid or XYZ) into the inbox")
    if not rasters:
        return build_contour_terrain(inbox, measured, area, out, margin_m=margin_m)
    report, missed = _from_rasters(inbox, rasters, area, out, (margin_m, cell_size_m))
    if report is None and not measured:
        raise InputError(missed)
    if report is None:
        made = build_contour_terrain(inbox, measured, area, out, margin_m=margin_m)
        return replace(made, notes=(*made.notes, f"the elevation model was not used: {missed}"))
    if measured:
        count = sum(len(dataset.parts) for dataset in measured)
        report = replace(
            report, notes=(*report.notes, f"{count} layer(s) of contour lines and spot heights were not used beside it")
        )
    return report


def _from_rasters(
    inbox: Path, datasets: Sequence[Dataset], area: StudyArea, out: Path, extent: tuple[float, float | None]
) -> tuple[TerrainReport | None, str]:
    """Write the terrain from elevation models; return None and why, where none of them reaches the area.

    ``extent`` is the margin and the cell size asked for.
    """
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=out.parent, prefix="terrain-")))
        parts = [(dataset, part) for dataset in datasets for part in dataset.parts]
        sheets = [
            look_at(inbox, dataset, part, scratch)
            for dataset, part in sorted(parts, key=lambda pair: pair[1].data_source)
        ]
        grid = _target_grid(sheets, area, *extent)
        groups = _groups(sheets, grid)
        if not groups:
            return None, _misses(datasets[0].role, sheets, area)
        mosaics = [_mosaic(group, grid, scratch / f"{number}.tif") for number, group in enumerate(groups)]
        report = _warp(mosaics, grid, area, out)
        used = [sheet for group in groups for sheet in group]
    if report.coverage_pct == 0.0:
        return None, _misses(datasets[0].role, sheets, area)
    notes = [VERTICAL_DATUM_NOTE, *(note for sheet in used for note in sheet.notes)]
    unused = len(sheets) - len(used)
    if unused:
        notes.append(f"{unused} of {len(sheets)} terrain sheets lie outside the study area")
    return replace(report, sheets=len(used), notes=tuple(notes)), ""


def _misses(role: Role, sheets: list[Sheet], area: StudyArea) -> str:
    first = sheets[0]
    return (
        f"no {role} raster reaches the study area (bounds {_rounded(area.area.bounds)} in {area.crs}); {first.name} covers "
        f"{_rounded(first.bounds)} in {first.crs}. Check the CRS of the rasters (site file: sources.{role}.crs), or take sheets of this place"
    )


def _rounded(bounds: Sequence[float]) -> str:
    return "[" + ", ".join(f"{value:.6g}" if abs(value) < 1000 else f"{value:.0f}" for value in bounds) + "]"


@dataclass(frozen=True)
class _Grid:
    """The target raster."""

    crs: rasterio.CRS
    transform: Affine
    width: int
    height: int

    @property
    def cell(self) -> float:
        return self.transform.a

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        return rasterio.transform.array_bounds(self.height, self.width, self.transform)

    def blocks(self) -> Iterator[Window]:
        for row in range(0, self.height, BLOCK):
            for column in range(0, self.width, BLOCK):
                yield Window(column, row, min(BLOCK, self.width - column), min(BLOCK, self.height - row))


def _native_cell_m(sheet: Sheet, crs: rasterio.CRS) -> float:
    transform, _, _ = rasterio.warp.calculate_default_transform(
        sheet.crs, crs, sheet.shape[1], sheet.shape[0], *sheet.bounds
    )
    return float(transform.a)


def _target_grid(sheets: list[Sheet], area: StudyArea, margin_m: float, cell_size_m: float | None) -> _Grid:
    crs = rasterio.CRS.from_user_input(area.crs)
    if cell_size_m is not None:
        return _grid_around(crs, area, margin_m, cell_size_m)
    finest = min(sheets, key=lambda sheet: (_native_cell_m(sheet, crs), sheet.name))
    native = finest.transform.a if finest.crs == crs else _native_cell_m(finest, crs)
    cell = float(np.clip(native, FINEST_CELL_M, COARSEST_CELL_M))
    # on the source's own grid nothing is interpolated at all
    own = finest.crs == crs and abs(cell - finest.transform.a) < 1e-9 and abs(cell + finest.transform.e) < 1e-9
    left, top = (finest.transform.c % cell, finest.transform.f % cell) if own else (0.0, 0.0)
    return _grid_around(crs, area, margin_m, cell, (left, top))


def _grid_around(
    crs: rasterio.CRS, area: StudyArea, margin_m: float, cell: float, origin: tuple[float, float] = (0.0, 0.0)
) -> _Grid:
    """Return the grid around ``area`` whose lines lie whole cells away from ``origin``."""
    left, top = origin
    minx, miny, maxx, maxy = area.area.bounds
    west = np.floor((minx - margin_m - left) / cell) * cell + left
    south = np.floor((miny - margin_m - top) / cell) * cell + top
    width = int(np.ceil((maxx + margin_m - west) / cell))
    height = int(np.ceil((maxy + margin_m - south) / cell))
    return _Grid(
        crs=crs, transform=Affine(cell, 0.0, west, 0.0, -cell, south + height * cell), width=width, height=height
    )


def _reach(grid: _Grid, sheet: Sheet) -> tuple[float, float, float, float]:
    """Return the target's bounds in the sheet's CRS, wide enough for interpolation."""
    box = rasterio.warp.transform_bounds(grid.crs, sheet.crs, *grid.bounds, densify_pts=21)
    x, y = 4 * sheet.transform.a, -4 * sheet.transform.e
    return box[0] - x, box[1] - y, box[2] + x, box[3] + y


def _window(sheet: Sheet, grid: _Grid) -> Window | None:
    """Return the whole cells of ``sheet`` that the target needs."""
    minx, miny, maxx, maxy = _reach(grid, sheet)
    height, width = sheet.shape
    left, top = ~sheet.transform @ (minx, maxy)
    right, bottom = ~sheet.transform @ (maxx, miny)
    columns = max(0, int(np.floor(left))), min(width, int(np.ceil(right)))
    rows = max(0, int(np.floor(top))), min(height, int(np.ceil(bottom)))
    if columns[0] >= columns[1] or rows[0] >= rows[1]:
        return None
    return Window(columns[0], rows[0], columns[1] - columns[0], rows[1] - rows[0])


def _groups(sheets: list[Sheet], grid: _Grid) -> list[list[Sheet]]:
    """Return sheets that reach the target, grouped by CRS and cell grid, finest first."""
    groups: dict[tuple[Any, ...], list[Sheet]] = {}
    for sheet in sheets:
        if _window(sheet, grid) is None:
            continue
        x, y = sheet.transform.a, -sheet.transform.e
        phase = round(sheet.transform.c / x % 1.0, 3) % 1.0, round(sheet.transform.f / y % 1.0, 3) % 1.0
        groups.setdefault((sheet.crs.to_wkt(), round(x, 9), round(y, 9), phase), []).append(sheet)
    return sorted(groups.values(), key=lambda group: (_native_cell_m(group[0], grid.crs), group[0].name))


def _mosaic(group: list[Sheet], grid: _Grid, path: Path) -> Path:
    """Lay the sheets of one group together; where they overlap the first by name counts."""
    first = group[0].transform
    x, y = first.a, -first.e
    windows = [_window(sheet, grid) for sheet in group]
    places = []
    for sheet, window in zip(group, windows, strict=True):
        if window is not None:
            column = round((sheet.transform.c - first.c) / x) + window.col_off
            row = round((first.f - sheet.transform.f) / y) + window.row_off
            places.append((sheet, window, column, row))
    left, top = min(place[2] for place in places), min(place[3] for place in places)
    width = max(column + window.width for _, window, column, _ in places) - left
    height = max(row + window.height for _, window, _, row in places) - top
    transform = first @ Affine.translation(left, top)
    profile = {**PROFILE, "zlevel": 1}
    with rasterio.open(
        path, "w+", crs=group[0].crs, transform=transform, width=width, height=height, **profile
    ) as target:
        for sheet, window, column, row in places:
            for part, values in read_heights(sheet, window):
                place = Window(
                    column - left + part.col_off - window.col_off,
                    row - top + part.row_off - window.row_off,
                    part.width,
                    part.height,
                )
                present = target.read(1, window=place)
                target.write(np.where(np.isnan(present), values, present), 1, window=place)
            judge(sheet)
    return path


def _warp(mosaics: list[Path], grid: _Grid, area: StudyArea, out: Path) -> TerrainReport:
    """Warp mosaics into the target, the first with a height in a cell counts; sum up what was written."""
    inside = covered = 0
    lowest, highest = np.inf, -np.inf
    with contextlib.ExitStack() as stack:
        layers = []
        for path in mosaics:
            source = stack.enter_context(rasterio.open(path))
            options = {
                "crs": grid.crs, "transform": grid.transform, "width": grid.width, "height": grid.height,
                "src_nodata": float("nan"), "nodata": float("nan"), "tolerance": 1e-3,
            }  # fmt: skip
            layers.append(
                tuple(
                    stack.enter_context(WarpedVRT(source, resampling=how, **options))
                    for how in (Resampling.bilinear, Resampling.nearest)
                )
            )
        target = stack.enter_context(
            rasterio.open(
                out, "w", crs=grid.crs, transform=grid.transform, width=grid.width, height=grid.height, **PROFILE
            )
        )
        for block in grid.blocks():
            heights = np.full((block.height, block.width), np.nan, dtype=np.float32)
            for smooth, nearest in layers:
                open_cells = np.isnan(heights)
                if not open_cells.any():
                    break
                # interpolation reaches half a cell beyond the last height; the nearest cell decides where heights end
                has_height = ~np.isnan(nearest.read(1, window=block))
                heights = np.where(open_cells & has_height, smooth.read(1, window=block), heights)
            target.write(heights, 1, window=block)
            wanted = rasterio.features.geometry_mask(
                [area.area], heights.shape, rasterio.windows.transform(block, grid.transform), invert=True
            )
            known = ~np.isnan(heights)
            inside += int(wanted.sum())
            covered += int((wanted & known).sum())
            if known.any():
                lowest, highest = min(lowest, float(np.nanmin(heights))), max(highest, float(np.nanmax(heights)))
    return TerrainReport(
        cell_size_m=grid.cell,
        coverage_pct=100.0 * covered / inside if inside else 0.0,
        minimum_m=lowest,
        maximum_m=highest,
        sheets=0,
    )
