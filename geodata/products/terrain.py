"""Terrain: sheets of any raster format become one height raster of the study area in the site's CRS.

Sheets of one CRS and cell grid are first laid together cell by cell, so that interpolation sees across their seams;
then each such mosaic is warped (bilinear) into the target grid, finer mosaics first. A target cell gets a height only
if the source cell it lies in has one: nothing is interpolated over gaps. All reading and writing goes by windows.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
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

from geodata.archive import gdal_path
from geodata.errors import InputError
from geodata.inventory import Dataset, LayerPart
from geodata.study_area import StudyArea

COARSEST_CELL_M = 5.0
FINEST_CELL_M = 1.0
BLOCK = 512
VERTICAL_DATUM_NOTE = "heights are taken as metres above mean sea level at Incheon (EPSG:5193); the files do not say"
PROFILE = {
    "driver": "GTiff", "count": 1, "dtype": "float32", "nodata": float("nan"), "tiled": True, "blockxsize": BLOCK,
    "blockysize": BLOCK, "compress": "deflate", "predictor": 3, "zlevel": 6, "bigtiff": "if_safer",
}  # fmt: skip
# Values with which producers fill cells without height and often do not declare. Lower limit: no land lies
# deeper than the shore of the Dead Sea; upper limit: none rises above Everest.
_LOWEST_M, _HIGHEST_M = -500.0, 9000.0


@dataclass(frozen=True)
class TerrainReport:
    """What the terrain raster holds."""

    cell_size_m: float
    coverage_pct: float
    """Share of the study area that has terrain [%]."""
    minimum_m: float
    maximum_m: float
    sheets: int
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


@dataclass
class _Sheet:
    """One source raster: where it lies and what fills its gaps."""

    name: str
    path: str
    crs: rasterio.CRS
    transform: Affine
    shape: tuple[int, int]
    nodata: float | None
    zero_is_gap: bool = False
    strange: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        return rasterio.transform.array_bounds(*self.shape, self.transform)


def build_terrain(
    inbox: Path, datasets: Sequence[Dataset], area: StudyArea, out: Path, *, margin_m: float = 300.0
) -> TerrainReport:
    """Write the terrain of ``area`` and ``margin_m`` around its bounds as float32 GeoTIFF (gaps are NaN).

    Parameters
    ----------
    inbox : folder to which the datasets' paths are relative
    datasets : raster datasets; ``nodata`` of a dataset (site file) has the last word on what a gap is
    area : study area; its CRS is the CRS of the result
    out : file to write; cells are 5 m, or those of the finest source between 1 and 5 m

    Raises
    ------
    InputError
        If a raster has no CRS, is rotated or is a picture, if its values are no heights, or if none reaches the area.
    """
    with contextlib.ExitStack() as stack:
        parts = [(dataset, part) for dataset in datasets for part in dataset.parts]
        sheets = [
            _look_at(inbox, dataset, part) for dataset, part in sorted(parts, key=lambda pair: pair[1].data_source)
        ]
        if not sheets:
            raise InputError("no terrain raster is given; put a DEM (GeoTIFF, IMG or ASCII grid) into the inbox")
        grid = _target_grid(sheets, area, margin_m)
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=out.parent, prefix="terrain-")))
        groups = _groups(sheets, grid)
        if not groups:
            raise InputError(_misses(sheets, area))
        mosaics = [_mosaic(group, grid, scratch / f"{number}.tif") for number, group in enumerate(groups)]
        report = _warp(mosaics, grid, area, out)
        used = [sheet for group in groups for sheet in group]
    if report.coverage_pct == 0.0:
        raise InputError(_misses(sheets, area))
    notes = [VERTICAL_DATUM_NOTE, *(note for sheet in used for note in sheet.notes)]
    unused = len(sheets) - len(used)
    if unused:
        notes.append(f"{unused} of {len(sheets)} terrain sheets lie outside the study area")
    return TerrainReport(**{**asdict(report), "sheets": len(used), "notes": tuple(notes)})


def _misses(sheets: list[_Sheet], area: StudyArea) -> str:
    first = sheets[0]
    return (
        f"no terrain raster reaches the study area (bounds {_rounded(area.area.bounds)} in {area.crs}); {first.name} covers "
        f"{_rounded(first.bounds)} in {first.crs}. Check the CRS of the rasters (site file: sources.terrain.crs), or take sheets of this place"
    )


def _rounded(bounds: Sequence[float]) -> str:
    return "[" + ", ".join(f"{value:.6g}" if abs(value) < 1000 else f"{value:.0f}" for value in bounds) + "]"


def _look_at(inbox: Path, dataset: Dataset, part: LayerPart) -> _Sheet:
    """Return one sheet; decide what its gaps are filled with."""
    path = gdal_path(inbox, part)
    if part.crs is None:
        raise InputError(
            f"terrain {part.data_source} has no CRS; name it in the site file under sources.terrain.crs, for example EPSG:5186"
        )
    try:
        source = rasterio.open(path)
    except rasterio.errors.RasterioIOError as error:
        raise InputError(
            f"terrain {part.data_source} cannot be opened as a raster ({error}). Copy it into the inbox again"
        ) from error
    with source:
        if source.dtypes[0] == "uint8" and source.count >= 3:
            raise InputError(f"terrain {part.data_source} is a picture, not heights; give the DEM itself")
        transform = source.transform
        if transform.b or transform.d or transform.a <= 0 or transform.e == 0:
            raise InputError(
                f"terrain {part.data_source} is rotated; make it north-up first, for example with gdalwarp"
            )
        sheet = _Sheet(
            name=part.data_source,
            path=path,
            crs=rasterio.CRS.from_user_input(part.crs),
            transform=transform if transform.e < 0 else _turned(transform, source.height),
            shape=source.shape,
            nodata=source.nodata if dataset.nodata is None else dataset.nodata,
        )
        if sheet.nodata is None and _has_empty_border(source):
            sheet.zero_is_gap = True
            sheet.notes.append(
                f"{sheet.name}: declares no nodata and its border is filled with 0; cells of exactly 0 are taken as gaps"
            )
        return sheet


def _turned(transform: Affine, height: int) -> Affine:
    """Return the north-up transform of a raster whose rows run from south to north."""
    return Affine(transform.a, 0.0, transform.c, 0.0, -transform.e, transform.f + transform.e * height)


def _has_empty_border(source: rasterio.DatasetReader) -> bool:
    """Tell whether zeros fill the border: a whole outer row or column, or a corner of a raster of real numbers.

    A sheet that was turned into another CRS has wedges of filling, which show in its corners. Whole numbers may be 0
    there by right, on a low shore; measured heights are not exactly 0.
    """
    height, width = source.shape
    edges = (
        Window(0, 0, width, 1),
        Window(0, height - 1, width, 1),
        Window(0, 0, 1, height),
        Window(width - 1, 0, 1, height),
    )
    real_numbers = np.issubdtype(np.dtype(source.dtypes[0]), np.floating)
    for window in edges:
        values = source.read(1, window=window).ravel()
        zero = values == 0
        if zero.any() and (zero | ~_plausible(values)).all():
            return True
        if real_numbers and (zero[:2].all() or zero[-2:].all()):
            return True
    return False


def _plausible(values: np.ndarray) -> np.ndarray:
    numbers = values.astype(np.float64)
    return np.isfinite(numbers) & (numbers >= _LOWEST_M) & (numbers <= _HIGHEST_M)


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


def _native_cell_m(sheet: _Sheet, crs: rasterio.CRS) -> float:
    transform, _, _ = rasterio.warp.calculate_default_transform(
        sheet.crs, crs, sheet.shape[1], sheet.shape[0], *sheet.bounds
    )
    return float(transform.a)


def _target_grid(sheets: list[_Sheet], area: StudyArea, margin_m: float) -> _Grid:
    crs = rasterio.CRS.from_user_input(area.crs)
    finest = min(sheets, key=lambda sheet: (_native_cell_m(sheet, crs), sheet.name))
    native = finest.transform.a if finest.crs == crs else _native_cell_m(finest, crs)
    cell = float(np.clip(native, FINEST_CELL_M, COARSEST_CELL_M))
    # on the source's own grid nothing is interpolated at all
    own = finest.crs == crs and abs(cell - finest.transform.a) < 1e-9 and abs(cell + finest.transform.e) < 1e-9
    left, top = (finest.transform.c % cell, finest.transform.f % cell) if own else (0.0, 0.0)
    minx, miny, maxx, maxy = area.area.bounds
    west = np.floor((minx - margin_m - left) / cell) * cell + left
    south = np.floor((miny - margin_m - top) / cell) * cell + top
    width = int(np.ceil((maxx + margin_m - west) / cell))
    height = int(np.ceil((maxy + margin_m - south) / cell))
    return _Grid(
        crs=crs, transform=Affine(cell, 0.0, west, 0.0, -cell, south + height * cell), width=width, height=height
    )


def _reach(grid: _Grid, sheet: _Sheet) -> tuple[float, float, float, float]:
    """Return the target's bounds in the sheet's CRS, wide enough for interpolation."""
    box = rasterio.warp.transform_bounds(grid.crs, sheet.crs, *grid.bounds, densify_pts=21)
    x, y = 4 * sheet.transform.a, -4 * sheet.transform.e
    return box[0] - x, box[1] - y, box[2] + x, box[3] + y


def _window(sheet: _Sheet, grid: _Grid) -> Window | None:
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


def _groups(sheets: list[_Sheet], grid: _Grid) -> list[list[_Sheet]]:
    """Return sheets that reach the target, grouped by CRS and cell grid, finest first."""
    groups: dict[tuple[Any, ...], list[_Sheet]] = {}
    for sheet in sheets:
        if _window(sheet, grid) is None:
            continue
        x, y = sheet.transform.a, -sheet.transform.e
        phase = round(sheet.transform.c / x % 1.0, 3) % 1.0, round(sheet.transform.f / y % 1.0, 3) % 1.0
        groups.setdefault((sheet.crs.to_wkt(), round(x, 9), round(y, 9), phase), []).append(sheet)
    return sorted(groups.values(), key=lambda group: (_native_cell_m(group[0], grid.crs), group[0].name))


def _mosaic(group: list[_Sheet], grid: _Grid, path: Path) -> Path:
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
            for part, values in _heights(sheet, window):
                place = Window(
                    column - left + part.col_off - window.col_off,
                    row - top + part.row_off - window.row_off,
                    part.width,
                    part.height,
                )
                present = target.read(1, window=place)
                target.write(np.where(np.isnan(present), values, present), 1, window=place)
            _judge(sheet)
    return path


def _heights(sheet: _Sheet, window: Window) -> Iterator[tuple[Window, np.ndarray]]:
    """Yield the sheet's heights [m] block by block, gaps as NaN."""
    with rasterio.open(sheet.path) as source:
        south_up = source.transform.e > 0
        scale, offset = source.scales[0], source.offsets[0]
        for row in range(window.row_off, window.row_off + window.height, BLOCK):
            for column in range(window.col_off, window.col_off + window.width, BLOCK):
                part = Window(
                    column,
                    row,
                    min(BLOCK, window.col_off + window.width - column),
                    min(BLOCK, window.row_off + window.height - row),
                )
                place = (
                    Window(part.col_off, source.height - part.row_off - part.height, part.width, part.height)
                    if south_up
                    else part
                )
                raw = source.read(1, window=place)
                values = (raw[::-1] if south_up else raw).astype(np.float64)
                gap = np.isnan(values)
                if sheet.nodata is not None:
                    # a nodata value that float32 cannot hold exactly is stored rounded
                    gap |= np.isclose(values, sheet.nodata, rtol=1e-6, atol=0.0)
                if sheet.zero_is_gap:
                    gap |= values == 0
                values = values * scale + offset
                strange = ~gap & ~_plausible(values)
                sheet.strange += int(strange.sum())
                values[gap | strange] = np.nan
                yield part, values.astype(np.float32)


def _judge(sheet: _Sheet) -> None:
    if sheet.strange:
        sheet.notes.append(
            f"{sheet.name}: {sheet.strange:,} cells hold values that are no heights (below {_LOWEST_M:g} or above {_HIGHEST_M:g} m, "
            "such as -9999) though they are not declared as nodata; taken as gaps"
        )


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
