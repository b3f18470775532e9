"""A step: one unit of work, what it needs, and the Dagster asset made from it.

A step's function gets a `Work` and writes files; it knows nothing of Dagster. `asset_of` wraps it: one call of the store
around the function, then a `MaterializeResult`.
"""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

import dagster as dg

from geodata.catalogue import Layer
from geodata.errors import InputError
from geodata.inbox import dataset_files, refuse_changed
from geodata.site import ROLE_TITLES, Role, Site
from pipelines.about import release_about
from pipelines.code_version import code_version
from pipelines.dagster_metadata import column_schema, preview_markdown
from pipelines.step_names import BASIS, INVENTORY, SCENARIO, is_built, key_of
from pipelines.store import Store, StoredObject, digest_of, object_digest
from pipelines.work import Before, Work, read_inventory, read_table
from twin.publish.maps import draw_layer
from twin.publish.run_info import NO_VINTAGE

OWNER = "team:new-town-twin"


@dataclass(frozen=True)
class Step:
    """One unit of work.

    ``name`` is ``room/noun`` where the room is ``sources`` or `SCENARIO`. ``parameters`` picks what of the site file the
    result depends on; anything it does not pick must not be used.
    """

    name: str
    group: str
    about: str
    needs: tuple[str, ...]
    run: Callable[[Work], None]
    kinds: frozenset[str]
    parameters: Callable[[Site], Any]
    role: Role | None = None
    """Reads the inbox files of this role; only their hashes enter the digest."""
    layer: Layer | None = None
    essential: tuple[str, ...] = ()
    """Needs without which there is nothing to do: where one is absent, so is this."""
    works_without_files: bool = False
    """True: the step has something to do even when the inbox holds no file of its role."""


def step(
    name: str,
    *,
    group: str,
    needs: tuple[str, ...] = (),
    kinds: frozenset[str] | set[str] = frozenset({"geopandas"}),
    parameters: Callable[[Site], Any] = lambda site: None,
    role: Role | None = None,
    layer: Layer | None = None,
    essential: tuple[str, ...] = (),
    works_without_files: bool = False,
) -> Callable[[Callable[[Work], None]], Step]:
    """Make a `Step` of a function; its docstring becomes the asset's description.

    ``essential`` needs are added to ``needs``. Steps of a scenario need its basis first of all.
    """

    def decorate(function: Callable[[Work], None]) -> Step:
        about = (function.__doc__ or "").strip()
        first = (INVENTORY,) if role is not None else ()
        gated = name.startswith(f"{SCENARIO}/") and name not in ("scenario/blocks", BASIS)
        must = (BASIS, *essential) if gated else essential
        all_needs = tuple(dict.fromkeys((*first, *must, *needs)))
        return Step(
            name, group, about, all_needs, function, frozenset(kinds), parameters, role, layer, must, works_without_files
        )  # fmt: skip

    return decorate


def needs_of(step: Step, scenario: str | None) -> tuple[str, ...]:
    """Return the names of what ``step`` needs in ``scenario``."""
    return tuple(name for name in step.needs if is_built(name, scenario))


def digest_inputs(step: Step, needs: Mapping[str, StoredObject]) -> dict[str, str]:
    """Return the content hashes a step's digest is made from.

    Of the inventory only the datasets of the step's own role count, so that a new elevation model does not touch the parcels.
    """
    inputs = {found.asset: found.content for found in needs.values()}
    if step.role is not None:
        inputs.pop(INVENTORY)
        inputs[f":{step.role}"] = role_digest(needs[INVENTORY], step.role)
    return inputs


def role_digest(inventory: StoredObject, role: Role) -> str:
    """Return one hash over the datasets of ``role``, with the hashes of all files they are read from."""
    found = read_inventory(inventory)
    datasets = found.datasets_for(role)
    files = [file.model_dump() for dataset in datasets for file in dataset_files(found, dataset)]
    return digest_of([[dataset.model_dump(mode="json") for dataset in datasets], files])


def step_parameters(step: Step, site: Site) -> Any:
    """Return the parameters of a step: what it picks of the site file, and the CRS everything is in."""
    return {"crs": site.crs, "own": step.parameters(site)}


class MadeFrom(TypedDict):
    """What names an object of the store beside its asset; the arguments of `Store.get_or_build`, `Store.find` and `object_digest`."""

    inputs: dict[str, str]
    parameters: Any
    code_version: str


def made_from(step: Step, site: Site, needs: Mapping[str, StoredObject]) -> MadeFrom:
    """Return what the result of ``step`` is made from, where its needs are these."""
    return MadeFrom(
        inputs=digest_inputs(step, needs), parameters=step_parameters(step, site), code_version=code_version(step.run)
    )


@dataclass(frozen=True)
class Progress:
    """One line for whoever watches."""

    asset: str
    seconds: float
    reused: bool
    rows: int | None
    absent: str | None
    number: int = 0
    """How many assets of the run are done, this one included; 0 where nobody counts."""
    total: int = 0
    seconds_left: float | None = None
    """How long the run will probably still take; None if nothing is known of it."""


@dataclass(frozen=True)
class BuiltAhead:
    """How another process of the same run has built a step."""

    seconds: float
    reused: bool


def build_step(step: Step, site: Site, store: Store, scenario: str | None) -> StoredObject:
    """Return the stored object of ``step``, built from the current objects of its needs.

    Raises
    ------
    InputError
        If a need was never built, or an inbox file changed while it was read.
    """
    asset = key_of(step.name, scenario)
    needs: dict[str, StoredObject] = {}
    for name in needs_of(step, scenario):
        found = store.current(key_of(name, scenario))
        if found is None:
            raise InputError(
                f"{asset} needs {key_of(name, scenario)}, which was not built yet or is damaged; run: twin run"
            )
        needs[name] = found

    version = code_version(step.run)

    def store_part(name: str, made_from: Any, fill: Callable[[Path], dict[str, Any]]) -> StoredObject:
        return store.get_or_build(
            f"{asset}/parts/{name}", inputs={}, parameters=made_from, code_version=version, build=fill
        )

    def build(folder: Path) -> dict[str, Any]:
        work = Work(site, scenario, folder, needs, store_part, lambda: _before(step, site, store, scenario))
        if not _nothing_to_do(step, work):
            step.run(work)
        _draw_preview(step, work)
        refuse_changed(site.inbox, work.files_read)
        return work.metadata

    return store.get_or_build(asset, **made_from(step, site, needs), build=build)


def _before(step: Step, site: Site, store: Store, scenario: str | None) -> Before | None:
    """Return what ``step`` was last built as, if the same code and parameters would take it from the store for the same needs."""
    asset, parameters, version = key_of(step.name, scenario), step_parameters(step, site), code_version(step.run)
    last = store.current(asset)
    if last is None or last.absent is not None or object_digest(asset, last.inputs, parameters, version) != last.digest:
        return None

    def find(name: str) -> StoredObject | None:
        key = key_of(name, scenario)
        return store.by_content(key, last.inputs[key]) if key in last.inputs else None

    def known_part(name: str, made_from: Any) -> StoredObject | None:
        return store.find(f"{asset}/parts/{name}", inputs={}, parameters=made_from, code_version=version)

    def last_part(name: str) -> StoredObject | None:
        part = store.current(f"{asset}/parts/{name}")
        return part if part is not None and part.code_version == version else None

    return Before(last, find, known_part, last_part)


def _nothing_to_do(step: Step, work: Work) -> bool:
    """Say why there is nothing to do, if so: no file of the step's role, or an essential need that is absent itself."""
    if step.role is not None and not step.works_without_files and not work.datasets(step.role):
        ko, en = ROLE_TITLES[step.role]
        work.absent(f"인박스에 {ko} 파일이 없음", f"no file for {en} in the inbox")
        return True
    for name in step.essential:
        if not is_built(name, work.scenario):
            continue
        found = work.need(name)
        if found.absent is not None:
            # the first cause is told, not the chain of consequences
            work.absent(found.metadata.get("absent_ko", found.absent), found.absent)
            return True
    return False


def _draw_preview(step: Step, work: Work) -> None:
    if step.layer is None or step.layer.geometry is None or "absent" in work.metadata:
        return
    frame = read_table(work.out / "features.parquet")
    unshaded = bool(work.metadata.get("unshaded", True))
    draw_layer(step.layer.name, frame, work.preview, about=release_about(work.site, NO_VINTAGE, unshaded=unshaded))


def asset_of(
    step: Step,
    site: Site,
    store: Store,
    scenario: str | None,
    *,
    context_check: Callable[[Any], None],
    on_progress: Callable[[Progress], None] | None,
    ahead: Callable[[str], BuiltAhead | None] | None = None,
) -> dg.AssetsDefinition:
    """Return the Dagster asset of ``step``; ``ahead`` tells whether another process has built it, once it has."""
    asset = key_of(step.name, scenario)
    metadata: dict[str, Any] = {"step": step.run.__qualname__}
    if step.layer is not None:
        metadata["dagster/column_schema"] = column_schema(step.layer)

    @dg.asset(
        key=dg.AssetKey(asset.split("/")),
        # a step may need both the scenario's layer and that of the present, which are one where the scenario is the present
        deps=[
            dg.AssetKey(key.split("/"))
            for key in dict.fromkeys(key_of(name, scenario) for name in needs_of(step, scenario))
        ],
        group_name=step.group,
        kinds=set(step.kinds),
        owners=[OWNER],
        tags={"site": site.name, "scenario": scenario or "none"},
        description=step.about,
        metadata=metadata,
        code_version=code_version(step.run),
    )
    def body(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        context_check(context)
        built = ahead(asset) if ahead is not None else None
        started = time.perf_counter()
        try:
            result = build_step(step, site, store, scenario)
        except InputError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        seconds = time.perf_counter() - started
        if built is not None:
            result, seconds = replace(result, reused=built.reused), built.seconds
        if on_progress is not None:
            on_progress(Progress(asset, seconds, result.reused, result.metadata.get("rows"), result.absent))
        return materialized(result, seconds)

    return body


def peak_memory_mb() -> float:
    """Return the highest resident memory of this process so far [MB]."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)


def materialized(result: StoredObject, seconds: float) -> dg.MaterializeResult:
    """Return what Dagster is told about a stored object that took ``seconds`` to build or to find."""
    metadata: dict[str, Any] = {
        "reused": result.reused,
        "seconds": round(seconds, 3),
        "peak_memory_mb": peak_memory_mb(),
        "digest": result.digest,
        "folder": dg.MetadataValue.path(str(result.folder)),
    }
    for name, value in result.metadata.items():
        if name == "rows":
            metadata["dagster/row_count"] = value
        else:
            metadata[name] = dg.MetadataValue.json(value) if isinstance(value, dict | list) else value
    if result.preview is not None:
        metadata["map"] = preview_markdown(result.preview)
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(result.content))
