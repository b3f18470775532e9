"""Green from several sources: who keeps the ground, what an image may add, and how sure the result is; all counted by hand."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import from_origin

from geodata.catalogue import LAYERS
from geodata.catalogue.biotope import GREEN_GROUPS
from geodata.study_area import StudyArea
from twin.green.checks import overlap_problems, physics_problems
from twin.green.cover import confidence, cover_of, green_polygons
from twin.green.plots import plot_cover
from twin.green.raster_cover import observed_by
from twin.green.vegetation import blockers, has_level, vegetation_of
from twin.overlay import cut_away

CRS = "EPSG:5186"


def write(path: Path, values: np.ndarray, *, cell: float = 2.0, top: float = 6.0) -> Path:
    profile = {"driver": "GTiff", "count": 1, "height": values.shape[0], "width": values.shape[1], "dtype": "float32"}
    with rasterio.open(path, "w", **profile, crs=CRS, transform=from_origin(0, top, cell, cell)) as raster:
        raster.write(values.astype("float32"), 1)
    return path


def area(shape: shapely.Polygon) -> StudyArea:
    dongs = gpd.GeoDataFrame({"dong_code": ["4121010500"], "name_ko": ["노온사동"]}, geometry=[shape], crs=CRS)
    return StudyArea(CRS, shape, dongs)


def parcels(*shapes: shapely.Polygon) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"pnu": [f"p{i}" for i in range(len(shapes))]}, geometry=list(shapes), crs=CRS)


def land_cover(*rows: tuple[str, shapely.Polygon]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"class_code": [code for code, _ in rows], "source": "sheet"}, geometry=[shape for _, shape in rows], crs=CRS
    )


NONE = np.empty(0, dtype=object)


def test_three_by_three_cells_half_covered(tmp_path):
    # cells of 2 m, green are the middle column and the lower right one; the parcel cuts all outer cells in half
    ndvi = np.array([[0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.8]])
    raster = write(tmp_path / "n.tif", ndvi)
    seen = vegetation_of(raster, area(shapely.box(0, 0, 6, 6)), NONE, "NDVI")
    assert shapely.area(seen.shapes).sum() == pytest.approx(16)
    lot = parcels(shapely.box(1, 1, 5, 5))
    table = cover_of(lot, "pnu", None, green_polygons(None, seen), observed_by(lot, "pnu", raster))
    # middle column 2 m wide and 4 m high inside the parcel, and a quarter of the corner cell
    assert table.loc["p0", "green_area_m2"] == pytest.approx(8 + 1)
    assert table.loc["p0", "green_cover_pct"] == pytest.approx(900 / 16)
    assert table.loc["p0", "cover_resolution_m"] == 2.0
    assert table.loc["p0", "cover_confidence"] == "low"  # four cells


def test_no_green_in_an_image_is_zero_and_no_image_is_unknown(tmp_path):
    ndvi = np.full((3, 3), 0.1)
    ndvi[:, 0] = np.nan  # clouds
    raster = write(tmp_path / "n.tif", ndvi)
    seen = vegetation_of(raster, area(shapely.box(0, 0, 6, 6)), NONE, "NDVI")
    lots = parcels(shapely.box(2, 0, 6, 6), shapely.box(0, 0, 2, 6), shapely.box(0, 0, 4, 6))
    table = cover_of(lots, "pnu", None, green_polygons(None, seen), observed_by(lots, "pnu", raster))
    assert table["green_cover_pct"].tolist()[0] == 0.0
    assert np.isnan(table["green_cover_pct"].iloc[1])
    assert table["green_cover_pct"].iloc[2] == 0.0
    assert table["cover_confidence"].tolist() == ["low", "none", "low"]
    assert not [name for name in table.columns if name.startswith("cover_built")]


def test_land_cover_keeps_its_ground_and_the_index_adds_to_the_rest(tmp_path):
    # one row of cells of 2 m, all green in the image; wood, houses, water, a gap, a greenhouse
    layer = land_cover(
        ("311", shapely.box(0, 0, 3, 2)),
        ("112", shapely.box(3, 0, 7, 2)),
        ("711", shapely.box(7, 0, 8, 2)),
        ("231", shapely.box(10, 0, 12, 2)),
    )
    house = gpd.GeoDataFrame({"building_id": ["b"]}, geometry=[shapely.box(4, 0, 5, 2)], crs=CRS)
    raster = write(tmp_path / "n.tif", np.full((1, 6), 0.9), top=2.0)
    seen = vegetation_of(raster, area(shapely.box(0, 0, 12, 2)), blockers(layer, house), "NDVI 2025-08-01")
    green = green_polygons(layer, seen)
    assert overlap_problems(green) == []
    by_kind = green.groupby("source_kind")["area_m2"].sum()
    assert by_kind["land_cover"] == pytest.approx(6)
    # houses 4 x 2 less the roof 1 x 2, and the gap from 8 to 10
    assert by_kind["ndvi"] == pytest.approx(6 + 4)
    assert set(green.loc[green["source_kind"] == "ndvi", "source"]) == {"NDVI 2025-08-01, NDVI > 0.3"}
    lot = parcels(shapely.box(0, 0, 12, 2))
    table = cover_of(lot, "pnu", layer, green, observed_by(lot, "pnu", raster)).loc["p0"]
    assert table["green_forest_m2"] == pytest.approx(6)
    assert table["green_vegetation_m2"] == pytest.approx(10)
    assert table["green_area_m2"] == pytest.approx(16)
    assert table["canopy_cover_pct"] == pytest.approx(25)
    # land cover tells 20 m2 at 1 m, of which the image claims 6; image: 6 + the gap of 4, at 2 m
    assert table["cover_resolution_m"] == pytest.approx((14 * 1 + 10 * 2) / 24)
    finished = LAYERS["green"].finish(green)
    assert LAYERS["green"].problems(finished, CRS) == []


def test_pieces_below_four_square_metres_are_left_out_and_told(tmp_path):
    layer = land_cover(("311", shapely.box(0, 0, 3.5, 2)))
    raster = write(tmp_path / "n.tif", np.array([[0.9, 0.9, 0.0, 0.9]]), top=2.0)
    seen = vegetation_of(raster, area(shapely.box(0, 0, 8, 2)), blockers(layer, None), "NDVI")
    # half a metre beside the wood is a sliver of 1 m2; the last cell holds exactly 4 m2
    assert shapely.area(seen.shapes).tolist() == [4.0]
    assert seen.dropped_m2 == pytest.approx(1.0)


def test_windows_make_no_difference(tmp_path, monkeypatch):
    rng = np.random.default_rng(5)
    ndvi = rng.uniform(0, 0.6, (40, 40))
    raster = write(tmp_path / "n.tif", ndvi, top=80.0)
    layer = land_cover(("311", shapely.Point(30, 30).buffer(17.3)), ("111", shapely.box(50, 0, 80, 80)))
    whole = vegetation_of(raster, area(shapely.box(0, 0, 80, 80)), blockers(layer, None), "NDVI")
    monkeypatch.setattr("twin.green.vegetation.WINDOW", 7)
    cut = vegetation_of(raster, area(shapely.box(0, 0, 80, 80)), blockers(layer, None), "NDVI")
    # independent: cells as squares, one by one, less the wood
    column, row = np.meshgrid(np.arange(40), np.arange(40))
    cells = shapely.box(2 * column, 78 - 2 * row, 2 * column + 2, 80 - 2 * row)[ndvi.astype("float32") > 0.3]
    expected = shapely.area(shapely.difference(cells, layer.geometry.iloc[0])).sum()
    assert shapely.area(whole.shapes).sum() + whole.dropped_m2 == pytest.approx(expected)
    assert shapely.area(cut.shapes).sum() + cut.dropped_m2 == pytest.approx(expected)


def test_photographs_have_no_level():
    assert has_level("SENTINEL2_BANDS")
    assert not has_level("AERIAL_4BAND")


def test_confidence_counts_cells():
    square = np.array([400.0, 399.0, 25.0, 24.0, 400.0, 400.0, 400.0])
    known = np.array([400.0, 399.0, 25.0, 24.0, 380.0, 379.0, 0.0])
    told = confidence(square, np.where(known > 0, 1.0, np.nan), known)
    assert told.tolist() == ["high", "medium", "medium", "low", "high", "low", "none"]
    assert confidence(np.array([40_000.0]), np.array([10.0]), np.array([40_000.0])).tolist() == ["high"]
    assert confidence(np.array([2_400.0]), np.array([10.0]), np.array([2_400.0])).tolist() == ["low"]


def test_plot_of_a_building_on_two_parcels():
    lots = parcels(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 30, 10), shapely.box(0, 10, 30, 20))
    cover = pd.DataFrame({"green_area_m2": [10.0, 80.0, np.nan]}, index=["p0", "p1", "p2"])
    houses = gpd.GeoDataFrame(
        {"building_id": ["both", "one", "sliver", "unknown", "nowhere"]},
        geometry=[
            shapely.box(5, 2, 15, 8),
            shapely.box(12, 2, 18, 8),
            shapely.box(9.9, 2, 19.9, 8),  # 1 % over the border
            shapely.box(2, 12, 8, 18),
            shapely.box(90, 90, 99, 99),
        ],
        crs=CRS,
    )
    table = plot_cover(houses, lots, cover)
    assert table.loc["both"].tolist() == pytest.approx([300, 90, 30])
    assert table.loc["one"].tolist() == pytest.approx([200, 80, 40])
    assert table.loc["sliver"].tolist() == pytest.approx([200, 80, 40])
    assert table.loc["unknown", "plot_area_m2"] == pytest.approx(300)
    assert np.isnan(table.loc["unknown", "plot_green_cover_pct"])
    assert table.loc["nowhere"].isna().all()


def test_plot_of_a_planned_building_is_its_block():
    blocks = gpd.GeoDataFrame({"block_id": ["A-1"]}, geometry=[shapely.box(0, 0, 50, 50)], crs=CRS)
    houses = gpd.GeoDataFrame(
        {"building_id": ["new", "old"], "block_id": ["A-1", None]},
        geometry=[shapely.box(5, 5, 20, 20), shapely.box(62, 2, 68, 8)],
        crs=CRS,
    )
    lots = parcels(shapely.box(0, 0, 30, 30), shapely.box(60, 0, 70, 10))
    cover = pd.DataFrame({"green_area_m2": [900.0, 25.0]}, index=["p0", "p1"])
    block_cover = pd.DataFrame({"green_area_m2": [1000.0]}, index=["A-1"])
    table = plot_cover(houses, lots, cover, blocks, block_cover)
    assert table.loc["new"].tolist() == pytest.approx([2500, 1000, 40])
    assert table.loc["old"].tolist() == pytest.approx([100, 25, 25])


def test_parts_and_canopy_are_checked():
    row = {"pnu": ["p"], "area_m2": [100.0], "green_area_m2": [50.0], "green_cover_pct": [50.0]}
    parts = {f"green_{name}_m2": [0.0] for name in GREEN_GROUPS} | {"green_forest_m2": [50.0]}
    assert physics_problems(pd.DataFrame(row | parts | {"canopy_cover_pct": [50.0]})) == []
    lost = physics_problems(pd.DataFrame(row | parts | {"green_forest_m2": [40.0]}))
    assert lost == ["1 rows: the kinds of green do not sum to the green area, first pnu p"]
    high = physics_problems(pd.DataFrame(row | parts | {"canopy_cover_pct": [60.0]}))
    assert high == ["1 rows: there is more canopy than green, first pnu p"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 12)] * 2), min_size=1, max_size=12))
def test_cutting_away_is_the_difference_with_the_union(boxes):
    shapes = np.array([shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes], dtype=object)
    field = np.array([shapely.box(0, 0, 20, 20), shapely.box(20, 0, 45, 45)], dtype=object)
    left = cut_away(field, shapes)
    expected = shapely.area(shapely.difference(field, shapely.union_all(shapes)))
    np.testing.assert_allclose(np.nan_to_num(shapely.area(left)), expected, atol=1e-9)
