"""Steps that turn the inbox into clean layers; the same for every scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geodata.accounting import QualityLog
from geodata.clean.building_register import clean_building_register
from geodata.clean.buildings import clean_buildings
from geodata.clean.bus_stops import clean_bus_stops
from geodata.clean.district import district_boundary
from geodata.clean.footways import clean_footways
from geodata.clean.land_cover import clean_land_cover
from geodata.clean.land_tables import clean_land_characteristics, clean_land_use_regulation
from geodata.clean.parcels import clean_parcels
from geodata.clean.park_entrances import clean_park_entrances, entrance_area
from geodata.clean.parks import clean_parks
from geodata.clean.plan_blocks import clean_plan_blocks
from geodata.clean.roads import clean_roads
from geodata.clean.roof_planes import clean_roof_planes
from geodata.clean.zoning import clean_zones, parcel_land
from geodata.inventory import RawLayer
from geodata.products.ndvi import build_ndvi
from geodata.products.terrain import build_terrain
from geodata.products.weather import read_weather
from geodata.site import Role, Site
from geodata.study_area import StudyArea, build_study_area, with_parcels
from geodata.table_file import read_table
from geodata.vector_file import read_dataset
from pipelines.about import release_about
from pipelines.steps import Step, step
from pipelines.store import sha256_file
from pipelines.work import Work
from twin.green.access.walk_network import access_parameters
from twin.publish.maps import draw_terrain
from twin.publish.run_info import NO_VINTAGE
from twin.solar.resource import prepare_resource
from twin.solar.resource_file import save_resource

AREA = "sources/study_area"
HILLS = "hills.tif"
HILLS_REACH_M = 20_000.0
HILLS_CELL_M = 30.0
"""Hills that far around the town shade it at sunrise and sunset; 30 m cells do for 20 km."""
READ_MARGIN_M = 50.0
"""Features this far outside the study area are still read, so that none that touches it is missed."""


def _own_file(path: Path | None) -> str | None:
    return sha256_file(path) if path is not None and path.is_file() else None


def _area_parameters(site: Site) -> dict[str, Any]:
    spec = site.study_area
    return {
        "spec": spec.model_dump(mode="json", exclude={"path"}),
        "file": _own_file(spec.path),
        "district": _own_file(site.district.path) if site.district else None,
    }


def load_area(work: Work) -> StudyArea:
    """Return the study area that the step of that name has stored."""
    shapes = work.frame(AREA, "area.parquet").set_index("part").geometry
    return StudyArea(
        crs=work.site.crs,
        area=shapes["study_area"],
        dongs=work.frame(AREA, "dongs.parquet"),
        district=shapes["district"] if "district" in shapes.index else None,
    )


def _read(work: Work, role: Role, area: StudyArea | None) -> list[RawLayer]:
    box = None if area is None else area.area.buffer(READ_MARGIN_M).bounds
    return [read_dataset(work.site.inbox, dataset, work.site.crs, box) for dataset in work.datasets(role)]


@step(
    AREA, group="sources", role="district", works_without_files=True, kinds={"geopandas"}, parameters=_area_parameters
)
def study_area(work: Work) -> None:
    """Study area, its legal dongs, and the project's own district where its boundary is known.

    연구 범위와 법정동, 사업지구 경계.
    """
    raw = _read(work, "district", None)
    area = build_study_area(work.site, district_boundary(raw) if raw else None)
    parts = {"study_area": area.area} | ({"district": area.district} if area.district is not None else {})
    work.write(gpd.GeoDataFrame({"part": list(parts)}, geometry=list(parts.values()), crs=area.crs), "area.parquet")
    work.write(area.dongs, "dongs.parquet")
    work.metadata |= {
        "area_km2": round(area.area.area / 1e6, 3),
        "dongs": len(area.dongs),
        "district_known": area.district is not None,
    }


@step("sources/parcels", group="sources", role="parcels", needs=(AREA,))
def parcels(work: Work) -> None:
    """Clean parcels: one row per PNU, geometry repaired, every source row accounted for.

    정제한 필지: PNU마다 한 줄.
    """
    area = load_area(work)
    work.write_clean(clean_parcels(_read(work, "parcels", area), area))


def _read_tables(work: Work, role: Role, dongs: pd.Series) -> list[RawLayer]:
    wanted = sorted(set(dongs))
    return [read_table(work.site.inbox, dataset, wanted) for dataset in work.datasets(role)]


@step("sources/land_characteristics", group="sources", role="land_characteristics", essential=("sources/parcels",))
def land_characteristics(work: Work) -> None:
    """Clean land characteristics of the parcels: registered area, zoning, land category; areas compared with the shapes.

    정제한 토지특성: 공부상 면적, 용도지역, 지목.
    """
    parcels = work.frame("sources/parcels")
    raw = _read_tables(work, "land_characteristics", parcels["dong_code"])
    work.write_clean(clean_land_characteristics(raw, parcels))


@step("sources/land_use_regulation", group="sources", role="land_use_regulation", essential=("sources/parcels",))
def land_use_regulation(work: Work) -> None:
    """Clean land-use regulation of the parcels: zones that hold a parcel, of the newest snapshot.

    정제한 토지이용계획: 필지를 포함하거나 저촉하는 용도지역·지구·구역.
    """
    parcels = work.frame("sources/parcels")
    raw = _read_tables(work, "land_use_regulation", parcels["dong_code"])
    work.write_clean(clean_land_use_regulation(raw, parcels))


@step("sources/zoning", group="sources", role="zoning", needs=(AREA, "sources/parcels"))
def zoning(work: Work) -> None:
    """Clean zoning polygons as far as the parcels reach.

    정제한 용도지역 도형.
    """
    area = with_parcels(load_area(work), work.frame_or_none("sources/parcels"))
    work.write_clean(clean_zones(_read(work, "zoning", area), area))


PARCEL_LAND = ("sources/land_characteristics", "sources/land_use_regulation", "sources/zoning")


@step("sources/parcel_land", group="sources", essential=("sources/parcels",), needs=PARCEL_LAND)
def land_of_parcels(work: Work) -> None:
    """Zoning and registered area of each parcel, from whatever of the three sources is there.

    필지별 용도지역과 공부상 면적.
    """
    tables = [work.frame_or_none(name) for name in PARCEL_LAND]
    if all(table is None for table in tables):
        work.absent("용도지역·토지특성 자료가 없음", "no source of zoning or registered areas")
        return
    frame = parcel_land(work.frame("sources/parcels"), *tables)
    work.write(frame)
    if "zoning" in frame.columns:
        work.metadata["parcels_with_zoning"] = int(frame["zoning"].notna().sum())


@step("sources/building_register", group="sources", role="building_register", needs=(AREA,))
def building_register(work: Work) -> None:
    """Clean building register of the study area's dongs, one record per building.

    정제한 건축물대장 표제부.
    """
    area = load_area(work)
    raw = _read_tables(work, "building_register", area.dongs["dong_code"])
    work.write_clean(clean_building_register(raw, area))


@step(
    "sources/buildings",
    group="sources",
    role="buildings",
    needs=(AREA, "sources/parcels", "sources/building_register"),
)
def buildings(work: Work) -> None:
    """Clean buildings with minted ids, heights by the ladder and their parcel.

    정제한 건물: 식별자, 높이(출처 포함), 필지 연결.
    """
    area = load_area(work)
    parcels, register = work.frame_or_none("sources/parcels"), work.frame_or_none("sources/building_register")
    layer = clean_buildings(_read(work, "buildings", area), area, parcels, register)
    work.write_clean(layer)
    work.metadata["height_sources"] = {
        k: int(v) for k, v in layer.features["height_source"].value_counts().sort_index().items()
    }


@step("sources/land_cover", group="sources", role="land_cover", needs=(AREA, "sources/parcels"))
def land_cover(work: Work) -> None:
    """Clean land cover: 41 classes, sheets joined, no two polygons overlap.

    정제한 토지피복 세분류: 도엽을 잇고 겹침을 없앰.
    """
    area = with_parcels(load_area(work), work.frame_or_none("sources/parcels"))
    work.write_clean(clean_land_cover(_read(work, "land_cover", area), area))


@step("sources/parks", group="sources", role="parks", needs=(AREA,))
def parks(work: Work) -> None:
    """Clean parks and green spaces designated by urban planning.

    정제한 도시계획시설 공원·녹지.
    """
    area = load_area(work)
    work.write_clean(clean_parks(_read(work, "parks", area), area))


@step("sources/park_entrances", group="sources", role="park_entrances", needs=(AREA, "sources/parks"))
def park_entrances(work: Work) -> None:
    """Clean surveyed entrances of parks, also of parks that reach out of the study area; kept for walking distances, not published.

    정제한 공원 출입구 조사: 보행 거리 계산용, 공개하지 않음.
    """
    reach = float(access_parameters()["entrance_reach"])
    area = entrance_area(load_area(work), work.frame_or_none("sources/parks"), reach)
    work.write_clean(clean_park_entrances(_read(work, "park_entrances", area), area))


@step("sources/plan_blocks", group="sources", role="plan_blocks", needs=(AREA,))
def plan_blocks(work: Work) -> None:
    """Clean blocks of the land-use plan; published with the scenarios that plan.

    정제한 토지이용계획 블록.
    """
    area = load_area(work)
    work.write_clean(clean_plan_blocks(_read(work, "plan_blocks", area), area))


@step("sources/roads", group="sources", role="roads", needs=(AREA,))
def roads(work: Work) -> None:
    """Clean road centrelines, whole where they touch the study area; kept for walking distances, not published.

    정제한 도로중심선: 보행 거리 계산용, 공개하지 않음.
    """
    area = load_area(work)
    work.write_clean(clean_roads(_read(work, "roads", area), area))


@step("sources/footways", group="sources", role="footways", needs=(AREA,))
def footways(work: Work) -> None:
    """Clean footways of the topographic map; kept for their shade, not published.

    정제한 보도(인도): 그늘 계산용, 공개하지 않음.
    """
    area = load_area(work)
    work.write_clean(clean_footways(_read(work, "footways", area), area))


@step("sources/bus_stops", group="sources", role="bus_stops", needs=(AREA,))
def bus_stops(work: Work) -> None:
    """Clean bus stops, points with a number and a name; published with their shade.

    정제한 버스정류장.
    """
    area = load_area(work)
    work.write_clean(clean_bus_stops(_read(work, "bus_stops", area), area))


@step("sources/terrain", group="sources", role="terrain", needs=(AREA,), kinds={"rasterio"})
def terrain(work: Work) -> None:
    """Terrain of the study area in the site's CRS; cells without data stay empty.

    지형(DEM): 자료가 없는 곳은 비워 둠.
    """
    datasets = work.datasets("terrain")
    area = load_area(work)
    report = build_terrain(work.site.inbox, datasets, area, work.out / "terrain.tif")
    work.metadata |= report.as_dict()
    models = [dataset for dataset in datasets if dataset.parts[0].kind == "raster"]
    if models and report.method != "contours":
        wide = work.out / HILLS
        build_terrain(work.site.inbox, models, area, wide, margin_m=HILLS_REACH_M, cell_size_m=HILLS_CELL_M)
    draw_terrain(
        work.out / "terrain.tif",
        work.preview,
        about=release_about(work.site, NO_VINTAGE, unshaded=False),
        area=area.dongs,
    )


@step("sources/surface_model", group="sources", role="surface_model", needs=(AREA,), kinds={"rasterio"},
      parameters=lambda site: site.surface.cell_size_m)  # fmt: skip
def surface_model(work: Work) -> None:
    """Measured heights of roofs, trees and ground (DSM) on the grid of the site's surface; named in the site file.

    측량한 표면 높이(DSM): 지붕, 나무, 지면. 사이트 파일에서 지정한다.
    """
    datasets, size = work.datasets("surface_model"), work.site.surface.cell_size_m
    target = work.out / "surface_model.tif"
    work.metadata |= build_terrain(work.site.inbox, datasets, load_area(work), target, cell_size_m=size).as_dict()


@step("sources/roof_planes", group="sources", role="roof_planes", needs=(AREA,), essential=("sources/buildings",))
def roof_planes(work: Work) -> None:
    """Roof planes of a city model with tilt and azimuth, each on the building it covers.

    3차원 건물 모델의 지붕면: 경사와 방위, 건물 연결.
    """
    area = load_area(work)
    work.write_clean(clean_roof_planes(_read(work, "roof_planes", area), area, work.frame("sources/buildings")))


@step("sources/ndvi", group="sources", role="ndvi", needs=(AREA,), kinds={"rasterio"})
def ndvi(work: Work) -> None:
    """Vegetation index of the study area in the site's CRS, from a ready index or from red and infrared bands.

    식생지수(NDVI): 연구 범위의 래스터.
    """
    datasets = work.datasets("ndvi")
    log = QualityLog("ndvi", work.site.crs)
    report = build_ndvi(work.site.inbox, datasets, load_area(work), work.out / "ndvi.tif", log)
    work.write(log.frame(), "quality.parquet")
    if report is None:
        work.absent("쓸 수 있는 영상이 연구 범위에 없음", "no usable image reaches the study area")
        return
    work.metadata |= report.as_dict()


def _resource_parameters(site: Site) -> Any:
    return site.solar.resource.model_dump(mode="json") if site.solar.resource else None


@step(
    "sources/resource",
    group="solar",
    role="weather",
    needs=(AREA, "sources/terrain"),
    kinds={"pvlib"},
    parameters=_resource_parameters,
)
def resource(work: Work) -> None:
    """Hourly solar resource: the weather year, corrected to the station normal of the site file, with the sun's position.

    시간별 일사 자원: 기상 파일을 관측소 평년값으로 보정.
    """
    datasets = work.datasets("weather")
    weather = read_weather(work.site.inbox, datasets)
    area = load_area(work)
    centre = gpd.GeoSeries([area.area.representative_point()], crs=area.crs).to_crs("EPSG:4326").iloc[0]
    heights = work.need("sources/terrain").metadata
    altitude = weather.elevation_m if "minimum_m" not in heights else (heights["minimum_m"] + heights["maximum_m"]) / 2
    result = prepare_resource(weather, centre.y, centre.x, altitude, work.site.solar.resource)
    save_resource(result, work.out)
    work.metadata |= result.about()


STEPS: tuple[Step, ...] = (
    study_area,
    parcels,
    land_characteristics,
    land_use_regulation,
    zoning,
    land_of_parcels,
    building_register,
    buildings,
    land_cover,
    parks,
    park_entrances,
    plan_blocks,
    roads,
    footways,
    bus_stops,
    terrain,
    surface_model,
    roof_planes,
    ndvi,
    resource,
)
