"""Steps that measure the green of one scenario."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.catalogue import LAYERS
from geodata.site import PRESENT
from geodata.study_area import StudyArea, with_parcels
from pipelines.assets.solar import surface_of, surface_with_trees
from pipelines.assets.sources import AREA, load_area
from pipelines.steps import Step, step
from pipelines.work import Before, Work, read_table
from twin.green.access.network_file import load_network, save_network
from twin.green.access.park_access import park_access as access_of
from twin.green.access.residents import homes_of, residents_of
from twin.green.access.summary import building_columns, unserved
from twin.green.access.walk_network import WalkNetwork
from twin.green.access.walk_sources import PlannedGround, walk_network
from twin.green.cover import cover_of, green_polygons
from twin.green.ground_shade import GroundShade, ShadeRaster, load_grounds, mean_shade, pieces_of, save_grounds
from twin.green.heat import heat_of, imperviousness, shaded_grounds, summer_sun_h
from twin.green.plots import plot_cover
from twin.green.raster_cover import observed_by
from twin.green.three_thirty import CanopyAround, canopy_around, neighbourhood_canopy
from twin.green.trees_in_sight import SeenBefore, trees_in_sight
from twin.green.vegetation import Vegetation, blockers, has_level, vegetation_of
from twin.indicators import district_shapes
from twin.scenario.ground import cover_change, outside_ground, planned_cover
from twin.scenario.parks import planned_parks
from twin.sky.changed_heights import changed_bounds
from twin.sky.sun_table import daylight_path
from twin.sky.tiles import SurfaceFolder

SHADE_FILE = "shade_hours_summer.tif"
NO_SOURCE = ("토지피복도 식생지수(NDVI)도 없음", "neither land cover nor a vegetation index with a level")


@step("scenario/land_cover", group="green", essential=("sources/land_cover",), needs=("scenario/blocks",))
def land_cover(work: Work) -> None:
    """Land cover of the scenario: that of the present, and in a plan the ground of its new blocks in place of what it clears.

    시나리오의 토지피복: 계획은 신설 블록의 땅을 새 피복으로 바꾼다.
    """
    present = work.frame("sources/land_cover")
    if not work.has("scenario/blocks"):
        work.write(present)
        return
    frame = planned_cover(present, work.frame("scenario/blocks", "ground.parquet"))
    work.write(frame)
    work.metadata |= cover_change(present, frame)


def index_has_level(work: Work) -> bool:
    """Tell whether there is a vegetation index to which a threshold can be applied."""
    return work.has("sources/ndvi") and has_level(work.need("sources/ndvi").metadata["product"])


def seen_green(work: Work, cover: gpd.GeoDataFrame | None) -> Vegetation | None:
    """Return what the vegetation index adds to land ``cover``, if there is an index with a level; not where a plan changes the ground."""
    if not index_has_level(work):
        return None
    told = work.need("sources/ndvi").metadata
    area = with_parcels(load_area(work), work.frame_or_none("sources/parcels"))
    taken = blockers(cover, work.frame_or_none("scenario/footprints"))
    if work.has("scenario/blocks"):
        # an image shows the town as it is
        taken = np.concatenate([taken, work.frame("scenario/blocks", "ground.parquet").geometry.to_numpy()])
    source = f"{told['product']} {told['day']}".strip()
    return vegetation_of(work.path("sources/ndvi", "ndvi.tif"), area, taken, source)


@step(
    "scenario/green",
    group="green",
    needs=("scenario/land_cover", "scenario/blocks", "sources/ndvi", "sources/parcels", "scenario/footprints", AREA),
    layer=LAYERS["green"],
)
def green(work: Work) -> None:
    """Published layer: green polygons without overlap, from land cover and, where that is silent, the vegetation index.

    공개 레이어: 녹지 피복.
    """
    cover = work.frame_or_none("scenario/land_cover")
    seen = seen_green(work, cover)
    if cover is None and seen is None:
        work.absent(*NO_SOURCE)
        return
    layer = LAYERS["green"].finish(green_polygons(cover, seen))
    if seen is not None:
        work.metadata |= {"ndvi_threshold": seen.threshold, "ndvi_slivers_m2": round(seen.dropped_m2, 1)}
    work.metadata["area_by_source_m2"] = {
        kind: round(float(area), 1) for kind, area in layer.groupby("source_kind")["area_m2"].sum().sort_index().items()
    }
    work.write(layer)


@step(
    "scenario/cover",
    group="green",
    essential=("scenario/green",),
    needs=("scenario/land_cover", "scenario/blocks", "sources/ndvi", "sources/parcels", "scenario/footprints", AREA),
)
def cover(work: Work) -> None:
    """Land cover classes and green cover of every parcel, plan block, dong and the district, and of the plot of every building.

    필지·계획 블록·법정동·건물 대지별 토지피복과 녹피율.
    """
    parcels, blocks = work.frame_or_none("sources/parcels"), work.frame_or_none("scenario/blocks")
    before = work.before_where_same(
        "scenario/land_cover", "scenario/green", "scenario/blocks", "sources/ndvi", "sources/parcels", AREA
    )
    by_parcel = None if parcels is None else covered(work, before, parcels, "pnu", "parcels.parquet")
    by_block = None if blocks is None else covered(work, before, blocks, "block_id", "blocks.parquet")
    covered(work, before, district_shapes(load_area(work)), "dong_code", "districts.parquet")
    buildings = work.frame_or_none("scenario/footprints")
    if buildings is not None and (parcels is not None or blocks is not None):
        known = None
        then = work.frame_before("scenario/footprints") if before is not None else None
        if before is not None and then is not None:
            known = then, read_table(before.data / "plots.parquet")
        work.write(plot_cover(buildings, parcels, by_parcel, blocks, by_block, known=known), "plots.parquet")


def covered(work: Work, before: Before | None, features: gpd.GeoDataFrame, key: str, file: str) -> pd.DataFrame:
    """Write and return what covers ``features``; that of ``before`` where there is one."""
    if before is not None:
        table = read_table(before.data / file)
    else:
        observed = None
        if index_has_level(work):
            observed = observed_by(features, key, work.path("sources/ndvi", "ndvi.tif"))
        mapped, green_layer = work.frame_or_none("scenario/land_cover"), work.frame("scenario/green")
        table = cover_of(features, key, mapped, green_layer, observed)
    work.write(table, file)
    return table


def parks_of(work: Work) -> gpd.GeoDataFrame | None:
    """Return the parks and green spaces of the scenario, or None where there are none."""
    designated = work.frame_or_none("sources/parks")
    if work.has("scenario/blocks"):
        designated = planned_parks(designated, work.frame("scenario/blocks"))
    return designated if designated is not None and len(designated) else None


@step("scenario/heat", group="green", essential=("scenario/land_cover",), kinds={"geopandas", "rasterio"}, parameters=lambda site: site.timezone,
      needs=("scenario/sky_rasters", "scenario/blocks", "sources/parks", "sources/parcels", "sources/footways", AREA))  # fmt: skip
def heat(work: Work) -> None:
    """Sealed ground, summer shade of open ground, of pavements and of footways, and an exposure index, of parcels, blocks, parks and districts.

    필지·계획 블록·공원·법정동별 불투수율, 여름 그늘 시간, 햇볕·포장 노출 지수.
    """
    area = load_area(work)
    sun_h = summer_day_h(work, area)
    work.metadata["summer_sun_h"] = round(sun_h, 2)
    before = work.before_where_same(
        "scenario/land_cover", "scenario/blocks", "sources/parks", "sources/parcels", "sources/footways", AREA
    )
    shade = ground_shade(work, before)
    if shade is None:
        work.metadata["without_shade"] = "no surface, so nothing casts shade"
    for frame, key, file in (
        (work.frame_or_none("sources/parcels"), "pnu", "parcels.parquet"),
        (work.frame_or_none("scenario/blocks"), "block_id", "blocks.parquet"),
        (parks_of(work), "park_id", "parks.parquet"),
        (district_shapes(area), "dong_code", "districts.parquet"),
    ):
        if frame is None:
            continue
        sealed = (
            imperviousness(frame, work.frame("scenario/land_cover"))
            if before is None
            else read_table(before.data / file)["impervious_pct"].to_numpy()
        )
        shaded = None if shade is None else shaded_features(work, before, frame, shade, f"shade_{file}")
        work.write(heat_of(frame, key, sealed, shaded, sun_h), file)


def summer_day_h(work: Work, area: StudyArea) -> float:
    """Return how long the sun is up over the town on a mean day of June to August [h]."""
    centre = gpd.GeoSeries([area.area.representative_point()], crs=area.crs).to_crs("EPSG:4326").iloc[0]
    return summer_sun_h(daylight_path(centre.y, centre.x, 0.0, work.site.timezone))


def shade_file(work: Work) -> Path | None:
    """Return the raster of summer shade, or None where no surface casts any."""
    file = work.path("scenario/sky_rasters", SHADE_FILE)
    return file if work.has("scenario/sky_rasters") and file.exists() else None


def ground_shade(work: Work, before: Before | None) -> GroundShade | None:
    """Return the summer shade of the grounds of the town, with that of ``before``; None where no surface casts any."""
    stored = shade_file(work)
    if stored is None:
        return None
    shade = ShadeRaster.read(stored)
    made_from = {
        "land": [work.need(name).content for name in ("scenario/land_cover", "sources/footways")],
        "plan": work.need("scenario/blocks").content if work.has("scenario/blocks") else None,
        "grid": [shade.hours.shape, shade.grid[:6], shade.crs],
    }

    def fill(folder: Path) -> None:
        footways = work.frame_or_none("sources/footways")
        if footways is not None and work.has("scenario/blocks"):
            footways = outside_ground(footways, work.frame("scenario/blocks", "ground.parquet"))
        save_grounds(shaded_grounds(shade, work.frame("scenario/land_cover"), footways), folder)

    grounds = load_grounds(work.part("grounds", made_from, fill))
    then = before.needs("scenario/sky_rasters") if before is not None else None
    file = None if then is None else then["scenario/sky_rasters"].data / SHADE_FILE
    known = ShadeRaster.read(file) if file is not None and file.exists() else None
    return GroundShade(shade, grounds, known)


def shaded_features(
    work: Work, before: Before | None, features: gpd.GeoDataFrame, shade: GroundShade, file: str
) -> pd.DataFrame:
    """Return the shade of the grounds of ``features``, and write the sums that it follows from."""
    pieces, owner = pieces_of(features.geometry.to_numpy())
    known = before.data / file if before is not None else None
    sums = shade.sums(pieces, read_table(known) if known is not None and known.exists() else None)
    work.write(sums, file)
    return mean_shade(sums, owner, len(features), shade.grounds)


NO_PARKS = ("공원·녹지 자료가 없음", "no parks, neither designated nor planned")


@step("scenario/parks", group="green", layer=LAYERS["parks"],
      needs=("sources/parks", "scenario/blocks", "scenario/heat", "scenario/park_access"))  # fmt: skip
def parks(work: Work) -> None:
    """Published layer: parks and green spaces designated by urban planning, in a plan with its park and green blocks.

    공개 레이어: 공원·녹지. 계획은 공원·녹지 블록을 더한다.
    """
    frame = parks_of(work)
    if frame is None:
        work.absent(*NO_PARKS)
        return
    frame = work.joined(frame, "park_id", "scenario/park_access", "parks.parquet")
    work.write(LAYERS["parks"].finish(work.joined(frame, "park_id", "scenario/heat", "parks.parquet")))


@step("scenario/park_access", group="green", kinds={"geopandas", "scipy"}, essential=("scenario/footprints",),
      needs=("sources/parks", "sources/park_entrances", "sources/roads", "sources/parcels", "sources/land_cover", "scenario/blocks"))  # fmt: skip
def park_access(work: Work) -> None:
    """Residents of each building and their way on foot to the nearest park, along the walking network.

    건물별 추정 주민 수와 공원까지 걷는 거리.
    """
    designated = parks_of(work)
    if designated is None:
        work.absent(*NO_PARKS)
        return
    made = load_network(work.part("network", network_from(work), lambda folder: save_network(network_of(work), folder)))
    if made is None:
        work.absent("도로중심선도 도로 필지도 없음", "neither road centrelines nor road parcels")
        return
    network, source = made
    buildings = work.frame("scenario/footprints")
    people = residents_of(buildings)
    if not len(people):
        work.absent("주거용 건물이 없음", "no residential building is known")
        return
    homes = buildings[buildings["building_id"].isin(people.index)].reset_index(drop=True)
    found = access_of(
        homes,
        designated,
        network,
        work.frame_or_none("sources/park_entrances"),
        planned=work.scenario != PRESENT,
    )
    work.write(building_columns(people, found.buildings, source), "buildings.parquet")
    work.write(found.parks, "parks.parquet")
    work.write(found.quality, "quality.parquet")
    work.metadata |= {
        "network_source": source,
        "network_km": round(float(network.length_m.sum()) / 1000, 1),
        "network_parts": int(network.component.max()) + 1 if len(network.nodes) else 0,
        "residents": round(float(people["residents"].sum())),
        **{f"surveyed_entrances_{end}": number for end, number in found.surveyed.items()},
    }


def network_from(work: Work) -> dict[str, str | None]:
    """Return what the walking network is made from."""
    names = ("sources/roads", "sources/parcels", "sources/land_cover", "scenario/blocks")
    return {name: work.need(name).content if work.has(name) else None for name in names}


def network_of(work: Work) -> tuple[WalkNetwork, str] | None:
    """Return the walking network of the scenario and what it is made from, or None without any."""
    plan = None
    if work.has("scenario/blocks"):
        plan = PlannedGround.of(work.frame("scenario/blocks", "ground.parquet"), work.frame("scenario/blocks"))
    return walk_network(
        work.frame_or_none("sources/roads"),
        work.frame_or_none("sources/parcels"),
        work.frame_or_none("sources/land_cover"),
        plan,
    )


@step("scenario/three_thirty", group="green", kinds={"geopandas", "numba"}, essential=("scenario/footprints", "scenario/land_cover"),
      needs=("scenario/surface", "scenario/canopy", "sources/terrain"))  # fmt: skip
def three_thirty(work: Work) -> None:
    """Trees in sight of each residential building and the canopy of its neighbourhood.

    주거 건물별 보이는 나무 수와 동네 수관 비율.
    """
    homes = homes_of(work.frame("scenario/footprints")).reset_index(drop=True)
    if not len(homes):
        work.absent("주거용 건물이 없음", "no residential building is known")
        return
    table = pd.DataFrame(index=pd.Index(homes["building_id"], name="building_id"))
    if not work.has("scenario/surface") or "altitude" not in homes.columns:
        work.metadata["without_trees_in_sight"] = "no terrain, so no window has a height"
    elif work.need("scenario/surface").metadata.get("cells_measured"):
        work.metadata["without_trees_in_sight"] = "the surface model does not tell crowns from what they hide"
    else:
        bare, _ = surface_with_trees(work)
        table["trees_in_sight"] = trees_in_sight(homes, bare, bare.canopy, seen_before(work, bare))

    def fill(folder: Path) -> None:
        canopy_around(work.frame("scenario/land_cover")).save(folder / "around.npz")

    around = work.part("canopy_around", work.need("scenario/land_cover").content, fill)
    table["neighbourhood_canopy_pct"] = neighbourhood_canopy(homes, CanopyAround.load(around / "around.npz"))
    work.write(table)


def seen_before(work: Work, surface: SurfaceFolder) -> SeenBefore | None:
    """Return what homes saw when the step was last made, and where ``surface`` is another since; None where that is not known."""
    before = work.before_where_same("sources/terrain")
    table = None if before is None else read_table(before.data / "features.parquet")
    then = None if before is None else before.needs("scenario/surface", "scenario/canopy", "sources/terrain")
    buildings = work.frame_before("scenario/footprints")
    if table is None or then is None or buildings is None or "trees_in_sight" not in table.columns:
        return None
    boxes = changed_bounds(surface_of(then)[0], surface)
    if boxes is None:
        return None
    return SeenBefore(homes_of(buildings).reset_index(drop=True), table["trees_in_sight"], shapely.box(*boxes.T))


@step(
    "scenario/unserved_buildings",
    group="green",
    essential=("scenario/park_access", "scenario/buildings"),
    layer=LAYERS["unserved_buildings"],
)
def unserved_buildings(work: Work) -> None:
    """Published layer: homes without a park within 300 m on foot.

    공개 레이어: 걸어서 300 m 안에 공원이 없는 주거 건물.
    """
    homes = unserved(work.frame("scenario/buildings"))
    if not len(homes):
        work.absent("모든 주거 건물이 300 m 안에 있음", "every home has a park within 300 m")
        return
    work.write(LAYERS["unserved_buildings"].finish(homes))


STEPS: tuple[Step, ...] = (land_cover, green, cover, heat, parks, park_access, three_thirty, unserved_buildings)
