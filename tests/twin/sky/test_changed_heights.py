from __future__ import annotations

from dataclasses import replace

import numpy as np
import rasterio
from affine import Affine

from twin.sky.changed_heights import changed_bounds, changed_boxes, reaches
from twin.sky.tiles import SurfaceFolder


def surface(folder, heights, name="E0_N0.tif"):
    """One tile of 200 m a side in cells of 2 m, its south-western corner at (1000, 2000)."""
    folder.mkdir()
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "width": 100, "height": 100, "crs": "EPSG:5186"}
    with rasterio.open(
        folder / name, "w", transform=Affine(2, 0, 1000, 0, -2, 2200), nodata=np.nan, **profile
    ) as target:
        target.write(heights.astype(np.float32), 1)
    return SurfaceFolder.open(folder)


def test_boxes_hold_what_has_changed_and_no_more(tmp_path):
    flat = np.zeros((100, 100))
    edited = flat.copy()
    edited[10:14, 20:25], edited[90, 99] = 7.0, -1.0
    before, now = surface(tmp_path / "before", flat), surface(tmp_path / "now", edited)
    assert changed_boxes(before, before, 0) == []
    found = sorted(box.bounds for box in changed_boxes(before, now, 0))
    # rows count from the north edge at 2200, columns from the west edge at 1000
    assert found == [(1040.0, 2172.0, 1050.0, 2180.0), (1198.0, 2018.0, 1200.0, 2020.0)]
    assert sorted(box.highest_m for box in changed_boxes(before, now, 0)) == [0.0, 7.0]


def test_trees_count_too(tmp_path):
    flat, grown = np.zeros((100, 100)), np.zeros((100, 100))
    grown[50, 60] = 9.0
    ground = surface(tmp_path / "ground", flat)
    before = replace(ground, canopy=surface(tmp_path / "bare", flat))
    now = replace(ground, canopy=surface(tmp_path / "grown", grown))
    assert changed_bounds(before, before).shape == (0, 4)
    assert changed_bounds(before, now).tolist() == [[1120.0, 2098.0, 1122.0, 2100.0]]
    assert changed_bounds(ground, now) is None


def test_what_cannot_be_held_against_each_other_is_not(tmp_path):
    flat, holed = np.zeros((100, 100)), np.zeros((100, 100))
    holed[5, 5] = np.nan
    one = surface(tmp_path / "one", flat)
    # terrain that fills a hole is resampled as wide as the hole
    for other in (
        surface(tmp_path / "other", flat, "E1_N0.tif"),
        surface(tmp_path / "holed", holed),
        replace(one, cell_size_m=4.0),
        replace(one, crs="EPSG:5187"),
        replace(one, terrain=one.paths[0]),
    ):
        assert changed_boxes(one, other, 0) is None
        assert changed_bounds(one, other) is None


def test_a_rectangle_is_reached_where_it_shares_cells_with_a_box():
    boxes = np.array([[100.0, 100.0, 120.0, 110.0]])
    assert reaches(boxes, (0.0, 0.0, 101.0, 101.0))
    assert not reaches(boxes, (0.0, 0.0, 100.0, 300.0))
    assert not reaches(boxes[:0], (0.0, 0.0, 300.0, 300.0))
    assert reaches(None, (0.0, 0.0, 1.0, 1.0))
