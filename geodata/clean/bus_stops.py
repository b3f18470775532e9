"""Clean bus stops: points where people wait."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.accounting import CleanLayer
from geodata.clean.candidates import gather
from geodata.clean.identifiers import identify
from geodata.inventory import RawLayer
from geodata.repair_points import repair_points
from geodata.study_area import StudyArea

TEXTS = ("source_id", "name")


def clean_bus_stops(raw: Sequence[RawLayer], area: StudyArea) -> CleanLayer:
    """Return the bus stops of the study area, sorted by `stop_id`: `stop_id`, `name`, `dong_code` and a point.

    The identifier is the source's own number, or is minted where there is none. Of a number that several editions know, the
    newest counts.

    Raises
    ------
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    candidates = gather(raw, area, "bus_stops", texts=TEXTS, labels=("name",), repair_shapes=repair_points)
    rows = candidates.features
    edition = rows["layer"].map({number: layer.dataset.vintage for number, layer in enumerate(raw)}).fillna("")
    newest = edition.groupby(rows["source_id"]).transform("max")
    candidates.drop("older_snapshot", (edition < newest.fillna("")) & rows["source_id"].notna())
    rows = candidates.features
    identifiers, shared = identify(rows, rows["source_id"], ("name",), TEXTS, "s")
    candidates.note("id_duplicate", shared, rows["source_id"].fillna(""))
    stops = gpd.GeoDataFrame(
        {"stop_id": identifiers, "name": rows["name"], "dong_code": _dongs(rows.geometry.to_numpy(), area)},
        geometry=rows.geometry.to_numpy(),
        crs=area.crs,
    )
    return candidates.publish(stops.sort_values("stop_id", ignore_index=True))


def _dongs(points: np.ndarray, area: StudyArea) -> pd.Series:
    """Return the legal dong that holds each of ``points``, else the nearest: files of one border differ by centimetres."""
    codes = area.dongs["dong_code"].to_numpy(dtype=object)
    found = shapely.STRtree(area.dongs.geometry.to_numpy()).query_nearest(points, all_matches=False)
    told = np.full(len(points), None, dtype=object)
    told[found[0]] = codes[found[1]]
    return pd.Series(told, dtype="str")
