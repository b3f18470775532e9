"""Class tables: YAML files that name the codes of an agency's code list in Korean and English."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pandas as pd

from geodata.shipped_yaml import shipped_yaml

ClassTable = dict[str, dict[str, str]]


@cache
def load_classes(package: str, file_name: str) -> ClassTable:
    """Return the table ``file_name`` that ships inside ``package``: code to its words (``ko``, ``en`` and others)."""
    text = files(package).joinpath(file_name).read_text(encoding="utf-8")
    return {str(code): {key: str(word) for key, word in words.items()} for code, words in shipped_yaml(text).items()}


def class_words(codes: pd.Series, table: ClassTable, word: str) -> pd.Series:
    """Return ``word`` (such as ``ko``) of each of ``codes``; missing where the table does not know the code."""
    return codes.map({code: words[word] for code, words in table.items()}).astype("str")
