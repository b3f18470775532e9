"""Terrain from contour lines: planes and domes whose heights are known in closed form, and two real sheets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from geodata.errors import InputError
from geodata.inbox import take_inventory
from geodata.inventory import Dataset, RawLayer
from geodata.products.contours import agreement, contour_parameters, distinct_points, measured_heights, triangulate
from geodata.products.terrain import build_terrain
from geodata.study_area import StudyArea

CRS = "EPSG:5186"
X, Y = 186_000.0, 537_000.0


def area(shape: shapely.Geometry) -> StudyArea:
    return StudyArea(crs=CRS, area=shape, dongs=gpd.GeoDataFrame(geometry=[shape], crs=CRS))


def layer(shapes: list, elevation: list) -> RawLayer:
    frame = gpd.GeoDataFrame({"elevation_m": elevation}, geometry=shapes, crs=CRS)
    return RawLayer(Dataset(product="TEST", role="terrain", parts=()), frame, read=len(frame) + 2, outside=2)


def plane(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Ground that rises by a tenth to the north-east [m]."""
    return 50.0 + 0.06 * (x - X) + 0.08 * (y - Y)


def contours_of_the_plane(size: float, interval: float = 5.0) -> tuple[list, list]:
    """Contour lines of the plane within a square; the plane has the slope 0.1 towards (0.6, 0.8)."""
    square = shapely.box(X, Y, X + size, Y + size)
    shapes, heights = [], []
    for height in np.arange(50.0, plane(X + size, Y + size), interval):
        away = (height - 50.0) / 0.1
        foot = np.array([X + 0.6 * away, Y + 0.8 * away])
        along = np.array([-0.8, 0.6]) * 2 * size
        line = shapely.intersection(square, shapely.LineString([foot - along, foot + along]))
        if shapely.length(line) > 1:
            shapes.append(line)
            heights.append(float(height))
    return shapes, heights


@pytest.fixture
def sheet(tmp_path):
    """Writes contour lines, and spot heights, as layers of a GeoPackage that a site file may name."""

    def write(shapes: list, heights: list, spots: list | None = None):
        frames = [gpd.GeoDataFrame({"등고수치": heights, "UFID": ["x"] * len(heights)}, geometry=shapes, crs=CRS)]
        if spots:
            points = [shapely.Point(x, y) for x, y, _ in spots]
            frames.append(
                gpd.GeoDataFrame(
                    {"수치": [z for _, _, z in spots], "UFID": ["x"] * len(spots)}, geometry=points, crs=CRS
                )
            )
        inbox = tmp_path / "inbox"
        inbox.mkdir()
        for number, frame in enumerate(frames):
            frame.to_file(inbox / f"{number}.gpkg", driver="GPKG")
        return inbox, take_inventory(inbox).datasets_for("terrain")

    return write


def read(path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with rasterio.open(path) as source:
        assert source.crs == rasterio.CRS.from_string(CRS)
        assert np.isnan(source.nodata)
        heights, t = source.read(1), source.transform
    x, y = np.meshgrid(t.c + (np.arange(heights.shape[1]) + 0.5) * t.a, t.f + (np.arange(heights.shape[0]) + 0.5) * t.e)
    return heights, x, y


def test_a_plane_comes_back_and_nothing_beyond_the_outermost_heights(tmp_path, sheet):
    shapes, heights = contours_of_the_plane(1000.0)
    inbox, datasets = sheet(shapes, heights)
    report = build_terrain(inbox, datasets, area(shapely.box(X, Y, X + 1000, Y + 1000)), tmp_path / "out.tif")
    found, x, y = read(tmp_path / "out.tif")
    known = ~np.isnan(found)
    assert np.abs(found[known] - plane(x, y)[known]).max() < 1e-3
    # convex hull of all points of the lines; cells whose centre lies within are all filled
    hull = shapely.convex_hull(shapely.union_all(shapes))
    shapely.prepare(hull)
    inside = shapely.contains_xy(shapely.buffer(hull, -0.01), x, y)
    assert known[inside].all()
    assert not known[~shapely.contains_xy(shapely.buffer(hull, 0.01), x, y)].any()
    assert report.method == "contours"
    assert report.check_rmse_m is None
    assert report.cell_size_m == 5.0
    assert report.coverage_pct == pytest.approx(100 * shapely.area(hull) / 1e6, abs=0.5)
    assert report.records == {"read": len(shapes), "outside": 0, "used": len(shapes), "reasoned": 0}


def test_no_height_across_a_wide_gap(tmp_path, sheet):
    """Two pieces of ground 500 m apart: between them no circle of 200 m is free of heights only near the rims."""
    shapes, heights = [], []
    for shift in (0.0, 800.0):
        for number in range(7):
            x = X + shift + 50 * number
            shapes.append(shapely.LineString([(x, Y), (x, Y + 300)]))
            heights.append(20.0 + number)
    inbox, datasets = sheet(shapes, heights)
    report = build_terrain(inbox, datasets, area(shapely.box(X, Y, X + 1100, Y + 300)), tmp_path / "out.tif")
    found, x, y = read(tmp_path / "out.tif")
    known = ~np.isnan(found)
    within = (y > Y) & (y < Y + 300)
    assert known[within & (x > X) & (x < X + 300)].all()
    assert known[within & (x > X + 800) & (x < X + 1100)].all()
    assert not known[(x > X + 302) & (x < X + 798)].any()
    assert report.coverage_pct == pytest.approx(100 * 600 / 1100, abs=0.5)
    assert any("further than 200 m" in note for note in report.notes)


def test_blocks_make_no_seams(tmp_path, sheet):
    """A paraboloid over several blocks: between contours the error is bounded, and steps at block edges are not larger."""
    centre = np.array([X + 1500.0, Y + 1500.0])
    radii = np.sqrt(np.arange(5.0, 226.0, 5.0) / 1e-4)
    angle = np.linspace(0, 2 * np.pi, 721)
    shapes = [
        shapely.LineString(np.column_stack([centre[0] + r * np.cos(angle), centre[1] + r * np.sin(angle)]))
        for r in radii
    ]
    heights = [300.0 - 1e-4 * r**2 for r in radii]
    inbox, datasets = sheet(shapes, heights, [(*centre, 300.0)])
    build_terrain(inbox, datasets, area(shapely.box(X, Y, X + 3000, Y + 3000)), tmp_path / "out.tif")
    found, x, y = read(tmp_path / "out.tif")
    exact = 300.0 - 1e-4 * ((x - centre[0]) ** 2 + (y - centre[1]) ** 2)
    known = ~np.isnan(found)
    # a chord between neighbouring contours of a parabola lies at most a quarter of the squared step below it
    assert np.abs(found - exact)[known].max() < 5.0
    assert np.abs(found - exact)[known].mean() < 1.0
    assert np.nanmax(np.abs(np.diff(found, axis=0))) < 3.0
    assert np.nanmax(np.abs(np.diff(found, axis=1))) < 3.0


def test_agreement_is_told_by_spot_heights_the_surface_has_not_seen():
    shapes, heights = contours_of_the_plane(1000.0)
    x, y = np.array([X + 300, X + 500, X + 700]), np.array([Y + 400, Y + 500, Y + 350])
    wrong = plane(x, y) + np.array([2.0, -1.0, 2.0])
    spots = [shapely.Point(a, b) for a, b in zip(x, y, strict=True)] + [shapely.Point(X - 400, Y - 400)]
    read_heights = measured_heights([layer(shapes, heights), layer(spots, [*wrong, 1.0])], contour_parameters())
    found = agreement(read_heights, contour_parameters())
    # differences -2, 1, -2: root of (4 + 1 + 4) / 3; the fourth point lies beyond the lines
    assert found.rmse_m == pytest.approx(np.sqrt(3.0), abs=1e-6)
    assert found.bias_m == pytest.approx(-1.0, abs=1e-6)
    assert (found.compared, found.kept_aside) == (3, 4)
    assert "3 of 4 spot heights by 1.73 m" in found.words


def test_every_record_is_accounted_for():
    line = shapely.LineString([(X, Y), (X + 100, Y)])
    high = shapely.LineString([(X, Y, 35.0), (X + 100, Y + 50, 35.0)])
    shapes = [
        line,
        high,
        line,
        line,
        line,
        None,
        shapely.LineString(),
        shapely.box(X, Y, X + 9, Y + 9),
        shapely.LineString([(X, Y), (X, Y)]),
    ]
    elevation = ["20", None, None, "9999", "-999", "20", "20", "20", "20"]
    found = measured_heights([layer(shapes, elevation)], contour_parameters())
    # used: one by its column, one by the Z of its shape
    assert (found.read, found.outside, found.used, found.reasoned) == (11, 2, 2, 7)
    assert sorted(set(found.lines[:, 2])) == [20.0, 35.0]
    assert np.diff(np.unique(found.lines[found.lines[:, 2] == 20.0][:, 0])).max() <= 10.0


def test_points_at_one_place_count_once():
    points = np.array([[X, Y, 1.0], [X + 5, Y, 2.0], [X, Y, 9.0], [X + 1e-5, Y, 9.0]])
    assert distinct_points(points).tolist() == [[X, Y, 1.0], [X + 5, Y, 2.0]]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_too_few_points_or_points_in_a_row_make_no_surface(count):
    points = np.array([[X + 10 * i, Y + 10 * i, 5.0] for i in range(count)]).reshape(-1, 3)
    heights, level = triangulate(points, 200.0).at(np.array([[X + 5, Y + 5]]))
    assert np.isnan(heights).all()
    assert not level.any()


def test_without_heights_near_the_area_it_is_refused(tmp_path, sheet):
    inbox, datasets = sheet([shapely.LineString([(X, Y), (X + 100, Y + 10)])], [20.0])
    with pytest.raises(InputError, match="no contour line or spot height lies near the study area"):
        build_terrain(inbox, datasets, area(shapely.box(X, Y, X + 50, Y + 50)), tmp_path / "out.tif")


def test_an_elevation_model_comes_first_and_contours_help_where_it_does_not_reach(tmp_path, sheet):
    shapes, heights = contours_of_the_plane(600.0)
    inbox, datasets = sheet(shapes, heights)
    transform = rasterio.Affine(5, 0, X - 500, 0, -5, Y + 1000)
    for name, shift in (("here", 0.0), ("elsewhere", 90_000.0)):
        with rasterio.open(
            inbox / f"{name}.tif", "w", driver="GTiff", width=400, height=400, count=1, dtype="float32", crs=CRS,
            transform=rasterio.Affine.translation(shift, 0) @ transform,
        ) as target:  # fmt: skip
            target.write(np.linspace(7, 9, 160_000, dtype="float32").reshape(400, 400), 1)
    town = area(shapely.box(X + 200, Y + 200, X + 300, Y + 300))
    every = {p.data_source: d for d in take_inventory(inbox).datasets_for("terrain") for p in d.parts}
    report = build_terrain(inbox, [every["here.tif"], *datasets], town, tmp_path / "1.tif")
    assert report.method == "elevation model"
    assert report.maximum_m < 9.1
    assert "1 layer(s) of contour lines and spot heights were not used beside it" in report.notes[-1]
    far = every["elsewhere.tif"].model_copy(
        update={"parts": tuple(p for p in every["elsewhere.tif"].parts if p.data_source == "elsewhere.tif")}
    )
    report = build_terrain(inbox, [far, *datasets], town, tmp_path / "2.tif")
    assert report.method == "contours"
    assert report.minimum_m > 40
    assert "no terrain raster reaches the study area" in report.notes[-1]


def test_same_input_same_bytes(tmp_path, sheet):
    shapes, heights = contours_of_the_plane(800.0)
    inbox, datasets = sheet(shapes, heights, [(X + 100.0, Y + 300.0, 80.0)])
    town = area(shapely.box(X, Y, X + 800, Y + 800))
    for name in ("1.tif", "2.tif"):
        build_terrain(inbox, datasets, town, tmp_path / name)
    assert (tmp_path / "1.tif").read_bytes() == (tmp_path / "2.tif").read_bytes()


@pytest.mark.realdata
def test_two_real_sheets_against_their_spot_heights(tmp_path, shared_data):
    folder = shared_data / "ngii_topo1000"
    datasets = take_inventory(folder).datasets_for("terrain")
    sheets = gpd.GeoSeries(
        [shapely.box(126.975, 37.495, 126.98, 37.5), shapely.box(126.95, 37.48, 126.955, 37.485)], crs="EPSG:4326"
    ).to_crs(CRS)
    report = build_terrain(folder, datasets, area(shapely.union_all(sheets.to_numpy())), tmp_path / "out.tif")
    assert report.records == {"read": 126, "outside": 0, "used": 126, "reasoned": 0}
    assert report.check_points == 5  # the lowest spot height lies outside the contour lines
    # contours lie 5 m apart: an error of half an interval would be no news
    assert report.check_rmse_m == pytest.approx(1.86, abs=0.05)
    assert report.coverage_pct == pytest.approx(92, abs=1)
    heights, x, y = read(tmp_path / "out.tif")
    # spot heights by hand from the sheets; the surface that is used has seen them
    for east, north, height in (
        (197946.75, 544328.81, 41.5),
        (195615.63, 542831.67, 59.1),
        (195891.77, 542423.74, 34.4),
    ):
        cell = np.argmin(np.hypot(x - east, y - north))
        assert heights.ravel()[cell] == pytest.approx(height, abs=2.0)
    assert 15.0 <= report.minimum_m < 20
    assert 100.0 <= report.maximum_m < 101
