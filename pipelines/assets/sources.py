"""Steps that turn the inbox into clean layers; the same for every scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd

from geodata.clean.buildings import clean_buildings
from geodata.clean.district import district_boundary
from geodata.clean.land_cover import clean_land_cover
from geodata.clean.parcels import clean_parcels
from geodata.clean.parks import clean_parks
from geodata.clean.plan_blocks import clean_plan_blocks
from geodata.inventory import RawLayer
from geodata.products.terrain import build_terrain
from geodata.products.weather import read_weather
from geodata.site import Role, Site
from geodata.study_area import StudyArea, build_study_area, with_parcels
from geodata.vector_file import read_dataset
from pipelines.about import release_about
from pipelines.steps import Step, Work, step
from pipelines.store import sha256_file
from twin.publish.maps import draw_terrain
from twin.publish.run_info import NO_VINTAGE
from twin.solar.resource import prepare_resource
from twin.solar.resource_file import save_resource

AREA = "sources/study_area"
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


def _say_absent(work: Work, role: Role) -> None:
    work.absent(f"인박스에 {ROLE_KO[role]} 파일이 없음", f"no file for {role} in the inbox")


ROLE_KO: dict[Role, str] = {
    "parcels": "필지(연속지적도)",
    "buildings": "건물",
    "land_cover": "토지피복",
    "parks": "공원·녹지",
    "terrain": "지형(DEM)",
    "weather": "기상(EPW)",
    "plan_blocks": "토지이용계획",
    "district": "사업지구 경계",
}


@step(AREA, group="sources", role="district", kinds={"geopandas"}, parameters=_area_parameters)
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
    if not work.datasets("parcels"):
        _say_absent(work, "parcels")
        return
    area = load_area(work)
    work.write_clean(clean_parcels(_read(work, "parcels", area), area))


@step("sources/buildings", group="sources", role="buildings", needs=(AREA, "sources/parcels"))
def buildings(work: Work) -> None:
    """Clean buildings with minted ids, heights by the ladder and their parcel.

    정제한 건물: 식별자, 높이(출처 포함), 필지 연결.
    """
    if not work.datasets("buildings"):
        _say_absent(work, "buildings")
        return
    area = load_area(work)
    layer = clean_buildings(_read(work, "buildings", area), area, work.frame_or_none("sources/parcels"))
    work.write_clean(layer)
    work.metadata["height_sources"] = {
        k: int(v) for k, v in layer.features["height_source"].value_counts().sort_index().items()
    }


@step("sources/land_cover", group="sources", role="land_cover", needs=(AREA, "sources/parcels"))
def land_cover(work: Work) -> None:
    """Clean land cover: 41 classes, sheets joined, no two polygons overlap.

    정제한 토지피복 세분류: 도엽을 잇고 겹침을 없앰.
    """
    if not work.datasets("land_cover"):
        _say_absent(work, "land_cover")
        return
    area = with_parcels(load_area(work), work.frame_or_none("sources/parcels"))
    work.write_clean(clean_land_cover(_read(work, "land_cover", area), area))


@step("sources/parks", group="sources", role="parks", needs=(AREA,))
def parks(work: Work) -> None:
    """Clean parks and green spaces designated by urban planning.

    정제한 도시계획시설 공원·녹지.
    """
    if not work.datasets("parks"):
        _say_absent(work, "parks")
        return
    area = load_area(work)
    work.write_clean(clean_parks(_read(work, "parks", area), area))


@step("sources/plan_blocks", group="sources", role="plan_blocks", needs=(AREA,))
def plan_blocks(work: Work) -> None:
    """Clean blocks of the land-use plan; published with the scenarios that plan.

    정제한 토지이용계획 블록.
    """
    if not work.datasets("plan_blocks"):
        _say_absent(work, "plan_blocks")
        return
    area = load_area(work)
    work.write_clean(clean_plan_blocks(_read(work, "plan_blocks", area), area))


@step("sources/terrain", group="sources", role="terrain", needs=(AREA,), kinds={"rasterio"})
def terrain(work: Work) -> None:
    """Terrain of the study area in the site's CRS; cells without data stay empty.

    지형(DEM): 자료가 없는 곳은 비워 둠.
    """
    datasets = work.datasets("terrain")
    if not datasets:
        _say_absent(work, "terrain")
        return
    area = load_area(work)
    report = build_terrain(work.site.inbox, datasets, area, work.out / "terrain.tif")
    work.metadata |= report.as_dict()
    draw_terrain(work.out / "terrain.tif", work.preview, about=release_about(work.site, NO_VINTAGE), area=area.dongs)


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
    if not datasets:
        _say_absent(work, "weather")
        return
    weather = read_weather(work.site.inbox, datasets)
    area = load_area(work)
    centre = gpd.GeoSeries([area.area.representative_point()], crs=area.crs).to_crs("EPSG:4326").iloc[0]
    heights = work.need("sources/terrain").metadata
    altitude = weather.elevation_m if "minimum_m" not in heights else (heights["minimum_m"] + heights["maximum_m"]) / 2
    result = prepare_resource(weather, centre.y, centre.x, altitude, work.site.solar.resource)
    save_resource(result, work.out)
    work.metadata |= result.about()


STEPS: tuple[Step, ...] = (study_area, parcels, buildings, land_cover, parks, plan_blocks, terrain, resource)
