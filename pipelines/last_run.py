"""`last_run.json` beside the releases: how the last run ended, whoever started it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

from pipelines.instance import Workplace
from pipelines.notify import event_of, notify, one_line
from twin.publish.site_folder import read_json

LAST_RUN = "last_run.json"


def read_last_run(workplace: Workplace) -> dict[str, Any] | None:
    """Return how the last run ended, or None if none did."""
    return read_json(workplace.releases / LAST_RUN)


def conclude(workplace: Workplace, record: dict[str, Any]) -> list[str]:
    """Write ``record`` (with ``succeeded`` and ``reasons``) as the last run, tell whom the site names, return what failed of it."""
    before = read_last_run(workplace)
    trouble: list[str] = []
    told = {"finished": datetime.now(UTC).isoformat(timespec="seconds"), **record}
    try:
        workplace.releases.mkdir(parents=True, exist_ok=True)
        temporary = workplace.releases / f".last_run-{os.getpid()}.json"
        temporary.write_text(json.dumps(told, ensure_ascii=False, indent=1, default=str), encoding="utf-8")
        temporary.replace(workplace.releases / LAST_RUN)
    except OSError as error:
        trouble.append(f"{LAST_RUN} could not be written in {workplace.releases}: {error.strerror}")
    event = event_of(bool(record["succeeded"]), None if before is None else bool(before.get("succeeded")))
    if event is not None:
        reason = one_line(record["reasons"]) or "the run succeeded after one that failed"
        trouble += notify(workplace.site.notify, event, workplace.site.name, reason)
    return trouble
