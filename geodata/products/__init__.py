"""The recognition table: every product that an inbox may hold, one entry each.

A new product joins with one entry: write it in the module of its family and add it to `PRODUCTS`.
"""

from __future__ import annotations

from geodata.products.building_register import BR_TITLE_INFO, MART_DJY_03
from geodata.products.buildings import AL_D010, F_FAC_BUILDING
from geodata.products.bus_stops import BUS_STOPS
from geodata.products.cadastre import AL_D002, LP_PA_CBND_BUBUN, LSMD_CONT_LDREG, PARCELS_BY_JIBUN
from geodata.products.city_model import CITYJSON_BUILDINGS, CITYJSON_ROOFS
from geodata.products.district import DISTRICT
from geodata.products.land_cover import SG05
from geodata.products.land_register import AL_D155, AL_D194, AL_D195
from geodata.products.land_use_plan import LAND_USE_PLAN
from geodata.products.model import CitySample, Product, RasterSample, TableSample, VectorSample, WeatherSample
from geodata.products.ndvi_files import AERIAL_4BAND, NDVI_RASTER, SENTINEL2_BANDS
from geodata.products.open_street_map import OSM_ROADS
from geodata.products.park_entrances import PARK_ENTRANCES
from geodata.products.parks import UPIS_UQ153
from geodata.products.road_address import LT_C_SPBD, TL_SPBD_BULD
from geodata.products.terrain_files import DEM
from geodata.products.topographic_map import TOPOGRAPHIC_MAPS
from geodata.products.weather_files import EPW, KMA_ASOS, NSRDB, PVGIS_TMY
from geodata.products.zoning import LSMD_CONT_UQ111, LT_C_UQ111

PRODUCTS: tuple[Product, ...] = (
    AL_D002,
    LSMD_CONT_LDREG,
    LP_PA_CBND_BUBUN,
    AL_D010,
    F_FAC_BUILDING,
    TL_SPBD_BULD,
    LT_C_SPBD,
    SG05,
    UPIS_UQ153,
    *TOPOGRAPHIC_MAPS,
    OSM_ROADS,
    PARK_ENTRANCES,
    BUS_STOPS,
    LAND_USE_PLAN,
    DISTRICT,
    PARCELS_BY_JIBUN,
    AL_D195,
    AL_D194,
    AL_D155,
    LSMD_CONT_UQ111,
    LT_C_UQ111,
    MART_DJY_03,
    BR_TITLE_INFO,
    NDVI_RASTER,
    AERIAL_4BAND,
    SENTINEL2_BANDS,
    DEM,
    EPW,
    KMA_ASOS,
    PVGIS_TMY,
    NSRDB,
    CITYJSON_ROOFS,
    CITYJSON_BUILDINGS,
)
"""In order of preference: the first that claims a file has it, and the first of a role wins where two cover one place."""

_BY_KEY = {product.key: product for product in PRODUCTS}


def product(key: str) -> Product | None:
    """Return the product called ``key``; None for a file that only the site file explains."""
    return _BY_KEY.get(key)


def recognise(sample: VectorSample | RasterSample | WeatherSample | TableSample | CitySample) -> Product | None:
    """Return the first product that ``sample`` is, or None."""
    return next((p for p in PRODUCTS if p.matches(sample)), None)


__all__ = [
    "PRODUCTS",
    "CitySample",
    "Product",
    "RasterSample",
    "TableSample",
    "VectorSample",
    "WeatherSample",
    "product",
    "recognise",
]
