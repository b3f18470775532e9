"""The project's own boundary (사업지구경계)."""

from __future__ import annotations

from geodata.products.model import Product, Signature

DISTRICT = Product(
    key="DISTRICT",
    role="district",
    ko="사업지구 경계",
    en="project district boundary",
    agency="한국토지주택공사 (LH)",
    download="V-World ‘사업지구경계도’ LT_C_LHZONE, 또는 지구계획 도면의 지구계",
    licence="",
    attribution="한국토지주택공사 사업지구경계도",
    columns={
        "name": (
            "zonename",
            "zone_name",
            "zone_nm",
            "사업지구명",
            "사업지구",
            "지구명",
            "지구명칭",
            "사업명",
            "district",
            "district_nm",
            "district_name",
        )
    },
    # a boundary is a handful of polygons; a layer with blocks or lots in it is something else
    signature=Signature(
        needs=("name",), lacks=("PNU", "지번", "블록번호", "블록명", "BLOCK_NO", "BLOCKNAME"), max_rows=200
    ),
)
