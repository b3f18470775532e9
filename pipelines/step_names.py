"""Names of steps, and the asset keys that they have in each scenario."""

from geodata.site import PRESENT

SCENARIO = "scenario"
"""First part of a step's name that stands for each scenario of the site in turn."""
INVENTORY = "sources/inventory"
BASIS = "scenario/basis"
"""Absent where a plan has no blocks; then every step of that scenario is."""
PLANNED_ONLY = frozenset({"scenario/blocks", BASIS, "scenario/designs", "scenario/massing", "scenario/plan_blocks"})
"""Steps that the town as it is does not have."""


def key_of(name: str, scenario: str | None) -> str:
    """Return the asset key of a step's name in one scenario."""
    room, _, noun = name.partition("/")
    return f"{scenario}/{noun}" if room == SCENARIO and scenario is not None else name


def is_built(name: str, scenario: str | None) -> bool:
    """Tell whether the step called ``name`` exists in ``scenario``."""
    return not (name in PLANNED_ONLY and scenario == PRESENT)
