"""The dimensions of ``massing.yaml``, read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from geodata.parameters import Parameters, load_parameters


@dataclass(frozen=True)
class Pattern:
    """How buildings of one use are laid out [m]; ``dwelling`` rows keep their distance by height."""

    depth_m: float
    longest_m: float
    shortest_m: float
    gap_m: float
    setback_m: float
    row_gap_m: float
    dwelling: bool


@cache
def massing_rules() -> Parameters:
    """Return the rules."""
    return load_parameters("twin.massing", "massing.yaml")


@cache
def pattern_of(use_class: str) -> Pattern | None:
    """Return the pattern of ``use_class``, None for uses that put no building on their block."""
    found = massing_rules()["patterns"].get(use_class)
    return None if found is None else Pattern(**found)
