"""Buildings that map sheets cut in two: joined again where their halves meet at the edge.

Sheets of the topographic map end everything at their edge. Two pieces from different sheets that share a stretch of
outline are one building, unless their floors contradict each other; rows of houses within one sheet are never joined.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.clean.candidates import Candidates
from geodata.products.topographic_map import SHEET
from geodata.repair import Shapes, make_valid_polygons

TOLERANCE_M = 0.05
"""Halves were rounded to centimetres on their own: their outlines may be this far apart."""
SHARED_M = 0.5
"""A shorter common stretch is a touch, not a cut; corners that touch share twice the tolerance."""


def join_cut_buildings(candidates: Candidates) -> None:
    """Unite pieces of one building that lie on neighbouring sheets; the largest piece's record stays.

    The other pieces count as merged (``sheet_edge``). Pieces whose recorded floors differ stay apart and are noted
    (``sheet_edge_differs``).
    """
    rows = candidates.features
    sheet = rows["source_id"].str.extract(SHEET)[0]
    if sheet.nunique() < 2:
        return
    left, right = _pairs(rows.geometry.to_numpy(), sheet)
    floors = rows["floors_above"].where(rows["floors_above"] > 0).to_numpy(dtype=np.float64)
    differ = np.abs(floors[left] - floors[right]) > 0
    apart = np.zeros(len(rows), dtype=bool)
    apart[np.concatenate([left[differ], right[differ]])] = True
    candidates.note("sheet_edge_differs", apart, "floors: " + rows["floors_above"].astype("str"))
    left, right = left[~differ], right[~differ]
    if len(left) == 0:
        return
    links = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(len(rows), len(rows)))
    _, building = connected_components(links, directed=False)
    order = np.lexsort((rows["source_id"].to_numpy(dtype=object).astype(str), -rows.geometry.area.to_numpy()))
    first = pd.Series(order).groupby(building[order]).transform("first").to_numpy()
    keeper = np.empty(len(rows), dtype=np.intp)
    keeper[order] = first
    absorbed = keeper != np.arange(len(rows))
    pieces = rows.geometry.to_numpy()
    united = pieces.copy()
    for stays in np.unique(keeper[absorbed]):
        united[stays] = _united(pieces[keeper == stays])
    of_building = pd.Series(floors, index=rows.index).groupby(keeper).transform("max")
    floors_known = of_building.fillna(rows["floors_above"])
    detail = "joined to " + rows["source_key"].iloc[keeper].reset_index(drop=True)
    candidates.features = rows.assign(floors_above=floors_known).set_geometry(
        gpd.GeoSeries(united, index=rows.index, crs=rows.crs)
    )
    candidates.drop("sheet_edge", absorbed, detail)


def _pairs(shapes: Shapes, sheet: pd.Series) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return index pairs of shapes of different sheets whose outlines run together."""
    of_sheet = np.flatnonzero(sheet.notna())
    tree = shapely.STRtree(shapes[of_sheet])
    left, right = tree.query(shapes[of_sheet], predicate="dwithin", distance=TOLERANCE_M)
    left, right = of_sheet[left], of_sheet[right]
    names = sheet.to_numpy(dtype=object)
    # sheets of one scale only: what another scale shows here is the same building drawn twice
    digits = sheet.str.len().to_numpy(dtype=np.float64, na_value=np.nan)
    other = (left < right) & (names[left] != names[right]) & (digits[left] == digits[right])
    left, right = left[other], right[other]
    beside = shapely.buffer(shapely.boundary(shapes[right]), TOLERANCE_M, cap_style="flat")
    shared = shapely.length(shapely.intersection(shapely.boundary(shapes[left]), beside))
    return left[shared >= SHARED_M], right[shared >= SHARED_M]


def _united(pieces: Shapes) -> shapely.Geometry:
    """Return the union of ``pieces``; a gap of less than the tolerance between them is closed."""
    whole = shapely.union_all(pieces)
    if shapely.get_type_id(whole) != shapely.GeometryType.POLYGON:
        grown = shapely.buffer(whole, TOLERANCE_M, join_style="mitre")
        whole = shapely.union(shapely.buffer(grown, -TOLERANCE_M, join_style="mitre"), whole)
    return make_valid_polygons(np.array([whole], dtype=object))[0]
