from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from twin.money.closed_forms import annuity, levelised_cost, net_present_value, output_sum, simple_payback
from twin.money.systems import system_money, unit_capex


def test_annuity_and_output_by_hand():
    # three years at 10 %: 1/1.1 + 1/1.21 + 1/1.331
    assert annuity(0.10, 3) == pytest.approx(0.909091 + 0.826446 + 0.751315, abs=2e-6)
    assert annuity(0.0, 20) == 20
    # output 1, 0.9, 0.81 at 10 %
    assert output_sum(0.10, 0.10, 3) == pytest.approx(1 / 1.1 + 0.9 / 1.21 + 0.81 / 1.331)
    assert output_sum(0.0, 0.0, 20) == 20


def test_net_present_value_is_the_sum_of_discounted_years():
    terms = {"rate": 0.045, "degradation": 0.005, "years": 20}
    years = np.arange(1, 21)
    flow = (200_000 * 0.995 ** (years - 1) - 22_000) / 1.045**years
    assert net_present_value(1_450_000, 22_000, 200_000, **terms) == pytest.approx(flow.sum() - 1_450_000)


def test_value_is_zero_at_the_levelised_cost():
    terms = {"rate": 0.045, "degradation": 0.005, "years": 20}
    cost = levelised_cost(1_450_000, 22_000, 1150, **terms)
    assert net_present_value(1_450_000, 22_000, cost * 1150, **terms) == pytest.approx(0, abs=1e-6)
    # by hand: (1,450,000 + 22,000 x 13.008) / (1,150 x 12.498)
    assert cost == pytest.approx(1_736_176 / 14_372.7, rel=1e-3)


def test_payback_is_missing_where_nothing_is_left():
    found = simple_payback(np.array([1000.0, 1000.0]), np.array([50.0, 50.0]), np.array([150.0, 40.0]))
    assert found[0] == 10
    assert np.isnan(found[1])


def test_size_classes_hold_their_own_limit():
    assert list(unit_capex(np.array([3.0, 10.0, 10.1, 100.0, 5000.0]))) == [
        1_800_000,
        1_800_000,
        1_450_000,
        1_450_000,
        1_100_000,
    ]


def test_what_is_used_saves_the_tariff_and_the_rest_is_sold():
    systems = pd.DataFrame(
        {"capacity_kwp": [50.0, 0.0], "yield_kwh": [60_000.0, 0.0], "self_consumed_kwh": [20_000.0, 0.0], "energy_use": ["school", "school"]}
    )  # fmt: skip
    found = system_money(systems).iloc[0]
    # 20,000 x 145 + 40,000 x (121.24 + 1.5 x 72.88) = 12,122,400; less 50 x 22,000
    assert found["capex_krw"] == 72_500_000
    assert found["payback_years"] == pytest.approx(72_500_000 / (12_122_400 - 1_100_000))
    assert system_money(systems).iloc[1].isna().all()
