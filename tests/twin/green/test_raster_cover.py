import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from geodata.catalogue.shared import COVER_CLASSES
from geodata.errors import InputError
from twin.green.cover import COVER_COLUMNS, cover_of, green_polygons
from twin.green.raster_cover import cover_from_raster, ndvi_green_share

CRS = "EPSG:5186"


def write(
    path: Path, values: np.ndarray, *, cell: float = 1.0, crs: str | None = CRS, nodata: float | None = None
) -> Path:
    rows, columns = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=1, dtype=values.dtype, crs=crs, nodata=nodata,
        transform=from_origin(0, rows * cell, cell, cell),
    ) as target:  # fmt: skip
        target.write(values, 1)
    return path


def parcels(*shapes: shapely.Polygon) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"pnu": [f"p{i}" for i in range(len(shapes))]}, geometry=list(shapes), crs=CRS)


@pytest.fixture
def nine(tmp_path):
    """3 x 3 cells of 1 m: woods above, road and field in the middle, grass, greenhouse and water below."""
    codes = np.array([[311, 321, 331], [154, 211, 154], [411, 231, 711]], dtype="int16")
    return write(tmp_path / "classes.tif", codes, nodata=-1)


def test_half_covered_cells(nine):
    # the square 0.5..2.5 holds the middle cell whole, edge cells by half and corner cells by a quarter:
    # wood 0.25 + 0.5 + 0.25, road 0.5 + 0.5, field 1, grass 0.25, greenhouse 0.5 (farmland), water 0.25
    table = cover_from_raster(parcels(shapely.box(0.5, 0.5, 2.5, 2.5)), "pnu", nine)
    expected = {"built": 1.0, "farm": 1.5, "forest": 1.0, "grass": 0.25, "water": 0.25}
    for name in COVER_CLASSES:
        assert table.loc["p0", f"cover_{name}_m2"] == pytest.approx(expected.get(name, 0.0), abs=1e-7), name
    # green: wood 1, field 1, grass 0.25; the greenhouse is not
    assert table.loc["p0", "green_area_m2"] == pytest.approx(2.25)
    assert table.loc["p0", "green_cover_pct"] == pytest.approx(56.25)


def test_cell_size_counts(tmp_path):
    raster = write(tmp_path / "c.tif", np.full((3, 3), 331, dtype="int16"), cell=10.0)
    table = cover_from_raster(parcels(shapely.box(5, 5, 25, 25)), "pnu", raster)
    assert table.loc["p0", "cover_forest_m2"] == pytest.approx(400)


def test_outside_nodata_and_foreign_values_are_unknown(tmp_path):
    codes = np.array([[-1, 311, 999]], dtype="int16")
    raster = write(tmp_path / "c.tif", codes, nodata=-1)
    table = cover_from_raster(parcels(shapely.box(0, 0, 3, 2), shapely.box(50, 50, 60, 60)), "pnu", raster)
    assert table.loc["p0", "cover_forest_m2"] == pytest.approx(1)
    assert table.loc["p0", "cover_unknown_m2"] == pytest.approx(5)
    assert np.isnan(table.loc["p1", "green_cover_pct"])
    assert table.loc["p1", "cover_unknown_m2"] == pytest.approx(100)


def test_values_of_another_map_by_a_table(tmp_path):
    raster = write(tmp_path / "c.tif", np.array([[10, 50]], dtype="uint8"))
    table = cover_from_raster(parcels(shapely.box(0, 0, 2, 1)), "pnu", raster, {10: "331", 50: "112"})
    assert table.loc["p0", "cover_forest_m2"] == pytest.approx(1)
    assert table.loc["p0", "cover_built_m2"] == pytest.approx(1)
    with pytest.raises(InputError, match="330"):
        cover_from_raster(parcels(shapely.box(0, 0, 2, 1)), "pnu", raster, {10: "330"})


def test_raster_agrees_with_the_polygons_of_its_cells(tmp_path):
    """Independent method: the exact overlay of the cells as squares."""
    rng = np.random.default_rng(3)
    codes = rng.choice(np.array([112, 154, 211, 231, 331, 411, 711], dtype="int16"), (40, 40))
    raster = write(tmp_path / "c.tif", codes, cell=5.0)
    column, row = np.meshgrid(np.arange(40), np.arange(40))
    cells = shapely.box(5 * column, 200 - 5 * row - 5, 5 * column + 5, 200 - 5 * row)
    layer = gpd.GeoDataFrame(
        {"class_code": codes.ravel().astype(str), "source": "cells"}, geometry=cells.ravel(), crs=CRS
    )
    points = shapely.points(rng.uniform(20, 180, (30, 2)))
    features = parcels(*shapely.buffer(points, rng.uniform(3, 25, 30), quad_segs=3))
    table = cover_from_raster(features, "pnu", raster)
    expected = cover_of(features, "pnu", layer, green_polygons(layer))[list(table.columns)]
    np.testing.assert_allclose(table, expected, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(table[list(COVER_COLUMNS)].sum(axis=1), features.area, rtol=1e-6)


def test_ndvi_mean_and_share_by_hand(tmp_path):
    ndvi = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]])
    raster = write(tmp_path / "ndvi.tif", ndvi)
    table = ndvi_green_share(parcels(shapely.box(0.5, 0.5, 2.5, 2.5)), "pnu", raster, 0.45)
    # weights 1/4 in corners, 1/2 on edges, 1 in the middle, 4 in all; symmetric about 0.5
    assert table.loc["p0", "ndvi_mean"] == pytest.approx(0.5)
    # above 0.45: 0.5 (1), 0.6 and 0.8 (1/2 each), 0.7 and 0.9 (1/4 each) = 2.5 of 4
    assert table.loc["p0", "ndvi_green_pct"] == pytest.approx(62.5)
    assert table.loc["p0", "ndvi_known_pct"] == pytest.approx(100)


def test_ndvi_threshold_itself_is_not_green(tmp_path):
    raster = write(tmp_path / "ndvi.tif", np.array([[0.25, 0.5]]))
    table = ndvi_green_share(parcels(shapely.box(0, 0, 2, 1)), "pnu", raster, 0.25)
    assert table.loc["p0", "ndvi_green_pct"] == pytest.approx(50)


def test_clouds_are_left_out_and_told(tmp_path):
    stored = np.array([[6000, -32768], [2000, -32768]], dtype="int16")
    raster = write(tmp_path / "ndvi.tif", stored, nodata=-32768)
    features = parcels(shapely.box(0, 0, 2, 2), shapely.box(1, 0, 2, 2), shapely.box(9, 9, 10, 10))
    table = ndvi_green_share(features, "pnu", raster, 0.3, scale=1e-4)
    assert table.loc["p0", "ndvi_mean"] == pytest.approx(0.4)
    assert table.loc["p0", "ndvi_green_pct"] == pytest.approx(50)
    assert list(table["ndvi_known_pct"]) == pytest.approx([50, 0, 0])
    assert table.loc[["p1", "p2"], ["ndvi_mean", "ndvi_green_pct"]].isna().all(axis=None)


def test_clouds_over_a_strip_within_one_column(tmp_path):
    stored = np.array([[6000] * 3, [-32768] * 3, [2000] * 3] * 3, dtype="int16")
    raster = write(tmp_path / "ndvi.tif", stored, nodata=-32768)
    table = ndvi_green_share(parcels(shapely.box(0.2, 0, 0.8, 9)), "pnu", raster, 0.3, scale=1e-4)
    assert table.loc["p0", ["ndvi_mean", "ndvi_green_pct"]].tolist() == pytest.approx([0.4, 50])
    assert table.loc["p0", "ndvi_known_pct"] == pytest.approx(100 * 2 / 3)


def test_nan_needs_no_declaration(tmp_path):
    raster = write(tmp_path / "ndvi.tif", np.array([[0.8, np.nan]], dtype="float32"))
    table = ndvi_green_share(parcels(shapely.box(0, 0, 2, 1)), "pnu", raster, 0.3)
    assert table.loc["p0", "ndvi_mean"] == pytest.approx(0.8)
    assert table.loc["p0", "ndvi_known_pct"] == pytest.approx(50)


def test_declared_scale_is_used(tmp_path):
    raster = write(tmp_path / "ndvi.tif", np.array([[6000, 2000]], dtype="int16"))
    with rasterio.open(raster, "r+") as target:
        target.scales = (1e-4,)
    assert ndvi_green_share(parcels(shapely.box(0, 0, 2, 1)), "pnu", raster, 0.3).loc[
        "p0", "ndvi_mean"
    ] == pytest.approx(0.4)


@pytest.mark.parametrize(("stored", "scale"), [([[6000, 2000]], None), ([[0.6, 0.2]], 1e-4), ([[0.6, -9999.0]], None)])
def test_wrong_scale_is_refused(tmp_path, stored, scale):
    raster = write(tmp_path / "ndvi.tif", np.array(stored))
    with pytest.raises(InputError, match=r"-1\.\.1"):
        ndvi_green_share(parcels(shapely.box(0, 0, 2, 1)), "pnu", raster, 0.3, scale)


def test_unusable_rasters_are_refused(tmp_path, nine):
    features = parcels(shapely.box(0, 0, 2, 1))
    with pytest.raises(InputError, match="reproject"):
        cover_from_raster(features.to_crs("EPSG:5179"), "pnu", nine)
    with pytest.raises(InputError, match="reproject"):
        ndvi_green_share(features.to_crs("EPSG:5179"), "pnu", nine, 0.3)
    with pytest.raises(InputError, match="no CRS"):
        cover_from_raster(features, "pnu", write(tmp_path / "bare.tif", np.ones((2, 2), dtype="uint8"), crs=None))
    (tmp_path / "text.tif").write_text("not a raster")
    with pytest.raises(InputError, match="cannot be read"):
        cover_from_raster(features, "pnu", tmp_path / "text.tif")
    with pytest.raises(InputError, match="threshold"):
        ndvi_green_share(features, "pnu", nine, 30)


def test_raster_with_the_parameters_of_the_crs_but_no_code_is_used(tmp_path):
    wkt = re.sub(r',\s*ID\["EPSG",\d+\]', "", pyproj.CRS(CRS).to_wkt())
    for name in ("KGD2002 / Central Belt 2010", "KGD2002", "Korean Geodetic Datum 2002"):
        wkt = wkt.replace(f'"{name}"', '"unknown"')
    raster = write(tmp_path / "c.tif", np.array([[331]], dtype="int16"), crs=wkt)
    with rasterio.open(raster) as source:
        assert pyproj.CRS.from_wkt(source.crs.to_wkt()) != CRS
    table = cover_from_raster(parcels(shapely.box(0, 0, 1, 1)), "pnu", raster)
    assert table.loc["p0", "cover_forest_m2"] == pytest.approx(1)


@pytest.mark.realdata
def test_ndvi_of_sentinel_bands(shared_data, tmp_path):
    """NDVI of real red and near-infrared bands, by cells: squares of 2 x 2 whole cells against plain numpy means."""
    bands = {}
    for name in ("red", "nir"):
        with rasterio.open(shared_data / "oracles" / f"{name}_band.nc") as source:
            bands[name] = source.read(1)
            transform = source.transform
    ndvi = (bands["nir"] - bands["red"]) / (bands["nir"] + bands["red"])
    path = tmp_path / "ndvi.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=300,
        height=200,
        count=1,
        dtype="float64",
        crs="EPSG:32719",
        transform=transform,
    ) as target:
        target.write(ndvi, 1)
    left, top, size = transform.c, transform.f, transform.a
    column, row = np.meshgrid(np.arange(0, 300, 20), np.arange(0, 200, 20))
    corner_x, corner_y = left + size * column.ravel(), top - size * row.ravel()
    features = gpd.GeoDataFrame(
        {"pnu": [f"p{i}" for i in range(column.size)]},
        geometry=shapely.box(corner_x, corner_y - 2 * size, corner_x + 2 * size, corner_y),
        crs="EPSG:32719",
    )
    table = ndvi_green_share(features, "pnu", path, 0.3)
    blocks = np.stack([ndvi[row + i, column + j] for i in (0, 1) for j in (0, 1)]).reshape(4, -1)
    assert np.isfinite(blocks).all()
    np.testing.assert_allclose(table["ndvi_mean"], blocks.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(table["ndvi_green_pct"], 100 * (blocks > 0.3).mean(axis=0), atol=1e-4)
