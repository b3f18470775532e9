"""Steps that list where an energy cooperative should look first."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geodata.catalogue import LAYERS
from pipelines.assets.publish import about_of
from pipelines.assets.sources import AREA, load_area
from pipelines.step_names import INVENTORY
from pipelines.steps import Step, step
from pipelines.work import Work
from twin.publish.about import scenario_words
from twin.shortlist.candidates import roof_candidates
from twin.shortlist.canopies import lot_candidates, open_lots
from twin.shortlist.cards import cards_page
from twin.shortlist.ranking import ranked
from twin.shortlist.roads import roads_of
from twin.solar.resource_file import load_resource

CARDS = "cards.html"
"""Page of cards among the result's files."""
IRRADIATION = "irradiation_kwh_m2.tif"
"""Raster of the ground that tells the shading of car parks."""


@step("scenario/shortlist", group="energy", essential=("scenario/buildings", "scenario/roofs", "scenario/energy", "sources/resource"),
      needs=("sources/parcels", "sources/roads", "scenario/blocks", "scenario/sky_rasters", AREA, INVENTORY), layer=LAYERS["shortlist"],
      parameters=lambda site: site.model_dump(mode="json", include={"title", "demo"}))  # fmt: skip
def shortlist(work: Work) -> None:
    """Published layer and cards: public and school roofs and car parks, ranked by stated weights.

    공개 레이어와 카드: 시민햇빛발전 후보.
    """
    buildings, parcels = work.frame("scenario/buildings"), work.frame_or_none("sources/parcels")
    blocks = work.frame_or_none("scenario/blocks")
    ground = work.frame("scenario/blocks", "ground.parquet") if blocks is not None else None
    sun = work.path("scenario/sky_rasters", IRRADIATION) if work.has("scenario/sky_rasters") else None
    lots = lot_candidates(
        open_lots(parcels, buildings, blocks, ground),
        load_resource(work.need("sources/resource").data),
        sun if sun is not None and sun.exists() else None,
    )
    parts = [part for part in (roof_candidates(buildings, work.frame("scenario/roofs")), lots) if len(part)]
    if not parts:
        work.absent("학교·공공 지붕도 주차장도 없음", "no school, public roof or car park")
        return
    candidates = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=buildings.crs)
    roads = roads_of(work.frame_or_none("sources/roads"), parcels, blocks, ground)
    layer = LAYERS["shortlist"].finish(ranked(candidates, roads))
    work.write(layer)
    work.metadata |= {
        "candidates": len(candidates),
        "unshaded": work.need("scenario/roofs").metadata.get("unshaded", True),
    }
    page = cards_page(
        layer,
        buildings.geometry,
        load_area(work).dongs.set_index("dong_code")["name_ko"],
        about_of(work),
        scenario=scenario_words(work.scenario or "")[0],
    )
    (work.out / CARDS).write_text(page, encoding="utf-8")


STEPS: tuple[Step, ...] = (shortlist,)
