from __future__ import annotations

import pandas as pd
import pytest

from geodata.catalogue.planning import USE_CLASSES
from geodata.clean.land_use import use_classes

WORDS = {
    "공동주택용지": "apartment",
    "단독주택(점포겸용)": "detached",
    "주상복합": "mixed",
    "일반상업용지": "commercial",
    "상업업무용지": "commercial",
    "자족시설용지": "business",
    "초등학교": "school",
    "학교용지": "school",
    "공공청사용지": "public",
    "근린공원": "park",
    "완충녹지": "green",
    "녹지": "green",
    "하천": "water",
    "도로": "road",
    "주차장": "parking",
}


@pytest.mark.parametrize("word", WORDS)
def test_uses_of_plans_are_known_by_their_words(word):
    assert use_classes(pd.Series([word])).iloc[0] == WORDS[word]
    assert WORDS[word] in USE_CLASSES


def test_a_word_that_says_nothing_has_no_class():
    assert use_classes(pd.Series(["가나다라", "특이용지 9"])).isna().all()
