"""How numbers of the report are printed: large ones in a larger unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from geodata.catalogue.model import Field
from twin.publish.report.figures import Number, shown

LARGE = {
    "kWh": (("GWh", 1e6), ("MWh", 1e3)),
    "kWp": (("MWp", 1e3),),
    "m2": (("km2", 1e6), ("ha", 1e4)),
}
"""Units in which a large number of the first page is easier to read, the largest first."""
WIDE = {"kWh": ("MWh", 1e3), "KRW": ("억 원 (10⁸ KRW)", 1e8)}
"""Units for the rows of a table in which a number would have eight digits and more."""
EIGHT_DIGITS = 1e7


def large(number: Number) -> tuple[str, str]:
    """Return text and unit of ``number`` for the first page."""
    for unit, factor in LARGE.get(number.unit, ()):
        if number.value is not None and number.value >= factor:
            return f"{number.value / factor:,.2f}", unit
    return number.text, number.unit


def in_one_unit(field: Field, numbers: Sequence[Number | None]) -> tuple[str, float, list[Number | None]]:
    """Return the unit of a row of a table, how many of the field's units it is, and the row's numbers in it."""
    unit, factor = WIDE.get(field.unit, (field.unit, 1.0))
    if not any(n is not None and n.value is not None and abs(n.value) >= EIGHT_DIGITS for n in numbers):
        return field.unit, 1.0, list(numbers)
    return unit, factor, [None if n is None else _divided(n, factor) for n in numbers]


def _divided(number: Number, factor: float) -> Number:
    if number.value is None or factor == 1:
        return number
    return replace(number, text=shown(number.value / factor, 2), rule=f"{number.rule} ÷ {factor:,.0f}")


def difference(numbers: Sequence[Number | None], unit: str, factor: float) -> str | None:
    """Return the second number minus the first with its sign, in ``unit``; None where one is missing."""
    before, after = (None if n is None else n.value for n in numbers)
    if before is None or after is None:
        return None
    value = (after - before) / factor
    text = f"{value:+,.0f}" if abs(value) >= 100 else f"{value:+,.2f}"
    if not any(digit in text for digit in "123456789"):
        return "0"
    # shares differ by percentage points
    return text.replace("-", "−") + (" %p" if unit == "%" else "")


def amount(value: float) -> str:
    """Return a number of the arithmetic with four significant figures or no decimals."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"
