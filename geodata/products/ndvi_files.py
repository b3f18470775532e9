"""Rasters of vegetation: a ready index, satellite bands, aerial photographs with near infrared."""

from __future__ import annotations

from itertools import permutations

from geodata.products.model import ImageSignature, Product

NDVI_RASTER = Product(
    key="NDVI",
    role="ndvi",
    ko="정규식생지수 래스터 (NDVI)",
    en="vegetation index raster (NDVI)",
    agency="국토위성센터 · 환경공간정보서비스",
    download="국토위성센터 ‘국토위성 분석자료’ NDVI 또는 직접 만든 GeoTIFF (-1~1, 또는 0.0001 배율을 선언한 정수)",
    licence="",
    attribution="",
    kind="raster",
    signature=ImageSignature((("ndvi",),)),
)

SENTINEL2_BANDS = Product(
    key="SENTINEL2_BANDS",
    role="ndvi",
    ko="Sentinel-2 적색·근적외 밴드 (B04, B08)",
    en="Sentinel-2 red and near infrared bands (B04, B08)",
    agency="European Union, Copernicus",
    download="browser.dataspace.copernicus.eu, Sentinel-2 L2A, 구름 없는 여름 하루: …_B04_10m.jp2, …_B08_10m.jp2",
    licence="free use with attribution (Copernicus Sentinel data)",
    attribution="Copernicus Sentinel data",
    kind="raster",
    signature=ImageSignature((("red",), ("nir",))),
)

AERIAL_4BAND = Product(
    key="AERIAL_4BAND",
    role="ndvi",
    ko="항공정사영상 4밴드 (적·녹·청·근적외)",
    en="aerial orthophoto with 4 bands (red, green, blue, near infrared)",
    agency="국토지리정보원 국토정보플랫폼",
    download="국토정보플랫폼 map.ngii.go.kr ‘항공사진·정사영상’ 근적외 포함 4밴드 (.tif)",
    licence="KOGL type 1 (공공누리 제1유형), to be checked per delivery",
    attribution="국토지리정보원 정사영상",
    kind="raster",
    signature=ImageSignature(tuple(permutations(("red", "green", "blue", "nir")))),
)
