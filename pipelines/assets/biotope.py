"""Steps of the biotope area ratio of one scenario, and of the roof that modules and plants share."""

from __future__ import annotations

from geodata.site import PRESENT
from pipelines.assets.sources import AREA, load_area
from pipelines.steps import Step, Work, step
from twin.green.biotope.budget import building_budget, curves, roof_budget
from twin.green.biotope.ratio import parcel_targets, present_ratios, surfaces_of
from twin.indicators import district_shapes

TRADE_OFF = "biotope_tradeoff.parquet"


@step(
    "scenario/biotope",
    group="green",
    essential=("scenario/land_cover",),
    needs=("scenario/green", "scenario/footprints", "sources/parcels", "sources/parcel_land", AREA),
)
def biotope(work: Work) -> None:
    """Present biotope area ratio of every parcel, dong and the district by three rule sets, with targets beside it.

    필지·법정동별 현재 생태면적률과 목표.
    """
    if work.scenario != PRESENT:
        work.absent("계획 시나리오의 생태면적률은 아직 계산하지 않음", "the ratio of planned ground is not computed")
        return
    ground = surfaces_of(
        work.frame("scenario/land_cover"),
        work.frame_or_none("scenario/green"),
        work.frame_or_none("scenario/footprints"),
    )
    parcels = work.frame_or_none("sources/parcels")
    if parcels is not None:
        table, _ = present_ratios(parcels, "pnu", ground)
        land = work.frame_or_none("sources/parcel_land")
        work.write(parcel_targets(table, parcels, land), "parcels.parquet")
    table, areas = present_ratios(district_shapes(load_area(work)), "dong_code", ground)
    work.write(table, "districts.parquet")
    work.write(areas, "district_surfaces.parquet")


@step(
    "scenario/roof_budget",
    group="green",
    essential=("scenario/roofs",),
    needs=("scenario/footprints", "scenario/biotope", AREA),
)
def shared_roof(work: Work) -> None:
    """Roof of each building and dong that modules take and that is left for plants, and the curve between the two.

    건물·법정동별 태양광과 옥상녹화의 지붕 면적, 절충 곡선.
    """
    roofs = work.frame("scenario/roofs")
    budget = roof_budget(roofs, work.frame("scenario/footprints"))
    work.write(building_budget(roofs, budget), "buildings.parquet")
    rows = district_shapes(load_area(work))
    surfaces = work.frame_or_none("scenario/biotope", "district_surfaces.parquet")
    sums, curve = curves(roofs, budget, rows, surfaces)
    work.write(sums, "districts.parquet")
    if curve is not None:
        work.write(curve, TRADE_OFF)


STEPS: tuple[Step, ...] = (biotope, shared_roof)
