from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from geodata.errors import InputError
from twin.sky import horizon_angle
from twin.sky.horizon import Window, horizon_slopes
from twin.sky.lines import Grid, Lines


@pytest.mark.parametrize(
    ("azimuth", "row", "column"),
    [(0, -6, 0), (45, -6, 6), (90, 0, 6), (135, 6, 6), (180, 6, 0), (225, 6, -6), (270, 0, -6), (315, -6, -6)],
)
def test_lone_tower_is_seen_in_its_own_direction_only(azimuth, row, column):
    heights = np.full((41, 41), 100.0)
    heights[19 + row : 22 + row, 19 + column : 22 + column] = 112.0
    # three cells wide; its wall stands on the border of a cell, half a step nearer than the cell's centre
    distance = 4.5 * 0.5 * (math.sqrt(2) if row and column else 1.0)
    for other in range(0, 360, 45):
        angle = horizon_angle(heights, 0.5, other)[20, 20]
        expected = math.degrees(math.atan(12 / distance)) if other == azimuth else 0.0
        assert angle == pytest.approx(expected, abs=1e-4), other
    assert horizon_angle(heights, 0.5, azimuth - 360)[20, 20] == horizon_angle(heights, 0.5, azimuth)[20, 20]


def test_a_single_high_cell_stands_at_its_centre():
    heights = np.zeros((9, 41))
    heights[4, 30] = 12.0
    assert horizon_angle(heights, 0.5, 90)[4, 20] == pytest.approx(math.degrees(math.atan(12 / 5)), abs=1e-4)


@pytest.mark.parametrize("azimuth", [26.565051, 63.434949, 116.565051, 206.565051, 243.434949, 333.434949])
def test_tower_between_the_octants(azimuth):
    # a tower 10 x 10 cells, 20 steps off on a slope of one in two
    heights = np.zeros((101, 101))
    row, column = 50 - round(28 * math.cos(math.radians(azimuth))), 50 + round(28 * math.sin(math.radians(azimuth)))
    heights[row - 5 : row + 6, column - 5 : column + 6] = 20.0
    seen = horizon_angle(heights, 1.0, azimuth)[50, 50]
    # the box's near face lies at most the half diagonal and at least half the side before its centre
    assert math.degrees(math.atan(20 / 23.5)) <= seen <= math.degrees(math.atan(20 / 19.0))
    assert horizon_angle(heights, 1.0, azimuth + 60)[50, 50] == 0.0
    assert horizon_angle(heights, 1.0, azimuth + 180)[50, 50] == 0.0


@pytest.mark.parametrize("tilt", [10.0, 30.0, 55.0])
@pytest.mark.parametrize("faces", [180.0, 77.0, 301.0])
def test_a_plane_does_not_shade_itself(tilt, faces):
    # falls toward `faces`
    rows, columns = np.mgrid[0:60, 0:80]
    east, north = columns * 0.5, -rows * 0.5
    fall = math.tan(math.radians(tilt))
    toward = math.radians(faces)
    heights = 60 - fall * (east * math.sin(toward) + north * math.cos(toward))
    for azimuth in (0, 13, 45, 90, 118, 200, 260, 275, 347.5):
        slope = -fall * math.cos(math.radians(azimuth) - toward)
        angle = horizon_angle(heights, 0.5, azimuth)
        inner = angle[20:40, 20:60]
        np.testing.assert_allclose(inner, math.degrees(math.atan(slope)), atol=0.01)


def test_nothing_further_out_is_level_and_lower_ground_is_negative():
    heights = np.zeros((20, 20))
    heights[10, 10] = 5.0
    north = horizon_angle(heights, 1.0, 0)
    assert (north[0] == 0).all()
    # the tower sees ground at its foot in nine steps down to the border: the farthest is the least steep
    assert north[10, 10] == pytest.approx(-math.degrees(math.atan(5 / 10)), abs=1e-4)
    assert (np.delete(north[11:], 10, axis=1) == 0).all()


def test_holes_hide_nothing_and_have_no_value():
    heights = np.zeros((30, 30))
    heights[5] = 10.0
    free = horizon_angle(heights, 1.0, 0)
    heights[10:15, 8:12] = np.nan
    holed = horizon_angle(heights, 1.0, 0)
    assert np.isnan(holed[10:15, 8:12]).all()
    known = ~np.isnan(heights)
    np.testing.assert_array_equal(holed[known], free[known])
    for azimuth in (17, 45, 71, 190, 280):
        np.testing.assert_array_equal(np.isnan(horizon_angle(heights, 1.0, azimuth)), ~known)


def brute_force(heights, cell, azimuth):
    """Every cell looks at every sample of its line: the definition, cell by cell, in plain Python."""
    east, south = math.sin(math.radians(azimuth)), -math.cos(math.radians(azimuth))
    by_column = abs(east) > abs(south) * (1 + 1e-9)
    z = heights.T if by_column else heights
    slope = south / east if by_column else east / south
    step = cell * math.hypot(1, slope)
    way = (1 if east > 0 else -1) if by_column else (1 if south > 0 else -1)

    def at(u, v):
        return z[u, v] if 0 <= u < z.shape[0] and 0 <= v < z.shape[1] else math.nan

    def sample(u, line):
        exact = slope * u
        v = line + math.floor(exact + 0.5)
        if not (0 <= u < z.shape[0] and 0 <= v < z.shape[1]):
            return None
        here, offset = z[u, v], exact - math.floor(exact + 0.5)
        side = 1 if offset > 0 else -1
        rise = at(u, v + side) - here
        if not abs(rise) <= 2 * cell:
            # beside a wall: the least slope of the own side, here and in the rows before and after
            slopes = []
            for row in (u - 1, u, u + 1):
                if abs(at(row, v) - here) <= 2 * cell:
                    slopes += [at(row, v + side) - at(row, v), at(row, v) - at(row, v - side)]
            rise = min((s for s in slopes if abs(s) <= 2 * cell), default=0.0)
        return here + abs(offset) * rise

    out = np.full(z.shape, np.nan)
    for u in range(z.shape[0]):
        for v in range(z.shape[1]):
            line = v - math.floor(slope * u + 0.5)
            own = sample(u, line)
            if np.isnan(own):
                continue
            seen, samples, k = [], [own], 1
            while (found := sample(u + way * k, line)) is not None:
                samples.append(found)
                k += 1
            for k in range(1, len(samples)):
                if np.isnan(samples[k]):
                    continue
                seen.append((samples[k] - own) / k)
                changes = np.abs(np.diff([*samples, math.nan, math.nan][k : k + 3]))
                if samples[k] - samples[k - 1] > 2 * step and (changes <= 2 * step).all():
                    # a high cell with two more behind it reaches as far as its wall, half a step nearer
                    seen.append((samples[k] - changes.max() / 2 - own) / (k - 0.5))
            out[u, v] = math.degrees(math.atan(max(seen) / step)) if seen else 0.0
    return out.T if by_column else out


@pytest.mark.parametrize("azimuth", [0, 20, 45, 60, 90, 100, 135, 170, 190, 225, 250, 270, 300, 315, 350])
def test_equals_looking_at_every_sample(azimuth):
    rng = np.random.default_rng(azimuth)
    heights = np.round(rng.normal(0, 0.3, (23, 31)), 3).astype(np.float32)
    heights[rng.random(heights.shape) < 0.1] += 12
    heights[5:12, 18:26] += 7
    heights[rng.random(heights.shape) < 0.03] = np.nan
    expected = brute_force(heights.astype(np.float64), 1.0, azimuth)
    np.testing.assert_allclose(horizon_angle(heights, 1.0, azimuth), expected, atol=2e-3)


def test_same_bits_for_any_threads_and_for_a_window_of_a_larger_grid(houses):
    grid = Grid.of(houses.heights, houses.cell_size_m)
    azimuths = np.array([0.0, 12.5, 192.5, 45.0, 80.0, 260.0, 305.0])
    window = Window(100, 140, 37, 111)
    alone = {index: slope.copy() for index, slope, _ in horizon_slopes(grid, azimuths, threads=1)}
    for index, slope, transposed in horizon_slopes(grid, azimuths, window, threads=3):
        whole = alone[index].T if transposed else alone[index]
        part = slope.T if transposed else slope
        np.testing.assert_array_equal(part, whole[100:140, 37:111])


def test_lines_belong_to_the_grid_of_the_town_and_hold_each_cell_once():
    rng = np.random.default_rng(3)
    heights = rng.normal(0, 1, (60, 70)).astype(np.float32)
    whole = Grid.of(heights, 1.0)
    part = Grid.of(heights[13:50, 9:61], 1.0, row0=13, column0=9)
    for azimuth in (5, 33, 45, 78, 101, 140, 290):
        lines, cut = Lines.along(whole, azimuth), Lines.along(part, azimuth)
        first = 9 if lines.transposed else 13
        np.testing.assert_array_equal(lines.offset[first : first + len(cut.offset)], cut.offset)
        rows, columns = (70, 60) if lines.transposed else (60, 70)
        number, start, stop = lines.spans(0, rows, 0, columns)
        assert (stop - start).sum() == heights.size
        row = 41
        on_row = np.flatnonzero((start <= row) & (row < stop)) + number + lines.shift[row]
        np.testing.assert_array_equal(on_row, np.arange(columns))


@pytest.mark.parametrize(
    ("surface", "cell_size", "words"),
    [
        (np.zeros((4, 4)), (0.5, 1.0), "square"),
        (np.zeros((4, 4)), 0.000_3, "degrees"),
        (np.zeros((4, 4)), -1.0, "positive"),
        (np.zeros((4, 4)), float("nan"), "positive"),
        (np.zeros(4), 1.0, "rows x columns"),
        (np.zeros((0, 4)), 1.0, "rows x columns"),
        (np.full((4, 4), np.nan), 1.0, "no cell"),
        (np.full((4, 4), np.inf), 1.0, "infinite"),
    ],
)
def test_unusable_surfaces_are_refused(surface, cell_size, words):
    with pytest.raises(InputError, match=words):
        horizon_angle(surface, cell_size, 0.0)


def test_unusable_direction_is_refused():
    with pytest.raises(InputError, match="azimuths"):
        horizon_angle(np.zeros((3, 3)), 1.0, float("nan"))


def test_single_row_and_single_cell():
    assert horizon_angle([[3.0]], 1.0, 77)[0, 0] == 0
    row = horizon_angle([[0.0, 0.0, 4.0, 4.0, 4.0]], 1.0, 90)
    np.testing.assert_allclose(
        row[0], [math.degrees(math.atan(4 / 1.5)), math.degrees(math.atan(8)), 0.0, 0.0, 0.0], atol=1e-4
    )


def test_importing_the_sky_does_not_even_import_numba():
    code = "import sys, twin.sky, twin.sky.tiles; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
