from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import shapely

from geodata.errors import InputError
from twin.sky import horizon_angle
from twin.sky.lines import Grid
from twin.sky.plane_cells import Sampling, cells_by_number, check_metric, plane_cells
from twin.sky.planes import BIN_DEG, HorizonDistribution, reduce_horizons


def test_rim_small_planes_tiny_planes_and_planes_without_surface():
    heights = np.full((40, 40), 5.0)
    heights[:, 30:] = np.nan
    shapes = [
        shapely.box(2, 2, 12, 12),  # 10 x 10 cells, 8 x 8 of them inside
        shapely.box(15, 2, 17, 4),  # 2 x 2 cells: all rim
        shapely.box(20.6, 20.6, 20.9, 20.9),  # holds no cell centre
        shapely.box(34, 20, 38, 24),  # on a hole
        shapely.box(15, 10, 18, 13),  # 3 x 3: one cell inside
        shapely.box(60, 60, 70, 70),  # beyond the array
    ]
    cells = plane_cells(shapes, Grid.of(heights, 1.0), west=0.0, north=40.0)
    assert np.diff(cells.start).tolist() == [64, 4, 1, 0, 1, 0]
    assert cells.sampling.tolist() == [
        Sampling.INTERIOR, Sampling.WITH_RIM, Sampling.ONE_CELL, Sampling.NO_SURFACE, Sampling.INTERIOR, Sampling.NO_SURFACE,
    ]  # fmt: skip
    np.testing.assert_array_equal(cells.height_m, [5, 5, 5, np.nan, 5, np.nan])
    # the tiny one lies in row 19 from the north, column 20
    width = cells.window.last_column - cells.window.first_column
    row, column = divmod(int(cells.cell[cells.start[2]]), width)
    assert (row + cells.window.first_row, column + cells.window.first_column) == (19, 20)


def test_neighbouring_planes_do_not_lend_each_other_cells():
    numbers = np.zeros((6, 12), dtype=np.int32)
    numbers[1:5, 1:6] = 1
    numbers[1:5, 6:11] = 2
    cells = cells_by_number(numbers, 2, Grid.of(np.zeros((6, 12)), 1.0))
    assert np.diff(cells.start).tolist() == [6, 6]


def test_counts_are_those_of_the_cells(towers):
    grid = Grid.of(towers.heights, towers.cell_size_m)
    cells = plane_cells(towers.shapes, grid, 0.0, towers.north)
    found = reduce_horizons(grid, cells, towers.tilt_deg, towers.azimuth_deg, 8)
    assert found.azimuths_deg.tolist() == [0, 45, 90, 135, 180, 225, 270, 315]
    height, width = cells.window.last_row - cells.window.first_row, cells.window.last_column - cells.window.first_column
    for index, azimuth in enumerate(found.azimuths_deg):
        angle = horizon_angle(towers.heights, towers.cell_size_m, azimuth)
        crop = angle[cells.window.first_row :, cells.window.first_column :][:height, :width].reshape(-1)
        for plane in range(len(cells)):
            here = crop[cells.cell[cells.start[plane] : cells.start[plane + 1]]]
            expected = np.zeros(256, dtype=int)
            bins = np.where(here <= 0.05, 0, np.maximum(np.ceil(here / BIN_DEG), 1)).astype(int)
            np.add.at(expected, bins, 1)
            difference = found.counts(plane, index) - expected
            # a cell within rounding of an edge may lie in the neighbouring bin
            assert difference.sum() == 0
            assert np.abs(np.cumsum(difference)).sum() <= max(1, len(here) // 100)


def test_every_cell_is_counted_once_in_every_direction(houses):
    grid = Grid.of(houses.heights, houses.cell_size_m)
    cells = plane_cells(houses.shapes, grid, 0.0, houses.north)
    found = reduce_horizons(grid, cells, houses.tilt_deg, houses.azimuth_deg, 9)
    sums = np.add.reduceat(found.count.astype(np.int64), found.start[:-1]).reshape(len(cells), 9)
    np.testing.assert_array_equal(sums, np.tile(np.diff(cells.start)[:, None], 9))


def test_same_bits_for_any_threads(houses):
    grid = Grid.of(houses.heights, houses.cell_size_m)
    cells = plane_cells(houses.shapes, grid, 0.0, houses.north)
    one, four = (reduce_horizons(grid, cells, houses.tilt_deg, houses.azimuth_deg, 12, threads=n) for n in (1, 4))
    for name in ("start", "bin", "count"):
        np.testing.assert_array_equal(getattr(one, name), getattr(four, name))


def test_save_load_take_and_join(tmp_path, houses):
    grid = Grid.of(houses.heights, houses.cell_size_m)
    cells = plane_cells(houses.shapes, grid, 0.0, houses.north)
    whole = reduce_horizons(grid, cells, houses.tilt_deg, houses.azimuth_deg, 4, near=(0, 0, 192, 192))
    whole.save(tmp_path / "a.arrow")
    whole.save(tmp_path / "b.arrow")
    assert (tmp_path / "a.arrow").read_bytes() == (tmp_path / "b.arrow").read_bytes()
    order = np.random.default_rng(0).permutation(len(whole))
    mixed = HorizonDistribution.join(
        [whole.take(order[:20]), HorizonDistribution.load(tmp_path / "a.arrow").take(order[20:])]
    )
    back = mixed.take(np.argsort(order))
    for name in ("azimuths_deg", "cells", "sampling", "height_m", "near", "start", "bin", "count"):
        np.testing.assert_array_equal(getattr(back, name), getattr(whole, name))
    with pytest.raises(InputError, match="different azimuths"):
        HorizonDistribution.join([whole, reduce_horizons(grid, cells, houses.tilt_deg, houses.azimuth_deg, 3)])


def test_no_planes_is_no_error():
    grid = Grid.of(np.zeros((5, 5)), 1.0)
    cells = plane_cells([], grid, 0.0, 5.0)
    assert len(reduce_horizons(grid, cells, [], [], 8)) == 0


def test_unusable_planes_are_refused():
    grid = Grid.of(np.zeros((9, 9)), 1.0)
    cells = plane_cells([shapely.box(1, 1, 8, 8)], grid, 0.0, 9.0)
    with pytest.raises(InputError, match="95 deg"):
        reduce_horizons(grid, cells, [95.0], [180.0])
    with pytest.raises(InputError, match="nan deg"):
        reduce_horizons(grid, cells, [np.nan], [180.0])
    with pytest.raises(InputError, match="no azimuth"):
        reduce_horizons(grid, cells, [30.0], [np.nan])
    with pytest.raises(InputError, match="as many"):
        reduce_horizons(grid, cells, [30.0, 20.0], [180.0, 180.0])
    with pytest.raises(InputError, match="no geometry"):
        plane_cells([shapely.box(1, 1, 8, 8), shapely.Polygon()], grid, 0.0, 9.0)
    with pytest.raises(InputError, match="planes have"):
        cells_by_number(np.zeros((3, 3), dtype=np.int32), 1, grid)


def test_geographic_and_foot_grids_are_refused():
    assert check_metric("EPSG:5186", 0.5) == 0.5
    for crs in ("EPSG:4326", "EPSG:2263", None):
        with pytest.raises(InputError, match="metres"):
            check_metric(crs, 0.5)


def test_memory_stays_near_that_of_the_surface():
    """Never all azimuths of all cells: that would be 72 surfaces."""
    side = 800
    heights = np.zeros((side, side), dtype=np.float32)
    heights[::40, ::40] = 9.0
    numbers = np.kron(np.arange(1, 401, dtype=np.int32).reshape(20, 20), np.ones((40, 40), dtype=np.int32))

    def reduced():
        grid = Grid.of(heights, 0.5)
        return reduce_horizons(grid, cells_by_number(numbers, 400, grid), np.zeros(400), np.zeros(400), threads=2)

    reduced()  # what compiling takes is not meant
    tracemalloc.start()
    found = reduced()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    kept = found.bin.nbytes + found.count.nbytes + found.start.nbytes
    assert peak - 2 * kept < 14 * heights.nbytes
