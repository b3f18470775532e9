"""Declarations of the layers that divide the land: districts, parcels and plan blocks."""

from __future__ import annotations

from geodata.catalogue.access import PARK_SHARES, RESIDENT_SHARES
from geodata.catalogue.biotope import (
    BIOTOPE_MEAN_TARGET,
    BIOTOPE_PLANNED,
    BIOTOPE_RATIOS,
    BIOTOPE_TARGETS,
    GREEN_PARTS,
    ROOF_BUDGET_FIELDS,
)
from geodata.catalogue.bus_stops import STOP_FIELDS
from geodata.catalogue.energy import ENERGY_POOL_FIELDS
from geodata.catalogue.heat import HEAT_FIELDS
from geodata.catalogue.model import Choice, Field, Layer
from geodata.catalogue.planning import BLOCK_PLAN_FIELDS, BLOCK_SUM_FIELDS
from geodata.catalogue.shared import COVER_FIELDS, DONG_CODE, GREEN_COVER, SOLAR_SUMS
from geodata.catalogue.three_thirty import RULE_SHARES

PNU_PATTERN = r"^[0-9]{10}[123][0-9]{8}$"

ZONING_SOURCES = {
    "regulation": Choice(ko="토지이용계획정보", en="land-use regulation"),
    "characteristics": Choice(ko="토지특성정보", en="land characteristics"),
    "polygons": Choice(ko="용도지역지구도", en="zoning polygons"),
}

DISTRICTS = Layer(
    name="districts",
    ko="법정동·사업지구 요약",
    en="Districts",
    about_ko="법정동별 합계 지표. 사업지구 경계를 알면 그 합계가 한 줄 더 있다. 한 건물은 한 법정동에만 센다.",
    about_en="Indicators summed by legal dong, and one row for the project's own district where its boundary is known. "
    "Each building counts in exactly one dong.",
    geometry="MultiPolygon",
    key="dong_code",
    fields=(
        Field(name="dong_code", kind="text", ko="법정동코드", en="Legal dong code", nullable=False, unique=True,
              about_ko="행정표준코드 10자리. 사업지구 줄은 DISTRICT", about_en="10-digit administrative code; DISTRICT for the project's own district",
              pattern=r"^([0-9]{10}|DISTRICT)$"),
        Field(name="name_ko", kind="text", ko="이름", en="Name (Korean)", nullable=False),
        Field(name="kind", kind="text", ko="구분", en="Kind", nullable=False,
              choices={"legal_dong": Choice(ko="법정동", en="legal dong"), "district": Choice(ko="사업지구", en="project district")}),
        Field(name="area_m2", kind="real", ko="면적", en="Area", unit="m2", decimals=1, nullable=False, minimum=0),
        Field(name="parcel_count", kind="integer", ko="필지 수", en="Parcels", minimum=0, required=False),
        Field(name="building_count", kind="integer", ko="건물 수", en="Buildings", minimum=0, required=False),
        Field(name="building_footprint_m2", kind="real", ko="건물 바닥면적 합", en="Building footprint", unit="m2", decimals=1, minimum=0, required=False),
        Field(name="park_area_m2", kind="real", ko="공원 면적", en="Park area", unit="m2", decimals=1, minimum=0, required=False,
              about_ko="도시계획시설로 결정된 공원의 면적. 녹지는 빼고, 조성 여부는 가리지 않는다", about_en="area designated as park by urban planning, built or not; buffer green is not counted"),
        *RESIDENT_SHARES, *RULE_SHARES, *PARK_SHARES, *GREEN_COVER, *GREEN_PARTS, *COVER_FIELDS, *BIOTOPE_RATIOS, *BIOTOPE_PLANNED, *BIOTOPE_MEAN_TARGET, *HEAT_FIELDS, *STOP_FIELDS, *ROOF_BUDGET_FIELDS, *SOLAR_SUMS, *ENERGY_POOL_FIELDS,
    ),
)

PARCELS = Layer(
    name="parcels",
    ko="필지",
    en="Parcels",
    about_ko="연속지적도 필지. 참고용 도면이며 측량 성과가 아니다. 녹피율은 green 층의 다각형이 필지를 덮는 정확한 면적 비율이다.",
    about_en="Cadastral parcels (continuous cadastral map: for reference, not survey-grade). "
    "Green cover is the exact share of the parcel under polygons of the layer green.",
    geometry="MultiPolygon",
    key="pnu",
    fields=(
        Field(name="pnu", kind="text", ko="필지고유번호(PNU)", en="Parcel number (PNU)", nullable=False, unique=True, pattern=PNU_PATTERN,
              about_ko="법정동코드 10 + 토지구분 1(1 일반, 2 산) + 본번 4 + 부번 4", about_en="legal dong 10 + land type 1 (1 ordinary, 2 mountain) + main number 4 + sub number 4"),
        Field(name="dong_code", kind="text", ko="법정동코드", en="Legal dong code", nullable=False, pattern=r"^[0-9]{10}$"),
        Field(name="jibun", kind="text", ko="지번", en="Lot number"),
        Field(name="jimok", kind="text", ko="지목", en="Land category (jimok)", about_ko="28개 지목의 부호 한 글자", about_en="one-letter sign of the 28 land categories"),
        Field(name="zoning", kind="text", ko="용도지역", en="Zoning", required=False),
        Field(name="zoning_source", kind="text", ko="용도지역 출처", en="Zoning source", required=False, choices=ZONING_SOURCES),
        Field(name="official_area_m2", kind="real", ko="공부상 면적", en="Registered area", unit="m2", decimals=1, minimum=0, required=False,
              about_ko="토지특성정보의 토지면적", about_en="area of the land register (land characteristics)"),
        Field(name="area_m2", kind="real", ko="도형 면적", en="Area of the shape", unit="m2", decimals=1, nullable=False, minimum=0,
              about_ko="도형에서 계산한 면적. 공부상 면적이 아니다", about_en="measured on the map, not the registered area"),
        Field(name="source_rows", kind="integer", ko="원본 도형 수", en="Source rows", nullable=False, minimum=1,
              about_ko="합쳐진 원본 행의 수", about_en="how many source rows were merged into this parcel"),
        Field(name="building_count", kind="integer", ko="건물 수", en="Buildings", minimum=0, required=False),
        Field(name="ndvi_mean", kind="real", ko="식생지수(NDVI) 평균", en="Mean NDVI", decimals=3, minimum=-1, maximum=1, required=False,
              about_ko="영상의 값이 있는 부분의 면적가중 평균. 문턱값으로 녹지 여부를 가리지 않는다", about_en="area-weighted mean over the part with image data; no threshold turns it into green or not"),
        *RESIDENT_SHARES, *GREEN_COVER, *GREEN_PARTS, *COVER_FIELDS, *BIOTOPE_RATIOS, *BIOTOPE_TARGETS, *HEAT_FIELDS, *SOLAR_SUMS,
    ),
)

PLAN_BLOCKS = Layer(
    name="plan_blocks",
    ko="토지이용계획 블록",
    en="Plan blocks",
    about_ko="지구계획의 토지이용계획 블록과 그 건축 기준.",
    about_en="Blocks of the land-use plan with their building limits.",
    geometry="MultiPolygon",
    key="block_id",
    planned_only=True,
    fields=(
        Field(name="block_id", kind="text", ko="블록번호", en="Block", nullable=False, unique=True),
        Field(name="land_use", kind="text", ko="용도", en="Land use", nullable=False),
        *BLOCK_PLAN_FIELDS,
        DONG_CODE,
        Field(name="area_m2", kind="real", ko="면적", en="Area", unit="m2", decimals=1, nullable=False, minimum=0),
        Field(name="floor_area_ratio_pct", kind="real", ko="용적률", en="Floor area ratio", unit="%", decimals=1, minimum=0),
        Field(name="building_coverage_pct", kind="real", ko="건폐율", en="Building coverage", unit="%", decimals=1, minimum=0, maximum=100),
        Field(name="floors_limit", kind="integer", ko="층수 제한", en="Floors limit", unit="층", minimum=0),
        Field(name="height_limit_m", kind="real", ko="높이 제한", en="Height limit", unit="m", decimals=1, minimum=0, required=False),
        Field(name="homes", kind="integer", ko="세대수", en="Homes", minimum=0),
        *BLOCK_SUM_FIELDS, *RESIDENT_SHARES, *GREEN_COVER, *GREEN_PARTS, *COVER_FIELDS, *BIOTOPE_RATIOS, *BIOTOPE_PLANNED, *BIOTOPE_TARGETS, *HEAT_FIELDS, *SOLAR_SUMS, *ENERGY_POOL_FIELDS,
    ),
)
