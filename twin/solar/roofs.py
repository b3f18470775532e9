"""Roofs as planes: where modules fit, how they stand, and how much capacity that makes.

A roof is flat unless planes are given. Flat roofs carry rows of modules on racks; tilted planes carry modules flush
with the roof, in lines along its eaves. Modules are packed whole. Rules and module are in ``roofs.yaml``.
"""

from __future__ import annotations

from functools import lru_cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.errors import InputError
from geodata.parameters import Parameters, load_parameters
from twin.solar.packing import Grid, facing_down, pack
from twin.solar.rows import Rows

_FROM_BUILDING = ("building_id", "pnu", "dong_code")
_GIVEN = ("building_id", "tilt_deg", "azimuth_deg")
_TOLD = ("plane_source", "fit_rmse_m")
"""What given planes may say of where they come from."""


@lru_cache(maxsize=1)
def roof_parameters() -> Parameters:
    """Return the values of ``roofs.yaml``."""
    return load_parameters("twin.solar", "roofs.yaml")


def roof_planes(
    buildings: gpd.GeoDataFrame, given: gpd.GeoDataFrame | None = None, parameters: Parameters | None = None
) -> gpd.GeoDataFrame:
    """Return one row per roof plane, sorted by ``roof_id``.

    Parameters
    ----------
    buildings : with ``building_id``, ``pnu``, ``dong_code`` and footprints
    given : known planes with ``building_id``, ``tilt_deg``, ``azimuth_deg``, footprints and, if they have names of
        their own, ``roof_id``; they may carry ``plane_source`` and ``fit_rmse_m`` [m]. A building without planes here
        gets a flat roof over its footprint
    parameters : in place of ``roofs.yaml``

    Returns
    -------
    GeoDataFrame with the columns of the layer ``roofs`` up to ``capacity_kwp``. ``area_m2`` is measured along the
    slope; ``usable_area_m2`` also: the area inside the edge, at most the largest share, and 0 where it is too small to
    be built on. ``module_count`` modules and the space between their rows never take more than the largest share.
    ``behind_row_share`` tells which share of the modules stands behind another row.

    Raises
    ------
    InputError
        If a given plane belongs to no building, or its tilt or azimuth is unusable.
    """
    values = roof_parameters() if parameters is None else parameters
    own = gpd.GeoDataFrame(
        {name: buildings[name].astype("str").to_numpy() for name in _FROM_BUILDING},
        geometry=buildings.geometry.to_numpy(),
        crs=buildings.crs,
    )
    flat = own if given is None else own[~own["building_id"].isin(given["building_id"])]
    planes = flat.assign(
        roof_id=flat["building_id"] + "-1", tilt_deg=0.0, azimuth_deg=np.nan, plane_source="assumed", fit_rmse_m=np.nan
    )
    if given is not None and len(given):
        tilted = _given_planes(given, own, values)
        planes = gpd.GeoDataFrame(pd.concat([planes, tilted], ignore_index=True), crs=buildings.crs)
    planes = planes.sort_values("roof_id", ignore_index=True)
    if planes["roof_id"].duplicated().any():
        twice = planes.loc[planes["roof_id"].duplicated(), "roof_id"].iloc[0]
        raise InputError(f"roof_id {twice!r} occurs more than once; every roof plane needs an id of its own")
    _equip(planes, values)
    order = [
        "roof_id", *_FROM_BUILDING, "tilt_deg", "azimuth_deg", "module_tilt_deg", "module_azimuth_deg",
        "plane_source", "fit_rmse_m", "area_m2", "usable_area_m2", "module_count", "behind_row_share", "capacity_kwp", "geometry",
    ]  # fmt: skip
    return planes[order]


def on_racks(roofs: pd.DataFrame) -> np.ndarray:
    """Return True for each roof whose modules do not lie in its plane."""
    tilted = (roofs["module_tilt_deg"] - roofs["tilt_deg"]).abs() > 1e-6
    turned = (roofs["module_azimuth_deg"] - roofs["azimuth_deg"]).abs() > 1e-6
    return (tilted | turned).to_numpy()


def rack_rows(parameters: Parameters | None = None) -> Rows:
    """Return the rows of modules on racks that ``parameters`` (``roofs.yaml`` if None) ask for."""
    values = roof_parameters() if parameters is None else parameters
    tilt = min(float(values["module_tilt_deg"]), float(values["tilt_limit_deg"]))
    return Rows.spaced(tilt, _sides(values, "rack_orientation")[1], float(values["row_sun_elevation_deg"]))


def module_area_m2(parameters: Parameters | None = None) -> float:
    """Return the area of one module [m2]."""
    values = roof_parameters() if parameters is None else parameters
    return float(values["module_long_m"]) * float(values["module_short_m"])


def _sides(values: Parameters, orientation: str) -> tuple[float, float]:
    """Return the extent of a module along its row and up its slope [m]."""
    long, short = float(values["module_long_m"]), float(values["module_short_m"])
    return (long, short) if values[orientation] == "landscape" else (short, long)


def _given_planes(given: gpd.GeoDataFrame, own: gpd.GeoDataFrame, values: Parameters) -> gpd.GeoDataFrame:
    missing = [name for name in _GIVEN if name not in given.columns]
    if missing:
        raise InputError(f"roof planes lack the columns {', '.join(missing)}; map them in the site file")
    stray = sorted(set(given["building_id"]) - set(own["building_id"]))
    if stray:
        raise InputError(
            f"{len(stray):,} roof planes belong to buildings that are not there (first: {stray[0]}). "
            "Give planes of the buildings in the study area only, with the same building_id"
        )
    tilt, azimuth = given["tilt_deg"].astype("float64"), given["azimuth_deg"].astype("float64")
    steepest = float(values["steepest_deg"])
    bad = ~tilt.between(0.0, steepest) | ~(
        azimuth.between(0.0, 360.0) | (azimuth.isna() & (tilt < float(values["flat_below_deg"])))
    )
    if bad.any():
        row = given.loc[bad].iloc[0]
        raise InputError(
            f"{int(bad.sum()):,} roof planes have an unusable orientation (first: building {row['building_id']}, tilt "
            f"{row['tilt_deg']}, azimuth {row['azimuth_deg']}). Tilt is 0 to {steepest:g}, azimuth 0 to 360 clockwise from north"
        )
    planes = gpd.GeoDataFrame(
        {
            "building_id": given["building_id"].to_numpy(),
            "tilt_deg": tilt.to_numpy(),
            "azimuth_deg": azimuth.to_numpy(),
            "plane_source": given["plane_source"].to_numpy() if "plane_source" in given.columns else "city_model",
            "fit_rmse_m": given["fit_rmse_m"].to_numpy(dtype=np.float64) if "fit_rmse_m" in given.columns else np.nan,
        },
        geometry=given.geometry.to_numpy(),
        crs=given.crs,
    ).to_crs(own.crs)
    if "roof_id" in given.columns:
        planes["roof_id"] = given["roof_id"].astype("str").to_numpy()
    else:
        # numbered by what the planes are, not by the order in which the file lists them
        centre = planes.geometry.centroid
        planes = planes.assign(x=centre.x.round(2), y=centre.y.round(2)).sort_values(
            ["building_id", "tilt_deg", "azimuth_deg", "x", "y"], ignore_index=True
        )
        number = planes.groupby("building_id").cumcount() + 1
        planes["roof_id"] = planes["building_id"] + "-" + number.astype("str")
    planes.loc[planes["tilt_deg"] == 0, "azimuth_deg"] = np.nan
    return planes.merge(own[list(_FROM_BUILDING)], on="building_id", how="left", validate="m:1")


def _equip(planes: gpd.GeoDataFrame, values: Parameters) -> None:
    """Add module orientation, areas [m2], modules and capacity [kWp] to ``planes``."""
    tilt = planes["tilt_deg"].to_numpy()
    racks = tilt < float(values["flat_below_deg"])
    rows = rack_rows(values)
    planes["module_tilt_deg"] = np.where(racks, rows.tilt_deg, tilt)
    planes["module_azimuth_deg"] = np.where(
        racks, float(values["module_azimuth_deg"]), planes["azimuth_deg"].to_numpy()
    )
    gap = float(values["module_gap_m"])
    width, length = _sides(values, "flush_orientation")
    grids = (
        (racks, Grid(_sides(values, "rack_orientation")[0], rows.depth_m, gap, rows.pitch_m)),
        (~racks, Grid(width, length, gap, length + gap)),
    )
    along_slope = 1.0 / np.cos(np.radians(tilt))
    usable = np.zeros(len(planes))
    modules, behind = np.zeros(len(planes), dtype=np.int64), np.zeros(len(planes), dtype=np.int64)
    for chosen, grid in grids:
        # racks stand upright on a nearly flat roof: they are laid out as seen from above, flush modules along the slope
        slope = np.where(racks, 0.0, tilt)[chosen]
        shapes = facing_down(planes.geometry.to_numpy()[chosen], planes["module_azimuth_deg"].to_numpy()[chosen], slope)
        # mitred corners: the inner edge stays parallel to the outer one
        inner = shapely.buffer(shapes, -float(values["edge_distance_m"]), join_style="mitre")
        limit = float(values["largest_share"]) * shapely.area(shapes)
        room = np.minimum(shapely.area(inner), limit) * np.where(racks, along_slope, 1.0)[chosen]
        room[room < float(values["smallest_usable_m2"])] = 0.0
        inner[room == 0] = shapely.Polygon()
        packed = pack(inner, grid, limit)
        usable[chosen], modules[chosen], behind[chosen] = room, packed.count, packed.behind
    planes["area_m2"] = shapely.area(planes.geometry.to_numpy()) * along_slope
    planes["usable_area_m2"] = usable
    planes["module_count"] = modules
    share = np.divide(behind, modules, out=np.zeros(len(planes)), where=modules > 0)
    planes["behind_row_share"] = np.where(racks, share, 0.0)
    planes["capacity_kwp"] = modules * float(values["module_power_w"]) / 1000.0
