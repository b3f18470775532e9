"""Land categories (지목): the one-letter signs of the 28 categories, from whatever way a source spells them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from geodata.class_tables import load_classes

LAST_LETTER_SHARE = 0.05
"""From this share of letters that are no signs, but last letters of full words, a layer is taken to write last letters."""


def jimok_words() -> dict[str, str]:
    """Return the sign of each full word: ``{"전": "전", "과수원": "과", ...}``."""
    return {words["ko"]: sign for sign, words in load_classes("geodata", "jimok.yaml").items()}


def jimok_spellings() -> set[str]:
    """Return everything that may stand behind a lot number: signs, full words and last letters of full words."""
    words = jimok_words()
    return set(words) | set(words.values()) | {word[-1] for word in words}


def jimok_signs(labels: pd.Series) -> pd.Series:
    """Return the sign of each label: a sign, a full word or, in some releases, the last letter of the full word.

    Last letters are ambiguous: 장 is 공장용지 as a sign and 주차장 or 양어장 as a last letter. A layer that writes last
    letters gives itself away by letters that are no signs at all (야 of 임야, 로 of 도로, 지 of 공장용지); in such a
    layer only last letters that belong to one category are believed (야, 로, 방, 거, 천, 답, 대) and all others are left
    empty rather than guessed.
    """
    words = jimok_words()
    signs = set(words.values())
    lasts = Counter(word[-1] for word in words)
    unambiguous = {word[-1]: sign for word, sign in words.items() if lasts[word[-1]] == 1}
    single = labels.str.len() == 1
    only_last = single & labels.isin(set(lasts)) & ~labels.isin(signs)
    lettered = int(single.sum())
    if lettered and only_last.sum() > LAST_LETTER_SHARE * lettered:
        letters = labels.map(unambiguous)
    else:
        letters = labels.where(labels.isin(signs), labels.map(unambiguous))
    return pd.Series(np.where(single, letters, labels.map(words)), index=labels.index).astype("str")
