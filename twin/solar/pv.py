"""Photovoltaic conversion: incidence angle, cell temperature, direct current, losses and inverter, all by pvlib.

The chain is that of NREL's PVWatts: `pvlib.iam.physical` on beam irradiance, SAPM cell temperature from the whole
plane-of-array irradiance, `pvlib.pvsystem.pvwatts_dc`, a constant loss, `pvlib.inverter.pvwatts` with clipping.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pvlib

from geodata.parameters import Parameters, load_parameters


@lru_cache(maxsize=1)
def pv_parameters() -> Parameters:
    """Return the values of ``pv.yaml``."""
    return load_parameters("twin.solar", "pv.yaml")


@dataclass(frozen=True)
class PvSystem:
    """Properties of modules and inverter that all systems share."""

    temperature_coefficient: float
    """Of power [1/K]."""
    losses_pct: float
    inverter_efficiency: float
    dc_ac_ratio: float
    refractive_index: float
    sapm_rows: str
    """Name of pvlib's SAPM temperature set for modules on racks."""
    sapm_flush: str

    @classmethod
    def from_parameters(cls, values: Parameters | None = None) -> PvSystem:
        """Return the system that ``values`` (``pv.yaml`` if None) describe."""
        values = pv_parameters() if values is None else values
        return cls(
            temperature_coefficient=float(values["temperature_coefficient"]),
            losses_pct=float(pvlib.pvsystem.pvwatts_losses(**values["losses"])),
            inverter_efficiency=float(values["inverter_efficiency"]),
            dc_ac_ratio=float(values["dc_ac_ratio"]),
            refractive_index=float(values["refractive_index"]),
            sapm_rows=str(values["cell_temperature_rows"]),
            sapm_flush=str(values["cell_temperature_flush"]),
        )

    def beam_modifier(self, aoi: np.ndarray) -> np.ndarray:
        """Return the share of beam irradiance that passes the glass at incidence angle ``aoi`` [deg]."""
        return pvlib.iam.physical(aoi, n=self.refractive_index)

    def cell_temperature(
        self, poa: np.ndarray, temp_air: np.ndarray, wind_speed: np.ndarray, racks: np.ndarray
    ) -> np.ndarray:
        """Return cell temperature [degC].

        Parameters
        ----------
        poa : irradiance on the module plane [W/m2], hours x planes
        temp_air, wind_speed : [degC], [m/s], hours x 1
        racks : planes; True for modules on racks, False for modules flush with the roof
        """
        table = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]
        rows, flush = table[self.sapm_rows], table[self.sapm_flush]
        if racks.all() or not racks.any():
            return pvlib.temperature.sapm_cell(poa, temp_air, wind_speed, **(rows if racks.all() else flush))
        cell = np.empty_like(poa)
        for chosen, values in ((racks, rows), (~racks, flush)):
            cell[:, chosen] = pvlib.temperature.sapm_cell(poa[:, chosen], temp_air, wind_speed, **values)
        return cell

    def dc_power(self, effective: np.ndarray, cell_temperature: np.ndarray, capacity_w: float) -> np.ndarray:
        """Return DC power [W] after losses from effective irradiance [W/m2] and cell temperature [degC]."""
        power = pvlib.pvsystem.pvwatts_dc(effective, cell_temperature, capacity_w, self.temperature_coefficient)
        return power * (1.0 - self.losses_pct / 100.0)

    def ac_power(self, dc: np.ndarray, capacity_w: float) -> np.ndarray:
        """Return AC power [W] of an inverter sized to ``capacity_w`` of modules, clipped at its rating."""
        rating = capacity_w / self.dc_ac_ratio
        return pvlib.inverter.pvwatts(dc, rating / self.inverter_efficiency, self.inverter_efficiency)
