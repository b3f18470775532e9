"""Terrain as lines of text: any order, any separator, with or without a header; what is no grid is told, not used."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from geodata.errors import InputError
from geodata.inbox import refuse, take_inventory
from geodata.products.terrain import build_terrain
from geodata.products.xyz import is_xyz, read_xyz
from geodata.site import SourceSpec
from geodata.study_area import StudyArea

CRS = "EPSG:5186"
X, Y = 186_000.0, 537_000.0
CELL = 5.0
COLUMNS, ROWS = 60, 40


def grid_points() -> np.ndarray:
    """Points of a plane, cell centres from south-west: x, y, height."""
    x, y = np.meshgrid(X + CELL * np.arange(COLUMNS), Y + CELL * np.arange(ROWS))
    return np.column_stack([x.ravel(), y.ravel(), 20 + 0.1 * (x - X).ravel() + 0.05 * (y - Y).ravel()])


def text(points: np.ndarray, separator: str = " ", header: str = "") -> str:
    return header + "\n".join(separator.join(f"{v:.3f}" for v in point) for point in points) + "\n"


def opener(content: str | bytes):
    data = content.encode() if isinstance(content, str) else content
    return lambda: io.BytesIO(data)


ORDERS = {
    "south to north": lambda p: p,
    "north to south": lambda p: p[np.lexsort((p[:, 0], -p[:, 1]))],
    "by columns": lambda p: p[np.lexsort((p[:, 1], p[:, 0]))],
    "shuffled": lambda p: np.random.default_rng(7).permutation(p),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("separator", "header"),
    [(" ", ""), ("   ", "x y z\n"), (",", ""), (", ", "X,Y,Z\n"), ("\t", "좌표x\t좌표y\t표고\n"), (";", "\n"), (" ", "# from a tool\nx y z\n")],
)  # fmt: skip
def test_every_spelling_gives_the_same_grid(order, separator, header):
    content = text(ORDERS[order](grid_points()), separator, header).encode("cp949")
    assert is_xyz(content[:4096], ".xyz")
    grid = read_xyz(opener(content), "a.xyz")
    assert grid.heights.shape == (ROWS, COLUMNS)
    assert grid.bounds == (X - 2.5, Y - 2.5, X + CELL * (COLUMNS - 0.5), Y + CELL * (ROWS - 0.5))
    expected = grid_points()[:, 2].reshape(ROWS, COLUMNS)[::-1]
    assert np.abs(grid.heights - expected).max() < 1e-3
    assert (grid.points, grid.repeated) == (COLUMNS * ROWS, 0)


def test_absent_points_are_gaps_and_repeated_ones_are_told():
    points = grid_points()
    kept = np.delete(points, [0, 61, 62], axis=0)
    again = kept[100] + np.array([0, 0, 7.0])
    grid = read_xyz(opener(text(np.vstack([kept, kept[5], again]))), "a.xyz")
    assert int(np.isnan(grid.heights).sum()) == 3
    assert grid.repeated == 1
    column, row = round((again[0] - X) / CELL), round((again[1] - Y) / CELL)
    assert grid.heights[ROWS - 1 - row, column] == pytest.approx(again[2], abs=1e-3)


def test_longitude_and_latitude_with_rounded_decimals():
    lon, lat = np.meshgrid(126.85 + np.arange(50) / 5400, 37.44 + np.arange(30) / 5400)
    points = np.column_stack([lon.ravel(), lat.ravel(), np.arange(1500.0)])
    content = "\n".join(f"{a:.6f} {b:.6f} {c:.1f}" for a, b, c in points)
    grid = read_xyz(opener(content), "a.xyz")
    assert grid.heights.shape == (30, 50)
    assert grid.transform.a == pytest.approx(1 / 5400, abs=1e-7)
    assert np.array_equal(np.sort(grid.heights.ravel()), np.arange(1500.0))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (text(np.column_stack([np.random.default_rng(1).uniform(0, 500, (300, 2)) + np.array([X, Y]), np.ones(300)])), "regular grid"),
        (text(np.column_stack([np.full(50, X), Y + np.arange(50.0), np.ones(50)])), "the same x"),
        (text(grid_points()) + "186000.0 537000.0 abc\n", "three numbers"),
        (text(grid_points()) + "186000.0 537000.0\n", "three numbers"),
    ],
)  # fmt: skip
def test_what_is_no_grid_is_refused_in_words(content, why):
    with pytest.raises(InputError, match=why):
        read_xyz(opener(content), "a.xyz")


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        ("메모\n1 2 3\n", ".txt"),  # too little to be sure
        ("x,y,z,class\n1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n", ".csv"),
        ("a b c\n" * 9, ".xyz"),
        (text(grid_points()), ".md"),
        ("ncols 3\nnrows 2\nxllcorner 0\nyllcorner 0\ncellsize 5\n1 2 3\n4 5 6\n", ".asc"),
    ],
)
def test_other_text_is_not_taken_for_terrain(content, suffix):
    assert not is_xyz(content.encode()[:4096], suffix)


def town(shape: shapely.Geometry) -> StudyArea:
    return StudyArea(crs=CRS, area=shape, dongs=gpd.GeoDataFrame(geometry=[shape], crs=CRS))


def prj(path: Path) -> None:
    path.with_suffix(".prj").write_text(rasterio.CRS.from_string(CRS).to_wkt())


@pytest.mark.parametrize("zipped", [False, True])
def test_from_the_inbox_to_the_terrain(inbox, tmp_path, zipped):
    (inbox / "표고.xyz").write_text(text(ORDERS["shuffled"](grid_points())))
    prj(inbox / "표고.xyz")
    if zipped:
        with zipfile.ZipFile(inbox / "dem.zip", "w") as archive:
            for name in ("표고.xyz", "표고.prj"):
                archive.write(inbox / name, name)
                (inbox / name).unlink()
    inventory = take_inventory(inbox)
    refuse(inventory)
    (dataset,) = inventory.datasets_for("terrain")
    assert (dataset.product, dataset.parts[0].kind, dataset.parts[0].crs) == ("DEM", "raster", CRS)
    assert dataset.parts[0].rows == COLUMNS * ROWS
    assert inventory.ignored == ()
    report = build_terrain(
        inbox, [dataset], town(shapely.box(X + 50, Y + 50, X + 150, Y + 150)), tmp_path / "out.tif", margin_m=20
    )
    with rasterio.open(tmp_path / "out.tif") as raster:
        heights, t = raster.read(1), raster.transform
    rows, columns = np.indices(heights.shape)
    x, y = t.c + (columns + 0.5) * t.a, t.f + (rows + 0.5) * t.e
    # its own grid is kept: nothing was interpolated
    assert np.abs(heights - (20 + 0.1 * (x - X) + 0.05 * (y - Y))).max() < 1e-3
    assert report.coverage_pct == 100.0
    assert report.cell_size_m == 5.0
    assert report.method == "elevation model"


def test_without_crs_it_is_refused_until_the_site_file_says_it(inbox):
    (inbox / "dem.txt").write_text(text(grid_points()))
    told = [p for p in take_inventory(inbox).problems if p.fatal]
    assert len(told) == 1
    assert "EPSG:5186" in told[0].what
    inventory = take_inventory(inbox, {"terrain": SourceSpec(path=Path("dem.txt"), crs=CRS)})
    refuse(inventory)
    assert inventory.datasets_for("terrain")[0].parts[0].crs == CRS


def test_scattered_points_do_not_stop_a_run(inbox):
    random = np.random.default_rng(1)
    points = np.column_stack([random.uniform(0, 500, (300, 2)) + np.array([X, Y]), random.uniform(20, 40, 300)])
    (inbox / "points.txt").write_text(text(points))
    inventory = take_inventory(inbox)
    refuse(inventory)
    assert inventory.datasets == ()
    assert inventory.ignored == ("points.txt",)
    assert any("no regular grid" in p.what for p in inventory.problems)
