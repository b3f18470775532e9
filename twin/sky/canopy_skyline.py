"""What trees add to the skylines of roof planes, and the factors of planes under both.

The surface is swept a second time with the trees on it. A plane receives

    factor = open + (1 - psi) (with trees - open)

of each component: crowns let the share psi of the month through of what only they hide. Planes that no tree hides
anything from are left out here, and their factors are those of the buildings alone, bit for bit.
Trees count as far as a tile's halo reaches; the far skyline is of terrain and buildings.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.compute import ComputeSpec
from twin.array_file import load_arrays, save_arrays
from twin.sky.canopy import LeafMix, held_back
from twin.sky.factors import PlaneFactors, factors_of
from twin.sky.planes import HorizonDistribution
from twin.sky.tiles import SurfaceFolder, Tile, tiles_of
from twin.sky.town import Keep, SweptTown, near_skyline
from twin.solar.irradiance import Factor, SkyFactors
from twin.solar.resource import Resource

_DISTRIBUTION = "canopy_distribution.arrow"
_PLANES = "canopy_planes.arrow"
_MIX = "leaves.npz"


@dataclass(frozen=True)
class CanopySkyline:
    """Skylines with trees of the planes that trees hide something from."""

    planes: np.ndarray
    """Positions in the table of planes, ascending."""
    distribution: HorizonDistribution
    """Of these planes, with buildings and trees."""
    evergreen: np.ndarray
    """Share of evergreen crowns among the trees around each of these planes [0-1]."""

    def save(self, folder: Path) -> None:
        """Write the skylines into ``folder``; equal ones give equal files."""
        self.distribution.save(folder / _DISTRIBUTION)
        save_arrays(folder / _PLANES, {"planes": self.planes, "evergreen": self.evergreen})

    @classmethod
    def load(cls, folder: Path) -> CanopySkyline | None:
        """Read what `save` has written, or return None where nothing was."""
        if not (folder / _PLANES).exists():
            return None
        return cls(distribution=HorizonDistribution.load(folder / _DISTRIBUTION), **load_arrays(folder / _PLANES))

    def take(self, planes: np.ndarray) -> CanopySkyline:
        """Return the skylines of those of some ``planes`` that are hidden, by their positions among these; in the order asked for."""
        place = pd.Index(self.planes).get_indexer(planes)
        hidden = np.flatnonzero(place >= 0)
        return CanopySkyline(hidden, self.distribution.take(place[hidden]), self.evergreen[place[hidden]])


def canopy_skyline(
    planes: gpd.GeoDataFrame,
    open_sky: HorizonDistribution,
    *,
    surface: SurfaceFolder,
    evergreen: SurfaceFolder,
    azimuths: int,
    keep: Keep,
    compute: ComputeSpec | None = None,
    before: SweptTown | None = None,
) -> CanopySkyline:
    """Return what trees add to the skylines ``open_sky`` of all planes.

    Parameters
    ----------
    planes, azimuths, keep, compute, before : as in `twin.sky.town.town_skyline`; the town before with its trees
    surface : the one that ``open_sky`` was swept on, with its ``canopy``
    evergreen : share of evergreen crowns

    Notes
    -----
    Tiles without a tree in their rectangle hold the same heights as before and are taken from ``keep``.
    """
    swept = near_skyline(planes, surface, azimuths, keep, compute, before=before)
    hidden = np.flatnonzero(changed_planes(open_sky, swept))
    around = _evergreen_around(planes, hidden, surface, evergreen, keep)
    return CanopySkyline(hidden, swept.take(hidden), around)


def _evergreen_around(
    planes: gpd.GeoDataFrame, wanted: np.ndarray, surface: SurfaceFolder, evergreen: SurfaceFolder, keep: Keep
) -> np.ndarray:
    share = np.zeros(len(planes))
    shapes = planes.geometry.to_numpy()
    place = shapely.get_coordinates(shapely.point_on_surface(shapes))
    for tile in tiles_of(shapes, surface.cell_size_m):
        mine = np.intersect1d(tile.planes, wanted)
        if len(mine) == 0 or surface.canopy is None:
            continue
        mix = _kept_mix(tile, surface.canopy, evergreen, keep)
        share[mine] = mix.at(place[mine, 0], place[mine, 1])
    return share[wanted]


def _kept_mix(tile: Tile, canopy: SurfaceFolder, evergreen: SurfaceFolder, keep: Keep) -> LeafMix:
    """Return the mix of leaves in a tile's rectangle, looked at again only if a file of trees there has changed."""
    near = tile.near

    def fill(folder: Path) -> None:
        mix = LeafMix.of(canopy.read(near), evergreen.read(near), canopy.cell_size_m, near[0], near[3])
        np.savez(folder / _MIX, allow_pickle=False, share=mix.share, cell_size_m=mix.cell_size_m)

    trees = [canopy.identity(near), evergreen.identity(near)]
    with np.load(keep(f"{tile.name}.leaves", {"near": near, "trees": trees}, fill) / _MIX) as stored:
        return LeafMix(stored["share"], float(stored["cell_size_m"]), near[0], near[3])


def changed_planes(one: HorizonDistribution, two: HorizonDistribution) -> np.ndarray:
    """Return of each plane whether its counts differ between two sweeps of the same planes."""
    directions = len(one.azimuths_deg)
    differs = (np.diff(one.start) != np.diff(two.start)).reshape(-1, directions).any(axis=1)
    alike = np.flatnonzero(~differs)
    first, second = one.take(alike), two.take(alike)
    unequal = np.flatnonzero((first.bin != second.bin) | (first.count != second.count))
    ends = first.start[directions::directions]
    differs[alike[np.unique(np.searchsorted(ends, unequal, side="right"))]] = True
    return differs


@dataclass(frozen=True)
class BlendedFactors:
    """Factors under buildings and trees; a `twin.solar.yields.FactorSource`."""

    open_sky: PlaneFactors
    """Of all planes, under buildings and terrain."""
    with_trees: PlaneFactors
    """Of the planes that trees hide something from."""
    planes: np.ndarray
    """Which planes these are, ascending."""
    held_back: np.ndarray
    """(12, of these planes) share of the light that crowns hold back in each month."""
    month: np.ndarray
    """(hours,) of each daylight hour, 0 for January."""

    def __call__(self, roofs: slice, plane: Literal["roof", "module"]) -> SkyFactors:
        """Return the factors of some rows of the table of planes, daylight hours x planes."""
        free = self.open_sky(roofs, plane)
        first, last, _ = roofs.indices(len(self.open_sky.distribution))
        begin, end = np.searchsorted(self.planes, [first, last]).tolist()
        if begin == end:
            return free
        under = self.with_trees(slice(begin, end), plane)
        mine = self.planes[begin:end] - first
        held = self.held_back[self.month, begin:end]
        shape = (len(self.month), last - first)

        def blended(name: str, sign: float = 1.0) -> np.ndarray:
            return blend(getattr(free, name), getattr(under, name), held, mine, shape, sign=sign)

        direct = blended("beam")
        return SkyFactors(
            beam=direct, circumsolar=direct, isotropic=blended("isotropic"), horizon=blended("horizon"),
            ground=blended("ground"), reflected=blended("reflected", -1.0),
        )  # fmt: skip


def blend(
    free: Factor,
    under: Factor,
    held: np.ndarray,
    mine: np.ndarray,
    shape: tuple[int, int],
    *,
    sign: float = 1.0,
) -> np.ndarray:
    """Return ``free`` with the columns ``mine`` lowered toward ``under`` by the share that crowns hold back.

    Parameters
    ----------
    free : factor of all planes without trees, broadcast to ``shape`` (hours, planes)
    under : factor of the planes ``mine`` with solid trees
    held : (hours, mine) share held back, 0 to 1
    sign : 1 for what trees can only lower, -1 for what they can only raise. What rounding of the second sweep would
        change the other way is left at ``free``
    """
    out = np.array(np.broadcast_to(free, shape))
    lost = np.maximum(sign * (out[:, mine] - under), 0.0)
    out[:, mine] -= sign * held * lost
    return out


def town_factors(
    planes: pd.DataFrame, distribution: HorizonDistribution, far_deg: np.ndarray, canopy: CanopySkyline | None,
    *, resource: Resource, timezone: str,
) -> PlaneFactors | BlendedFactors:  # fmt: skip
    """Return the factors of a table of roof planes under the sun of ``resource``, with trees where there are any.

    Parameters
    ----------
    distribution, far_deg : of `twin.sky.town.town_skyline`
    canopy : of `canopy_skyline`
    timezone : in which months are told
    """
    open_sky = factors_of(planes, distribution, far_deg, resource)
    if canopy is None or len(canopy.planes) == 0:
        return open_sky
    with_trees = factors_of(planes.iloc[canopy.planes], canopy.distribution, far_deg[canopy.planes], resource)
    month = pd.DatetimeIndex(resource.lit.index).tz_convert(timezone).month.to_numpy() - 1
    return BlendedFactors(open_sky, with_trees, canopy.planes, held_back(canopy.evergreen), month)
