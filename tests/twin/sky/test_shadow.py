from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from shapely.affinity import translate

from geodata.errors import InputError
from twin.sky import horizon_angle, shadow
from twin.sky.lines import Grid
from twin.sky.shadow import shaded

SUNS = [
    (azimuth, elevation) for azimuth in (7, 45, 81, 110, 163, 180, 214, 270, 299, 340) for elevation in (22, 38, 60)
]


def wrong_area(cell_size: float, azimuth: float, elevation: float) -> float:
    """Area [m2] in which the cast shadow of a box and its polygon differ."""
    box = shapely.box(60, 60, 80, 96)
    length = 25.0 / math.tan(math.radians(elevation))
    moved = translate(box, -length * math.sin(math.radians(azimuth)), -length * math.cos(math.radians(azimuth)))
    polygon = shapely.union_all([box, moved]).convex_hull.difference(box)
    count = round(160 / cell_size)
    x = (np.arange(count) + 0.5) * cell_size
    east, north = np.meshgrid(x, x[::-1])
    heights = np.where(shapely.contains_xy(box, east, north), 25.0, 0.0)
    return float(
        (shadow(heights, cell_size, azimuth, elevation) != shapely.contains_xy(polygon, east, north)).sum()
        * cell_size**2
    )


def test_shadow_of_a_box_is_its_polygon_within_the_cells_on_its_border():
    errors = {size: np.array([wrong_area(size, *sun) for sun in SUNS]) for size in (2.0, 1.0, 0.5)}
    for size, error in errors.items():
        lengths = np.array([2 * (20 + 36) + 2 * 25 / math.tan(math.radians(elevation)) for _, elevation in SUNS])
        # less than half a cell all along the border
        assert (error <= 0.5 * size * lengths).all(), size
    assert errors[1.0].mean() <= 0.65 * errors[2.0].mean()
    assert errors[0.5].mean() <= 0.65 * errors[1.0].mean()


@pytest.mark.parametrize("elevation", [4.0, 25.0, 61.0])
@pytest.mark.parametrize("azimuth", [0, 31, 45, 90, 117, 135, 180, 203, 225, 270, 300, 359])
def test_a_cell_is_in_shadow_where_its_horizon_is_above_the_sun(azimuth, elevation, houses):
    horizon = horizon_angle(houses.heights, houses.cell_size_m, azimuth)
    cast = shadow(houses.heights, houses.cell_size_m, azimuth, elevation)
    clear = np.abs(horizon - elevation) > 0.06
    np.testing.assert_array_equal(cast[clear], horizon[clear] > elevation)
    assert clear.mean() > 0.99


def test_length_of_a_shadow():
    heights = np.zeros((200, 9))
    heights[150:160] = 10.0
    for elevation in (20.0, 45.0):
        # sun in the south: the shadow falls north of the box
        cast = shadow(heights, 0.5, 180, elevation)[:150, 4]
        assert cast.sum() * 0.5 == pytest.approx(10 / math.tan(math.radians(elevation)), abs=0.5)
        assert not cast[: 150 - cast.sum()].any()
    assert not shadow(heights, 0.5, 180, 45.0)[160:].any()


def test_sun_below_the_horizon_overhead_and_nowhere():
    heights = np.zeros((5, 5))
    heights[2, 2] = 9
    heights[0, 0] = np.nan
    night = shadow(heights, 1.0, 0, 0.0)
    assert not night[0, 0] and night.sum() == 24
    assert shadow(heights, 1.0, 0, -3.0).sum() == 24
    assert not shadow(heights, 1.0, 0, 90.0).any()
    assert not shadow(heights, 1.0, 0, 89.99).any()
    with pytest.raises(InputError, match="sun"):
        shadow(heights, 1.0, float("nan"), 10.0)


def test_same_bits_for_any_threads(towers):
    grid = Grid.of(towers.heights, towers.cell_size_m)
    for azimuth in (0.0, 45.0, 120.0, 283.0):
        np.testing.assert_array_equal(shaded(grid, azimuth, 30.0, threads=1), shaded(grid, azimuth, 30.0, threads=5))
