"""Steps that turn layers into files."""

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import pandas as pd

from geodata.accounting import REASONS
from geodata.catalogue import LAYERS
from geodata.parameters import Parameters, load_parameters
from geodata.site import PRESENT, Site
from pipelines.about import release_about
from pipelines.assets.sources import AREA, load_area
from pipelines.assets.written import check_written
from pipelines.code_version import library_versions
from pipelines.step_names import INVENTORY
from pipelines.steps import Step, step
from pipelines.store import StoredObject
from pipelines.work import Work, read_table
from twin.energy.columns import pool_columns
from twin.indicators import district_rows
from twin.publish.about import ReleaseAbout
from twin.publish.city3d.town import write_town
from twin.publish.geopackage import write_geopackage
from twin.publish.geoparquet import write_layer
from twin.publish.map_sheet import shrink
from twin.publish.maps import draw_map
from twin.publish.report.page import Town, write_report
from twin.publish.run_info import newest_vintage
from twin.publish.run_info import run_info as run_info_of
from twin.scenario.notes import plan_notes
from twin.sky.town import Keep

CLEAN = (
    "sources/parcels",
    "sources/buildings",
    "sources/land_cover",
    "sources/parks",
    "sources/park_entrances",
    "sources/plan_blocks",
    "sources/roads",
    "sources/footways",
    "sources/bus_stops",
    "sources/roof_planes",
    "sources/land_characteristics",
    "sources/land_use_regulation",
    "sources/zoning",
    "sources/building_register",
)
JUDGED = (
    "scenario/blocks",
    "scenario/designs",
    "scenario/massing",
    "scenario/footprints",
    "scenario/roof_fit",
    "scenario/park_access",
)
"""Steps of a scenario that add rows to the quality table."""
IMAGES = "sources/ndvi"
"""Tells what it could not use also where nothing usable was left."""
PARAMETER_FILES = (
    ("twin.sky", "canopy.yaml"),
    ("twin.solar", "pv.yaml"),
    ("twin.solar", "resource.yaml"),
    ("twin.solar", "roofs.yaml"),
    ("twin.roof_fit", "roof_fit.yaml"),
    ("twin.sunlight", "winter_sun.yaml"),
    ("twin.energy", "intensity.yaml"),
    ("twin.energy", "load_shapes.yaml"),
    ("twin.energy", "rules.yaml"),
    ("twin.carbon", "grid.yaml"),
    ("twin.money", "money.yaml"),
    ("twin.shortlist", "weights.yaml"),
    ("twin.green", "policy.yaml"),
    ("twin.scenario", "rules.yaml"),
    ("twin.massing", "massing.yaml"),
    ("twin.green", "blend.yaml"),
    ("twin.green", "three_thirty.yaml"),
    ("twin.green", "heat.yaml"),
    ("twin.green.biotope", "surfaces.yaml"),
    ("twin.green.biotope", "moe.yaml"),
    ("twin.green.biotope", "seoul.yaml"),
    ("twin.green.biotope", "berlin.yaml"),
    ("twin.green.biotope", "planned.yaml"),
    ("twin.green.biotope", "roof_budget.yaml"),
    ("twin.green.access", "access.yaml"),
    ("twin.green.access", "residents.yaml"),
    ("twin.green.access", "park_standards.yaml"),
    ("geodata.clean", "storey_heights.yaml"),
    ("geodata.products", "contours.yaml"),
    ("geodata.clean", "land_tables.yaml"),
    ("geodata.clean", "building_register.yaml"),
    ("geodata.products", "ndvi.yaml"),
    ("twin.publish.city3d", "city3d.yaml"),
)


def parameter_files() -> dict[str, Parameters]:
    """Return the parameter files that the published numbers rest on, by name."""
    return {f"{package}/{file}": load_parameters(package, file) for package, file in PARAMETER_FILES}


@step("scenario/districts", group="publish", layer=LAYERS["districts"],
      needs=(AREA, "scenario/parcels", "scenario/buildings", "scenario/parks", "scenario/cover", "scenario/biotope", "scenario/heat",
             "scenario/bus_stops", "scenario/roof_budget", "scenario/energy"))  # fmt: skip
def districts(work: Work) -> None:
    """Published layer: indicators summed by legal dong, and by the project's own district.

    공개 레이어: 법정동·사업지구 요약.
    """
    rows = district_rows(
        load_area(work),
        work.frame_or_none("scenario/parcels"),
        work.frame_or_none("scenario/buildings"),
        work.frame_or_none("scenario/parks"),
        work.frame_or_none("scenario/cover", "districts.parquet"),
    )
    for name in ("scenario/biotope", "scenario/heat", "scenario/bus_stops", "scenario/roof_budget"):
        rows = work.joined(rows, "dong_code", name, "districts.parquet")
    if work.has("scenario/energy"):
        rows = pool_columns(rows, work.frame("scenario/energy", "districts.parquet"), "dong_code")
    work.metadata["unshaded"] = work.need("scenario/buildings").metadata.get("unshaded", True)
    work.write(LAYERS["districts"].finish(rows))


@step(
    "scenario/quality",
    group="publish",
    needs=(*CLEAN, *JUDGED, IMAGES),
    layer=LAYERS["quality"],
)
def quality(work: Work) -> None:
    """Published layer: every record that was repaired, merged, dropped or noted, and why.

    공개 레이어: 자료 품질 기록.
    """
    frames = [frame for name in (*CLEAN, *JUDGED) if (frame := work.frame_or_none(name, "quality.parquet")) is not None]
    images = work.path(IMAGES, "quality.parquet")
    frames += [read_table(images)] if images.exists() else []
    frames = [frame for frame in frames if len(frame)]
    columns = {name: pd.Series([], dtype="str") for name in ("source", "key", "reason", "detail")}
    rows = pd.concat(frames, ignore_index=True) if frames else gpd.GeoDataFrame(columns, geometry=[], crs=work.site.crs)
    rows = gpd.GeoDataFrame(rows, geometry="geometry", crs=work.site.crs)
    rows["outcome"] = rows["reason"].map({code: reason.outcome for code, reason in REASONS.items()})
    rows["reason_ko"] = rows["reason"].map({code: reason.ko for code, reason in REASONS.items()})
    rows["reason_en"] = rows["reason"].map({code: reason.en for code, reason in REASONS.items()})
    work.write(LAYERS["quality"].finish(rows))
    work.metadata["reasons"] = {k: int(v) for k, v in rows["reason"].value_counts().sort_index().items()}


def _missing(needs: Iterator[StoredObject]) -> dict[str, str]:
    return {found.asset: found.absent for found in needs if found.absent is not None}


def _run_info_parameters(site: Site) -> Any:
    told = site.model_dump(mode="json", include={"name", "title", "demo", "scenarios"})
    return told | {"parameter_files": {name: values.as_dict() for name, values in parameter_files().items()}}


@step("scenario/run_info", group="publish", layer=LAYERS["run_info"], kinds={"pandas"}, parameters=_run_info_parameters,
      needs=(INVENTORY, AREA, *CLEAN, "sources/terrain", "sources/surface_model", "sources/resource", "scenario/blocks",
             "scenario/footprints", "scenario/land_cover"))  # fmt: skip
def run_info(work: Work) -> None:
    """Published table: inputs with hashes, counts, parameters, resource correction, software.

    공개 표: 산출 정보.
    """
    terrain = work.need("sources/terrain").metadata
    notes = {f"terrain {number}": text for number, text in enumerate(terrain.get("notes", []), 1)}
    if "coverage_pct" in terrain:
        notes["terrain coverage of the study area"] = f"{terrain['coverage_pct']:.1f} %"
    model = work.need("sources/surface_model").metadata
    notes |= {f"surface model {number}": text for number, text in enumerate(model.get("notes", []), 1)}
    if "coverage_pct" in model:
        notes["surface model, coverage of the study area"] = f"{model['coverage_pct']:.1f} %"
    without = work.need("scenario/footprints").metadata.get("without_terrain", 0)
    if without:
        notes["buildings without terrain"] = f"{without:,}"
    if work.has("scenario/blocks"):
        notes |= plan_notes(
            *(work.need(f"scenario/{name}").metadata for name in ("blocks", "footprints", "land_cover"))
        )
    frame = run_info_of(
        work.site,
        work.inventory(),
        scenario=work.scenario or "",
        accounts=[a for name in CLEAN if (a := work.need(name).metadata.get("account")) is not None],
        missing=_missing(work.need(name) for name in work.needs if not name.startswith("scenario/")),
        notes=notes,
        parameters=parameter_files(),
        resource={k: v for k, v in work.need("sources/resource").metadata.items() if k not in ("absent", "absent_ko")}
        or None,
        versions=library_versions(),
    )
    work.write(LAYERS["run_info"].finish(frame))


def _layer_needs() -> tuple[str, ...]:
    return tuple(f"scenario/{name}" for name in LAYERS)


def about_of(work: Work) -> ReleaseAbout:
    """Return the words and marks of the release that ``work`` is part of."""
    unshaded = work.need("scenario/roofs").metadata.get("unshaded", True)
    return release_about(work.site, newest_vintage(work.inventory()), unshaded=unshaded)


@step("scenario/geopackage", group="publish", needs=(INVENTORY, *_layer_needs()), kinds={"geopackage", "sqlite"},
      parameters=lambda site: site.model_dump(mode="json", include={"title", "demo"}))  # fmt: skip
def geopackage(work: Work) -> None:
    """The scenario's GeoPackage, with styles and labels inside.

    시나리오의 GeoPackage.
    """
    names = [name.partition("/")[2] for name in _layer_needs() if work.has(name)]
    layers = {name: work.frame(f"scenario/{name}") for name in names}
    write_geopackage(work.out / "twin.gpkg", layers, about_of(work))
    check_written(work)
    work.metadata["layers"] = {name: len(frame) for name, frame in layers.items()}


@step("scenario/geoparquet", group="publish", needs=(INVENTORY, *_layer_needs()), kinds={"geoparquet"},
      parameters=lambda site: site.model_dump(mode="json", include={"title", "demo"}))  # fmt: skip
def geoparquet(work: Work) -> None:
    """The scenario's layers once more as GeoParquet with a covering, one file each, tables as plain Parquet.

    시나리오의 레이어를 GeoParquet으로.
    """
    names = [name for name in LAYERS if work.has(f"scenario/{name}")]
    for name in names:
        write_layer(work.out / f"{name}.parquet", LAYERS[name], work.frame(f"scenario/{name}"), about_of(work))


@step(
    "scenario/map",
    group="publish",
    needs=(INVENTORY, *_layer_needs(), "sources/terrain"),
    kinds={"matplotlib"},
    parameters=lambda site: site.model_dump(mode="json", include={"title", "demo"}),
)
def overview_map(work: Work) -> None:
    """The scenario at a glance, as a picture: land, green and building heights, and the yield of every roof.

    시나리오 개관도.
    """
    layers = {name: work.frame(f"scenario/{name}") for name in LAYERS if work.has(f"scenario/{name}")}
    terrain = work.path("sources/terrain", "terrain.tif") if work.has("sources/terrain") else None
    about = about_of(work)
    draw_map(layers, work.out / "map.png", about=about, scenario=work.scenario or "", terrain=terrain)
    shrink(work.out / "map.png", work.preview, 0.4)


@step(
    "scenario/city3d",
    group="publish",
    essential=("scenario/buildings",),
    needs=(INVENTORY, "scenario/roofs", "scenario/roof_fit", "sources/roof_planes"),
    kinds={"cityjson", "3dtiles", "geopackage"},
    parameters=lambda site: site.model_dump(mode="json", include={"name", "title", "demo"}),
)
def city3d(work: Work) -> None:
    """The town in three dimensions: CityJSON, 3D Tiles, and a GeoPackage of buildings alone for other tilers.

    3차원 도시: CityJSON, 3D Tiles, 건물만 담은 GeoPackage.
    """
    known = [work.frame_or_none(name) for name in ("sources/roof_planes", "scenario/roof_fit")]
    planes = [frame for frame in known if frame is not None]
    work.metadata["shown"] = write_town(
        work.out,
        work.frame("scenario/buildings"),
        pd.concat(planes, ignore_index=True) if planes else None,
        about_of(work),
        name=f"{work.site.name}/{work.scenario}",
    )
    check_written(work)


REPORT_LAYERS = ("districts", "buildings", "roofs", "green", "parks", "parcels", "carbon_path", "quality", "run_info")


@step(
    "scenario/report",
    group="publish",
    needs=(
        INVENTORY,
        *(f"{room}/{name}" for room in ("scenario", PRESENT) for name in (*REPORT_LAYERS, "map")),
    ),
    kinds={"matplotlib", "jinja2"},
    parameters=lambda site: site.model_dump(mode="json", include={"title", "demo"}),
)
def report(work: Work) -> None:
    """The report of a scenario, a plan beside the present: one HTML file for mayor and checker.

    시나리오 보고서.
    """
    rooms = {PRESENT: PRESENT} if work.scenario == PRESENT else {PRESENT: PRESENT, "scenario": work.scenario or ""}
    towns = [
        Town(
            name,
            {layer: work.frame(f"{room}/{layer}") for layer in REPORT_LAYERS if work.has(f"{room}/{layer}")},
            work.path(f"{room}/map", "map.png"),
        )
        for room, name in rooms.items()
    ]

    def keep(scenario: str) -> Keep:
        return lambda name, made_from, build: work.part(f"{scenario}.{name}", made_from, build)

    work.metadata |= write_report(towns, work.out / "report.html", about=about_of(work), keep=keep)


STEPS: tuple[Step, ...] = (districts, quality, run_info, geopackage, geoparquet, overview_map, report, city3d)
