"""Attribute tables of parcels: land characteristics (토지특성) and land-use regulation (토지이용계획)."""

from __future__ import annotations

from geodata.products.model import PNU, Product, Signature

_LICENCE = "CC BY (V-World)"

AL_D195 = Product(
    key="AL_D195",
    role="land_characteristics",
    ko="토지특성정보 CSV (AL_D195)",
    en="land characteristics, CSV (AL_D195)",
    agency="국토교통부 · V-World",
    download="V-World 국가중점데이터 ‘토지특성정보’ AL_D195_<시도>_<날짜>.zip (CSV)",
    licence=_LICENCE,
    attribution="국토교통부 토지특성정보 (V-World)",
    kind="table",
    # the header of real files misspells the name of the land use: 토지이동상황 for 토지이용상황
    columns={
        "pnu": ("고유번호", "필지고유번호", "PNU"),
        "jimok": ("지목명", "지목"),
        "official_area_m2": ("토지면적", "면적"),
        "zoning_1": ("용도지역명1", "용도지역1"),
        "zoning_2": ("용도지역명2", "용도지역2"),
        "land_use": ("토지이용상황", "토지이동상황", "토지이용상황명"),
        "reference_year": ("기준년도", "기준연도"),
        "reference_month": ("기준월",),
        "data_date": ("데이터기준일자",),
    },
    signature=Signature(needs=("pnu", "official_area_m2", "zoning_1"), patterns={"pnu": PNU}),
    key_column="pnu",
    vintage_columns=("데이터기준일자",),
    region_column="pnu",
)

AL_D194 = Product(
    key="AL_D194",
    role="land_characteristics",
    ko="토지특성정보 SHP (AL_D194)",
    en="land characteristics, SHP (AL_D194)",
    agency="국토교통부 · V-World",
    download="V-World 국가중점데이터 ‘토지특성정보’ AL_D194_<시군구>_<날짜>.zip (SHP)",
    licence=_LICENCE,
    attribution="국토교통부 토지특성정보 (V-World)",
    # A0 is the number of the drawing; then the columns of AL_D195 in their order
    columns={
        "pnu": ("A1",),
        "reference_year": ("A8",),
        "reference_month": ("A9",),
        "jimok": ("A11",),
        "official_area_m2": ("A12",),
        "zoning_1": ("A14",),
        "zoning_2": ("A16",),
        "land_use": ("A18",),
        "data_date": ("A26",),
    },
    signature=Signature(
        has=tuple(f"A{i}" for i in range(19)),
        patterns={"pnu": PNU, "jimok": "[가-힣]{1,5}", "reference_year": "(19|20)[0-9]{2}", "zoning_1": "[가-힣0-9 ]+"},
    ),
    key_column="pnu",
    vintage_columns=("A26",),
    region_column="pnu",
)

AL_D155 = Product(
    key="AL_D155",
    role="land_use_regulation",
    ko="토지이용계획정보 CSV (AL_D155)",
    en="land-use regulation by parcel, CSV (AL_D155)",
    agency="국토교통부 · V-World",
    download="V-World 국가중점데이터 ‘토지이용계획정보’ AL_D155_<시도>_<날짜>.zip (CSV; SHP AL_D154는 이름이 잘려 있음)",
    licence=_LICENCE,
    attribution="국토교통부 토지이용계획정보 (V-World)",
    kind="table",
    columns={
        "pnu": ("고유번호", "필지고유번호", "PNU"),
        "relation_code": ("저촉여부코드",),
        "relation": ("저촉여부",),
        "zone_code": ("용도지역지구코드",),
        "zone_name": ("용도지역지구명",),
        "data_date": ("데이터기준일자",),
    },
    signature=Signature(needs=("pnu", "zone_name"), patterns={"pnu": PNU}),
    key_column="pnu",
    vintage_columns=("데이터기준일자",),
    region_column="pnu",
)
