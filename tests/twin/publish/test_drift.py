"""Drift: bands worked out by hand, and an acknowledgement that holds for one change only."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pandas as pd
import pytest

from geodata.errors import InputError
from geodata.site import DriftSpec
from twin.publish.drift import acknowledge, drifts, figures_of, judge
from twin.publish.release import publish_release
from twin.publish.site_folder import SiteFolder

NOW = datetime(2026, 11, 1, 17, tzinfo=UTC)


def town(rows: float, area: float = 1000.0, energy: float = 500.0) -> dict:
    return {"existing": {"roofs": {"rows": rows, "area_m2": area, "yield_kwh": energy}}}


def test_figures_are_counts_and_sums():
    frame = pd.DataFrame({"area_m2": [1.5, 2.25], "yield_kwh": [10.0, 30.0]})
    assert figures_of(frame) == {"rows": 2.0, "area_m2": 3.8, "yield_kwh": 40.0}
    assert figures_of(pd.DataFrame({"x": [1]})) == {"rows": 1.0}


@pytest.mark.parametrize(
    ("now", "names"),
    [
        (town(80, 800, 350), []),  # exactly on the bands of 20, 20 and 30 % that may be lost
        (town(200, 2000, 1000), []),  # and of 100 % that may be gained
        (town(79), ["existing.roofs.rows"]),
        (town(201), ["existing.roofs.rows"]),
        (town(100, 799.9), ["existing.roofs.area_m2"]),
        (town(100, 1000, 349), ["existing.roofs.yield_kwh"]),
        (town(100, 1000, 1001), ["existing.roofs.yield_kwh"]),
        ({"existing": {}}, ["existing.roofs.area_m2", "existing.roofs.rows", "existing.roofs.yield_kwh"]),
        ({"existing": town(100)["existing"] | {"parks": {"rows": 9.0}}}, []),  # something new is no drift
    ],
)
def test_what_leaves_its_band_is_named(now, names):
    assert [d.name for d in drifts(town(100), now, DriftSpec())] == names


def test_what_was_empty_may_fill():
    before = {"existing": {"parks": {"rows": 0.0}}}
    assert drifts(before, {"existing": {"parks": {"rows": 900.0}}}, DriftSpec()) == []


def test_a_few_rows_of_a_small_layer_may_change_but_it_may_not_vanish():
    before = {"existing": {"parks": {"rows": 6.0}}}
    assert drifts(before, {"existing": {"parks": {"rows": 1.0}}}, DriftSpec()) == []
    assert [d.now for d in drifts(before, {"existing": {"parks": {"rows": 0.0}}}, DriftSpec())] == [0.0]


def release(tmp_path, digest: str, figures: dict, day: int) -> SiteFolder:
    part = tmp_path / "a"
    part.write_text(digest, encoding="utf-8")
    publish_release(
        tmp_path / "outputs", "gaon", {"a": part}, {"content": {"figures": figures}}, digest,
        now=NOW.replace(day=day), keep=3, validate=lambda folder: [],
    )  # fmt: skip
    return SiteFolder(tmp_path / "outputs" / "gaon")


def test_a_drift_stops_until_it_is_acknowledged_for_these_very_values(tmp_path):
    folder = release(tmp_path, "aaaaaaaa", town(100), 1)
    assert judge(folder, town(100), "bbbbbbbb", DriftSpec()) == []
    with pytest.raises(InputError, match=r"existing\.roofs\.rows: 100 → 50 \(-50\.0 %, band 20 %\)"):
        judge(folder, town(50), "bbbbbbbb", DriftSpec())
    with pytest.raises(InputError, match=r"Waiting: existing\.roofs\.rows"):
        acknowledge(folder, "existing.parcels.rows", "typing error", now=NOW)
    with pytest.raises(InputError, match="reason"):
        acknowledge(folder, "existing.roofs.rows", "  ", now=NOW)
    acknowledge(folder, "existing.roofs.rows", "half the town was torn down", now=NOW)
    (used,) = judge(folder, town(50), "bbbbbbbb", DriftSpec())
    assert (used["name"], used["reason"]) == ("existing.roofs.rows", "half the town was torn down")
    # another value is another question
    with pytest.raises(InputError, match="100 → 49"):
        judge(folder, town(49), "cccccccc", DriftSpec())
    # and so is the same value after another release
    release(tmp_path, "dddddddd", town(90), 2)
    with pytest.raises(InputError, match="90 → 50"):
        judge(folder, town(50), "bbbbbbbb", DriftSpec())
    told = json.loads((folder.root / "drift.json").read_text(encoding="utf-8"))
    assert [entry["now"] for entry in told["found"]] == [50.0]


def test_the_newest_release_is_not_judged_again(tmp_path):
    folder = release(tmp_path, "aaaaaaaa", town(100), 1)
    assert judge(folder, town(1), "aaaaaaaa", DriftSpec()) == []
