"""What `run_info` says, in the words of the report."""

from __future__ import annotations

from collections.abc import Mapping

from geodata.catalogue import Choice
from geodata.site import ROLE_TITLES

RESOURCE = {
    "corrected": Choice(ko="관측 평년값으로 보정", en="corrected to a station normal"),
    "correction_exponent": Choice(ko="보정 지수 p", en="exponent p of the correction"),
    "correction_factor": Choice(ko="보정 배율", en="factor of the correction"),
    "correction_method": Choice(ko="보정 방법", en="method of the correction"),
    "ghi_file_kwh_m2": Choice(ko="기상 파일의 연간 수평면 일사량 (kWh/m²)", en="yearly global irradiation of the file"),
    "ghi_kwh_m2": Choice(ko="보정 뒤 연간 수평면 일사량 (kWh/m²)", en="yearly global irradiation that was used"),
    "interannual_source": Choice(ko="해마다의 변동, 출처", en="source of the variation from year to year"),
    "interannual_std_pct": Choice(ko="해마다의 변동, 표준편차 (%)", en="standard deviation from year to year"),
    "normal_source": Choice(ko="평년값 출처", en="source of the normal"),
    "normal_station": Choice(ko="평년값 관측소", en="station of the normal"),
    "normal_verified": Choice(ko="평년값 확인됨", en="normal was verified"),
    "notes": Choice(ko="알아 둘 것", en="notes"),
    "weather_source": Choice(ko="기상 파일", en="weather file"),
    "weather_station": Choice(ko="기상 파일의 지점", en="station of the weather file"),
}
"""Names of the topic `resource`."""
SAID = {"True": "예 / yes", "False": "아니오 / no"}
UNSAID = frozenset({"", "None", "nan"})


def resource_name(name: str) -> Choice:
    """Return what a name of the topic `resource` means; the name itself where it is new."""
    return RESOURCE.get(name, Choice(ko=name, en=""))


def source_name(asset: str) -> Choice:
    """Return what is missing in words, ``sources/roads`` for instance."""
    role = asset.rpartition("/")[2]
    titles: Mapping[str, tuple[str, str]] = {str(key): value for key, value in ROLE_TITLES.items()}
    return Choice(ko=titles[role][0], en=titles[role][1]) if role in titles else Choice(ko=asset, en="")
