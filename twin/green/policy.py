"""What counts as green: the policy over the classes of the land cover map.

The values stand in ``policy.yaml`` with their source; this module reads them and refuses a policy with gaps or
contradictions, because a class in no group would silently vanish from every green total.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import pandas as pd

from geodata.catalogue.shared import COVER_CLASSES
from geodata.class_tables import ClassTable
from geodata.clean.land_cover import land_cover_classes
from geodata.errors import InputError
from geodata.parameters import Parameters, load_parameters

GROUPS = ("forest", "grass", "farm", "wetland")
"""Kinds of green that land cover can tell; the words of the column `group` of the layer `green`."""

LEVEL_1 = dict(zip("1234567", COVER_CLASSES, strict=False))
"""First digit of a class code to the name of its level-1 class, as in the columns `cover_<name>_m2`."""


@dataclass(frozen=True)
class GreenPolicy:
    """Class codes of the land cover map, divided by what they mean for green.

    ``groups`` maps each green class code to its group; a code of the map that is absent from it is not green.
    """

    names: ClassTable
    groups: Mapping[str, str]
    canopy: frozenset[str]
    agricultural: frozenset[str]
    parameters: Parameters

    def is_green(self, class_code: pd.Series) -> pd.Series:
        """Return which of ``class_code`` (text) are green."""
        return class_code.isin(list(self.groups))

    def level_1(self, class_code: pd.Series) -> pd.Series:
        """Return the level-1 class name of each of ``class_code`` (text), NaN where the map has no such code."""
        return class_code.where(class_code.isin(list(self.names))).str[0].map(LEVEL_1)


@cache
def green_policy() -> GreenPolicy:
    """Return the policy of ``policy.yaml``.

    Raises
    ------
    InputError
        If the policy names a code the map does not have, leaves one out, or puts one into two groups.
    """
    return build_policy(load_parameters("twin.green", "policy.yaml"), land_cover_classes())


def build_policy(parameters: Parameters, names: ClassTable) -> GreenPolicy:
    """Return the policy that ``parameters`` state over the classes ``names`` (code to its ``ko`` and ``en`` name).

    Raises
    ------
    InputError
        As `green_policy`.
    """
    decided = pd.Series([code for group in (*GROUPS, "not_green") for code in parameters[group]], dtype="str")
    wrong = {
        "in two groups": sorted(decided[decided.duplicated()].unique()),
        "in no group": sorted(set(names) - set(decided)),
        "not a class of the land cover map": sorted(set(decided) - set(names)),
    }
    groups = {code: group for group in GROUPS for code in parameters[group]}
    wrong["flagged canopy or agricultural but not green"] = sorted(
        (set(parameters["canopy"]) | set(parameters["agricultural"])) - set(groups)
    )
    faults = [f"{', '.join(codes)}: {what}" for what, codes in wrong.items() if codes]
    if faults:
        raise InputError(
            f"twin/green/policy.yaml: {'; '.join(faults)}. Put every class into exactly one of {', '.join(GROUPS)}, not_green"
        )
    return GreenPolicy(
        names, groups, frozenset(parameters["canopy"]), frozenset(parameters["agricultural"]), parameters
    )
