"""One vegetation index (NDVI) raster of the study area, from a ready index, a pair of bands, or aerial photographs.

NDVI = (nir - red) / (nir + red). Reflectances may carry an offset that does not cancel: Sentinel-2 products from
processing baseline 04.00 (2022-01-25) on store 10,000 x reflectance + 1,000. The baseline is in the folder name of the
original delivery; where it is not, the darkest percent of the red band tells, because every town has shade.
Digital numbers of photographs are no reflectances: an index made of them ranks places, but has no absolute level.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
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

from geodata.accounting import QualityLog
from geodata.archive import gdal_path
from geodata.errors import InputError
from geodata.image_look import scene_of
from geodata.inventory import Dataset, LayerPart, Problem
from geodata.problems import problem
from geodata.products.ndvi_trust import clouded, scale_problem, stored_scale
from geodata.study_area import StudyArea

FINEST_CELL_M = 1.0
MARGIN_M = 100.0
BLOCK = 512
Box = tuple[float, float, float, float]
SENTINEL2_OFFSET = -1000.0
_BASELINE = re.compile(r"_N(\d{4})_")
_DAY = re.compile(r"(?<![0-9])(20[0-9]{2})[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12][0-9]|3[01])(?![0-9])|(20[0-9]{6})T")
_PROFILE = {
    "driver": "GTiff", "count": 1, "dtype": "float32", "nodata": float("nan"), "tiled": True, "blockxsize": BLOCK,
    "blockysize": BLOCK, "compress": "deflate", "predictor": 3, "zlevel": 6, "bigtiff": "if_safer",
}  # fmt: skip


@dataclass(frozen=True)
class NdviReport:
    """What the NDVI raster holds."""

    cell_size_m: float
    coverage_pct: float
    """Share of the study area that has a value [%]."""
    minimum: float
    mean: float
    maximum: float
    day: str
    """Day of the images, ISO 8601, where their names tell."""
    product: str
    images: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Image:
    """One image that an index can be made of: one part with all bands, or two with one each."""

    red: LayerPart
    nir: LayerPart
    day: str

    @property
    def name(self) -> str:
        """Return its name for messages."""
        return self.red.data_source if self.red == self.nir else f"{self.red.data_source} + {self.nir.data_source}"


def images_of(datasets: Sequence[Dataset]) -> tuple[list[Image], list[LayerPart]]:
    """Return the images of ``datasets`` and the single bands that have no partner of the same scene."""
    images, alone = [], []
    scenes: dict[str, dict[str, LayerPart]] = {}
    for part in sorted((part for dataset in datasets for part in dataset.parts), key=lambda p: p.data_source):
        if len(part.fields) == 1 and part.fields[0] in {"red", "nir"}:
            scenes.setdefault(scene_of(part.data_source), {}).setdefault(part.fields[0], part)
        else:
            images.append(Image(part, part, day_of(part.data_source)))
    for bands in scenes.values():
        if len(bands) == 2:
            images.append(Image(bands["red"], bands["nir"], day_of(bands["red"].data_source)))
        else:
            alone += list(bands.values())
    return images, alone


def lone_bands(datasets: Iterable[Dataset]) -> list[Problem]:
    """Return a problem for each red or infrared band without its partner."""
    _, alone = images_of([dataset for dataset in datasets if dataset.role == "ndvi"])
    names = {"red": "nir (B08)", "nir": "red (B04)"}
    return [problem("band_alone", part.data_source, names[part.fields[0]]) for part in alone]


def day_of(path: str) -> str:
    """Return the day in a path, ISO 8601, '' if there is none."""
    days = ["".join(part or "" for part in match.groups()) for match in _DAY.finditer(path)]
    return f"{days[-1][:4]}-{days[-1][4:6]}-{days[-1][6:]}" if days else ""


def build_ndvi(
    inbox: Path, datasets: Sequence[Dataset], area: StudyArea, out: Path, log: QualityLog | None = None
) -> NdviReport | None:
    """Write the NDVI of ``area`` as float32 GeoTIFF in the site's CRS (no value: NaN).

    Of several products the one that comes first in the recognition table is used, of several days the newest; what is not
    used is told. None if no image can make an index, or none reaches the area. ``log`` is told of images whose scale is
    wrong (``ndvi_scale``; they are not used), of cells under clouds (``ndvi_cloud``) and of ground without a value
    (``ndvi_unknown``).

    Raises
    ------
    InputError
        If an image cannot be read, has no CRS or is rotated, or its two bands differ in grid.
    """
    if not datasets:
        return None
    product = datasets[0].product
    images, _ = images_of([dataset for dataset in datasets if dataset.product == product])
    west, south, east, north = area.area.bounds
    box = (west - MARGIN_M, south - MARGIN_M, east + MARGIN_M, north + MARGIN_M)
    images = [image for image in images if _reaches(image.red, area.crs, area.area.bounds)]
    if not images:
        return None
    newest = max(image.day for image in images)
    used = [image for image in images if image.day == newest]
    notes = []
    if len(used) < len(images):
        notes.append(f"{len(images) - len(used)} image(s) of other days are not used; the newest is {newest}")
    others = sorted({dataset.product for dataset in datasets} - {product})
    if others:
        notes.append(f"not used, because {product} comes first: {', '.join(others)}")
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=out.parent, prefix="ndvi-")))
        sources, cells, taken = [], [], []
        for number, image in enumerate(used):
            path = scratch / f"{number}.tif"
            made = _index_file(inbox, image, (box, area.crs), path, notes)
            if log is not None:
                for reason, detail in made.told:
                    log.add(reason, [image.name], detail=detail)
            if made.cell_size_m is not None:
                cells.append(made.cell_size_m)
                sources.append(stack.enter_context(rasterio.open(path)))
                taken.append(image.name)
        if not sources:
            return None
        cell = max(FINEST_CELL_M, float(np.round(min(cells), 3)))
        width, height = (int(np.ceil((high - low) / cell)) for low, high in ((box[0], box[2]), (box[1], box[3])))
        grid = Affine(cell, 0, np.floor(box[0] / cell) * cell, 0, -cell, np.ceil(box[3] / cell) * cell)
        figures = _merge(list(zip(sources, cells, strict=True)), grid, (height + 1, width + 1), area, out)
    if figures is None:
        return None
    if log is not None and figures["coverage_pct"] < 100.0:
        missing = f"{100.0 - figures['coverage_pct']:.2f} % of the study area"
        log.add("ndvi_unknown", [product], detail=missing)
    return NdviReport(cell, **figures, day=newest, product=product, images=tuple(taken), notes=tuple(notes))


def _reaches(part: LayerPart, crs: str, box: Box) -> bool:
    if part.bounds is None or part.crs is None:
        return False
    own = rasterio.warp.transform_bounds(part.crs, crs, *part.bounds, densify_pts=21)
    return own[0] < box[2] and own[2] > box[0] and own[1] < box[3] and own[3] > box[1]


@dataclass(frozen=True)
class _Made:
    """Cell size of an index [m], None where its numbers are none; reason codes with details."""

    cell_size_m: float | None
    told: tuple[tuple[str, str], ...]


def _is_index(image: Image) -> bool:
    """Tell whether ``image`` is an index itself; a file that the site file names may be no recognised image."""
    return image.red == image.nir and not {"red", "nir"} <= set(image.red.fields)


def _index_file(inbox: Path, image: Image, wanted: tuple[Box, str], path: Path, notes: list[str]) -> _Made:
    """Write the index of ``image`` within a box of a CRS (``wanted``) on its own grid."""
    with ExitStack() as stack:
        red = _open(stack, inbox, image.red)
        nir = red if image.nir == image.red else _open(stack, inbox, image.nir)
        if nir.shape != red.shape or not nir.transform.almost_equals(red.transform, precision=1e-6):
            raise InputError(f"{image.name}: the red and the infrared band do not lie on one grid; take both in 10 m")
        own = rasterio.warp.transform_bounds(wanted[1], image.red.crs, *wanted[0], densify_pts=21)
        window = _whole_cells(rasterio.windows.from_bounds(*own, transform=red.transform), red.shape)
        if _is_index(image) and red.count == 1 and (why := scale_problem(red, window)):
            return _Made(None, (("ndvi_scale", why),))
        offset = _offset(image, red, window, notes)
        transform = rasterio.windows.transform(window, red.transform)
        profile = _PROFILE | {
            "crs": image.red.crs,
            "transform": transform,
            "width": window.width,
            "height": window.height,
        }
        beyond = clouds = 0
        with rasterio.open(path, "w", **profile) as made:
            for _, block in made.block_windows(1):
                place = Window(
                    block.col_off + window.col_off, block.row_off + window.row_off, block.width, block.height
                )
                values, hidden = _index(image, red, nir, place, offset)
                clouds += hidden
                outside = np.abs(values) > 1.0 + 1e-6
                beyond += int(outside.sum())
                made.write(np.where(outside, np.nan, np.clip(values, -1.0, 1.0)).astype("float32"), 1, window=block)
        if beyond:
            notes.append(f"{image.name}: {beyond:,} cells lie outside -1..1 and are left out")
        own_crs = rasterio.CRS.from_user_input(image.red.crs)
        told = (("ndvi_cloud", f"{clouds:,} cells"),) if clouds else ()
        return _Made(abs(red.transform.a) * (111_320.0 if own_crs.is_geographic else 1.0), told)


def _open(stack: ExitStack, inbox: Path, part: LayerPart) -> Any:
    if part.crs is None:
        raise InputError(f"{part.data_source} has no CRS; give it in the site file under sources.ndvi.crs")
    try:
        source = stack.enter_context(rasterio.open(gdal_path(inbox, part)))
    except rasterio.errors.RasterioIOError as error:
        raise InputError(
            f"{part.data_source} cannot be opened as a raster ({error}). Copy it into the inbox again"
        ) from error
    if source.transform.b or source.transform.d:
        raise InputError(f"{part.data_source} is rotated; make it north-up first, for example with gdalwarp")
    return source


def _whole_cells(window: Window, shape: tuple[int, int]) -> Window:
    """Return the cells that ``window`` touches, one more on each side, within the raster."""
    rows = np.clip([np.floor(window.row_off) - 1, np.ceil(window.row_off + window.height) + 1], 0, shape[0]).astype(int)
    columns = np.clip([np.floor(window.col_off) - 1, np.ceil(window.col_off + window.width) + 1], 0, shape[1]).astype(
        int
    )
    return Window(int(columns[0]), int(rows[0]), max(int(np.diff(columns)[0]), 1), max(int(np.diff(rows)[0]), 1))


def _offset(image: Image, red: Any, window: Window, notes: list[str]) -> float:
    """Return what has to be added to the stored numbers of a pair of satellite bands."""
    if image.red == image.nir or red.dtypes[0] != "uint16" or red.offsets[0] != 0.0:
        return 0.0
    baseline = _BASELINE.search(image.red.data_source)
    if baseline is not None:
        return SENTINEL2_OFFSET if int(baseline[1]) >= 400 else 0.0
    step = max(1, int(np.sqrt(window.width * window.height / 250_000)))
    shape = (max(1, int(window.height) // step), max(1, int(window.width) // step))
    sample = red.read(1, window=window, out_shape=shape, masked=True).compressed()
    sample = sample[sample > 0]
    darkest = float(np.percentile(sample, 1)) if len(sample) else 0.0
    offset = SENTINEL2_OFFSET if darkest >= -SENTINEL2_OFFSET else 0.0
    notes.append(
        f"{image.name}: the path names no processing baseline; offset {offset:g} taken, because the darkest percent of the red "
        f"band stands at {darkest:,.0f}"
    )
    return offset


def _index(image: Image, red: Any, nir: Any, window: Window, offset: float) -> tuple[np.ndarray, int]:
    """Return NDVI of one window, NaN where there is none, and how many cells are left out as clouds."""
    if _is_index(image):
        if red.count != 1:
            raise InputError(
                f"{image.name} has {red.count} bands and does not say which are red and near infrared; describe its bands as "
                "red and nir, or give an NDVI raster of one band"
            )
        stored = red.read(1, window=window, masked=True).astype("float64")
        factor, zero = stored_scale(red)
        return np.ma.filled(stored * factor + zero, np.nan), 0
    bands = []
    for source, part, name in ((red, image.red, "red"), (nir, image.nir, "nir")):
        number = part.fields.index(name) + 1
        stored = source.read(number, window=window, masked=True).astype("float64")
        bands.append(np.ma.filled(stored * source.scales[number - 1] + source.offsets[number - 1], np.nan))
    empty = (bands[0] == 0) & (bands[1] == 0)
    low, high = (np.where(empty, np.nan, np.maximum(band + offset, 0.0)) for band in bands)
    hidden = 0
    if image.red != image.nir:
        cloud = clouded(low, red.scales[0])
        hidden = int(cloud.sum())
        low = np.where(cloud, np.nan, low)
    total = low + high
    return np.divide(high - low, total, out=np.full_like(total, np.nan), where=total > 0), hidden


def _merge(
    sources: list[tuple[Any, float]], grid: Affine, shape: tuple[int, int], area: StudyArea, out: Path
) -> dict[str, float] | None:
    """Warp all sources, each with its cell size, into one file and return its figures; None if no cell has a value."""
    count = known = wanted = 0
    total, low, high = 0.0, np.inf, -np.inf
    with ExitStack() as stack:
        # cells much smaller than the target are averaged, others interpolated
        warped = [
            stack.enter_context(
                WarpedVRT(
                    source, crs=area.crs, transform=grid, height=shape[0], width=shape[1], nodata=np.nan,
                    resampling=Resampling.average if grid.a > 1.5 * own else Resampling.bilinear,
                )
            )
            for source, own in sources
        ]  # fmt: skip
        profile = _PROFILE | {"crs": area.crs, "transform": grid, "height": shape[0], "width": shape[1]}
        made = stack.enter_context(rasterio.open(out, "w", **profile))
        for _, block in made.block_windows(1):
            values = np.full((block.height, block.width), np.nan, dtype="float32")
            for source in warped:
                found = source.read(1, window=block)
                values = np.where(np.isnan(values), found, values)
            made.write(values, 1, window=block)
            inside = rasterio.features.geometry_mask(
                [area.area], values.shape, rasterio.windows.transform(block, grid), invert=True
            )
            wanted += int(inside.sum())
            has = ~np.isnan(values) & inside
            known += int(has.sum())
            if has.any():
                total += float(values[has].sum(dtype="float64"))
                count += int(has.sum())
                low, high = min(low, float(values[has].min())), max(high, float(values[has].max()))
    if not count:
        return None
    return {"coverage_pct": 100.0 * known / wanted, "minimum": low, "mean": total / count, "maximum": high}
