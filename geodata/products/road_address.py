"""Buildings of the road-name address map (도로명주소 전자지도)."""

from __future__ import annotations

from geodata.products.model import PNU, Product, Signature

TL_SPBD_BULD = Product(
    key="TL_SPBD_BULD",
    role="buildings",
    ko="도로명주소 전자지도 건물 (TL_SPBD_BULD)",
    en="buildings of the road-name address map (TL_SPBD_BULD)",
    agency="행정안전부 주소정보누리집",
    download="juso.go.kr ‘도로명주소 전자지도’ (신청) <년월>/<시도>.zip: TL_SPBD_BULD.shp, 묶음의 .prj 하나도 함께",
    licence="KOGL type 1 (공공누리 제1유형)",
    attribution="행정안전부 도로명주소 전자지도",
    columns={
        "source_id": ("BD_MGT_SN",),
        "name": ("BULD_NM",),
        "part_name": ("BULD_NM_DC",),
        "road_use_code": ("BDTYP_CD",),
        "floors_above": ("GRO_FLO_CO",),
        "floors_below": ("UND_FLO_CO",),
        "municipality": ("SIG_CD",),
    },
    pnu_parts={
        "sig": ("SIG_CD",),
        "emd": ("EMD_CD",),
        "ri": ("LI_CD",),
        "mountain": ("MNTN_YN",),
        "main": ("LNBR_MNNM",),
        "sub": ("LNBR_SLNO",),
    },
    signature=Signature(
        needs=("source_id", "floors_above"), has=("SIG_CD", "EMD_CD", "LNBR_MNNM", "LNBR_SLNO", "MNTN_YN")
    ),
    key_column="source_id",
    region_column="municipality",
)

LT_C_SPBD = Product(
    key="LT_C_SPBD",
    role="buildings",
    ko="도로명주소 건물 (V-World API LT_C_SPBD)",
    en="buildings of the road-name address map (V-World API LT_C_SPBD)",
    agency="행정안전부 · V-World",
    download="V-World 데이터 API LT_C_SPBD (twin fetch --layers buildings)",
    licence="KOGL type 1 (공공누리 제1유형)",
    attribution="행정안전부 도로명주소 건물 (V-World)",
    columns={
        "source_id": ("bd_mgt_sn",),
        "pnu": ("pnu",),
        "name": ("buld_nm",),
        "part_name": ("buld_nm_dc",),
        "floors_above": ("gro_flo_co",),
        "floors_below": ("und_flo_co",),
    },
    # the file of the address map has neither parcel number nor place of the label
    signature=Signature(needs=("source_id", "floors_above", "pnu"), has=("xpos", "ypos"), patterns={"pnu": PNU}),
    key_column="source_id",
    region_column="pnu",
)
