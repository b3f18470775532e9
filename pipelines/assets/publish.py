"""Steps that turn layers into files, and the asset that publishes a release."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import geopandas as gpd
import pandas as pd

from geodata.accounting import REASONS
from geodata.catalogue import LAYERS
from geodata.errors import InputError
from geodata.parameters import Parameters, load_parameters
from geodata.site import CORE_ROLES, ROLE_TITLES, ROLES, Role, Site
from pipelines.about import release_about
from pipelines.assets.sources import AREA, load_area
from pipelines.assets.sources import STEPS as SOURCE_STEPS
from pipelines.checks import release_problems
from pipelines.code_version import code_version, library_versions
from pipelines.instance import Workplace
from pipelines.steps import (
    INVENTORY,
    OWNER,
    Progress,
    Step,
    Work,
    key_of,
    read_inventory,
    read_table,
    role_digest,
    step,
)
from pipelines.store import Store, StoredObject, digest_of
from twin.indicators import district_rows
from twin.publish.about import ReleaseAbout
from twin.publish.geopackage import write_geopackage
from twin.publish.manifest import build_manifest
from twin.publish.maps import draw_map
from twin.publish.release import publish_release
from twin.publish.run_info import newest_vintage
from twin.publish.run_info import run_info as run_info_of
from twin.publish.validate import validate_release

CLEAN = (
    "sources/parcels",
    "sources/buildings",
    "sources/land_cover",
    "sources/parks",
    "sources/plan_blocks",
    "sources/roads",
    "sources/roof_planes",
    "sources/land_characteristics",
    "sources/land_use_regulation",
    "sources/zoning",
    "sources/building_register",
)
PARAMETER_FILES = (
    ("twin.sky", "canopy.yaml"),
    ("twin.solar", "pv.yaml"),
    ("twin.solar", "resource.yaml"),
    ("twin.solar", "roofs.yaml"),
    ("twin.roof_fit", "roof_fit.yaml"),
    ("twin.green", "policy.yaml"),
    ("geodata.clean", "storey_heights.yaml"),
    ("geodata.products", "contours.yaml"),
    ("geodata.clean", "land_tables.yaml"),
    ("geodata.clean", "building_register.yaml"),
)


@step("scenario/districts", group="publish", layer=LAYERS["districts"],
      needs=(AREA, "scenario/parcels", "scenario/buildings", "scenario/parks", "scenario/cover"))  # fmt: skip
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
    work.metadata["unshaded"] = work.need("scenario/buildings").metadata.get("unshaded", True)
    work.write(LAYERS["districts"].finish(rows))


@step(
    "scenario/quality",
    group="publish",
    needs=(*CLEAN, "scenario/footprints", "scenario/roof_fit"),
    layer=LAYERS["quality"],
)
def quality(work: Work) -> None:
    """Published layer: every record that was repaired, merged, dropped or noted, and why.

    공개 레이어: 자료 품질 기록.
    """
    frames = [
        frame
        for name in (*CLEAN, "scenario/footprints", "scenario/roof_fit")
        if (frame := work.frame_or_none(name, "quality.parquet")) is not None
    ]
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
      needs=(INVENTORY, AREA, *CLEAN, "sources/terrain", "sources/surface_model", "sources/resource", "scenario/footprints"))  # fmt: skip
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
    frame = run_info_of(
        work.site,
        work.inventory(),
        scenario=work.scenario or "",
        accounts=[a for name in CLEAN if (a := work.need(name).metadata.get("account")) is not None],
        missing=_missing(iter(work.needs.values())),
        notes=notes,
        parameters=parameter_files(),
        resource={k: v for k, v in work.need("sources/resource").metadata.items() if k not in ("absent", "absent_ko")}
        or None,
        versions=library_versions(),
    )
    work.write(LAYERS["run_info"].finish(frame))


def _layer_needs() -> tuple[str, ...]:
    return tuple(f"scenario/{name}" for name, layer in LAYERS.items() if not layer.planned_only)


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
    work.metadata["layers"] = {name: len(frame) for name, frame in layers.items()}


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
    layers = {
        name: work.frame(f"scenario/{name}")
        for name in LAYERS
        if f"scenario/{name}" in work.needs and work.has(f"scenario/{name}")
    }
    terrain = work.path("sources/terrain", "terrain.tif") if work.has("sources/terrain") else None
    about = about_of(work)
    draw_map(layers, work.out / "map.png", about=about, scenario=work.scenario or "", terrain=terrain)
    draw_map(layers, work.preview, about=about, scenario=work.scenario or "", terrain=terrain, dpi=60)


STEPS: tuple[Step, ...] = (districts, quality, run_info, geopackage, overview_map)

TABLES = {"hourly_by_dong.parquet": "scenario/roof_yields", "profile_by_building.parquet": "scenario/roof_yields"}
"""Published tables and the step whose result holds them."""


RELEASED = ("geopackage", "map", "surface", "roof_yields", "sky_rasters")
"""What a release is made of, in each scenario; everything else is reached from these."""


class MixedObjectsError(InputError):
    """The objects that would be published do not belong to one another."""


def pin_objects(store: Store, site: Site) -> dict[str, StoredObject]:
    """Return every stored object that the GeoPackages were made from, one version of each.

    Walks from the GeoPackages back to the inbox by the content hashes that each object recorded of its inputs.

    Raises
    ------
    MixedObjectsError
        If two versions of one asset are involved, one is gone, or a source was made from files that are no longer those of
        the inventory: then something upstream was re-materialised alone.
    """
    pinned: dict[str, StoredObject] = {}
    pending: list[tuple[str, str]] = []
    for scenario in site.scenarios:
        for name in RELEASED:
            found = store.current(f"{scenario}/{name}")
            if found is None:
                raise MixedObjectsError(
                    f"{scenario}/{name} was not built yet, or its stored object is damaged. Run: twin run"
                )
            pinned[found.asset] = found
            pending += list(found.inputs.items())
    while pending:
        asset, content = pending.pop()
        if asset.startswith(":"):
            continue
        if asset in pinned:
            if pinned[asset].content != content:
                raise MixedObjectsError(
                    f"two versions of {asset} are in use: something was re-materialised alone. Run: twin run"
                )
            continue
        found = store.by_content(asset, content)
        if found is None:
            raise MixedObjectsError(f"the version of {asset} that was used is no longer in the store. Run: twin run")
        pinned[asset] = found
        pending += list(found.inputs.items())
    _refuse_stale_sources(pinned, store)
    return pinned


def _refuse_stale_sources(pinned: dict[str, StoredObject], store: Store) -> None:
    inventory = store.current(INVENTORY)
    if inventory is None or inventory.content != pinned[INVENTORY].content:
        raise MixedObjectsError("the inbox was read again since these layers were built. Run: twin run")
    for source in SOURCE_STEPS:
        if source.role is None:
            continue
        used = pinned[source.name].inputs.get(f":{source.role}")
        if used != role_digest(inventory, source.role):
            raise MixedObjectsError(
                f"{source.name} was built from files that are no longer in the inbox. Run: twin run"
            )


def release_files(site: Site, pinned: dict[str, StoredObject]) -> dict[str, tuple[StoredObject, str]]:
    """Return the files of a release: name inside it to the stored object that holds it and its name there."""
    files: dict[str, tuple[StoredObject, str]] = {}
    for scenario in site.scenarios:
        files[f"{scenario}/twin.gpkg"] = pinned[f"{scenario}/geopackage"], "twin.gpkg"
        files[f"maps/{scenario}.png"] = pinned[f"{scenario}/map"], "map.png"
        for table, step_name in TABLES.items():
            stored = pinned[key_of(step_name, scenario)]
            if table in stored.files:
                files[f"tables/{scenario}_{table}"] = stored, table
        rasters = pinned[f"{scenario}/sky_rasters"]
        files |= {f"rasters/{scenario}_{name}": (rasters, name) for name in sorted(rasters.files)}
    return files


def summary_lines(site: Site, pinned: dict[str, StoredObject]) -> list[str]:
    """Return what a person wants to know of a release first."""
    lines = []
    for scenario in site.scenarios:
        counts = pinned[f"{scenario}/geopackage"].metadata["layers"]
        lines.append(f"{scenario}: " + ", ".join(f"{LAYERS[name].ko} {rows:,}" for name, rows in counts.items()))
        rows = read_table(pinned[f"{scenario}/districts"].data / "features.parquet")
        whole = (
            rows[rows["kind"] == "district"]
            if (rows["kind"] == "district").any()
            else rows[rows["kind"] == "legal_dong"]
        )
        title = (
            "사업지구 · district"
            if (rows["kind"] == "district").any()
            else f"법정동 {len(whole)}개, 사업지구 아님 · {len(whole)} legal dongs, not the district"
        )
        figures = [f"{whole['area_m2'].sum() / 1e6:,.2f} km2"]
        unshaded = pinned[f"{scenario}/roofs"].metadata.get("unshaded", True)
        mark = " (음영 미반영 · unshaded)" if unshaded else " (음영 반영 · shading included)"
        if "yield_kwh" in whole.columns:
            figures.append(
                f"지붕 태양광 · rooftop PV {whole['capacity_kwp'].sum() / 1000:,.1f} MWp, {whole['yield_kwh'].sum() / 1e6:,.1f} GWh/a{mark}"
            )
        if "green_area_m2" in whole.columns:
            figures.append(f"녹피율 · green cover {100 * whole['green_area_m2'].sum() / whole['area_m2'].sum():.1f} %")
        lines.append(f"{title}: " + ", ".join(figures))
    absent = {
        role: found.absent for role in ROLES if (found := pinned.get(clean_asset(role))) is not None and found.absent
    }
    lines += [f"없음 · missing: {ROLE_TITLES[role][0]} · {why}" for role, why in absent.items() if role in CORE_ROLES]
    refining = [ROLE_TITLES[role][0] for role in absent if role not in CORE_ROLES and role != "district"]
    if refining:
        lines.append(f"보조 자료 없음 · not given, would refine: {', '.join(refining)}")
    if site.demo:
        lines.append("가상 데이터 · demo data")
    return lines


def clean_asset(role: Role) -> str:
    """Return the asset that is made from the files of ``role``."""
    return {"weather": "sources/resource", "district": AREA}.get(role, f"sources/{role}")


def publish(workplace: Workplace, store: Store, *, now: datetime) -> dict[str, Any]:
    """Publish a release of the current objects, if they belong together, pass every check again, and are new.

    Raises
    ------
    MixedObjectsError
        If the objects do not belong together.
    InputError
        If a check refuses them, or the outputs cannot be written.
    """
    site = workplace.site
    pinned = pin_objects(store, site)
    problems = release_problems(site, pinned.__getitem__, SOURCE_STEPS)
    if problems:
        raise InputError("checks refuse these layers:\n  " + "\n  ".join(problems))
    summary = summary_lines(site, pinned)
    stored_files = release_files(site, pinned)
    files = {name: stored.data / file for name, (stored, file) in stored_files.items()}
    manifest = build_manifest(
        site,
        pinned_records(pinned),
        summary,
        library_versions(),
        inventory=read_inventory(pinned[INVENTORY]),
        parameters=parameter_files(),
        geopackages={scenario: files[f"{scenario}/twin.gpkg"] for scenario in site.scenarios},
    )
    result = publish_release(
        workplace.outputs,
        site.name,
        files,
        manifest,
        digest_of({asset: found.content for asset, found in pinned.items()}),
        now=now,
        keep=site.keep_releases,
        validate=validate_release,
        expected={name: stored.files[file] for name, (stored, file) in stored_files.items()},
    )
    return {
        "release": str(result.path),
        "id": result.id,
        "published": result.published,
        "reason": result.reason,
        "summary": summary,
    }


def parameter_files() -> dict[str, Parameters]:
    """Return the parameter files that the published numbers rest on, by name."""
    return {f"{package}/{file}": load_parameters(package, file) for package, file in PARAMETER_FILES}


def pinned_records(pinned: dict[str, StoredObject]) -> dict[str, dict[str, Any]]:
    """Return digest, content hash, inputs and metadata of each object, for the manifest."""
    return {
        asset: {"digest": found.digest, "content": found.content, "inputs": found.inputs, "metadata": found.metadata}
        for asset, found in sorted(pinned.items())
    }


def release_asset(
    workplace: Workplace,
    store: Store,
    context_check: Callable[[Any], None],
    on_progress: Callable[[Progress], None] | None,
) -> dg.AssetsDefinition:
    """Return the asset that publishes; it verifies everything itself, so that materialising it alone is safe."""

    @dg.asset(
        key=dg.AssetKey(["release"]),
        deps=[dg.AssetKey([scenario, name]) for scenario in workplace.site.scenarios for name in RELEASED],
        group_name="publish",
        kinds={"geopackage"},
        owners=[OWNER],
        tags={"site": workplace.site.name, "scenario": "all"},
        code_version=code_version(publish),
        description="The published, immutable release; nothing is published when nothing has changed. · 공개된 릴리스.",
    )
    def body(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        context_check(context)
        try:
            told = publish(workplace, store, now=datetime.now(UTC))
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        if on_progress is not None:
            on_progress(Progress("release", 0.0, not told["published"], None, None))
        return dg.MaterializeResult(metadata=told, data_version=dg.DataVersion(told["id"]))

    return body
