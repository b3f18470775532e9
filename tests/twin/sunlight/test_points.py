"""After an edit only points are looked at again whose sun it may touch, and the result is that of a look at all of them."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from geodata.study_area import StudyArea
from twin.sky.changed_heights import changed_boxes
from twin.sky.tiles import SurfaceFolder
from twin.sunlight.points import EarlierSun, SunnedPoints
from twin.sunlight.solstice import solstice_sun
from twin.sunlight.winter_sun import winter_sun_and_points
from twin.surface import build_surface

EAST, NORTH = 192_000.0, 544_000.0
CELL = 2.0
CRS = "EPSG:5186"


@pytest.fixture(scope="module")
def sun():
    return solstice_sun(37.44, 126.86)


@pytest.fixture(scope="module")
def terrain(tmp_path_factory):
    """Hills over four square kilometres."""
    rng = np.random.default_rng(5)
    x, y = np.meshgrid(np.arange(220), np.arange(220))
    heights = 40 + 12 * np.sin(x / 17) * np.cos(y / 23) + rng.uniform(0, 0.5, (220, 220))
    path = tmp_path_factory.mktemp("terrain") / "terrain.tif"
    grid = rasterio.Affine(10, 0, EAST - 100, 0, -10, NORTH + 2100)
    with rasterio.open(path, "w", driver="GTiff", width=220, height=220, count=1, dtype="float32", crs=CRS, transform=grid,
                       nodata=np.nan) as target:  # fmt: skip
        target.write(heights.astype("float32"), 1)
    return path


def town(count=260, seed=1):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(60, 1900, (2, count))
    wide, deep = rng.uniform(8, 40, (2, count))
    shapes = shapely.box(EAST + x, NORTH + y, EAST + x + wide, NORTH + y + deep)
    heights = rng.choice([6.0, 12.0, 30.0, 60.0], count)
    heights[100] = 30.0
    names = [f"b{number}" for number in range(count)]
    return gpd.GeoDataFrame(
        {"building_id": names, "height": heights, "altitude": rng.uniform(35, 45, count).round(2)},
        geometry=shapes,
        crs=CRS,
    )


def surface_of(buildings, terrain, folder):
    shape = shapely.box(EAST, NORTH, EAST + 2000, NORTH + 2000)
    area = StudyArea(crs=CRS, area=shape, dongs=gpd.GeoDataFrame(geometry=[shape], crs=CRS))
    build_surface(buildings, terrain, area, CELL, folder)
    return SurfaceFolder.open(folder, terrain)


def raised(buildings, to=57.0):
    after = buildings.copy()
    after.loc[100, "height"] = to
    return after


def lowered(buildings):
    return raised(buildings, to=1.0)


def the_tallest_in_town(buildings):
    return raised(buildings, to=280.0)


def moved(buildings):
    after = buildings.copy()
    after.loc[[100], "geometry"] = shapely.transform(after.geometry[100], lambda xy: xy + np.array([35.0, -20.0]))
    return after


def removed(buildings):
    return buildings.drop(index=100).reset_index(drop=True)


def added(buildings):
    new = buildings.iloc[[100]].assign(building_id="new")
    new["geometry"] = [shapely.box(EAST + 980, NORTH + 900, EAST + 1020, NORTH + 930)]
    return gpd.GeoDataFrame(pd.concat([new, buildings], ignore_index=True), crs=CRS)


@pytest.fixture(scope="module")
def first(terrain, sun, tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    surface = surface_of(town(), terrain, folder / "surface")
    _, points = winter_sun_and_points(town(), surface, sun)
    points.save(folder / "points.npz")
    return EarlierSun(SunnedPoints.load(folder / "points.npz"), surface)


@pytest.mark.parametrize("edit", [raised, lowered, the_tallest_in_town, moved, removed, added])
def test_an_edit_gives_the_bits_of_a_look_at_everything(edit, first, terrain, sun, tmp_path):
    after = edit(town())
    surface = surface_of(after, terrain, tmp_path / "surface")
    warm, points = winter_sun_and_points(after, surface, sun, earlier=first)
    cold, all_points = winter_sun_and_points(after, surface, sun)
    pd.testing.assert_frame_equal(warm, cold, check_exact=True)
    for name in ("xyz", "facing_deg", "lit", "open", "sun"):
        np.testing.assert_array_equal(getattr(points, name), getattr(all_points, name))
    # something has changed, and most of it was not looked at again
    before = {key.tobytes(): row.tobytes() for key, row in zip(first.points.xyz, first.points.lit, strict=True)}
    differs = sum(
        before.get(key.tobytes()) not in (None, row.tobytes()) for key, row in zip(points.xyz, points.lit, strict=True)
    )
    assert differs > 0
    held = first.where_it_holds(points.xyz, points.facing_deg, surface, sun)
    assert (held >= 0).mean() > (0.7 if edit is the_tallest_in_town else 0.9)


def test_what_holds_is_taken_and_not_computed(first, terrain, sun, tmp_path):
    after = raised(town())
    surface = surface_of(after, terrain, tmp_path / "surface")
    _, points = winter_sun_and_points(after, surface, sun)
    held = first.where_it_holds(points.xyz, points.facing_deg, surface, sun)
    wrong = replace(first.points, lit=~first.points.lit)
    _, told = winter_sun_and_points(after, surface, sun, earlier=EarlierSun(wrong, first.surface))
    assert (told.lit != points.lit)[held >= 0].all()
    np.testing.assert_array_equal(told.lit[held < 0], points.lit[held < 0])


def test_nothing_holds_under_another_sun_or_other_hills(first, terrain, sun, tmp_path):
    points = first.points
    other = solstice_sun(35.0, 126.86)
    assert (first.where_it_holds(points.xyz, points.facing_deg, first.surface, other) < 0).all()
    assert (first.where_it_holds(points.xyz, points.facing_deg, first.surface, sun) == np.arange(len(points.xyz))).all()
    hills = tmp_path / "terrain.tif"
    hills.write_bytes(terrain.read_bytes() + b" ")
    moved_hills = replace(first.surface, terrain=hills)
    assert (first.where_it_holds(points.xyz, points.facing_deg, moved_hills, sun) < 0).all()


def test_boxes_hold_every_changed_cell_and_little_else(first, terrain, tmp_path):
    after = raised(moved(town()).drop(index=7).reset_index(drop=True))
    surface = surface_of(after, terrain, tmp_path / "surface")
    boxes = changed_boxes(first.surface, surface, 4)
    whole = (EAST, NORTH, EAST + 2000, NORTH + 2000)
    one, two = first.surface.read(whole), surface.read(whole)
    row, column = np.nonzero(one != two)
    x, y = EAST + (column + 0.5) * CELL, NORTH + 2000 - (row + 0.5) * CELL
    inside = np.zeros(len(x), dtype=bool)
    for box in boxes:
        west, south, east, north = box.bounds
        inside |= (west < x) & (x < east) & (south < y) & (y < north)
    assert len(x) > 100
    assert inside.all()
    assert sum((b.bounds[2] - b.bounds[0]) * (b.bounds[3] - b.bounds[1]) for b in boxes) < 3 * len(x) * CELL**2
    highest = max(one[row, column].max(), two[row, column].max())
    assert highest <= max(box.highest_m for box in boxes) <= max(one.max(), two.max())
