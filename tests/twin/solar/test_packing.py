from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely.affinity import rotate

from twin.solar.packing import Grid, facing_down, pack

# modules of 2 m in rows 1 m deep, 2 m from row to row, 0.1 m between neighbours
GRID = Grid(width=2.0, depth=1.0, gap=0.1, pitch=2.0)
EMPTY = shapely.Polygon()


def counts(*shapes: shapely.Geometry, limit: float | list[float] = np.inf) -> list[int]:
    return pack(np.array(shapes, dtype=object), GRID, limit).count.tolist()


def test_a_rectangle_aligned_with_the_rows():
    # 20 m hold 9 modules (9 x 2 + 8 x 0.1 = 18.8), 10 of them need 20.9; rows begin at 0, 2, 4, 6 and end by 8
    packed = pack(np.array([shapely.box(0, 0, 20, 8)], dtype=object), GRID)
    assert (packed.count.tolist(), packed.behind.tolist()) == ([36], [27])


def test_a_module_may_touch_the_outline():
    assert counts(shapely.box(0, 0, 20.9, 1)) == [10]
    assert counts(shapely.box(0, 0, 20.89, 1)) == [9]
    assert counts(shapely.box(0, 0, 20.9, 0.99)) == [0]


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        # L: rows at 0 and 2 are 20 m long, those at 4 and 6 only 5 m
        (shapely.box(0, 0, 20, 3) | shapely.box(0, 3, 5, 8), 9 + 9 + 2 + 2),
        # courtyard of 4 m x 2 m from (8, 2.5): it reaches into the rows at 2 and 4 and leaves 8 m on either side
        (shapely.box(0, 0, 20, 8) - shapely.box(8, 2.5, 12, 4.5), 9 + (3 + 3) * 2 + 9),
        # the same court between two rows touches neither
        (shapely.box(0, 0, 20, 8) - shapely.box(8, 3.0, 12, 4.0), 36),
        # two parts of one roof: 5 m wide each, the second half a row higher, so that only its rows at 2 and 4 fit
        (shapely.MultiPolygon([shapely.box(0, 0, 5, 6), shapely.box(7, 1, 12, 6)]), 2 + 4 + 4),
        # a right angle at the origin: its rows are cut at their upper edge, 20 x 7/8 = 17.5, 12.5, 7.5 and 2.5 m
        (shapely.Polygon([(0, 0), (20, 0), (0, 8)]), 8 + 6 + 3 + 1),
        # a notch from above into the last row
        (shapely.box(0, 0, 20, 8) - shapely.box(9, 6.5, 11, 8), 27 + 4 + 4),
        # a spike from below, half a row high
        (shapely.Polygon([(0, 0), (9, 0), (10, 0.5), (11, 0), (20, 0), (20, 1), (0, 1)]), 4 + 4),
        (EMPTY, 0),
        (shapely.box(0, 0, 1.9, 50), 0),
    ],
)
def test_other_outlines(shape, count):
    assert counts(shape) == [count]
    # beside others, in any order, nothing changes
    assert counts(EMPTY, shape, shapely.box(0, 0, 20, 8), shape) == [0, count, 36, count]


@pytest.mark.parametrize(
    ("limit", "count"),
    [
        # a row takes 9 x 2.1 x 2 = 37.8 m2 with the space behind it, as the last one 18.9
        (18.9, 9), (18.8, 8), (2.1, 1), (2.0, 0), (37.8, 9), (39.8, 9), (39.91, 10), (56.7, 18), (75.6, 18), (77.71, 19), (1e9, 36), (0.0, 0),
    ],
)  # fmt: skip
def test_modules_and_the_space_between_rows_stay_within_the_limit(limit, count):
    packed = pack(np.array([shapely.box(0, 0, 20, 8)], dtype=object), GRID, limit)
    assert packed.count.tolist() == [count]
    assert packed.behind.tolist() == [max(0, count - 9)]
    full_rows, last = divmod(max(count - 1, 0), 9)
    assert full_rows * 37.8 + (last + 1) * 2.1 * (count > 0) <= limit + 1e-9


@pytest.mark.parametrize("azimuth", [180.0, 0.0, 90.0, 237.0, 361.0])
def test_a_roof_that_is_turned_with_its_modules_holds_as_many(azimuth):
    shape = shapely.box(0, 0, 20, 3) | shapely.box(0, 3, 5, 8)
    # shapely turns counter-clockwise, azimuths go clockwise
    turned = rotate(shape, 180.0 - azimuth, origin=(400_000.3, 500_000.7))
    down = facing_down(np.array([turned], dtype=object), azimuth, 0.0)
    assert shapely.area(down[0]) == pytest.approx(shape.area, abs=1e-6)
    assert counts(*down) == [22]


def test_lengths_are_measured_along_the_slope():
    # 60 deg towards east: 4 m as seen from above are 8 m up the slope, 20 m along the eaves stay
    down = facing_down(np.array([shapely.box(0, 0, 4, 20)], dtype=object), 90.0, 60.0)
    assert shapely.bounds(down[0])[2:] - shapely.bounds(down[0])[:2] == pytest.approx([20.0, 8.0])
    assert counts(*down) == [36]


def test_no_shapes():
    nothing = np.array([], dtype=object)
    assert len(pack(nothing, GRID).count) == 0
    assert len(facing_down(nothing, 180.0, 0.0)) == 0


def test_never_more_than_the_area_holds():
    generator = np.random.default_rng(5)
    shapes = []
    for _ in range(300):
        points = generator.uniform(0, 30, (12, 2))
        shapes.append(shapely.convex_hull(shapely.multipoints(points)) - shapely.Point(15, 15).buffer(3))
    shapes = np.array(shapes, dtype=object)
    limit = 0.7 * shapely.area(shapes)
    count = pack(shapes, GRID, limit).count
    assert count.min() > 0
    assert (count * 2.0 * 1.0 <= limit).all()
