"""Hourly irradiance on planes, its Perez components kept apart, and the seam where obstruction enters.

pvlib computes every component once for each distinct orientation. What a plane receives is then

    POA = f.beam beam + f.circumsolar circumsolar + f.isotropic isotropic + f.horizon horizon + f.ground ground
          + f.reflected GHI

with `SkyFactors` per plane and hour. On a free plane every factor is exactly 1, nothing is reflected, and the sum is
pvlib's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pvlib

from twin.solar.resource import Resource, resource_parameters

COMPONENTS = ("beam", "circumsolar", "isotropic", "horizon", "ground")

Factor = float | np.ndarray


@dataclass(frozen=True)
class PlaneComponents:
    """Irradiance components [W/m2] and incidence angle [deg], daylight hours x orientations.

    ``hours`` are the daylight intervals' middles (UTC); ``tilt_deg`` and ``azimuth_deg`` have one value per orientation.
    """

    hours: pd.DatetimeIndex
    tilt_deg: np.ndarray
    azimuth_deg: np.ndarray
    beam: np.ndarray
    circumsolar: np.ndarray
    isotropic: np.ndarray
    horizon: np.ndarray
    ground: np.ndarray
    aoi: np.ndarray
    ghi: np.ndarray
    """Global horizontal irradiance [W/m2], daylight hours x 1."""


@dataclass(frozen=True)
class SkyFactors:
    """What share of each component still reaches a plane [0-1]: a number, or daylight hours x planes.

    An array may also have one row (the same all year) or one column (the same for all planes).
    """

    beam: Factor = 1.0
    circumsolar: Factor = 1.0
    isotropic: Factor = 1.0
    horizon: Factor = 1.0
    ground: Factor = 1.0
    reflected: Factor = 0.0
    """Share of global horizontal irradiance that what hides the sky reflects onto the plane."""

    @property
    def uniform(self) -> bool:
        """True if no factor tells planes apart."""
        return all(np.ndim(getattr(self, name)) == 0 for name in (*COMPONENTS, "reflected"))


UNOBSTRUCTED = SkyFactors()


def plane_components(
    resource: Resource, tilt_deg: np.ndarray, azimuth_deg: np.ndarray, *, albedo: float | None = None
) -> PlaneComponents:
    """Return the components of irradiance on planes in the daylight hours of ``resource``.

    Parameters
    ----------
    tilt_deg, azimuth_deg : one value per orientation; azimuth clockwise from north
    albedo : of the ground; the value of ``resource.yaml`` if None

    Raises
    ------
    ValueError
        If any component is not a finite number, which tells that sun and weather are not of one moment.
    """
    tilt = np.atleast_1d(np.asarray(tilt_deg, dtype=np.float64))
    azimuth = np.atleast_1d(np.asarray(azimuth_deg, dtype=np.float64))
    lit = resource.lit
    column = {name: lit[name].to_numpy()[:, None] for name in lit.columns}
    zenith, sun_azimuth = column["apparent_zenith"], column["azimuth"]
    ground_albedo = float(resource_parameters()["albedo"]) if albedo is None else albedo
    aoi = pvlib.irradiance.aoi(tilt[None, :], azimuth[None, :], zenith, sun_azimuth)
    sky = pvlib.irradiance.perez(
        tilt[None, :], azimuth[None, :], column["dhi"], column["dni"], column["dni_extra"],
        zenith, sun_azimuth, column["airmass"], return_components=True,
    )  # fmt: skip
    ground = pvlib.irradiance.get_ground_diffuse(tilt[None, :], column["ghi"], ground_albedo)
    total = pvlib.irradiance.poa_components(aoi, column["dni"], sky["poa_sky_diffuse"], ground)
    parts = {
        "beam": total["poa_direct"],
        "circumsolar": sky["poa_circumsolar"],
        "isotropic": sky["poa_isotropic"],
        "horizon": sky["poa_horizon"],
        "ground": total["poa_ground_diffuse"],
    }
    shape = (len(lit), len(tilt))
    parts = {name: np.ascontiguousarray(np.broadcast_to(part, shape)) for name, part in parts.items()}
    for name, part in parts.items():
        if not np.isfinite(part).all():
            raise ValueError(
                f"{int((~np.isfinite(part)).sum())} hours without a finite {name} irradiance: sun and weather do not fit"
            )
    return PlaneComponents(
        hours=pd.DatetimeIndex(lit.index),
        tilt_deg=tilt,
        azimuth_deg=azimuth,
        aoi=np.asarray(aoi),
        ghi=column["ghi"],
        **parts,
    )


def plane_of_array(
    components: PlaneComponents,
    orientation_index: np.ndarray | None = None,
    factors: SkyFactors = UNOBSTRUCTED,
    *,
    beam_modifier: np.ndarray | None = None,
) -> np.ndarray:
    """Return irradiance [W/m2] on planes, daylight hours x planes.

    Parameters
    ----------
    components : of all orientations
    orientation_index : orientation of each plane; None for one plane per orientation
    factors : of each plane
    beam_modifier : daylight hours x orientations, multiplied into beam; with an incidence-angle modifier the result
        is the effective irradiance behind the glass

    Notes
    -----
    The horizon band of Perez' model may be negative. With reduced factors the sum could fall below zero, where it
    is cut; with all factors 1 it never does.
    """

    def part(name: str) -> np.ndarray:
        values: np.ndarray = getattr(components, name)
        if name == "beam" and beam_modifier is not None:
            values = values * beam_modifier
        return values if orientation_index is None else values[:, orientation_index]

    # sky parts are added up before beam and ground, as pvlib does, so that a free plane gives pvlib's very sum
    total = part("isotropic") * factors.isotropic
    total += part("circumsolar") * factors.circumsolar
    total += part("horizon") * factors.horizon
    np.maximum(total, 0.0, out=total)
    total += part("ground") * factors.ground
    total += part("beam") * factors.beam
    if np.any(factors.reflected):
        total += components.ghi * factors.reflected
    return total
