"""Run the nightly job of one town in this process, and say in words how it went."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import dagster as dg
from sqlalchemy.exc import OperationalError

from geodata.errors import InputError
from pipelines.ahead import Ahead
from pipelines.definitions import build_defs
from pipelines.forecast import Forecast
from pipelines.instance import Workplace, open_instance
from pipelines.jobs import NIGHTLY
from pipelines.last_run import conclude, read_last_run
from pipelines.memory import look_for_cycles_rarely
from pipelines.mirror import open_store
from pipelines.sensors import BY_COMMAND, RUN_LABEL
from pipelines.steps import Progress, peak_memory_mb
from pipelines.store_gc import Collected, collect
from twin.publish.release import altered_releases, heal

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's own log goes to the instance, where its UI shows it; the terminal gets one line for each asset."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended; `reasons` are empty exactly when it succeeded."""

    site: str
    run_id: str
    succeeded: bool
    reasons: list[str]
    release: dict[str, Any] = field(default_factory=dict)
    built: int = 0
    reused: int = 0
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    """Highest resident memory of this process so far and of those that built ahead, summed up."""
    assets: list[dict[str, Any]] = field(default_factory=list)
    """Of each asset: seconds, rows, whether it was taken from the store, why it is absent."""
    collected: int = 0
    """Objects of the store that nobody needed any more and that were removed."""
    undelivered: list[str] = field(default_factory=list)
    """What could not be written or told at the end, and why; it does not change how the run ended."""
    healed: list[str] = field(default_factory=list)
    """What an earlier, interrupted publish had left and was put right."""
    altered: list[str] = field(default_factory=list)
    """What someone changed in releases that were published."""


def run_job(
    workplace: Workplace, *, select: str | None = None, on_progress: Callable[[Progress], None] | None = None
) -> Outcome:
    """Execute the job, or the assets that ``select`` names in Dagster's selection syntax, and return the outcome.

    `last_run.json` beside the releases always tells how the last run ended, also when it failed.

    Raises
    ------
    InputError
        If the state folder or the records of runs in it cannot be written, or ``select`` names nothing.
    """
    seen: list[Progress] = []
    started = time.perf_counter()

    def note(progress: Progress) -> None:
        seen.append(progress)
        if on_progress is not None:
            on_progress(forecast.advance(progress, time.perf_counter() - started))

    look_for_cycles_rarely()
    # a publish that was killed may have left a pointer behind or a half-filled staging folder
    healed = heal(workplace.outputs, workplace.site.name)
    altered = altered_releases(workplace.outputs, workplace.site.name)
    store = open_store(workplace.site, workplace.store)
    ahead = Ahead(workplace.site, store)
    definitions = build_defs(workplace, store=store, ahead=ahead.wait_for, on_progress=note)
    job = definitions.resolve_job_def(NIGHTLY)
    selected = _selection(definitions, select)
    keys = selected if selected is not None else definitions.resolve_asset_graph().get_all_asset_keys()
    names = [key.to_user_string() for key in keys]
    before = read_last_run(workplace) or {}
    forecast = Forecast(names, {a["asset"]: a["seconds"] for a in before.get("assets", [])})
    try:
        with open_instance(workplace) as instance, ahead.building(names):
            result = job.execute_in_process(
                instance=instance,
                run_config=QUIET,
                raise_on_error=False,
                asset_selection=selected,
                tags={RUN_LABEL: BY_COMMAND},
            )
            reasons = [] if result.success else failure_reasons(result.all_events)
            release = _release_metadata(result)
    except OperationalError as error:
        # the records of runs cannot be written: Dagster itself cannot go on, and its own words name no folder
        reason = (
            f"the records of runs in {workplace.dagster_home} cannot be written ({error.orig}). The disk is full, or the folder "
            "is on a network share: free space, or name a folder on a local disk with --state, and run again. "
            "The last release is untouched"
        )
        conclude(workplace, {"site": workplace.site.name, "succeeded": False, "reasons": [reason]})
        raise InputError(reason) from error
    outcome = Outcome(
        site=workplace.site.name,
        run_id=result.run_id,
        succeeded=result.success,
        reasons=reasons,
        release=release,
        seconds=round(time.perf_counter() - started, 1),
        peak_memory_mb=round(peak_memory_mb() + ahead.peak_memory_mb, 1),
        assets=[asdict(progress) for progress in seen],
        built=sum(not p.reused for p in seen),
        reused=sum(p.reused for p in seen),
        healed=healed,
        altered=altered,
    )
    collected = Collected(0, 0)
    if result.success and release.get("published") and workplace.site.store.collect_after_publish:
        collected = collect(workplace)
    outcome = replace(outcome, collected=collected.objects)
    return replace(outcome, undelivered=conclude(workplace, asdict(outcome)))


def _selection(definitions: dg.Definitions, select: str | None) -> list[dg.AssetKey] | None:
    if select is None:
        return None
    graph = definitions.resolve_asset_graph()
    try:
        keys = dg.AssetSelection.from_string(select).resolve(graph)
    except (dg.DagsterError, ValueError) as error:
        raise InputError(f"--select {select!r} cannot be understood: {error}") from error
    if not keys:
        names = ", ".join(sorted(key.to_user_string() for key in graph.get_all_asset_keys()))
        raise InputError(f"--select {select!r} names no asset. Assets: {names}")
    return sorted(keys)


def failure_reasons(events: Sequence[dg.DagsterEvent]) -> list[str]:
    """Return why a run failed, in the words of the failing assets and checks."""
    reasons: list[str] = []
    for event in events:
        if event.is_step_failure:
            data = event.step_failure_data
            described = data.user_failure_data.description if data.user_failure_data else None
            error = data.error
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None and error.cls_name == "DagsterAssetCheckFailedError":
                continue  # the check itself says more, below
            words = described or (error.message.strip() if error is not None else "no reason given")
            reasons.append(f"{(event.step_key or '').replace('__', '/')}: {words}")
        elif event.event_type_value == dg.DagsterEventType.ASSET_CHECK_EVALUATION.value:
            check = event.asset_check_evaluation_data
            if not check.passed:
                reasons.append(f"check {check.check_name} of {check.asset_key.to_user_string()}: {check.description}")
    return reasons or ["the run failed without a reason; see its log in the Dagster UI: twin ui"]


def _release_metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    for event in result.get_asset_materialization_events():
        if event.asset_key is not None and event.asset_key.path[-1] == "release":
            found = event.step_materialization_data.materialization.metadata
            return {name: value.value for name, value in found.items()}
    return {}
