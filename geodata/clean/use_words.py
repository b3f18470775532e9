"""Building use codes for sources that give uses as words, or in the code list of the topographic map."""

from __future__ import annotations

import pandas as pd

from geodata.class_tables import ClassTable, load_classes

DWELLING = "주택"
"""A use that says no more than "dwelling": the kind of building tells which."""


def code_uses(use: pd.Series, use_code: pd.Series, kind: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return use as a word and use code; a code that is given stays, and a word without a code keeps no code.

    Parameters
    ----------
    use : word, or code of the topographic map (``BDU010``); n values, missing where unknown
    use_code : building use code (five characters) where the source has one
    kind : kind of building of the topographic map, word or code (``BDC003``), where the source has one
    """
    uses = load_classes("geodata.clean", "topographic_building_uses.yaml")
    kinds = load_classes("geodata.clean", "topographic_building_kinds.yaml")
    names = load_classes("geodata.clean", "building_uses.yaml")
    use, kind = _words(use, uses), _words(kind, kinds)
    by_word = {_plain(words["ko"]): code for code, words in names.items()}
    by_word |= {_plain(words["ko"]): words["use_code"] for words in uses.values() if "use_code" in words}
    by_kind = {_plain(words["ko"]): words["use_code"] for words in kinds.values() if "use_code" in words}
    by_kind_alone = use.isna() | (use == DWELLING)
    found = _plain_series(use).map(by_word).where(~by_kind_alone, _plain_series(kind).map(by_kind))
    return use, use_code.fillna(found).astype("str")


def _words(values: pd.Series, table: ClassTable) -> pd.Series:
    """Return words for the codes of ``table`` among ``values``; words stay."""
    named = values.str.upper().map({code: words["ko"] for code, words in table.items()})
    return named.fillna(values).astype("str")


def _plain(word: str) -> str:
    return "".join(letter for letter in word if letter not in " ·.,()（）")


def _plain_series(values: pd.Series) -> pd.Series:
    return values.str.replace(r"[ ·.,()（）]", "", regex=True)
