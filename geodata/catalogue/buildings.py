"""Declarations of buildings and roofs."""

from __future__ import annotations

from geodata.catalogue.access import BUILDING_ACCESS
from geodata.catalogue.biotope import PLOT_FIELDS, ROOF_BUDGET_FIELDS
from geodata.catalogue.cadastre import PNU_PATTERN
from geodata.catalogue.energy import ENERGY_BUILDING_FIELDS, UNCERTAINTY_FIELDS
from geodata.catalogue.model import Choice, Field, Layer
from geodata.catalogue.planning import BUILDING_PLAN_FIELDS
from geodata.catalogue.shared import DONG_CODE, MONTHLY_YIELD, SOLAR_SUMS
from geodata.catalogue.three_thirty import BUILDING_RULE

HEIGHT_SOURCES = {
    "recorded": Choice(ko="대장·도면의 높이", en="recorded height"),
    "floors": Choice(ko="층수 × 용도별 층고", en="floors × storey height of the use"),
    "neighbours": Choice(ko="이웃 건물의 중앙값", en="median of the neighbours"),
    "default": Choice(ko="기본값", en="default"),
    "planned": Choice(ko="계획", en="planned"),
}

ROOF_CHECKS = {
    "load": Choice(ko="경량 지붕: 하중 확인 필요", en="light roof: check the load"),
    "asbestos": Choice(ko="슬레이트 지붕: 석면 확인 필요", en="slate roof: check for asbestos"),
}

PLANE_SOURCES = {
    "city_model": Choice(ko="3차원 건물 모델", en="city model"),
    "surface_model": Choice(ko="수치표면모델(DSM)에 맞춤", en="fitted to the surface model (DSM)"),
    "assumed": Choice(ko="평지붕으로 가정", en="assumed flat"),
}

PNU = Field(name="pnu", kind="text", ko="필지고유번호(PNU)", en="Parcel number (PNU)", pattern=PNU_PATTERN)

BUILDINGS = Layer(
    name="buildings",
    ko="건물",
    en="Buildings",
    about_ko="건물 바닥 도형과 높이. 높이의 출처는 height_source가 말한다.",
    about_en="Building footprints with heights; height_source tells where each height comes from.",
    geometry="MultiPolygon",
    key="building_id",
    fields=(
        Field(name="building_id", kind="text", ko="건물 식별자", en="Building", nullable=False, unique=True,
              about_ko="원본 내용에서 만든 변하지 않는 식별자", about_en="minted from stable source content, or kept where the site file maps one"),
        PNU,
        DONG_CODE,
        Field(name="name", kind="text", ko="건물명", en="Name"),
        Field(name="use_code", kind="text", ko="용도코드", en="Use code", about_ko="건축물용도 5자리", about_en="5-digit building use code"),
        Field(name="use", kind="text", ko="용도", en="Use"),
        Field(name="structure_code", kind="text", ko="구조코드", en="Structure code"),
        Field(name="structure", kind="text", ko="구조", en="Structure"),
        Field(name="floors_above", kind="integer", ko="지상층수", en="Floors above ground", minimum=1, maximum=200),
        Field(name="floors_below", kind="integer", ko="지하층수", en="Floors below ground", minimum=0, maximum=30),
        Field(name="height", kind="real", ko="높이", en="Height above ground", unit="m", decimals=2, nullable=False, minimum=0, maximum=700),
        Field(name="height_source", kind="text", ko="높이 출처", en="Height source", nullable=False, choices=HEIGHT_SOURCES),
        Field(name="altitude", kind="real", ko="지반고", en="Ground height", unit="m", decimals=2, minimum=-100, maximum=2000, required=False,
              about_ko="바닥 도형 아래 지형의 평균 표고 (인천 평균해면 기준으로 가정)", about_en="mean terrain height under the footprint (Incheon mean sea level assumed); empty where no terrain is known"),
        Field(name="footprint_area_m2", kind="real", ko="바닥 도형 면적", en="Footprint area", unit="m2", decimals=1, nullable=False, minimum=0),
        Field(name="gross_floor_area_m2", kind="real", ko="연면적", en="Gross floor area", unit="m2", decimals=1, minimum=0),
        Field(name="approved_on", kind="date", ko="사용승인일", en="Approved on"),
        Field(name="source_id", kind="text", ko="원본 식별자", en="Source id"),
        Field(name="roof_type", kind="text", ko="지붕 종류", en="Roof type", required=False,
              about_ko="건축물대장의 지붕", about_en="roof as the building register names it"),
        Field(name="roof_check", kind="text", ko="지붕 확인 사항", en="Roof to be checked", required=False, choices=ROOF_CHECKS,
              about_ko="구조와 지붕 재료로 본 태양광 설치 전 확인 사항. 비어 있으면 알려진 것이 없음", about_en="what to look at before PV is installed, by structure and roof; empty where nothing is known against it"),
        *BUILDING_PLAN_FIELDS,
        *PLOT_FIELDS,
        *ROOF_BUDGET_FIELDS,
        *BUILDING_ACCESS,
        *BUILDING_RULE,
        *SOLAR_SUMS, *ENERGY_BUILDING_FIELDS,
    ),
)

ROOFS = Layer(
    name="roofs",
    ko="지붕면",
    en="Roofs",
    about_ko="지붕면별 일사량과 태양광 발전량. irradiation은 지붕면, poa는 모듈면의 값이다.",
    about_en="Irradiation and PV yield of each roof plane. irradiation is on the roof plane, poa on the module plane.",
    geometry="MultiPolygon",
    key="roof_id",
    fields=(
        Field(name="roof_id", kind="text", ko="지붕면 식별자", en="Roof plane", nullable=False, unique=True),
        Field(name="building_id", kind="text", ko="건물 식별자", en="Building", nullable=False),
        PNU,
        DONG_CODE,
        Field(name="tilt_deg", kind="real", ko="지붕 경사", en="Roof tilt", unit="deg", decimals=1, nullable=False, minimum=0, maximum=90),
        Field(name="azimuth_deg", kind="real", ko="지붕 방위", en="Roof azimuth", unit="deg", decimals=1, minimum=0, maximum=360,
              about_ko="북에서 시계방향. 평지붕은 비어 있다", about_en="clockwise from north; empty for a flat roof"),
        Field(name="module_tilt_deg", kind="real", ko="모듈 경사", en="Module tilt", unit="deg", decimals=1, nullable=False, minimum=0, maximum=90),
        Field(name="module_azimuth_deg", kind="real", ko="모듈 방위", en="Module azimuth", unit="deg", decimals=1, nullable=False, minimum=0, maximum=360),
        Field(name="area_m2", kind="real", ko="지붕면 면적", en="Roof plane area", unit="m2", decimals=1, nullable=False, minimum=0,
              about_ko="경사면을 따라 잰 면적", about_en="measured along the slope"),
        Field(name="plane_source", kind="text", ko="지붕면 출처", en="Where the plane is known from", choices=PLANE_SOURCES, required=False),
        Field(name="fit_rmse_m", kind="real", ko="지붕면 맞춤 오차(RMSE)", en="Misfit of the plane (RMSE)", unit="m", decimals=2, minimum=0, required=False,
              about_ko="수치표면모델 높이와 지붕면의 차이. 맞춘 지붕면에만 있다", about_en="heights of the surface model against the plane; only where the plane was fitted to them"),
        Field(name="usable_area_m2", kind="real", ko="설치 가능 면적", en="Usable area", unit="m2", decimals=1, nullable=False, minimum=0,
              about_ko="가장자리 이격 안쪽 면적. 지붕면의 상한 비율을 넘지 않는다", about_en="area inside the edge distance, at most the largest share of the plane"),
        Field(name="module_count", kind="integer", ko="모듈 수", en="Modules", minimum=0, required=False,
              about_ko="온장으로 배치한 태양광 모듈의 수", about_en="whole PV modules that were packed onto the plane"),
        Field(name="sky_view", kind="real", ko="하늘 시계율", en="Sky view", decimals=3, minimum=0, maximum=1, required=False),
        Field(name="shading_loss_pct", kind="real", ko="음영 손실", en="Shading loss", unit="%", decimals=2, minimum=0, maximum=100, required=False,
              about_ko="주변 건물·지형·나무가 모듈면에서 가리는 일사 비율. 앞 열 모듈의 그늘은 이미 모듈면 일사량에 들어 있다", about_en="what surroundings take from the module plane; the shade of one row on the next is in the irradiation of the module plane already"),
        Field(name="irradiation_kwh_m2", kind="real", ko="지붕면 연간 일사량", en="Yearly irradiation on the roof plane", unit="kWh/m2", decimals=1, minimum=0, maximum=3500, sunlit=True, required=False),
        Field(name="poa_kwh_m2", kind="real", ko="모듈면 연간 일사량", en="Yearly irradiation on the module plane", unit="kWh/m2", decimals=1, minimum=0, maximum=3500, sunlit=True, required=False),
        Field(name="capacity_kwp", kind="real", ko="설비용량", en="PV capacity", unit="kWp", decimals=3, minimum=0, required=False),
        Field(name="specific_yield_kwh_kwp", kind="real", ko="용량당 발전량", en="Specific yield", unit="kWh/kWp", decimals=1, minimum=0, maximum=3000, sunlit=True, required=False),
        Field(name="yield_kwh", kind="real", ko="연간 발전량", en="Yearly yield", unit="kWh", decimals=1, minimum=0, sunlit=True, required=False),
        Field(name="yield_p90_kwh", kind="real", ko="연간 발전량 P90", en="Yearly yield, P90", unit="kWh", decimals=1, minimum=0, sunlit=True, required=False,
              about_ko="열 해 중 아홉 해가 넘는 값. 연간 변동만 본다", about_en="what nine years of ten exceed; only the spread of the years is in it"),
        *UNCERTAINTY_FIELDS,
        *MONTHLY_YIELD,
    ),
)
