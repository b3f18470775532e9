"""City models with roof surfaces."""

from __future__ import annotations

from geodata.products.model import Product

_DOWNLOAD = "V-World 디지털트윈국토 또는 지자체 3차원 건물 모델 LoD2 (CityJSON 1.1/2.0; CityGML은 citygml-tools로 변환)"

CITYJSON_ROOFS = Product(
    key="CITYJSON_ROOFS",
    role="roof_planes",
    ko="3차원 건물 모델의 지붕면 (CityJSON LoD2)",
    en="roof surfaces of a city model (CityJSON LoD2)",
    agency="국토교통부 · 지방자치단체",
    download=_DOWNLOAD,
    licence="",
    attribution="",
    kind="city",
)

CITYJSON_BUILDINGS = Product(
    key="CITYJSON_BUILDINGS",
    role="buildings",
    ko="3차원 건물 모델의 건물 (CityJSON LoD2)",
    en="buildings of a city model (CityJSON LoD2)",
    agency="국토교통부 · 지방자치단체",
    download=_DOWNLOAD,
    licence="",
    attribution="",
    kind="city",
)
