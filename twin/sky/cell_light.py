"""What level cells receive in a year, from whole numbers summed over their horizons without and with trees.

Trees hold back a share of what only they hide; that share changes with the month and with the kind of tree. What a horizon
is worth is therefore tabulated three times: all light, and the light that deciduous and that evergreen crowns would hold back.
A cell's own mix of kinds then decides. Worth is counted in small whole parts of the rasters' steps: sums are exact in any
order, so a horizon that moves can be taken out of a sum and put in elsewhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twin.sky.canopy import held_back
from twin.sky.lines import checked_azimuths
from twin.sky.sun_table import Irradiation, SunPath, tangent_keys, tangent_table

STEPS: dict[str, float] = {
    "sky_view": 1e-2,
    "shade_hours_summer": 1.0,
    "shade_hours_year": 1.0,
    "irradiation_kwh_m2": 1.0,
}
"""Rasters, in the order of their bands, and the step that their whole numbers count in."""
MIX_STEPS = 64
"""The mix of kinds of trees is told to a sixty-fourth, so that mixed sums are whole numbers, too."""
_PARTS = np.array([2.0**16, 2.0**10, 2.0**10, 2.0**10])
"""Parts of a step that a table counts in: rounding 72 entries errs by a thousandth of a step. Sums stay below 2**31 up to
8,000 hours or kWh/m2."""


@dataclass(frozen=True)
class Light:
    """A year's sun for cells.

    A table is int32 (azimuths, `twin.sky.sun_table.KEYS`, 8): what lies above a horizon of that tangent, for each of `STEPS`, and
    how much more for every sixty-fourth of evergreen crowns in the mix. Hours in it are those of sun, not of shade.
    """

    azimuths_deg: np.ndarray
    bare_table: np.ndarray
    """For a surface without trees."""
    open_table: np.ndarray
    """For the same surface where there are trees: what they would not hold back."""
    tree_table: np.ndarray
    """For the surface with trees as solid walls: what they would hold back. To be added to that of ``open_table``."""
    surroundings_kwh_m2: float
    """Irradiation by the first bounce from surroundings, if they hid the whole sky."""
    weather: bool

    @classmethod
    def of(cls, azimuths: int, daylight: SunPath, irradiation: Irradiation | None, surroundings_albedo: float) -> Light:
        """Return the light of a year; without ``irradiation`` it is nought and no weather is known."""
        directions = checked_azimuths(azimuths)
        tangent = tangent_keys()
        sky = np.tile((1.0 / (1.0 + tangent * tangent) / len(directions))[:, None], (len(directions), 1, 1))
        held = np.stack([np.zeros(12), held_back(0.0), held_back(1.0)])
        held[0] = 1.0
        isotropic, bounced, direct = np.zeros(3), np.zeros(3), np.zeros((3, *sky.shape))
        if irradiation is not None:
            isotropic, bounced = (
                held @ irradiation.isotropic,
                surroundings_albedo * (held @ irradiation.global_horizontal),
            )
            direct = _above(directions, irradiation.direct, held)
        hours = _above(directions, daylight, held)
        whole, deciduous, evergreen = (
            _parts(np.concatenate([share * sky, sun, beam + (even - bounce) * sky], axis=2))
            for share, sun, beam, even, bounce in zip(held.mean(axis=1), hours, direct, isotropic, bounced, strict=True)
        )
        other = evergreen - deciduous
        return cls(
            azimuths_deg=directions,
            bare_table=_table(MIX_STEPS * whole, np.zeros_like(whole)),
            open_table=_table(MIX_STEPS * (whole - deciduous), -other),
            tree_table=_table(MIX_STEPS * deciduous, other),
            surroundings_kwh_m2=float(bounced[0]),
            weather=irradiation is not None,
        )

    @cached_property
    def digest(self) -> str:
        """Hash over everything that cells depend on."""
        constants = np.array([self.surroundings_kwh_m2, self.weather])
        return digest_of_arrays(self.bare_table, self.open_table, self.tree_table, constants)

    def values(self, sums: np.ndarray) -> np.ndarray:
        """Return sky view, shade hours of summer and of the year, and irradiation [kWh/m2].

        Parameters
        ----------
        sums : int32 (4, ...) over all azimuths, of ``bare_table``, or of ``open_table`` and ``tree_table``

        Returns
        -------
        float32 (4, ...); irradiation is NaN without weather
        """
        unit = np.array(list(STEPS.values())) / (_PARTS * MIX_STEPS)
        # so that the open has a sky view of 1 and no shade to the last bit
        sky, *hours = self.bare_table[:, 0, :3].sum(axis=0)
        irradiation = sums[3] * unit[3] + self.surroundings_kwh_m2
        if not self.weather:
            irradiation = np.full(irradiation.shape, np.nan)
        # crowns may let a little more through than there is: heights between cells with trees are not those without plus trees
        shade = [np.maximum(hours[band - 1] - sums[band], 0) * unit[band] for band in (1, 2)]
        return np.stack([sums[0] / sky, *shade, irradiation]).astype(np.float32)


def _above(directions: np.ndarray, path: SunPath, held: np.ndarray) -> np.ndarray:
    """Return what lies above each horizon: (kinds, azimuths, keys, columns of the path), by the share ``held`` in each month."""
    return np.stack(
        [
            tangent_table(directions, path.azimuth_deg, path.elevation_deg, path.weight * share[path.month][:, None])
            for share in held
        ]
    )


def _parts(values: np.ndarray) -> np.ndarray:
    return np.rint(values / list(STEPS.values()) * _PARTS).astype(np.int64)


def _table(worth: np.ndarray, more: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate([worth, more], axis=2).astype(np.int32))


def digest_of_arrays(*parts: np.ndarray) -> str:
    """Return the sha256 over arrays, their shapes and their types."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr((part.shape, part.dtype.str)).encode())
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
