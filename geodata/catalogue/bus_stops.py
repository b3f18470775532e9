"""Declarations of bus stops: the layer, and what dongs and the district tell of theirs."""

from __future__ import annotations

from geodata.catalogue.model import Field, Layer
from geodata.catalogue.shared import DONG_CODE

BUS_STOPS = Layer(
    name="bus_stops",
    ko="버스정류장",
    en="Bus stops",
    about_ko="전국 버스정류장 위치정보의 정류장. 계획이 땅을 바꾸는 곳의 정류장은 계획에서 뺀다. 쉘터의 그늘은 알 수 없다.",
    about_en="Stops of the national list. In a plan those on ground that it changes are left out. What shade a shelter gives is not known.",
    geometry="Point",
    key="stop_id",
    fields=(
        Field(name="stop_id", kind="text", ko="정류장 식별자", en="Stop", nullable=False, unique=True),
        Field(name="name", kind="text", ko="이름", en="Name"),
        DONG_CODE,
        Field(name="stop_shade_h", kind="real", ko="여름철 정류장의 하루 그늘 시간", en="Shade at the stop on a summer day", unit="h", decimals=1, minimum=0, maximum=24, required=False,
              about_ko="6~8월 하루 평균. 정류장 둘레 5 m의 지붕 없는 땅에서 태양이 떠 있으나 건물·지형·나무에 가린 시간",
              about_en="mean day of June to August; hours with the sun up but hidden by buildings, terrain or trees, over open ground within 5 m of the stop"),
    ),
)

STOP_FIELDS = (
    Field(name="bus_stop_count", kind="integer", ko="버스정류장 수", en="Bus stops", minimum=0, required=False),
    Field(name="stop_shade_h", kind="real", ko="여름철 정류장의 하루 그늘 시간 (평균)", en="Shade at bus stops on a summer day, mean", unit="h", decimals=1, minimum=0, maximum=24, required=False,
          about_ko="그늘을 아는 정류장의 평균. 정류장이 없으면 비어 있다", about_en="mean of the stops whose shade is known; empty without any"),
)  # fmt: skip
