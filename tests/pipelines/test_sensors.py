"""The inbox sensor asks for one run for each change that has come to rest, whatever the times of the files say."""

from __future__ import annotations

import os
from datetime import timedelta

import dagster as dg
import pytest

from pipelines.assets.inventory import list_inbox
from pipelines.definitions import build_defs


@pytest.fixture
def look(small_workplace):
    sensor = build_defs(small_workplace).resolve_sensor_def("inbox_changed")
    state = {"cursor": None}

    def once() -> list[str]:
        context = dg.build_sensor_context(cursor=state["cursor"])
        tick = sensor.evaluate_tick(context)
        state["cursor"] = tick.cursor
        return [request.run_key for request in tick.run_requests or []]

    return once


def test_one_run_for_each_change_that_came_to_rest(small_workplace, look):
    assert look() == []  # an empty inbox is not an empty town
    file = small_workplace.site.inbox / "a.csv"
    file.write_bytes(b"half")
    assert look() == []
    then = file.stat().st_mtime
    file.write_bytes(b"full")  # same size, and the time says nothing
    os.utime(file, (then, then))
    assert look() == []
    first = list_inbox(small_workplace.site.inbox)
    assert look() == [f"1-{first}"]
    assert look() == []
    file.write_bytes(b"next")
    assert (look(), len(look()), look()) == ([], 1, [])
    file.write_bytes(b"full")  # back to an earlier state: a change as well, under a key of its own
    assert look() == []
    assert look() == [f"3-{first}"]


def test_a_touched_file_starts_nothing(small_workplace, look):
    file = small_workplace.site.inbox / "a.csv"
    file.write_bytes(b"full")
    look()
    assert len(look()) == 1
    os.utime(file, (1, 1))
    assert (look(), look()) == ([], [])


def test_sensors_and_freshness_are_on(small_workplace):
    definitions = build_defs(small_workplace)
    for name in ("inbox_changed", "run_failed", "run_succeeded"):
        assert definitions.resolve_sensor_def(name).default_status == dg.DefaultSensorStatus.RUNNING
    (release,) = [s for s in definitions.resolve_all_asset_specs() if s.key == dg.AssetKey(["release"])]
    policy = release.freshness_policy
    assert (policy.deadline_cron, policy.timezone) == ("0 6 * * *", "Asia/Seoul")
    assert policy.lower_bound_delta == timedelta(hours=6)
