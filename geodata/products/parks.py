"""Urban planning facilities for public space (도시계획시설 공간시설)."""

from __future__ import annotations

from geodata.products.model import Product, Signature

UPIS_UQ153 = Product(
    key="UPIS_UQ153",
    role="parks",
    ko="도시계획시설 공간시설 (UPIS UQ153)",
    en="urban planning facilities, parks and green space (UPIS UQ153)",
    agency="국토교통부 토지이음 · V-World",
    download="V-World ‘도시계획(공간시설)’ UPIS_C_UQ153 (KLIP_C_UQ153)",
    licence="CC BY (V-World)",
    attribution="국토교통부 도시계획정보시스템 (UPIS)",
    # class columns are often shifted to the left: the finest one that is filled counts
    columns={
        "class_code": ("SCLAS_CL", "MLSFC_CL", "LCLAS_CL", "ATRB_SE"),
        "name": ("DGM_NM",),
        "executed": ("EXCUT_SE",),
        "source_id": ("PRESENT_SN",),
    },
    # roads, schools and the other facilities share all columns; UQT is public space
    signature=Signature(needs=("class_code",), has=("LCLAS_CL", "DGM_NM"), patterns={"class_code": r"UQT[0-9]{3}"}),
    key_column="source_id",
)
