"""Steps that measure the green of one scenario."""

from __future__ import annotations

from geodata.catalogue import LAYERS
from pipelines.assets.sources import AREA, load_area
from pipelines.steps import Step, Work, step
from twin.green.cover import cover_of, green_polygons
from twin.indicators import district_shapes


@step("scenario/green", group="green", essential=("sources/land_cover",), layer=LAYERS["green"])
def green(work: Work) -> None:
    """Published layer: green polygons without overlap.

    공개 레이어: 녹지 피복.
    """
    work.write(LAYERS["green"].finish(green_polygons(work.frame("sources/land_cover"))))


@step(
    "scenario/cover",
    group="green",
    essential=("sources/land_cover",),
    needs=("sources/parcels", "scenario/green", AREA),
)
def cover(work: Work) -> None:
    """Land cover classes and green cover of every parcel, dong and the district.

    필지·법정동별 토지피복과 녹피율.
    """
    land_cover, green_layer = work.frame("sources/land_cover"), work.frame("scenario/green")
    parcels = work.frame_or_none("sources/parcels")
    if parcels is not None:
        work.write(cover_of(parcels, "pnu", land_cover, green_layer), "parcels.parquet")
    area = load_area(work)
    work.write(cover_of(district_shapes(area), "dong_code", land_cover, green_layer), "districts.parquet")


@step("scenario/parks", group="green", essential=("sources/parks",), layer=LAYERS["parks"])
def parks(work: Work) -> None:
    """Published layer: parks and green spaces designated by urban planning.

    공개 레이어: 공원·녹지.
    """
    work.write(LAYERS["parks"].finish(work.frame("sources/parks")))


STEPS: tuple[Step, ...] = (green, cover, parks)
