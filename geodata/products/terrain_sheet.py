"""One sheet of an elevation model: where it lies, what fills its gaps, and its heights block by block.

Producers fill cells without height with a number and often do not declare it. Numbers that are no heights are told by
their size; zeros by where they are: a patch that touches the border and ends in a cliff is filling, one that the ground
slopes down to is the sea or a shore.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
from rasterio import Affine
from rasterio.windows import Window
from scipy import ndimage

from geodata.archive import member_of
from geodata.errors import InputError
from geodata.inventory import Dataset, LayerPart
from geodata.products.terrain_report import BLOCK
from geodata.products.xyz import is_xyz, read_xyz, write_geotiff

# Lower limit: no land lies deeper than the shore of the Dead Sea; upper limit: none rises above Everest.
_LOWEST_M, _HIGHEST_M = -500.0, 9000.0
_SHORE_M = 3.0
"""Ground beside the sea lies lower than this; where half of the cells around zeros are higher, the zeros are filling."""
_MOST_CELLS = 4096
"""Patches of zeros are looked for in at most this many rows and columns."""


@dataclass
class Sheet:
    """One source raster: where it lies and what fills its gaps."""

    name: str
    path: str
    crs: rasterio.CRS
    transform: Affine
    shape: tuple[int, int]
    nodata: float | None
    filling: npt.NDArray[np.bool_] | None = None
    """Where zeros are filling: a mask over the sheet, coarser than its cells if the sheet is large."""
    strange: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Return minx, miny, maxx, maxy in the sheet's CRS."""
        return rasterio.transform.array_bounds(*self.shape, self.transform)


def look_at(inbox: Path, dataset: Dataset, part: LayerPart, scratch: Path) -> Sheet:
    """Return one sheet and decide what its gaps are filled with; text with points becomes a raster in ``scratch``.

    Raises
    ------
    InputError
        If the sheet has no CRS, cannot be opened, is rotated or is a picture.
    """
    if part.crs is None:
        raise InputError(
            f"{dataset.role} {part.data_source} has no CRS; name it in the site file under sources.{dataset.role}.crs, for example EPSG:5186"
        )
    member = member_of(inbox, part)
    path, notes = member.gdal_path, []
    if is_xyz(member.read(4096), member.suffix):
        grid = read_xyz(member.open, part.data_source)
        path = str(write_geotiff(grid, scratch / f"points-{len(list(scratch.iterdir()))}.tif", part.crs))
        if grid.repeated:
            notes.append(f"{part.data_source}: {grid.repeated:,} places have several heights; the last one counts")
    try:
        source = rasterio.open(path)
    except rasterio.errors.RasterioIOError as error:
        raise InputError(
            f"{dataset.role} {part.data_source} cannot be opened as a raster ({error}). Copy it into the inbox again"
        ) from error
    with source:
        if source.dtypes[0] == "uint8" and source.count >= 3:
            raise InputError(f"{dataset.role} {part.data_source} is a picture, not heights; give the DEM itself")
        transform = source.transform
        if transform.b or transform.d or transform.a <= 0 or transform.e == 0:
            raise InputError(
                f"{dataset.role} {part.data_source} is rotated; make it north-up first, for example with gdalwarp"
            )
        sheet = Sheet(
            name=part.data_source,
            path=path,
            crs=rasterio.CRS.from_user_input(part.crs),
            transform=transform if transform.e < 0 else _turned(transform, source.height),
            shape=source.shape,
            nodata=source.nodata if dataset.nodata is None else dataset.nodata,
            notes=notes,
        )
        if sheet.nodata is None or np.isnan(sheet.nodata):
            sheet.filling = _filling(source)
        if sheet.filling is not None:
            sheet.notes.append(
                f"{sheet.name}: declares no nodata and its border is filled with 0; these cells of exactly 0 are taken as gaps"
            )
        return sheet


def _turned(transform: Affine, height: int) -> Affine:
    """Return the north-up transform of a raster whose rows run from south to north."""
    return Affine(transform.a, 0.0, transform.c, 0.0, -transform.e, transform.f + transform.e * height)


def _filling(source: rasterio.DatasetReader) -> npt.NDArray[np.bool_] | None:
    """Return where zeros are filling, rows from north to south; None where they are not.

    Filling touches the border and the ground beside it is high. Zeros within the land, and zeros that the ground slopes
    down to, are heights.
    """
    shape = tuple(min(length, _MOST_CELLS) for length in source.shape)
    values = source.read(1, out_shape=shape).astype(np.float64)
    zero = values == 0
    edges = np.concatenate([zero[0], zero[-1], zero[:, 0], zero[:, -1]])
    if not edges.any():
        return None
    patches, _ = ndimage.label(zero, structure=np.ones((3, 3)))
    at_border = np.unique(np.concatenate([patches[0], patches[-1], patches[:, 0], patches[:, -1]]))
    beside = []
    ground = _plausible(values) & ~zero
    for one, other in (
        (np.s_[:-1, :], np.s_[1:, :]),
        (np.s_[1:, :], np.s_[:-1, :]),
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:, 1:], np.s_[:, :-1]),
    ):
        meet = zero[one] & ground[other]
        beside.append(pd.DataFrame({"patch": patches[one][meet], "height": values[other][meet]}))
    around = pd.concat(beside, ignore_index=True).groupby("patch")["height"].median()
    low = around.index[around <= _SHORE_M]
    filled = np.setdiff1d(at_border, [0, *low])
    if len(filled) == 0:
        return None
    mask = np.isin(patches, filled)
    return mask if source.transform.e < 0 else mask[::-1]


def _plausible(values: np.ndarray) -> np.ndarray:
    numbers = values.astype(np.float64)
    return np.isfinite(numbers) & (numbers >= _LOWEST_M) & (numbers <= _HIGHEST_M)


def read_heights(sheet: Sheet, window: Window) -> Iterator[tuple[Window, np.ndarray]]:
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
                if sheet.filling is not None:
                    gap |= (values == 0) & _part_of(sheet.filling, sheet.shape, part)
                values = values * scale + offset
                strange = ~gap & ~_plausible(values)
                sheet.strange += int(strange.sum())
                values[gap | strange] = np.nan
                yield part, values.astype(np.float32)


def _part_of(mask: npt.NDArray[np.bool_], shape: tuple[int, int], part: Window) -> npt.NDArray[np.bool_]:
    """Return the cells of ``part`` of a sheet of ``shape`` from a mask that may be coarser."""
    rows = (np.arange(part.row_off, part.row_off + part.height) * mask.shape[0]) // shape[0]
    columns = (np.arange(part.col_off, part.col_off + part.width) * mask.shape[1]) // shape[1]
    return mask[np.ix_(rows, columns)]


def judge(sheet: Sheet) -> None:
    """Note how many cells held numbers that are no heights, once the sheet was read."""
    if sheet.strange:
        sheet.notes.append(
            f"{sheet.name}: {sheet.strange:,} cells hold values that are no heights (below {_LOWEST_M:g} or above {_HIGHEST_M:g} m, "
            "such as -9999) though they are not declared as nodata; taken as gaps"
        )
