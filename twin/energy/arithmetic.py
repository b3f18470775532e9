"""The orders of magnitude that a planner checks by hand, each with its arithmetic.

    roof area x usable share x kWp per m2 x kWh per kWp = kWh;   kWh / demand;   kWh x grid factor = tCO2eq

Every row tells its value, its unit, the numbers it was made of, and the layer and columns they stand in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from twin.carbon.factors import GridFactor, avoided_tco2, latest_factor


@dataclass(frozen=True)
class ArithmeticRow:
    """One line of the hand calculation."""

    key: str
    ko: str
    en: str
    value: float
    unit: str
    formula: str
    """The calculation in numbers, as a person would write it."""
    fields: tuple[str, ...]
    """Published columns it rests on, as ``layer.column``."""

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return asdict(self)


def whole_rows(districts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `districts` that speak for the whole: the project's district where it is known, else all dongs."""
    own = districts["kind"] == "district"
    return districts[own] if own.any() else districts[districts["kind"] == "legal_dong"]


def orders_of_magnitude(districts: pd.DataFrame, *, factor: GridFactor | None = None) -> list[ArithmeticRow]:
    """Return the hand calculation over the published layer `districts`.

    What was not computed is left out: without weather there is no yield, without demand no share of it.

    Parameters
    ----------
    districts
        Published layer; `kind` and those of `roof_area_m2`, `usable_area_m2`, `capacity_kwp`, `yield_kwh`, `demand_kwh`,
        `homes`, `home_demand_kwh` that are known.
    factor
        Grid factor for avoided emissions; the newest published one if None.
    """
    whole = whole_rows(districts)
    sums = {
        name: float(whole[name].sum())
        for name in (
            "roof_area_m2",
            "usable_area_m2",
            "capacity_kwp",
            "yield_kwh",
            "demand_kwh",
            "homes",
            "home_demand_kwh",
        )
        if name in whole.columns and whole[name].notna().any()
    }
    factor = latest_factor() if factor is None else factor
    return [*_solar_rows(sums), *_demand_rows(sums), *_carbon_rows(sums, factor)]


def _fields(*columns: str) -> tuple[str, ...]:
    return tuple(f"districts.{column}" for column in columns)


def _solar_rows(sums: dict[str, float]) -> Iterator[ArithmeticRow]:
    if not sums.get("roof_area_m2"):
        return
    roof = sums["roof_area_m2"]
    yield ArithmeticRow(
        "roof_area", "지붕 면적", "Roof area", roof / 1e6, "km2", f"{roof:,.0f} m2 ÷ 1,000,000", _fields("roof_area_m2")
    )
    usable = sums.get("usable_area_m2")
    if not usable:
        return
    share = 100 * usable / roof
    yield ArithmeticRow(
        "usable_share", "설치 가능 비율", "Usable share of the roofs", share, "%",
        f"{usable:,.0f} m2 ÷ {roof:,.0f} m2", _fields("usable_area_m2", "roof_area_m2"),
    )  # fmt: skip
    capacity = sums.get("capacity_kwp")
    if not capacity:
        return
    density = capacity / usable
    yield ArithmeticRow(
        "density", "설치 가능 면적당 용량", "Capacity per usable area", density, "kWp/m2",
        f"{capacity:,.0f} kWp ÷ {usable:,.0f} m2", _fields("capacity_kwp", "usable_area_m2"),
    )  # fmt: skip
    energy = sums.get("yield_kwh")
    if energy is None:
        return
    specific = energy / capacity
    yield ArithmeticRow(
        "specific_yield", "용량당 연간 발전량", "Yearly yield per capacity", specific, "kWh/kWp",
        f"{energy:,.0f} kWh ÷ {capacity:,.0f} kWp", _fields("yield_kwh", "capacity_kwp"),
    )  # fmt: skip
    yield ArithmeticRow(
        "yield", "연간 발전량", "Yearly yield", energy / 1e6, "GWh",
        f"{roof / 1e6:,.4f} km2 × {share:.2f} % × {density:.4f} kWp/m2 × {specific:,.1f} kWh/kWp",
        _fields("roof_area_m2", "usable_area_m2", "capacity_kwp", "yield_kwh"),
    )  # fmt: skip


def _demand_rows(sums: dict[str, float]) -> Iterator[ArithmeticRow]:
    demand = sums.get("demand_kwh")
    if not demand:
        return
    yield ArithmeticRow(
        "demand", "연간 전력 수요", "Yearly electricity demand", demand / 1e6, "GWh", f"{demand:,.0f} kWh ÷ 1,000,000",
        _fields("demand_kwh"),
    )  # fmt: skip
    if sums.get("homes") and sums.get("home_demand_kwh"):
        homes, drawn = sums["homes"], sums["home_demand_kwh"]
        yield ArithmeticRow(
            "home_demand", "가구당 연간 전력 수요", "Yearly demand of a home", drawn / homes, "kWh",
            f"{drawn:,.0f} kWh ÷ {homes:,.0f}", _fields("home_demand_kwh", "homes"),
        )  # fmt: skip
    if sums.get("yield_kwh") is not None:
        energy = sums["yield_kwh"]
        yield ArithmeticRow(
            "share_of_demand", "수요 대비 발전량", "Yield as a share of demand", 100 * energy / demand, "%",
            f"{energy / 1e6:,.3f} GWh ÷ {demand / 1e6:,.3f} GWh", _fields("yield_kwh", "demand_kwh"),
        )  # fmt: skip


def _carbon_rows(sums: dict[str, float], factor: GridFactor) -> Iterator[ArithmeticRow]:
    if sums.get("yield_kwh") is None:
        return
    energy = sums["yield_kwh"]
    yield ArithmeticRow(
        "avoided", f"연간 온실가스 감축량 ({factor.year}년 배출계수)", f"Avoided emissions a year (grid factor of {factor.year})",
        avoided_tco2(energy, factor), "tCO2eq", f"{energy / 1000:,.0f} MWh × {factor.value:.4f} tCO2eq/MWh", _fields("yield_kwh"),
    )  # fmt: skip
