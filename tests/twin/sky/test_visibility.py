from __future__ import annotations

import math

import numpy as np
import pytest

from geodata.errors import InputError
from twin.sky import horizon_angle, horizon_at, visible
from twin.sky.visibility import lit


def wall_and_tower() -> np.ndarray:
    """60 x 80 m: a wall 10 m high and 6 m deep in the north, a tower of 40 m in the east."""
    heights = np.zeros((60, 80))
    heights[10:16] = 10.0
    heights[30:36, 60:66] = 40.0
    return heights


def test_skyline_of_points_above_ground():
    heights = wall_and_tower()
    # 20.5 m south of the wall's face, at three heights
    points = [[30.5, 23.5, z] for z in (0.0, 4.0, 12.0)]
    north = horizon_at(heights, 1.0, points, [0.0])[:, 0]
    np.testing.assert_allclose(north[:2], np.degrees(np.arctan([10 / 20.5, 6 / 20.5])), atol=1e-6)
    # above the wall everything is lower, and the far end of the wall, 26 m off, is the least so
    assert north[2] == pytest.approx(-math.degrees(math.atan(2 / 26.0)), abs=1e-6)
    east = horizon_at(heights, 1.0, [[30.5, 27.5, 0.0]], [90.0])[0, 0]
    assert east == pytest.approx(math.degrees(math.atan(40 / 29.5)))


def test_wall_sees_nothing_through_itself_and_all_before_it():
    heights = wall_and_tower()
    # on the southern face, a hair inside the wall's own cell
    horizon = horizon_at(heights, 1.0, [[20.2, 44.0 + 1e-6, 5.0]], [0.0, 180.0])[0]
    assert horizon[0] > 75
    assert horizon[1] == pytest.approx(-math.degrees(math.atan(5 / 43.5)), abs=0.2)


@pytest.mark.parametrize("azimuth", [0, 30, 45, 90, 135, 200, 270, 315])
def test_points_on_cells_see_what_the_sweep_sees(azimuth, towers):
    rng = np.random.default_rng(1)
    rows, columns = rng.integers(60, 320, (2, 400))
    size = towers.cell_size_m
    points = np.column_stack(
        [(columns + 0.5) * size, towers.north - (rows + 0.5) * size, towers.heights[rows, columns]]
    )
    seen = horizon_at(towers.heights, size, points, [azimuth])[:, 0]
    swept = horizon_angle(towers.heights, size, azimuth)[rows, columns]
    if azimuth % 45 == 0:
        # rays and lines coincide
        np.testing.assert_allclose(seen, swept, atol=1e-3)
    else:
        # rays pass the cells' middles, lines up to half a cell beside them
        assert np.median(np.abs(seen - swept)) < 0.2
        assert abs(np.mean(seen - swept)) < 0.5


@pytest.mark.parametrize("above", [0.0, 1.0, 30.0])
def test_a_point_has_sun_where_its_skyline_is_lower(above, towers):
    rng = np.random.default_rng(2)
    size = towers.cell_size_m
    x, y = rng.uniform(30, 170, (2, 300))
    under = towers.heights[((towers.north - y) / size).astype(int), (x / size).astype(int)]
    points = np.column_stack([x, y, under + above])
    azimuth, elevation = rng.uniform(0, 360, 60), rng.uniform(0.5, 60, 60)
    # a sun just above and just below the skyline of the first point
    skyline = horizon_at(towers.heights, size, points, azimuth)
    elevation[:20] = np.clip(skyline[0, :20] + np.tile([1e-7, -1e-7], 10), 1e-3, 89)
    found = lit(towers.heights, size, points, azimuth, elevation)
    np.testing.assert_array_equal(found, skyline < elevation)
    assert 0.02 < found.mean() < 0.999


def test_a_skyline_does_not_depend_on_what_stands_elsewhere(towers):
    """A tower that no ray passes must not move a bit of what the rays find."""
    rng = np.random.default_rng(3)
    size = towers.cell_size_m
    x, y = rng.uniform(60, 170, (2, 200))
    points = np.column_stack([x, y, np.full(200, 3.0)])
    azimuth = np.linspace(100, 260, 33)
    taller = towers.heights.copy()
    taller[:8] = 400.0
    seen = (horizon_at(heights, size, points, azimuth) for heights in (towers.heights, taller))
    np.testing.assert_array_equal(*seen)


def test_lines_of_sight():
    heights = wall_and_tower()
    eye = [30.5, 30.5, 1.6]
    targets = [
        [30.5, 57.5, 1.6],  # behind the wall
        [30.5, 57.5, 20.0],  # behind it, high enough
        [30.5, 48.0, 15.0],  # over the wall itself
        [75.5, 27.5, 1.6],  # behind the tower
        [75.5, 40.5, 1.6],  # past it
        [60.01, 27.5, 30.0],  # on its face
        [30.5, 30.5, 50.0],  # straight up
    ]
    np.testing.assert_array_equal(visible(heights, 1.0, eye, targets), [False, True, True, False, True, True, True])
    np.testing.assert_array_equal(
        visible(heights, 1.0, targets, eye),
        visible(heights, 1.0, [eye] * len(targets), targets),
        "sight goes both ways",
    )


def test_sight_ends_where_similar_triangles_say():
    """Over a wall of 10 m, its far edge 26.5 m off: what is seen beyond rises with the line over both edges."""
    heights = wall_and_tower()
    eye = np.array([30.5, 17.5, 2.0])
    near, far = 44.0 - 17.5, 50.0 - 17.5
    for beyond in (3.0, 6.0, 9.0):
        limit = 2.0 + 8.0 / near * (far + beyond)
        assert visible(heights, 1.0, eye, [30.5, 50.0 + beyond, limit + 0.05])[0]
        assert not visible(heights, 1.0, eye, [30.5, 50.0 + beyond, limit - 0.05])[0]


def test_holes_and_the_outside_hide_nothing():
    heights = wall_and_tower()
    heights[10:16] = np.nan
    assert visible(heights, 1.0, [30.5, 30.5, 1.0], [30.5, 57.5, 1.0])[0]
    assert visible(heights, 1.0, [-50.0, 5.0, 1.0], [-50.0, 55.0, 1.0])[0]
    assert horizon_at(heights, 1.0, [[-50.0, 27.5, 0.0]], [90.0])[0, 0] == pytest.approx(
        math.degrees(math.atan(40 / 110.0)), abs=1e-6
    )
    assert horizon_at(heights, 1.0, [[-50.0, 27.5, 0.0]], [270.0])[0, 0] == 0.0


def test_unusable_points_are_refused():
    heights = wall_and_tower()
    with pytest.raises(InputError, match="points"):
        horizon_at(heights, 1.0, [[1.0, 2.0]], 8)
    with pytest.raises(InputError, match="finite"):
        horizon_at(heights, 1.0, [[1.0, np.nan, 3.0]], 8)
    with pytest.raises(InputError, match="paired"):
        visible(heights, 1.0, np.zeros((2, 3)), np.zeros((3, 3)))
