"""Car parks as candidates: what canopies over them would hold and yield."""

from __future__ import annotations

from pathlib import Path

import exactextract
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.parameters import Parameters
from geodata.repair import polygon_parts
from twin.carbon.factors import avoided_tco2, latest_factor
from twin.money.systems import money_parameters, system_money
from twin.scenario.blocks import NEW
from twin.scenario.ndvi import unchanged_parcels
from twin.shortlist.candidates import COLUMNS, shortlist_parameters
from twin.solar.irradiance import plane_components, plane_of_array
from twin.solar.pv import PvSystem
from twin.solar.resource import Resource

PARKING_LAND = "차"
"""Land category of car parks."""
_KWP_W = 1000.0


def open_lots(
    parcels: gpd.GeoDataFrame | None,
    buildings: gpd.GeoDataFrame,
    blocks: gpd.GeoDataFrame | None,
    ground: gpd.GeoDataFrame | None,
) -> gpd.GeoDataFrame:
    """Return the car parks of a scenario without what is built on them: `site_id`, `name`, `dong_code`, geometry.

    Parameters
    ----------
    parcels
        Car parks of today are those of land category 차.
    buildings
        Footprints.
    blocks
        Of a plan: new blocks of the class `parking` are car parks. None in the present.
    ground
        What the plan changes; parcels that reach into it are no longer what their land category says.
    """
    parts = [gpd.GeoDataFrame({"site_id": [], "name": [], "dong_code": []}, geometry=[], crs=buildings.crs)]
    if parcels is not None:
        own = parcels[parcels["jimok"] == PARKING_LAND]
        if ground is not None:
            own = own[unchanged_parcels(own, ground)]
        parts.append(own.rename(columns={"pnu": "site_id", "jibun": "name"}))
    if blocks is not None:
        planned = blocks[(blocks["use_class"] == "parking") & (blocks["block_status"] == NEW)]
        parts.append(planned.assign(site_id=planned["block_id"], name=planned["block_id"]))
    columns = ["site_id", "name", "dong_code", "geometry"]
    lots = pd.concat([part[columns] for part in parts if len(part)] or [parts[0]], ignore_index=True)
    lots["name"] = (lots["name"].astype("str").fillna("") + " 주차장").str.strip()
    if len(lots) and len(buildings):
        shapes = buildings.geometry.to_numpy()
        near = np.unique(shapely.STRtree(shapes).query(lots.geometry.to_numpy(), predicate="intersects")[1])
        left = shapely.difference(lots.geometry.to_numpy(), shapely.union_all(shapes[near]))
        lots = lots.set_geometry(gpd.GeoSeries(polygon_parts(left), index=lots.index, crs=lots.crs))
    return lots[lots.area > 0].reset_index(drop=True)


def lot_candidates(
    lots: gpd.GeoDataFrame, resource: Resource, irradiation: Path | None, values: Parameters | None = None
) -> gpd.GeoDataFrame:
    """Return car parks as candidates for canopies, with the `COLUMNS` of a candidate.

    Parameters
    ----------
    lots
        `site_id`, `name`, `dong_code` and the open ground of each car park.
    resource
        Typical year.
    irradiation
        Raster of yearly irradiation of the ground [kWh/m2]; what it lacks of the free sky is the loss of the canopy, an upper bound,
        because a canopy stands above what shades the ground. None leaves the loss unknown and the yield unshaded.
    """
    values = shortlist_parameters() if values is None else values
    lots = lots[lots.area >= float(values["smallest_lot_m2"])].reset_index(drop=True)
    lots["area_m2"] = lots.area
    loss = np.full(len(lots), np.nan)
    if irradiation is not None and len(lots):
        told = exactextract.exact_extract(str(irradiation), lots[["geometry"]], ["mean"], output="pandas")
        loss = 100.0 * np.clip(1.0 - told["mean"].to_numpy("float64") / resource.ghi_kwh_m2, 0.0, 1.0)
    lots["site_kind"], lots["use"] = "parking", "주차장"
    lots["shading_loss_pct"] = loss
    lots["capacity_kwp"] = lots["area_m2"] * float(values["canopy_share"]) * float(values["canopy_density_kwp_m2"])
    free = free_specific_yield(resource, float(values["canopy_tilt_deg"]), float(values["canopy_azimuth_deg"]))
    lots["specific_yield_kwh_kwp"] = free * (1.0 - np.nan_to_num(loss) / 100.0)
    lots["yield_kwh"] = lots["capacity_kwp"] * lots["specific_yield_kwh_kwp"]
    lots["avoided_tco2"] = lots["yield_kwh"] * avoided_tco2(1.0, latest_factor())
    lots = lots.assign(self_consumed_kwh=0.0, energy_use="unknown")
    return lots.join(system_money(lots, canopy_prices(values)))[list(COLUMNS)]


def canopy_prices(values: Parameters) -> Parameters:
    """Return the prices of ``money.yaml`` with the investment of canopies."""
    money, factor = money_parameters(), float(values["canopy_cost_factor"])
    records = {name: money.record(name) for name in money}
    dearer = {size: factor * float(price) for size, price in money["capex"].items()}
    records["capex"] = records["capex"].model_copy(update={"value": dearer})
    return Parameters(records)


def free_specific_yield(resource: Resource, tilt_deg: float, azimuth_deg: float) -> float:
    """Return the yearly AC yield of unshaded modules on racks [kWh/kWp]."""
    system = PvSystem.from_parameters()
    components = plane_components(resource, np.array([tilt_deg]), np.array([azimuth_deg]))
    effective = plane_of_array(components, beam_modifier=system.beam_modifier(components.aoi))
    air, wind = (resource.lit[name].to_numpy()[:, None] for name in ("temp_air", "wind_speed"))
    cell = system.cell_temperature(plane_of_array(components), air, wind, np.array([True]))
    return float(system.ac_power(system.dc_power(effective, cell, _KWP_W), _KWP_W).sum()) / 1000.0
