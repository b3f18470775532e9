"""Steps that set the town's sun against its demand, its climate targets and its money."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from geodata.catalogue import LAYERS
from geodata.site import Site
from pipelines.assets.sources import AREA, load_area
from pipelines.steps import Step, step
from pipelines.work import Work
from twin.carbon.path import carbon_path as path_of
from twin.energy.arithmetic import whole_rows
from twin.energy.balance import hourly_balance
from twin.energy.demand import building_demand
from twin.energy.pools import BLOCKS, DONGS, pools_of
from twin.energy.shapes import load_shapes
from twin.energy.tables import demand_profiles, hourly_table
from twin.indicators import district_shapes
from twin.solar.resource_file import load_resource
from twin.solar.yields import read_hours


def _climate_parameters(site: Site) -> Any:
    return site.climate.model_dump(mode="json") if site.climate else None


KEYS = {DONGS: "dong_code", BLOCKS: "block_id"}
HOURLY = {DONGS: "hourly_energy_by_dong.parquet", BLOCKS: "hourly_energy_by_block.parquet"}


@step("scenario/energy", group="energy", essential=("scenario/footprints", "scenario/roof_yields"), kinds={"pandas"},
      needs=("scenario/roof_planes", "sources/resource", AREA), parameters=lambda site: site.timezone)  # fmt: skip
def energy(work: Work) -> None:
    """Hourly electricity demand of every building, matched hour by hour with its own roof and within dongs and blocks.

    건물별 시간별 전력 수요와 지붕 태양광의 시간별 상쇄.
    """
    buildings = work.frame("scenario/footprints")
    resource = load_resource(work.need("sources/resource").data)
    hours = pd.DatetimeIndex(resource.hourly.index)
    demand, shapes = building_demand(buildings), load_shapes(hours, work.site.timezone)
    balance = hourly_balance(
        demand,
        work.frame("scenario/roof_planes"),
        partial(read_hours, work.need("scenario/roof_yields").data),
        shapes=shapes,
        daylight=resource.daylight,
        pools=pools_of(buildings, district_shapes(load_area(work))),
    )
    work.write(demand.merge(balance.buildings, on="building_id", validate="one_to_one"), "buildings.parquet")
    for kind, pooled in balance.pools.items():
        work.write(pooled.yearly().rename_axis(KEYS[kind]), f"{kind}.parquet")
        work.write(hourly_table(pooled, hours, work.site.timezone, KEYS[kind]), HOURLY[kind])
    work.write(demand_profiles(demand, shapes, hours, work.site.timezone), "demand_profile_by_building.parquet")
    work.metadata["demand_kwh"] = round(float(demand["demand_kwh"].sum()))


@step("scenario/carbon_path", group="energy", essential=("scenario/roof_yields",), kinds={"pandas"}, needs=("scenario/districts",),
      layer=LAYERS["carbon_path"], parameters=_climate_parameters)  # fmt: skip
def carbon_path(work: Work) -> None:
    """Published table: what rooftop PV avoids as it is built year by year, beside the climate targets of the site.

    공개 표: 지붕 태양광 보급에 따른 온실가스 감축과 목표 경로.
    """
    climate = work.site.climate
    if climate is None:
        work.absent("사이트 파일에 기후 목표(climate)가 없음", "the site file states no climate targets (key climate)")
        return
    whole = whole_rows(work.frame("scenario/districts"))
    path = path_of(float(whole["capacity_kwp"].sum()), float(whole["yield_kwh"].sum()), climate)
    work.metadata["unshaded"] = work.need("scenario/districts").metadata["unshaded"]
    work.write(LAYERS["carbon_path"].finish(path))


STEPS: tuple[Step, ...] = (energy, carbon_path)
