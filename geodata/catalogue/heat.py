"""Declarations of shade and heat: what a summer day burdens parcels, plan blocks and districts with."""

from __future__ import annotations

from geodata.catalogue.model import Field

HEAT_FIELDS = (
    Field(name="impervious_pct", kind="real", ko="불투수율 (추정)", en="Imperviousness, estimated", unit="%", decimals=1, minimum=0, maximum=100, required=False,
          about_ko="토지피복 분류별로 가정한 불투수율의 면적 평균", about_en="mean by area of what is assumed for each land cover class"),
    Field(name="ground_shade_h", kind="real", ko="여름철 땅의 하루 그늘 시간", en="Shade of open ground on a summer day", unit="h", decimals=1, minimum=0, maximum=24, required=False,
          about_ko="6~8월 하루 평균. 태양이 떠 있으나 건물·지형·나무에 가린 시간. 지붕은 뺀다", about_en="mean day of June to August; hours with the sun up but hidden by buildings, terrain or trees; roofs left out"),
    Field(name="pavement_shade_h", kind="real", ko="여름철 길바닥의 하루 그늘 시간", en="Shade of pavements on a summer day", unit="h", decimals=1, minimum=0, maximum=24, required=False,
          about_ko="토지피복이 도로인 땅만. 도로가 없으면 비어 있다", about_en="only ground that land cover calls road; empty where there is none"),
    Field(name="footway_shade_h", kind="real", ko="여름철 보도의 하루 그늘 시간", en="Shade of footways on a summer day", unit="h", decimals=1, minimum=0, maximum=24, required=False,
          about_ko="수치지형도의 인도 도형만. 인도가 없거나 도엽이 없는 곳은 비어 있다", about_en="only footways drawn by the topographic map; empty where there is none and beyond its sheets"),
    Field(name="heat_exposure", kind="real", ko="여름 햇볕·포장 노출 지수", en="Exposure to sun and sealed ground", decimals=1, minimum=0, maximum=100, required=False,
          about_ko="0~100. 불투수율과 햇볕이 땅에 닿는 시간 비율의 평균. 기온을 뜻하지 않는다", about_en="0 to 100: mean of imperviousness and of the share of summer sunshine hours that reach the ground. It says nothing about air temperature"),
)
