"""Building footprints (GIS건물통합정보)."""

from __future__ import annotations

from geodata.products.model import PNU, Product, Signature

_LICENCE = "V-World: CC BY shown, detail page CC BY-NC-ND 2.0 KR; raw files must not be passed on"
_ATTRIBUTION = "국토교통부 GIS건물통합정보 (V-World)"

AL_D010 = Product(
    key="AL_D010",
    role="buildings",
    ko="GIS건물통합정보 (AL_D010)",
    en="integrated building footprints (AL_D010)",
    agency="국토교통부 · V-World",
    download="V-World 국가중점데이터 ‘GIS건물통합정보’ AL_D010_<시도>_<날짜>.zip (모든 조각 (2), (3) 포함)",
    licence=_LICENCE,
    attribution=_ATTRIBUTION,
    # columns A23 to A28 came with later editions; each letter kept its meaning
    columns={
        "source_id": ("A1",),
        "pnu": ("A2",),
        "dong_code": ("A3",),
        "use_code": ("A8",),
        "use": ("A9",),
        "structure_code": ("A10",),
        "structure": ("A11",),
        "approved_on": ("A13",),
        "gross_floor_area_m2": ("A14",),
        "height_m": ("A16",),
        "register_id": ("A19",),
        "name": ("A24",),
        "part_name": ("A25",),
        "floors_above": ("A26",),
        "floors_below": ("A27",),
    },
    signature=Signature(has=tuple(f"A{i}" for i in range(23)), lacks=("A29",), patterns={"pnu": PNU}),
    vintages={23: "A0–A22 (≤ 2022)", 24: "A0–A23 (2023-12)", 29: "A0–A28 (≥ 2024-12)"},
    key_column="source_id",
    vintage_columns=("A22",),
    region_column="pnu",
)

F_FAC_BUILDING = Product(
    key="F_FAC_BUILDING",
    role="buildings",
    ko="GIS건물통합정보 (F_FAC_BUILDING)",
    en="integrated building footprints (F_FAC_BUILDING)",
    agency="국토교통부 · V-World",
    download="V-World ‘GIS건물통합정보’ F_FAC_BUILDING_<시도>_<시군구>.zip",
    licence=_LICENCE,
    attribution=_ATTRIBUTION,
    columns={
        "source_id": ("UFID",),
        "pnu": ("PNU",),
        "use_code": ("USABILITY",),
        "structure_code": ("STRCT_CD",),
        "approved_on": ("USEAPR_DAY",),
        "gross_floor_area_m2": ("TOTALAREA",),
        "height_m": ("HEIGHT",),
        "register_id": ("BLDRGST_PK",),
        "name": ("BLD_NM",),
        "part_name": ("DONG_NM",),
        "floors_above": ("GRND_FLR",),
        "floors_below": ("UGRND_FLR",),
    },
    signature=Signature(has=("UFID", "GRND_FLR", "HEIGHT", "USABILITY", "STRCT_CD")),
    key_column="source_id",
    region_column="pnu",
)
