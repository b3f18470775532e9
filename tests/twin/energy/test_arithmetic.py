from __future__ import annotations

import pandas as pd
import pytest

from twin.energy.arithmetic import orders_of_magnitude


def districts(**columns):
    # the study's town: 1.3 km2 of roofs, half of them usable, 0.15 kW/m2, 1,150 kWh/kWp, in two dongs
    half = {
        "roof_area_m2": 650_000.0,
        "usable_area_m2": 325_000.0,
        "capacity_kwp": 48_750.0,
        "yield_kwh": 56_062_500.0,
    } | columns
    rows = pd.DataFrame([half, half])
    return rows.assign(dong_code=["4121010500", "4121010700"], kind="legal_dong")


def by_key(rows):
    return {row.key: row for row in rows}


def test_hand_calculation_of_the_study():
    found = by_key(orders_of_magnitude(districts(demand_kwh=150e6, homes=33_500, home_demand_kwh=117.25e6)))
    assert found["roof_area"].value == pytest.approx(1.3)
    assert found["usable_share"].value == pytest.approx(50)
    assert found["density"].value == pytest.approx(0.15)
    assert found["specific_yield"].value == pytest.approx(1150)
    assert found["yield"].value == pytest.approx(112.125)
    assert found["yield"].formula == "1.3000 km2 × 50.00 % × 0.1500 kWp/m2 × 1,150.0 kWh/kWp"
    assert found["home_demand"].value == pytest.approx(3500)
    assert found["share_of_demand"].value == pytest.approx(37.375)
    # the study rounds to 47 kt
    assert found["avoided"].value == pytest.approx(112_125 * 0.4173)
    assert "2023" in found["avoided"].ko


def test_the_product_of_the_factors_is_the_yield():
    found = by_key(orders_of_magnitude(districts()))
    product = 1.0
    for key in ("roof_area", "usable_share", "density", "specific_yield"):
        product *= found[key].value
    # km2 x % x kWp/m2 x kWh/kWp to GWh: 1e6 / 100 / 1e6
    assert product / 100 == pytest.approx(found["yield"].value)


def test_the_projects_own_district_speaks_for_the_whole():
    rows = pd.concat(
        [districts(), districts().head(1).assign(dong_code="DISTRICT", kind="district")], ignore_index=True
    )
    assert by_key(orders_of_magnitude(rows))["roof_area"].value == pytest.approx(0.65)


def test_what_was_not_computed_is_left_out():
    bare = districts().drop(columns=["yield_kwh", "capacity_kwp"])
    assert [row.key for row in orders_of_magnitude(bare)] == ["roof_area", "usable_share"]
    assert orders_of_magnitude(bare[["dong_code", "kind"]]) == []
