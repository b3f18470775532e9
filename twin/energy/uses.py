"""Which energy use a building has: what it shares an intensity and a load shape with."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from geodata.class_tables import ClassTable, load_classes

UNKNOWN = "unknown"
"""Energy use of buildings whose use no source tells."""


@cache
def energy_uses() -> ClassTable:
    """Return the table ``uses.yaml``: energy use to its words, the beginnings of its use codes, and its load shape."""
    return load_classes("twin.energy", "uses.yaml")


def use_numbers(use_code: pd.Series) -> np.ndarray:
    """Return the position in `energy_uses` of each of ``use_code`` (text, missing where unknown); shape (buildings,).

    The longest beginning that fits decides; a code that no use claims is `UNKNOWN`.
    """
    names = list(energy_uses())
    beginnings = {code: names.index(name) for name, words in energy_uses().items() for code in words["codes"].split()}
    found = pd.Series(np.nan, index=use_code.index)
    for length in sorted({len(code) for code in beginnings}, reverse=True):
        of_length = {code: number for code, number in beginnings.items() if len(code) == length}
        found = found.fillna(use_code.str.slice(0, length).map(of_length).astype("float64"))
    return found.fillna(names.index(UNKNOWN)).to_numpy(dtype=np.int64)
