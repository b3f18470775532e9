"""The asset that publishes a release: it pins what belongs together, checks it once more, and writes nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from geodata.catalogue import COMPARISON_LAYERS, LAYERS
from geodata.errors import InputError
from geodata.inbox import files_not_read, refuse_changed
from geodata.site import CORE_ROLES, PRESENT, ROLE_TITLES, ROLES, Role, Site
from pipelines.about import release_about
from pipelines.assets.comparison import COMPARISON
from pipelines.assets.publish import parameter_files
from pipelines.assets.shortlist import CARDS
from pipelines.assets.sources import AREA
from pipelines.assets.sources import STEPS as SOURCE_STEPS
from pipelines.assets.web import WEB
from pipelines.assets.written import names_checked
from pipelines.checks import plan_without_blocks, release_problems
from pipelines.code_version import code_version, library_versions
from pipelines.instance import Workplace
from pipelines.step_names import BASIS, INVENTORY, key_of
from pipelines.steps import OWNER, Progress, role_digest
from pipelines.store import Store, StoredObject, digest_of
from pipelines.work import read_columns, read_inventory, read_table
from twin.energy.arithmetic import whole_rows
from twin.publish.about import ReleaseAbout
from twin.publish.changes.files import make_beside
from twin.publish.drift import FIGURE_COLUMNS, Figures, figures_of, judge
from twin.publish.manifest import build_manifest
from twin.publish.qgis_project import release_groups, write_project
from twin.publish.release import publish_release
from twin.publish.run_info import newest_vintage
from twin.publish.site_folder import SiteFolder
from twin.publish.stac import release_facts, with_catalogue
from twin.publish.validate import validate_release

TABLES = {
    "hourly_by_dong.parquet": "scenario/roof_yields",
    "profile_by_building.parquet": "scenario/roof_yields",
    "biotope_tradeoff.parquet": "scenario/roof_budget",
    "hourly_energy_by_dong.parquet": "scenario/energy",
    "hourly_energy_by_block.parquet": "scenario/energy",
    "demand_profile_by_building.parquet": "scenario/energy",
}
"""Published tables and the step whose result holds them."""


RELEASED = ("geopackage", "geoparquet", "map", "surface", "roof_yields", "sky_rasters", "report", "city3d")
"""What a release is made of, in each scenario; everything else is reached from these."""


FRESH = dg.FreshnessPolicy.cron(deadline_cron="0 6 * * *", lower_bound_delta=timedelta(hours=6), timezone="Asia/Seoul")
"""By six in the morning the night's job has run, even if it found nothing to publish; else Dagster's pages say so."""

NOT_JUDGED = ("quality", "run_info")
"""Layers that tell of the run and not of the town: they may change freely."""


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
    for asset in (*(f"{scenario}/{name}" for scenario in site.scenarios for name in RELEASED), COMPARISON, WEB):
        found = store.current(asset)
        if found is None:
            raise MixedObjectsError(f"{asset} was not built yet, or its stored object is damaged. Run: twin run")
        pinned[asset] = found
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


def published_scenarios(site: Site, pinned: dict[str, StoredObject]) -> tuple[str, ...]:
    """Return the scenarios that the release holds: a plan without blocks is told, not published."""
    return tuple(name for name in site.scenarios if plan_without_blocks(name, pinned.__getitem__) is None)


def release_files(site: Site, pinned: dict[str, StoredObject]) -> dict[str, tuple[StoredObject, str]]:
    """Return the files of a release: name inside it to the stored object that holds it and its name there."""
    files: dict[str, tuple[StoredObject, str]] = {}
    published = published_scenarios(site, pinned)
    for scenario in published:
        files[f"{scenario}/twin.gpkg"] = pinned[f"{scenario}/geopackage"], "twin.gpkg"
        files[f"maps/{scenario}.png"] = pinned[f"{scenario}/map"], "map.png"
        for table, step_name in TABLES.items():
            stored = pinned[key_of(step_name, scenario)]
            if table in stored.files:
                files[f"tables/{scenario}_{table}"] = stored, table
        layers = pinned[f"{scenario}/geoparquet"]
        for name in sorted(layers.files):
            spatial = LAYERS[Path(name).stem].geometry is not None
            files[f"geoparquet/{scenario}/{name}" if spatial else f"tables/{scenario}_{name}"] = layers, name
        listed = pinned[f"{scenario}/shortlist"]
        if CARDS in listed.files:
            files[f"shortlist/{scenario}.html"] = listed, CARDS
        rasters = pinned[f"{scenario}/sky_rasters"]
        files |= {f"rasters/{scenario}_{name}": (rasters, name) for name in sorted(rasters.files)}
        town = pinned[f"{scenario}/city3d"]
        files |= {f"city3d/{scenario}/{name}": (town, name) for name in sorted(town.files)}
    for scenario in published:
        name = "report.html" if scenario == published[-1] else f"report_{scenario}.html"
        # the report of a plan tells the present beside it
        if scenario == published[-1] or scenario != PRESENT:
            files[name] = pinned[f"{scenario}/report"], "report.html"
    compared, page = pinned[COMPARISON], pinned[WEB]
    if compared.absent is None:
        files["comparison.gpkg"] = compared, "comparison.gpkg"
        files |= {f"maps/{name}": (compared, name) for name in sorted(compared.files) if name.endswith(".png")}
    if page.absent is None:
        files |= {f"web/{name}": (page, name) for name in sorted(page.files)}
    return files


def release_figures(site: Site, pinned: dict[str, StoredObject]) -> Figures:
    """Return what the drift to the release before is judged by, of every layer that describes the town."""
    return {
        scenario: {
            name: figures_of(read_columns(found.data / "features.parquet", FIGURE_COLUMNS))
            for name in sorted(pinned[f"{scenario}/geopackage"].metadata["layers"])
            if name not in NOT_JUDGED and (found := pinned.get(f"{scenario}/{name}")) is not None
        }
        for scenario in published_scenarios(site, pinned)
    }


def summary_lines(site: Site, pinned: dict[str, StoredObject]) -> list[str]:
    """Return what a person wants to know of a release first."""
    lines = []
    for scenario in site.scenarios:
        why = plan_without_blocks(scenario, pinned.__getitem__)
        if why is not None:
            told = pinned[key_of(BASIS, scenario)].metadata.get("absent_ko", why)
            lines.append(f"{scenario}: 시나리오를 만들 수 없음 · cannot be made: {told} · {why}")
            continue
        counts = pinned[f"{scenario}/geopackage"].metadata["layers"]
        lines.append(f"{scenario}: " + ", ".join(f"{LAYERS[name].ko} {rows:,}" for name, rows in counts.items()))
        rows = read_table(pinned[f"{scenario}/districts"].data / "features.parquet")
        whole = whole_rows(rows)
        title = (
            "사업지구 · district"
            if (whole["kind"] == "district").any()
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
    told = pinned[COMPARISON].metadata
    if pinned[COMPARISON].absent is not None:
        lines.append(f"비교 없음 · no comparison: {told['absent_ko']} · {told['absent']}")
    else:
        counts = told["layers"].items()
        lines.append("comparison.gpkg: " + ", ".join(f"{COMPARISON_LAYERS[name].ko} {rows:,}" for name, rows in counts))
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
    problems = release_problems(site, store, pinned.__getitem__, SOURCE_STEPS)
    if problems:
        raise InputError("checks refuse these layers:\n  " + "\n  ".join(problems))
    summary = summary_lines(site, pinned)
    stored_files = release_files(site, pinned)
    files = {name: stored.data / file for name, (stored, file) in stored_files.items()}
    inputs_digest = digest_of({asset: found.content for asset, found in pinned.items()})
    figures = release_figures(site, pinned)
    accepted = judge(SiteFolder(workplace.releases), figures, inputs_digest, site.drift)
    inventory = read_inventory(pinned[INVENTORY])
    # the steps looked at what they read; what looked empty or broken may only have been on its way
    refuse_changed(site.inbox, files_not_read(inventory))
    manifest = build_manifest(
        site,
        pinned_records(pinned),
        summary,
        library_versions(),
        inventory=inventory,
        parameters=parameter_files(),
        geopackages={name: files[f"{name}/twin.gpkg"] for name in published_scenarios(site, pinned)},
        comparison=files.get("comparison.gpkg"),
    )
    about = _about(site, pinned)
    expected = {name: stored.files[file] for name, (stored, file) in stored_files.items()}
    facts = release_facts(
        site, inventory, about, scenarios=published_scenarios(site, pinned), summary=summary, known=expected
    )
    with TemporaryDirectory() as scratch:
        # made of what is published, in less time than the store would take to look it up
        files["town.qgz"] = Path(scratch) / "town.qgz"
        write_project(
            files["town.qgz"], release_groups(files, published_scenarios(site, pinned)), about, sources=_source_line(pinned)
        )  # fmt: skip
        result = publish_release(
            workplace.outputs,
            site.name,
            files,
            {**manifest, "content": {**manifest["content"], "figures": figures}, "acknowledged": accepted},
            inputs_digest,
            now=now,
            keep=site.keep_releases,
            validate=partial(validate_release, checked=names_checked(stored_files)),
            beside=with_catalogue(partial(make_beside, about=about), facts),
            expected=expected,
        )
    return {
        "release": str(result.path),
        "id": result.id,
        "published": result.published,
        "reason": result.reason,
        "summary": [*summary, *result.changes],
    }


def _about(site: Site, pinned: dict[str, StoredObject]) -> ReleaseAbout:
    """Return the marks of what stands beside the towns: unshaded where one of them is."""
    unshaded = any(pinned[f"{name}/roofs"].metadata.get("unshaded", True) for name in published_scenarios(site, pinned))
    return release_about(site, newest_vintage(read_inventory(pinned[INVENTORY])), unshaded=unshaded)


def _source_line(pinned: dict[str, StoredObject]) -> str:
    inventory = read_inventory(pinned[INVENTORY])
    named = {d.attribution or ROLE_TITLES[d.role][0]: None for d in inventory.datasets}
    return f"자료 / Sources: {', '.join(named)} · 기준 / as of {newest_vintage(inventory)} · 참고용, 측량 성과 아님 / for reference, not survey-grade"


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
        deps=[
            dg.AssetKey(COMPARISON),
            dg.AssetKey(WEB),
            *(dg.AssetKey([scenario, name]) for scenario in workplace.site.scenarios for name in RELEASED),
        ],
        group_name="publish",
        kinds={"geopackage"},
        owners=[OWNER],
        tags={"site": workplace.site.name, "scenario": "all"},
        code_version=code_version(publish),
        freshness_policy=FRESH,
        description="The published, immutable release; nothing is published when nothing has changed. · 공개된 릴리스.",
    )
    def body(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        context_check(context)
        try:
            with store.in_use():
                told = publish(workplace, store, now=datetime.now(UTC))
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        if on_progress is not None:
            on_progress(Progress("release", 0.0, not told["published"], None, None))
        return dg.MaterializeResult(metadata=told, data_version=dg.DataVersion(told["id"]))

    return body
