"""Rule sets: what each surface counts for in the biotope area ratio, and which ratio is aimed at.

A rule set whose weights or target were not verified gives numbers to look at and never a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from geodata.clean.land_cover import land_cover_classes
from geodata.errors import InputError
from geodata.parameters import Parameters, load_parameters

SURFACES = ("soil_green", "farmland", "water", "bare", "roof", "roof_green", "paved")
"""Surfaces that a rule set weighs; ``roof_green`` is planted roof, every other roof is ``roof``."""

RULE_SETS = ("moe", "seoul", "berlin")
OWN_RULES = "moe"
"""The rule set that targets and the column `biotope_present_pct` follow."""


@dataclass(frozen=True)
class RuleSet:
    """Weights of surfaces (0 to 1) and targets [%] of one authority."""

    name: str
    weights: Mapping[str, float]
    by_zoning: Mapping[str, float]
    by_jimok: Mapping[str, float]
    verified: bool
    """Whether weights and targets were all checked against the rule itself."""


def build_rules(name: str, parameters: Parameters) -> RuleSet:
    """Return the rule set that ``parameters`` state.

    Raises
    ------
    InputError
        If a surface has no weight, a weight is of no known surface, or it lies outside 0 to 1.
    """
    weights = parameters["weights"]
    odd = sorted(set(weights) ^ set(SURFACES))
    if odd:
        raise InputError(f"rule set {name}: weights and surfaces differ in {', '.join(odd)}")
    if not all(0 <= weight <= 1 for weight in weights.values()):
        raise InputError(f"rule set {name}: weights must lie in 0 to 1")
    records = [parameters.record(key) for key in ("weights", "target_by_zoning_pct", "target_by_jimok_pct")]
    return RuleSet(
        name,
        {surface: float(weights[surface]) for surface in SURFACES},
        {word: float(value) for word, value in parameters["target_by_zoning_pct"].items()},
        {word: float(value) for word, value in parameters["target_by_jimok_pct"].items()},
        all(record.verified for record in records),
    )


@cache
def rule_set(name: str) -> RuleSet:
    """Return the shipped rule set ``name``."""
    return build_rules(name, load_parameters("twin.green.biotope", f"{name}.yaml"))


@cache
def surface_of_class() -> dict[str, str]:
    """Return the surface of each class code of the land cover map.

    Raises
    ------
    InputError
        If ``surfaces.yaml`` leaves a class out or names one twice.
    """
    parameters = load_parameters("twin.green.biotope", "surfaces.yaml")
    pairs = [(code, surface) for surface in parameters for code in parameters[surface]]
    known = dict(pairs)
    if len(known) != len(pairs) or set(known) != set(land_cover_classes()):
        raise InputError(
            "twin/green/biotope/surfaces.yaml: every class of the land cover map must stand there exactly once"
        )
    return known


def targets(rules: RuleSet, parcels: pd.DataFrame) -> pd.DataFrame:
    """Return the target of each of ``parcels`` [%] and where it comes from; NaN where the rules name none.

    Land that is not for building has no target. On building land the largest target that zoning or land category ask for counts.

    Parameters
    ----------
    parcels
        Has `jimok` and, where it is known, `zoning` (names joined by a comma).

    Returns
    -------
    DataFrame
        With the index of ``parcels``: `biotope_target_pct` and `biotope_target_basis` (``jimok`` or ``zoning``).
    """
    by_jimok = parcels["jimok"].map(dict(rules.by_jimok)).astype("float64")
    by_zoning = pd.Series(np.nan, index=parcels.index)
    if "zoning" in parcels.columns:
        for word, value in sorted(rules.by_zoning.items(), key=lambda pair: pair[1]):
            by_zoning[parcels["zoning"].str.contains(word, regex=False, na=False)] = value
    zoned = by_jimok.notna() & (by_zoning > by_jimok)
    target = by_jimok.where(~zoned, by_zoning)
    basis = pd.Series(np.select([zoned, target.notna()], ["zoning", "jimok"], ""), index=parcels.index, dtype="str")
    return pd.DataFrame({"biotope_target_pct": target, "biotope_target_basis": basis.where(target.notna())})


def verdict(rules: RuleSet, ratio_pct: pd.Series, target_pct: pd.Series) -> pd.Series:
    """Return what may be said of a ratio beside its target: ``unverified`` unless the rules were verified."""
    known = ratio_pct.notna() & target_pct.notna()
    if not rules.verified:
        told = pd.Series("unverified", index=ratio_pct.index, dtype="str")
    else:
        told = pd.Series(np.where(ratio_pct >= target_pct, "meets", "below"), index=ratio_pct.index, dtype="str")
    return told.where(known)
