"""Rasters of a release: one cloud-optimised GeoTIFF each, with overviews and statistics, and its colours beside it.

Colours stand in a QML file of the same name, which QGIS loads with the raster; values stay numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from pydantic import BaseModel, ConfigDict, model_validator
from rasterio.windows import Window

from geodata.errors import InputError
from geodata.shipped_yaml import shipped_yaml
from twin.publish.about import DEMO
from twin.publish.styles.qmd import DOCTYPE, QGIS_VERSION

BLOCK = 512


class RasterStyle(BaseModel):
    """Words, unit and colours of one raster; ``stops`` are values with their colours, ascending."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ko: str
    en: str
    about_ko: str
    about_en: str
    unit: str
    decimals: int
    stops: tuple[tuple[float, str], ...]

    @model_validator(mode="after")
    def _ascending(self) -> RasterStyle:
        values = [value for value, _ in self.stops]
        if len(values) < 2 or sorted(set(values)) != values:
            raise ValueError("stops need ascending values, two at least")
        return self


@cache
def raster_styles() -> dict[str, RasterStyle]:
    """Return the rasters of a release by name, as ``styles/rasters.yaml`` has them."""
    raw = shipped_yaml(files("twin.publish.styles").joinpath("rasters.yaml").read_text(encoding="utf-8"))
    return {name: RasterStyle.model_validate(entry) for name, entry in raw.items()}


def write_raster(
    name: str, tiles: Sequence[Path], band: int, out: Path, *, step: float = 1.0, demo: bool = False
) -> dict[str, float] | None:
    """Join one band of raster tiles into a cloud-optimised GeoTIFF and write its QML beside it.

    Parameters
    ----------
    name : of the raster, one of `raster_styles`
    tiles : GeoTIFFs of one CRS on one grid, without overlap, whole numbers with a nodata value
    band : of the tiles, from 1
    out : GeoTIFF to write
    step : what one of the tiles' numbers is worth; 1 keeps whole numbers (uint16), others give float32
    demo : marks invented data

    Returns
    -------
    ``cells_known`` and their ``minimum``, ``mean`` and ``maximum``; None where no cell has a value, and then no file

    Raises
    ------
    InputError
        If there are no tiles, or they do not fit together.

    Notes
    -----
    One tile is in memory at a time. Equal tiles give equal bytes.
    """
    if not tiles:
        raise InputError(f"no tiles to make the raster {name} of")
    style = raster_styles()[name]
    boxes, sizes = [], set()
    for path in tiles:
        with rasterio.open(path) as source:
            boxes.append(tuple(source.bounds))
            sizes.add((source.transform.a, source.crs.to_string(), source.nodata))
    if len(sizes) != 1:
        raise InputError(f"tiles of the raster {name} differ in cell size, CRS or nodata: {sorted(map(str, sizes))}")
    size, crs, nothing = sizes.pop()
    box = np.array(boxes)
    west, south = box[:, :2].min(axis=0).tolist()
    east, north = box[:, 2:].max(axis=0).tolist()
    whole = step == 1.0
    mark = f" ({DEMO['ko']} / {DEMO['en']})" if demo else ""
    profile = {
        "driver": "GTiff", "dtype": "uint16" if whole else "float32", "count": 1, "crs": crs,
        "nodata": nothing if whole else float("nan"), "width": round((east - west) / size),
        "height": round((north - south) / size), "transform": Affine(size, 0.0, west, 0.0, -size, north),
        "tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "sparse_ok": True, "bigtiff": "if_safer",
    }  # fmt: skip
    known, total, lowest, highest = 0, 0.0, np.inf, -np.inf
    with TemporaryDirectory(dir=out.parent) as scratch:
        joined = Path(scratch) / "joined.tif"
        with rasterio.open(joined, "w", **profile) as target:
            for path in tiles:
                with rasterio.open(path) as source:
                    coded = source.read(band)
                    left, top = round((source.bounds.left - west) / size), round((north - source.bounds.top) / size)
                there = coded != nothing
                values = (
                    coded if whole else np.where(there, np.round(coded * step, style.decimals), np.nan).astype("f4")
                )
                window = Window(left, top, coded.shape[1], coded.shape[0])
                target.write(values, 1, window=window)
                if there.any():
                    known += int(there.sum())
                    total += float(values[there].sum(dtype=np.float64))
                    lowest, highest = min(lowest, float(values[there].min())), max(highest, float(values[there].max()))
            target.set_band_description(1, f"{style.ko} / {style.en} [{style.unit}]{mark}")
            target.set_band_unit(1, style.unit)
            target.update_tags(
                TITLE=f"{style.ko} / {style.en}{mark}", ABOUT_KO=style.about_ko + mark, ABOUT_EN=style.about_en + mark,
                TIFFTAG_IMAGEDESCRIPTION=f"{style.en} [{style.unit}]{mark and ', demo data'}",
            )  # fmt: skip
        if known == 0:
            return None
        # rounded decimals repeat byte for byte: the predictor for floats made the file half as large again
        rasterio.shutil.copy(
            joined, out, driver="COG", compress="deflate", level=4, predictor="yes" if whole else "no", blocksize=BLOCK,
            overviews="ignore_existing", overview_resampling="average", statistics="yes", sparse_ok="yes",
            bigtiff="if_safer", num_threads="1",
        )  # fmt: skip
    out.with_suffix(".qml").write_text(raster_qml(style), encoding="utf-8")
    return {"cells_known": known, "minimum": lowest, "mean": total / known, "maximum": highest}


def raster_problems(path: Path) -> list[str]:
    """Return in what the file ``path`` is not the cloud-optimised GeoTIFF that it should be; values are not read.

    Never raises for a damaged file. A cloud-optimised file that was written to afterwards is none any more, and GDAL says so.
    """
    try:
        with rasterio.open(path) as source:
            found = []
            if source.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") != "COG":
                found.append("is no cloud-optimised GeoTIFF")
            if max(source.shape) > BLOCK and not source.overviews(1):
                found.append("has no overviews")
            if source.nodata is None or not source.units[0] or "STATISTICS_MEAN" not in source.tags(1):
                found.append("lacks its nodata value, unit or statistics")
            if source.crs is None or not source.crs.is_projected:
                found.append(f"has the CRS {source.crs}")
    except rasterio.errors.RasterioIOError as error:
        found = [f"cannot be read: {error}"]
    return [f"{path.name}: {problem}" for problem in found]


def raster_qml(style: RasterStyle) -> str:
    """Return the QGIS style of a raster as the text of a QML file."""
    return DOCTYPE + ET.tostring(raster_element(style), encoding="unicode")


def raster_element(style: RasterStyle) -> ET.Element:
    """Return the QGIS style of a raster: colours that run between the stops, with a legend in the raster's unit."""
    low, high = style.stops[0][0], style.stops[-1][0]
    root = ET.Element("qgis", version=QGIS_VERSION, styleCategories="Symbology", hasScaleBasedVisibilityFlag="0")
    pipe = ET.SubElement(root, "pipe")
    renderer = ET.SubElement(
        pipe, "rasterrenderer", type="singlebandpseudocolor", band="1", opacity="1", alphaBand="-1",
        classificationMin=f"{low:g}", classificationMax=f"{high:g}", nodataColor="",
    )  # fmt: skip
    ET.SubElement(renderer, "rasterTransparency")
    shader = ET.SubElement(ET.SubElement(renderer, "rastershader"), "colorrampshader", {
        "colorRampType": "INTERPOLATED", "classificationMode": "1", "clip": "0",
        "minimumValue": f"{low:g}", "maximumValue": f"{high:g}", "labelPrecision": str(style.decimals),
    })  # fmt: skip
    unit = "" if style.unit == "1" else f" {style.unit}"
    for value, colour in style.stops:
        ET.SubElement(shader, "item", value=f"{value:g}", color=colour, alpha="255", label=f"{value:,g}{unit}")
    ET.SubElement(pipe, "brightnesscontrast", brightness="0", contrast="0", gamma="1")
    ET.SubElement(pipe, "rasterresampler", maxOversampling="2", zoomedOutResampler="bilinear")
    ET.SubElement(root, "blendMode").text = "0"
    return root
