from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio import Affine
from scipy.ndimage import map_coordinates

from geodata.errors import InputError
from geodata.study_area import StudyArea
from twin.surface import build_surface, ground_heights

CRS = "EPSG:5186"
X0, Y0 = 185_000.0, 536_000.0
CELL = 5.0


def plane(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 20.0 + 0.05 * (x - X0) + 0.02 * (y - Y0)


def area(shape: shapely.Geometry) -> StudyArea:
    return StudyArea(crs=CRS, area=shape, dongs=gpd.GeoDataFrame(geometry=[shape], crs=CRS))


def terrain(path: Path, values: np.ndarray, west: float, north: float, cell: float = CELL) -> Path:
    with rasterio.open(path, "w", driver="GTiff", width=values.shape[1], height=values.shape[0], count=1, dtype="float32", crs=CRS,
                       transform=Affine(cell, 0, west, 0, -cell, north), nodata=np.nan) as target:  # fmt: skip
        target.write(values.astype("float32"), 1)
    return path


def centres(west: float, north: float, columns: int, rows: int, cell: float) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(west + (np.arange(columns) + 0.5) * cell, north - (np.arange(rows) + 0.5) * cell)
    return x, y


@pytest.fixture
def slope(tmp_path) -> Path:
    """An inclined plane over four square kilometres and 300 m around."""
    return terrain(tmp_path / "slope.tif", plane(*centres(X0 - 300, Y0 + 2300, 520, 520, CELL)), X0 - 300, Y0 + 2300)


def buildings(*rows: tuple[shapely.Geometry, float, float]) -> gpd.GeoDataFrame:
    shapes, heights, altitudes = zip(*rows, strict=True)
    return gpd.GeoDataFrame({"height": heights, "altitude": altitudes}, geometry=list(shapes), crs=CRS)


def read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with rasterio.open(path) as source:
        heights, t = source.read(1), source.transform
        assert np.isnan(source.nodata)
        assert source.crs == rasterio.CRS.from_string(CRS)
    return heights, *centres(t.c, t.f, heights.shape[1], heights.shape[0], t.a)


def test_bare_ground_of_an_inclined_plane(tmp_path, slope):
    report = build_surface(None, slope, area(shapely.box(X0 + 10, Y0 + 10, X0 + 1500, Y0 + 900)), 1.0, tmp_path / "out")
    assert report.tiles == ("E185_N536", "E186_N536")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["E185_N536.tif", "E186_N536.tif"]
    for name in report.tiles:
        heights, x, y = read(tmp_path / "out" / f"{name}.tif")
        assert heights.shape == (1000, 1000)
        assert np.abs(heights - plane(x, y)).max() < 1e-4
    assert (report.cells, report.cells_without_height) == (2_000_000, 0)
    # the corner cells' centres
    assert report.minimum_m == pytest.approx(plane(X0 + 0.5, Y0 + 0.5), abs=1e-4)
    assert report.maximum_m == pytest.approx(plane(X0 + 1999.5, Y0 + 999.5), abs=1e-4)


def test_a_box_has_its_area_and_height(tmp_path, slope):
    # 40 m x 25 m, edges on cell borders: 4,000 cells of 0.5 m
    box = shapely.box(X0 + 100, Y0 + 200, X0 + 140, Y0 + 225)
    report = build_surface(
        buildings((box, 12.0, 30.0)), slope, area(shapely.box(X0, Y0, X0 + 500, Y0 + 500)), 0.5, tmp_path / "out"
    )
    heights, x, y = read(tmp_path / "out" / "E185_N536.tif")
    roof = heights == 42.0
    assert roof.sum() * 0.25 == pytest.approx(box.area)
    assert np.array_equal(roof, shapely.contains_xy(box, x, y))
    assert np.abs(heights - plane(x, y))[~roof].max() < 1e-4
    assert report.buildings == 1


def test_where_footprints_overlap_the_higher_roof_counts(tmp_path, slope):
    low, high = shapely.box(X0, Y0, X0 + 20, Y0 + 20), shapely.box(X0 + 10, Y0, X0 + 30, Y0 + 20)
    here = area(shapely.box(X0, Y0, X0 + 500, Y0 + 500))
    one = buildings((low, 5.0, 100.0), (high, 30.0, 90.0))
    for number, frame in enumerate((one, one.iloc[::-1])):
        build_surface(frame, slope, here, 1.0, tmp_path / str(number))
    heights, _, _ = read(tmp_path / "0" / "E185_N536.tif")
    assert (heights == 120).sum() == 400
    assert (heights == 105).sum() == 200
    assert (tmp_path / "0" / "E185_N536.tif").read_bytes() == (tmp_path / "1" / "E185_N536.tif").read_bytes()


def test_tiles_are_cut_from_one_surface(tmp_path):
    """Against scipy's interpolation of the whole, over four tiles and a building across their common corner."""
    rng = np.random.default_rng(7)
    west, north, cell = X0 - 330.0, Y0 + 2330.0, 30.0
    ground = rng.uniform(10, 90, (90, 90))
    path = terrain(tmp_path / "rough.tif", ground, west, north, cell)
    box = shapely.box(X0 + 990, Y0 + 980, X0 + 1010, Y0 + 1030)
    build_surface(
        buildings((box, 50.0, 100.0)), path, area(shapely.box(X0, Y0, X0 + 2000, Y0 + 2000)), 2.0, tmp_path / "out"
    )
    x, y = centres(X0, Y0 + 2000, 1000, 1000, 2.0)
    ground32 = ground.astype(np.float32).astype(np.float64)
    whole = map_coordinates(ground32, [(north - y) / cell - 0.5, (x - west) / cell - 0.5], order=1)
    whole[shapely.contains_xy(box, x, y)] = 150.0
    tiled = np.block([[read(tmp_path / "out" / f"E{e}_N{n}.tif")[0] for e in (185, 186)] for n in (537, 536)])
    assert np.abs(tiled - whole).max() < 1e-3


def test_cells_without_terrain_stay_empty(tmp_path):
    x, y = centres(X0 - 300, Y0 + 1300, 320, 320, CELL)
    values = plane(x, y)
    values[(x > X0 + 400) & (x < X0 + 600) & (y > Y0 + 400) & (y < Y0 + 600)] = np.nan
    path = terrain(tmp_path / "gap.tif", values, X0 - 300, Y0 + 1300)
    box = shapely.box(X0 + 500, Y0 + 500, X0 + 520, Y0 + 510)
    report = build_surface(
        buildings((box, 10.0, 50.0)), path, area(shapely.box(X0, Y0, X0 + 990, Y0 + 990)), 1.0, tmp_path / "out"
    )
    heights, x, y = read(tmp_path / "out" / "E185_N536.tif")
    gap = (x > X0 + 400) & (x < X0 + 600) & (y > Y0 + 400) & (y < Y0 + 600)
    roof = shapely.contains_xy(box, x, y)
    assert np.array_equal(np.isnan(heights), gap & ~roof)
    assert (heights[roof] == 60).all()
    assert report.cells_without_height == 200 * 200 - 200


def test_buildings_without_altitude_are_left_out_and_counted(tmp_path, slope):
    frame = buildings(
        (shapely.box(X0, Y0, X0 + 20, Y0 + 20), 5.0, np.nan), (shapely.box(X0 + 50, Y0, X0 + 60, Y0 + 10), 5.0, 60.0)
    )
    report = build_surface(frame, slope, area(shapely.box(X0, Y0, X0 + 500, Y0 + 500)), 1.0, tmp_path / "out")
    heights, x, y = read(tmp_path / "out" / "E185_N536.tif")
    assert (report.buildings, report.buildings_without_altitude) == (1, 1)
    assert (heights == 65).sum() == 100
    assert np.abs(heights - plane(x, y))[heights != 65].max() < 1e-4


def test_tiles_exist_only_where_they_are_wanted(tmp_path, slope):
    # the area lies in one tile, a building kept whole reaches into the next, and another stands apart
    frame = buildings(
        (shapely.box(X0 + 995, Y0 + 100, X0 + 1005, Y0 + 110), 5.0, 60.0),
        (shapely.box(X0 + 1500, Y0 + 1500, X0 + 1510, Y0 + 1510), 5.0, 60.0),
    )
    report = build_surface(frame, slope, area(shapely.box(X0 + 10, Y0 + 10, X0 + 900, Y0 + 900)), 1.0, tmp_path / "out")
    assert report.tiles == ("E185_N536", "E186_N536", "E186_N537")
    # an area that the terrain does not reach gives no tile
    far = build_surface(None, slope, area(shapely.box(X0 + 20_000, Y0, X0 + 20_500, Y0 + 500)), 1.0, tmp_path / "far")
    assert far.tiles == ()
    assert np.isnan(far.minimum_m)


def test_same_input_same_bytes(tmp_path, slope):
    rng = np.random.default_rng(3)
    x, y = X0 + rng.uniform(0, 900, (2, 50)) + [[0], [Y0 - X0]]
    frame = gpd.GeoDataFrame({"height": rng.uniform(3, 60, 50)}, geometry=shapely.box(x, y, x + 15, y + 10), crs=CRS)
    frame["altitude"] = ground_heights(frame, slope)
    here = area(shapely.box(X0, Y0, X0 + 900, Y0 + 900))
    for name in ("one", "two"):
        build_surface(frame, slope, here, 0.5, tmp_path / name)
    assert (tmp_path / "one" / "E185_N536.tif").read_bytes() == (tmp_path / "two" / "E185_N536.tif").read_bytes()


def test_a_cell_size_that_does_not_fit_is_refused(tmp_path, slope):
    with pytest.raises(InputError, match=r"cell_size_m is 0.3.*0.25, 0.5"):
        build_surface(None, slope, area(shapely.box(X0, Y0, X0 + 500, Y0 + 500)), 0.3, tmp_path / "out")


def test_ground_height_is_the_mean_under_the_footprint(slope):
    frame = gpd.GeoDataFrame(
        geometry=[
            shapely.box(X0 + 100, Y0 + 100, X0 + 140, Y0 + 120),  # whole cells: the plane at the centre, exactly
            shapely.box(X0 + 101.7, Y0 + 303.1, X0 + 133.3, Y0 + 331.9),
            shapely.box(X0 + 0.5, Y0 + 0.5, X0 + 1.5, Y0 + 1.5),  # smaller than a cell
            shapely.box(X0 + 9_000, Y0, X0 + 9_010, Y0 + 10),  # no terrain there
        ],
        crs=CRS,
    )
    heights = ground_heights(frame, slope)
    assert heights[0] == pytest.approx(plane(X0 + 120, Y0 + 110), abs=1e-4)
    assert heights[1] == pytest.approx(plane(X0 + 117.5, Y0 + 317.5), abs=0.07 * CELL / 2)
    assert heights[2] == pytest.approx(plane(X0 + 2.5, Y0 + 2.5), abs=1e-4)
    assert np.isnan(heights[3])
    assert len(ground_heights(frame.iloc[:0], slope)) == 0


def test_known_heights_are_taken_for_the_very_same_shapes_alone(slope):
    shapes = [shapely.box(X0 + x, Y0 + 100, X0 + x + 20, Y0 + 130) for x in (100, 200, 300)]
    known = gpd.GeoDataFrame({"altitude": [1.5, np.nan, 3.5]}, geometry=shapes, crs=CRS)
    moved = shapely.transform(shapes[2], lambda xy: xy + 1e-9)
    frame = gpd.GeoDataFrame(geometry=[moved, shapes[1], shapes[0]], crs=CRS)
    heights = ground_heights(frame, slope, known)
    assert heights[2] == 1.5
    assert np.isnan(heights[1])
    assert heights[0] == ground_heights(frame, slope)[0]


def test_ground_height_beside_a_gap_is_that_of_the_known_part(tmp_path):
    values = np.full((100, 100), 50.0)
    values[:, 50:] = np.nan
    path = terrain(tmp_path / "half.tif", values, X0, Y0 + 500)
    frame = gpd.GeoDataFrame(
        geometry=[shapely.box(X0 + 240, Y0 + 100, X0 + 260, Y0 + 120), shapely.box(X0 + 300, Y0, X0 + 310, Y0 + 9)],
        crs=CRS,
    )
    heights = ground_heights(frame, path)
    assert heights[0] == 50
    assert np.isnan(heights[1])


def test_measured_heights_stand_in_place_of_terrain_and_buildings(tmp_path, slope):
    shape = shapely.box(X0 + 10, Y0 + 10, X0 + 990, Y0 + 990)
    houses = buildings(
        (shapely.box(X0 + 100, Y0 + 500, X0 + 120, Y0 + 520), 110.0, 30.0),
        (shapely.box(X0 + 700, Y0 + 500, X0 + 720, Y0 + 520), 110.0, 30.0),
    )
    # the western half was measured, on the grid of the surface, with rough heights
    rough = np.random.default_rng(4).uniform(50, 90, (1000, 500)).astype(np.float32)
    rough[:3, :3] = np.nan
    measured = terrain(tmp_path / "dsm.tif", rough, X0, Y0 + 1000, cell=1.0)
    report = build_surface(houses, slope, area(shape), 1.0, tmp_path / "with", surface_model=measured)
    plain = build_surface(houses, slope, area(shape), 1.0, tmp_path / "plain")
    mixed, _, _ = read(tmp_path / "with" / "E185_N536.tif")
    before, _, _ = read(tmp_path / "plain" / "E185_N536.tif")
    np.testing.assert_array_equal(mixed[:, :500][~np.isnan(rough)], rough[~np.isnan(rough)])
    np.testing.assert_array_equal(mixed[:, 500:], before[:, 500:])
    np.testing.assert_array_equal(mixed[:3, :3], before[:3, :3])
    assert [(tiles == 140.0).sum() for tiles in (before[:, :500], before[:, 500:], mixed)] == [400, 400, 400]
    assert (report.cells_measured, plain.cells_measured) == (500_000 - 9, 0)


def test_a_surface_model_without_terrain(tmp_path):
    measured = terrain(tmp_path / "dsm.tif", np.full((1000, 1000), 33.0), X0, Y0 + 1000, cell=1.0)
    frame = buildings((shapely.box(X0 + 700, Y0 + 500, X0 + 720, Y0 + 520), 10.0, 30.0)).drop(columns="altitude")
    shape = shapely.box(X0 + 10, Y0 + 10, X0 + 990, Y0 + 990)
    report = build_surface(frame, None, area(shape), 1.0, tmp_path / "out", surface_model=measured)
    assert report.tiles == ("E185_N536",)
    assert (report.buildings, report.buildings_without_altitude) == (0, 1)
    heights, _, _ = read(tmp_path / "out" / "E185_N536.tif")
    assert (heights == 33.0).all()
