from __future__ import annotations

import pytest

from geodata.catalogue import LAYERS
from geodata.climate import ClimateSpec
from twin.carbon.path import carbon_path


def climate(**changes):
    told = {
        "base_year": 2018, "base_emissions_tco2": 1_340_000, "targets": {2030: 40, 2050: 100},
        "phase_in": {"first_year": 2027, "last_year": 2030}, "source": "made for this test",
    }  # fmt: skip
    return ClimateSpec.model_validate(told | changes)


def test_path_by_hand():
    path = carbon_path(1000, 1_000_000, climate()).set_index("year")
    assert list(path.index) == list(range(2027, 2051))
    # a quarter each year, half a year in the first; 0.5 % less a year
    assert path.loc[2027, "yield_kwh"] == pytest.approx(125_000)
    assert path.loc[2028, "yield_kwh"] == pytest.approx(125_000 + 250_000 * 0.995)
    assert path.loc[2031, "yield_kwh"] == pytest.approx(250_000 * (0.995 + 0.995**2 + 0.995**3 + 0.995**4))
    assert path.loc[2029, "built_pct"] == pytest.approx(75)
    assert path.loc[2050, "capacity_kwp"] == pytest.approx(1000)
    assert path.loc[2027, "avoided_held_tco2"] == pytest.approx(125 * 0.4173)
    assert path.loc[2027, "avoided_tco2"] == pytest.approx(125 * 0.4173 * 23 / 27)
    assert path.loc[2050, "avoided_tco2"] == 0
    assert (path["grid_factor_source"] == "scenario").all()
    assert path.loc[2050, "avoided_held_sum_tco2"] == pytest.approx(path["avoided_held_tco2"].sum())


def test_targets_of_the_city():
    path = carbon_path(1000, 1_000_000, climate()).set_index("year")
    # 40 % of 1.34 Mt by 2030, everything by 2050, straight lines between
    assert path.loc[2030, "target_reduction_tco2"] == pytest.approx(536_000)
    assert path.loc[2040, "target_reduction_pct"] == pytest.approx(70)
    assert path.loc[2050, "target_reduction_pct"] == 100
    assert path.loc[2030, "share_of_target_pct"] == pytest.approx(100 * path.loc[2030, "avoided_held_tco2"] / 536_000)


def test_without_base_emissions_targets_are_shares_only():
    path = carbon_path(1000, 1_000_000, climate(base_emissions_tco2=None))
    assert "target_reduction_tco2" not in path
    finished = LAYERS["carbon_path"].finish(path)
    assert LAYERS["carbon_path"].problems(finished) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"targets": {2030: 40, 2050: 30}}, "never fall"),
        ({"targets": {2010: 40}}, "base year"),
        ({"phase_in": {"first_year": 2030, "last_year": 2027}}, "lies before"),
    ],
)
def test_targets_that_cannot_be_meant_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        climate(**changes)
