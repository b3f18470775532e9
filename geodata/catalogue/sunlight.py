"""Declarations of winter sunlight: columns of residential buildings."""

from __future__ import annotations

from geodata.catalogue.model import Field

_COUNT_KO = "남향 벽 가장 낮은 층의 점에서 잰 시간이며 기준 충족 판정이 아니다. 나무는 가리지 않는 것으로 본다"
_COUNT_EN = "counted at points of the lowest storey on walls that look south; no statement that a rule is met. Trees hide nothing here"


def _hours(name: str, ko: str, en: str, about_ko: str, about_en: str) -> Field:
    return Field(name=name, kind="real", ko=ko, en=en, unit="h", decimals=2, minimum=0, maximum=8, required=False,
                 about_ko=f"{about_ko}. {_COUNT_KO}", about_en=f"{about_en}; {_COUNT_EN}")


WINTER_SUN = (
    Field(name="winter_sun_points", kind="integer", ko="동지 일조 측정점 수", en="Points of the winter sun", minimum=0, required=False,
          about_ko="주거 건물의 남향 벽을 따라 놓은 점. 가려진 벽이나 지반고를 모르는 건물은 0", about_en="along walls of residential buildings that look south; 0 where such walls are walled in or the ground height is not known"),
    _hours("winter_sun_run_least_h", "동지 연속 일조 최소 (9–15시)", "Winter sun unbroken, least lit point (9–15 h)", "동지 9시부터 15시 사이 끊기지 않는 일조, 가장 불리한 점", "unbroken sun between 9 and 15 at the solstice, at the point that has least"),
    _hours("winter_sun_run_median_h", "동지 연속 일조 중앙값 (9–15시)", "Winter sun unbroken, median point (9–15 h)", "같은 값의 중앙값", "the same, median of the points"),
    _hours("winter_sun_sum_least_h", "동지 총 일조 최소 (8–16시)", "Winter sun in sum, least lit point (8–16 h)", "동지 8시부터 16시 사이 일조의 합, 가장 불리한 점", "sum of sun between 8 and 16 at the solstice, at the point that has least"),
    _hours("winter_sun_sum_median_h", "동지 총 일조 중앙값 (8–16시)", "Winter sun in sum, median point (8–16 h)", "같은 값의 중앙값", "the same, median of the points"),
    Field(name="winter_sun_reached_pct", kind="real", ko="연속 2시간 또는 합계 4시간에 이른 점의 비율", en="Points with 2 h unbroken or 4 h in sum", unit="%", decimals=1, minimum=0, maximum=100, required=False,
          about_ko=f"확인되지 않은 참고 기준(verified: false)에 견준 비율. {_COUNT_KO}", about_en=f"beside figures that nobody has verified (verified: false); {_COUNT_EN}"),
)
"""Of residential buildings; empty for all others."""
