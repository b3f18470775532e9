"""Steps that measure the green of one scenario."""

from __future__ import annotations

from geodata.catalogue import LAYERS
from pipelines.assets.sources import AREA, load_area
from pipelines.steps import Step, Work, step
from twin.green.cover import cover_of, green_polygons
from twin.indicators import district_shapes
from twin.scenario.ground import cover_change, planned_cover
from twin.scenario.parks import planned_parks


@step("scenario/land_cover", group="green", essential=("sources/land_cover",), needs=("scenario/blocks",))
def land_cover(work: Work) -> None:
    """Land cover of the scenario: that of the present, and in a plan the ground of its new blocks in place of what it clears.

    시나리오의 토지피복: 계획은 신설 블록의 땅을 새 피복으로 바꾼다.
    """
    present = work.frame("sources/land_cover")
    if not work.has("scenario/blocks"):
        work.write(present)
        return
    frame = planned_cover(present, work.frame("scenario/blocks", "ground.parquet"))
    work.write(frame)
    work.metadata |= cover_change(present, frame)


@step("scenario/green", group="green", essential=("scenario/land_cover",), layer=LAYERS["green"])
def green(work: Work) -> None:
    """Published layer: green polygons without overlap.

    공개 레이어: 녹지 피복.
    """
    work.write(LAYERS["green"].finish(green_polygons(work.frame("scenario/land_cover"))))


@step(
    "scenario/cover",
    group="green",
    essential=("scenario/land_cover",),
    needs=("sources/parcels", "scenario/blocks", "scenario/green", AREA),
)
def cover(work: Work) -> None:
    """Land cover classes and green cover of every parcel, plan block, dong and the district.

    필지·계획 블록·법정동별 토지피복과 녹피율.
    """
    land_cover, green_layer = work.frame("scenario/land_cover"), work.frame("scenario/green")
    parcels = work.frame_or_none("sources/parcels")
    if parcels is not None:
        work.write(cover_of(parcels, "pnu", land_cover, green_layer), "parcels.parquet")
    blocks = work.frame_or_none("scenario/blocks")
    if blocks is not None:
        work.write(cover_of(blocks, "block_id", land_cover, green_layer), "blocks.parquet")
    area = load_area(work)
    work.write(cover_of(district_shapes(area), "dong_code", land_cover, green_layer), "districts.parquet")


@step("scenario/parks", group="green", needs=("sources/parks", "scenario/blocks"), layer=LAYERS["parks"])
def parks(work: Work) -> None:
    """Published layer: parks and green spaces designated by urban planning, in a plan with its park and green blocks.

    공개 레이어: 공원·녹지. 계획은 공원·녹지 블록을 더한다.
    """
    designated = work.frame_or_none("sources/parks")
    if work.has("scenario/blocks"):
        designated = planned_parks(designated, work.frame("scenario/blocks"))
    if designated is None or not len(designated):
        work.absent("공원·녹지 자료가 없음", "no parks, neither designated nor planned")
        return
    work.write(LAYERS["parks"].finish(designated))


STEPS: tuple[Step, ...] = (land_cover, green, cover, parks)
