from __future__ import annotations

import math

import numpy as np
import pytest

from geodata.errors import InputError
from twin.sky.far import EARTH_RADIUS_M, REFRACTION, FarSurface, far_horizon, max_pooled

NEAR = (900.0, 900.0, 1100.0, 1100.0)


def plain(cell: float = 5.0, side: float = 2000.0) -> np.ndarray:
    return np.zeros((round(side / cell), round(side / cell)), dtype=np.float32)


def test_a_wall_beyond_the_near_surface():
    heights = plain()
    heights[: round(400 / 5)] = 60.0  # everything north of 1600 m
    surface = FarSurface.of(heights, 5.0, 0.0, 2000.0)
    azimuths = np.arange(72) * 5.0
    found = far_horizon([surface], [[1000.0, 1000.0, 10.0]], azimuths, NEAR, curved=False)[0]
    toward = np.cos(np.radians(azimuths))
    distance = np.divide(600.0, toward, out=np.full(72, np.inf), where=toward > 0.55)
    expected = np.degrees(np.arctan(50.0 / distance))
    # steps are 1.5 % of the distance: the wall may seem that much nearer
    np.testing.assert_allclose(found[toward > 0.65], expected[toward > 0.65], rtol=0.02)
    assert (found[toward <= 0] == 0).all()


def test_what_lies_within_the_near_surface_is_left_to_it():
    heights = plain()
    heights[190:210, 190:210] = 500.0
    surface = FarSurface.of(heights, 5.0, 0.0, 2000.0)
    assert (far_horizon([surface], [[1000.0, 1000.0, 10.0]], np.arange(72) * 5.0, NEAR) == 0).all()


def test_nothing_lower_and_no_surface_give_zero():
    surface = FarSurface.of(plain(), 5.0, 0.0, 2000.0)
    found = far_horizon([surface], [[1000.0, 1000.0, 10.0], [1000.0, 1000.0, np.nan]], [0.0, 90.0], [NEAR, NEAR])
    np.testing.assert_array_equal(found, np.zeros((2, 2)))
    assert (far_horizon([], [[1000.0, 1000.0, 10.0]], [0.0], [NEAR]) == 0).all()


def test_coarse_surface_counts_beyond_the_fine_one():
    fine = FarSurface.of(plain(), 5.0, 0.0, 2000.0)
    coarse = np.zeros((1000, 1000), dtype=np.float32)  # 30 km square, 30 m cells
    coarse[:400] = 300.0  # a range of hills 5 km north of the middle and beyond ...
    coarse[480:520, 480:520] = 900.0  # ... and a mountain where the fine surface knows better
    surfaces = [fine, FarSurface.of(coarse, 30.0, -14_000.0, 16_000.0)]
    angle = far_horizon(surfaces, [[1000.0, 1000.0, 20.0]], [0.0, 180.0], [NEAR])[0]
    # the hills begin at 16,000 - 400 * 30 = 4,000 m north: 3 km off
    drop = 3000.0**2 * (1 - REFRACTION) / (2 * EARTH_RADIUS_M)
    assert angle[0] == pytest.approx(math.degrees(math.atan((300 - 20 - drop) / 3000)), rel=0.02)
    assert angle[1] == 0


def test_the_earth_is_round():
    heights = np.zeros((2000, 20), dtype=np.float32)
    heights[:40] = 100.0  # 19,600 m north of the southern edge
    surface = FarSurface.of(heights, 10.0, 0.0, 20_000.0)
    near = (0.0, 0.0, 200.0, 300.0)
    flat, curved = (far_horizon([surface], [[100.0, 10.0, 0.0]], [0.0], [near], curved=c)[0, 0] for c in (False, True))
    sagitta = 19_590.0**2 / (2 * EARTH_RADIUS_M)
    assert flat == pytest.approx(math.degrees(math.atan(100 / 19_590)), rel=0.02)
    assert flat - curved == pytest.approx(math.degrees(math.atan((1 - REFRACTION) * sagitta / 19_590)), rel=0.03)


def test_pooling_keeps_the_highest_and_ignores_holes():
    heights = np.array([[1, 2, 3, np.nan, 5], [6, np.nan, 0, np.nan, 4], [9, 8, 7, 6, 5]], dtype=np.float32)
    np.testing.assert_array_equal(max_pooled(heights, 2), [[6, 3, 5], [9, 7, 5]])
    assert np.isnan(max_pooled(np.full((2, 2), np.nan), 2)).all()


def test_unusable_input_is_refused():
    surface = FarSurface.of(plain(), 5.0, 0.0, 2000.0)
    with pytest.raises(InputError, match="outside"):
        far_horizon([surface], [[50.0, 1000.0, 10.0]], [0.0], [NEAR])
    with pytest.raises(InputError, match="near surfaces"):
        far_horizon([surface], [[1000.0, 1000.0, 10.0]], [0.0], [NEAR, NEAR])
    with pytest.raises(InputError, match="corner"):
        FarSurface.of(plain(), 5.0, float("nan"), 0.0)
