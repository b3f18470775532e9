"""Declarations of `whatif.gpkg`: one block built otherwise, beside the plan as it was computed."""

from __future__ import annotations

from geodata.catalogue.buildings import BUILDINGS, ROOFS
from geodata.catalogue.cadastre import PLAN_BLOCKS
from geodata.catalogue.model import Choice, Field, Layer, difference_unit

PLACES = {
    "block": Choice(ko="고친 블록", en="edited block"),
    "neighbours": Choice(ko="영향받은 이웃", en="neighbours that it reaches"),
    "town": Choice(ko="도시 전체", en="whole town"),
}
FATES = {
    "new": Choice(ko="새로 생김", en="arrives"),
    "gone": Choice(ko="없어짐", en="leaves"),
    "changed": Choice(ko="달라짐", en="changes"),
    "same": Choice(ko="그대로", en="as before"),
}

PLACE = Field(name="place", kind="text", ko="범위", en="Where", nullable=False, choices=PLACES)
COMPARED_BLOCKS = (
    "building_count", "building_footprint_m2", "floor_area_m2", "homes_built", "capacity_kwp", "yield_kwh", "demand_kwh",
    "self_consumed_kwh", "self_sufficiency_pct", "pooled_self_sufficiency_pct", "avoided_tco2",
)  # fmt: skip
COMPARED_BUILDINGS = (
    "height", "floors_above", "homes", "floor_area_m2", "capacity_kwp", "yield_kwh", "demand_kwh", "self_sufficiency_pct", "avoided_tco2",
    "winter_sun_run_least_h", "winter_sun_run_median_h", "winter_sun_sum_median_h",
)  # fmt: skip


def _compared(field: Field) -> tuple[Field, ...]:
    """Return the columns that tell ``field`` before and after the edit, and the difference."""
    decimals = 0 if field.kind == "integer" else field.decimals
    words = {"before": ("이전", "before"), "after": ("이후", "after"), "change": ("차이", "difference")}
    return tuple(
        Field(
            name=f"{field.name}_{state}", kind="real", ko=f"{field.ko} ({ko})", en=f"{field.en}, {en}",
            unit=difference_unit(field.unit) if state == "change" else field.unit,
            decimals=decimals, sunlit=field.sunlit, required=False,
        )
        for state, (ko, en) in words.items()
    )  # fmt: skip


SUMMARY = Layer(
    name="whatif_summary",
    ko="가정 검토 요약",
    en="What if, summary",
    about_ko="블록 하나를 고쳤을 때의 값과 마지막으로 계산한 계획의 값.",
    about_en="Figures with one block edited, beside those of the plan as it was last computed.",
    geometry=None,
    key="row",
    fields=(
        Field(name="row", kind="integer", ko="순서", en="Order", nullable=False, unique=True, minimum=1),
        PLACE,
        Field(name="measure", kind="text", ko="항목", en="Measure", nullable=False),
        Field(name="measure_ko", kind="text", ko="항목 이름", en="Name in Korean", nullable=False),
        Field(name="measure_en", kind="text", ko="항목 영문명", en="Name in English", nullable=False),
        Field(name="unit", kind="text", ko="단위", en="Unit", about_ko="차이가 %이면 %p", about_en="differences of % are %p"),
        Field(name="before", kind="real", ko="이전", en="Before", decimals=2),
        Field(name="after", kind="real", ko="이후", en="After", decimals=2),
        Field(name="change", kind="real", ko="차이", en="Difference", decimals=2),
    ),
)

BLOCKS = Layer(
    name="whatif_blocks",
    ko="가정 검토: 블록",
    en="What if, blocks",
    about_ko="고친 블록과, 지붕의 하늘이 달라진 건물이 있는 블록.",
    about_en="The edited block, and blocks with a building whose roof sees another sky.",
    geometry="MultiPolygon",
    key="block_id",
    fields=(
        PLAN_BLOCKS["block_id"],
        PLACE,
        PLAN_BLOCKS["land_use"],
        PLAN_BLOCKS["use_class"],
        PLAN_BLOCKS["block_status"],
        PLAN_BLOCKS["area_m2"],
        *(field for name in COMPARED_BLOCKS for field in _compared(PLAN_BLOCKS[name])),
    ),
)

HOUSES = Layer(
    name="whatif_buildings",
    ko="가정 검토: 건물",
    en="What if, buildings",
    about_ko="고친 블록의 건물과, 지붕의 하늘이나 동지 일조가 달라진 이웃 건물. 도형은 이후의 것, 없어지는 건물은 이전의 것.",
    about_en="Buildings of the edited block and neighbours whose roofs see another sky or whose winter sun changes. Shapes are those after the edit, of buildings that leave those before.",
    geometry="MultiPolygon",
    key="building_id",
    fields=(
        BUILDINGS["building_id"],
        PLACE,
        Field(name="fate", kind="text", ko="변화", en="Change", nullable=False, choices=FATES),
        BUILDINGS["block_id"],
        BUILDINGS["use"],
        *(field for name in COMPARED_BUILDINGS for field in _compared(BUILDINGS[name])),
        *_compared(ROOFS["shading_loss_pct"]),
    ),
)

WHATIF_LAYERS: dict[str, Layer] = {layer.name: layer for layer in (SUMMARY, BLOCKS, HOUSES)}
"""Layers of `whatif.gpkg`, in order."""
