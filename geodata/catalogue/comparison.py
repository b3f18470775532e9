"""Declarations of ``comparison.gpkg``: each plan beside the town as it is, and the change, by district and by plan block.

Every compared column is derived from the one that both scenarios publish, so units, decimals and labels cannot part.
"""

from __future__ import annotations

from collections.abc import Iterable

from geodata.catalogue.biotope import BIOTOPE_MEAN_TARGET, BIOTOPE_PLANNED, BIOTOPE_RATIOS, GREEN_PARTS
from geodata.catalogue.cadastre import DISTRICTS, PLAN_BLOCKS
from geodata.catalogue.energy import ENERGY_POOL_FIELDS
from geodata.catalogue.model import Field, Layer, difference_unit
from geodata.catalogue.planning import BLOCK_SUM_FIELDS
from geodata.catalogue.shared import COVER_FIELDS, GREEN_COVER, SOLAR_SUMS

EXISTING, PLANNED, CHANGE = "existing", "planned", "change"
SIDES = {EXISTING: ("현재", "existing"), PLANNED: ("계획", "planned"), CHANGE: ("변화", "change")}
"""Endings of a compared column, and the words that its label gains."""

NOT_COMPARED = frozenset(
    {
        "area_m2", "park_standard_per_resident_m2", "cover_resolution_m",
        *(field.name for field in (*BIOTOPE_RATIOS, *BIOTOPE_PLANNED, *BIOTOPE_MEAN_TARGET)),
    }
)  # fmt: skip
"""Numbers that no plan changes: the shape itself, what a rule says, how fine the sources are; and the biotope area ratio, of which
a plan publishes present, planned and the change itself."""


def compared(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Return those of ``fields`` that are quantities of the town and can be subtracted."""
    return tuple(field for field in fields if field.kind in ("integer", "real") and field.name not in NOT_COMPARED)


def _sides(field: Field) -> tuple[Field, ...]:
    made = []
    for side, (ko, en) in SIDES.items():
        change: dict[str, object] = {"minimum": None, "maximum": None} if side == CHANGE else {}
        if side == CHANGE:
            change |= {"about_ko": "계획에서 현재를 뺀 값", "about_en": "planned minus existing"}
            change |= {"unit": difference_unit(field.unit)}
        words = {"name": f"{field.name}_{side}", "ko": f"{field.ko}, {ko}", "en": f"{field.en}, {en}"}
        made.append(field.model_copy(update={**words, "nullable": True, "required": False, **change}))
    return tuple(made)


DISTRICT_QUANTITIES = compared(DISTRICTS.fields)
BLOCK_QUANTITIES = compared((*BLOCK_SUM_FIELDS, *GREEN_COVER, *GREEN_PARTS, *COVER_FIELDS, *SOLAR_SUMS, *ENERGY_POOL_FIELDS))

_IDENTITY = (
    Field(name="comparison_id", kind="text", ko="비교 식별자", en="Comparison", nullable=False, unique=True,
          about_ko="시나리오/법정동코드 또는 시나리오/블록번호", about_en="scenario/dong code or scenario/block"),
    Field(name="scenario", kind="text", ko="시나리오", en="Scenario", nullable=False,
          about_ko="현재와 견준 계획", about_en="the plan that is held against the present"),
)

COMPARISON_DISTRICTS = Layer(
    name="comparison_districts",
    ko="계획과 현재의 비교: 법정동·사업지구",
    en="Plan against present: districts",
    about_ko="시나리오마다 두 twin.gpkg의 districts 층에 공개된 값과 그 차이.",
    about_en="For each plan the published values of the layer districts of both GeoPackages, and planned minus existing.",
    geometry="MultiPolygon",
    key="comparison_id",
    planned_only=True,
    fields=(
        *_IDENTITY,
        DISTRICTS["dong_code"].model_copy(update={"unique": False}),
        DISTRICTS["name_ko"], DISTRICTS["kind"], DISTRICTS["area_m2"],
        *(side for field in DISTRICT_QUANTITIES for side in _sides(field)),
    ),
)  # fmt: skip

COMPARISON_BLOCKS = Layer(
    name="comparison_blocks",
    ko="계획과 현재의 비교: 블록",
    en="Plan against present: blocks",
    about_ko="계획 블록의 공개된 값과, 지금 그 블록 안에 있는 것, 그 차이. 건물은 대표점이 블록 안에 있으면 세고, 피복은 겹친 면적을 잰다.",
    about_en="Published values of each plan block, what is inside its outline today, and planned minus existing. Of today's buildings "
    "those count whose representative point lies in the block; cover is the exact area shared with it.",
    geometry="MultiPolygon",
    key="comparison_id",
    planned_only=True,
    fields=(
        *_IDENTITY,
        PLAN_BLOCKS["block_id"].model_copy(update={"unique": False}),
        *(PLAN_BLOCKS[name] for name in ("land_use", "use_class", "block_status", "dong_code", "area_m2")),
        *(side for field in BLOCK_QUANTITIES for side in _sides(field)),
    ),
)  # fmt: skip
