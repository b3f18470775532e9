"""Clean road centrelines: the lines a walking network is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geodata.accounting import CleanLayer
from geodata.class_tables import class_words, load_classes
from geodata.clean.candidates import Candidates, gather
from geodata.clean.columns import positive
from geodata.clean.identifiers import identify
from geodata.inventory import Dataset, RawLayer
from geodata.repair_lines import repair_lines
from geodata.study_area import StudyArea

TEXTS = ("source_id", "class", "road_name", "name")
QUANTITIES = ("width_m",)
COLUMNS = ("road_id", "class", "name", "width_m")
WIDEST_M = 150.0
"""No road of Korea is wider: squares such as 광화문 are 100 m."""


def clean_roads(raw: Sequence[RawLayer], area: StudyArea) -> CleanLayer:
    """Return the road centrelines that touch the study area, whole, sorted by `road_id`.

    Features carry `road_id`, `class` (Korean word), `name` (of the road address, else of the road itself), `width_m` (NaN
    where unknown) and a LineString. A record of several lines that do not continue each other becomes several features
    with one identifier and a number; the account counts records. Pieces of neighbouring sheets stay apart: they meet in
    one point. Where two data sets cover one place, the preferred one counts.

    Raises
    ------
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    candidates = gather(
        raw,
        area,
        "roads",
        texts=TEXTS,
        quantities=QUANTITIES,
        labels=("road_name", "name"),
        keep="touching",
        repair_shapes=repair_lines,
    )
    _drop_covered(candidates, [layer.dataset for layer in raw])
    rows = candidates.features
    none = pd.Series(np.nan, index=rows.index).astype("str")
    identifiers, _ = identify(rows, none, ("source_id",), (*TEXTS, *QUANTITIES), "r")
    too_wide = rows["width_m"] > WIDEST_M
    candidates.note("value_implausible", too_wide, "width: " + rows["width_m"].astype("str") + " m")
    classes = class_words(rows["class"].str.upper(), load_classes("geodata.clean", "road_classes.yaml"), "ko")
    roads = gpd.GeoDataFrame(
        {
            "road_id": identifiers,
            "class": classes.fillna(rows["class"]),
            "name": rows["road_name"].fillna(rows["name"]),
            "width_m": positive(rows["width_m"]).where(~too_wide),
        },
        geometry=rows.geometry.to_numpy(),
        crs=area.crs,
    ).sort_values("road_id", ignore_index=True)
    clean = candidates.publish(roads)
    return replace(clean, features=_single_lines(clean.features))


def _single_lines(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return one feature for each line; those of one record are numbered from 1."""
    parts = roads.explode(index_parts=False, ignore_index=True)
    several = parts["road_id"].duplicated(keep=False)
    number = (parts.groupby("road_id").cumcount() + 1).astype("str")
    parts["road_id"] = parts["road_id"].where(~several, parts["road_id"] + "-" + number)
    return parts[[*COLUMNS, "geometry"]]


def _drop_covered(candidates: Candidates, datasets: Sequence[Dataset]) -> None:
    """Drop roads of a data set that lie where a preferred one has its sheets (``other_source``)."""
    rows = candidates.features
    layer = rows["layer"].to_numpy(dtype=np.int64)
    if len(np.unique(layer)) < 2:
        return
    middle = shapely.point_on_surface(rows.geometry.to_numpy())
    covered = np.zeros(len(rows), dtype=bool)
    ground: list[shapely.Geometry] = []
    for position, dataset in enumerate(datasets):
        if ground:
            covered |= (layer == position) & shapely.covers(shapely.union_all(ground), middle)
        ground += _extents(dataset, candidates.area.crs)
    candidates.drop("other_source", covered, "a data set of larger scale or a newer one covers this place")


def _extents(dataset: Dataset, crs: str) -> list[shapely.Geometry]:
    boxes: list[shapely.Geometry] = []
    for part in dataset.parts:
        if part.bounds is not None and part.crs is not None:
            transformer = pyproj.Transformer.from_crs(part.crs, crs, always_xy=True)
            boxes.append(shapely.box(*transformer.transform_bounds(*part.bounds, densify_pts=21)))
    return boxes
