from __future__ import annotations

import math

import numpy as np
import pytest

from geodata.errors import InputError
from twin.sky import horizon_at, sky_view_factor
from twin.sky.sky_view import tilted_sky_view


def canyon(width_m: float, height_m: float, cell_size: float, length_m: float = 600.0) -> tuple[np.ndarray, slice]:
    """Heights of a street from west to east, and the rows of its floor."""
    side, across = round(20 / cell_size), round(width_m / cell_size)
    heights = np.full((across + 2 * side, round(length_m / cell_size)), height_m)
    heights[side : side + across] = 0.0
    return heights, slice(side, side + across)


@pytest.mark.parametrize("cell_size", [2.0, 1.0, 0.5])
@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0, 4.0])
def test_canyon_floor(ratio, cell_size):
    heights, floor = canyon(20.0, 20.0 * ratio, cell_size)
    middle = sky_view_factor(heights, cell_size)[floor, heights.shape[1] // 2]
    # the street is 600 m long, not endless: its ends let in some sky
    ends = 20.0 * ratio * 20.0 / 300.0**2
    across = (np.arange(len(middle)) + 0.5) * cell_size
    exact = (across / np.hypot(across, 20 * ratio) + (20 - across) / np.hypot(20 - across, 20 * ratio)) / 2
    assert np.abs(middle - exact).max() <= 0.02 * cell_size + ends
    assert middle.mean() == pytest.approx(math.sqrt(1 + ratio**2) - ratio, abs=0.005 * cell_size + ends)
    np.testing.assert_allclose(
        sky_view_factor(np.ascontiguousarray(heights.T), cell_size)[heights.shape[1] // 2, floor], middle, atol=0.002
    )


@pytest.mark.parametrize("angle", [10, 30, 45])
def test_canyon_floor_at_any_angle_to_the_grid(angle):
    errors = {}
    for cell_size in (2.0, 1.0, 0.5):
        count = round(400 / cell_size)
        x = (np.arange(count) - count / 2 + 0.5) * cell_size
        east, north = np.meshgrid(x, x[::-1])
        across = east * math.cos(math.radians(angle)) - north * math.sin(math.radians(angle))
        view = sky_view_factor(np.where(np.abs(across) < 10, 0.0, 20.0), cell_size)
        floor = (np.abs(across) < cell_size) & (np.hypot(east, north) < 30)
        errors[cell_size] = abs(view[floor].mean() - 1 / math.sqrt(5))
        assert errors[cell_size] <= 0.012 * cell_size
    assert errors[0.5] <= 0.5 * errors[2.0] + 1e-3


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_middle_of_a_cylinder(ratio):
    for cell_size in (2.0, 1.0, 0.5):
        count = 2 * round(30 / cell_size) + 1
        x = (np.arange(count) - count // 2) * cell_size
        heights = np.where(np.hypot(*np.meshgrid(x, x)) < 20, 0.0, 20 * ratio)
        view = sky_view_factor(heights, cell_size)[count // 2, count // 2]
        assert view == pytest.approx(math.cos(math.atan(ratio)) ** 2, abs=0.0075 * cell_size)
        # the share of solid angle is another number, often mistaken for this one
        angles = horizon_at(heights, cell_size, [count * cell_size / 2, count * cell_size / 2, 0.0], 72)
        solid = 1 - np.sin(np.radians(angles)).mean()
        assert solid == pytest.approx(1 - math.sin(math.atan(ratio)), abs=0.0075 * cell_size)


@pytest.mark.parametrize("cell_size", [2.0, 1.0, 0.5])
def test_wall_of_a_half_space(cell_size):
    heights = np.zeros((round(80 / cell_size), round(1600 / cell_size)))
    heights[: round(20 / cell_size)] = 20.0
    view = sky_view_factor(heights, cell_size)[:, heights.shape[1] // 2]
    for distance in (6.0, 10.0, 20.0, 40.0):
        row = round((20 + distance) / cell_size)
        exact = (1 + math.cos(math.atan(20 / (distance + cell_size / 2)))) / 2
        assert view[row] == pytest.approx(exact, abs=0.002 * cell_size + 5e-4)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_canyon_wall(ratio):
    for cell_size in (2.0, 1.0):
        heights, floor = canyon(20.0, 20.0 * ratio, cell_size, 800.0)
        levels = (np.arange(40) + 0.5) * 20 * ratio / 40
        wall = (heights.shape[0] - floor.start) * cell_size - 1e-6
        points = np.column_stack([np.full(40, 400.0), np.full(40, wall), levels])
        azimuths = np.arange(72) * 5.0
        view = tilted_sky_view(horizon_at(heights, cell_size, points, azimuths), azimuths, 90.0, 180.0)
        exact = (1 + 1 / ratio - math.sqrt(1 + 1 / ratio**2)) / 2
        assert view.mean() == pytest.approx(exact, abs=0.001 * cell_size)


def test_open_country_is_exactly_one_and_holes_stay_holes():
    heights = np.full((40, 50), 13.7)
    heights[3, 4] = np.nan
    view = sky_view_factor(heights, 1.0)
    assert np.isnan(view[3, 4])
    assert (np.delete(view.reshape(-1), 3 * 50 + 4) == 1.0).all()


@pytest.mark.parametrize("tilt", [0.0, 20.0, 30.0, 60.0, 90.0])
@pytest.mark.parametrize("faces", [0.0, 77.0, 180.0])
def test_free_plane(tilt, faces):
    azimuths = np.arange(72) * 5.0
    view = tilted_sky_view(np.zeros(72), azimuths, tilt, faces)
    assert view == pytest.approx((1 + math.cos(math.radians(tilt))) / 2, abs=6e-4)


def test_tilted_plane_before_a_wall():
    """Half the sky hidden up to 40 deg, against direct integration over the hemisphere."""
    azimuths = np.arange(360) * 1.0
    horizon = np.where(np.cos(np.radians(azimuths - 180)) > 0, 40.0, 0.0)
    phi, theta = np.meshgrid(np.radians(np.arange(0.25, 360, 0.5)), np.radians(np.arange(0.25, 90, 0.5)))
    tilt = math.radians(35)
    incidence = np.sin(theta) * math.cos(tilt) + np.cos(theta) * math.sin(tilt) * np.cos(phi - math.pi)
    seen = (theta > np.where(np.cos(phi - math.pi) > 0, math.radians(40), 0.0)) & (incidence > 0)
    exact = (incidence * np.cos(theta) * seen).sum() * math.radians(0.5) ** 2 / math.pi
    assert tilted_sky_view(horizon, azimuths, 35.0, 180.0) == pytest.approx(exact, abs=2e-3)


def test_tilts_that_see_no_sky_are_refused():
    with pytest.raises(InputError, match="91 deg"):
        tilted_sky_view(np.zeros(8), np.arange(8) * 45.0, 91.0, 0.0)
    with pytest.raises(InputError, match="direction"):
        sky_view_factor(np.zeros((3, 3)), 1.0, 0)
