"""Sheets of the national 1:5,000 map: what agencies cut elevation models, topographic maps and land cover into.

A square of one degree has 16 sheets of 1:50,000 (15', numbered 01 to 16 from its north-west corner), each of these 100
sheets of 1:5,000 (1.5', 001 to 100). ``37612014`` is 37° N, 126° E, sheet 12, sheet 014 in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

STEP_DEG = 0.025


def sheets_over(bounds: tuple[float, float, float, float], crs: str) -> gpd.GeoDataFrame:
    """Return the sheets that touch ``bounds`` in ``crs``: ``number`` and geometry in ``crs``, sorted by number."""
    box = shapely.segmentize(shapely.box(*bounds), max(bounds[2] - bounds[0], bounds[3] - bounds[1]) / 16)
    west, south, east, north = gpd.GeoSeries([box], crs=crs).to_crs("EPSG:4326").total_bounds
    columns = np.arange(int(np.floor(west / STEP_DEG)), int(np.floor(east / STEP_DEG)) + 1)
    rows = np.arange(int(np.floor(south / STEP_DEG)), int(np.floor(north / STEP_DEG)) + 1)
    column, row = (grid.ravel() for grid in np.meshgrid(columns, rows))
    left, bottom = column * STEP_DEG, row * STEP_DEG
    frames = shapely.segmentize(shapely.box(left, bottom, left + STEP_DEG, bottom + STEP_DEG), STEP_DEG / 8)
    numbers = [sheet_number(x + STEP_DEG / 2, y + STEP_DEG / 2) for x, y in zip(left, bottom, strict=True)]
    sheets = gpd.GeoDataFrame({"number": numbers}, geometry=frames, crs="EPSG:4326").to_crs(crs)
    return sheets.sort_values("number", ignore_index=True)


def sheets_of(area: BaseGeometry, crs: str) -> gpd.GeoDataFrame:
    """Return the sheets that a polygon in ``crs`` [m] needs, sorted by number; a sliver of under 100 m2 does not count."""
    sheets = sheets_over(area.bounds, crs)
    return sheets[sheets.intersection(area).area > 100.0].reset_index(drop=True)


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


def in_short(numbers: Sequence[str]) -> str:
    """Return sheet numbers with runs drawn together: ``37612 003–006, 013–016``."""
    told = []
    for parent, group in groupby(sorted(numbers), key=lambda number: number[:5]):
        runs: list[list[int]] = []
        for fine in (int(number[5:]) for number in group):
            if runs and fine == runs[-1][1] + 1:
                runs[-1][1] = fine
            else:
                runs.append([fine, fine])
        told.append(f"{parent} " + ", ".join(f"{a:03d}" if a == b else f"{a:03d}–{b:03d}" for a, b in runs))
    return "; ".join(told)
