"""What may be said of a rule: compliance only where the rule itself was verified, else an indication in neutral words.

Every statement that a published column or page makes about a regulation passes through `statements`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geodata.parameters import Parameter

COMPLIES, FALLS_SHORT = "complies", "falls_short"
"""Statements of compliance."""
ABOVE, BELOW = "indicative_above", "indicative_below"
"""Indications: on which side of a value that nobody has verified a result lies."""


def statements(rules: Sequence[Parameter], reached: np.ndarray, applies: np.ndarray | None = None) -> np.ndarray:
    """Return what may be said where ``reached`` is True or False; None where the rule does not apply.

    Parameters
    ----------
    rules
        Every parameter that the comparison rests on; one of them unverified makes the whole an indication.
    reached
        Whether the value asked for is reached; shape (n,).
    applies
        Where there is anything to say; everywhere if None.
    """
    verified = bool(rules) and all(rule.verified for rule in rules)
    yes, no = (COMPLIES, FALLS_SHORT) if verified else (ABOVE, BELOW)
    said = np.where(np.asarray(reached, dtype=bool), yes, no).astype(object)
    if applies is not None:
        said[~np.asarray(applies, dtype=bool)] = None
    return said
