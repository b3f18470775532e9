"""Year by year: how much rooftop sun is there, what it avoids, and what the town's targets ask for.

Systems are built evenly over the years of the phase-in; those of a year run half of that year, and lose a stated share of their output
in each year after it. They are replaced in kind when they are worn out, without a new beginning.

    energy(y) = E sum over years v <= y of s (1/2 if v = y else (1 - d)^(y - v)),     s = 1 / years of the phase-in
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from geodata.climate import ClimateSpec
from geodata.parameters import Parameters
from twin.carbon.factors import avoided_tco2, factor_of, latest_factor
from twin.money.systems import money_parameters


def carbon_path(
    capacity_kwp: float, yield_kwh: float, climate: ClimateSpec, values: Parameters | None = None
) -> pd.DataFrame:
    """Return the columns of the layer `carbon_path`, one row a year from the first of the phase-in to the last target.

    Parameters
    ----------
    capacity_kwp, yield_kwh
        Of all roofs together, in their first year.
    climate
        Targets and phase-in of the site file.
    values
        Grid factors; those of ``grid.yaml`` if None.

    Raises
    ------
    geodata.errors.InputError
        If a year has no grid factor.
    """
    loss = float(money_parameters()["degradation"])
    first, last = climate.phase_in.first_year, climate.phase_in.last_year
    share = 1.0 / (last - first + 1)
    held = latest_factor(values)
    rows = []
    for year in range(first, max(*climate.targets, last) + 1):
        ages = [year - built for built in range(first, min(year, last) + 1)]
        energy = yield_kwh * share * sum(0.5 if age == 0 else (1.0 - loss) ** age for age in ages)
        factor = factor_of(year, values)
        asked = climate.reduction_pct(year)
        row: dict[str, Any] = {
            "year": year,
            "built_pct": 100.0 * share * len(ages),
            "capacity_kwp": capacity_kwp * share * len(ages),
            "yield_kwh": energy,
            "grid_factor_tco2_mwh": factor.value,
            "grid_factor_source": factor.source,
            "avoided_tco2": avoided_tco2(energy, factor),
            "avoided_held_tco2": avoided_tco2(energy, held),
            "target_reduction_pct": asked,
        }
        if climate.base_emissions_tco2 is not None:
            tonnes = climate.base_emissions_tco2 * asked / 100.0
            row["target_reduction_tco2"] = tonnes
            row["share_of_target_pct"] = 100.0 * row["avoided_held_tco2"] / tonnes if tonnes > 0 else None
        rows.append(row)
    frame = pd.DataFrame(rows)
    frame["avoided_sum_tco2"] = frame["avoided_tco2"].cumsum()
    frame["avoided_held_sum_tco2"] = frame["avoided_held_tco2"].cumsum()
    return frame
