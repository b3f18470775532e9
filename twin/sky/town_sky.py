"""All that hides the sky from the roof planes of a town, and which planes see another sky than before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from twin.sky.canopy_skyline import BlendedFactors, CanopySkyline, changed_planes, town_factors
from twin.sky.factors import PlaneFactors
from twin.sky.plane_cells import Sampling
from twin.sky.planes import HorizonDistribution
from twin.sky.town import load_skyline
from twin.solar.resource import Resource


@dataclass(frozen=True)
class TownSky:
    """Skylines of all roof planes of a town, as the step `skyline` stores them."""

    near: HorizonDistribution
    far_deg: np.ndarray
    trees: CanopySkyline | None

    @classmethod
    def load(cls, folder: Path) -> TownSky:
        """Read what the step has stored."""
        near, far = load_skyline(folder)
        return cls(near, far, CanopySkyline.load(folder))

    @property
    def known(self) -> np.ndarray:
        """Which planes lie on a known surface."""
        return self.near.sampling != Sampling.NO_SURFACE

    def take(self, planes: np.ndarray) -> TownSky:
        """Return the sky of some planes, in the order asked for."""
        trees = None if self.trees is None else self.trees.take(planes)
        return TownSky(self.near.take(planes), self.far_deg[planes], trees)

    def factors(self, planes: pd.DataFrame, resource: Resource, timezone: str) -> PlaneFactors | BlendedFactors:
        """Return the factors of these ``planes``, which are those of the town."""
        return town_factors(planes, self.near, self.far_deg, self.trees, resource=resource, timezone=timezone)


def other_sky(before: TownSky, old: np.ndarray, after: TownSky, new: np.ndarray) -> np.ndarray:
    """Return which planes see another sky, bool (planes,); ``old`` and ``new`` are positions of the same planes in both.

    Skies taken in other directions are other skies.
    """
    if not np.array_equal(before.near.azimuths_deg, after.near.azimuths_deg):
        return np.ones(len(new), dtype=bool)
    one, two = before.near.take(old), after.near.take(new)
    differs = changed_planes(one, two)
    differs |= (one.sampling != two.sampling) | (one.cells != two.cells)
    differs |= (before.far_deg[old] != after.far_deg[new]).any(axis=1)
    return differs | other_trees(before.trees, old, after.trees, new)


def other_trees(
    before: CanopySkyline | None, old: np.ndarray, after: CanopySkyline | None, new: np.ndarray
) -> np.ndarray:
    """Return which planes other trees hide, or another share of evergreen ones; positions as in `other_sky`."""
    parts = [trees.take(planes) for trees, planes in ((before, old), (after, new)) if trees is not None]
    differs = np.zeros(len(new), dtype=bool)
    for part in parts:
        differs[part.planes] ^= True
    if len(parts) == 2:
        both = np.intersect1d(parts[0].planes, parts[1].planes)
        one, two = (part.take(both) for part in parts)
        differs[both] = changed_planes(one.distribution, two.distribution) | (one.evergreen != two.evergreen)
    return differs
