"""Blocking checks: the counting equation of each source, and one check per published layer that reports its three kinds.

The three kinds are schema and CRS, completeness, and physics. `findings` is a plain function of stored objects, and the store
remembers by their content what it found: the release asset asks it about exactly the objects it is about to publish, so that
materialising the release alone cannot walk round a check that refused, and a night without change judges nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow.parquet

from geodata.accounting import Account, AccountingError
from geodata.catalogue import COMPARISON_LAYERS, LAYERS, Layer
from geodata.catalogue.comparison import BLOCK_QUANTITIES, DISTRICT_QUANTITIES
from geodata.site import PRESENT, Site
from pipelines.code_version import code_version
from pipelines.step_names import BASIS, INVENTORY, is_built, key_of
from pipelines.steps import Step
from pipelines.store import Store, StoredObject
from pipelines.work import read_inventory, read_table
from twin.comparison import change_problems
from twin.energy.checks import balance_problems
from twin.green.checks import overlap_problems
from twin.green.checks import physics_problems as green_problems
from twin.indicators import sum_problems
from twin.scenario.parks import park_problems
from twin.solar.checks import physics_problems as solar_problems
from twin.solar.resource_file import load_resource

Objects = Callable[[str], StoredObject]
"""Gives the stored object of an asset key."""


@dataclass(frozen=True)
class Findings:
    """What is wrong with one layer, by kind; all empty is a pass."""

    schema: list[str]
    completeness: list[str]
    physics: list[str]

    @property
    def problems(self) -> list[str]:
        """All problems in one list."""
        return [*self.schema, *self.completeness, *self.physics]


def remembered_findings(layer: Layer, site: Site, scenario: str, store: Store, objects: Objects) -> Findings:
    """Return what is wrong with the published ``layer`` of ``scenario``, judged once for the same content and the same code."""
    seen = {name: objects(name) for name in _judged_with(layer, scenario)}

    def judge() -> dict[str, list[str]]:
        return asdict(findings(layer.name, site.crs, scenario, seen.__getitem__))

    return Findings(
        **_remembered(store, f"{scenario}/{layer.name}", site, seen, version=code_version(findings), judge=judge)
    )


def _remembered(
    store: Store,
    asset: str,
    site: Site,
    seen: Mapping[str, StoredObject],
    *,
    version: str,
    judge: Callable[[], dict[str, list[str]]],
) -> dict[str, list[str]]:
    """Return the verdict on ``asset``, from the store where the same code has ``seen`` the same content."""

    def build(folder: Path) -> dict[str, Any]:
        (folder / "data" / FINDINGS).write_text(json.dumps(judge(), ensure_ascii=False), encoding="utf-8")
        return {}

    stored = store.get_or_build(
        f"{asset}/findings",
        inputs={name: found.content for name, found in seen.items()},
        parameters={"crs": site.crs},
        code_version=version,
        build=build,
    )
    verdict: dict[str, list[str]] = json.loads((stored.data / FINDINGS).read_text(encoding="utf-8"))
    return verdict


def _judged_with(layer: Layer, scenario: str) -> tuple[str, ...]:
    """Return the keys of all objects that `findings` may look at."""
    own = [f"{scenario}/{layer.name}"]
    own += [CLEAN_SOURCE[layer.name]] if layer.name in CLEAN_SOURCE else []
    own += [key_of(name, scenario) for name in LOOKED_AT.get(layer.name, ()) if is_built(name, scenario)]
    return (*own, key_of(BASIS, scenario)) if scenario != PRESENT else tuple(own)


def findings(layer_name: str, crs: str, scenario: str, objects: Objects) -> Findings:
    """Return what is wrong with the published layer ``layer_name`` of ``scenario``."""
    # looked up by name, so that the declarations of the catalogue count in the version of this code
    layer = LAYERS[layer_name]
    if plan_without_blocks(scenario, objects) is not None:
        return Findings([], [], [])
    stored = objects(f"{scenario}/{layer.name}")
    if stored.absent is not None:
        return Findings([], _absence_problems(layer, scenario, objects), [])
    frame = read_table(stored.data / "features.parquet")
    schema = layer.problems(frame, crs)
    if schema:
        # the other two kinds read columns that may not be there
        return Findings(schema, [], [])
    return Findings([], _completeness(layer, frame, scenario, objects), _physics(layer, frame, scenario, objects))


def plan_without_blocks(scenario: str, objects: Objects) -> str | None:
    """Return why the plan ``scenario`` cannot be made, or None where it can, and for the town as it is."""
    return None if scenario == PRESENT else objects(key_of(BASIS, scenario)).absent


CLEAN_SOURCE = {
    "parcels": "sources/parcels",
    "buildings": "sources/buildings",
    "parks": "sources/parks",
    "green": "sources/land_cover",
}
LOOKED_AT = {
    "parks": ("scenario/blocks",),
    "plan_blocks": ("scenario/blocks",),
    "buildings": ("scenario/footprints",),
    "bus_stops": ("sources/bus_stops",),
    "roofs": ("scenario/footprints", "sources/resource"),
    "districts": ("sources/study_area", "scenario/parcels", "scenario/buildings", "scenario/roofs"),
    "run_info": (INVENTORY,),
}
"""What the checks of a layer look at beside the layer itself and its clean source."""
FINDINGS = "findings.json"


def _absence_problems(layer: Layer, scenario: str, objects: Objects) -> list[str]:
    source = CLEAN_SOURCE.get(layer.name)
    if source is not None and objects(source).absent is None:
        return [f"{layer.name} is absent although {source} holds data"]
    if layer.name in ("districts", "quality", "run_info") or (layer.planned_only and scenario != PRESENT):
        return [f"{layer.name} must always be there"]
    return []


def _same_keys(name: str, found: pd.Series, expected: pd.Series) -> list[str]:
    if np.array_equal(found.to_numpy(), expected.to_numpy()):
        return []
    lost, extra = set(expected) - set(found), set(found) - set(expected)
    problems = []
    if lost:
        problems.append(f"{name}: {len(lost)} lost, for example {sorted(lost)[0]}")
    if extra:
        problems.append(f"{name}: {len(extra)} from nowhere, for example {sorted(extra)[0]}")
    return problems


def _completeness(layer: Layer, frame: pd.DataFrame, scenario: str, objects: Objects) -> list[str]:
    match layer.name:
        case "parcels":
            clean = read_table(objects(CLEAN_SOURCE[layer.name]).data / "features.parquet")
            return _same_keys(layer.name, frame[layer.key], clean[layer.key])
        case "parks":
            stored = objects(CLEAN_SOURCE[layer.name])
            designated = None if stored.absent else read_table(stored.data / "features.parquet")
            if scenario == PRESENT:
                return [] if designated is None else _same_keys("parks", frame["park_id"], designated["park_id"])
            planned = read_table(objects(f"{scenario}/blocks").data / "features.parquet")
            return park_problems(frame, designated, planned)
        case "bus_stops":
            known = read_table(objects("sources/bus_stops").data / "features.parquet")["stop_id"]
            # a plan loses those on the ground that it changes
            stays = known if scenario == PRESENT else known[known.isin(frame["stop_id"])]
            return _same_keys("bus stops", frame["stop_id"], stays)
        case "plan_blocks":
            expected = read_table(objects(f"{scenario}/blocks").data / "features.parquet")
            return _same_keys("plan blocks", frame["block_id"], expected["block_id"])
        case "buildings":
            expected = read_table(objects(f"{scenario}/footprints").data / "features.parquet")
            return _same_keys("buildings", frame["building_id"], expected["building_id"])
        case "roofs":
            expected = read_table(objects(f"{scenario}/footprints").data / "features.parquet")
            return _same_keys("buildings with a roof", frame["building_id"], expected["building_id"])
        case "districts":
            expected = read_table(objects("sources/study_area").data / "dongs.parquet")
            return _same_keys("dongs", frame.loc[frame["kind"] == "legal_dong", "dong_code"], expected["dong_code"])
        case "run_info":
            files = pd.Series([f.path for f in read_inventory(objects(INVENTORY)).files], dtype="str")
            return _same_keys("input files", frame.loc[frame["topic"] == "input file", "name"], files)
        case _:
            return []


def _physics(layer: Layer, frame: pd.DataFrame, scenario: str, objects: Objects) -> list[str]:
    match layer.name:
        case "roofs" if "yield_kwh" in frame.columns:
            return solar_problems(frame, load_resource(objects("sources/resource").data))
        case "buildings":
            return balance_problems(frame, "building_id")
        case "parcels" if "green_cover_pct" in frame.columns:
            return green_problems(frame, "pnu")
        case "plan_blocks" if "green_cover_pct" in frame.columns:
            return green_problems(frame, "block_id")
        case "green":
            return overlap_problems(frame)
        case "districts":
            tables = {}
            for name in ("parcels", "buildings", "roofs"):
                stored = objects(f"{scenario}/{name}")
                tables[name] = None if stored.absent else read_table(stored.data / "features.parquet")
            problems = sum_problems(frame, tables["parcels"], tables["buildings"], tables["roofs"])
            problems += balance_problems(frame, "dong_code")
            return problems + (green_problems(frame, "dong_code") if "green_cover_pct" in frame.columns else [])
        case _:
            return []


def layer_check(layer: Layer, site: Site, store: Store, scenario: str) -> dg.AssetChecksDefinition:
    """Return the blocking check of one published layer."""

    @dg.asset_check(
        asset=dg.AssetKey([scenario, layer.name]),
        name=f"{layer.name}_holds",
        blocking=True,
        # districts look at the layers they sum up
        additional_deps=[dg.AssetKey([scenario, n]) for n in ("parcels", "buildings", "roofs")]
        if layer.name == "districts"
        else [],
        description=f"{layer.ko}: 스키마와 좌표계, 누락 없음, 물리적 타당성 · {layer.en}: schema and CRS, completeness, physics",
    )
    def body() -> dg.AssetCheckResult:
        found = remembered_findings(layer, site, scenario, store, current_objects(store))
        return dg.AssetCheckResult(
            passed=not found.problems,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={
                "schema and CRS": found.schema or ["ok"],
                "completeness": found.completeness or ["ok"],
                "physics": found.physics or ["ok"],
            },
            description="; ".join(found.problems[:3]) or None,
        )

    return body


def remembered_comparison_problems(site: Site, store: Store, objects: Objects) -> list[str]:
    """Return what is wrong with the comparison, judged once for the same content and the same code."""
    seen = {"comparison": objects("comparison")}
    version = code_version(comparison_problems)

    def judge() -> dict[str, list[str]]:
        return {"problems": comparison_problems(seen["comparison"], site.crs)}

    return _remembered(store, "comparison", site, seen, version=version, judge=judge)["problems"]


def comparison_problems(stored: StoredObject, crs: str) -> list[str]:
    """Return what is wrong with the comparison of plans and present."""
    if stored.absent is not None:
        return []
    problems: list[str] = []
    quantities = {"comparison_districts": DISTRICT_QUANTITIES, "comparison_blocks": BLOCK_QUANTITIES}
    for name, layer in COMPARISON_LAYERS.items():
        rows = read_table(stored.data / f"{name}.parquet")
        schema = layer.problems(rows, crs)
        problems += schema or change_problems(rows, quantities.get(name, ()))
    return problems


def comparison_check(store: Store, site: Site) -> dg.AssetChecksDefinition:
    """Return the blocking check of the comparison."""

    @dg.asset_check(
        asset=dg.AssetKey("comparison"),
        name="comparison_holds",
        blocking=True,
        description="비교: 스키마와 좌표계, 변화 = 계획 - 현재 · comparison: schema and CRS, change = planned - existing",
    )
    def body() -> dg.AssetCheckResult:
        problems = remembered_comparison_problems(site, store, current_objects(store))
        return dg.AssetCheckResult(
            passed=not problems,
            metadata={"problems": problems or ["ok"]},
            description="; ".join(problems[:3]) or None,
        )

    return body


def account_check(step: Step, store: Store) -> dg.AssetChecksDefinition:
    """Return the blocking check that every record of a source is accounted for."""

    @dg.asset_check(
        asset=dg.AssetKey(step.name.split("/")),
        name="every_record_accounted",
        blocking=True,
        description="읽은 수 = 범위 밖 + 공개 + 병합 + 제외 · read = outside + published + merged + reasoned, and as many features as published",
    )
    def body() -> dg.AssetCheckResult:
        stored = current_objects(store)(step.name)
        problems = account_problems(stored)
        account = stored.metadata.get("account", {})
        return dg.AssetCheckResult(
            passed=not problems,
            metadata={**account, "problems": problems or ["ok"]},
            description="; ".join(problems) or None,
        )

    return body


def account_problems(stored: StoredObject) -> list[str]:
    """Return where the counts of a clean source do not add up."""
    if stored.absent is not None:
        return []
    account = Account(**stored.metadata["account"])
    try:
        account.verify()
    except AccountingError as error:
        return [str(error)]
    rows = pyarrow.parquet.read_metadata(stored.data / "features.parquet").num_rows
    if rows != account.published:
        return [f"{account.source}: {account.published} records published but {rows} features in the layer"]
    return []


def current_objects(store: Store) -> Objects:
    """Return a function that gives what each asset was last built as."""

    def give(name: str) -> StoredObject:
        found = store.current(name)
        if found is None:
            raise dg.Failure(f"{name} was not built yet, or its stored object is damaged", allow_retries=False)
        return found

    return give


def release_problems(site: Site, store: Store, objects: Objects, source_steps: tuple[Step, ...]) -> list[str]:
    """Return everything that forbids to publish these objects: all checks of exactly these, over all scenarios."""
    problems: list[str] = []
    for step in source_steps:
        stored = objects(key_of(step.name, None))
        if "account" in stored.metadata:
            problems += account_problems(stored)
    for scenario in site.scenarios:
        for layer in LAYERS.values():
            if layer.planned_only and scenario == PRESENT:
                continue
            problems += remembered_findings(layer, site, scenario, store, objects).problems
    return problems + remembered_comparison_problems(site, store, objects)
