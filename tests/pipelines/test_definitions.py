from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from geodata.catalogue import LAYERS
from pipelines.definitions import build_defs
from pipelines.jobs import NIGHTLY

GRAPH = Path(__file__).parent / "graph.txt"


@pytest.fixture
def definitions(small_workplace):
    return build_defs(small_workplace)


def graph_lines(definitions):
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        parents = ", ".join(sorted(p.to_user_string() for p in node.parent_keys))
        lines.append(f"{key.to_user_string()} [{node.group_name}] <- {parents}")
        lines += [f"    check {check.name}" for check in sorted(node.check_keys)]
    return lines


def test_the_graph_is_the_reviewed_one(definitions):
    """A change of the graph must be seen in review: it changes this file."""
    expected = GRAPH.read_text(encoding="utf-8").splitlines()
    assert graph_lines(definitions) == expected


def test_definitions_load(definitions):
    dg.Definitions.validate_loadable(definitions)


def test_every_asset_tells_who_what_and_with_which_tools(definitions):
    for asset in definitions.resolve_all_asset_specs():
        assert asset.owners == ["team:new-town-twin"], asset.key
        assert asset.kinds, asset.key
        assert asset.group_name in {"sources", "town", "solar", "energy", "green", "publish"}, asset.key
        assert asset.tags["site"] == "small_town"
        assert asset.code_version
        assert asset.description
        assert any("가" <= letter <= "힣" for letter in asset.description), f"{asset.key} has no Korean description"


def test_every_published_layer_declares_its_columns_and_is_checked(definitions):
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    checked = {c.asset_key.to_user_string() for d in definitions.asset_checks for c in d.check_specs if c.blocking}
    for name, layer in LAYERS.items():
        if layer.planned_only:
            continue
        schema = specs[f"existing/{name}"].metadata["dagster/column_schema"]
        assert [column.name for column in schema.columns] == list(layer.names)
        assert f"existing/{name}" in checked


def test_every_check_blocks_and_explains_itself(definitions):
    checks = [spec for d in definitions.asset_checks for spec in d.check_specs]
    assert len(checks) == 27
    for spec in checks:
        assert spec.blocking
        assert spec.description


def test_the_night_is_at_two_in_korea_and_running(definitions):
    schedule = definitions.resolve_schedule_def("nightly_at_two")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert schedule.job_name == NIGHTLY
    assert schedule.cron_schedule == "0 2 * * *"
    assert schedule.execution_timezone == "Asia/Seoul"
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 11, 22, 2, tzinfo=ZoneInfo("Asia/Seoul"))
    )
    assert len(schedule.evaluate_tick(context).run_requests) == 1


def test_a_foreign_instance_is_refused(definitions):
    job = definitions.resolve_job_def(NIGHTLY)
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success
    failures = [e.step_failure_data.user_failure_data.description for e in result.all_events if e.is_step_failure]
    assert any("twin env" in text for text in failures)


@pytest.mark.parametrize(
    "command",
    [
        ["dg", "check", "defs"],
        ["dagster", "definitions", "validate", "-w", "workspace.yaml"],
    ],
    ids=["dg", "workspace"],
)
def test_both_ways_of_loading_work(root, tmp_path, command):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DAGSTER", "TWIN"))}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, env=environment, check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workspace_loads_from_any_folder(root, tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DAGSTER", "TWIN"))}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    command = ["dagster", "definitions", "validate", "-w", str(root / "workspace.yaml")]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
