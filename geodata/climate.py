"""The climate targets of a town, as its site file states them, and the years in which its roofs are equipped."""

from __future__ import annotations

from itertools import pairwise

from pydantic import BaseModel, ConfigDict, Field, model_validator

_STRICT = ConfigDict(frozen=True, extra="forbid")


class PhaseInSpec(BaseModel):
    """Years in which the roofs get their systems, as many in each year."""

    model_config = _STRICT
    first_year: int = Field(ge=2000, le=2100)
    last_year: int = Field(ge=2000, le=2100)

    @model_validator(mode="after")
    def _in_order(self) -> PhaseInSpec:
        if self.last_year < self.first_year:
            raise ValueError(f"last_year {self.last_year} lies before first_year {self.first_year}")
        return self


class ClimateSpec(BaseModel):
    """Reduction targets against a base year."""

    model_config = _STRICT
    base_year: int = Field(ge=1990, le=2100)
    base_emissions_tco2: float | None = Field(default=None, gt=0)
    """Emissions of the base year [tCO2eq]; without them targets are told as shares only."""
    targets: dict[int, float]
    """Year to the reduction asked for by then [% of the base year's emissions]."""
    phase_in: PhaseInSpec
    source: str
    verified: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _targets_rise(self) -> ClimateSpec:
        years = sorted(self.targets)
        shares = [self.targets[year] for year in years]
        if not years or years[0] <= self.base_year:
            raise ValueError(f"targets: name at least one year after the base year {self.base_year}, such as 2030: 40")
        if shares != sorted(shares) or shares[0] < 0 or shares[-1] > 100:
            raise ValueError("targets are reductions in percent, from 0 to 100, and never fall again")
        return self

    def reduction_pct(self, year: int) -> float:
        """Return the reduction that the target path asks for in ``year`` [%]: straight lines between the target years."""
        known = {self.base_year: 0.0, **self.targets}
        years = sorted(known)
        if year <= years[0]:
            return 0.0
        for before, after in pairwise(years):
            if year <= after:
                share = (year - before) / (after - before)
                return known[before] + share * (known[after] - known[before])
        return known[years[-1]]
