from __future__ import annotations

import numpy as np
import pvlib
import pytest

from twin.solar.irradiance import plane_components, plane_of_array
from twin.solar.rows import Rows, row_factors, shade_rows

ROWS = Rows.spaced(30.0, 1.134, 29.0)


def test_spacing_by_the_sun_of_the_winter_solstice():
    # 1.134 (cos 30 + sin 30 / tan 29) = 0.98207 + 0.567 / 0.55431
    assert ROWS.pitch_m == pytest.approx(2.00497, abs=1e-5)
    assert ROWS.depth_m == pytest.approx(0.98207, abs=1e-5)
    assert pvlib.shading.masking_angle(30.0, ROWS.ground_cover_ratio, 0.0) == pytest.approx(29.0)


@pytest.mark.parametrize("azimuth", [180.0, 90.0, 200.0])
def test_beam_loses_what_plane_geometry_says(resource, azimuth):
    factors = row_factors(ROWS, resource, [azimuth, azimuth], [0.0, 1.0])
    lit = resource.lit
    # edge of the shadow on a slope, from the sun's elevation in the plane across the rows
    toward = np.cos(np.radians(lit["azimuth"].to_numpy() - azimuth))
    elevation = np.radians(90.0 - lit["apparent_zenith"].to_numpy())
    in_front = (toward > 0.02) & (elevation > 0.005)
    profile = np.tan(elevation[in_front]) / toward[in_front]
    tilt = np.radians(30.0)
    shaded = 1.0 - ROWS.pitch_m / ROWS.slant_m * profile / (np.sin(tilt) + np.cos(tilt) * profile)
    assert (factors.beam[:, 0] == 1.0).all()
    assert factors.beam[in_front, 1] == pytest.approx(1.0 - np.clip(shaded, 0.0, 1.0), abs=1e-9)
    assert 0 < (shaded > 0).mean() < 0.5
    assert np.array_equal(factors.beam, factors.circumsolar)


def test_no_row_is_shaded_at_noon_of_the_solstice_on_its_latitude(resource):
    lit = resource.lit
    factors = row_factors(ROWS, resource, [180.0], [1.0])
    south = np.abs(lit["azimuth"].to_numpy() - 180.0) < 5
    high = lit["apparent_zenith"].to_numpy() < 61.0
    assert (south & high).sum() > 100
    assert (factors.beam[south & high] == 1.0).all()


def test_sky_and_horizon_band(resource):
    # mean of the masking angle over the slope, and the sky below it, by numbers
    z = (np.arange(100_000) + 0.5) / 100_000
    tilt = np.radians(30.0)
    masks = np.arctan((1 - z) * np.sin(tilt) / (ROWS.pitch_m / ROWS.slant_m - (1 - z) * np.cos(tilt)))
    lost = np.sin(masks.mean() / 2) ** 2
    factors = row_factors(ROWS, resource, [180.0, 180.0, 180.0], [0.0, 0.5, 1.0])
    assert factors.isotropic[0] == pytest.approx([1.0, 1.0 - lost / 2, 1.0 - lost], abs=1e-8)
    generator = np.random.default_rng(3)
    height, side = generator.uniform(0, 1, 400_000), generator.uniform(-np.pi / 2, np.pi / 2, 400_000)
    ahead = (1 - height) * np.sin(tilt) / (ROWS.pitch_m / ROWS.slant_m - (1 - height) * np.cos(tilt))
    hidden = (np.cos(side) * (ahead * np.cos(side) > np.tan(np.radians(6.5)))).sum() / np.cos(side).sum()
    assert factors.horizon[0] == pytest.approx([1.0, 1.0 - hidden / 2, 1.0 - hidden], abs=3e-3)


def test_losses_multiply_with_those_of_the_surroundings(resource):
    components = plane_components(resource, [30.0, 30.0], [180.0, 180.0])
    factors = row_factors(ROWS, resource, [180.0, 180.0], [0.0, 0.8])
    shaded = shade_rows(components, factors)
    for name in ("beam", "circumsolar", "isotropic", "horizon", "ground"):
        assert np.array_equal(getattr(shaded, name)[:, 0], getattr(components, name)[:, 0])
    assert np.array_equal(shaded.ground, components.ground)
    poa = plane_of_array(shaded).sum(axis=0)
    assert 0.95 < poa[1] / poa[0] < 0.999


def test_wider_rows_lose_less(resource):
    kept = [row_factors(Rows.spaced(30.0, 1.134, sun), resource, [180.0], [1.0]) for sun in (15.0, 29.0, 45.0)]
    for name in ("beam", "isotropic", "horizon"):
        means = [float(np.mean(getattr(factors, name))) for factors in kept]
        assert means == sorted(means, reverse=True)
        assert means[0] > means[-1]
