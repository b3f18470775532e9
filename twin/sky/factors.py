"""Look-up of what still reaches a plane, hour by hour, in stored skylines.

beam and circumsolar
    share of the plane's cells whose horizon is below the sun. Between two azimuths the share is interpolated, not
    the angle, which would be biased.
isotropic
    sky-view ratio: tilted sky view under the skyline over that of the free plane.
horizon
    Perez puts the horizon brightening on the horizon line. It counts as seen where the horizon is below `BAND_DEG`,
    the height of the band in the model's derivation; azimuths weigh by the plane's incidence of light from there.
ground
    what a plane on a roof sees below the horizon is mostly that roof, lit as the plane's own cells are: the beam's share
    of global irradiance times the unshaded fraction, plus the diffuse share times the sky-view ratio.
first bounce
    sky that is hidden is replaced by walls and roofs, which reflect; `hidden_view` is the view factor for it.

On a free plane every factor is exactly 1: factors are 1 minus sums of losses, and there are none.
A far skyline hides the sky below it in all cells alike: the stored distribution is clamped to it at look-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.errors import InputError
from twin.sky.compiled import compiled, side_by_side
from twin.sky.planes import BIN_DEG, BINS, HorizonDistribution, checked_orientation
from twin.sky.sky_view import own_horizon, sector_view
from twin.solar.irradiance import SkyFactors
from twin.solar.resource import Resource, resource_parameters

BAND_DEG = 6.5
"""Height of the horizon band: Perez et al. 1987, Solar Energy 39(3), 221-231."""


@dataclass(frozen=True)
class Sun:
    """Position of the sun in each hour [deg]; elevation as seen, with refraction, at the interval's middle."""

    azimuth_deg: np.ndarray
    elevation_deg: np.ndarray
    diffuse_share: np.ndarray
    """Diffuse over global horizontal irradiance, 0 to 1; 1 where there is none."""

    @classmethod
    def of(
        cls, azimuth_deg: npt.ArrayLike, elevation_deg: npt.ArrayLike,
        ghi: npt.ArrayLike | None = None, dhi: npt.ArrayLike | None = None,
    ) -> Sun:  # fmt: skip
        """Return the sun of hours with global and diffuse irradiance [W/m2], if they are known.

        Raises
        ------
        InputError
            If a position is not finite.
        """
        azimuth, elevation = np.asarray(azimuth_deg, dtype=np.float64), np.asarray(elevation_deg, dtype=np.float64)
        if not (np.isfinite(azimuth).all() and np.isfinite(elevation).all()):
            raise InputError("the sun's position is not finite in every hour; check the times of the weather file")
        share = np.ones_like(azimuth)
        if ghi is not None and dhi is not None:
            total = np.asarray(ghi, dtype=np.float64)
            np.divide(np.asarray(dhi, dtype=np.float64), total, out=share, where=total > 0)
        return cls(np.mod(azimuth, 360.0), elevation, np.clip(share, 0.0, 1.0))


def unshaded_fraction(
    distribution: HorizonDistribution,
    sun_azimuth_deg: npt.ArrayLike,
    sun_elevation_deg: npt.ArrayLike,
    far_deg: npt.ArrayLike | None = None,
    *,
    planes: slice = slice(None),
    threads: int | None = None,
) -> np.ndarray:
    """Return which share of each plane the sun reaches, as far as neighbours and hills go.

    Parameters
    ----------
    distribution : skylines of all planes
    sun_azimuth_deg, sun_elevation_deg : (hours,) [deg]; at elevations below 0 the value at 0 is given
    far_deg : (planes, azimuths) far skyline of all planes [deg]; none if None
    planes : which planes are wanted

    Returns
    -------
    float32 (hours, planes), 0 to 1; exactly 1 where no cell has an obstacle. Whether the plane faces the sun is not
    asked: irradiance on a plane that does not is 0 already
    """
    azimuths = distribution.azimuths_deg
    first, last, _ = planes.indices(len(distribution))
    sun_azimuth = np.mod(np.atleast_1d(np.asarray(sun_azimuth_deg, dtype=np.float64)), 360.0)
    level = np.clip(np.atleast_1d(np.asarray(sun_elevation_deg, dtype=np.float64)), 0.0, 90.0)
    lower = np.searchsorted(azimuths, sun_azimuth, side="right") - 1
    upper = (lower + 1) % len(azimuths)
    lower = lower % len(azimuths)
    width = np.mod(azimuths[upper] - azimuths[lower], 360.0)
    width[width == 0] = 360.0
    share = np.mod(sun_azimuth - azimuths[lower], 360.0) / width
    place = level / BIN_DEG
    node = np.minimum(place.astype(np.int64), BINS - 2)
    far = _far(distribution, far_deg)
    out = np.empty((max(0, last - first), len(level)), dtype=np.float32)
    side_by_side(
        _look_up, distribution.start, distribution.bin, distribution.count, distribution.cells, far, first,
        lower, upper, share, level, node, place - node, out, threads=threads,
    )  # fmt: skip
    return out.T


def sky_view_ratio(
    distribution: HorizonDistribution,
    tilt_deg: npt.ArrayLike,
    azimuth_deg: npt.ArrayLike,
    far_deg: npt.ArrayLike | None = None,
) -> np.ndarray:
    """Return what share of the sky view of a free plane is left to each plane.

    Parameters
    ----------
    distribution : skylines
    tilt_deg, azimuth_deg : (planes,) of the receiving planes, be it roofs or modules on them
    far_deg : (planes, azimuths) far skyline [deg]

    Returns
    -------
    float64 (planes,), 0 to 1; exactly 1 on a free plane

    Raises
    ------
    InputError
        If tilts or azimuths are unusable.
    """
    return _ratios(distribution, tilt_deg, azimuth_deg, far_deg)[0]


def horizon_band_ratio(
    distribution: HorizonDistribution,
    tilt_deg: npt.ArrayLike,
    azimuth_deg: npt.ArrayLike,
    far_deg: npt.ArrayLike | None = None,
) -> np.ndarray:
    """Return what share of the horizon band is left to each plane; arguments and errors as in `sky_view_ratio`.

    A level plane receives nothing from the band; for it all azimuths weigh the same.
    """
    return _ratios(distribution, tilt_deg, azimuth_deg, far_deg)[1]


def hidden_view(ratio: np.ndarray, tilt_deg: npt.ArrayLike) -> np.ndarray:
    """Return each plane's view factor to what hides its sky; times albedo and GHI it is the first bounce."""
    return (1.0 - ratio) * (1.0 + np.cos(np.radians(np.asarray(tilt_deg, dtype=np.float64)))) / 2.0


@dataclass(frozen=True)
class PlaneFactors:
    """Factors of roofs and of the modules on them; a `twin.solar.yields.FactorSource`.

    ``tilt_deg`` and ``azimuth_deg`` are (planes,) for each kind of plane.
    """

    distribution: HorizonDistribution
    sun: Sun
    tilt_deg: dict[Literal["roof", "module"], np.ndarray]
    azimuth_deg: dict[Literal["roof", "module"], np.ndarray]
    far_deg: np.ndarray | None = None
    surroundings_albedo: float = 0.0

    def __call__(self, roofs: slice, plane: Literal["roof", "module"]) -> SkyFactors:
        """Return the factors of some rows of the table of planes, daylight hours x planes."""
        some = self.distribution.take(np.arange(len(self.distribution))[roofs])
        far = None if self.far_deg is None else np.asarray(self.far_deg)[roofs]
        return sky_factors(
            some, self.sun, self.tilt_deg[plane][roofs], self.azimuth_deg[plane][roofs], far,
            surroundings_albedo=self.surroundings_albedo,
        )  # fmt: skip


def factors_of(
    planes: pd.DataFrame, distribution: HorizonDistribution, far_deg: np.ndarray | None, resource: Resource
) -> PlaneFactors:
    """Return the factors of a table of roof planes under the sun of ``resource``."""
    lit = resource.lit
    elevation = 90.0 - lit["apparent_zenith"].to_numpy()
    return PlaneFactors(
        distribution,
        Sun.of(lit["azimuth"].to_numpy(), elevation, lit["ghi"].to_numpy(), lit["dhi"].to_numpy()),
        tilt_deg={
            "roof": planes["tilt_deg"].to_numpy(dtype=np.float64),
            "module": planes["module_tilt_deg"].to_numpy(dtype=np.float64),
        },
        azimuth_deg={
            "roof": planes["azimuth_deg"].fillna(180.0).to_numpy(dtype=np.float64),
            "module": planes["module_azimuth_deg"].to_numpy(dtype=np.float64),
        },
        far_deg=far_deg,
        surroundings_albedo=float(resource_parameters()["surroundings_albedo"]),
    )


def sky_factors(
    distribution: HorizonDistribution, sun: Sun, tilt_deg: npt.ArrayLike, azimuth_deg: npt.ArrayLike,
    far_deg: npt.ArrayLike | None = None, *, surroundings_albedo: float = 0.0, threads: int | None = None,
) -> SkyFactors:  # fmt: skip
    """Return all factors of planes with these skylines; see the head of this module.

    Raises
    ------
    InputError
        If tilts or azimuths are unusable.
    """
    direct = unshaded_fraction(distribution, sun.azimuth_deg, sun.elevation_deg, far_deg, threads=threads)
    isotropic, band = _ratios(distribution, tilt_deg, azimuth_deg, far_deg, threads)
    diffuse = sun.diffuse_share[:, None]
    # losses are taken from 1, so that no loss leaves exactly 1
    ground = 1.0 - (1.0 - diffuse) * (1.0 - direct) - diffuse * (1.0 - isotropic[None, :])
    return SkyFactors(
        beam=direct,
        circumsolar=direct,
        isotropic=isotropic[None, :],
        horizon=band[None, :],
        ground=ground,
        reflected=surroundings_albedo * hidden_view(isotropic, tilt_deg)[None, :],
    )


def _far(distribution: HorizonDistribution, far_deg: npt.ArrayLike | None) -> np.ndarray:
    shape = (len(distribution), len(distribution.azimuths_deg))
    if far_deg is None:
        return np.zeros((0, shape[1]), dtype=np.float32)
    far = np.ascontiguousarray(far_deg, dtype=np.float32)
    if far.shape != shape or not np.isfinite(far).all():
        raise InputError(
            f"the far skyline must be {shape[0]} planes x {shape[1]} azimuths of finite degrees, it is {far.shape}"
        )
    return far


def _ratios(
    distribution: HorizonDistribution, tilt_deg: npt.ArrayLike, azimuth_deg: npt.ArrayLike, far_deg: npt.ArrayLike | None,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    planes, sectors = len(distribution), len(distribution.azimuths_deg)
    tilt_given, azimuth = checked_orientation(tilt_deg, azimuth_deg, planes)
    if sectors > 1 and not np.allclose(np.diff(distribution.azimuths_deg), 360.0 / sectors):
        raise InputError("a sky view needs evenly spaced azimuths; sweep with a number of azimuths")
    tilt = np.radians(tilt_given)[:, None]
    toward = np.cos(np.radians(distribution.azimuths_deg[None, :] - azimuth[:, None]))
    own = own_horizon(tilt, toward)
    free = sector_view(own, tilt, toward, sectors)
    weight = np.where(tilt > 0, np.maximum(np.sin(tilt) * toward, 0.0), 1.0)
    # a bin stands for its middle
    middle = np.radians(np.append(0.0, (np.arange(1, BINS) - 0.5) * BIN_DEG))
    lost = np.zeros(planes)
    band_lost = np.zeros(planes)
    side_by_side(
        _losses, distribution.start, distribution.bin, distribution.count, distribution.cells, _far(distribution, far_deg),
        np.cos(tilt[:, 0]) / sectors, np.sin(tilt) * toward * np.sinc(1.0 / sectors) * 2.0 / sectors, own, weight, middle,
        BAND_DEG, lost, band_lost, threads=threads,
    )  # fmt: skip
    whole, whole_band = free.sum(axis=1), weight.sum(axis=1)
    isotropic = 1.0 - np.divide(lost, whole, out=np.zeros(planes), where=whole > 0)
    band = 1.0 - np.divide(band_lost, whole_band, out=np.zeros(planes), where=whole_band > 0)
    return np.clip(isotropic, 0.0, 1.0), np.clip(band, 0.0, 1.0)


@compiled
def _look_up(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start, bins, counts, cells, far, first, lower, upper, share, level, node, rest, out, part, parts,
):  # fmt: skip
    azimuths = far.shape[1]
    # cells whose horizon is at most n bins high, for every n
    below = np.empty((azimuths, 256), dtype=np.int32)
    for row in range(part, out.shape[0], parts):
        plane = first + row
        to = out[row]
        if cells[plane] == 0:
            to[:] = 1.0
            if far.shape[0] == 0:
                continue
        for azimuth in range(azimuths):
            total = 0
            reached = np.int64(0)
            for entry in range(start[plane * azimuths + azimuth], start[plane * azimuths + azimuth + 1]):
                for index in range(reached, bins[entry]):
                    below[azimuth, index] = total
                total += counts[entry]
                reached = np.int64(bins[entry])
            for index in range(reached, 256):
                below[azimuth, index] = total
        whole = max(cells[plane], 1)
        if cells[plane] == 0:
            below[:] = 1
        for hour in range(len(level)):
            one, two, at = lower[hour], upper[hour], node[hour]
            left = (below[one, at] + rest[hour] * (below[one, at + 1] - below[one, at])) / whole
            right = (below[two, at] + rest[hour] * (below[two, at + 1] - below[two, at])) / whole
            if far.shape[0] > 0:
                if far[plane, one] > level[hour]:
                    left = 0.0
                if far[plane, two] > level[hour]:
                    right = 0.0
            to[hour] = left + share[hour] * (right - left)


@compiled
def _losses(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    start, bins, counts, cells, far, level, lean, own, weight, middle, band, lost, band_lost, part, parts,
):  # fmt: skip
    planes, azimuths = own.shape
    squared_cosine = np.cos(middle) ** 2
    lens = (np.pi / 2 - middle) / 2 - np.sin(2 * middle) / 4
    width = np.pi / 2 / (len(middle) - 1)
    band = np.radians(band)
    for plane in range(part, planes, parts):
        sky, low = 0.0, 0.0
        whole = max(cells[plane], 1)
        for azimuth in range(azimuths):
            a, b, own_angle = level[plane], lean[plane, azimuth], own[plane, azimuth]
            free = a * np.cos(own_angle) ** 2 + b * ((np.pi / 2 - own_angle) / 2 - np.sin(2 * own_angle) / 4)
            beyond = np.radians(np.float64(far[plane, azimuth])) if far.shape[0] > 0 else 0.0
            far_left = a * np.cos(beyond) ** 2 + b * ((np.pi / 2 - beyond) / 2 - np.sin(2 * beyond) / 4)
            gone, hidden = 0.0, 0.0
            first, last = start[plane * azimuths + azimuth], start[plane * azimuths + azimuth + 1]
            for entry in range(first, last + (cells[plane] == 0)):
                # a plane without surface is one cell with nothing near
                found = 0 if cells[plane] == 0 else np.int64(bins[entry])
                number = 1 if cells[plane] == 0 else counts[entry]
                if max(middle[found], beyond) > own_angle and max(middle[found], beyond) > 0.0:
                    left = a * squared_cosine[found] + b * lens[found] if middle[found] > beyond else far_left
                    gone += number * (free - left)
                if beyond > band:
                    hidden += number
                elif found > 0:
                    # the bin may straddle the band's upper edge
                    hidden += number * min(max(found - band / width, 0.0), 1.0)
            sky += gone / whole
            low += weight[plane, azimuth] * hidden / whole
        lost[plane] = sky
        band_lost[plane] = low
