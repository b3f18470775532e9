"""Topographic map sheets (수치지형도 2.0) at 1:1,000 and 1:5,000, and the continuous edition (연속수치지형도).

A layer is known by its columns and by the feature identifier (UFID) of its records, which says the sheet and the kind of
feature: ``1000`` (the agency), nine digits of the sheet (1:5,000 sheets have eight, after a zero), ``B001`` (the
feature code) and a number. Columns come in three spellings: Korean, the English of the continuous edition (``NMLY``,
``RVWD``), and the English of the rules of 2026 (``BFLR_CO``, ``ROAD_BT``: 수치지형도 작성 작업 및 성과에 관한 규정 별표 2,
2026-05-28). A Korean name that a table in UTF-8 has cut to ten bytes stands beside the whole one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from geodata.products.model import Product, Signature
from geodata.site import Role

_AGENCY = "국토지리정보원 국토정보플랫폼"
_LICENCE = (
    "국토지리정보원 수치지형도: terms of the National Geographic Information Institute, to be checked per delivery"
)
_ATTRIBUTION = "국토지리정보원 수치지형도"
_UFID = ("UFID",)

SHEET = r"^[0-9]{4}0*([1-9][0-9]{6,8})[A-H][0-9]{3}"
"""Within a UFID: the number of the sheet that the record was cut from."""


@dataclass(frozen=True)
class _Scale:
    key: str
    ko: str
    sheet: str
    """Pattern of the sheet's nine digits in a UFID."""
    download: str


_SCALES = (
    _Scale("1000", "1:1,000", "[1-9][0-9]{8}", "1:1,000 도엽 (예: 376120506)"),
    _Scale("5000", "1:5,000", "0[1-9][0-9]{7}", "1:5,000 도엽 (예: 37612047) 또는 연속수치지형도"),
)


@dataclass(frozen=True)
class _Feature:
    """One kind of feature of the map."""

    key: str
    code: str
    """Feature code as it stands in a UFID; a pattern."""
    ko: str
    en: str
    role: Role | None
    columns: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...]
    geometry: tuple[str, ...]
    region_column: str | None = None
    unmistakable: bool = False
    """Its columns alone tell it: a UFID of another form does not matter."""


BUILDINGS = _Feature(
    key="BUILDINGS",
    code="B001",
    ko="건물",
    en="buildings",
    role="buildings",
    columns={
        "source_id": _UFID,
        "pnu": ("PNU_NO",),
        "dong_code": ("BJCD",),
        "name": ("명칭", "NAME", "BULD_NM"),
        "part_name": ("주기", "ANNO", "BATC_NM"),
        "kind": ("종류", "KIND", "BULD_SE"),
        "use": ("용도", "BPRP_SE"),
        "floors_above": ("층수", "NMLY", "BFLR_CO"),
        "approved_on": ("USECON_DE",),
        "register_id": ("BLDRGST_PK",),
    },
    needs=("source_id", "floors_above", "kind"),
    geometry=("polygon",),
    region_column="dong_code",
    unmistakable=True,
)

CONTOURS = _Feature(
    key="CONTOURS",
    code="F001",
    ko="등고선",
    en="contour lines",
    role="terrain",
    columns={"source_id": _UFID, "elevation_m": ("등고수치", "등고수", "CONT")},
    needs=("source_id", "elevation_m"),
    geometry=("linestring",),
    unmistakable=True,
)

SPOT_HEIGHTS = _Feature(
    key="SPOT_HEIGHTS",
    code="F002",
    ko="표고점",
    en="spot heights",
    role="terrain",
    columns={"source_id": _UFID, "elevation_m": ("수치", "NUME")},
    needs=("source_id", "elevation_m"),
    geometry=("point",),
    unmistakable=True,
)

ROADS = _Feature(
    key="ROADS",
    code="A002",
    ko="도로중심선",
    en="road centrelines",
    role="roads",
    columns={
        "source_id": _UFID,
        "class": ("도로구분", "도로구", "RDDV", "ROAD_SE"),
        "road_name": ("도로명", "RDNM"),
        "name": ("명칭", "NAME", "ROAD_NM"),
        "width_m": ("도로폭", "RVWD", "ROAD_BT"),
    },
    needs=("source_id", "class", "width_m"),
    geometry=("linestring",),
    unmistakable=True,
)

FOOTWAYS = _Feature(
    key="FOOTWAYS",
    code="A003",
    ko="인도",
    en="footways",
    role="footways",
    columns={"source_id": _UFID, "paving": ("재질", "QUAL"), "width_m": ("폭", "WIDT")},
    needs=("source_id", "paving", "width_m"),
    geometry=("polygon",),
)

VEGETATION = _Feature(
    key="VEGETATION",
    code="D001",
    ko="경지·식생",
    en="farmland and vegetation (not mixed into land cover)",
    role=None,
    columns={"source_id": _UFID, "class": ("구분", "종류", "DIVI", "KIND")},
    needs=("source_id",),
    geometry=("polygon",),
)

OTHER = _Feature(
    key="OTHER",
    code="[A-H][0-9]{3}",
    ko="그 밖의 레이어",
    en="other layers",
    role=None,
    columns={"source_id": _UFID},
    needs=("source_id",),
    geometry=(),
)


def _product(scale: _Scale, feature: _Feature, *, last: bool) -> Product:
    # the last of several scales also takes records whose UFID has another form
    pattern = {} if last and feature.unmistakable else {"source_id": f"[0-9]{{4}}{scale.sheet}{feature.code}.*"}
    return Product(
        key=f"NGII_{scale.key}_{feature.key}",
        role=feature.role,
        ko=f"수치지형도 {scale.ko} {feature.ko}",
        en=f"topographic map {scale.ko} {feature.en}",
        agency=_AGENCY,
        download=f"국토정보플랫폼 map.ngii.go.kr ‘수치지형도 2.0’ (SHP) {scale.download}",
        licence=_LICENCE,
        attribution=_ATTRIBUTION,
        columns=feature.columns,
        signature=Signature(needs=feature.needs, patterns=pattern, geometry=feature.geometry),
        key_column="source_id",
        region_column=feature.region_column,
    )


TOPOGRAPHIC_MAPS: tuple[Product, ...] = tuple(
    _product(scale, feature, last=scale is _SCALES[-1])
    for feature in (BUILDINGS, CONTOURS, SPOT_HEIGHTS, ROADS, FOOTWAYS, VEGETATION, OTHER)
    for scale in _SCALES
)
"""In order of preference: for each kind of feature the larger scale first; the layers without a role last."""
