from __future__ import annotations

import pytest

from geodata.errors import InputError
from twin.carbon.factors import GridFactor, avoided_tco2, factor_of, known_factors, latest_factor


def test_published_factors_are_those_of_the_announcement():
    assert known_factors() == {2021: 0.4509, 2022: 0.4312, 2023: 0.4173}
    assert latest_factor() == GridFactor(2023, 0.4173, "published")


def test_later_years_are_a_straight_line_to_zero_and_say_so():
    # 27 years from 2023 to 2050; half way, 13.5 years on, lies between 2036 and 2037
    assert factor_of(2032) == GridFactor(2032, pytest.approx(0.4173 * 18 / 27), "scenario")
    assert factor_of(2036).value + factor_of(2037).value == pytest.approx(0.4173)
    assert factor_of(2050) == GridFactor(2050, 0.0, "scenario")
    assert factor_of(2060).value == 0.0


def test_the_past_is_not_imagined():
    with pytest.raises(InputError, match="2019"):
        factor_of(2019)


def test_avoided_emissions_of_one_gigawatt_hour():
    assert avoided_tco2(1_000_000, latest_factor()) == pytest.approx(417.3)
