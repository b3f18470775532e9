"""Terrain rasters: GeoTIFF, ERDAS IMG and ASCII grid."""

from __future__ import annotations

from geodata.products.model import Product, RasterSignature

DEM = Product(
    key="DEM",
    role="terrain",
    ko="수치표고모델 (DEM)",
    en="digital elevation model",
    agency="국토지리정보원 국토정보플랫폼",
    download="국토정보플랫폼 map.ngii.go.kr ‘수치표고모델(DEM)’ 1:5,000 도엽 (.img 또는 .tif)",
    licence="KOGL type 1 (공공누리 제1유형), to be checked per delivery",
    attribution="국토지리정보원 수치표고모델",
    kind="raster",
    # one numeric band within the heights of Korea; index rasters stay between -1 and 1, images are bytes
    signature=RasterSignature(
        dtypes=("int16", "uint16", "int32", "float32", "float64"), minimum=-150.0, maximum=2800.0, least_spread=2.0
    ),
)
