from __future__ import annotations

import numpy as np
import pandas as pd
import pvlib
import pytest
import rasterio
import shapely
from affine import Affine

from geodata.errors import InputError
from twin.sky.factors import sky_view_ratio, unshaded_fraction
from twin.sky.far import FarSurface
from twin.sky.lines import Grid
from twin.sky.plane_cells import Sampling, plane_cells
from twin.sky.planes import HorizonDistribution, reduce_horizons
from twin.sky.tiles import SurfaceFolder, far_skyline, join_tiles, pooled_surface, sweep_tile, tiles_of


@pytest.fixture(scope="module")
def district(request):
    """1.2 km square in cells of 2 m: houses, towers, a ridge of 60 m in the north-west."""
    rng = np.random.default_rng(5)
    size, side = 2.0, 600
    x = (np.arange(side) + 0.5) * size
    east, north = np.meshgrid(x, x[::-1])
    heights = 20 + 60 * np.exp(-(((east - 150) ** 2) + (north - 1050) ** 2) / 2 / 140**2)
    shapes = []
    for column in range(4, 116):
        for row in range(4, 116):
            if (column * 7 + row * 11) % 12 or rng.random() < 0.25:
                continue
            west, south = column * 10.0, row * 10.0
            width, depth = rng.choice([12.0, 16.0, 20.0], 2)
            inside = (east > west) & (east < west + width) & (north > south) & (north < south + depth)
            heights[inside] = heights[inside].mean() + rng.choice([6.0, 12.0, 20.0, 35.0], p=[0.5, 0.3, 0.17, 0.03])
            shapes.append(shapely.box(west, south, west + width, south + depth))
    heights = heights.astype(np.float32)

    def read(bounds):
        west, south, east_, north_ = (round(edge / size) for edge in bounds)
        out = np.full((north_ - south, east_ - west), np.nan, dtype=np.float32)
        top, left = side - north_, west
        rows, columns = slice(max(0, top), min(side, side - south)), slice(max(0, left), min(side, east_))
        out[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = heights[rows, columns]
        return out

    return heights, read, np.array(shapes), size


def untiled(district, azimuths=72) -> HorizonDistribution:
    heights, _, shapes, size = district
    grid = Grid.of(heights, size, row0=-len(heights), column0=0)
    cells = plane_cells(shapes, grid, 0.0, len(heights) * size)
    return reduce_horizons(grid, cells, np.zeros(len(shapes)), np.full(len(shapes), np.nan), azimuths)


def tiled(district, tile_m, halo_m, read=None, azimuths=72):
    _, own_read, shapes, size = district
    tiles = tiles_of(shapes, size, tile_m=tile_m, halo_m=halo_m)
    swept = [sweep(tile, district, read or own_read, azimuths) for tile in tiles]
    return tiles, swept


def sweep(tile, district, read, azimuths=72):
    shapes, count = district[2][tile.planes], len(tile.planes)
    return sweep_tile(
        tile,
        read(tile.near),
        district[3],
        shapes,
        tilt_deg=np.zeros(count),
        azimuth_deg=np.full(count, np.nan),
        azimuths=azimuths,
    )


def yearly_loss(distribution, far=None) -> np.ndarray:
    """Share of the year's beam on a level plane that is lost [percentage points], weighed by the sun's height."""
    times = pd.date_range("2023-01-01 00:30", periods=8760, freq="h", tz="Asia/Seoul")[::3]
    sun = pvlib.solarposition.get_solarposition(times, 37.43, 126.83)
    sun = sun[sun["apparent_elevation"] > 0]
    weight = np.sin(np.radians(sun["apparent_elevation"].to_numpy()))
    return 100 * (
        1 - weight @ unshaded_fraction(distribution, sun["azimuth"], sun["apparent_elevation"], far) / weight.sum()
    )


def test_each_plane_belongs_to_one_tile_and_lies_inside_its_surface(district):
    shapes, size = district[2], district[3]
    tiles = tiles_of(shapes, size, tile_m=400.0, halo_m=100.0)
    assert sorted(np.concatenate([tile.planes for tile in tiles]).tolist()) == list(range(len(shapes)))
    assert len({tile.name for tile in tiles}) == len(tiles) == 9
    for tile in tiles:
        west, south, east, north = tile.near
        boxes = shapely.bounds(shapes[tile.planes])
        assert (boxes[:, :2] >= [west + 100, south + 100]).all() and (boxes[:, 2:] <= [east - 100, north - 100]).all()
        assert all(edge % size == 0 for edge in tile.near)


def test_a_halo_as_wide_as_the_town_gives_the_untiled_counts_bit_for_bit(district):
    whole = untiled(district, 12)
    tiles, swept = tiled(district, 600.0, 1200.0, azimuths=12)
    joined = join_tiles(tiles, swept)
    for name in ("cells", "sampling", "height_m", "start", "bin", "count"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))


def test_tiled_yearly_shading_is_that_of_the_untiled_sweep(district):
    _, read, shapes, size = district
    whole = untiled(district)
    tiles, swept = tiled(district, 400.0, 100.0)
    joined = join_tiles(tiles, swept)
    far = far_skyline(joined, shapes, [pooled_surface(read, (0, 0, 1200, 1200), size, far_cell_m=6.0)])
    loss = yearly_loss(whole)
    assert loss.mean() > 2
    near_only, with_far = np.abs(yearly_loss(joined) - loss), np.abs(yearly_loss(joined, far) - loss)
    assert np.quantile(with_far, 0.95) <= 0.3
    assert with_far.mean() < near_only.mean()
    level, south = np.zeros(len(shapes)), np.full(len(shapes), 180.0)
    exact = sky_view_ratio(whole, level, south)
    assert np.quantile(np.abs(sky_view_ratio(joined, level, south, far) - exact), 0.95) <= 0.003


def test_an_edit_changes_its_own_tile_and_no_tile_beyond_the_halo(district):
    _, read, _, size = district

    def edited(bounds):
        surface = read(bounds)
        west, _, _, north = bounds
        rows, columns = round((north - 250) / size), round((130 - west) / size)
        if rows >= 0 and columns >= 0:
            surface[rows : rows + 10, columns : columns + 10] += 40.0
        return surface

    tiles, before = tiled(district, 600.0, 100.0, azimuths=12)
    _, after = tiled(district, 600.0, 100.0, edited, azimuths=12)
    changed = {
        tile.name
        for tile, old, new in zip(tiles, before, after, strict=True)
        if not (np.array_equal(old.bin, new.bin) and np.array_equal(old.count, new.count))
    }
    assert changed == {"E0_N0"}, changed


def test_a_tile_without_surface_flags_its_planes(district):
    _, _, shapes, size = district
    tile = tiles_of(shapes[:5], size, tile_m=400.0, halo_m=100.0)[0]
    found = sweep(tile, district, lambda bounds: np.full_like(district[1](bounds), np.nan), azimuths=8)
    assert (found.sampling == Sampling.NO_SURFACE).all()
    assert (unshaded_fraction(found, [10.0], [5.0]) == 1.0).all()
    assert (sky_view_ratio(found, np.zeros(len(found)), np.zeros(len(found))) == 1.0).all()


def test_no_planes_and_wrong_surfaces():
    assert tiles_of([], 0.5) == []
    tile = tiles_of([shapely.box(1, 1, 5, 5)], 1.0, tile_m=100.0, halo_m=10.0)[0]
    with pytest.raises(InputError, match="needs"):
        sweep_tile(tile, np.zeros((3, 3)), 1.0, [shapely.box(1, 1, 5, 5)], tilt_deg=[0], azimuth_deg=[0])
    with pytest.raises(InputError, match="no geometry"):
        tiles_of([shapely.Point()], 1.0)


def write(path, heights, transform, crs):
    options = {"driver": "GTiff", "dtype": "float32", "count": 1, "width": heights.shape[1], "height": heights.shape[0]}
    with rasterio.open(path, "w", crs=crs, transform=transform, nodata=float("nan"), **options) as target:
        target.write(heights.astype(np.float32), 1)


def test_surface_is_read_across_tiles(tmp_path):
    rng = np.random.default_rng(0)
    heights = rng.normal(50, 5, (40, 60)).astype(np.float32)
    for row in (0, 20):
        for column in (0, 20, 40):
            if (row, column) != (20, 40):
                corner = Affine(5, 0, 200000 + column * 5, 0, -5, 540200 - row * 5)
                write(
                    tmp_path / f"t{row}_{column}.tif",
                    heights[row : row + 20, column : column + 20],
                    corner,
                    "EPSG:5186",
                )
    heights[20:, 40:] = np.nan
    folder = SurfaceFolder.open(tmp_path)
    assert folder.cell_size_m == 5.0
    assert folder.crs == "EPSG:5186"
    np.testing.assert_array_equal(folder.read((200000, 540000, 200300, 540200)), heights)
    np.testing.assert_array_equal(folder.read((200035, 540050, 200250, 540180)), heights[4:30, 7:50])
    wide = folder.read((199990, 539990, 200020, 540020))
    assert np.isnan(wide[:, :2]).all() and np.isnan(wide[4:]).all()
    np.testing.assert_array_equal(wide[:4, 2:], heights[36:, :4])
    # ground around the tiles, in cells of 10 m, stands in where there is no tile
    ground = np.repeat(np.arange(50, dtype=np.float32)[:, None], 60, axis=1)
    write(tmp_path / "ground.tiff", ground, Affine(10, 0, 199850, 0, -10, 540350), "EPSG:5186")
    filled = SurfaceFolder.open(tmp_path, tmp_path / "ground.tiff").read((200000, 540000, 200300, 540200))
    np.testing.assert_array_equal(filled[:20], heights[:20])
    # 150 m below the ground's northern edge lie 15 of its rows; heights are linear between the rows' middles
    np.testing.assert_allclose(filled[20:, 41:].mean(axis=1), 14.5 + (20 + np.arange(20) + 0.5) / 2, atol=1e-3)
    pooled = pooled_surface(folder.read, (200000, 540000, 200300, 540200), 5.0, far_cell_m=20.0, block_m=70.0)
    assert isinstance(pooled, FarSurface) and pooled.grid.cell_size_m == 20.0
    np.testing.assert_array_equal(pooled.grid.heights[:5, :10], heights[:20, :40].reshape(5, 4, 10, 4).max(axis=(1, 3)))


def test_unusable_surface_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="no surface tiles"):
        SurfaceFolder.open(tmp_path)
    cases = {
        "square": (Affine(5, 0, 200000, 0, -4, 540000), "EPSG:5186"),
        "north-up": (Affine(5, 1, 200000, 0, -5, 540000), "EPSG:5186"),
        "metres": (Affine(0.001, 0, 126.8, 0, -0.001, 37.4), "EPSG:4326"),
    }
    for words, (transform, crs) in cases.items():
        (tmp_path / words).mkdir()
        write(tmp_path / words / "a.tif", np.zeros((4, 4)), transform, crs)
        with pytest.raises(InputError, match=words):
            SurfaceFolder.open(tmp_path / words)
    write(tmp_path / "a.tif", np.zeros((4, 4)), Affine(5, 0, 200000, 0, -5, 540000), "EPSG:5186")
    write(tmp_path / "b.tif", np.zeros((4, 4)), Affine(2, 0, 200000, 0, -2, 540000), "EPSG:5186")
    with pytest.raises(InputError, match="differ"):
        SurfaceFolder.open(tmp_path)
