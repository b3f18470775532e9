"""How sure a yield is, told beside it: correction of the resource, choice of sky model, and the spread of the years.

* The correction factor is yearly irradiation used over that of the weather file (`twin.solar.resource`).
* The transposition spread of a plane is (largest - smallest) / Perez of its yearly irradiation over pvlib's sky models. It is
  computed on representative orientations and interpolated between them.
* P90 is what nine years of ten exceed: P90 = P50 (1 - z s) with the normal quantile z = 1.2816 and the relative standard deviation s
  of yearly irradiation. One year's weather is common to all roofs, so the P90 of a town is the sum of the P90 of its roofs.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pandas as pd
import pvlib
from scipy.interpolate import RegularGridInterpolator

from twin.solar.resource import Resource, resource_parameters

TILTS = (0.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0)
AZIMUTHS = tuple(float(a) for a in range(0, 361, 45))
"""Representative orientations [deg]; 360 repeats 0, so that interpolation closes."""
Z90 = NormalDist().inv_cdf(0.9)
"""Standard deviations below the mean that nine of ten years stay above."""


def _isotropic(plane: dict[str, np.ndarray]) -> np.ndarray:
    return pvlib.irradiance.isotropic(plane["tilt"], plane["dhi"])


def _klucher(plane: dict[str, np.ndarray]) -> np.ndarray:
    return pvlib.irradiance.klucher(
        plane["tilt"], plane["azimuth"], plane["dhi"], plane["ghi"], plane["zenith"], plane["sun_azimuth"]
    )


def _haydavies(plane: dict[str, np.ndarray]) -> np.ndarray:
    return pvlib.irradiance.haydavies(
        plane["tilt"],
        plane["azimuth"],
        plane["dhi"],
        plane["dni"],
        plane["dni_extra"],
        plane["zenith"],
        plane["sun_azimuth"],
    )


def _reindl(plane: dict[str, np.ndarray]) -> np.ndarray:
    return pvlib.irradiance.reindl(
        plane["tilt"], plane["azimuth"], plane["dhi"], plane["dni"], plane["ghi"], plane["dni_extra"],
        plane["zenith"], plane["sun_azimuth"],
    )  # fmt: skip


def _perez(plane: dict[str, np.ndarray]) -> np.ndarray:
    return pvlib.irradiance.perez(
        plane["tilt"], plane["azimuth"], plane["dhi"], plane["dni"], plane["dni_extra"],
        plane["zenith"], plane["sun_azimuth"], plane["airmass"],
    )  # fmt: skip


def _perez_driesse(plane: dict[str, np.ndarray]) -> np.ndarray:
    return pvlib.irradiance.perez_driesse(
        plane["tilt"], plane["azimuth"], plane["dhi"], plane["dni"], plane["dni_extra"],
        plane["zenith"], plane["sun_azimuth"], plane["airmass"],
    )  # fmt: skip


SKY_MODELS: dict[str, Callable[[dict[str, np.ndarray]], np.ndarray]] = {
    "isotropic": _isotropic,
    "klucher": _klucher,
    "haydavies": _haydavies,
    "reindl": _reindl,
    "perez": _perez,
    "perez_driesse": _perez_driesse,
}
"""Sky diffuse irradiance [W/m2] on planes by pvlib's models, daylight hours x planes."""


def irradiation_by_model(resource: Resource, tilt_deg: np.ndarray, azimuth_deg: np.ndarray) -> dict[str, np.ndarray]:
    """Return yearly irradiation [kWh/m2] of free planes by sky model; each array has one value per plane."""
    lit = resource.lit
    column = {name: lit[name].to_numpy()[:, None] for name in ("ghi", "dni", "dhi", "dni_extra", "airmass")}
    plane = {
        **column,
        "tilt": np.asarray(tilt_deg, dtype=np.float64)[None, :],
        "azimuth": np.asarray(azimuth_deg, dtype=np.float64)[None, :],
        "zenith": lit["apparent_zenith"].to_numpy()[:, None],
        "sun_azimuth": lit["azimuth"].to_numpy()[:, None],
    }
    aoi = pvlib.irradiance.aoi(plane["tilt"], plane["azimuth"], plane["zenith"], plane["sun_azimuth"])
    ground = pvlib.irradiance.get_ground_diffuse(plane["tilt"], plane["ghi"], float(resource_parameters()["albedo"]))
    rest = np.maximum(plane["dni"] * np.cos(np.radians(aoi)), 0.0) + ground
    return {name: (rest + model(plane)).sum(axis=0) / 1000.0 for name, model in SKY_MODELS.items()}


def transposition_spread_pct(resource: Resource, tilt_deg: np.ndarray, azimuth_deg: np.ndarray) -> np.ndarray:
    """Return the spread of pvlib's sky models on free planes [% of Perez], interpolated between `TILTS` and `AZIMUTHS`."""
    tilt, azimuth = np.meshgrid(TILTS, AZIMUTHS, indexing="ij")
    found = irradiation_by_model(resource, tilt.ravel(), azimuth.ravel())
    every = np.stack(list(found.values()))
    spread = 100.0 * (every.max(axis=0) - every.min(axis=0)) / found["perez"]
    table = RegularGridInterpolator((TILTS, AZIMUTHS), spread.reshape(tilt.shape))
    return np.asarray(table(np.column_stack([np.clip(tilt_deg, 0.0, 90.0), np.asarray(azimuth_deg) % 360.0])))


def p90(p50: np.ndarray, std_pct: float) -> np.ndarray:
    """Return what nine years of ten exceed, from the median year and the standard deviation of years [% of it]."""
    return np.asarray(p50) * max(1.0 - Z90 * std_pct / 100.0, 0.0)


def uncertainty(roofs: pd.DataFrame, resource: Resource) -> pd.DataFrame:
    """Return the columns that tell how sure the yield of each of ``roofs`` is.

    Parameters
    ----------
    roofs
        `module_tilt_deg`, `module_azimuth_deg` [deg] and `yield_kwh` [kWh].
    resource
        Typical year; with its ``interannual_std_pct``, if that is known.

    Returns
    -------
    DataFrame
        Indexed as ``roofs``: `resource_correction_factor` where the year was corrected, `transposition_spread_pct`, and
        `yield_p90_kwh` only where the spread of the years is known.
    """
    columns: dict[str, np.ndarray | float] = {}
    if resource.corrected:
        columns["resource_correction_factor"] = resource.correction_factor
    columns["transposition_spread_pct"] = transposition_spread_pct(
        resource, roofs["module_tilt_deg"].to_numpy("float64"), roofs["module_azimuth_deg"].to_numpy("float64")
    )
    if resource.interannual_std_pct is not None:
        columns["yield_p90_kwh"] = p90(roofs["yield_kwh"].to_numpy("float64"), resource.interannual_std_pct)
    return pd.DataFrame(columns, index=roofs.index)
