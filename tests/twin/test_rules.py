from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.parameters import Parameter, Parameters
from pipelines.assets.publish import parameter_files
from twin.energy.standing import duty_pct, rule_parameters, standing, zeb_grades
from twin.rules import ABOVE, BELOW, COMPLIES, FALLS_SHORT, statements

RULES = [
    pytest.param(record, id=f"{file}:{name}")
    for file, values in parameter_files().items()
    for name in values
    if not (record := values.record(name)).verified
]


@pytest.mark.parametrize("rule", RULES)
def test_no_unverified_rule_makes_a_statement_of_compliance(rule):
    said = statements([rule], np.array([True, False]))
    assert list(said) == [ABOVE, BELOW]
    # nor beside a verified one
    sound = Parameter(value=1, unit="1", source="made for this test", verified=True)
    assert set(statements([sound, rule], np.array([True, False]))) == {ABOVE, BELOW}


def test_only_verified_rules_speak_of_compliance():
    sound = Parameter(value=1, unit="1", source="made for this test", verified=True)
    assert list(statements([sound, sound], np.array([True, False]))) == [COMPLIES, FALLS_SHORT]
    assert list(statements([], np.array([True, False]))) == [ABOVE, BELOW]
    assert list(statements([sound], np.array([True, False]), np.array([True, False]))) == [COMPLIES, None]


def test_words_of_compliance_are_made_in_one_place_only():
    root = Path(__file__).parents[2]
    own = {root / "twin/rules.py", root / "geodata/catalogue/energy.py"}
    for path in [*root.glob("twin/**/*.py"), *root.glob("pipelines/**/*.py"), *root.glob("geodata/**/*.py")]:
        if path not in own:
            text = path.read_text(encoding="utf-8")
            assert f'"{COMPLIES}"' not in text, path
            assert f'"{FALLS_SHORT}"' not in text, path


def test_grades_and_duty_at_their_steps():
    shares = np.array([19.9, 20.0, 45.0, 60.0, 99.0, 100.0, 119.9, 150.0, np.nan])
    assert list(zeb_grades(shares)) == ["none", "5", "4", "3", "2", "1", "1", "plus", None]
    found = duty_pct(np.array([2019.0, 2020, 2021, 2022, 2025, 2027, 2029, 2031, np.nan]))
    assert np.isnan(found[[0, 8]]).all()
    assert list(found[1:8]) == [30, 30, 32, 34, 36, 38, 40]


def test_the_duty_holds_for_large_public_buildings_only_and_only_as_an_indication():
    buildings = pd.DataFrame(
        {
            "use_code": ["10000", "10000", "02001", "14200", "10000", None],
            "floor_area_m2": [5000.0, 900.0, 5000.0, 5000.0, 5000.0, 5000.0],
            # approved in 2026: permit of 2024, 34 %
            "approved_on": pd.to_datetime(["2026-03-01"] * 4 + [None, "2026-03-01"]),
            "status": ["existing"] * 4 + ["planned", "existing"],
            "pv_share_of_demand_pct": [40.0, 40.0, 40.0, 40.0, 30.0, 40.0],
        }
    )
    found = standing(buildings)
    assert found["renewable_duty_pct"].iloc[0] == 34
    # a planned school: permit of 2027, 36 %
    assert found["renewable_duty_pct"].iloc[4] == 36
    assert list(found["renewable_duty_statement"].dropna()) == [ABOVE, BELOW]
    assert found["renewable_duty_pct"].notna().sum() == 2


def test_once_every_rule_is_verified_the_statement_is_one_of_compliance():
    records = rule_parameters().as_dict()
    checked = Parameters({name: Parameter(**(record | {"verified": True})) for name, record in records.items()})
    building = pd.DataFrame(
        {"use_code": ["10000"], "floor_area_m2": [5000.0], "approved_on": pd.to_datetime(["2026-03-01"]), "pv_share_of_demand_pct": [40.0]}
    )  # fmt: skip
    assert list(standing(building, checked)["renewable_duty_statement"]) == [COMPLIES]
