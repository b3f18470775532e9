"""Steps that measure the green of one scenario."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geodata.catalogue import LAYERS
from geodata.study_area import with_parcels
from pipelines.assets.sources import AREA, load_area
from pipelines.steps import Step, Work, step
from twin.green.cover import cover_of, green_polygons
from twin.green.plots import plot_cover
from twin.green.raster_cover import observed_by
from twin.green.vegetation import Vegetation, blockers, has_level, vegetation_of
from twin.indicators import district_shapes

NO_SOURCE = ("토지피복도 식생지수(NDVI)도 없음", "neither land cover nor a vegetation index with a level")


def index_has_level(work: Work) -> bool:
    """Tell whether there is a vegetation index to which a threshold can be applied."""
    return work.has("sources/ndvi") and has_level(work.need("sources/ndvi").metadata["product"])


def seen_green(work: Work, land_cover: gpd.GeoDataFrame | None) -> Vegetation | None:
    """Return what the vegetation index adds to ``land_cover``, if there is an index with a level."""
    if not index_has_level(work):
        return None
    told = work.need("sources/ndvi").metadata
    area = with_parcels(load_area(work), work.frame_or_none("sources/parcels"))
    taken = blockers(land_cover, work.frame_or_none("scenario/footprints"))
    source = f"{told['product']} {told['day']}".strip()
    return vegetation_of(work.path("sources/ndvi", "ndvi.tif"), area, taken, source)


@step(
    "scenario/green",
    group="green",
    needs=("sources/land_cover", "sources/ndvi", "sources/parcels", "scenario/footprints", AREA),
    layer=LAYERS["green"],
)
def green(work: Work) -> None:
    """Published layer: green polygons without overlap, from land cover and, where that is silent, the vegetation index.

    공개 레이어: 녹지 피복.
    """
    land_cover = work.frame_or_none("sources/land_cover")
    seen = seen_green(work, land_cover)
    if land_cover is None and seen is None:
        work.absent(*NO_SOURCE)
        return
    layer = LAYERS["green"].finish(green_polygons(land_cover, seen))
    if seen is not None:
        work.metadata |= {"ndvi_threshold": seen.threshold, "ndvi_slivers_m2": round(seen.dropped_m2, 1)}
    work.metadata["area_by_source_m2"] = {
        kind: round(float(area), 1) for kind, area in layer.groupby("source_kind")["area_m2"].sum().sort_index().items()
    }
    work.write(layer)


@step(
    "scenario/cover",
    group="green",
    essential=("scenario/green",),
    needs=("sources/land_cover", "sources/ndvi", "sources/parcels", "scenario/footprints", AREA),
)
def cover(work: Work) -> None:
    """Land cover classes and green cover of every parcel, dong and the district, and of the plot of every building.

    필지·법정동·건물 대지별 토지피복과 녹피율.
    """
    land_cover, green_layer = work.frame_or_none("sources/land_cover"), work.frame("scenario/green")

    def measure(features: gpd.GeoDataFrame, key: str, file: str) -> pd.DataFrame:
        observed = None
        if index_has_level(work):
            observed = observed_by(features, key, work.path("sources/ndvi", "ndvi.tif"))
        table = cover_of(features, key, land_cover, green_layer, observed)
        work.write(table, file)
        return table

    parcels = work.frame_or_none("sources/parcels")
    by_parcel = None if parcels is None else measure(parcels, "pnu", "parcels.parquet")
    measure(district_shapes(load_area(work)), "dong_code", "districts.parquet")
    buildings = work.frame_or_none("scenario/footprints")
    if buildings is not None and parcels is not None:
        work.write(plot_cover(buildings, parcels, by_parcel), "plots.parquet")


@step("scenario/parks", group="green", essential=("sources/parks",), layer=LAYERS["parks"])
def parks(work: Work) -> None:
    """Published layer: parks and green spaces designated by urban planning.

    공개 레이어: 공원·녹지.
    """
    work.write(LAYERS["parks"].finish(work.frame("sources/parks")))


STEPS: tuple[Step, ...] = (green, cover, parks)
