"""What is fresh, stale or missing, found without building anything."""

from __future__ import annotations

from pipelines.assets.comparison import comparison_step
from pipelines.assets.inventory import list_inbox
from pipelines.assets.web import web_step
from pipelines.code_version import code_version
from pipelines.definitions import SCENARIO_STEPS, SOURCE_STEPS
from pipelines.instance import Workplace
from pipelines.mirror import open_store
from pipelines.steps import INVENTORY, Step, digest_inputs, is_built, key_of, needs_of, step_parameters
from pipelines.store import Store, object_digest


def asset_states(workplace: Workplace) -> list[tuple[str, str, str]]:
    """Return (asset, state, why) for every asset in the order in which they are built.

    ``fresh``: a run would take it from the store. ``stale``: a run would build it again. ``missing``: it was never built.
    ``absent``: fresh, and there is no data for it.
    """
    site, store = workplace.site, open_store(workplace.site, workplace.store)
    pairs: list[tuple[Step, str | None]] = [(step, None) for step in SOURCE_STEPS]
    pairs += [
        (step, scenario) for scenario in site.scenarios for step in SCENARIO_STEPS if is_built(step.name, scenario)
    ]
    pairs += [(comparison_step(site), None), (web_step(site), None)]
    states: dict[str, tuple[str, str]] = {INVENTORY: _inventory_state(workplace, store)}
    pending = pairs
    while pending:
        ready = [(s, c) for s, c in pending if all(key_of(n, c) in states for n in needs_of(s, c))]
        for step, scenario in ready:
            states[key_of(step.name, scenario)] = _state(step, scenario, workplace, store, states)
        pending = [pair for pair in pending if pair not in ready]
    return [(asset, word, why) for asset, (word, why) in states.items()]


def _inventory_state(workplace: Workplace, store: Store) -> tuple[str, str]:
    found = store.current(INVENTORY)
    if found is None:
        return "missing", "the inbox was never read"
    if found.inputs[":inbox"] != list_inbox(workplace.site.inbox):
        return "stale", "files in the inbox have changed"
    return "fresh", ""


def _state(
    step: Step, scenario: str | None, workplace: Workplace, store: Store, states: dict[str, tuple[str, str]]
) -> tuple[str, str]:
    asset = key_of(step.name, scenario)
    found = store.current(asset)
    if found is None:
        return "missing", "never built, or its stored object is damaged"
    names = needs_of(step, scenario)
    keys = [key_of(name, scenario) for name in names]
    # of the inventory only the files of the step's own role count; their hashes are compared below
    upstream = [
        k for k in keys if states[k][0] in ("stale", "missing") and not (k == INVENTORY and step.role is not None)
    ]
    if upstream:
        return "stale", f"{upstream[0]} is {states[upstream[0]][0]}"
    needs = {name: store.current(key) for name, key in zip(names, keys, strict=True)}
    present = {name: need for name, need in needs.items() if need is not None}
    inputs = digest_inputs(step, present)
    digest = object_digest(asset, inputs, step_parameters(step, workplace.site), code_version(step.run))
    if digest == found.digest:
        return ("absent", found.absent) if found.absent else ("fresh", "")
    changed = sorted(name.lstrip(":") for name in inputs if found.inputs.get(name) != inputs[name])
    return "stale", f"changed: {', '.join(changed)}" if changed else "code, libraries or parameters have changed"
