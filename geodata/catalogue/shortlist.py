"""Declaration of the shortlist for energy cooperatives."""

from __future__ import annotations

from geodata.catalogue.energy import AVOIDED, CAPEX, NPV
from geodata.catalogue.model import Choice, Field, Layer
from geodata.catalogue.shared import DONG_CODE

_SCORES = {"yield_score": ("발전량", "yield"), "shading_score": ("음영", "shading"), "access_score": ("접근", "access"), "size_score": ("규모", "size")}

SHORTLIST = Layer(
    name="shortlist",
    ko="시민햇빛발전 후보",
    en="Shortlist for energy cooperatives",
    about_ko="공공·학교 지붕과 주차장 캐노피 중 상위 50곳. 점수는 0에서 1, 가중치는 twin/shortlist/weights.yaml. 소유와 구조 안전은 확인되지 않았다.",
    about_en="The first 50 public and school roofs and parking canopies. Scores run from 0 to 1; weights stand in twin/shortlist/weights.yaml. "
    "Neither ownership nor structure has been checked.",
    geometry="MultiPolygon",
    key="site_id",
    fields=(
        Field(name="site_rank", kind="integer", ko="순위", en="Rank", nullable=False, unique=True, minimum=1),
        Field(name="site_kind", kind="text", ko="구분", en="Kind", nullable=False,
              choices={"school": Choice(ko="학교·교육", en="school"), "public": Choice(ko="공공", en="public"), "parking": Choice(ko="주차장", en="parking")}),
        Field(name="site_id", kind="text", ko="건물·필지·블록 번호", en="Building, parcel or block", nullable=False, unique=True),
        Field(name="name", kind="text", ko="이름", en="Name"),
        Field(name="use", kind="text", ko="용도", en="Use", about_ko="건축물용도 또는 주차장. 소유자는 어느 자료에도 없다", about_en="use of the building, or car park; no source tells who owns it"),
        DONG_CODE,
        Field(name="area_m2", kind="real", ko="지붕·주차장 면적", en="Roof or lot area", unit="m2", decimals=1, nullable=False, minimum=0),
        Field(name="capacity_kwp", kind="real", ko="설비용량", en="PV capacity", unit="kWp", decimals=2, nullable=False, minimum=0),
        Field(name="yield_kwh", kind="real", ko="연간 발전량", en="Yearly yield", unit="kWh", decimals=0, nullable=False, minimum=0, sunlit=True),
        Field(name="specific_yield_kwh_kwp", kind="real", ko="용량당 발전량", en="Specific yield", unit="kWh/kWp", decimals=1, nullable=False, minimum=0, maximum=3000, sunlit=True),
        Field(name="shading_loss_pct", kind="real", ko="음영 손실", en="Shading loss", unit="%", decimals=2, minimum=0, maximum=100,
              about_ko="주차장은 땅에서 본 값으로, 캐노피 높이에서는 이보다 적다", about_en="of parking as seen from the ground; less at the height of a canopy"),
        Field(name="road_distance_m", kind="real", ko="도로까지 거리", en="Distance to the road", unit="m", decimals=1, minimum=0),
        Field(name="road_source", kind="text", ko="도로 출처", en="Source of the roads",
              choices={"roads": Choice(ko="도로 중심선", en="road centrelines"), "parcels": Choice(ko="지목이 도로인 필지", en="parcels of land category road"),
                       "plan": Choice(ko="계획 도로 블록", en="road blocks of the plan")}),
        Field(name="score", kind="real", ko="종합 점수", en="Score", decimals=4, nullable=False, minimum=0, maximum=1),
        *(Field(name=name, kind="real", ko=f"점수: {ko}", en=f"Score: {en}", decimals=4, minimum=0, maximum=1) for name, (ko, en) in _SCORES.items()),
        Field(name="why_ko", kind="text", ko="이유", en="Why, in Korean", nullable=False, about_ko="점수가 높은 항목과 낮은 항목", about_en="scores that are high and low"),
        Field(name="why_en", kind="text", ko="이유 (영문)", en="Why", nullable=False, about_ko="점수가 높은 항목과 낮은 항목", about_en="scores that are high and low"),
        AVOIDED, CAPEX, NPV,
        Field(name="lcoe_krw_kwh", kind="real", ko="균등화 발전원가", en="Levelised cost", unit="KRW/kWh", decimals=1, minimum=0, sunlit=True, required=False),
        Field(name="payback_years", kind="real", ko="단순 회수 기간", en="Simple payback", unit="a", decimals=1, minimum=0, sunlit=True, required=False),
    ),
)
