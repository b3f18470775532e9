"""Rows of modules on racks: how far apart they stand, and what each row takes from the one behind it.

All rows of the town have one tilt and one spacing, so one calculation serves all of them. pvlib gives the shaded part of
a row and the sky it loses; `shade_rows` puts both into the irradiance components of the module plane. The foremost row
stands free: a roof's factors are weighted with the share of its modules that stand behind another row.
Rows count as endless, so light that comes in past their ends is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pvlib

from twin.sky.factors import BAND_DEG
from twin.solar.irradiance import PlaneComponents, SkyFactors
from twin.solar.resource import Resource

_STEPS = 200
"""Heights on a module, and directions, over which the horizon band is averaged."""


@dataclass(frozen=True)
class Rows:
    """Parallel rows of modules on level ground."""

    tilt_deg: float
    slant_m: float
    """Length of a module up its slope."""
    pitch_m: float
    """From one row to the next."""

    @classmethod
    def spaced(cls, tilt_deg: float, slant_m: float, sun_elevation_deg: float) -> Rows:
        """Return rows just so far apart that a sun straight in front at ``sun_elevation_deg`` shades none of them."""
        tilt = np.radians(tilt_deg)
        pitch = slant_m * (np.cos(tilt) + np.sin(tilt) / np.tan(np.radians(sun_elevation_deg)))
        return cls(tilt_deg, slant_m, float(pitch))

    @property
    def depth_m(self) -> float:
        """Extent of a row across it, seen from above."""
        return self.slant_m * float(np.cos(np.radians(self.tilt_deg)))

    @property
    def ground_cover_ratio(self) -> float:
        """Slant length over pitch, as pvlib has it."""
        return self.slant_m / self.pitch_m


def row_factors(rows: Rows, resource: Resource, azimuth_deg: npt.ArrayLike, behind_share: npt.ArrayLike) -> SkyFactors:
    """Return what is left of each component on modules in rows, averaged over all modules of a roof.

    Parameters
    ----------
    azimuth_deg : (planes,) direction that the modules face
    behind_share : (planes,) share of the modules that stand behind another row, 0 to 1

    Returns
    -------
    SkyFactors
        daylight hours x planes; exactly 1 where no module stands behind another. Beam and circumsolar lose the shaded
        part of a row (`pvlib.shading.shaded_fraction1d`), the isotropic sky what lies below the row in front
        (`pvlib.shading.masking_angle_passias`, `sky_diffuse_passias`), and the horizon band is lost where the row in
        front rises above it. Light from the ground is left as it is: one part in a hundred
    """
    lit = resource.lit
    azimuth = np.atleast_1d(np.asarray(azimuth_deg, dtype=np.float64))
    behind = np.atleast_1d(np.asarray(behind_share, dtype=np.float64))[None, :]
    facing, column = np.unique(azimuth, return_inverse=True)
    # a right-handed turn about this axis raises the edge behind
    shaded = pvlib.shading.shaded_fraction1d(
        lit["apparent_zenith"].to_numpy()[:, None], lit["azimuth"].to_numpy()[:, None], (facing[None, :] - 90.0) % 360.0,
        rows.tilt_deg, collector_width=rows.slant_m, pitch=rows.pitch_m,
    )  # fmt: skip
    angle = pvlib.shading.masking_angle_passias(rows.tilt_deg, rows.ground_cover_ratio)
    direct = 1.0 - behind * np.asarray(shaded)[:, column.reshape(-1)]
    return SkyFactors(
        beam=direct,
        circumsolar=direct,
        isotropic=1.0 - behind * float(pvlib.shading.sky_diffuse_passias(angle)),
        horizon=1.0 - behind * _hidden_band(rows),
    )


def shade_rows(components: PlaneComponents, factors: SkyFactors) -> PlaneComponents:
    """Return ``components`` of planes that the factors reduce, orientation by orientation.

    What surrounds the roof may come on top as factors of its own: losses multiply.
    """
    return replace(
        components,
        beam=components.beam * factors.beam,
        circumsolar=components.circumsolar * factors.circumsolar,
        isotropic=components.isotropic * factors.isotropic,
        horizon=components.horizon * factors.horizon,
    )


def _hidden_band(rows: Rows) -> float:
    """Return what share of the horizon band a row hides from the one behind it.

    The band counts as hidden where the row in front rises above it, as everywhere in the sky engine. The further a
    direction is from straight ahead, the lower the row stands in it, and the less the band weighs.
    """
    middles = (np.arange(_STEPS) + 0.5) / _STEPS
    ahead = np.asarray(pvlib.shading.masking_angle(rows.tilt_deg, rows.ground_cover_ratio, middles))
    weight = np.cos((middles - 0.5) * np.pi)
    rises = np.tan(np.radians(ahead))[:, None] * weight[None, :] > np.tan(np.radians(BAND_DEG))
    return float((rises * weight).sum() / (weight.sum() * _STEPS))
