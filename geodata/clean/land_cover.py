"""Clean land cover: a coverage of classified polygons that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.accounting import CleanLayer
from geodata.class_tables import ClassTable, load_classes
from geodata.clean.candidates import gather
from geodata.inventory import RawLayer
from geodata.repair import MIN_AREA_M2, Mask, Shapes, make_valid_polygons
from geodata.study_area import StudyArea

TOLERANCE_M2 = 1e-4
"""Overlaps smaller than a square centimetre come from the last digits of coordinates and are left alone."""
GAP_M2 = 1.0
"""Ground without land cover below it comes from the last digits of coordinates too."""


def land_cover_classes() -> ClassTable:
    """Return the 41 classes of the Korean land cover map: three-digit code to ``ko`` and ``en``."""
    return load_classes("geodata.clean", "land_cover_classes.yaml")


def clean_land_cover(raw: Sequence[RawLayer], area: StudyArea) -> CleanLayer:
    """Return all land cover polygons that intersect the study area, without overlaps, sorted by class and place.

    Map sheets overlap along their edges. Where two polygons overlap, the newer data set keeps the ground; within one
    vintage the first data set; within one data set the smaller polygon, because what lies inside a larger one is the
    finer statement. What is left of the other is kept; a polygon without a remainder counts as merged.

    Features carry `class_code` (three digits, text), `source` (product and vintage) and geometry.

    Raises
    ------
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    candidates = gather(raw, area, "land_cover", texts=("class_code",), keep="touching")
    rows = candidates.features
    code = rows["class_code"].str.replace(r"\.0+$", "", regex=True).str.zfill(3)
    candidates.features = rows.assign(class_code=code)
    candidates.drop("code_unknown", ~code.isin(list(land_cover_classes())), "class code: " + code.fillna("none"))

    rows = candidates.features
    layer = rows["layer"].to_numpy(dtype=np.int64)
    vintages = pd.Series([one.dataset.vintage for one in raw], dtype="str")
    newest_first = vintages.rank(method="dense", ascending=False).to_numpy()[layer]
    precedence = np.lexsort((rows.geometry.area.to_numpy(), layer, newest_first))
    rows = rows.iloc[precedence].reset_index(drop=True)
    shapes, trimmed = trim_overlaps(rows.geometry.to_numpy())
    candidates.features = rows
    absorbed = shapely.is_missing(shapes)
    candidates.note("overlap_trimmed", trimmed & ~absorbed)
    candidates.drop("overlap_absorbed", absorbed)

    rows = candidates.features
    sources = np.array([f"{one.dataset.product} {one.dataset.vintage}".strip() for one in raw], dtype=object)
    result = gpd.GeoDataFrame(
        {
            "class_code": rows["class_code"],
            "source": pd.Series(sources[rows["layer"].to_numpy(dtype=np.int64)], index=rows.index, dtype="str"),
        },
        geometry=shapes[~absorbed],
        crs=area.crs,
    )
    place = pd.Series(shapely.to_wkb(shapely.normalize(result.geometry.to_numpy())), dtype=object)
    order = result.assign(place=place).sort_values(["class_code", "place"], kind="stable").index
    missing = area.area.area - ground_inside(result.geometry.to_numpy(), area.area)
    if len(result) and missing > GAP_M2:
        words = f"{missing:,.1f} m2, {100 * missing / area.area.area:.2f} % of the study area"
        candidates.log.add("cover_gap", ["study_area"], detail=words)
    return candidates.publish(result.loc[order].reset_index(drop=True))


def ground_inside(shapes: Shapes, area: BaseGeometry) -> float:
    """Return how much of ``area`` lies under polygons that do not overlap [m2]."""
    shapely.prepare(area)
    within = shapely.contains_properly(area, shapes)
    border = shapely.intersection(shapes[~within], area)
    return float(shapely.area(shapes[within]).sum() + shapely.area(border).sum())


def trim_overlaps(shapes: Shapes) -> tuple[Shapes, Mask]:
    """Cut from each polygon what an earlier one covers; return the polygons and which of them were cut.

    Of each polygon the union of all earlier *original* polygons that overlap it is taken away, which gives the same
    ground as cutting one after the other. Polygons that overlap nothing are returned untouched; one without a remainder
    becomes None. Only pairs whose interiors meet are computed with.
    """
    earlier, later = _overlapping_pairs(shapes)
    result = shapes.copy()
    trimmed = np.zeros(len(shapes), dtype=bool)
    if len(later) == 0:
        return result, trimmed
    order = np.lexsort((earlier, later))
    earlier, later = earlier[order], later[order]
    touched, start = np.unique(later, return_index=True)
    trimmed[touched] = True
    cover = shapes[earlier[start]]
    groups = np.split(shapes[earlier], start[1:])
    several = [position for position, group in enumerate(groups) if len(group) > 1]
    for position in several:
        cover[position] = shapely.union_all(groups[position])
    rest = make_valid_polygons(shapely.difference(shapes[touched], cover))
    rest[~(shapely.area(rest) >= MIN_AREA_M2)] = None
    result[touched] = rest
    return result, trimmed


def _overlapping_pairs(shapes: Shapes) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return index pairs (earlier, later) of polygons that share more than `TOLERANCE_M2`."""
    tree = shapely.STRtree(shapes)
    later, earlier = tree.query(shapes)
    later, earlier = later[earlier < later], earlier[earlier < later]
    # neighbours only touch: asking whether interiors meet is several times faster than intersecting them
    meet = shapely.relate_pattern(shapes[earlier], shapes[later], "T********")
    earlier, later = earlier[meet], later[meet]
    shared = shapely.area(shapely.intersection(shapes[earlier], shapes[later]))
    return earlier[shared > TOLERANCE_M2], later[shared > TOLERANCE_M2]
