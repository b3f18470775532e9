"""Discounted sums in closed form.

Payments come at the end of each of n years, at the rate r; output falls by d a year, the first year's being whole.

    A = (1 - (1 + r)^-n) / r                      one won a year, today
    G = (1 - q^n) / (r + d),  q = (1 - d)/(1 + r) one kilowatt hour of the first year, and what follows of it, today
    LCOE = (capex + opex A) / (E1 G)
    NPV  = income E1 G - opex A - capex           income by kilowatt hour
    payback = capex / (income E1 - opex)          years at the first year's income, not discounted
"""

from __future__ import annotations

import numpy as np

Values = float | np.ndarray


def annuity(rate: float, years: int) -> float:
    """Return what one unit at the end of each of ``years`` is worth today at ``rate`` [1/a]."""
    return float(years) if rate == 0 else (1.0 - (1.0 + rate) ** -years) / rate


def output_sum(rate: float, degradation: float, years: int) -> float:
    """Return what one unit of output in the first year, falling by ``degradation`` [1/a], is worth today over ``years``."""
    if rate + degradation == 0:
        return float(years)
    return (1.0 - ((1.0 - degradation) / (1.0 + rate)) ** years) / (rate + degradation)


def levelised_cost(
    capex: Values, opex: Values, first_year: Values, *, rate: float, degradation: float, years: int
) -> Values:
    """Return the levelised cost of energy: ``capex``, yearly ``opex``, and output of the ``first_year``."""
    return (capex + opex * annuity(rate, years)) / (first_year * output_sum(rate, degradation, years))


def net_present_value(
    capex: Values, opex: Values, income: Values, *, rate: float, degradation: float, years: int
) -> Values:
    """Return today's value of ``income`` (first year, falling with output) less ``opex`` (yearly) and ``capex``."""
    return income * output_sum(rate, degradation, years) - opex * annuity(rate, years) - capex


def simple_payback(capex: np.ndarray, opex: np.ndarray, income: np.ndarray) -> np.ndarray:
    """Return years until the first year's net income has paid ``capex``; NaN where it never does."""
    net = np.asarray(income, dtype=np.float64) - opex
    return np.divide(capex, net, out=np.full(net.shape, np.nan), where=net > 0)
