from __future__ import annotations

import pandas as pd
import pytest

from twin.energy.checks import balance_problems

SOUND = {
    "dong_code": "4121010500", "building_count": 2, "yield_kwh": 130.0, "demand_kwh": 300.0, "self_consumed_kwh": 80.0,
    "export_kwh": 50.0, "pooled_self_consumed_kwh": 100.0, "pooled_export_kwh": 30.0,
}  # fmt: skip


def problems(**changes):
    return balance_problems(pd.DataFrame([SOUND | changes]), "dong_code")


def test_a_sound_balance_passes_and_its_rounding_too():
    assert problems() == []
    assert problems(export_kwh=51.0) == []
    assert balance_problems(pd.DataFrame([{"dong_code": "x"}]), "dong_code") == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"export_kwh": 90.0}, "sum to the yield"),
        ({"demand_kwh": 60.0}, "asked for"),
        ({"pooled_self_consumed_kwh": 60.0, "pooled_export_kwh": 70.0}, "less than its members"),
        ({"pooled_export_kwh": 0.0}, "community's energy"),
    ],
)
def test_each_fault_is_named(changes, words):
    found = problems(**changes)
    assert any(words in text for text in found)
    assert "4121010500" in found[0]
