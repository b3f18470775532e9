"""Yields after an edit: roofs that see another sky are computed again, all others keep their year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.catalogue import LAYERS
from twin.solar.resource import Resource
from twin.solar.uncertainty import uncertainty
from twin.solar.yields import read_hours, roof_yields
from twin.whatif.sky import ChangedSky


@dataclass(frozen=True)
class EditedYields:
    """Published roofs after the edit, and the hours behind them."""

    roofs: gpd.GeoDataFrame
    """All roofs in the form of the layer `roofs`."""
    changed: frozenset[str]
    """`roof_id` of those that were computed again."""
    before: Path
    after: Path

    def hours(self, roof_ids: Sequence[str]) -> pd.DataFrame:
        """Return AC power [W] of roofs in the daylight hours, as `twin.solar.yields.read_hours`."""
        wanted = pd.Index(roof_ids)
        again = wanted.isin(list(self.changed))
        parts = [
            read_hours(folder, list(wanted[mask]))
            for folder, mask in ((self.before, ~again), (self.after, again))
            if mask.any()
        ]
        return (
            pd.concat(parts, axis=1)[list(roof_ids)]
            if len(parts) > 1
            else parts[0]
            if parts
            else read_hours(self.before, [])
        )


def edited_yields(
    planes: gpd.GeoDataFrame,
    published: gpd.GeoDataFrame,
    before: Path,
    out: Path,
    *,
    rows: np.ndarray,
    sky: ChangedSky | None,
    resource: Resource,
    timezone: str,
) -> EditedYields:
    """Compute the roofs at ``rows`` of ``planes`` again and return all roofs after the edit.

    Parameters
    ----------
    planes
        All planes after the edit.
    published
        The layer `roofs` of the last run.
    before, out
        Folder with the yields of the last run, and an empty one for those of the edit.
    rows
        Positions of the planes to compute, ascending.
    sky
        Their sky; None where no surface is known and nothing is shaded.
    """
    again = planes.iloc[rows].reset_index(drop=True)
    factors = None if sky is None else sky.sky.factors(again, resource, timezone)
    known = None if sky is None else sky.sky.known
    rest = published[published["roof_id"].isin(planes["roof_id"]) & ~published["roof_id"].isin(again["roof_id"])]
    if not len(again):
        return EditedYields(rest.reset_index(drop=True), frozenset(), before, out)
    roof_yields(again, resource, out, factors, timezone=timezone, surroundings_known=known)
    added = pd.read_parquet(out / "roofs.parquet").set_index("roof_id").drop(columns="capacity_kwp")
    frame = again.join(added, on="roof_id")
    frame = frame.join(uncertainty(frame, resource))
    roofs = pd.concat([rest, LAYERS["roofs"].finish(frame)], ignore_index=True)
    return EditedYields(
        roofs.sort_values("roof_id", ignore_index=True, kind="stable"), frozenset(again["roof_id"]), before, out
    )
