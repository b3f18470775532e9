"""What level cells receive in a year, from sums over their horizons without and with trees.

Trees hold back a share of what only they hide; that share changes with the month and with the kind of tree. Sums are
therefore taken three times: of all light, and of the light that deciduous and that evergreen crowns would hold back.
A cell's own mix of kinds then decides.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twin.sky.canopy import held_back
from twin.sky.lines import checked_azimuths
from twin.sky.sun_table import Irradiation, SunPath, tangent_keys, tangent_table


@dataclass(frozen=True)
class Light:
    """A year's sun for cells: tables for a sweep without trees, for one with them, and what needs no direction."""

    azimuths_deg: np.ndarray
    open_table: np.ndarray
    """Columns: sky view; hours of summer, of the year and direct kWh/m2; these three as held back by deciduous crowns,
    and by evergreen ones; two unused."""
    tree_table: np.ndarray
    """Columns: sky view; the six of held-back light; one unused."""
    totals: np.ndarray
    """(9,) the nine of ``open_table`` beside the sky view, in the open."""
    held_mean: np.ndarray
    """Share of light held back by deciduous and by evergreen crowns, mean of twelve months."""
    isotropic: np.ndarray
    """[kWh/m2]: all of the year, and as held back by deciduous and evergreen crowns."""
    global_horizontal: np.ndarray
    surroundings_albedo: float
    weather: bool

    @classmethod
    def of(cls, azimuths: int, daylight: SunPath, irradiation: Irradiation | None, surroundings_albedo: float) -> Light:
        """Return the light of a year; without ``irradiation`` it is nought and no weather is known."""
        directions = checked_azimuths(azimuths)
        held = np.stack([held_back(0.0), held_back(1.0)])
        paths = [daylight] if irradiation is None else [daylight, irradiation.direct]
        tables, totals = [], []
        for path in paths:
            kinds = [path.weight, *(path.weight * held[kind, path.month][:, None] for kind in (0, 1))]
            weight = np.concatenate(kinds, axis=1)
            tables.append(tangent_table(directions, path.azimuth_deg, path.elevation_deg, weight))
            totals.append(weight.sum(axis=0))
        if irradiation is None:
            tables.append(np.zeros_like(tables[0][:, :, :3]))
            totals.append(np.zeros(3))
        hours, direct = tables
        nine = np.concatenate(
            [part for kind in range(3) for part in (hours[:, :, 2 * kind : 2 * kind + 2], direct[:, :, kind : kind + 1])],
            axis=2,
        )  # fmt: skip
        sums = np.concatenate(
            [part for kind in range(3) for part in (totals[0][2 * kind : 2 * kind + 2], totals[1][kind : kind + 1])]
        )
        sky = _sky_column(len(directions))
        none = np.zeros_like(sky)
        months = np.zeros(12) if irradiation is None else irradiation.isotropic
        whole = np.zeros(12) if irradiation is None else irradiation.global_horizontal
        return cls(
            azimuths_deg=directions,
            open_table=np.concatenate([sky, nine, none, none], axis=2),
            tree_table=np.concatenate([sky, nine[:, :, 3:], none], axis=2),
            totals=sums,
            held_mean=held.mean(axis=1),
            isotropic=np.array([months.sum(), *(held @ months)]),
            global_horizontal=np.array([whole.sum(), *(held @ whole)]),
            surroundings_albedo=surroundings_albedo,
            weather=irradiation is not None,
        )

    @cached_property
    def bare_table(self) -> np.ndarray:
        """The columns of ``open_table`` that ground without trees needs."""
        return np.ascontiguousarray(self.open_table[:, :, :4])

    @cached_property
    def digest(self) -> str:
        """Hash over everything that cells depend on."""
        parts = (self.open_table, self.tree_table, self.totals, self.held_mean, self.isotropic, self.global_horizontal)
        return digest_of_arrays(*parts, np.array([self.surroundings_albedo]))

    def cells(self, open_sky: np.ndarray, trees: np.ndarray | None, evergreen: np.ndarray | None) -> np.ndarray:
        """Return sky view, shade hours of summer and of the year, and irradiation [kWh/m2].

        Parameters
        ----------
        open_sky : (columns of ``open_table`` or only its first four, rows, columns) sums without trees
        trees : (columns of ``tree_table``, rows, columns) sums with solid trees, None where there are none
        evergreen : (rows, columns) share of evergreen crowns among the trees that hide each cell's sky

        Returns
        -------
        float32 (4, rows, columns); irradiation is NaN without weather
        """
        count = len(self.azimuths_deg)
        sky = open_sky[0] / np.float32(count)
        hours_and_energy = open_sky[1:4].copy()
        unseen = 1.0 - sky
        diffuse = self.isotropic[0] * sky + self.surroundings_albedo * self.global_horizontal[0] * unseen
        if trees is not None and evergreen is not None:
            hidden = np.maximum(sky - trees[0] / np.float32(count), 0.0)
            for kind, share in enumerate((1.0 - evergreen, evergreen)):
                lost = np.maximum(open_sky[4 + 3 * kind : 7 + 3 * kind] - trees[1 + 3 * kind : 4 + 3 * kind], 0.0)
                hours_and_energy -= share * lost
                sky = sky - share * self.held_mean[kind] * hidden
                back = self.isotropic[1 + kind] - self.surroundings_albedo * self.global_horizontal[1 + kind]
                diffuse = diffuse - share * back * hidden
        shade = np.maximum(self.totals[:2, None, None] - hours_and_energy[:2], 0.0)
        irradiation = hours_and_energy[2] + diffuse
        if not self.weather:
            irradiation = np.full_like(irradiation, np.nan)
        return np.stack([sky, shade[0], shade[1], irradiation]).astype(np.float32)


def _sky_column(azimuths: int) -> np.ndarray:
    """Squared cosine of the horizon angle by its tangent, as a table column."""
    tangent = tangent_keys()
    column = (1.0 / (1.0 + tangent * tangent)).astype(np.float32)
    return np.tile(column[None, :, None], (azimuths, 1, 1))


def digest_of_arrays(*parts: np.ndarray) -> str:
    """Return the sha256 over arrays, their shapes and their types."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr((part.shape, part.dtype.str)).encode())
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
