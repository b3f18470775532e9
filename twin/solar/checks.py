"""Physics that roofs and resource must obey before anything is published."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pvlib

from twin.solar.pv import pv_parameters
from twin.solar.resource import Resource
from twin.solar.roofs import module_area_m2, roof_parameters

MONTHS = tuple(f"yield_{month:02d}_kwh" for month in range(1, 13))
_RESULTS = ("irradiation_kwh_m2", "poa_kwh_m2", "yield_kwh", *MONTHS)


def noon_offset_min(resource: Resource) -> float:
    """Return by how many minutes the middle of the year's irradiation lies after true solar noon."""
    hourly = resource.hourly
    equation_of_time = pvlib.solarposition.equation_of_time_spencer71(
        pd.DatetimeIndex(hourly.index).day_of_year.to_numpy()
    )
    angle = np.asarray(pvlib.solarposition.hour_angle(hourly.index, resource.longitude, equation_of_time))
    angle = (angle + 180.0) % 360.0 - 180.0
    ghi = hourly["ghi"].to_numpy()
    return float((angle * ghi).sum() / ghi.sum()) * 4.0


def physics_problems(roofs: pd.DataFrame, resource: Resource) -> list[str]:
    """Return every way in which ``roofs`` (with results) or ``resource`` breaks physics; an empty list is a pass.

    Values may be rounded to the catalogue's decimals. Upper limits hold shaded or not; where the roofs have no column
    ``shading_loss_pct``, flat roofs must also receive what the resource says.
    """
    found: list[str] = []
    limits = pv_parameters()
    offset = noon_offset_min(resource)
    if abs(offset) > float(limits["noon_tolerance_min"]):
        found.append(
            f"resource: the middle of the day's irradiation lies {offset:+.0f} min from solar noon; "
            "the hours of the weather file are shifted (time zone, or interval start taken for its end)"
        )
    if roofs.empty:
        return found

    def tell(bad: Any, words: str) -> None:
        mask = np.asarray(bad, dtype=bool)
        if mask.any():
            found.append(
                f"roofs: {words} in {int(mask.sum()):,} of {len(roofs):,} (first: {roofs['roof_id'].to_numpy()[mask][0]})"
            )

    values = roofs[list(_RESULTS)].to_numpy(dtype=np.float64)
    tell(~np.isfinite(values).all(axis=1), "a result is missing")
    tell((values < 0).any(axis=1), "a result is negative")
    energy, capacity, poa = roofs["yield_kwh"], roofs["capacity_kwp"], roofs["poa_kwh_m2"]
    rules = roof_parameters()
    module_kw = float(rules["module_power_w"]) / 1000.0
    area = roofs["module_count"] * module_area_m2(rules)
    efficiency = module_kw / module_area_m2(rules)
    tell(energy > poa * area * efficiency * 1.001 + 0.5, "yield exceeds irradiation x module area x efficiency")
    tell(
        (capacity - roofs["module_count"] * module_kw).abs() > 1e-3, "capacity is not that of a whole number of modules"
    )
    # the space that a tilted module takes, as seen from above and as measured on its roof
    lean = np.cos(np.radians(roofs["module_tilt_deg"])) / np.cos(np.radians(roofs["tilt_deg"]))
    taken = area * np.minimum(lean, 1.0)
    tell(taken > roofs["usable_area_m2"] + 0.1, "modules take more than the usable area")
    tell(
        roofs["usable_area_m2"] > float(rules["largest_share"]) * roofs["area_m2"] + 0.1,
        "the usable area is more than the largest share of the roof",
    )
    tell((energy > 0.05) & ~(capacity > 0), "there is yield without modules")
    tell((roofs[list(MONTHS)].sum(axis=1) - energy).abs() > 0.7 + 1e-9 * energy, "months do not add up to the year")
    known = roofs["specific_yield_kwh_kwp"].notna()
    tell(
        known & (roofs["specific_yield_kwh_kwp"] > float(limits["specific_yield_limit"])),
        "specific yield is beyond any place on Earth",
    )
    tell(known != (capacity > 0), "specific yield and capacity contradict each other")
    ghi = resource.ghi_kwh_m2
    tell(roofs["irradiation_kwh_m2"] > 2.0 * ghi, "irradiation is more than twice the horizontal")
    flat = roofs["tilt_deg"] < 0.05
    tell(flat & (roofs["irradiation_kwh_m2"] > 1.02 * ghi), "a flat roof receives more than the horizontal")
    if "shading_loss_pct" not in roofs.columns:
        tell(flat & (roofs["irradiation_kwh_m2"] < 0.98 * ghi), "a free flat roof receives less than the horizontal")
    return found
