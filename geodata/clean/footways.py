"""Clean footways: the land of pavements for people on foot, apart from the carriageway."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd

from geodata.accounting import CleanLayer
from geodata.clean.candidates import gather
from geodata.clean.columns import positive
from geodata.clean.identifiers import identify
from geodata.inventory import RawLayer
from geodata.study_area import StudyArea

TEXTS = ("source_id", "paving")
QUANTITIES = ("width_m",)


def clean_footways(raw: Sequence[RawLayer], area: StudyArea) -> CleanLayer:
    """Return the footways that touch the study area, whole, sorted by `footway_id`: `footway_id`, `paving`, `width_m`, polygons.

    Footways of overlapping sheets may overlap: what is measured on them is a mean over their ground.

    Raises
    ------
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    candidates = gather(raw, area, "footways", texts=TEXTS, quantities=QUANTITIES, labels=("paving",), keep="touching")
    rows = candidates.features
    identifiers, shared = identify(rows, rows["source_id"], TEXTS, (*TEXTS, *QUANTITIES), "f")
    candidates.note("id_duplicate", shared, rows["source_id"].fillna(""))
    footways = gpd.GeoDataFrame(
        {"footway_id": identifiers, "paving": rows["paving"], "width_m": positive(rows["width_m"])},
        geometry=rows.geometry.to_numpy(),
        crs=area.crs,
    )
    return candidates.publish(footways.sort_values("footway_id", ignore_index=True))
