"""Columns that several layers carry under one name because they are one quantity."""

from __future__ import annotations

from geodata.catalogue.model import Field

DONG_CODE = Field(name="dong_code", kind="text", ko="법정동코드", en="Legal dong code", pattern=r"^[0-9]{10}$",
                  about_ko="PNU의 앞 10자리, 없으면 가장 많이 겹치는 법정동", about_en="first ten digits of the PNU, else the dong with the largest overlap")

GREEN_COVER = (
    Field(name="green_area_m2", kind="real", ko="녹지 피복 면적", en="Green cover area", unit="m2", decimals=1, minimum=0, required=False),
    Field(name="green_cover_pct", kind="real", ko="녹피율", en="Green cover", unit="%", decimals=2, minimum=0, maximum=100, required=False,
          about_ko="green 층이 덮는 정확한 면적 비율. 토지피복도 식생지수도 닿지 않으면 비어 있다",
          about_en="exact share of the area under polygons of the layer green; empty where neither land cover nor a vegetation index reaches"),
)

COVER_CLASSES = {
    "built": ("시가화건조지역", "built-up"),
    "farm": ("농업지역", "farmland"),
    "forest": ("산림지역", "forest"),
    "grass": ("초지", "grass"),
    "wetland": ("습지", "wetland"),
    "bare": ("나지", "bare ground"),
    "water": ("수역", "water"),
    "unknown": ("자료 없음", "no data"),
}
"""Level-1 classes of the Korean land cover map, in the order of their codes 100 to 700; the parts sum to the whole."""

COVER_FIELDS = tuple(
    Field(name=f"cover_{name}_m2", kind="real", ko=f"토지피복: {ko}", en=f"Land cover: {en}", unit="m2", decimals=1, minimum=0, required=False,
          about_ko="토지피복 대분류 면적. 모든 분류의 합은 전체 면적", about_en="area of the level-1 land cover class; all classes sum to the whole area")
    for name, (ko, en) in COVER_CLASSES.items()
)

MONTHLY_YIELD = tuple(
    Field(name=f"yield_{month:02d}_kwh", kind="real", ko=f"{month}월 발전량", en=f"Yield, month {month}", unit="kWh", decimals=1, minimum=0, sunlit=True, required=False)
    for month in range(1, 13)
)

SOLAR_SUMS = (
    Field(name="roof_area_m2", kind="real", ko="지붕 면적", en="Roof area", unit="m2", decimals=1, minimum=0, required=False),
    Field(name="usable_area_m2", kind="real", ko="태양광 설치 가능 면적", en="Usable roof area", unit="m2", decimals=1, minimum=0, required=False),
    Field(name="capacity_kwp", kind="real", ko="설비용량", en="PV capacity", unit="kWp", decimals=2, minimum=0, required=False),
    Field(name="yield_kwh", kind="real", ko="연간 발전량", en="Yearly yield", unit="kWh", decimals=0, minimum=0, sunlit=True, required=False,
          about_ko="지붕 태양광의 연간 교류 발전량", about_en="yearly AC energy of rooftop PV"),
    Field(name="yield_p90_kwh", kind="real", ko="연간 발전량 P90", en="Yearly yield, P90", unit="kWh", decimals=0, minimum=0, sunlit=True, required=False,
          about_ko="열 해 중 아홉 해가 넘는 값. 한 해의 날씨는 모든 지붕에 같으므로 그대로 더해진다", about_en="what nine years of ten exceed; one year's weather is common to all roofs, so it sums up"),
    *MONTHLY_YIELD,
)
