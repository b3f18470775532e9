"""A plan on a few hectares that can be reckoned by hand."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

CRS = "EPSG:5186"
DONG = "4121010500"


def _blocks(*rows: tuple) -> gpd.GeoDataFrame:
    """Clean plan blocks of (block_id, land_use, shape, floor area ratio); 50 % coverage and 10 floors where there is a ratio."""
    names, uses, shapes, ratios = zip(*rows, strict=True)
    ratio = pd.Series(ratios, dtype="float64")
    columns = {
        "block_id": names, "land_use": uses, "dong_code": DONG, "area_m2": shapely.area(shapes), "floor_area_ratio_pct": ratio,
        "building_coverage_pct": ratio.notna().map({True: 50.0, False: np.nan}),
        "floors_limit": ratio.notna().map({True: 10, False: pd.NA}).astype("Int64"), "homes": pd.array([pd.NA] * len(rows), dtype="Int64"),
    }  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS).astype({"block_id": "str", "land_use": "str"})


def _houses(*rows: tuple) -> gpd.GeoDataFrame:
    """Clean buildings of (building_id, shape, floors), 3 m a floor and nothing in the register."""
    names, shapes, floors = zip(*rows, strict=True)
    count = len(rows)
    columns = {
        "building_id": names, "use_code": "01000", "floors_above": pd.array(floors, dtype="Int64"),
        "floors_below": pd.array([pd.NA] * count, dtype="Int64"), "height": [3.0 * (n or 1) for n in floors],
        "footprint_area_m2": shapely.area(shapes), "gross_floor_area_m2": np.nan, "dong_code": DONG,
    }  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


def _cover(*rows: tuple) -> gpd.GeoDataFrame:
    """Clean land cover of (class_code, shape)."""
    codes, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame({"class_code": codes, "source": "map 2024"}, geometry=list(shapes), crs=CRS)


@pytest.fixture(scope="session")
def blocks() -> Callable[..., gpd.GeoDataFrame]:
    return _blocks


@pytest.fixture(scope="session")
def houses() -> Callable[..., gpd.GeoDataFrame]:
    return _houses


@pytest.fixture(scope="session")
def cover() -> Callable[..., gpd.GeoDataFrame]:
    return _cover
