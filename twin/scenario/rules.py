"""The rules of ``rules.yaml``, read once."""

from __future__ import annotations

from functools import cache

from geodata.parameters import Parameters, load_parameters

PLAN_SOURCE = "plan"
"""Source of land cover that a plan brings."""


@cache
def scenario_rules() -> Parameters:
    """Return the rules."""
    return load_parameters("twin.scenario", "rules.yaml")
