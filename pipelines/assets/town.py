"""Steps that make the town of one scenario: its buildings on the ground and the surface they form."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np

from geodata.accounting import QualityLog
from geodata.catalogue import LAYERS
from pipelines.assets.sources import AREA, load_area
from pipelines.steps import Step, step
from pipelines.work import Work, read_table
from twin.energy.columns import building_columns
from twin.green.access.summary import resident_sums
from twin.green.raster_cover import ndvi_green_share
from twin.green.three_thirty import with_score
from twin.indicators import building_sums, parcel_sums
from twin.scenario.buildings import all_buildings, present_buildings, staying_buildings
from twin.scenario.ndvi import unchanged_parcels
from twin.surface import build_surface, ground_heights


@step("scenario/footprints", group="town",
      needs=("sources/buildings", "sources/terrain", "scenario/blocks", "scenario/designs", "scenario/massing"))  # fmt: skip
def footprints(work: Work) -> None:
    """Buildings of the scenario with the height of the ground, block, floor area and homes of each; a plan fills its new blocks.

    시나리오의 건물: 지반고, 블록, 연면적, 세대수. 계획은 신설 블록의 기존 건물을 철거하고 계획 건물을 세운다.
    """
    layers = []
    if work.has("sources/buildings"):
        present = present_buildings(work.frame("sources/buildings"))
        staying = staying_buildings(present, work.frame("scenario/blocks")) if work.has("scenario/blocks") else present
        work.metadata["demolished"] = len(present) - len(staying)
        layers.append(staying)
    layers += [work.frame(name) for name in ("scenario/designs", "scenario/massing") if work.has(name)]
    layers = [layer for layer in layers if len(layer)]
    if not layers:
        told = work.need("sources/buildings").metadata
        work.absent(
            told.get("absent_ko", "건물이 없음"), told.get("absent", "neither the town nor the plan has buildings")
        )
        return
    frame = all_buildings(layers)
    log = QualityLog("buildings", work.site.crs)
    if work.has("sources/terrain"):
        frame["altitude"] = ground_heights(frame, work.path("sources/terrain", "terrain.tif"), _same_ground(work))
        bare = np.isnan(frame["altitude"].to_numpy())
        log.add("no_terrain", frame.loc[bare, "building_id"], frame.geometry[bare])
        work.metadata["without_terrain"] = int(bare.sum())
    work.write(log.frame(), "quality.parquet")
    work.write(frame)


def _same_ground(work: Work) -> gpd.GeoDataFrame | None:
    """Return the footprints of the last time, if they stood on the same terrain."""
    then = work.before.needs("sources/terrain") if work.before is not None else None
    if work.before is None or then is None or then["sources/terrain"].content != work.need("sources/terrain").content:
        return None
    return read_table(work.before.data / "features.parquet")


def measured_surface(work: Work) -> Path | None:
    """Return the measured surface model, if there is one; it shows the town as it is, also where a plan changes it."""
    known = work.has("sources/surface_model")
    return work.path("sources/surface_model", "surface_model.tif") if known else None


@step("scenario/surface", group="town", kinds={"rasterio"}, parameters=lambda site: site.surface.cell_size_m,
      needs=("scenario/footprints", "scenario/blocks", "sources/terrain", "sources/surface_model", AREA))  # fmt: skip
def surface(work: Work) -> None:
    """Surface in tiles of one kilometre: measured heights where the site has a surface model, else terrain and buildings.

    Where a plan changes the ground, measured heights are out of date.

    표면 높이 (1 km 타일): 측량한 표면모델, 없으면 지형과 건물. 계획이 바꾸는 땅에는 측량값을 쓰지 않는다.
    """
    measured = measured_surface(work)
    if not work.has("sources/terrain") and measured is None:
        work.absent("지형 자료가 없음", "no terrain")
        return
    report = build_surface(
        work.frame_or_none("scenario/footprints"),
        work.path("sources/terrain", "terrain.tif") if work.has("sources/terrain") else None,
        load_area(work),
        work.site.surface.cell_size_m,
        work.out,
        surface_model=measured,
        outdated=work.frame("scenario/blocks", "ground.parquet").geometry if work.has("scenario/blocks") else None,
        keep=work.part,
    )
    work.metadata |= report.as_dict()


@step(
    "scenario/buildings",
    group="town",
    essential=("scenario/footprints",),
    needs=(
        "scenario/roofs",
        "scenario/cover",
        "scenario/roof_budget",
        "scenario/energy",
        "scenario/park_access",
        "scenario/three_thirty",
        "scenario/winter_sun",
    ),
    layer=LAYERS["buildings"],
)
def buildings(work: Work) -> None:
    """Published layer: buildings with heights and the sums of their roofs.

    공개 레이어: 건물.
    """
    frame = work.frame("scenario/footprints")
    roofs = work.frame_or_none("scenario/roofs")
    if roofs is not None:
        frame = frame.join(building_sums(frame, roofs), on="building_id")
        if work.has("scenario/energy"):
            frame = building_columns(frame, work.frame("scenario/energy", "buildings.parquet"))
        work.metadata["unshaded"] = work.need("scenario/roofs").metadata.get("unshaded", True)
    frame = work.joined(frame, "building_id", "scenario/cover", "plots.parquet")
    frame = work.joined(frame, "building_id", "scenario/roof_budget", "buildings.parquet")
    frame = work.joined(frame, "building_id", "scenario/park_access", "buildings.parquet")
    frame = work.joined(frame, "building_id", "scenario/winter_sun")
    rule = work.frame_or_none("scenario/three_thirty")
    if rule is not None:
        frame = with_score(frame.join(rule, on="building_id"))
    work.write(LAYERS["buildings"].finish(frame))


@step(
    "scenario/parcels",
    group="town",
    essential=("sources/parcels",),
    needs=(
        "sources/parcel_land",
        "sources/ndvi",
        "scenario/blocks",
        "scenario/cover",
        "scenario/biotope",
        "scenario/heat",
        "scenario/buildings",
    ),
    layer=LAYERS["parcels"],
)
def parcels(work: Work) -> None:
    """Published layer: parcels with green cover and the solar sums of their buildings.

    공개 레이어: 필지.
    """
    frame = work.frame("sources/parcels")
    frame = work.joined(frame, "pnu", "sources/parcel_land")
    frame = work.joined(frame, "pnu", "scenario/cover", "parcels.parquet")
    frame = work.joined(frame, "pnu", "scenario/biotope", "parcels.parquet")
    frame = work.joined(frame, "pnu", "scenario/heat", "parcels.parquet")
    if work.has("sources/ndvi"):
        index = ndvi_green_share(frame, "pnu", work.path("sources/ndvi", "ndvi.tif"), threshold=None)
        if work.has("scenario/blocks"):
            index = index[unchanged_parcels(frame, work.frame("scenario/blocks", "ground.parquet"))]
        frame = frame.join(index["ndvi_mean"], on="pnu")
    houses = work.frame_or_none("scenario/buildings")
    if houses is not None:
        frame = frame.join(parcel_sums(frame, houses), on="pnu").join(resident_sums(frame, "pnu", houses), on="pnu")
        work.metadata["unshaded"] = work.need("scenario/buildings").metadata.get("unshaded", True)
    work.write(LAYERS["parcels"].finish(frame))


STEPS: tuple[Step, ...] = (footprints, surface, buildings, parcels)
