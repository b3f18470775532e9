"""Roof planes of all buildings of a town from the heights of a surface model.

The model is read square by square; slopes of all cells are taken at once, then each building's cells are looked at on
their own. A roof whose planes do not explain its heights is left out, and the reason is told: it will be taken as flat.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import rasterio.features
import shapely
from affine import Affine
from rasterio.enums import Resampling
from rasterio.windows import Window
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from geodata.accounting import QualityLog
from geodata.parameters import Parameters, load_parameters
from twin.roof_fit.faces import divide
from twin.roof_fit.planes import RoofCells, find_planes, residuals, slopes

SQUARE_M = 1000.0
SOURCE = "surface_model"
Plane = tuple[float, float, float, float, BaseGeometry]
"""Tilt, azimuth [deg], misfit, height of the highest corner [m], outline."""
_COLUMNS = ("building_id", "tilt_deg", "azimuth_deg", "fit_rmse_m", "plane_source")


@lru_cache(maxsize=1)
def fit_parameters() -> Parameters:
    """Return the values of ``roof_fit.yaml``."""
    return load_parameters("twin.roof_fit", "roof_fit.yaml")


@dataclass(frozen=True)
class RoofFit:
    """Planes found in a surface model.

    ``planes``: ``building_id``, ``tilt_deg``, ``azimuth_deg`` (missing where level), ``fit_rmse_m``, ``top_m`` (height of the
    highest corner), ``plane_source`` and the outline as seen from above, sorted by building. ``quality``: buildings without, and why.
    """

    planes: gpd.GeoDataFrame
    quality: gpd.GeoDataFrame
    buildings: int
    """That were looked for."""
    fitted: int


def fit_roofs(buildings: gpd.GeoDataFrame, surface_model: Path, parameters: Parameters | None = None) -> RoofFit:
    """Return the roof planes that a surface model shows.

    Parameters
    ----------
    buildings : ``building_id``, footprints, and ``altitude`` [m] of the ground where it is known
    surface_model : heights [m] of roofs, trees and ground in the CRS of the buildings, square cells, gaps NaN
    parameters : in place of ``roof_fit.yaml``

    Notes
    -----
    ``fit_rmse_m`` is the root mean square of heights above the plane, over all cells under which the plane lies, furniture
    and all; cells at the wall are left out. A roof is refused as a whole if all its cells together miss the limit.
    """
    rules = fit_parameters() if parameters is None else parameters
    shapes = buildings.geometry.to_numpy()
    ids = buildings["building_id"].to_numpy()
    ground = (
        buildings["altitude"].to_numpy(dtype=np.float64)
        if "altitude" in buildings.columns
        else np.full(len(ids), np.nan)
    )
    found: dict[int, list[Plane] | str] = {}
    with rasterio.open(surface_model) as source:
        corner = np.floor(shapely.get_coordinates(shapely.point_on_surface(shapes)) / SQUARE_M)
        _, square = np.unique(corner, axis=0, return_inverse=True)
        order = np.argsort(square.reshape(-1), kind="stable")
        edges = np.flatnonzero(np.diff(square.reshape(-1)[order])) + 1
        for members in np.split(order, edges) if len(order) else []:
            found |= _square(source, shapes, ground, members, rules)
    rows = [(ids[number], planes) for number, planes in found.items() if not isinstance(planes, str)]
    flat = [(building, *plane) for building, planes in rows for plane in planes]
    table = gpd.GeoDataFrame(
        {
            "building_id": np.array([row[0] for row in flat], dtype=object),
            "tilt_deg": np.array([row[1] for row in flat], dtype=np.float64),
            "azimuth_deg": np.array([row[2] for row in flat], dtype=np.float64),
            "fit_rmse_m": np.array([row[3] for row in flat], dtype=np.float64),
            "top_m": np.array([row[4] for row in flat], dtype=np.float64),
            "plane_source": SOURCE,
        },
        geometry=[row[5] for row in flat],
        crs=buildings.crs,
    )
    log = QualityLog(SOURCE, str(buildings.crs))
    for reason in ("roof_fit_cells", "roof_fit_absent", "roof_fit_poor"):
        missed = np.array(
            [number for number in range(len(ids)) if found.get(number, "roof_fit_cells") == reason], dtype=np.int64
        )
        log.add(reason, ids[missed].tolist(), buildings.geometry.iloc[missed])
    return RoofFit(
        table.sort_values(["building_id", "tilt_deg", "azimuth_deg"], ignore_index=True, kind="stable"),
        log.frame(), buildings=len(ids), fitted=len(rows),
    )  # fmt: skip


def _square(
    source: rasterio.DatasetReader, shapes: np.ndarray, ground: np.ndarray, members: np.ndarray, rules: Parameters
) -> dict[int, list[Plane] | str]:
    """Return the planes of some buildings, or why there are none."""
    read = _heights(source, shapely.total_bounds(shapes[members]), float(rules["finest_cell_m"]))
    result: dict[int, list[Plane] | str] = dict.fromkeys(members.tolist(), "roof_fit_cells")
    if read is None:
        return result
    heights, transform = read
    size = transform.a
    inner = shapely.buffer(shapes[members], -float(rules["erosion_cells"]) * size)
    kept = np.flatnonzero(~shapely.is_empty(inner))
    if len(kept) == 0:
        return result
    numbers = rasterio.features.rasterize(
        zip(inner[kept], range(1, len(kept) + 1), strict=True),
        out_shape=heights.shape,
        transform=transform,
        dtype="int32",
    )
    east, north = slopes(heights, size)
    all_cells = np.bincount(numbers.reshape(-1), minlength=len(kept) + 1)
    numbers[~np.isfinite(heights)] = 0
    for place, box in enumerate(ndimage.find_objects(numbers, max_label=len(kept)), start=1):
        if box is None:
            continue
        number = int(members[kept[place - 1]])
        cells = RoofCells(heights[box], east[box], north[box], numbers[box] == place, size)
        if cells.inside.sum() < float(rules["least_seen"]) * all_cells[place]:
            continue
        west, top = transform @ (box[1].start, box[0].start)
        result[number] = _roof(shapes[number], cells, ground[number], (west, top), rules)
    return result


def _roof(
    footprint: BaseGeometry, cells: RoofCells, ground: float, corner: tuple[float, float], rules: Parameters
) -> list[Plane] | str:
    if cells.inside.sum() < int(rules["least_cells"]):
        return "roof_fit_cells"
    if np.median(cells.height[cells.inside]) - ground < float(rules["least_height_m"]):
        return "roof_fit_absent"
    fitted = find_planes(cells, rules)
    if fitted is None:
        return "roof_fit_poor"
    limit = float(rules["largest_rmse_m"])
    off = np.full(cells.height.shape, np.nan)
    for number, plane in enumerate(fitted.coefficients):
        mine = fitted.label == number
        off[mine] = residuals(cells, plane)[mine]
    if np.sqrt(np.mean(off[cells.inside] ** 2)) > limit:
        return "roof_fit_poor"
    local = shapely.set_coordinates(shapely.force_2d(footprint), shapely.get_coordinates(footprint) - corner)
    planes = []
    for number, part in divide(local, cells, fitted):
        middle, east, north = fitted.coefficients[number]
        tilt = float(np.degrees(np.arctan(np.hypot(east, north))))
        # downhill is against the slope
        azimuth = float(np.degrees(np.arctan2(-east, -north)) % 360.0)
        level = tilt < float(rules["flat_below_deg"])
        rmse = float(np.sqrt(np.mean(off[fitted.label == number] ** 2)))
        outline = shapely.set_coordinates(part, shapely.get_coordinates(part) + corner)
        corners = shapely.get_coordinates(part)
        top = float((middle + east * corners[:, 0] + north * corners[:, 1]).max())
        planes.append((0.0 if level else tilt, np.nan if level else azimuth, rmse, top, outline))
    return planes


def _heights(source: rasterio.DatasetReader, bounds: np.ndarray, finest_m: float) -> tuple[np.ndarray, Affine] | None:
    """Return heights around ``bounds`` and where they lie; cells finer than ``finest_m`` are averaged."""
    factor = max(1, round(finest_m / source.transform.a))
    left, top = ~source.transform @ (bounds[0], bounds[3])
    right, bottom = ~source.transform @ (bounds[2], bounds[1])
    # whole blocks, counted from the raster's corner, with one more on each side for the slopes
    first = [max(0, int(np.floor(edge / factor)) - 1) * factor for edge in (left, top)]
    last = [
        min(length // factor, int(np.ceil(edge / factor)) + 1) * factor
        for edge, length in ((right, source.width), (bottom, source.height))
    ]
    width, height = last[0] - first[0], last[1] - first[1]
    if width <= 0 or height <= 0:
        return None
    window = Window(first[0], first[1], width, height)
    heights = source.read(
        1, window=window, out_shape=(height // factor, width // factor), resampling=Resampling.average
    )
    transform = source.transform @ Affine.translation(*first) @ Affine.scale(factor)
    return heights.astype(np.float64), transform
