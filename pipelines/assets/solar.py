"""Steps that put the sun on the roofs of one scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.catalogue import LAYERS
from geodata.site import Site
from pipelines.assets.sources import AREA, HILLS, load_area
from pipelines.assets.town import measured_surface
from pipelines.steps import Step, step
from pipelines.store import StoredObject
from pipelines.work import Work, read_table
from twin.publish.rasters import write_raster
from twin.roof_fit.town import fit_roofs
from twin.same_rows import row_before
from twin.scenario.buildings import EXISTING
from twin.sky.canopy import build_canopy, open_canopy
from twin.sky.canopy_skyline import canopy_skyline
from twin.sky.cell_light import STEPS as RASTERS
from twin.sky.plane_cells import Sampling
from twin.sky.raster_tile import Year
from twin.sky.rasters import RasterTown, default_cell_size_m, town_rasters
from twin.sky.sun_table import daylight_path, level_irradiation
from twin.sky.tiles import SurfaceFolder
from twin.sky.town import SweptTown, save_skyline, town_skyline
from twin.sky.town_sky import TownSky, other_sky
from twin.solar.kept_yields import KeptYields
from twin.solar.resource import resource_parameters
from twin.solar.resource_file import load_resource
from twin.solar.roofs import roof_planes as planes_of
from twin.solar.uncertainty import uncertainty
from twin.solar.yields import roof_yields as yields_of


@step("scenario/roof_fit", group="solar", kinds={"rasterio"}, essential=("sources/surface_model", "scenario/footprints"),
      needs=("sources/roof_planes",))  # fmt: skip
def roof_fit(work: Work) -> None:
    """Roof planes fitted to the heights of the surface model, where no city model gives them; misfits are left out.

    표면모델 높이에 맞춘 지붕면. 맞지 않는 지붕은 사유와 함께 제외한다.
    """
    measured = measured_surface(work)
    if measured is None:
        work.absent("표면모델(DSM)이 없음", "no surface model")
        return
    buildings, given = work.frame("scenario/footprints"), work.frame_or_none("sources/roof_planes")
    buildings = buildings[buildings["status"] == EXISTING]
    if given is not None:
        buildings = buildings[~buildings["building_id"].isin(given["building_id"])]
    found = fit_roofs(buildings, measured)
    work.write(found.planes)
    work.write(found.quality, "quality.parquet")
    work.metadata |= {"buildings": found.buildings, "buildings_fitted": found.fitted}


@step(
    "scenario/roof_planes",
    group="solar",
    essential=("scenario/footprints",),
    needs=("sources/roof_planes", "scenario/roof_fit"),
)
def roof_planes(work: Work) -> None:
    """Roof planes with usable area and PV capacity; flat unless a plane is given.

    지붕면: 설치 가능 면적과 설비용량.
    """
    buildings = work.frame("scenario/footprints")
    given = work.frame_or_none("sources/roof_planes")
    if given is not None:
        known = given["building_id"].isin(buildings["building_id"])
        work.metadata |= {"planes_given": int(known.sum()), "planes_of_other_buildings": int((~known).sum())}
        given = given[known]
    fitted = work.frame_or_none("scenario/roof_fit")
    known_planes = [planes for planes in (given, fitted) if planes is not None]
    work.write(planes_of(buildings, pd.concat(known_planes, ignore_index=True) if known_planes else None))


@step("scenario/canopy", group="solar", kinds={"rasterio"},
      essential=("scenario/land_cover", "scenario/surface"), needs=("scenario/footprints", "scenario/roof_planes"))  # fmt: skip
def canopy(work: Work) -> None:
    """Trees on the surface, from the forest classes of the land cover: heights and kinds in tiles of one kilometre.

    표면 위의 나무: 토지피복 산림의 높이와 수종 (1 km 타일).
    """
    if work.need("scenario/surface").metadata.get("cells_measured"):
        work.absent("나무가 이미 표면모델(DSM)에 있음", "the surface model shows the trees already")
        return
    built = [work.frame_or_none(name) for name in ("scenario/footprints", "scenario/roof_planes")]
    cleared = pd.concat([frame.geometry for frame in built if frame is not None] or [pd.Series([], dtype=object)])
    folder = SurfaceFolder.open(work.need("scenario/surface").data)
    report = build_canopy(work.frame("scenario/land_cover"), cleared.to_numpy(), folder, work.out, keep=work.part)
    if not report.tiles:
        work.absent("산림이 없음", "no trees in the land cover")
        return
    work.metadata |= report.as_dict()


def surface_with_trees(work: Work) -> tuple[SurfaceFolder, SurfaceFolder | None]:
    """Return the surface with the trees on it, and what kind of trees they are; the bare surface and None without any."""
    return surface_of(work.needs)


def surface_of(needs: Mapping[str, StoredObject]) -> tuple[SurfaceFolder, SurfaceFolder | None]:
    """Return the surface and the kinds of trees as `surface_with_trees`, from these needs."""
    terrain, trees = needs["sources/terrain"], needs["scenario/canopy"]
    folder = SurfaceFolder.open(
        needs["scenario/surface"].data, terrain.data / "terrain.tif" if terrain.absent is None else None
    )
    if trees.absent is not None:
        return folder, None
    heights, evergreen = open_canopy(trees.data)
    return replace(folder, canopy=heights), evergreen


def _swept_before(work: Work) -> SweptTown | None:
    """Return the town as its skylines were last swept, with its trees."""
    before = work.before
    needs = (
        before.needs("scenario/roof_planes", "scenario/surface", "scenario/canopy", "sources/terrain")
        if before
        else None
    )
    if before is None or needs is None:
        return None
    surface, _ = surface_of(needs)
    return SweptTown(read_table(needs["scenario/roof_planes"].data / "features.parquet"), surface, before.part)


@step("scenario/skyline", group="solar", essential=("scenario/roof_planes", "scenario/surface"),
      needs=("scenario/canopy", "sources/terrain"), kinds={"numba"}, parameters=lambda site: site.solar.azimuths)  # fmt: skip
def skyline(work: Work) -> None:
    """What hides the sky from each roof plane: the distribution of horizon angles by azimuth, near and far.

    지붕면별 하늘 가림: 방위별 지평선 각도 분포.
    """
    planes, azimuths = work.frame("scenario/roof_planes"), work.site.solar.azimuths
    raised, evergreen = surface_with_trees(work)
    hills = work.path("sources/terrain", HILLS)
    before = _swept_before(work)
    near, far = town_skyline(
        planes,
        replace(raised, canopy=None),
        azimuths,
        work.part,
        work.site.compute,
        hills=hills if hills.exists() else None,
        before=before and before.without_trees,
    )
    save_skyline(near, far, work.out)
    if evergreen is not None:
        trees = canopy_skyline(
            planes,
            near,
            surface=raised,
            evergreen=evergreen,
            azimuths=azimuths,
            keep=work.part,
            compute=work.site.compute,
            before=before,
        )
        trees.save(work.out)
        work.metadata["planes_behind_trees"] = len(trees.planes)
    work.metadata["sampling"] = {kind.name.lower(): int((near.sampling == kind).sum()) for kind in Sampling}


def _kept_yields(work: Work, planes: gpd.GeoDataFrame, sky: TownSky) -> KeptYields | None:
    """Return the yields of the last time, and which roofs they still hold for: those that are the same and see the same sky."""
    before = work.before
    needs = before.needs("scenario/roof_planes", "scenario/skyline", "sources/resource") if before else None
    if before is None or needs is None or needs["scenario/skyline"].absent is not None:
        return None
    if needs["sources/resource"].content != work.need("sources/resource").content:
        return None
    then = read_table(needs["scenario/roof_planes"].data / "features.parquet")
    # another outline is seen by the cells that stand for the roof
    columns = (set(planes.columns) | set(then.columns)) - {"roof_id", "geometry"}
    rows = row_before(planes, then, "roof_id", sorted(columns), outlines=False)
    at = np.flatnonzero(rows >= 0)
    rows[at[other_sky(TownSky.load(needs["scenario/skyline"].data), rows[at], sky, at)]] = -1
    return KeptYields(before.data, rows)


@step("scenario/roof_yields", group="solar", essential=("scenario/roof_planes", "sources/resource"), needs=("scenario/skyline",),
      kinds={"pvlib"}, parameters=lambda site: site.timezone)  # fmt: skip
def roof_yields(work: Work) -> None:
    """Hourly irradiation and AC yield of every roof plane, and the tables made from them.

    지붕면별 시간별 일사량과 발전량.
    """
    planes = work.frame("scenario/roof_planes")
    resource = load_resource(work.need("sources/resource").data)
    factors, known, kept = None, None, None
    if work.has("scenario/skyline"):
        sky = TownSky.load(work.need("scenario/skyline").data)
        known, kept = sky.known, _kept_yields(work, planes, sky)
        again = np.arange(len(planes)) if kept is None else np.flatnonzero(kept.rows < 0)
        factors = sky.take(again).factors(planes.iloc[again], resource, work.site.timezone)
    report = yields_of(
        planes, resource, work.out, factors, timezone=work.site.timezone, surroundings_known=known, kept=kept
    )
    work.metadata |= report.as_dict()


def _raster_parameters(site: Site) -> Any:
    return [site.surface.model_dump(), site.solar.azimuths, site.timezone, site.demo]


def _rasters_before(work: Work) -> RasterTown | None:
    """Return the town as its rasters were last made."""
    before = work.before
    needs = before.needs("scenario/surface", "scenario/canopy", "sources/terrain") if before else None
    return None if before is None or needs is None else RasterTown(*surface_of(needs), before.last, before.part)


@step("scenario/sky_rasters", group="solar", kinds={"numba", "rasterio"}, parameters=_raster_parameters,
      essential=("scenario/surface",),
      needs=(AREA, "scenario/canopy", "scenario/footprints", "sources/terrain", "sources/resource"))  # fmt: skip
def sky_rasters(work: Work) -> None:
    """Published rasters: sky view and shade hours of the ground, yearly irradiation of ground and roofs.

    공개 래스터: 지면의 하늘 시계율과 그늘 시간, 지면·지붕의 연간 일사량.
    """
    area, site = load_area(work), work.site
    raised, evergreen = surface_with_trees(work)
    centre = gpd.GeoSeries([area.area.representative_point()], crs=area.crs).to_crs("EPSG:4326").iloc[0]
    # a few hundred metres of height change refraction at sunrise alone
    daylight = daylight_path(centre.y, centre.x, 0.0, site.timezone)
    irradiation = None
    if work.has("sources/resource"):
        irradiation = level_irradiation(load_resource(work.need("sources/resource").data), site.timezone)
    buildings = work.frame_or_none("scenario/footprints")
    roofs = buildings.geometry if buildings is not None else gpd.GeoSeries([], crs=site.crs)
    year = Year(daylight, irradiation, float(resource_parameters()["surroundings_albedo"]), site.solar.azimuths)
    cell = site.surface.raster_cell_size_m or default_cell_size_m(raised.cell_size_m)
    tiles = town_rasters(
        area.area, raised, evergreen, roofs, year, cell_size_m=cell, keep=work.part, compute=site.compute,
        before=_rasters_before(work),
    )  # fmt: skip
    if not tiles:
        work.absent("연구 범위에 지형이 없음", "no terrain in the study area")
        return
    work.metadata["cell_size_m"] = cell
    for band, (name, unit) in enumerate(RASTERS.items(), 1):
        told = write_raster(name, tiles, band, work.out / f"{name}.tif", step=unit, demo=site.demo)
        if told is not None:
            work.metadata[name] = told


@step(
    "scenario/roofs",
    group="solar",
    essential=("scenario/roof_planes",),
    needs=("scenario/roof_yields", "sources/resource"),
    layer=LAYERS["roofs"],
)
def roofs(work: Work) -> None:
    """Published layer: roof planes with yearly and monthly yield.

    공개 레이어: 지붕면.
    """
    frame = work.frame("scenario/roof_planes")
    yields = work.frame_or_none("scenario/roof_yields", "roofs.parquet")
    if yields is not None:
        added = yields.set_index("roof_id").drop(columns="capacity_kwp", errors="ignore")
        frame = frame.join(added, on="roof_id")
        frame = frame.join(uncertainty(frame, load_resource(work.need("sources/resource").data)))
        work.metadata["unshaded"] = work.need("scenario/roof_yields").metadata["unshaded"]
    work.write(LAYERS["roofs"].finish(frame))


STEPS: tuple[Step, ...] = (roof_fit, roof_planes, canopy, skyline, roof_yields, sky_rasters, roofs)
