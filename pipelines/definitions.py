"""What Dagster loads: assets, checks, the nightly job and its schedule, for the town that the environment names.

Importing this module does nothing; `defs` is called by Dagster, `build_defs` by the command line and the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import dagster as dg

from geodata.site import Site
from pipelines.assets import (
    biotope,
    bus_stops,
    comparison,
    energy,
    green,
    plan,
    publish,
    release,
    shortlist,
    solar,
    sources,
    sunlight,
    town,
    web,
)
from pipelines.assets.inventory import inventory_asset
from pipelines.checks import account_check, comparison_check, layer_check
from pipelines.instance import Workplace, open_workplace, refuse_foreign_instance
from pipelines.jobs import nightly_job
from pipelines.mirror import open_store
from pipelines.schedules import nightly_schedule
from pipelines.sensors import failure_sensor, inbox_sensor, success_sensor
from pipelines.step_names import is_built, key_of
from pipelines.steps import BuiltAhead, Progress, Step, asset_of
from pipelines.store import Store

SOURCE_STEPS: tuple[Step, ...] = sources.STEPS
SCENARIO_STEPS: tuple[Step, ...] = (
    *plan.STEPS,
    *town.STEPS,
    *solar.STEPS,
    *sunlight.STEPS,
    *energy.STEPS,
    *shortlist.STEPS,
    *green.STEPS,
    *biotope.STEPS,
    *bus_stops.STEPS,
    *publish.STEPS,
)

NOT_COUNTED = (sources.AREA, "sources/terrain", "sources/ndvi", "sources/surface_model", "sources/resource")
"""Sources that are no records: an outline, rasters and hours."""


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions of the town named by TWIN_SITE, or of the shipped one."""
    return build_defs(open_workplace())


def steps_of(site: Site) -> dict[str, tuple[Step, str | None]]:
    """Return every step that makes something for ``site``, with its scenario, by the key of its asset."""
    found: dict[str, tuple[Step, str | None]] = {step.name: (step, None) for step in SOURCE_STEPS}
    for scenario in site.scenarios:
        found |= {key_of(s.name, scenario): (s, scenario) for s in SCENARIO_STEPS if is_built(s.name, scenario)}
    return found | {step.name: (step, None) for step in (comparison.comparison_step(site), web.web_step(site))}


def build_defs(
    workplace: Workplace,
    *,
    store: Store | None = None,
    ahead: Callable[[str], BuiltAhead | None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    context_check: Callable[[dg.AssetExecutionContext], None] | None = None,
) -> dg.Definitions:
    """Return all definitions of one workplace.

    ``store`` is opened where none is given. ``ahead`` waits for what other processes build, see `pipelines.ahead`.
    ``on_progress`` is told of each finished asset. ``context_check`` may refuse to materialise; by default it refuses
    instances that are not this workplace's own.
    """
    site, store = workplace.site, store or open_store(workplace.site, workplace.store)
    check = context_check or partial(refuse_foreign_instance, workplace)
    assets: list[dg.AssetsDefinition] = [inventory_asset(site, store, check, on_progress)]
    checks: list[dg.AssetChecksDefinition] = []
    for step, scenario in steps_of(site).values():
        assets.append(asset_of(step, site, store, scenario, context_check=check, on_progress=on_progress, ahead=ahead))
        if step.role is not None and step.name not in NOT_COUNTED:
            checks.append(account_check(step, store))
        if step.layer is not None and scenario is not None:
            checks.append(layer_check(step.layer, site, store, scenario))
    checks.append(comparison_check(store, site))
    assets.append(release.release_asset(workplace, store, check, on_progress))
    job = nightly_job()
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=[job],
        schedules=[nightly_schedule(job)],
        sensors=[inbox_sensor(workplace, job), failure_sensor(workplace, job), success_sensor(workplace, job)],
        executor=dg.multiprocess_executor if site.compute.executor == "multiprocess" else dg.in_process_executor,
    )
