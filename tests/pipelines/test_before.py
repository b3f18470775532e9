"""What a step is told of its last result: enough to take from it what still holds, and never the work of other code."""

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
def town(tmp_path):
    """One step that needs another; what it sees of its last result is written down."""
    site, store, told = Site.model_validate(SITE), Store(tmp_path / "store"), []
    parameters = {"azimuths": 4}

    def measure(work):
        before = work.before
        needs = before.needs("sources/words") if before else None
        last = before.last("tile") if before else None
        told.append(
            {
                "before": (before.data / "length.txt").read_text() if before else None,
                "need": (needs["sources/words"].data / "words.txt").read_text() if needs else None,
                "last part": (last / "length.txt").read_text() if last else None,
                "known part": before is not None and before.part("tile", {"of": "one"}) is not None,
            }
        )
        text = (work.need("sources/words").data / "words.txt").read_text()
        tile = work.part("tile", {"of": text}, lambda folder: (folder / "length.txt").write_text(f"part {len(text)}"))
        (work.out / "length.txt").write_text((tile / "length.txt").read_text().removeprefix("part "))

    step = Step(
        "sources/length", "test", "", ("sources/words",), measure, frozenset(), lambda _: parameters["azimuths"]
    )  # fmt: skip

    def run(text):
        def write(folder):
            (folder / "data" / "words.txt").write_text(text)
            return {}

        store.get_or_build("sources/words", inputs={":text": text}, parameters=None, code_version="x", build=write)
        return build_step(step, site, store, None)

    return run, told, parameters, store


def test_the_first_time_there_is_nothing_before(town):
    run, told, *_ = town
    run("one")
    assert told == [{"before": None, "need": None, "last part": None, "known part": False}]


def test_a_changed_need_shows_what_was_made_of_the_old_one(town):
    run, told, *_ = town
    run("one")
    found = run("three")
    assert (found.data / "length.txt").read_text() == "5"
    assert told[1] == {"before": "3", "need": "one", "last part": "part 3", "known part": True}


def test_other_parameters_or_other_code_hide_what_was_made(town, monkeypatch):
    run, told, parameters, _ = town
    run("one")
    parameters["azimuths"] = 8
    run("three")
    assert told[1] == {"before": None, "need": None, "last part": None, "known part": False}
    monkeypatch.setattr("pipelines.steps.code_version", lambda _: "newer")
    run("seven")
    assert told[2] == {"before": None, "need": None, "last part": None, "known part": False}


def test_a_need_that_the_store_has_lost_is_told_as_such(town):
    run, told, _, store = town
    run("one")
    for file in (store.root / "sources.words").rglob("words.txt"):
        file.write_text("damaged")
    run("three")
    assert told[1]["before"] == "3"
    assert told[1]["need"] is None


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
