"""What the report tells, theme by theme: which columns of `districts` belong to which theme.

Columns come from the catalogue by what their name says, so that a new indicator finds its place without a change here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from geodata.catalogue import LAYERS
from geodata.catalogue.model import Field

MONTH = re.compile(r"yield_(\d\d)_kwh")
_PLACE = frozenset({"dong_code", "name_ko", "kind"})


@dataclass(frozen=True)
class Theme:
    """One chapter; ``columns`` is a pattern of column names, ``maps`` are layers that are shown as a picture."""

    key: str
    ko: str
    en: str
    columns: str
    needs_ko: str
    needs_en: str
    maps: tuple[str, ...] = ()


THEMES: tuple[Theme, ...] = (
    Theme(
        "sun",
        "태양",
        "Sun",
        r"roof_.*|usable_.*|capacity_.*|yield_.*|specific_.*|.*irradiation.*|shading_.*",
        "건물과 기상 자료",
        "buildings and weather",
        ("roofs",),
    ),
    Theme(
        "carbon",
        "탄소",
        "Carbon",
        r".*(tco2|carbon|emission|avoided).*",
        "전력 배출계수와 수요 자료",
        "grid factors and demand",
    ),
    Theme(
        "energy",
        "에너지",
        "Energy",
        r".*(demand|self_|surplus|export|import|storage|_krw|payback|cost).*|homes.*|floor_area_.*",
        "건물 용도·연면적과 전력 수요 원단위",
        "building uses, floor areas and demand figures",
    ),
    Theme(
        "access",
        "접근과 쾌적",
        "Access and comfort",
        r"park_.*|.*(_300|rule_3|three_|walk|access|shade_|heat_|impervious_|lst_|trees_).*",
        "도시계획시설(공원)과 도로",
        "parks of the urban plan and roads",
        ("parks",),
    ),
    Theme(
        "green",
        "녹지",
        "Green",
        r"green_.*|canopy_.*|cover_.*|biotope.*|plot_.*|nature_.*",
        "토지피복지도 또는 식생지수",
        "land cover map or vegetation index",
        ("green",),
    ),
    Theme("town", "도시", "Town", r".*", "필지와 건물", "parcels and buildings"),
)
"""In the order in which a column is offered to them; the last takes what no other wants."""

READING_ORDER = ("sun", "green", "energy", "carbon", "access", "town")


def theme_of(column: str) -> str | None:
    """Return the key of the theme to which a column of `districts` belongs; None for names and months."""
    if column in _PLACE or MONTH.fullmatch(column):
        return None
    return next(theme.key for theme in THEMES if re.fullmatch(theme.columns, column))


def theme_fields(theme: Theme, columns: list[str]) -> list[Field]:
    """Return the declared numeric fields of ``theme`` among the published ``columns``, in the catalogue's order."""
    return [
        field
        for field in LAYERS["districts"].fields
        if field.name in columns and field.kind in ("real", "integer") and theme_of(field.name) == theme.key
    ]


def in_reading_order() -> list[Theme]:
    """Return the themes as they follow each other on the page."""
    by_key = {theme.key: theme for theme in THEMES}
    return [by_key[key] for key in READING_ORDER]
