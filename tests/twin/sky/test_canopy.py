from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from geodata.errors import InputError
from geodata.parameters import Parameters
from tests.kept import Kept
from twin.green.policy import green_policy
from twin.sky import canopy as canopy_module
from twin.sky.canopy import LeafMix, build_canopy, canopy_parameters, held_back, open_canopy
from twin.sky.canopy_skyline import BlendedFactors, CanopySkyline, blend, canopy_skyline, changed_planes, town_factors
from twin.sky.factors import PlaneFactors, Sun
from twin.sky.lines import Grid
from twin.sky.plane_cells import plane_cells
from twin.sky.planes import reduce_horizons
from twin.sky.tiles import SurfaceFolder
from twin.sky.town import near_skyline

CELL_M = 2.0
DECIDUOUS = [0.45, 0.45, 0.45, 0.24, 0.03, 0.03, 0.03, 0.03, 0.03, 0.03, 0.24, 0.45]
HOUSE = shapely.box(500, 500, 520, 520)
FAR_HOUSE = shapely.box(900, 900, 920, 920)


def write(path, heights, west=0.0, north=1000.0):
    path.parent.mkdir(exist_ok=True, parents=True)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "width": heights.shape[1], "height": heights.shape[0]}
    grid = Affine(CELL_M, 0, west, 0, -CELL_M, north)
    with rasterio.open(path, "w", crs="EPSG:5186", transform=grid, nodata=float("nan"), **profile) as target:
        target.write(heights.astype(np.float32), 1)


@pytest.fixture
def surface(tmp_path):
    """A square kilometre of plain at 50 m with two flat roofs 6 m above it."""
    heights = np.full((500, 500), 50.0)
    for house in (HOUSE, FAR_HOUSE):
        west, south, east, north = (round(edge / CELL_M) for edge in house.bounds)
        heights[500 - north : 500 - south, west:east] = 56.0
    write(tmp_path / "surface" / "E0_N0.tif", heights)
    return SurfaceFolder.open(tmp_path / "surface")


def cover(*parts):
    codes, shapes = zip(*parts, strict=True)
    return gpd.GeoDataFrame({"class_code": list(codes)}, geometry=list(shapes), crs="EPSG:5186")


def test_what_crowns_hold_back_follows_leaves_and_kind():
    np.testing.assert_allclose(held_back(0.0), 1 - np.array(DECIDUOUS))
    np.testing.assert_allclose(held_back(1.0), 0.95)
    # a mixed wood in January lets (0.45 + 0.05) / 2 through
    assert held_back([0.5])[0, 0] == pytest.approx(0.75)
    assert held_back(np.zeros(7)).shape == (12, 7)


def test_parameters_fit_the_green_policy():
    assert set(canopy_parameters()["tree_height"]) == green_policy().canopy
    assert not any(canopy_parameters().record(name).verified for name in canopy_parameters())


@pytest.mark.parametrize(
    ("name", "value"), [("tree_height", {"311": 9.0}), ("transmissivity_deciduous", [0.1] * 11), ("transmissivity_evergreen", [1.2] * 12)]
)  # fmt: skip
def test_parameters_with_gaps_are_refused(monkeypatch, name, value):
    records = {key: canopy_parameters().record(key) for key in canopy_parameters()}
    records[name] = records[name].model_copy(update={"value": value})
    monkeypatch.setattr(canopy_module, "load_parameters", lambda *_: Parameters(records))
    with pytest.raises(InputError, match=name):
        canopy_parameters.__wrapped__()


def test_trees_stand_where_the_land_cover_has_woods_and_no_roof_is(surface, tmp_path):
    woods = cover(("321", shapely.box(480, 480, 540, 540)), ("423", shapely.box(600, 600, 700, 700)))
    # edges of this roof lie inside cells, which it clears all the same
    roof = shapely.box(501, 501, 519, 519)
    report = build_canopy(woods, [roof], surface, tmp_path / "out")
    heights, evergreen = open_canopy(tmp_path / "out")
    found = heights.read((0.0, 0.0, 1000.0, 1000.0))
    expected = np.zeros((500, 500))
    expected[230:260, 240:270] = canopy_parameters()["tree_height"]["321"]
    expected[240:250, 250:260] = 0.0
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(evergreen.read((0.0, 0.0, 1000.0, 1000.0)), (expected > 0).astype(float))
    assert report.tiles == ("E0_N0",)
    assert report.canopy_m2 == 60 * 60 - 20 * 20
    assert report.evergreen_share == 1.0


def test_trees_reach_beyond_the_surface_and_none_make_no_tile(surface, tmp_path):
    report = build_canopy(cover(("311", shapely.box(990, 100, 1060, 160))), [], surface, tmp_path / "out")
    assert report.tiles == ("E0_N0", "E1_N0")
    assert report.canopy_m2 == 70 * 60
    bare = build_canopy(cover(("423", shapely.box(0, 0, 900, 900))), [], surface, tmp_path / "none")
    assert bare.tiles == ()
    assert np.isnan(bare.evergreen_share)
    assert build_canopy(None, [], surface, tmp_path / "none").tiles == ()


def test_a_height_raster_decides_where_it_has_values(surface, tmp_path):
    measured = np.full((100, 100), np.nan)
    measured[0:20, 0:20] = 17.5
    measured[20:40, 0:20] = 1.0
    write(tmp_path / "trees.tif", measured, west=400.0, north=600.0)
    woods = cover(("311", shapely.box(400, 500, 480, 600)))
    build_canopy(woods, [], surface, tmp_path / "out", heights=tmp_path / "trees.tif")
    heights, evergreen = open_canopy(tmp_path / "out")
    block, kinds = (reader.read((400.0, 500.0, 500.0, 600.0)) for reader in (heights, evergreen))
    assert (block[0:20, 0:20] == 17.5).all()
    assert (block[20:40, 0:20] == 0.0).all()  # lower than any tree
    assert (block[:, 20:40] == canopy_parameters()["tree_height"]["311"]).all()
    assert (kinds[block > 0] == 0.0).all()
    build_canopy(None, [], surface, tmp_path / "alone", heights=tmp_path / "trees.tif")
    alone = open_canopy(tmp_path / "alone")[1].read((400.0, 500.0, 500.0, 600.0))
    assert (alone[0:20, 0:20] == canopy_parameters()["evergreen_share_unknown"]).all()


def test_the_mix_is_of_the_trees_nearby():
    height, evergreen = np.zeros((300, 300), np.float32), np.zeros((300, 300), np.float32)
    height[100:120, 20:40], height[100:120, 260:280] = 10.0, 10.0
    evergreen[100:120, 260:280] = 1.0
    mix = LeafMix.of(height, evergreen, 2.0, 0.0, 600.0)
    assert mix.at(60.0, 380.0) == pytest.approx(0.0, abs=1e-6)
    assert mix.at(540.0, 380.0) == pytest.approx(1.0, abs=1e-6)
    assert mix.at(305.0, 380.0) == pytest.approx(0.5, abs=0.1)  # as far from one as from the other
    none = LeafMix.of(np.zeros((50, 50)), np.zeros((50, 50)), 2.0, 0.0, 100.0)
    assert (none.share == canopy_parameters()["evergreen_share_unknown"]).all()


@pytest.fixture
def beside_trees(surface, tmp_path):
    """One house with a deciduous belt 40 m south of it, from 40 m to 60 m away, and a house that sees no tree."""
    planes = gpd.GeoDataFrame({"tilt_deg": [0.0, 0.0], "azimuth_deg": [np.nan, np.nan]}, geometry=[HOUSE, FAR_HOUSE])
    belt = cover(("311", shapely.box(380, 440, 640, 460)))
    build_canopy(belt, planes.geometry.to_numpy(), surface, tmp_path / "canopy")
    heights, evergreen = open_canopy(tmp_path / "canopy")
    keep = Kept(tmp_path / "kept")
    open_sky = near_skyline(planes, surface, 72, keep)
    trees = canopy_skyline(
        planes, open_sky, surface=replace(surface, canopy=heights), evergreen=evergreen, azimuths=72, keep=keep
    )
    return planes, open_sky, trees


def factors(planes, open_sky, trees, sun, month):
    def given(which, distribution):
        flat = np.zeros(len(which))
        south = np.full(len(which), 180.0)
        return PlaneFactors(distribution, sun, {"roof": flat, "module": flat + 30}, {"roof": south, "module": south})

    return BlendedFactors(
        given(planes, open_sky),
        given(trees.planes, trees.distribution),
        trees.planes,
        held_back(trees.evergreen),
        month,
    )


def test_a_tree_belt_lets_through_its_months_share(beside_trees):
    planes, open_sky, trees = beside_trees
    assert trees.planes.tolist() == [0, 1]
    np.testing.assert_allclose(trees.evergreen, 0.0, atol=1e-9)
    # The belt's top stands 6 m above the roof. Seen from the roof's cells, 40 to 60 m away, it rises to 5.7 to 8.5 deg.
    # The sun at 4 deg stands behind it, at 12 deg above it; to the north nothing stands in its way.
    months = np.array([0, 0, 0, 3, 3, 6, 6, 6])
    azimuth = np.array([180.0, 180.0, 0.0, 180.0, 180.0, 180.0, 180.0, 0.0])
    elevation = np.array([4.0, 12.0, 4.0, 4.0, 12.0, 4.0, 12.0, 4.0])
    blended = factors(planes, open_sky, trees, Sun.of(azimuth, elevation), months)
    found = blended(slice(0, 1), "roof")
    expected = np.array([DECIDUOUS[0], 1, 1, DECIDUOUS[3], 1, DECIDUOUS[6], 1, 1])
    np.testing.assert_allclose(found.beam[:, 0], expected, atol=1e-6)
    np.testing.assert_array_equal(found.circumsolar, found.beam)
    # what trees hide of the sky is one number; each month lets its share through
    lost = 1.0 - np.asarray(found.isotropic)[:, 0]
    assert lost[5] > 0.001
    np.testing.assert_allclose(lost / lost[5], (1 - np.array(DECIDUOUS)[months]) / (1 - DECIDUOUS[6]), rtol=1e-9)
    solid = blended.with_trees(slice(0, 1), "roof")
    assert lost[5] == pytest.approx((1 - DECIDUOUS[6]) * (1 - float(np.asarray(solid.isotropic)[0, 0])), rel=1e-9)


def test_a_roof_that_no_tree_hides_anything_from_keeps_factors_of_one(surface, tmp_path):
    planes = gpd.GeoDataFrame({"tilt_deg": [0.0, 0.0], "azimuth_deg": [np.nan, np.nan]}, geometry=[HOUSE, FAR_HOUSE])
    # trees lower than the roofs, and none near the other house
    build_canopy(None, [], surface, tmp_path / "out", heights=lower_trees(tmp_path))
    heights, evergreen = open_canopy(tmp_path / "out")
    keep = Kept(tmp_path / "kept")
    open_sky = near_skyline(planes, surface, 72, keep)
    trees = canopy_skyline(
        planes, open_sky, surface=replace(surface, canopy=heights), evergreen=evergreen, azimuths=72, keep=keep
    )
    assert trees.planes.tolist() == []
    sun = Sun.of(np.arange(0, 360, 15.0), np.full(24, 3.0))
    found = factors(planes, open_sky, trees, sun, np.zeros(24, int))(slice(0, 2), "roof")
    for name in ("beam", "circumsolar", "isotropic", "horizon", "ground"):
        assert (np.asarray(getattr(found, name)) == 1.0).all(), name


def lower_trees(folder):
    write(folder / "low.tif", np.full((10, 10), 5.0), west=440.0, north=520.0)
    return folder / "low.tif"


def test_a_tile_without_a_tree_is_not_swept_again(surface, tmp_path):
    planes = gpd.GeoDataFrame({"tilt_deg": [0.0], "azimuth_deg": [np.nan]}, geometry=[FAR_HOUSE])
    build_canopy(cover(("311", shapely.box(100, 100, 200, 200))), [], surface, tmp_path / "canopy")
    heights, evergreen = open_canopy(tmp_path / "canopy")
    keep = Kept(tmp_path / "kept")
    open_sky = near_skyline(planes, surface, 72, keep)
    assert "E0_N0" in keep.filled
    keep.filled.clear()
    trees = canopy_skyline(
        planes, open_sky, surface=replace(surface, canopy=heights), evergreen=evergreen, azimuths=72, keep=keep
    )
    assert "E0_N0" not in keep.filled
    assert len(trees.planes) == 0


def test_skylines_with_trees_come_back_from_disk_as_they_were(beside_trees, tmp_path):
    trees = beside_trees[2]
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        trees.save(folder)
    again = CanopySkyline.load(tmp_path / "a")
    np.testing.assert_array_equal(again.planes, trees.planes)
    np.testing.assert_array_equal(again.evergreen, trees.evergreen)
    assert not changed_planes(again.distribution, trees.distribution).any()
    assert [p.read_bytes() for p in sorted((tmp_path / "a").iterdir())] == [
        p.read_bytes() for p in sorted((tmp_path / "b").iterdir())
    ]
    assert CanopySkyline.load(tmp_path) is None


def test_changed_planes_are_found_by_their_counts():
    ground = np.zeros((100, 100), np.float32)
    shapes = [shapely.box(x, 40, x + 10, 50) for x in (10, 40, 70)]
    for west, _, east, _ in (shape.bounds for shape in shapes):
        ground[50:60, int(west) : int(east)] = 5.0
    other = ground.copy()
    other[52:54, 55:57] = 9.0  # between the second and the third
    flat, none = np.zeros(3), np.full(3, np.nan)
    grids = [Grid.of(heights, 1.0) for heights in (ground, other)]
    one, two = (reduce_horizons(grid, plane_cells(shapes, grid, 0.0, 100.0), flat, none, 36) for grid in grids)
    assert changed_planes(one, one).tolist() == [False, False, False]
    found = changed_planes(one, two)
    assert found[1:].all()
    for plane in range(3):
        same = all((one.counts(plane, azimuth) == two.counts(plane, azimuth)).all() for azimuth in range(36))
        assert found[plane] == (not same)


def test_blending_is_the_weighted_mean_and_never_brightens():
    free, under = np.array([[1.0, 0.8], [0.5, 0.9]]), np.array([[0.2], [0.95]])
    found = blend(free, under, np.array([[0.6], [0.6]]), np.array([1]), (2, 2))
    # 0.4 of 0.8 and 0.6 of 0.2; in the second hour rounding would have brightened
    np.testing.assert_allclose(found, [[1.0, 0.44], [0.5, 0.9]])
    np.testing.assert_array_equal(blend(1.0, 1.0, np.full((2, 1), 0.97), np.array([0]), (2, 2)), np.ones((2, 2)))
    raised = blend(0.0, np.array([[0.1], [0.1]]), np.array([[0.5], [1.0]]), np.array([0]), (2, 1), sign=-1.0)
    np.testing.assert_allclose(raised, [[0.05], [0.1]])


def test_factors_of_a_town_change_on_the_first_of_the_month_in_local_time(beside_trees, clear_year):
    planes, open_sky, trees = beside_trees
    table = planes.assign(module_tilt_deg=30.0, module_azimuth_deg=180.0)
    far = np.zeros((2, 72), np.float32)
    found = town_factors(table, open_sky, far, trees, resource=clear_year, timezone="Asia/Seoul")
    local = clear_year.lit.index.tz_convert("Asia/Seoul")
    np.testing.assert_array_equal(found.month, local.month - 1)
    sky = np.asarray(found(slice(0, 2), "roof").isotropic)
    # leaves come in the course of April
    april, may = (np.unique(sky[local.month == month], axis=0) for month in (4, 5))
    assert len(april) == len(may) == 1
    assert (april > may).all()
    free = town_factors(table, open_sky, far, None, resource=clear_year, timezone="Asia/Seoul")
    assert np.shape(free(slice(0, 2), "roof").isotropic)[0] == 1
