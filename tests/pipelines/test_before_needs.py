"""What a step made before is handed out only where the named needs are what they were, and old tables where they still are."""

from __future__ import annotations

import pandas as pd
import pytest

from geodata.site import Site
from pipelines.steps import Step, build_step
from pipelines.store import Store
from pipelines.work import write_table

SITE = {
    "name": "hamlet", "title": {"ko": "마을", "en": "hamlet"}, "crs": "EPSG:5186", "timezone": "Asia/Seoul",
    "study_area": {"bbox": [0, 0, 100, 100], "crs": "EPSG:5186"}, "inbox": "inbox", "scenarios": ["existing"],
}  # fmt: skip


@pytest.fixture
def night(tmp_path):
    """A step of two needs; each night tells what it was given of the one before."""
    site, store = Site.model_validate(SITE), Store(tmp_path / "store")
    told = []

    def measure(work):
        houses = work.frame_before("sources/houses")
        told.append(
            {
                "land": work.before_where_same("sources/land") is not None,
                "both": work.before_where_same("sources/land", "sources/houses") is not None,
                "planned": work.before_where_same("sources/land", "scenario/blocks") is not None,
                "houses": None if houses is None else houses["name"].tolist(),
            }
        )
        work.write(pd.DataFrame({"name": ["made"]}))

    step = Step(
        "sources/sum", "test", "", ("sources/land", "sources/houses"), measure, frozenset(), lambda _: None
    )  # fmt: skip

    def write(name, words):
        def build(folder):
            if words is None:
                return {"absent": "no file"}
            write_table(pd.DataFrame({"name": words}), folder / "data" / "features.parquet")
            return {}

        store.get_or_build(name, inputs={":words": str(words)}, parameters=None, code_version="x", build=build)

    def run(land, houses):
        write("sources/land", land)
        write("sources/houses", houses)
        build_step(step, site, store, None)
        return told[-1]

    return run


def test_the_first_night_has_nothing_before(night):
    assert night(["a"], ["h"]) == {"land": False, "both": False, "planned": False, "houses": None}


def test_only_what_was_named_must_be_the_same(night):
    night(["a"], ["h"])
    # a need that the scenario does not have is no other one
    assert night(["a"], ["h", "i"]) == {"land": True, "both": False, "planned": True, "houses": ["h"]}
    assert night(["b"], ["h", "i"]) == {"land": False, "both": False, "planned": False, "houses": ["h", "i"]}


def test_a_need_that_was_absent_has_no_table(night):
    night(["a"], None)
    assert night(["a"], ["h"]) == {"land": True, "both": False, "planned": True, "houses": None}
