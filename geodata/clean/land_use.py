"""The class of a plan block's use: LH's plans spell the same use in many ways."""

from __future__ import annotations

from functools import cache

import pandas as pd

from geodata.class_tables import ClassTable, load_classes

OTHER = "other"
_SIGNS = r"[\s·.,/()（）\[\]{}\-_]"


def land_use_classes() -> ClassTable:
    """Return the classes of ``land_use_classes.yaml``: code to ``ko``, ``en`` and the ``words`` that tell it."""
    return load_classes("geodata.clean", "land_use_classes.yaml")


def use_classes(land_use: pd.Series) -> pd.Series:
    """Return the class of each use (text, missing where none is given); NaN where no word of the table occurs in it.

    The longest word decides, of equally long ones the class that stands first: ``공동주택용지(주상복합)`` is mixed use.
    """
    plain = land_use.str.replace(_SIGNS, "", regex=True).str.lower()
    found = {text: _class_of(text) for text in plain.dropna().unique()}
    return plain.map(found).astype("str")


def _class_of(text: str) -> str | None:
    return next((code for word, code in _by_length() if word in text), None)


@cache
def _by_length() -> tuple[tuple[str, str], ...]:
    """Words with their class, longest first; the order of the table decides among equals."""
    words = [(word, code) for code, entry in land_use_classes().items() for word in entry["words"].split()]
    return tuple(sorted(words, key=lambda pair: -len(pair[0])))
