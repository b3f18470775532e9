"""Declarations of `changes.gpkg`: what a release holds that the release before did not, and the other way round.

These layers are not in `LAYERS`: they follow from two releases, never from the inputs of one.
"""

from __future__ import annotations

from geodata.catalogue.model import Choice, Field, Layer
from geodata.catalogue.shared import DONG_CODE

CHANGES = {
    "added": Choice(ko="추가", en="added"),
    "removed": Choice(ko="삭제", en="removed"),
    "altered": Choice(ko="변경", en="altered"),
}

_SCENARIO = Field(name="scenario", kind="text", ko="시나리오", en="Scenario", nullable=False)
_LAYER = Field(name="layer", kind="text", ko="레이어", en="Layer", nullable=False)
_LAYER_KO = Field(name="layer_ko", kind="text", ko="레이어 이름", en="Layer (Korean)", nullable=False)
_KEY = Field(name="feature_key", kind="text", ko="식별자", en="Key", nullable=False, about_ko="그 레이어의 키 값", about_en="value of the layer's key")
_FIELD = Field(name="field", kind="text", ko="필드", en="Field", nullable=False, about_ko="geom은 도형", about_en="geom is the shape")
_FIELD_KO = Field(name="field_ko", kind="text", ko="필드 이름", en="Field (Korean)", nullable=False)
_FIELD_EN = Field(name="field_en", kind="text", ko="필드 이름(영문)", en="Field (English)", nullable=False)

CHANGED_LAYERS = Layer(
    name="changed_layers",
    ko="레이어별 변경 수",
    en="Changes by layer",
    about_ko="시나리오와 레이어마다 이전 릴리스와 이번 릴리스의 객체 수, 추가·삭제·변경 수. 키가 없는 표는 행 집합으로 비교한다.",
    about_en="Rows of both releases by scenario and layer, and how many were added, removed and altered. Tables without a key are compared as sets of rows.",
    geometry=None,
    key=None,
    fields=(
        _SCENARIO, _LAYER, _LAYER_KO,
        Field(name="rows_before", kind="integer", ko="이전 행 수", en="Rows before", minimum=0, about_ko="비어 있으면 그 레이어가 없었다", about_en="empty where the layer did not exist"),
        Field(name="rows_after", kind="integer", ko="이번 행 수", en="Rows now", minimum=0, about_ko="비어 있으면 그 레이어가 없다", about_en="empty where the layer does not exist"),
        Field(name="added", kind="integer", ko="추가", en="Added", minimum=0),
        Field(name="removed", kind="integer", ko="삭제", en="Removed", minimum=0),
        Field(name="altered", kind="integer", ko="변경", en="Altered", minimum=0),
        Field(name="note", kind="text", ko="비고", en="Note", about_ko="비교하지 않은 것과 그 이유", about_en="what was not compared, and why"),
    ),
)  # fmt: skip

CHANGED_FIELDS = Layer(
    name="changed_fields",
    ko="필드별 변경 수",
    en="Changes by field",
    about_ko="필드마다 값이 바뀐 객체 수와 차이. listed가 거짓이면 너무 많아 값을 하나씩 싣지 않았다.",
    about_en="How many features changed in a field, and by how much. Where listed is false, the single values were too many to be published.",
    geometry=None,
    key=None,
    fields=(
        _SCENARIO, _LAYER, _FIELD, _FIELD_KO, _FIELD_EN,
        Field(name="unit", kind="text", ko="차이의 단위", en="Unit of the differences"),
        Field(name="altered", kind="integer", ko="바뀐 객체 수", en="Features altered", nullable=False, minimum=1),
        Field(name="difference_mean", kind="real", ko="차이 평균", en="Mean difference", decimals=3, about_ko="이번 값 − 이전 값", about_en="new minus old value"),
        Field(name="difference_min", kind="real", ko="차이 최소", en="Least difference", decimals=3),
        Field(name="difference_max", kind="real", ko="차이 최대", en="Largest difference", decimals=3),
        Field(name="listed", kind="boolean", ko="값 수록", en="Values listed", nullable=False),
    ),
)  # fmt: skip

CHANGED_FEATURES = Layer(
    name="changed_features",
    ko="바뀐 객체",
    en="Changed features",
    about_ko="추가·삭제·변경된 객체의 도형 안의 점. 삭제된 객체는 이전 도형에서 찍었다.",
    about_en="A point inside each feature that was added, removed or altered; of a removed one, inside its old shape.",
    geometry="Point",
    key="change_id",
    fields=(
        Field(name="change_id", kind="text", ko="변경 식별자", en="Change", nullable=False, unique=True),
        _SCENARIO, _LAYER, _LAYER_KO, _KEY, DONG_CODE,
        Field(name="change", kind="text", ko="변경 구분", en="Kind of change", nullable=False, choices=CHANGES),
        Field(name="field_count", kind="integer", ko="바뀐 필드 수", en="Fields altered", nullable=False, minimum=0),
        Field(name="fields", kind="text", ko="바뀐 필드", en="Which fields", about_ko="처음 여섯 개", about_en="the first six"),
    ),
)  # fmt: skip

CHANGED_VALUES = Layer(
    name="changed_values",
    ko="바뀐 값",
    en="Changed values",
    about_ko="변경된 객체의 필드마다 이전 값과 이번 값. 도형(geom)은 면적(m2)으로 적는다.",
    about_en="Old and new value of every field of an altered feature. A shape (geom) is told by its area in m2.",
    geometry=None,
    key=None,
    fields=(
        _SCENARIO, _LAYER, _KEY, _FIELD, _FIELD_KO, _FIELD_EN,
        Field(name="unit", kind="text", ko="단위", en="Unit"),
        Field(name="old_value", kind="text", ko="이전 값", en="Old value"),
        Field(name="new_value", kind="text", ko="이번 값", en="New value"),
        Field(name="difference", kind="real", ko="차이", en="Difference", decimals=3, about_ko="이번 값 − 이전 값", about_en="new minus old value"),
    ),
)  # fmt: skip

CHANGE_LAYERS: dict[str, Layer] = {
    layer.name: layer for layer in (CHANGED_FEATURES, CHANGED_LAYERS, CHANGED_FIELDS, CHANGED_VALUES)
}
"""All layers of `changes.gpkg` in the order in which they are published."""
