"""Bus stops: the national list of the ministry, a table with a place in degrees."""

from __future__ import annotations

from geodata.products.model import Product, Signature

BUS_STOPS = Product(
    key="BUS_STOPS",
    role="bus_stops",
    ko="전국 버스정류장 위치정보",
    en="national list of bus stops",
    agency="국토교통부 · 공공데이터포털",
    download="공공데이터포털 ‘국토교통부_전국 버스정류장 위치정보’ (CSV). 다른 점 자료는 사이트 파일 sources: bus_stops 에 적는다",
    licence="공공데이터포털 이용허락범위 제한 없음 (to be checked per delivery)",
    attribution="국토교통부 전국 버스정류장 위치정보",
    kind="table",
    columns={
        "source_id": ("정류장번호", "정류소번호", "NODE_ID"),
        "name": ("정류장명", "정류소명", "NODE_NM"),
        "longitude": ("경도", "LONGITUDE", "GPS_LONG"),
        "latitude": ("위도", "LATITUDE", "GPS_LATI"),
    },
    signature=Signature(
        needs=("source_id", "name", "longitude", "latitude"),
        patterns={"longitude": r"1[23][0-9](\.[0-9]+)?", "latitude": r"3[2-9](\.[0-9]+)?"},
    ),
    key_column="source_id",
    vintage_columns=("정보수집일",),
)
