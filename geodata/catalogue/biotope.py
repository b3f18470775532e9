"""Columns of green by kind, of trust in the sources of green, and of the biotope area ratio (생태면적률)."""

from __future__ import annotations

from geodata.catalogue.model import Choice, Field

GREEN_GROUP_WORDS = {
    "forest": Choice(ko="산림", en="forest"),
    "grass": Choice(ko="초지", en="grass"),
    "farm": Choice(ko="농경지", en="farmland"),
    "wetland": Choice(ko="습지", en="wetland"),
    "vegetation": Choice(ko="식생지수 녹지(종류 모름)", en="vegetated, kind not known"),
    "planned": Choice(ko="계획 녹지", en="planned green"),
}
GREEN_GROUPS = tuple(GREEN_GROUP_WORDS)

GREEN_SOURCES = {
    "land_cover": Choice(ko="토지피복지도", en="land cover map"),
    "ndvi": Choice(ko="식생지수(NDVI)", en="vegetation index (NDVI)"),
    "plan": Choice(ko="토지이용계획", en="land-use plan"),
}

CONFIDENCE = {
    "high": Choice(ko="높음", en="high"),
    "medium": Choice(ko="보통", en="medium"),
    "low": Choice(ko="낮음", en="low"),
    "none": Choice(ko="자료 없음", en="no data"),
}

GREEN_PARTS = (
    *(
        Field(name=f"green_{name}_m2", kind="real", ko=f"녹지: {words.ko}", en=f"Green: {words.en}", unit="m2", decimals=1, minimum=0, required=False,
              about_ko="녹지 피복 면적의 구분별 내역. 모두 더하면 녹지 피복 면적", about_en="part of the green cover area; the parts sum to it")
        for name, words in GREEN_GROUP_WORDS.items()
    ),
    Field(name="canopy_cover_pct", kind="real", ko="수관피복률", en="Canopy cover", unit="%", decimals=2, minimum=0, maximum=100, required=False,
          about_ko="나무가 덮은 비율. 식생지수로만 본 녹지는 나무인지 알 수 없어 빠지므로 하한값",
          about_en="share under trees; green seen by a vegetation index alone may be trees or not and is left out, so this is a lower bound"),
    Field(name="cover_resolution_m", kind="real", ko="피복 자료 해상도", en="Resolution of the cover sources", unit="m", decimals=1, minimum=0, required=False,
          about_ko="자료가 닿은 부분의 면적가중 평균 해상도", about_en="mean over what the sources reach, weighted by area"),
    Field(name="cover_confidence", kind="text", ko="피복 신뢰도", en="Confidence of the cover", required=False, choices=CONFIDENCE,
          about_ko="면적에 들어가는 해상도 칸 수와 자료가 닿은 비율로 정함 (blend.yaml)",
          about_en="by the number of resolution cells in the area and the share that the sources reach (blend.yaml)"),
)
"""Follow `GREEN_COVER` wherever it is published."""

GREEN_SOURCE_FIELDS = (
    Field(name="source_kind", kind="text", ko="출처 종류", en="Kind of source", nullable=False, choices=GREEN_SOURCES),
    Field(name="resolution_m", kind="real", ko="출처 해상도", en="Resolution of the source", unit="m", decimals=1, nullable=False, minimum=0),
)

PLOT_FIELDS = (
    Field(name="plot_area_m2", kind="real", ko="대지 면적(도형)", en="Plot area", unit="m2", decimals=1, minimum=0, required=False,
          about_ko="건물이 선 필지들의 도형 면적. 계획 건물은 계획 블록", about_en="area of the parcels the building stands on; of its block for a planned building"),
    Field(name="plot_green_area_m2", kind="real", ko="대지 안 녹지 피복", en="Green cover of the plot", unit="m2", decimals=1, minimum=0, required=False),
    Field(name="plot_green_cover_pct", kind="real", ko="대지 녹피율", en="Green cover of the plot, share", unit="%", decimals=2, minimum=0, maximum=100, required=False),
)
"""Green of the parcels that a building stands on."""

_LOWER_BOUND_KO = "지도가 보지 못하는 건물 둘레의 녹지는 빠지므로 하한값. 가중치는 확인되지 않음"
_LOWER_BOUND_EN = "a lower bound, because the map does not see yards around buildings; the weights are not verified"

BIOTOPE_RATIOS = (
    Field(name="biotope_present_pct", kind="real", ko="현재 생태면적률(환경부)", en="Present biotope area ratio (ministry)", unit="%", decimals=2, minimum=0, maximum=100, required=False,
          about_ko=f"공간유형별 가중치 × 면적 ÷ 전체 면적. {_LOWER_BOUND_KO}", about_en=f"weight x area of each surface over the whole area; {_LOWER_BOUND_EN}"),
    Field(name="biotope_seoul_pct", kind="real", ko="현재 생태면적률(서울 가중치)", en="Present biotope area ratio (Seoul weights)", unit="%", decimals=2, minimum=0, maximum=100, required=False,
          about_ko=_LOWER_BOUND_KO, about_en=_LOWER_BOUND_EN),
    Field(name="biotope_berlin_pct", kind="real", ko="비오톱면적계수(베를린 가중치)", en="Biotope area factor (Berlin weights)", unit="%", decimals=2, minimum=0, maximum=100, required=False,
          about_ko=f"계수에 100을 곱한 값. {_LOWER_BOUND_KO}", about_en=f"the factor times 100; {_LOWER_BOUND_EN}"),
)

BIOTOPE_TARGETS = (
    Field(name="biotope_target_pct", kind="real", ko="목표 생태면적률", en="Target biotope area ratio", unit="%", decimals=1, minimum=0, maximum=100, required=False,
          about_ko="건축할 땅에만 있다. 언론이 전한 2006년 지침의 아래쪽 값이며 확인되지 않음", about_en="for building land only; lower end of the 2006 guideline as told by the press, not verified"),
    Field(name="biotope_target_basis", kind="text", ko="목표의 근거", en="Basis of the target", required=False,
          choices={"jimok": Choice(ko="지목", en="land category"), "zoning": Choice(ko="용도지역", en="zoning"), "use": Choice(ko="블록 용도", en="use of the block")}),
    Field(name="biotope_check", kind="text", ko="목표와의 비교", en="Beside the target", required=False,
          choices={"unverified": Choice(ko="기준 미확인: 판정하지 않음", en="rule not verified: no verdict"),
                   "meets": Choice(ko="목표 이상", en="meets the target"), "below": Choice(ko="목표 미만", en="below the target")}),
)

BIOTOPE_PLANNED = (
    Field(name="biotope_planned_pct", kind="real", ko="계획 생태면적률", en="Planned biotope area ratio", unit="%", decimals=2, minimum=0, maximum=100, required=False,
          about_ko="신설 블록은 용도별 조성 가정(planned.yaml)과 계획 건물로 계산. 옥상녹화는 넣지 않음. 가정과 가중치는 확인되지 않음",
          about_en="new blocks by the surfaces assumed for their use (planned.yaml) and their planned buildings, without planted roofs; neither assumptions nor weights are verified"),
    Field(name="biotope_change_pct", kind="real", ko="생태면적률 변화 (계획 − 현재)", en="Change of the biotope area ratio, planned minus present", unit="%p", decimals=2, minimum=-100, maximum=100, required=False,
          about_ko="두 비율 모두 환경부 가중치", about_en="both ratios by the weights of the ministry"),
)

BIOTOPE_MEAN_TARGET = (
    Field(name="biotope_mean_target_pct", kind="real", ko="건축할 땅의 평균 목표 생태면적률", en="Mean target of building land", unit="%", decimals=1, minimum=0, maximum=100, required=False,
          about_ko="목표가 있는 필지(계획은 블록)의 면적가중 평균. 옆의 비율은 전체 땅의 것이므로 그대로 견주지 않는다. 확인되지 않음",
          about_en="by area over the parcels (in a plan: blocks) that have a target; the ratios beside it are of all land, so the two are not to be compared as they stand; not verified"),
)

ROOF_BUDGET_FIELDS = (
    Field(name="pv_roof_m2", kind="real", ko="태양광이 쓰는 지붕(수평)", en="Roof taken by PV, from above", unit="m2", decimals=1, minimum=0, required=False),
    Field(name="green_roof_m2", kind="real", ko="태양광 뒤 남는 옥상녹화 가능 면적", en="Roof left for plants beside PV", unit="m2", decimals=1, minimum=0, required=False,
          about_ko="평지붕에서 태양광 설치 가능 면적과 비워 둘 20 %를 뺀 나머지. 태양광 면적과 겹치지 않는다", about_en="flat roof less the usable area of PV and the 20 % that stays free; no square metre counts for both"),
)
