"""What Dagster's own pages call stale follows from the data versions, and one instance remembers every run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from pipelines.definitions import build_defs
from pipelines.instance import open_instance
from pipelines.sensors import BY_COMMAND, RUN_LABEL
from pipelines.status import asset_states

pytestmark = [pytest.mark.check, pytest.mark.timeout(1800)]


def stale_keys(workplace) -> set[str]:
    """Ask Dagster what its asset pages would mark as stale."""
    graph = build_defs(workplace).resolve_asset_graph()
    with open_instance(workplace) as instance:
        resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        keys = graph.get_all_asset_keys()
        return {key.to_user_string() for key in keys if resolver.get_status(key) == StaleStatus.STALE}


def test_one_asset_made_anew_marks_what_comes_after_it(small_town):
    assert stale_keys(small_town.workplace) == set()
    small_town.edit(1320.0)
    done = small_town.command("run", "--select", "sources/resource")
    assert done.returncode == 0, done.stdout + done.stderr
    stale = stale_keys(small_town.workplace)
    # Dagster marks what takes the new data directly; `twin status` follows it to the end
    assert {"existing/roof_yields", "existing/roofs"} <= stale
    words = {asset: word for asset, word, _ in asset_states(small_town.workplace)}
    assert {words[name] for name in ("existing/roof_yields", "existing/roofs", "existing/geopackage")} == {"stale"}
    assert words["existing/skyline"] == words["sources/resource"] == "fresh"
    # what the sun's normal does not reach is as fresh as before
    assert not stale & {"sources/resource", "sources/parcels", "existing/green", "existing/skyline"}


def test_commands_of_dagster_and_of_twin_leave_records_in_one_instance(small_town, root):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DAGSTER", "TWIN"))}
    workplace = small_town.workplace
    command = [str(Path(sys.executable).with_name("dg")), "launch", "--assets", "existing/roofs"]
    done = subprocess.run(
        command,
        cwd=root,
        env=environment | workplace.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with open_instance(workplace) as instance:
        runs = instance.get_runs()
        ours = [r for r in runs if r.tags.get(RUN_LABEL) == BY_COMMAND]
        events = instance.fetch_materializations(dg.AssetKey(["existing", "roofs"]), limit=5).records
    assert ours
    assert len(runs) > len(ours)
    assert len({event.run_id for event in events}) >= 2
