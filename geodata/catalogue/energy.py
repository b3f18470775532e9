"""Declarations of energy, uncertainty, carbon and money: columns of buildings, roofs and sums, and the layers made of them."""

from __future__ import annotations

from geodata.catalogue.model import Choice, Field, Layer

ENERGY_USES = {
    "apartment": Choice(ko="공동주택", en="apartments"),
    "house": Choice(ko="단독주택", en="houses"),
    "shop": Choice(ko="근린생활·판매", en="shops and services"),
    "office": Choice(ko="업무", en="offices"),
    "school": Choice(ko="교육연구", en="education"),
    "care": Choice(ko="노유자·수련", en="care and training"),
    "culture": Choice(ko="문화·종교·운동", en="culture, religion, sports"),
    "hospital": Choice(ko="의료", en="health care"),
    "lodging": Choice(ko="숙박", en="lodging"),
    "industry": Choice(ko="공장·산업", en="industry"),
    "storage": Choice(ko="창고·축사", en="storage and stables"),
    "unknown": Choice(ko="용도 미상", en="use unknown"),
}
"""The uses of ``twin/energy/uses.yaml``."""

ZEB_GRADES = {
    "plus": Choice(ko="플러스 등급 수준", en="level of the plus grade"),
    **{str(n): Choice(ko=f"{n}등급 수준", en=f"level of grade {n}") for n in range(1, 6)},
    "none": Choice(ko="등급 미만", en="below the grades"),
}

STATEMENTS = {
    "indicative_above": Choice(ko="참고: 기준값 이상", en="indication: above the value"),
    "indicative_below": Choice(ko="참고: 기준값 미만", en="indication: below the value"),
    "complies": Choice(ko="기준 충족", en="complies"),
    "falls_short": Choice(ko="기준 미달", en="falls short"),
}


def _kwh(name: str, ko: str, en: str, about_ko: str = "", about_en: str = "", *, sunlit: bool = True) -> Field:
    return Field(name=name, kind="real", ko=ko, en=en, unit="kWh", decimals=0, minimum=0, sunlit=sunlit, required=False,
                 about_ko=about_ko, about_en=about_en)


def _pct(name: str, ko: str, en: str, about_ko: str, about_en: str, *, maximum: float | None = 100) -> Field:
    return Field(name=name, kind="real", ko=ko, en=en, unit="%", decimals=1, minimum=0, maximum=maximum, sunlit=True, required=False,
                 about_ko=about_ko, about_en=about_en)


def _kw(name: str, ko: str, en: str, about_ko: str, about_en: str) -> Field:
    return Field(name=name, kind="real", ko=ko, en=en, unit="kW", decimals=1, minimum=0, sunlit=True, required=False, about_ko=about_ko, about_en=about_en)


def _krw(name: str, ko: str, en: str, about_ko: str, about_en: str, *, minimum: float | None = None) -> Field:
    return Field(name=name, kind="real", ko=ko, en=en, unit="KRW", decimals=0, minimum=minimum, sunlit=minimum is None, required=False,
                 about_ko=about_ko, about_en=about_en)


_AVOIDED = Field(name="avoided_tco2", kind="real", ko="연간 온실가스 감축량", en="Avoided emissions a year", unit="tCO2eq", decimals=2, minimum=0, sunlit=True, required=False,
                 about_ko="연간 발전량 × 최근 공표된 전력 배출계수 (2023년 0.4173 tCO2eq/MWh)", about_en="yearly yield × the newest published grid factor (0.4173 tCO2eq/MWh of 2023)")
_CAPEX = _krw("capex_krw", "설치비", "Investment", "규모별 단가의 가정. 견적이 아니다", "assumed price by size, no offer", minimum=0)
_NPV = _krw("npv_krw", "순현재가치", "Net present value", "20년, 할인율 4.5 %의 가정", "over 20 years at 4.5 %, assumptions in run_info")

ENERGY_SUMS = (
    _kwh("demand_kwh", "연간 전력 수요", "Yearly electricity demand", "연면적 × 용도별 전력 사용량(가정). 가스·열은 빠져 있다", "floor area × intensity of the use (assumed); gas and heat are not in it", sunlit=False),
    _kwh("self_consumed_kwh", "건물 안 자가소비", "Used within the building", "시간마다 건물 안에서 상쇄한 양의 합", "matched hour by hour within each building, summed up"),
    _kwh("export_kwh", "건물 밖으로 내보낸 전력", "Exported from buildings", "시간마다 건물에서 남은 양의 합", "left over hour by hour in each building, summed up"),
    _AVOIDED, _CAPEX, _NPV,
)
"""Columns that buildings hand up to districts and blocks."""

_SELF_CONSUMPTION = _pct("self_consumption_pct", "자가소비율", "Self-consumption", "발전량 중 그 건물이 그 시간에 쓴 비율", "share of the yield that its own building uses in the same hour")
_SELF_SUFFICIENCY = _pct("self_sufficiency_pct", "전력 자급률 (건물 안 상쇄)", "Self-sufficiency (within buildings)", "수요 중 그 건물 지붕이 그 시간에 채운 비율", "share of the demand that its own roof covers in the same hour")
_PV_SHARE = _pct("pv_share_of_demand_pct", "연간 수요 대비 발전량", "Yield by yearly demand", "시간을 따지지 않은 연간 비율. 100을 넘을 수 있다", "over the year, whenever it comes; may exceed 100", maximum=None)

ENERGY_BUILDING_FIELDS = (
    Field(name="energy_use", kind="text", ko="에너지 용도", en="Energy use", choices=ENERGY_USES, required=False,
          about_ko="건축물용도코드에서 정한 부하 분류", about_en="class of load, from the building use code"),
    *ENERGY_SUMS, _SELF_CONSUMPTION, _SELF_SUFFICIENCY, _PV_SHARE,
    _kw("peak_import_kw", "최대 수전 전력", "Peak import", "한 시간 평균의 연중 최대", "largest hourly mean of the year"),
    _kw("peak_export_kw", "최대 송전 전력", "Peak export", "한 시간 평균의 연중 최대", "largest hourly mean of the year"),
    Field(name="zeb_grade_indicative", kind="text", ko="제로에너지건축물 참고 등급", en="Zero-energy grade, indicative", choices=ZEB_GRADES, required=False,
          about_ko="전력만 본 연간 비율을 등급 문턱값에 견준 것. 인증이 아니다", about_en="yearly share of electricity beside the grades' thresholds; no certification"),
    Field(name="renewable_duty_pct", kind="real", ko="공공건축물 신재생 공급의무비율", en="Renewable duty of public buildings", unit="%", decimals=0, minimum=0, maximum=100, required=False,
          about_ko="공공 용도로 보이는 1,000 m2 이상 건축물. 허가 연도는 사용승인일에서 추정", about_en="of buildings of public use from 1,000 m2; the permit year is inferred from the approval"),
    Field(name="renewable_duty_statement", kind="text", ko="공급의무비율 대비", en="Beside the renewable duty", choices=STATEMENTS, required=False,
          about_ko="기준이 확인되지 않으면 참고로만 말한다", about_en="only an indication while the rule is not verified"),
    Field(name="lcoe_krw_kwh", kind="real", ko="균등화 발전원가", en="Levelised cost", unit="KRW/kWh", decimals=1, minimum=0, sunlit=True, required=False),
    Field(name="payback_years", kind="real", ko="단순 회수 기간", en="Simple payback", unit="a", decimals=1, minimum=0, sunlit=True, required=False,
          about_ko="첫해 순수입 기준. 회수되지 않으면 비어 있다", about_en="at the first year's net income; empty where it never pays"),
)

ENERGY_POOL_FIELDS = (
    *ENERGY_SUMS, _SELF_CONSUMPTION, _SELF_SUFFICIENCY, _PV_SHARE,
    _kwh("pooled_self_consumed_kwh", "공동체 자가소비", "Used within the community", "모든 건물의 발전과 수요를 시간마다 합쳐서 상쇄", "yield and demand of all buildings added up hour by hour, then matched"),
    _pct("pooled_self_sufficiency_pct", "전력 자급률 (공동체 상쇄)", "Self-sufficiency (as a community)", "수요 중 공동체의 지붕이 그 시간에 채운 비율", "share of the demand that all roofs together cover in the same hour"),
    _kwh("pooled_export_kwh", "공동체 밖으로 내보낸 전력", "Exported from the community"),
    _kw("pooled_peak_import_kw", "공동체 최대 수전 전력", "Peak import of the community", "합쳐서 본 한 시간 평균의 연중 최대", "largest hourly mean of all together"),
    _kw("pooled_peak_export_kw", "공동체 최대 송전 전력", "Peak export of the community", "합쳐서 본 한 시간 평균의 연중 최대", "largest hourly mean of all together"),
)

UNCERTAINTY_FIELDS = (
    Field(name="resource_correction_factor", kind="real", ko="일사 자원 보정계수", en="Resource correction factor", decimals=4, minimum=0, required=False,
          about_ko="계산에 쓴 연간 일사량 ÷ 기상 파일의 연간 일사량", about_en="yearly irradiation used ÷ that of the weather file"),
    Field(name="transposition_spread_pct", kind="real", ko="경사면 변환 모형 차이", en="Spread of sky models", unit="%", decimals=1, minimum=0, required=False,
          about_ko="pvlib 천공 모형 여섯 개의 모듈면 연간 일사량 (최대-최소) ÷ Perez", about_en="(largest - smallest) ÷ Perez of yearly irradiation on the module plane over six sky models of pvlib"),
)

CARBON_PATH = Layer(
    name="carbon_path",
    ko="탄소 경로",
    en="Carbon path",
    about_ko="지붕 태양광을 해마다 늘릴 때의 온실가스 감축과 사이트 파일의 감축 목표. 미래 배출계수는 시나리오이며 예측이 아니다.",
    about_en="What rooftop PV avoids as it is built year by year, beside the targets of the site file. Future grid factors are a scenario, not a forecast.",
    geometry=None,
    key="year",
    fields=(
        Field(name="year", kind="integer", ko="연도", en="Year", nullable=False, unique=True, minimum=1990, maximum=2200),
        Field(name="built_pct", kind="real", ko="연말 보급률", en="Built at the year's end", unit="%", decimals=1, nullable=False, minimum=0, maximum=100),
        Field(name="capacity_kwp", kind="real", ko="설비용량", en="PV capacity", unit="kWp", decimals=2, nullable=False, minimum=0),
        Field(name="yield_kwh", kind="real", ko="연간 발전량", en="Yearly yield", unit="kWh", decimals=0, nullable=False, minimum=0, sunlit=True),
        Field(name="grid_factor_tco2_mwh", kind="real", ko="전력 배출계수", en="Grid factor", unit="tCO2eq/MWh", decimals=4, nullable=False, minimum=0),
        Field(name="grid_factor_source", kind="text", ko="배출계수 출처", en="Source of the factor", nullable=False,
              choices={"published": Choice(ko="공표값", en="published"), "scenario": Choice(ko="시나리오", en="scenario")}),
        Field(name="avoided_tco2", kind="real", ko="연간 온실가스 감축량", en="Avoided emissions a year", unit="tCO2eq", decimals=2, nullable=False, minimum=0, sunlit=True),
        Field(name="avoided_sum_tco2", kind="real", ko="누적 감축량", en="Avoided so far", unit="tCO2eq", decimals=2, nullable=False, minimum=0, sunlit=True),
        Field(name="avoided_held_tco2", kind="real", ko="연간 감축량 (최근 배출계수 고정)", en="Avoided a year, newest published factor held", unit="tCO2eq", decimals=2, nullable=False, minimum=0, sunlit=True),
        Field(name="avoided_held_sum_tco2", kind="real", ko="누적 감축량 (최근 배출계수 고정)", en="Avoided so far, newest published factor held", unit="tCO2eq", decimals=2, nullable=False, minimum=0, sunlit=True),
        Field(name="target_reduction_pct", kind="real", ko="목표 감축률", en="Reduction asked for", unit="%", decimals=1, nullable=False, minimum=0, maximum=100,
              about_ko="목표 연도 사이는 직선", about_en="straight lines between the target years"),
        Field(name="target_reduction_tco2", kind="real", ko="목표 감축량", en="Reduction asked for, in tonnes", unit="tCO2eq", decimals=0, minimum=0, required=False),
        Field(name="share_of_target_pct", kind="real", ko="목표 감축량 중 지붕 태양광 몫", en="Rooftop PV as a share of the target", unit="%", decimals=2, minimum=0, sunlit=True, required=False,
              about_ko="최근 공표된 배출계수를 고정한 값으로", about_en="with the newest published factor held"),
    ),
)
