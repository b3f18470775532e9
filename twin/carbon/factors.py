"""The grid's emission factor of a year: published while it is known, else a stated scenario.

f(y) = f(y_last) * (y_zero - y) / (y_zero - y_last),     y_last < y < y_zero,     and 0 from y_zero on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from geodata.errors import InputError
from geodata.parameters import Parameters, load_parameters

FactorSource = Literal["published", "scenario"]
_PREFIX = "factor_"


@dataclass(frozen=True)
class GridFactor:
    """Emissions of one MWh at the point of use [tCO2eq/MWh] in ``year``."""

    year: int
    value: float
    source: FactorSource


@lru_cache(maxsize=1)
def grid_parameters() -> Parameters:
    """Return the values of ``grid.yaml``."""
    return load_parameters("twin.carbon", "grid.yaml")


def known_factors(values: Parameters | None = None) -> dict[int, float]:
    """Return the published factors [tCO2eq/MWh] by year, oldest first."""
    values = grid_parameters() if values is None else values
    return {int(name.removeprefix(_PREFIX)): float(values[name]) for name in sorted(values) if name.startswith(_PREFIX)}


def latest_factor(values: Parameters | None = None) -> GridFactor:
    """Return the newest published factor; avoided emissions of a year without date are told with it."""
    year, value = max(known_factors(values).items())
    return GridFactor(year, value, "published")


def factor_of(year: int, values: Parameters | None = None) -> GridFactor:
    """Return the factor of ``year``.

    Raises
    ------
    InputError
        If ``year`` lies before the first known one, or in a gap between known ones: the past is not imagined.
    """
    values = grid_parameters() if values is None else values
    known = known_factors(values)
    if year in known:
        return GridFactor(year, known[year], "published")
    last = max(known)
    if year < last:
        raise InputError(
            f"no grid factor of {year}; known are {', '.join(map(str, known))}. Add it to twin/carbon/grid.yaml"
        )
    zero = int(values["zero_year"])
    left = max(zero - year, 0) / (zero - last)
    return GridFactor(year, known[last] * left, "scenario")


def avoided_tco2(energy_kwh: float, factor: GridFactor) -> float:
    """Return the emissions [tCO2eq] that ``energy_kwh`` of solar electricity keeps the grid from causing."""
    return energy_kwh / 1000.0 * factor.value
