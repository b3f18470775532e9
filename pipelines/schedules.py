"""When the job runs by itself."""

from __future__ import annotations

import dagster as dg


def nightly_schedule(job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """Return the schedule: two in the morning in Korea, running as soon as a daemon is."""
    return dg.ScheduleDefinition(
        name="nightly_at_two",
        job=job,
        cron_schedule="0 2 * * *",
        execution_timezone="Asia/Seoul",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night at 02:00 Asia/Seoul · 매일 밤 2시",
    )
