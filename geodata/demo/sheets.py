"""The sheet frame of 1:5,000 maps: 1.5' squares numbered 001 to 100 from the north-west corner of a 1:50,000 sheet."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from geodata.demo.spec import CRS

STEP_DEG = 0.025


def sheets_over(bounds: tuple[float, float, float, float]) -> gpd.GeoDataFrame:
    """Return the sheets that touch ``bounds`` (EPSG:5186): `number` such as 37612014, and geometry, sorted by number."""
    west, south, east, north = gpd.GeoSeries([shapely.box(*bounds)], crs=CRS).to_crs("EPSG:4326").total_bounds
    columns = np.arange(int(np.floor(west / STEP_DEG)), int(np.floor(east / STEP_DEG)) + 1)
    rows = np.arange(int(np.floor(south / STEP_DEG)), int(np.floor(north / STEP_DEG)) + 1)
    column, row = (grid.ravel() for grid in np.meshgrid(columns, rows))
    left, bottom = column * STEP_DEG, row * STEP_DEG
    frames = shapely.segmentize(shapely.box(left, bottom, left + STEP_DEG, bottom + STEP_DEG), STEP_DEG / 8)
    numbers = [sheet_number(x + STEP_DEG / 2, y + STEP_DEG / 2) for x, y in zip(left, bottom, strict=True)]
    sheets = gpd.GeoDataFrame({"number": numbers}, geometry=frames, crs="EPSG:4326").to_crs(CRS)
    return sheets.sort_values("number", ignore_index=True)


def sheet_number(longitude: float, latitude: float) -> str:
    """Return the number of the 1:5,000 sheet at a point: degree square, 15' sheet (01-16), 1.5' sheet (001-100)."""
    degree_row, degree_column = int(np.floor(latitude)), int(np.floor(longitude))
    quarter_row = int((degree_row + 1 - latitude) // 0.25)
    quarter_column = int((longitude - degree_column) // 0.25)
    top = degree_row + 1 - quarter_row * 0.25
    left = degree_column + quarter_column * 0.25
    fine_row = int((top - latitude) // STEP_DEG)
    fine_column = int((longitude - left) // STEP_DEG)
    return f"{degree_row}{degree_column % 10}{quarter_row * 4 + quarter_column + 1:02d}{fine_row * 10 + fine_column + 1:03d}"
