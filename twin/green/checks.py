"""Physics of green cover: shares are shares, parts sum to the whole, and no ground is green twice."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.catalogue.biotope import GREEN_GROUPS
from geodata.catalogue.shared import COVER_FIELDS, GREEN_COVER
from twin.overlay import overlaps

AREA_ROUNDING_M2 = 0.05
"""Half of the last published decimal of an area."""

PCT_ROUNDING = 0.005
"""Half of the last published decimal of a share."""

RELATIVE_ROUNDING = 1e-6
"""What exact overlay in double precision, or coverage of cells in single precision, may leave over."""


def physics_problems(frame: pd.DataFrame, key: str = "pnu", green: gpd.GeoDataFrame | None = None) -> list[str]:
    """Return everything impossible about the cover of ``frame``; an empty list is a pass.

    Tolerances are the rounding of published decimals, 0.05 m2 per area and 0.005 % per share, plus a millionth of the
    area. Columns that are absent are not judged.

    Parameters
    ----------
    frame
        Rows of `parcels`, `districts` or `plan_blocks` with `area_m2` and the columns of `twin.green.cover.cover_of`.
    key
        Column that names a row.
    green
        The layer `green`; given, its polygons are held to not overlap.
    """
    area = frame["area_m2"].to_numpy("float64")
    slack = RELATIVE_ROUNDING * area
    found: list[str] = []

    def report(bad: np.ndarray, what: str) -> None:
        if bad.any():
            found.append(f"{int(bad.sum())} rows: {what}, first {key} {frame[key].iloc[int(np.argmax(bad))]}")

    classes = [field.name for field in COVER_FIELDS if field.name in frame.columns]
    if classes:
        parts = frame[classes].to_numpy("float64")
        report(np.asarray((parts < 0).any(axis=1)), "a land cover class has a negative area")
        tolerance = AREA_ROUNDING_M2 * (len(classes) + 1) + slack
        # not within, rather than beyond: a missing class makes the sum NaN and is a fault too
        report(
            np.logical_not(np.abs(parts.sum(axis=1) - area) <= tolerance), "land cover classes do not sum to the area"
        )
    green_area, green_pct = (
        frame[f.name].to_numpy("float64") if f.name in frame.columns else None for f in GREEN_COVER
    )
    if green_area is not None:
        report(
            (green_area < 0) | (green_area > area + 2 * AREA_ROUNDING_M2 + slack),
            "green area is not within 0 and the area",
        )
    if green_pct is not None:
        report((green_pct < 0) | (green_pct > 100), "green cover is not within 0 and 100 %")
    if green_area is not None and green_pct is not None:
        report(np.isnan(green_area) != np.isnan(green_pct), "only one of green area and green cover is known")
        with np.errstate(divide="ignore", invalid="ignore"):
            # rounding of the area acts on the share in proportion, and grows without bound for slivers
            allowed = PCT_ROUNDING + 100 * (AREA_ROUNDING_M2 * (1 + green_pct / 100) / area + RELATIVE_ROUNDING)
            report(np.abs(green_pct - 100 * green_area / area) > allowed, "green cover is not green area by area")
    kinds = [name for group in GREEN_GROUPS if (name := f"green_{group}_m2") in frame.columns]
    if green_area is not None and kinds:
        told = frame[kinds].to_numpy("float64").sum(axis=1)
        tolerance = AREA_ROUNDING_M2 * (len(kinds) + 1) + slack
        report(np.abs(told - green_area) > tolerance, "the kinds of green do not sum to the green area")
        report(np.isnan(told) != np.isnan(green_area), "the green area or a kind of green is not known")
    if green_pct is not None and "canopy_cover_pct" in frame.columns:
        canopy = frame["canopy_cover_pct"].to_numpy("float64")
        report(canopy > green_pct + 2 * PCT_ROUNDING, "there is more canopy than green")
    if green is not None:
        found += overlap_problems(green)
    return found


def overlap_problems(green: gpd.GeoDataFrame) -> list[str]:
    """Return the pairs of polygons of ``green`` that share more than 0.05 m2, as one message; an empty list is a pass."""
    first, second, area = overlaps(green.geometry.to_numpy())
    pairs, member = np.unique(np.column_stack([first, second]), axis=0, return_inverse=True)
    shared = np.bincount(member, weights=area, minlength=len(pairs))
    bad = np.flatnonzero(shared > AREA_ROUNDING_M2)
    if not len(bad):
        return []
    worst = bad[np.argmax(shared[bad])]
    one, other = sorted(green["green_id"].iloc[pairs[worst]])
    return [f"{len(bad)} pairs of green polygons overlap, most of all {one} and {other} by {shared[worst]:,.1f} m2"]
