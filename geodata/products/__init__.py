"""The recognition table: every product that an inbox may hold, one entry each.

A new product joins with one entry: write it in the module of its family and add it to `PRODUCTS`.
"""

from __future__ import annotations

from geodata.products.buildings import AL_D010, F_FAC_BUILDING
from geodata.products.cadastre import AL_D002, LP_PA_CBND_BUBUN, LSMD_CONT_LDREG, PARCELS_BY_JIBUN
from geodata.products.district import DISTRICT
from geodata.products.land_cover import SG05
from geodata.products.land_use_plan import LAND_USE_PLAN
from geodata.products.model import Product, RasterSample, VectorSample, WeatherSample
from geodata.products.parks import UPIS_UQ153
from geodata.products.terrain_files import DEM
from geodata.products.weather_files import EPW

PRODUCTS: tuple[Product, ...] = (
    AL_D002,
    LSMD_CONT_LDREG,
    LP_PA_CBND_BUBUN,
    AL_D010,
    F_FAC_BUILDING,
    SG05,
    UPIS_UQ153,
    LAND_USE_PLAN,
    DISTRICT,
    PARCELS_BY_JIBUN,
    DEM,
    EPW,
)
"""In order of preference: the first that claims a file has it, and the first of a role wins where two cover one place."""

_BY_KEY = {product.key: product for product in PRODUCTS}


def product(key: str) -> Product | None:
    """Return the product called ``key``; None for a file that only the site file explains."""
    return _BY_KEY.get(key)


def recognise(sample: VectorSample | RasterSample | WeatherSample) -> Product | None:
    """Return the first product that ``sample`` is, or None."""
    return next((p for p in PRODUCTS if p.matches(sample)), None)


__all__ = ["PRODUCTS", "Product", "RasterSample", "VectorSample", "WeatherSample", "product", "recognise"]
