"""The 3-30-300 rule per residential building: trees in sight, canopy of the neighbourhood, park on foot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio.features
import shapely
from affine import Affine

from twin.green.policy import green_policy
from twin.green.trees_in_sight import rule_parameters


@dataclass(frozen=True)
class CanopyAround:
    """For each cell of a grid, how many cells in the circle around its middle are known and how many are canopy."""

    west: float
    north: float
    known: np.ndarray
    canopy: np.ndarray

    def save(self, file: Path) -> None:
        """Write it to a file that `load` reads."""
        np.savez_compressed(file, corner=np.array([self.west, self.north]), known=self.known, canopy=self.canopy)

    @classmethod
    def load(cls, file: Path) -> CanopyAround:
        """Read what `save` wrote."""
        with np.load(file) as stored:
            west, north = stored["corner"].tolist()
            return cls(west, north, stored["known"], stored["canopy"])


def canopy_around(land_cover: gpd.GeoDataFrame) -> CanopyAround:
    """Return how much canopy is around each place in reach of ``land_cover`` (`class_code`, polygons in a CRS in metres).

    Notes
    -----
    Cells of `neighbourhood_cell` count by their centre; sums over the circle are whole numbers of cells, so they do not
    depend on how the convolution is done.
    """
    values = rule_parameters()
    cell, radius = float(values["neighbourhood_cell"]), float(values["neighbourhood_radius"])
    bounds = np.array([0.0, 0.0, 0.0, 0.0]) if not len(land_cover) else land_cover.total_bounds
    west, south = (math.floor((edge - radius) / cell) * cell for edge in bounds[:2])
    east, north = (math.ceil((edge + radius) / cell) * cell for edge in bounds[2:])
    shape = round((north - south) / cell), round((east - west) / cell)
    grid = Affine(cell, 0.0, west, 0.0, -cell, north)
    circle = _circle()

    from scipy.signal import oaconvolve  # noqa: PLC0415 - slow to import and only needed here

    def cells_around(polygons: np.ndarray) -> np.ndarray:
        if not len(polygons):
            return np.zeros(shape, dtype=np.int32)
        drawn = rasterio.features.geometry_mask(polygons, shape, grid, invert=True).astype(np.float64)
        return np.rint(oaconvolve(drawn, circle, mode="same")).astype(np.int32)

    shapes = land_cover.geometry.to_numpy()
    canopy = land_cover["class_code"].isin(list(green_policy().canopy)).to_numpy()
    return CanopyAround(west, north, cells_around(shapes), cells_around(shapes[canopy]))


def neighbourhood_canopy(homes: gpd.GeoDataFrame, around: CanopyAround) -> np.ndarray:
    """Return the share of canopy in the neighbourhood of each of ``homes`` [%].

    Parameters
    ----------
    homes
        Outlines; the neighbourhood is the circle of `neighbourhood_radius` around a point in each.
    around
        Of the land cover in the same CRS. Ground that it does not know is left out of the circle.

    Returns
    -------
    float64 (homes,)
        NaN where less than `neighbourhood_known` of the circle is known.
    """
    values = rule_parameters()
    cell, shape = float(values["neighbourhood_cell"]), around.known.shape
    at = shapely.get_coordinates(shapely.point_on_surface(homes.geometry.to_numpy()))
    row = np.floor((around.north - at[:, 1]) / cell).astype(np.int64)
    column = np.floor((at[:, 0] - around.west) / cell).astype(np.int64)
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    known, canopy = np.zeros(len(at), dtype=np.int32), np.zeros(len(at), dtype=np.int32)
    known[inside] = around.known[row[inside], column[inside]]
    canopy[inside] = around.canopy[row[inside], column[inside]]
    enough = known >= _circle().sum() * float(values["neighbourhood_known"]) / 100
    return np.where(enough, 100.0 * canopy / np.maximum(known, 1), np.nan)


def _circle() -> np.ndarray:
    """Return which cells around a middle one the neighbourhood holds, 1 or 0."""
    values = rule_parameters()
    cell, radius = float(values["neighbourhood_cell"]), float(values["neighbourhood_radius"])
    steps = np.arange(-math.floor(radius / cell), math.floor(radius / cell) + 1) * cell
    return (np.hypot(steps[:, None], steps[None, :]) <= radius).astype(np.float64)


def with_score(buildings: pd.DataFrame) -> pd.DataFrame:
    """Return ``buildings`` with `score_3_30_300`, how many of the rule's three parts hold; missing where a part is unknown.

    Without all of `trees_in_sight`, `neighbourhood_canopy_pct` and `park_300m` there is no score.
    """
    if not {"trees_in_sight", "neighbourhood_canopy_pct", "park_300m"} <= set(buildings.columns):
        return buildings
    parts = pd.DataFrame({"trees": three_trees(buildings), "canopy": canopy_kept(buildings),
                          "park": buildings["park_300m"].astype("boolean")})  # fmt: skip
    return buildings.assign(score_3_30_300=parts.astype("Int64").sum(axis=1, skipna=False))


def three_trees(buildings: pd.DataFrame) -> pd.Series:
    """Return which of ``buildings`` have the trees of the rule in sight; missing where that is not known."""
    count = buildings["trees_in_sight"].astype("Float64")
    return count >= float(rule_parameters()["trees_wanted"])


def canopy_kept(buildings: pd.DataFrame) -> pd.Series:
    """Return which of ``buildings`` have the canopy of the rule around them, as published; missing where not known."""
    share = buildings["neighbourhood_canopy_pct"].astype("Float64").round(1)
    return share >= float(rule_parameters()["canopy_wanted"])


RULE_SUMS = ("residents_3_trees", "residents_30_canopy", "residents_3_30_300")


def with_rule_residents(buildings: pd.DataFrame) -> pd.DataFrame:
    """Return ``buildings`` with `RULE_SUMS`: residents for whom parts of the rule, or all of it, hold as far as is known."""
    if "residents" not in buildings.columns:
        return buildings
    held: dict[str, pd.Series] = {}
    if "trees_in_sight" in buildings.columns:
        held["residents_3_trees"] = three_trees(buildings)
    if "neighbourhood_canopy_pct" in buildings.columns:
        held["residents_30_canopy"] = canopy_kept(buildings)
    if "score_3_30_300" in buildings.columns:
        held["residents_3_30_300"] = buildings["score_3_30_300"] == 3
    people = buildings["residents"]
    return buildings.assign(
        **{
            name: people.where(kept.fillna(False).to_numpy(dtype=bool), 0.0).where(people.notna())
            for name, kept in held.items()
        }
    )


def rule_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Return ``rows`` with the shares of `residents` that `RULE_SUMS` are [%]; missing without residents."""
    for name in RULE_SUMS:
        if name in rows.columns:
            people = rows["residents"].where(rows["residents"] > 0)
            rows = rows.assign(**{f"{name}_pct": np.minimum(100 * rows[name] / people, 100.0)})
    return rows
