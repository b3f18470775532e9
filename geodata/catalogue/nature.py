"""Declarations of green cover and parks."""

from __future__ import annotations

from geodata.catalogue.access import PARK_ENTRANCE_FIELDS
from geodata.catalogue.biotope import GREEN_GROUP_WORDS, GREEN_SOURCE_FIELDS
from geodata.catalogue.heat import HEAT_FIELDS
from geodata.catalogue.model import Choice, Field, Layer
from geodata.catalogue.shared import DONG_CODE

GREEN = Layer(
    name="green",
    ko="녹지 피복",
    en="Green cover",
    about_ko="토지피복, 식생지수, 계획에서 얻은 녹지 다각형. 출처는 다각형마다 적고 서로 겹치지 않는다. 시설재배지(비닐하우스)는 녹지로 보지 않는다.",
    about_en="Green polygons from land cover, vegetation index and plan; each tells its source, and they do not overlap. Greenhouses do not count as green.",
    geometry="MultiPolygon",
    key="green_id",
    fields=(
        Field(name="green_id", kind="text", ko="녹지 식별자", en="Green polygon", nullable=False, unique=True),
        Field(name="class_code", kind="text", ko="피복 분류코드", en="Class code", nullable=False),
        Field(name="class_ko", kind="text", ko="피복 분류", en="Class (Korean)", nullable=False),
        Field(name="class_en", kind="text", ko="피복 분류(영문)", en="Class", nullable=False),
        Field(name="group", kind="text", ko="녹지 구분", en="Group", nullable=False,
              choices=GREEN_GROUP_WORDS),
        Field(name="area_m2", kind="real", ko="면적", en="Area", unit="m2", decimals=1, nullable=False, minimum=0),
        Field(name="is_canopy", kind="boolean", ko="수관 여부", en="Tree canopy",
              about_ko="비어 있으면 나무인지 알 수 없음", about_en="empty where it is not known whether trees grow"),
        Field(name="is_agricultural", kind="boolean", ko="농경지 여부", en="Agricultural", nullable=False),
        Field(name="source", kind="text", ko="출처", en="Source", nullable=False),
        *GREEN_SOURCE_FIELDS,
    ),
)

PARKS = Layer(
    name="parks",
    ko="공원·녹지 (도시계획시설)",
    en="Parks",
    about_ko="도시계획시설(공간시설)의 공원과 녹지. 결정된 시설이며 조성 여부는 status가 말한다. 관측된 녹지 피복과 다르다.",
    about_en="Parks and green spaces designated by urban planning; status tells whether they are built. Not the same as observed green cover.",
    geometry="MultiPolygon",
    key="park_id",
    fields=(
        Field(name="park_id", kind="text", ko="공원 식별자", en="Park", nullable=False, unique=True),
        Field(name="name", kind="text", ko="이름", en="Name"),
        Field(name="class_code", kind="text", ko="시설 분류코드", en="Class code", nullable=False, about_ko="도시계획시설 분류 (UQT…)", about_en="urban planning facility class (UQT…)"),
        Field(name="class_ko", kind="text", ko="시설 분류", en="Class (Korean)"),
        Field(name="class_en", kind="text", ko="시설 분류(영문)", en="Class"),
        Field(name="status", kind="text", ko="조성 상태", en="Status", nullable=False,
              choices={"built": Choice(ko="조성", en="built"), "planned": Choice(ko="미조성", en="planned"), "unknown": Choice(ko="알 수 없음", en="unknown")}),
        DONG_CODE,
        Field(name="area_m2", kind="real", ko="면적", en="Area", unit="m2", decimals=1, nullable=False, minimum=0),
        *PARK_ENTRANCE_FIELDS,
        *HEAT_FIELDS,
    ),
)
