"""Steps that measure the green of one scenario."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.catalogue import LAYERS
from geodata.site import PRESENT
from geodata.study_area import with_parcels
from pipelines.assets.solar import surface_with_trees
from pipelines.assets.sources import AREA, load_area
from pipelines.steps import Step, step
from pipelines.work import Work
from twin.green.access.park_access import park_access as access_of
from twin.green.access.residents import homes_of, residents_of
from twin.green.access.summary import building_columns, unserved
from twin.green.access.walk_sources import PlannedGround, walk_network
from twin.green.cover import cover_of, green_polygons
from twin.green.heat import heat_of, summer_sun_h
from twin.green.plots import plot_cover
from twin.green.raster_cover import observed_by
from twin.green.three_thirty import neighbourhood_canopy
from twin.green.trees_in_sight import trees_in_sight
from twin.green.vegetation import Vegetation, blockers, has_level, vegetation_of
from twin.indicators import district_shapes
from twin.scenario.ground import cover_change, outside_ground, planned_cover
from twin.scenario.parks import planned_parks
from twin.sky.sun_table import daylight_path

SHADE_FILE = "shade_hours_summer.tif"
NO_SOURCE = ("토지피복도 식생지수(NDVI)도 없음", "neither land cover nor a vegetation index with a level")


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


def index_has_level(work: Work) -> bool:
    """Tell whether there is a vegetation index to which a threshold can be applied."""
    return work.has("sources/ndvi") and has_level(work.need("sources/ndvi").metadata["product"])


def seen_green(work: Work, cover: gpd.GeoDataFrame | None) -> Vegetation | None:
    """Return what the vegetation index adds to land ``cover``, if there is an index with a level; not where a plan changes the ground."""
    if not index_has_level(work):
        return None
    told = work.need("sources/ndvi").metadata
    area = with_parcels(load_area(work), work.frame_or_none("sources/parcels"))
    taken = blockers(cover, work.frame_or_none("scenario/footprints"))
    if work.has("scenario/blocks"):
        # an image shows the town as it is
        taken = np.concatenate([taken, work.frame("scenario/blocks", "ground.parquet").geometry.to_numpy()])
    source = f"{told['product']} {told['day']}".strip()
    return vegetation_of(work.path("sources/ndvi", "ndvi.tif"), area, taken, source)


@step(
    "scenario/green",
    group="green",
    needs=("scenario/land_cover", "scenario/blocks", "sources/ndvi", "sources/parcels", "scenario/footprints", AREA),
    layer=LAYERS["green"],
)
def green(work: Work) -> None:
    """Published layer: green polygons without overlap, from land cover and, where that is silent, the vegetation index.

    공개 레이어: 녹지 피복.
    """
    cover = work.frame_or_none("scenario/land_cover")
    seen = seen_green(work, cover)
    if cover is None and seen is None:
        work.absent(*NO_SOURCE)
        return
    layer = LAYERS["green"].finish(green_polygons(cover, seen))
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
    needs=("scenario/land_cover", "scenario/blocks", "sources/ndvi", "sources/parcels", "scenario/footprints", AREA),
)
def cover(work: Work) -> None:
    """Land cover classes and green cover of every parcel, plan block, dong and the district, and of the plot of every building.

    필지·계획 블록·법정동·건물 대지별 토지피복과 녹피율.
    """
    mapped, green_layer = work.frame_or_none("scenario/land_cover"), work.frame("scenario/green")

    def measure(features: gpd.GeoDataFrame, key: str, file: str) -> pd.DataFrame:
        observed = None
        if index_has_level(work):
            observed = observed_by(features, key, work.path("sources/ndvi", "ndvi.tif"))
        table = cover_of(features, key, mapped, green_layer, observed)
        work.write(table, file)
        return table

    parcels, blocks = work.frame_or_none("sources/parcels"), work.frame_or_none("scenario/blocks")
    by_parcel = None if parcels is None else measure(parcels, "pnu", "parcels.parquet")
    by_block = None if blocks is None else measure(blocks, "block_id", "blocks.parquet")
    measure(district_shapes(load_area(work)), "dong_code", "districts.parquet")
    buildings = work.frame_or_none("scenario/footprints")
    if buildings is not None and (parcels is not None or blocks is not None):
        work.write(plot_cover(buildings, parcels, by_parcel, blocks, by_block), "plots.parquet")


def parks_of(work: Work) -> gpd.GeoDataFrame | None:
    """Return the parks and green spaces of the scenario, or None where there are none."""
    designated = work.frame_or_none("sources/parks")
    if work.has("scenario/blocks"):
        designated = planned_parks(designated, work.frame("scenario/blocks"))
    return designated if designated is not None and len(designated) else None


@step("scenario/heat", group="green", essential=("scenario/land_cover",), kinds={"geopandas", "rasterio"}, parameters=lambda site: site.timezone,
      needs=("scenario/sky_rasters", "scenario/blocks", "sources/parks", "sources/parcels", "sources/footways", AREA))  # fmt: skip
def heat(work: Work) -> None:
    """Sealed ground, summer shade of open ground, of pavements and of footways, and an exposure index, of parcels, blocks, parks and districts.

    필지·계획 블록·공원·법정동별 불투수율, 여름 그늘 시간, 햇볕·포장 노출 지수.
    """
    area, mapped = load_area(work), work.frame("scenario/land_cover")
    shade = work.path("scenario/sky_rasters", SHADE_FILE) if work.has("scenario/sky_rasters") else None
    if shade is None or not shade.exists():
        shade = None
        work.metadata["without_shade"] = "no surface, so nothing casts shade"
    centre = gpd.GeoSeries([area.area.representative_point()], crs=area.crs).to_crs("EPSG:4326").iloc[0]
    sun_h = summer_sun_h(daylight_path(centre.y, centre.x, 0.0, work.site.timezone))
    work.metadata["summer_sun_h"] = round(sun_h, 2)
    footways = work.frame_or_none("sources/footways")
    if footways is not None and work.has("scenario/blocks"):
        footways = outside_ground(footways, work.frame("scenario/blocks", "ground.parquet"))
    for frame, key, file in (
        (work.frame_or_none("sources/parcels"), "pnu", "parcels.parquet"),
        (work.frame_or_none("scenario/blocks"), "block_id", "blocks.parquet"),
        (parks_of(work), "park_id", "parks.parquet"),
        (district_shapes(area), "dong_code", "districts.parquet"),
    ):
        if frame is not None:
            work.write(heat_of(frame, key, mapped, shade, sun_h, footways=footways), file)


NO_PARKS = ("공원·녹지 자료가 없음", "no parks, neither designated nor planned")


@step("scenario/parks", group="green", layer=LAYERS["parks"],
      needs=("sources/parks", "scenario/blocks", "scenario/heat", "scenario/park_access"))  # fmt: skip
def parks(work: Work) -> None:
    """Published layer: parks and green spaces designated by urban planning, in a plan with its park and green blocks.

    공개 레이어: 공원·녹지. 계획은 공원·녹지 블록을 더한다.
    """
    frame = parks_of(work)
    if frame is None:
        work.absent(*NO_PARKS)
        return
    frame = work.joined(frame, "park_id", "scenario/park_access", "parks.parquet")
    work.write(LAYERS["parks"].finish(work.joined(frame, "park_id", "scenario/heat", "parks.parquet")))


@step("scenario/park_access", group="green", kinds={"geopandas", "scipy"}, essential=("scenario/footprints",),
      needs=("sources/parks", "sources/park_entrances", "sources/roads", "sources/parcels", "sources/land_cover", "scenario/blocks"))  # fmt: skip
def park_access(work: Work) -> None:
    """Residents of each building and their way on foot to the nearest park, along the walking network.

    건물별 추정 주민 수와 공원까지 걷는 거리.
    """
    designated = parks_of(work)
    if designated is None:
        work.absent(*NO_PARKS)
        return
    plan = None
    if work.has("scenario/blocks"):
        plan = PlannedGround.of(work.frame("scenario/blocks", "ground.parquet"), work.frame("scenario/blocks"))
    made = walk_network(
        work.frame_or_none("sources/roads"),
        work.frame_or_none("sources/parcels"),
        work.frame_or_none("sources/land_cover"),
        plan,
    )
    if made is None:
        work.absent("도로중심선도 도로 필지도 없음", "neither road centrelines nor road parcels")
        return
    network, source = made
    buildings = work.frame("scenario/footprints")
    people = residents_of(buildings)
    if not len(people):
        work.absent("주거용 건물이 없음", "no residential building is known")
        return
    homes = buildings[buildings["building_id"].isin(people.index)].reset_index(drop=True)
    found = access_of(
        homes,
        designated,
        network,
        work.frame_or_none("sources/park_entrances"),
        planned=work.scenario != PRESENT,
    )
    work.write(building_columns(people, found.buildings, source), "buildings.parquet")
    work.write(found.parks, "parks.parquet")
    work.write(found.quality, "quality.parquet")
    work.metadata |= {
        "network_source": source,
        "network_km": round(float(network.length_m.sum()) / 1000, 1),
        "network_parts": int(network.component.max()) + 1 if len(network.nodes) else 0,
        "residents": round(float(people["residents"].sum())),
        **{f"surveyed_entrances_{end}": number for end, number in found.surveyed.items()},
    }


@step("scenario/three_thirty", group="green", kinds={"geopandas", "numba"}, essential=("scenario/footprints", "scenario/land_cover"),
      needs=("scenario/surface", "scenario/canopy", "sources/terrain"))  # fmt: skip
def three_thirty(work: Work) -> None:
    """Trees in sight of each residential building and the canopy of its neighbourhood.

    주거 건물별 보이는 나무 수와 동네 수관 비율.
    """
    buildings = work.frame("scenario/footprints")
    homes = homes_of(buildings).reset_index(drop=True)
    if not len(homes):
        work.absent("주거용 건물이 없음", "no residential building is known")
        return
    table = pd.DataFrame(index=pd.Index(homes["building_id"], name="building_id"))
    if not work.has("scenario/surface") or "altitude" not in homes.columns:
        work.metadata["without_trees_in_sight"] = "no terrain, so no window has a height"
    elif work.need("scenario/surface").metadata.get("cells_measured"):
        work.metadata["without_trees_in_sight"] = "the surface model does not tell crowns from what they hide"
    else:
        bare, _ = surface_with_trees(work)
        table["trees_in_sight"] = trees_in_sight(homes, bare, bare.canopy)
    table["neighbourhood_canopy_pct"] = neighbourhood_canopy(homes, work.frame("scenario/land_cover"))
    work.write(table)


@step(
    "scenario/unserved_buildings",
    group="green",
    essential=("scenario/park_access", "scenario/buildings"),
    layer=LAYERS["unserved_buildings"],
)
def unserved_buildings(work: Work) -> None:
    """Published layer: homes without a park within 300 m on foot.

    공개 레이어: 걸어서 300 m 안에 공원이 없는 주거 건물.
    """
    homes = unserved(work.frame("scenario/buildings"))
    if not len(homes):
        work.absent("모든 주거 건물이 300 m 안에 있음", "every home has a park within 300 m")
        return
    work.write(LAYERS["unserved_buildings"].finish(homes))


STEPS: tuple[Step, ...] = (land_cover, green, cover, heat, parks, park_access, three_thirty, unserved_buildings)
