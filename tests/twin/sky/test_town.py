from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from tests.kept import Kept
from twin.sky.tiles import SurfaceFolder
from twin.sky.town import SweptTown, load_skyline, save_skyline, town_skyline
from twin.sky.town_sky import TownSky, other_sky

CELL_M = 4.0
SIDE_M = 3000


def write_town(folder, tops, boxes):
    """3 km square of gentle hills with flat roofs, in tiles of 1 km; the terrain around it is 10 m cells."""
    folder.mkdir()
    count = round(1000 / CELL_M)
    for column in range(SIDE_M // 1000):
        for row in range(SIDE_M // 1000):
            x = column * 1000 + (np.arange(count) + 0.5) * CELL_M
            y = (row + 1) * 1000 - (np.arange(count) + 0.5) * CELL_M
            heights = hills(*np.meshgrid(x, y))
            for top, (west, south, east, north) in zip(tops, boxes, strict=True):
                heights[np.ix_((y > south) & (y < north), (x > west) & (x < east))] = top
            write(folder / f"E{column}_N{row}.tif", heights, CELL_M, column * 1000, (row + 1) * 1000)
    x = np.arange(-1000, SIDE_M + 1000, 20.0) + 10
    write(folder / "ground.tiff", hills(*np.meshgrid(x, x[::-1])), 20.0, -1000, SIDE_M + 1000)
    return SurfaceFolder.open(folder, folder / "ground.tiff")


def hills(east, north):
    return 30 + 20 * np.sin(east / 500) + 15 * np.cos(north / 400)


def write(path, heights, size, west, north):
    options = {"driver": "GTiff", "dtype": "float32", "count": 1, "width": heights.shape[1], "height": heights.shape[0]}
    place = Affine(size, 0, west, 0, -size, north)
    with rasterio.open(path, "w", crs="EPSG:5186", transform=place, nodata=float("nan"), **options) as target:
        target.write(heights.astype(np.float32), 1)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    rng = np.random.default_rng(8)
    west, south = rng.uniform(20, SIDE_M - 60, (2, 300))
    boxes = np.column_stack([west, south, west + 30, south + 24])
    tops = hills(west, south) + rng.choice([6.0, 12.0, 40.0], 300)
    # one more stands in the middle of the middle tile, 500 m from any border
    boxes, tops = np.vstack([boxes, [1490, 1490, 1520, 1514]]), np.append(tops, 60.0)
    planes = gpd.GeoDataFrame(
        {"tilt_deg": 0.0, "azimuth_deg": np.nan}, index=range(301), geometry=shapely.box(*boxes.T)
    )
    before = write_town(folder / "before", tops, boxes)
    raised = tops.copy()
    raised[300] += 25.0
    after = write_town(folder / "after", raised, boxes)
    kept = Kept(folder / "kept")
    first = town_skyline(planes, before, 12, kept)
    return planes, before, after, kept, first


def test_an_unchanged_town_is_neither_swept_nor_read(town, tmp_path):
    planes, before, _, kept, first = town
    kept.filled.clear()
    again = town_skyline(planes, before, 12, kept)
    assert kept.filled == []
    assert files(again, tmp_path / "again") == files(first, tmp_path / "first")


def test_an_edited_building_is_swept_in_its_tile_only_and_equals_the_full_run_bit_for_bit(town, tmp_path):
    planes, _, after, kept, first = town
    kept.filled.clear()
    edited = town_skyline(planes, after, 12, kept)
    assert kept.tiles() == ["E1_N1"]
    full = town_skyline(planes, after, 12, Kept(tmp_path / "anew"))
    assert files(edited, tmp_path / "edited") == files(full, tmp_path / "full")
    assert files(edited, tmp_path / "edited") != files(first, tmp_path / "first")
    # from other tiles the taller building is part of the far skyline
    moved = (full[1] != first[1]).any(axis=1)
    elsewhere = np.flatnonzero(
        moved & (shapely.get_coordinates(shapely.point_on_surface(planes.geometry))[:, 0] > 2000)
    )
    assert len(elsewhere) > 0


def test_of_a_town_swept_before_only_what_sees_the_edit_is_swept_again(town, tmp_path, monkeypatch):
    planes, before, after, _, _ = town
    full = town_skyline(planes, after, 12, Kept(tmp_path / "full"))
    own = Kept(tmp_path / "own")
    town_skyline(planes, before, 12, own)
    monkeypatch.setattr("twin.sky.town.sweep_tile", refuse)
    with pytest.raises(AssertionError, match="swept whole"):
        town_skyline(planes, after, 12, Kept(tmp_path / "refused"))
    read, really = [], SurfaceFolder.read
    monkeypatch.setattr(SurfaceFolder, "read", lambda self, bounds: read.append(bounds) or really(self, bounds))
    found = town_skyline(planes, after, 12, own, before=SweptTown(planes, before, own.known))
    # only the middle tile is read with its halo, before and after the edit; the far surface reads squares of a kilometre
    assert sum(east - west > 1100 for west, _, east, _ in read) == 2
    assert files(found, tmp_path / "found") == files(full, tmp_path / "expected")


def test_a_town_that_was_swept_on_other_cells_or_in_other_directions_is_of_no_use(town, tmp_path):
    planes, before, after, kept, first = town
    coarse = tmp_path / "coarse"
    coarse.mkdir()
    for path in before.paths:
        with rasterio.open(path) as source:
            write(coarse / path.name, source.read(1)[::2, ::2], 2 * CELL_M, source.bounds.left, source.bounds.top)
    other = SurfaceFolder.open(coarse, before.terrain)
    own = Kept(tmp_path / "own")
    town_skyline(planes, other, 12, own)
    found = town_skyline(planes, after, 12, own, before=SweptTown(planes, other, own.known))
    assert files(found, tmp_path / "found") == files(town_skyline(planes, after, 12, kept), tmp_path / "expected")
    rows = np.arange(len(planes))
    skies = [TownSky(*skyline, None) for skyline in (first, town_skyline(planes, before, 8, kept))]
    assert other_sky(skies[0], rows, skies[1], rows).all()
    assert not other_sky(skies[0], rows, skies[0], rows).any()


def refuse(*arguments, **options):
    raise AssertionError("swept whole")


def test_what_is_saved_is_read_back(town, tmp_path):
    distribution, far = town[4]
    save_skyline(distribution, far, tmp_path)
    found, found_far = load_skyline(tmp_path)
    for name in vars(distribution):
        np.testing.assert_array_equal(getattr(found, name), getattr(distribution, name))
        assert getattr(found, name).dtype == getattr(distribution, name).dtype
    np.testing.assert_array_equal(found_far, far)


def test_identity_tells_apart_what_is_read(town):
    _, before, after, _, _ = town
    corner, middle = (0.0, 0.0, 800.0, 800.0), (900.0, 900.0, 1700.0, 1700.0)
    assert before.identity(corner) == after.identity(corner)
    assert before.identity(middle) != after.identity(middle)
    bare = SurfaceFolder.open(before.paths[0].parent)
    assert bare.identity(corner) != before.identity(corner)


def files(skyline, folder):
    folder.mkdir(exist_ok=True)
    save_skyline(*skyline, folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
