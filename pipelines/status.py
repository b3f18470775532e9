"""What is fresh, stale or missing, found without building anything."""

from __future__ import annotations

from pipelines.assets.inventory import list_inbox
from pipelines.definitions import steps_of
from pipelines.instance import Workplace
from pipelines.mirror import open_store
from pipelines.step_names import INVENTORY, key_of
from pipelines.steps import Step, made_from, needs_of
from pipelines.store import Store, object_digest


def asset_states(workplace: Workplace) -> list[tuple[str, str, str]]:
    """Return (asset, state, why) for every asset in the order in which they are built.

    ``fresh``: a run would take it from the store. ``stale``: a run would build it again. ``missing``: it was never built.
    ``absent``: fresh, and there is no data for it.
    """
    site, store = workplace.site, open_store(workplace.site, workplace.store)
    pending = list(steps_of(site).values())
    states: dict[str, tuple[str, str]] = {INVENTORY: _inventory_state(workplace, store)}
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
    made = made_from(step, workplace.site, present)
    if object_digest(asset, **made) == found.digest:
        return ("absent", found.absent) if found.absent else ("fresh", "")
    changed = sorted(name.lstrip(":") for name, content in made["inputs"].items() if found.inputs.get(name) != content)
    return "stale", f"changed: {', '.join(changed)}" if changed else "code, libraries or parameters have changed"
