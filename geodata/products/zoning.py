"""Zoning polygons (용도지역)."""

from __future__ import annotations

from geodata.products.model import Product, Signature

LSMD_CONT_UQ111 = Product(
    key="LSMD_CONT_UQ111",
    role="zoning",
    ko="용도지역지구도 (LSMD_CONT_UQ111…114)",
    en="zoning polygons (LSMD_CONT_UQ111 … 114)",
    agency="국토교통부 · V-World",
    download="V-World ‘용도지역지구도(도시지역)’ LSMD_CONT_UQ111_<시군구>.zip (도시지역 밖: UQ112, UQ113, UQ114)",
    licence="CC BY (V-World)",
    attribution="국토교통부 용도지역지구도 (V-World)",
    # the management number carries the code of the zone within it
    columns={"zone_code": ("MNUM",), "zone_name": ("ALIAS", "uname")},
    signature=Signature(
        needs=("zone_code",), has=("ALIAS", "REMARK", "NTFDATE"), patterns={"zone_code": r".*UQ[A-D][0-9X]{2,3}.*"}
    ),
)

LT_C_UQ111 = Product(
    key="LT_C_UQ111",
    role="zoning",
    ko="용도지역 (V-World API LT_C_UQ111…114)",
    en="zoning polygons (V-World API LT_C_UQ111 … 114)",
    agency="국토교통부 · V-World",
    download="V-World 데이터 API LT_C_UQ111 … LT_C_UQ114 (twin fetch --layers zoning)",
    licence="CC BY (V-World)",
    attribution="국토교통부 용도지역 (V-World)",
    columns={"zone_name": ("uname",)},
    # districts of other laws share these columns; zones are what the building law knows
    signature=Signature(
        needs=("zone_name",),
        has=("sigg_name", "dyear", "dnum"),
        patterns={"zone_name": r".*(주거|상업|공업|녹지|관리|농림|환경보전)\s*지역"},
    ),
)
