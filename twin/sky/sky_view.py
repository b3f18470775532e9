"""How much of the sky a plane still sees.

Between two azimuths the horizon is taken as level; what a plane of any tilt then receives from an even sky has a closed
form per sector (Dozier and Frew 1990, IEEE Trans. Geosci. Remote Sens. 28(5), 963-969). The plane itself hides a part
of the sky on its uphill side, also when nothing stands there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geodata.errors import InputError
from twin.sky.compiled import compiled, side_by_side
from twin.sky.horizon import horizon_slopes
from twin.sky.lines import Grid, checked_azimuths

AZIMUTHS = 72
"""Directions swept: 5 deg apart, where the error of yearly beam reaches that of hourly sampling (study, 2e)."""


def sky_view_factor(
    surface: npt.ArrayLike, cell_size_m: float, azimuths: int | Sequence[float] | np.ndarray = AZIMUTHS
) -> np.ndarray:
    """Return the sky view factor of a horizontal plane in every cell.

    Parameters
    ----------
    surface : (rows, columns) heights [m], north up; NaN where there is none
    cell_size_m : side of the square cells [m]
    azimuths : number of directions evenly from north, or evenly spaced directions [deg]

    Returns
    -------
    float32 (rows, columns), 0 to 1: mean over azimuths of the squared cosine of the horizon angle, which is the share
    of an even sky's irradiance (not of its solid angle). Exactly 1 in the open, NaN exactly where the surface is NaN

    Raises
    ------
    InputError
        If the surface or the cell size is unusable, or there is no direction.
    """
    return grid_sky_view(Grid.of(surface, cell_size_m), azimuths)


def grid_sky_view(
    grid: Grid, azimuths: int | Sequence[float] | np.ndarray = AZIMUTHS, threads: int | None = None
) -> np.ndarray:
    """Return `sky_view_factor` of a prepared grid."""
    directions = checked_azimuths(azimuths)
    sums = {
        False: np.zeros(grid.heights.shape, dtype=np.float32),
        True: np.zeros(grid.heights.shape[::-1], dtype=np.float32),
    }
    for _, slope, transposed in horizon_slopes(grid, directions, threads=threads):
        side_by_side(_add_squared_cosine, slope.reshape(-1), sums[transposed].reshape(-1), threads=threads)
    sums[False] += sums[True].T
    return sums[False] / np.float32(len(directions))


def tilted_sky_view(
    horizon_deg: npt.ArrayLike, azimuths_deg: npt.ArrayLike, tilt_deg: npt.ArrayLike, azimuth_deg: npt.ArrayLike
) -> np.ndarray:
    """Return the share of a free horizontal plane's sky irradiance that tilted planes receive under their horizons.

    Parameters
    ----------
    horizon_deg : (..., azimuths) skyline [deg]; below 0 counts as 0
    azimuths_deg : evenly spaced directions, clockwise from north
    tilt_deg, azimuth_deg : of the planes, broadcast against the leading axes of ``horizon_deg``; a wall has tilt 90

    Returns
    -------
    float64 (...): (1 + cos tilt) / 2 with a free horizon, up to the sectors' width

    Raises
    ------
    InputError
        If a tilt lies outside 0 to 90 deg.
    """
    directions = np.radians(np.asarray(azimuths_deg, dtype=np.float64))
    tilt = np.radians(checked_tilt(tilt_deg))[..., None]
    toward = np.cos(directions - np.radians(np.asarray(azimuth_deg, dtype=np.float64))[..., None])
    own = own_horizon(tilt, toward)
    horizon = np.maximum(np.maximum(np.radians(np.asarray(horizon_deg, dtype=np.float64)), own), 0.0)
    return sector_view(horizon, tilt, toward, len(directions)).sum(axis=-1)


def own_horizon(tilt: np.ndarray, toward: np.ndarray) -> np.ndarray:
    """Return the angle [rad] under which a plane hides the sky itself.

    ``tilt`` [rad] of the plane, ``toward`` cosine between a direction and the plane's azimuth.
    """
    return np.maximum(np.arctan2(-np.sin(tilt) * toward, np.cos(tilt)), 0.0)


def sector_view(horizon: np.ndarray, tilt: np.ndarray, toward: np.ndarray, sectors: int) -> np.ndarray:
    """Return each sector's part of a plane's sky view above ``horizon`` [rad], which is not below the plane's own."""
    half = np.pi / sectors
    level = np.cos(tilt) * np.cos(horizon) ** 2 / 2.0
    lean = np.sin(tilt) * toward * np.sinc(half / np.pi) * ((np.pi / 2.0 - horizon) / 2.0 - np.sin(2.0 * horizon) / 4.0)
    return 2.0 / sectors * (level + lean)


def checked_tilt(tilt_deg: npt.ArrayLike) -> np.ndarray:
    """Return tilts [deg] as float64.

    Raises
    ------
    InputError
        If one is not between 0 and 90.
    """
    tilt = np.asarray(tilt_deg, dtype=np.float64)
    bad = ~((tilt >= 0.0) & (tilt <= 90.0))
    if bad.any():
        where = "" if tilt.ndim == 0 else f" of plane {int(np.flatnonzero(bad)[0])}"
        raise InputError(
            f"the tilt{where} is {np.atleast_1d(tilt)[np.atleast_1d(bad)][0]:g} deg; a plane that sees the sky is tilted by 0 to 90 deg"
        )
    return tilt


@compiled
def _add_squared_cosine(slope, total, part, parts):  # type: ignore[no-untyped-def]
    one, none = np.float32(1.0), np.float32(0.0)
    for cell in range(len(slope) * part // parts, len(slope) * (part + 1) // parts):
        up = slope[cell]
        # written so that NaN stays NaN
        up = none if up < none else up
        total[cell] += one / (one + up * up)
