"""A tile swept again only where an edit can be seen holds what a whole sweep finds, bit for bit."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import shapely

from twin.sky.planes import HorizonDistribution
from twin.sky.tile_update import PlaneTable, TileState, differing, updated_tile, window_of
from twin.sky.tiles import Tile, sweep_tile, tile_grid

SIDE, CELL_M = 320, 1.0
NEAR = (10_000.0, 20_000.0, 10_000.0 + SIDE, 20_000.0 + SIDE)
AZIMUTHS = 24


class Scene:
    """Boxes on rolling ground, each with a roof; one pitched roof and one hole in the ground."""

    def __init__(self):
        rng = np.random.default_rng(5)
        self.boxes = {}
        for number in range(40):
            west, south = rng.integers(20, SIDE - 50, 2)
            self.boxes[number] = (int(west), int(south), int(rng.integers(8, 24)), int(rng.integers(8, 24)), float(rng.choice([5.0, 9.0, 30.0])))  # fmt: skip
        self.boxes[7] = (150, 120, 18, 14, 30.0)
        self.tilts = {3: 30.0}
        self.holes = [(100, 100, 12)]

    def state(self) -> TileState:
        row, column = np.indices((SIDE, SIDE))
        heights = 20 + 6 * np.sin(column / 40) + 4 * np.cos(row / 33)
        shapes, tilts = [], []
        for number, (west, south, wide, deep, up) in sorted(self.boxes.items()):
            inside = (column >= west) & (column < west + wide) & (row >= south) & (row < south + deep)
            heights[inside] = 24 + up + (0.577 * (row - south)[inside] if self.tilts.get(number) else 0.0)
            north = NEAR[3] - south * CELL_M
            shapes.append(shapely.box(NEAR[0] + west, north - deep, NEAR[0] + west + wide, north))
            tilts.append(self.tilts.get(number, 0.0))
        for up, left, size in self.holes:
            heights[up : up + size, left : left + size] = np.nan
        table = PlaneTable(np.array(shapes, dtype=object), np.array(tilts), np.full(len(shapes), 180.0))
        grid = tile_grid(Tile("E10_N20", np.arange(len(shapes)), NEAR), heights.astype(np.float32), CELL_M)
        return TileState(table, grid, NEAR[0], NEAR[3])


def swept(state: TileState) -> HorizonDistribution:
    tile = Tile("E10_N20", np.arange(len(state.planes)), NEAR)
    table = state.planes
    return sweep_tile(
        tile, state.grid.heights, CELL_M, table.shapes,
        tilt_deg=table.tilt_deg, azimuth_deg=table.azimuth_deg, azimuths=AZIMUTHS,
    )  # fmt: skip


def raised(scene):
    scene.boxes[7] = (*scene.boxes[7][:4], 50.0)


def lowered(scene):
    scene.boxes[7] = (*scene.boxes[7][:4], 0.5)


def moved(scene):
    west, south, wide, deep, up = scene.boxes[7]
    scene.boxes[7] = (west + 9, south - 5, wide, deep, up)


def removed(scene):
    del scene.boxes[7]


def added(scene):
    scene.boxes[99] = (150, 160, 14, 10, 45.0)


def opened(scene):
    scene.holes.append((170, 140, 9))


def turned(scene):
    """One roof is pitched now: its own cells change, and what it can see."""
    scene.tilts[7] = 30.0


def nothing(scene):
    """The same town."""


@pytest.mark.parametrize(
    "edit", [raised, lowered, moved, removed, added, opened, turned, nothing], ids=lambda e: e.__name__
)
@pytest.mark.parametrize("threads", [1, 3])
def test_an_edit_gives_the_skylines_of_a_whole_sweep(edit, threads):
    scene = Scene()
    then = scene.state()
    before = swept(then)
    edit(scene)
    now = scene.state()
    found, expected = updated_tile(before, then, now, threads=threads), swept(now)
    assert found is not None
    for field in fields(HorizonDistribution):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name), err_msg=field.name)
        assert getattr(found, field.name).dtype == getattr(expected, field.name).dtype
    # the edit is seen by roofs that it does not touch, else this would prove nothing
    kept = now.planes.among(then.planes)
    others = np.flatnonzero(kept >= 0)
    seen = [
        plane for plane in others
        if any((expected.counts(plane, a) != before.counts(kept[plane], a)).any() for a in range(AZIMUTHS))
    ]  # fmt: skip
    assert len(seen) > 3 or edit in (opened, turned, nothing)
    assert seen == [] or edit is not nothing


def test_where_changes_lie_far_apart_the_whole_tile_is_swept():
    scene = Scene()
    then = scene.state()
    before = swept(then)
    scene.holes += [(5, 5, 3), (300, 300, 3)]
    assert updated_tile(before, then, scene.state()) is None


def test_changed_cells_are_found_where_holes_come_and_go():
    one = np.zeros((6, 8), dtype=np.float32)
    one[0, 0] = np.nan
    two = one.copy()
    assert window_of(differing(one, two)) is None
    two[2, 5] = np.nan
    two[4, 3] = 1.0
    found = window_of(differing(one, two))
    assert (found.first_row, found.last_row, found.first_column, found.last_column) == (2, 5, 3, 6)
