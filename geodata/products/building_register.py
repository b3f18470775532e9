"""Title part of the building register (건축물대장 표제부): one record per building, without geometry."""

from __future__ import annotations

from geodata.products.model import Product, Signature

_LICENCE = "공공데이터포털 이용허락범위 제한 없음 (to be checked per delivery)"
_ATTRIBUTION = "국토교통부 건축물대장 (건축HUB)"
_REGISTER_KEY = r"[0-9]{5}-[0-9]+|[0-9]{10,33}"

MART_DJY_03 = Product(
    key="MART_DJY_03",
    role="building_register",
    ko="건축물대장 표제부 대용량 텍스트 (mart_djy_03)",
    en="building register, title part, bulk text (mart_djy_03)",
    agency="국토교통부 건축HUB",
    download="건축HUB hub.go.kr 대용량 제공 ‘건축물대장 표제부’ mart_djy_03.txt",
    licence=_LICENCE,
    attribution=_ATTRIBUTION,
    kind="table",
    # the text has 77 columns and no header; #n is the place of a column, counted from 0. Exports with a header spell the names
    columns={
        "register_id": ("관리_건축물대장_PK", "#0"),
        "ledger_kind_code": ("대장_종류_코드", "#3"),
        "name": ("건물_명", "#7"),
        "part_name": ("동_명", "#22"),
        "footprint_area_m2": ("건축_면적(㎡)", "#26"),
        "gross_floor_area_m2": ("연면적(㎡)", "#28"),
        "structure_code": ("구조_코드", "#31"),
        "structure": ("구조_코드_명", "#32"),
        "use_code": ("주_용도_코드", "#34"),
        "use": ("주_용도_코드_명", "#35"),
        "roof_code": ("지붕_코드", "#37"),
        "roof": ("지붕_코드_명", "#38"),
        "roof_other": ("기타_지붕", "#39"),
        "height_m": ("높이(m)", "#42"),
        "floors_above": ("지상_층_수", "#43"),
        "floors_below": ("지하_층_수", "#44"),
        "approved_on": ("사용승인_일", "#60"),
        "created_on": ("생성_일자", "#74"),
    },
    pnu_parts={
        "sig": ("시군구_코드", "#8"),
        "emd": ("법정동_코드", "#9"),
        "mountain": ("대지_구분_코드", "#10"),
        "main": ("번", "#11"),
        "sub": ("지", "#12"),
    },
    # closed registers (mart_shtreg_03) have three more columns in front and are not the town of today
    signature=Signature(
        needs=("register_id", "roof", "floors_above"),
        lacks=("#77", "말소_일자", "말소일자"),
        patterns={"register_id": _REGISTER_KEY, "ledger_kind_code": "[1-4]"},
    ),
    key_column="register_id",
    vintage_columns=("생성_일자", "#74"),
    region_column="pnu",
)

BR_TITLE_INFO = Product(
    key="BR_TITLE_INFO",
    role="building_register",
    ko="건축물대장 표제부 API 응답 (getBrTitleInfo)",
    en="building register, title part, saved API answers (getBrTitleInfo)",
    agency="국토교통부 건축HUB · 공공데이터포털 15134735",
    download="공공데이터포털 15134735 getBrTitleInfo 응답을 저장한 JSON 또는 CSV",
    licence=_LICENCE,
    attribution=_ATTRIBUTION,
    kind="table",
    columns={
        "register_id": ("mgmBldrgstPk",),
        "ledger_kind_code": ("regstrKindCd",),
        "name": ("bldNm",),
        "part_name": ("dongNm",),
        "footprint_area_m2": ("archArea",),
        "gross_floor_area_m2": ("totArea",),
        "structure_code": ("strctCd",),
        "structure": ("strctCdNm",),
        "use_code": ("mainPurpsCd",),
        "use": ("mainPurpsCdNm",),
        "roof_code": ("roofCd",),
        "roof": ("roofCdNm",),
        "roof_other": ("etcRoof",),
        "height_m": ("heit",),
        "floors_above": ("grndFlrCnt",),
        "floors_below": ("ugrndFlrCnt",),
        "approved_on": ("useAprDay",),
        "created_on": ("crtnDay",),
    },
    pnu_parts={
        "sig": ("sigunguCd",),
        "emd": ("bjdongCd",),
        "mountain": ("platGbCd",),
        "main": ("bun",),
        "sub": ("ji",),
    },
    signature=Signature(needs=("register_id", "roof", "floors_above")),
    key_column="register_id",
    region_column="pnu",
    is_page=True,
)
