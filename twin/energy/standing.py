"""Where a building stands beside the rules: an indicative ZEB grade, and the renewable duty of public buildings.

Grades compare the year's solar yield with the year's electricity. The permit year of a standing building is taken as its year of
approval less a stated lead; of a planned one it is a stated year.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from geodata.parameters import Parameters, load_parameters
from twin.rules import statements

NO_GRADE = "none"
"""Below the lowest grade."""


@lru_cache(maxsize=1)
def rule_parameters() -> Parameters:
    """Return the values of ``rules.yaml``."""
    return load_parameters("twin.energy", "rules.yaml")


def zeb_grades(share_pct: np.ndarray, values: Parameters | None = None) -> np.ndarray:
    """Return the indicative grade for each energy self-sufficiency [%]; None where it is unknown; shape (n,)."""
    values = rule_parameters() if values is None else values
    grades = sorted(((float(least), name) for name, least in values["zeb_grades"].items()), reverse=False)
    position = np.searchsorted([least for least, _ in grades], np.nan_to_num(share_pct), side="right")
    words = np.array([NO_GRADE, *(str(name) for _, name in grades)], dtype=object)
    found = words[position]
    found[np.isnan(share_pct)] = None
    return found


def duty_pct(permit_year: np.ndarray, values: Parameters | None = None) -> np.ndarray:
    """Return the renewable duty [%] of a permit of each year; NaN where the year is unknown or before the first rule."""
    values = rule_parameters() if values is None else values
    steps = sorted((int(year), float(share)) for year, share in values["renewable_duty"].items())
    position = np.searchsorted([year for year, _ in steps], np.nan_to_num(permit_year, nan=-1.0), side="right")
    return np.array([np.nan, *(share for _, share in steps)])[position]


def standing(buildings: pd.DataFrame, values: Parameters | None = None) -> pd.DataFrame:
    """Return the columns that set ``buildings`` beside the rules.

    Parameters
    ----------
    buildings
        `use_code`, `floor_area_m2` [m2], `approved_on`, `status` in plans, and `pv_share_of_demand_pct` [%].

    Returns
    -------
    DataFrame
        Indexed as ``buildings``: `zeb_grade_indicative`; `renewable_duty_pct`, missing where no duty is known to hold; and
        `renewable_duty_statement`, which speaks of compliance only if every rule behind it is verified.
    """
    values = rule_parameters() if values is None else values
    share = buildings["pv_share_of_demand_pct"].to_numpy("float64", na_value=np.nan)
    code = buildings["use_code"].fillna("").astype("str")
    public = code.str.startswith(tuple(values["public_uses"])).to_numpy(dtype=bool)
    large = buildings["floor_area_m2"].to_numpy("float64", na_value=0.0) >= float(values["renewable_duty_floor_area"])
    approved = pd.to_datetime(buildings["approved_on"]).dt.year.to_numpy("float64", na_value=np.nan)
    permit = np.asarray(approved - float(values["permit_lead_years"]), dtype=np.float64)
    if "status" in buildings.columns:
        planned = (buildings["status"] == "planned").to_numpy(dtype=bool)
        permit = np.where(planned, float(values["planned_permit_year"]), permit)
    duty = np.where(public & large, duty_pct(permit, values), np.nan)
    applies = ~np.isnan(duty) & ~np.isnan(share)
    rules = [values.record(name) for name in values if name != "zeb_grades"]
    said = statements(rules, np.nan_to_num(share) >= np.nan_to_num(duty), applies)
    return pd.DataFrame(
        {
            "zeb_grade_indicative": pd.Series(zeb_grades(share, values), index=buildings.index, dtype="str"),
            "renewable_duty_pct": duty,
            "renewable_duty_statement": pd.Series(said, index=buildings.index, dtype="str"),
        },
        index=buildings.index,
    )
