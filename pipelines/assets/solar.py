"""Steps that put the sun on the roofs of one scenario."""

from __future__ import annotations

from geodata.catalogue import LAYERS
from pipelines.steps import Step, Work, step
from twin.solar.resource_file import load_resource
from twin.solar.roofs import roof_planes as planes_of
from twin.solar.yields import roof_yields as yields_of


@step("scenario/roof_planes", group="solar", needs=("scenario/footprints", "sources/roof_planes"))
def roof_planes(work: Work) -> None:
    """Roof planes with usable area and PV capacity; flat unless a plane is given.

    지붕면: 설치 가능 면적과 설비용량.
    """
    if not work.has("scenario/footprints"):
        work.absent("건물 자료가 없음", "no buildings")
        return
    buildings = work.frame("scenario/footprints")
    given = work.frame_or_none("sources/roof_planes")
    if given is not None:
        known = given["building_id"].isin(buildings["building_id"])
        work.metadata |= {"planes_given": int(known.sum()), "planes_of_other_buildings": int((~known).sum())}
        given = given[known]
    work.write(planes_of(buildings, given))


@step("scenario/roof_yields", group="solar", needs=("scenario/roof_planes", "sources/resource"), kinds={"pvlib"},
      parameters=lambda site: site.timezone)  # fmt: skip
def roof_yields(work: Work) -> None:
    """Hourly irradiation and AC yield of every roof plane, and the tables made from them.

    지붕면별 시간별 일사량과 발전량.
    """
    for need, ko, en in (
        ("scenario/roof_planes", "건물 자료가 없음", "no buildings"),
        ("sources/resource", "기상 자료가 없음", "no weather"),
    ):
        if not work.has(need):
            work.absent(ko, en)
            return
    resource = load_resource(work.need("sources/resource").data)
    report = yields_of(work.frame("scenario/roof_planes"), resource, work.out, timezone=work.site.timezone)
    work.metadata |= report.as_dict()


@step("scenario/roofs", group="solar", needs=("scenario/roof_planes", "scenario/roof_yields"), layer=LAYERS["roofs"])
def roofs(work: Work) -> None:
    """Published layer: roof planes with yearly and monthly yield.

    공개 레이어: 지붕면.
    """
    if not work.has("scenario/roof_planes"):
        work.absent("건물 자료가 없음", "no buildings")
        return
    frame = work.frame("scenario/roof_planes")
    yields = work.frame_or_none("scenario/roof_yields", "roofs.parquet")
    if yields is not None:
        added = yields.set_index("roof_id").drop(columns="capacity_kwp", errors="ignore")
        frame = frame.join(added, on="roof_id")
    work.write(LAYERS["roofs"].finish(frame))


STEPS: tuple[Step, ...] = (roof_planes, roof_yields, roofs)
