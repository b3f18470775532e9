"""Land cover (토지피복지도)."""

from __future__ import annotations

from geodata.products.model import Product, Signature

SG05 = Product(
    key="SG05",
    role="land_cover",
    ko="세분류 토지피복지도 (SG05)",
    en="land cover map, 41 classes (SG05)",
    agency="기후에너지환경부 환경공간정보서비스 (EGIS)",
    download="EGIS ‘세분류 토지피복지도’ 1:5,000 도엽 SG05_<도엽번호>.zip",
    licence="KOGL type 1 (공공누리 제1유형)",
    attribution="기후에너지환경부 세분류 토지피복지도",
    columns={"class_code": ("L3_CODE",)},
    signature=Signature(needs=("class_code",), patterns={"class_code": r"[1-7][0-9]{2}"}),
)
