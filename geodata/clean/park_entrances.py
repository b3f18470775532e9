"""Clean park entrances: points where somebody found that a park is entered."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd

from geodata.accounting import CleanLayer
from geodata.clean.candidates import gather
from geodata.clean.identifiers import identify
from geodata.inventory import RawLayer
from geodata.repair_points import repair_points
from geodata.study_area import StudyArea, with_parcels

TEXTS = ("source_id", "park_name", "name")


def entrance_area(area: StudyArea, parks: gpd.GeoDataFrame | None, reach_m: float) -> StudyArea:
    """Return the study area together with the parks that reach out of it, and with what lies within ``reach_m`` of their borders."""
    return area if parks is None else with_parcels(area, parks.set_geometry(parks.buffer(reach_m)))


def clean_park_entrances(raw: Sequence[RawLayer], area: StudyArea) -> CleanLayer:
    """Return the park entrances of the study area, sorted by `entrance_id`: `entrance_id`, `park_name`, `name` and a point.

    The identifier is the source's own number, or is minted where there is none. Which park an entrance leads into is not
    judged here, because the parks of a plan are others than those of today.

    Raises
    ------
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    candidates = gather(
        raw,
        area,
        "park_entrances",
        texts=TEXTS,
        labels=("park_name", "name"),
        keep="touching",
        repair_shapes=repair_points,
    )
    rows = candidates.features
    identifiers, shared = identify(rows, rows["source_id"], ("park_name", "name"), TEXTS, "e")
    candidates.note("id_duplicate", shared, rows["source_id"].fillna(""))
    entrances = gpd.GeoDataFrame(
        {"entrance_id": identifiers, "park_name": rows["park_name"], "name": rows["name"]},
        geometry=rows.geometry.to_numpy(),
        crs=area.crs,
    )
    return candidates.publish(entrances.sort_values("entrance_id", ignore_index=True))
