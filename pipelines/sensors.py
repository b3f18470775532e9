"""What makes Dagster start a run by itself beside the schedule, and what it tells when a run ends.

The inbox is judged by names, sizes and hashes and never by times: a file that is still being copied changes its hash from one
look to the next, and only an inbox that two looks found equal starts a run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import dagster as dg

from geodata.errors import InputError
from pipelines.assets.inventory import list_inbox
from pipelines.instance import Workplace
from pipelines.last_run import conclude
from pipelines.step_names import INVENTORY
from pipelines.store import Store

RUN_LABEL = "dagster/run_label"
BY_COMMAND = "twin run"
"""Label of runs that `twin run` executes: it writes and tells their end itself."""
LOOK_EVERY_S = 60


def inbox_sensor(workplace: Workplace, job: dg.UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """Return the sensor that starts one run for each change of the inbox, once the inbox has come to rest."""

    @dg.sensor(
        name="inbox_changed",
        job=job,
        minimum_interval_seconds=LOOK_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="A changed inbox that two looks found equal starts one run · 인박스가 바뀌고 안정되면 한 번 실행",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        seen: dict[str, Any] = json.loads(context.cursor) if context.cursor else {}
        try:
            found = list_inbox(workplace.site.inbox)
        except (InputError, OSError) as error:
            return dg.SensorResult(skip_reason=str(error), cursor=json.dumps(seen | {"seen": None}))
        read = Store(workplace.store).current(INVENTORY)
        if found == seen.get("asked") or (read is not None and read.inputs[":inbox"] == found):
            return dg.SensorResult(skip_reason="the inbox has not changed", cursor=json.dumps(seen | {"seen": found}))
        if found != seen.get("seen"):
            return dg.SensorResult(
                skip_reason="the inbox has changed; it is read once it stays the same until the next look",
                cursor=json.dumps(seen | {"seen": found}),
            )
        # counted, because an inbox that returns to an earlier state is a change too
        number = int(seen.get("number", 0)) + 1
        return dg.SensorResult(
            run_requests=[dg.RunRequest(run_key=f"{number}-{found}")],
            cursor=json.dumps({"seen": found, "asked": found, "number": number}),
        )

    return look


def failure_sensor(workplace: Workplace, job: dg.UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """Return the sensor that writes and tells the end of a run that failed under the daemon or in the UI."""

    @dg.run_failure_sensor(
        name="run_failed",
        monitored_jobs=[job],
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Writes last_run.json and tells whom the site file names · 실패를 기록하고 알림",
    )
    def tell(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        from pipelines.run import failure_reasons  # noqa: PLC0415 - it loads the definitions, which load this

        def reasons() -> list[str]:
            logs = context.instance.all_logs(context.dagster_run.run_id)
            return failure_reasons([entry.dagster_event for entry in logs if entry.dagster_event is not None])

        return _finish(workplace, context.dagster_run, succeeded=False, reasons=reasons)

    return tell


def success_sensor(workplace: Workplace, job: dg.UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """Return the sensor that writes the end of a run that succeeded, and tells a recovery."""

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="run_succeeded",
        monitored_jobs=[job],
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Writes last_run.json and tells a recovery · 성공을 기록하고 복구를 알림",
    )
    def tell(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
        return _finish(workplace, context.dagster_run, succeeded=True, reasons=list)

    return tell


def _finish(
    workplace: Workplace, run: dg.DagsterRun, *, succeeded: bool, reasons: Callable[[], list[str]]
) -> dg.SkipReason | None:
    """Write and tell how ``run`` ended, unless a command does so itself."""
    if run.tags.get(RUN_LABEL) == BY_COMMAND:
        return dg.SkipReason("twin run tells its own end")
    record = {"site": workplace.site.name, "run_id": run.run_id, "succeeded": succeeded, "reasons": reasons()}
    trouble = conclude(workplace, record)
    if trouble:
        raise InputError("; ".join(trouble))
    return None
