"""Cadastral parcels (연속지적도)."""

from __future__ import annotations

from geodata.products.model import DONG, PNU, Product, Signature

_LICENCE = "CC BY (V-World)"
_ATTRIBUTION = "국토교통부 연속지적도 (V-World)"

AL_D002 = Product(
    key="AL_D002",
    role="parcels",
    ko="연속지적도형정보 (AL_D002)",
    en="continuous cadastral map (AL_D002)",
    agency="국토교통부 · V-World",
    download="V-World 국가중점데이터 ‘연속지적도형정보’ AL_D002_<시도>_<날짜>.zip",
    licence=_LICENCE,
    attribution=_ATTRIBUTION,
    columns={
        "pnu": ("A1",),
        "dong_code": ("A2",),
        "dong_name": ("A3",),
        "jibun": ("A4",),
        "jimok": ("A5",),
    },
    # A-numbers mean different things in each product: only the number of columns and their content tell them apart
    signature=Signature(has=tuple(f"A{i}" for i in range(8)), lacks=("A8",), patterns={"pnu": PNU, "dong_code": DONG}),
    vintages={8: "A0–A7"},
    key_column="pnu",
    vintage_columns=("A6",),
    region_column="pnu",
)

LSMD_CONT_LDREG = Product(
    key="LSMD_CONT_LDREG",
    role="parcels",
    ko="연속지적도 (LSMD_CONT_LDREG)",
    en="continuous cadastral map (LSMD_CONT_LDREG)",
    agency="국토교통부 · V-World",
    download="V-World ‘연속지적도’ LSMD_CONT_LDREG_<시군구>.zip",
    licence=_LICENCE,
    attribution=_ATTRIBUTION,
    # the lot number carries the one-letter land category at its end
    columns={"pnu": ("PNU",), "jibun": ("JIBUN",), "jimok": ("JIBUN",)},
    signature=Signature(needs=("pnu",), has=("JIBUN", "BCHK"), patterns={"pnu": PNU}),
    key_column="pnu",
    region_column="pnu",
)

LP_PA_CBND_BUBUN = Product(
    key="LP_PA_CBND_BUBUN",
    role="parcels",
    ko="연속지적도 (V-World API LP_PA_CBND_BUBUN)",
    en="continuous cadastral map (V-World API LP_PA_CBND_BUBUN)",
    agency="국토교통부 · V-World",
    download="V-World 데이터 API LP_PA_CBND_BUBUN",
    licence=_LICENCE,
    attribution=_ATTRIBUTION,
    columns={"pnu": ("pnu",), "jibun": ("jibun",), "jimok": ("jibun",), "dong_name": ("addr",)},
    signature=Signature(needs=("pnu",), has=("jibun", "bonbun", "bubun"), patterns={"pnu": PNU}),
    key_column="pnu",
    region_column="pnu",
)

PARCELS_BY_JIBUN = Product(
    key="PARCELS_BY_JIBUN",
    role="parcels",
    ko="법정동명과 지번이 있는 필지 (PNU 없음)",
    en="parcels by legal dong name and lot number (no PNU)",
    agency="–",
    download="–",
    licence="",
    attribution="",
    columns={
        "dong_name": (
            "법정동명",
            "법정동",
            "읍면동명",
            "읍면동",
            "동리",
            "동명",
            "소재지",
            "주소",
            "emd_nm",
            "emd_name",
            "dong_name",
            "dong_nm",
            "dong",
            "bjd_nm",
            "addr",
        ),
        "jibun": ("지번", "번지", "jibun", "lot_number", "lot_no", "lotno"),
        "jimok": ("지목", "지목명", "jimok", "jimok_nm"),
        "dong_code": ("법정동코드", "bjd_cd", "bjdong_cd", "emd_cd", "dong_code"),
    },
    signature=Signature(
        needs=("dong_name", "jibun"),
        lacks=("PNU", "필지고유번호", "고유번호", "HEIGHT", "GRND_FLR", "층수", "블록번호"),
        patterns={
            "jibun": r"(산|山|임)?\s*[0-9]+(\s*-\s*[0-9]+)?\s*(번지)?\s*[가-힣]?",
            "dong_name": r".*[가-힣0-9](동|리|읍|면|가|로)(\s.*)?",
        },
    ),
)
