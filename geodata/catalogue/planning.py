"""Columns that tell a plan: of buildings, and of the blocks they stand in."""

from __future__ import annotations

from geodata.catalogue.model import Choice, Field

USE_CLASSES = {
    "mixed": Choice(ko="주상복합", en="mixed use"),
    "apartment": Choice(ko="공동주택", en="apartments"),
    "detached": Choice(ko="단독주택", en="detached homes"),
    "commercial": Choice(ko="상업·업무", en="commerce and offices"),
    "business": Choice(ko="자족·산업", en="jobs and industry"),
    "school": Choice(ko="학교", en="school"),
    "public": Choice(ko="공공·문화·복지", en="public and community"),
    "park": Choice(ko="공원", en="park"),
    "green": Choice(ko="녹지", en="green space"),
    "water": Choice(ko="하천·저류지", en="water and retention"),
    "road": Choice(ko="도로·교통", en="roads and transport"),
    "parking": Choice(ko="주차장", en="parking"),
    "utility": Choice(ko="공급·처리시설", en="utilities"),
    "other": Choice(ko="그 밖", en="other"),
}
"""The classes of ``geodata/clean/land_use_classes.yaml``, which is not read when this module is imported."""

BUILDING_PLAN_FIELDS = (
    Field(name="status", kind="text", ko="건물 상태", en="Building status", nullable=False, required=False,
          choices={"existing": Choice(ko="기존", en="existing"), "planned": Choice(ko="계획", en="planned")}),
    Field(name="block_id", kind="text", ko="블록번호", en="Block", required=False,
          about_ko="건물이 서 있는 계획 블록. 현재 시나리오에서는 비어 있다", about_en="plan block in which the building stands; empty in the town as it is"),
    Field(name="floor_area_m2", kind="real", ko="추정 연면적", en="Floor area", unit="m2", decimals=1, minimum=0, required=False,
          about_ko="출처는 floor_area_source가 말한다", about_en="floor_area_source tells where it comes from"),
    Field(name="floor_area_source", kind="text", ko="추정 연면적 출처", en="Floor area source", required=False,
          choices={"recorded": Choice(ko="대장의 연면적", en="recorded floor area"), "floors": Choice(ko="바닥 도형 면적 × 층수", en="footprint × floors"),
                   "height": Choice(ko="바닥 도형 면적 × 높이로 본 층수", en="footprint × floors that the height holds"),
                   "planned": Choice(ko="계획", en="planned")}),
    Field(name="homes", kind="integer", ko="세대수", en="Homes", minimum=0, required=False,
          about_ko="알 수 없으면 비어 있다", about_en="empty where unknown"),
    Field(name="homes_source", kind="text", ko="세대수 출처", en="Homes source", required=False,
          choices={"register": Choice(ko="건축물대장", en="building register"), "plan": Choice(ko="블록의 계획 세대수를 나눔", en="homes of the block, shared out"),
                   "design": Choice(ko="설계안", en="the planner's own design")}),
)

BLOCK_PLAN_FIELDS = (
    Field(name="use_class", kind="text", ko="용도 분류", en="Class of use", nullable=False, choices=USE_CLASSES,
          about_ko="land_use의 표기를 분류한 것", about_en="class of what land_use says"),
    Field(name="block_status", kind="text", ko="블록 상태", en="Block status", nullable=False,
          choices={"standing": Choice(ko="기존 유지", en="stands already"), "new": Choice(ko="신설", en="new")},
          about_ko="기존 유지: 현재 건축물이나 토지가 계획 용도로 이미 쓰임", about_en="stands already: buildings or ground are today what the plan wants, by a stated share"),
    Field(name="built_share_pct", kind="real", ko="현재 조성 비율", en="Built share today", unit="%", decimals=1, minimum=0,
          about_ko="계획 연면적에 대한 현재 연면적, 건축물이 없는 용도는 면적 비율", about_en="present floor area by the planned one; of open uses the share of the block"),
)

BLOCK_SUM_FIELDS = (
    Field(name="building_count", kind="integer", ko="건물 수", en="Buildings", minimum=0, required=False),
    Field(name="building_footprint_m2", kind="real", ko="건물 바닥면적 합", en="Building footprint", unit="m2", decimals=1, minimum=0, required=False),
    Field(name="floor_area_m2", kind="real", ko="추정 연면적", en="Floor area", unit="m2", decimals=1, minimum=0, required=False,
          about_ko="블록 안 건물의 합", about_en="sum of the buildings in the block"),
    Field(name="homes_built", kind="integer", ko="건물의 세대수 합", en="Homes in buildings", minimum=0, required=False,
          about_ko="블록 안 건물의 세대수 합. homes는 계획 세대수", about_en="sum of the homes of the buildings in the block; homes is what the plan says"),
)
