from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from geodata.errors import InputError
from tests.kept import Kept
from twin.sky.canopy import build_canopy, held_back, open_canopy
from twin.sky.cell_light import STEPS as RASTERS
from twin.sky.cell_sums import FarField, Surface, bilinear, sums_over_azimuths
from twin.sky.far import FarSurface
from twin.sky.horizon import Window
from twin.sky.lines import Grid
from twin.sky.raster_tile import NOTHING, RasterMaker, RasterTile, Year
from twin.sky.rasters import default_cell_size_m, raster_tiles, town_rasters
from twin.sky.shadow import shaded
from twin.sky.sky_view import grid_sky_view
from twin.sky.sun_table import FIRST_KEY, FRACTION_BITS, SunPath, daylight_path, level_irradiation, tangent_table
from twin.sky.tiles import SurfaceFolder

SEOUL = "Asia/Seoul"
ALBEDO = 0.2


@pytest.fixture(scope="module")
def year(clear_year):
    return Year(daylight_path(37.45, 126.87, 0.0, SEOUL), level_irradiation(clear_year, SEOUL), ALBEDO, 72)


def write(path, heights, size, west=0.0, north=1000.0):
    path.parent.mkdir(exist_ok=True, parents=True)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "width": heights.shape[1], "height": heights.shape[0]}
    grid = Affine(size, 0, west, 0, -size, north)
    with rasterio.open(path, "w", crs="EPSG:5186", transform=grid, nodata=float("nan"), **profile) as target:
        target.write(heights.astype(np.float32), 1)


def maker(folder, year, cell_size_m, far=0.0):
    plain = FarSurface.of(np.full((40, 40), far, np.float32), 100.0, -1500.0, 2500.0)
    return RasterMaker(SurfaceFolder.open(folder), None, plain, year, cell_size_m)


def values_of(made, heights, side, near):
    """Values of a square of ``side`` cells in the middle of a square surface of ``near`` cells."""
    size, edge = made.cell_size_m, (near - side) // 2
    bounds = (edge * size, edge * size, (edge + side) * size, (edge + side) * size)
    tile = RasterTile("E0_N0", bounds, (0.0, 0.0, near * size, near * size), np.ones((side, side), bool))
    lowest = made.lowest(tile, heights[0])
    return made.values(tile, heights, made.sums(tile, heights, lowest, made.far_nodes(tile, lowest)))


@pytest.fixture
def plain(tmp_path):
    write(tmp_path / "plain" / "E0_N0.tif", np.zeros((500, 500)), 2.0)
    return tmp_path / "plain"


def test_open_ground_receives_the_global_irradiation_and_no_shade(plain, year, clear_year):
    made = maker(plain, year, 2.0)
    sky, summer, whole, irradiation = values_of(made, [np.full((200, 200), 30.0, np.float32)], 60, 200)
    assert (sky == 1.0).all()
    assert (summer < 1e-2).all()
    assert (whole < 1e-2).all()
    np.testing.assert_allclose(irradiation, clear_year.ghi_kwh_m2, rtol=5e-3)
    assert np.ptp(irradiation) == 0


def test_daylight_has_the_hours_of_the_almanac(year):
    # mean of the sunlit half of a year, plus refraction: about 4,380 h and some 60 h
    assert year.daylight.weight[:, 1].sum() == pytest.approx(4440, abs=30)
    # Seoul: 14 h 46 min at the solstice, 13 h 5 min at the end of August
    assert year.daylight.weight[:, 0].sum() / 92 == pytest.approx(14.2, abs=0.15)
    assert (year.daylight.elevation_deg > 0).all()


def box_scene():
    """A box of 30 x 20 m, 15 m high, on a plain of 300 m in cells of 1 m."""
    heights = np.zeros((300, 300), np.float32)
    heights[140:160, 135:165] = 15.0
    return heights


def test_shade_of_a_lone_box_against_exact_shadows(plain, year):
    heights = box_scene()
    path = year.daylight
    some = np.flatnonzero(path.elevation_deg > 4.0)[::23]
    exact = np.zeros(heights.shape)
    grid = Grid.of(heights, 1.0)
    for index in some.tolist():
        cast = shaded(grid, path.azimuth_deg[index], path.elevation_deg[index])
        exact += cast * path.weight[index, 1]
    sample = SunPath(path.azimuth_deg[some], path.elevation_deg[some], path.month[some], path.weight[some])
    made = maker(plain, replace(year, daylight=sample), 1.0)
    found = values_of(made, [heights], 300, 300)[2]
    ground = heights == 0
    total = sample.weight[:, 1].sum()
    error = (found - exact)[ground] / total
    near = ground & (exact > 0.01 * total)
    # of all hours: nothing on average, and 2 points in the worst twentieth of shaded cells
    assert abs(error.mean()) < 5e-4
    assert np.percentile(np.abs((found - exact)[near]) / total, 95) < 0.02
    assert exact[near].sum() == pytest.approx(found[near].sum(), rel=0.02)
    # far from the box no hour is lost
    assert found[:5, :5].max() / total < 1e-3


def test_sky_view_is_that_of_the_kernel_and_of_the_closed_form(plain, year):
    heights = np.zeros((400, 400), np.float32)
    heights[:200] = 20.0  # a wall along the north
    made = maker(plain, year, 1.0)
    found = values_of(made, [heights], 400, 400)[0]
    np.testing.assert_allclose(found, grid_sky_view(Grid.of(heights, 1.0, -400, 0)), atol=2e-3)
    for distance in (10, 20, 40):
        expected = (1 + np.cos(np.arctan(20 / distance))) / 2
        assert found[199 + distance, 200] == pytest.approx(expected, abs=0.015)


def test_ground_under_crowns_keeps_what_they_let_through(plain, year):
    """On a plain, evergreen crowns let 5 % of everything through in all months."""
    heights = np.full((200, 200), 30.0, np.float32)
    trees, kinds = np.zeros((2, 200, 200), np.float32)
    trees[60:140, 60:140], kinds[60:140, 60:140] = 12.0, 1.0
    made = maker(plain, year, 2.0)
    bare = values_of(made, [heights], 60, 200)
    sky, summer, whole, irradiation = values_of(made, [heights, trees, kinds], 60, 200)
    np.testing.assert_allclose(sky, 0.05, atol=1e-5)
    hours = year.daylight.weight.sum(axis=0)
    np.testing.assert_allclose(summer, 0.95 * hours[0], rtol=1e-4)
    np.testing.assert_allclose(whole, 0.95 * hours[1], rtol=1e-4)
    bounce = ALBEDO * year.irradiation.global_horizontal.sum() * 0.95
    np.testing.assert_allclose(irradiation, 0.05 * bare[3] + bounce, rtol=1e-4)
    # deciduous ones by the months' shares
    whole = values_of(made, [heights, trees, np.zeros_like(kinds)], 60, 200)[2]
    by_month = np.bincount(year.daylight.month, weights=year.daylight.weight[:, 1], minlength=12)
    np.testing.assert_allclose(whole, (held_back(0.0) * by_month).sum(), rtol=1e-4)


def test_beside_trees_shade_lies_between_none_and_that_of_a_wall(plain, year):
    heights = np.full((200, 200), 30.0, np.float32)
    trees, kinds = np.zeros((2, 200, 200), np.float32)
    trees[110:120, 40:160] = 12.0  # deciduous, south of the cells looked at
    made = maker(plain, year, 2.0)
    none, some = (values_of(made, given, 20, 200) for given in ([heights], [heights, trees, kinds]))
    solid = values_of(made, [heights + trees], 20, 200)
    clear = trees[90:110, 90:110] == 0
    assert (some[0][clear] <= none[0][clear]).all()
    assert (some[0][clear] >= solid[0][clear] - 1e-6).all()
    # summer leaves hold 97 % back
    np.testing.assert_allclose(some[1][clear], 0.97 * solid[1][clear], rtol=2e-3, atol=0.1)
    assert (some[2][clear] < 0.97 * solid[2][clear]).all()


def test_the_far_skyline_hides_as_a_wall_there_would(plain, year):
    """A range 40 m high and 500 m away on all sides: 4.6 deg on the ground, less on a roof."""
    heights = np.zeros((200, 200), np.float32)
    heights[99:101, 99:101] = 20.0
    far = np.zeros((60, 60), np.float32)
    far[:3], far[-3:], far[:, :3], far[:, -3:] = 40.0, 40.0, 40.0, 40.0
    made = replace(maker(plain, year, 2.0), far=FarSurface.of(far, 20.0, -400.0, 800.0))
    sky = values_of(made, [heights], 60, 200)[0]
    assert sky[29, 29] > sky[0, 0]
    x = np.linspace(0, 2 * np.pi, 721)
    distance = 540 / np.maximum(np.abs(np.cos(x)), np.abs(np.sin(x)))
    for height, cell in ((0.0, (2, 2)), (20.0, (29, 29))):
        seen = np.mean(np.cos(np.arctan((40 - height) / distance)) ** 2)
        # the range's inner edge; the box itself hides a little from the ground
        assert sky[cell] == pytest.approx(seen, abs=4e-3)


def test_a_table_holds_what_lies_above_each_horizon():
    azimuths = np.arange(8) * 45.0
    table = tangent_table(azimuths, np.array([11.25, 350.0]), np.array([30.0, 60.0]), np.array([[4.0], [9.0]]))

    def above(azimuth, degrees):
        key = int(np.tan(np.radians(degrees)).astype(np.float32).view(np.int32)) >> FRACTION_BITS
        return table[azimuth, max(0, key - FIRST_KEY), 0]

    # a quarter of 4 belongs to 45 deg; 350 deg lies 10 of 45 deg before north
    assert above(0, 20.0) == pytest.approx(3.0 + 9.0 * 35 / 45)
    assert above(0, 45.0) == pytest.approx(9.0 * 35 / 45)
    assert above(0, 70.0) == 0.0
    assert above(1, 20.0) == pytest.approx(1.0)
    assert above(7, 45.0) == pytest.approx(9.0 * 10 / 45)
    assert table[:, 0, 0].sum() == pytest.approx(13.0)
    with pytest.raises(InputError, match="evenly"):
        tangent_table(np.array([0.0, 10.0, 200.0]), np.zeros(1), np.ones(1), np.ones((1, 1)))


def test_sums_do_not_depend_on_threads():
    rng = np.random.default_rng(3)
    grid = Grid.of(rng.uniform(0, 9, (130, 90)), 1.0)
    azimuths = np.arange(16) * 22.5
    table = rng.integers(-9, 9, (16, 20 << (23 - FRACTION_BITS), 8)).astype(np.int32)
    nodes = np.zeros((16, 3, 3), np.float32)
    far = FarField(nodes + 0.1, nodes + 0.05, rng.random((80, 70)).astype(np.float32), 50)
    window = Window(20, 100, 10, 80)
    surface = Surface(grid, table, rng.integers(0, 65, (80, 70)).astype(np.uint8))
    one, two, three = (sums_over_azimuths([surface], azimuths, window, far, threads=n) for n in (1, 2, 3))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, three)


def test_bilinear_is_exact_on_a_plane():
    row, column = np.indices((3, 4))
    found = bilinear(2.0 * row - 3.0 * column, 10, (17, 25))
    y, x = np.indices((17, 25)) / 10
    np.testing.assert_allclose(found, 2 * y - 3 * x, atol=1e-6)


def test_cells_of_rasters_fit_the_surface():
    assert [default_cell_size_m(size) for size in (0.5, 0.25, 1.0, 2.0, 5.0)] == [1.0, 1.0, 1.0, 2.0, 5.0]
    assert default_cell_size_m(0.4) == pytest.approx(1.6)


@pytest.fixture
def town(tmp_path):
    """Two kilometre squares with a house in each; the study area ends at 1,500 m."""
    houses = [shapely.box(480, 480, 520, 500), shapely.box(1400, 520, 1428, 560)]
    for column in (0, 1):
        heights = np.full((500, 500), 20.0)
        west, south, east, north = houses[column].bounds
        heights[
            round((1000 - north) / 2) : round((1000 - south) / 2), round(west / 2) % 500 : round(east / 2) % 500
        ] = 35.0
        write(tmp_path / "surface" / f"E{column}_N0.tif", heights, 2.0, west=1000.0 * column)
    return tmp_path / "surface", gpd.GeoSeries(houses, crs="EPSG:5186"), shapely.box(0, 200, 1500, 800)


def test_rasters_of_a_town_hold_the_study_area_and_no_shade_on_roofs(town, year, tmp_path):
    folder, roofs, area = town
    keep = Kept(tmp_path / "kept")
    surface = SurfaceFolder.open(folder)
    paths = town_rasters(area, surface, None, roofs, year, cell_size_m=4.0, keep=keep)
    assert keep.tiles() == ["E0_N0", "E1_N0"]
    with rasterio.open(paths[1]) as source:
        assert tuple(source.bounds) == (1000.0, 200.0, 1500.0, 800.0)
        assert source.count == len(RASTERS)
        sky, summer, whole, irradiation = source.read()
    east, north = np.meshgrid(1002 + 4 * np.arange(125), 798 - 4 * np.arange(150))
    roof = shapely.contains_xy(roofs[1], east, north)
    for band in (sky, summer, whole):
        np.testing.assert_array_equal(band == NOTHING, roof)
    assert (irradiation != NOTHING).all()
    assert irradiation[roof].min() > irradiation[~roof].min()
    assert sky[0, 0] == 100
    # nothing has changed
    assert town_rasters(area, surface, None, roofs, year, cell_size_m=4.0, keep=keep) == paths
    assert keep.tiles() == []


def test_only_tiles_that_see_a_change_are_made_again(town, year, tmp_path):
    folder, roofs, area = town
    keep = Kept(tmp_path / "kept")
    town_rasters(area, SurfaceFolder.open(folder), None, roofs, year, cell_size_m=4.0, keep=keep)
    keep.tiles()
    with rasterio.open(folder / "E0_N0.tif", "r+") as target:
        heights = target.read(1)
        heights[250:254, 120:124] = 20.5  # a step that rises by less than a tenth of a degree 750 m away
        target.write(heights, 1)
    again = town_rasters(area, SurfaceFolder.open(folder), None, roofs, year, cell_size_m=4.0, keep=keep)
    assert keep.tiles() == ["E0_N0"]
    fresh = town_rasters(
        area, SurfaceFolder.open(folder), None, roofs, year, cell_size_m=4.0, keep=Kept(tmp_path / "new")
    )
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in fresh]


def test_trees_of_the_land_cover_reach_the_rasters(town, year, tmp_path):
    folder, roofs, area = town
    woods = gpd.GeoDataFrame({"class_code": ["321"]}, geometry=[shapely.box(440, 460, 560, 540)], crs="EPSG:5186")
    build_canopy(woods, roofs.to_numpy(), SurfaceFolder.open(folder), tmp_path / "canopy")
    heights, evergreen = open_canopy(tmp_path / "canopy")
    surface = replace(SurfaceFolder.open(folder), canopy=heights)
    keep = Kept(tmp_path / "kept")
    bare = town_rasters(area, replace(surface, canopy=None), None, roofs, year, cell_size_m=4.0, keep=keep)
    keep.tiles()
    paths = town_rasters(area, surface, evergreen, roofs, year, cell_size_m=4.0, keep=keep)
    assert keep.tiles() == ["E0_N0"]  # the other square has no tree in sight
    with rasterio.open(paths[0]) as with_trees, rasterio.open(bare[0]) as without:
        sky, open_sky = with_trees.read(1), without.read(1)
    # south of the wood's corner, on open ground under crowns, and far from both
    assert sky[(800 - 470) // 4, 450 // 4] <= 6
    assert sky[(800 - 450) // 4, 500 // 4] < open_sky[(800 - 450) // 4, 500 // 4] - 5
    assert sky[2, 2] == pytest.approx(open_sky[2, 2], abs=1)


def test_without_weather_there_is_no_irradiation(town, year, tmp_path):
    folder, roofs, area = town
    bare = replace(year, irradiation=None)
    paths = town_rasters(area, SurfaceFolder.open(folder), None, roofs, bare, cell_size_m=10.0, keep=Kept(tmp_path))
    with rasterio.open(paths[0]) as source:
        assert (source.read(4) == NOTHING).all()
        assert (source.read(1) != NOTHING).any()


def test_unfit_cells_and_areas_without_surface(town):
    folder, _, area = town
    surface = SurfaceFolder.open(folder)
    for size in (1.0, 3.0, 16.0):
        with pytest.raises(InputError, match="raster_cell_size_m"):
            raster_tiles(surface, area, size)
    assert raster_tiles(surface, shapely.box(5000, 5000, 6000, 6000), 4.0) == []


def test_ground_without_height_has_no_value(plain, year):
    made = maker(plain, year, 2.0)
    heights = np.full((200, 200), 30.0, np.float32)
    heights[90:95, 90:95] = np.nan
    found = values_of(made, [heights], 60, 200)
    np.testing.assert_array_equal(np.isnan(found), np.broadcast_to(np.isnan(heights[70:130, 70:130]), found.shape))
    assert np.isnan(values_of(made, [np.full_like(heights, np.nan)], 60, 200)).all()
