import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.catalogue import LAYERS
from geodata.catalogue.shared import COVER_CLASSES
from geodata.errors import InputError
from twin.green.cover import COVER_COLUMNS, cover_of, green_polygons

CRS = "EPSG:5186"


def land_cover(*rows: tuple[str, shapely.Polygon]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"class_code": [code for code, _ in rows], "source": "sheet"}, geometry=[shape for _, shape in rows], crs=CRS
    )


def parcels(*shapes: shapely.Polygon) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"pnu": [f"p{i}" for i in range(len(shapes))]}, geometry=list(shapes), crs=CRS)


def cover(features: gpd.GeoDataFrame, layer: gpd.GeoDataFrame) -> pd.DataFrame:
    return cover_of(features, "pnu", layer, green_polygons(layer))


def areas(table: pd.DataFrame, row: str = "p0") -> dict[str, float]:
    return {name: pytest.approx(table.loc[row, f"cover_{name}_m2"], abs=1e-9) for name in COVER_CLASSES}


def none_but(**given: float) -> dict[str, float]:
    return {name: given.get(name, 0.0) for name in COVER_CLASSES}


def test_parcel_cut_by_four_classes():
    # 10 x 10 m parcel; houses left 4 m, then a paddy 6 x 5, a wood 6 x 3 and a stream 6 x 2
    layer = land_cover(
        ("111", shapely.box(-50, -50, 4, 50)),
        ("211", shapely.box(4, 0, 40, 5)),
        ("311", shapely.box(4, 5, 40, 8)),
        ("711", shapely.box(4, 8, 40, 30)),
    )
    table = cover(parcels(shapely.box(0, 0, 10, 10)), layer)
    assert areas(table) == none_but(built=40, farm=30, forest=18, water=12)
    assert table.loc["p0", "green_area_m2"] == pytest.approx(48)
    assert table.loc["p0", "green_cover_pct"] == pytest.approx(48)


def test_half_covered_parcel_is_told_of_its_whole_area():
    table = cover(parcels(shapely.box(0, 0, 10, 10)), land_cover(("411", shapely.box(0, 0, 5, 10))))
    assert areas(table) == none_but(grass=50, unknown=50)
    assert table.loc["p0", "green_cover_pct"] == pytest.approx(50)


def test_gap_between_sheets_is_unknown():
    layer = land_cover(("331", shapely.box(0, 0, 4, 10)), ("331", shapely.box(4.5, 0, 10, 10)))
    assert areas(cover(parcels(shapely.box(0, 0, 10, 10)), layer)) == none_but(forest=95, unknown=5)


def test_parcel_without_land_cover_has_no_green_cover():
    features = parcels(shapely.box(0, 0, 10, 10), shapely.box(100, 100, 110, 110))
    table = cover(features, land_cover(("111", shapely.box(0, 0, 10, 10))))
    assert table.loc["p0", "green_cover_pct"] == 0.0
    assert np.isnan(table.loc["p1", "green_cover_pct"])
    assert np.isnan(table.loc["p1", "green_area_m2"])
    assert areas(table, "p1") == none_but(unknown=100)


def test_touching_land_cover_does_not_reach_a_parcel():
    table = cover(parcels(shapely.box(0, 0, 10, 10)), land_cover(("311", shapely.box(10, 0, 20, 10))))
    assert np.isnan(table.loc["p0", "green_cover_pct"])


def test_greenhouse_is_farmland_but_not_green():
    layer = land_cover(("231", shapely.box(0, 0, 5, 10)), ("221", shapely.box(5, 0, 10, 10)))
    table = cover(parcels(shapely.box(0, 0, 10, 10)), layer)
    assert areas(table) == none_but(farm=100)
    assert table.loc["p0", "green_cover_pct"] == pytest.approx(50)


def test_class_outside_the_map_is_unknown():
    layer = land_cover(("199", shapely.box(0, 0, 5, 10)), ("154", shapely.box(5, 0, 10, 10)))
    assert areas(cover(parcels(shapely.box(0, 0, 10, 10)), layer)) == none_but(built=50, unknown=50)


def test_hole_of_a_parcel_is_not_covered():
    ring = shapely.box(0, 0, 10, 10) - shapely.box(4, 4, 6, 6)
    assert areas(cover(parcels(ring), land_cover(("321", shapely.box(-5, -5, 15, 15))))) == none_but(forest=96)


def test_parts_of_a_multipolygon_add_up():
    both = shapely.MultiPolygon([shapely.box(0, 0, 2, 2), shapely.box(8, 8, 10, 10)])
    layer = land_cover(("422", shapely.MultiPolygon([shapely.box(0, 0, 1, 2), shapely.box(9, 8, 12, 12)])))
    assert areas(cover(parcels(both), layer)) == none_but(grass=4, unknown=4)


def test_green_may_come_from_elsewhere_than_land_cover():
    features = parcels(shapely.box(0, 0, 10, 10))
    green = green_polygons(land_cover(("311", shapely.box(0, 0, 10, 3))))
    table = cover_of(features, "pnu", land_cover(("623", shapely.box(500, 0, 510, 10))), green)
    assert areas(table) == none_but(unknown=100)
    assert table.loc["p0", "green_cover_pct"] == pytest.approx(30)


def zigzag(teeth: int, width: float) -> shapely.Polygon:
    """Polygon over [0, width] whose top is a saw between 1 and 2 m and whose bottom is at 0: mean height 1.5 m."""
    x = np.linspace(0, width, 2 * teeth + 1)
    top = np.column_stack([x, np.where(np.arange(len(x)) % 2, 2.0, 1.0)])
    return shapely.Polygon(np.vstack([[(0, 0)], top, [(width, 0)]]))


def test_large_polygon_is_cut_without_losing_area():
    # 4,000 teeth of 1 m; each parcel of 10 m holds ten of them: 10 x 1.5 m2 of wood, the rest water above
    wood = zigzag(4000, 4000.0)
    layer = land_cover(("311", wood), ("711", shapely.box(0, 0, 4000, 2) - wood))
    lots = [shapely.box(x, 0, x + 10, 2) for x in range(0, 4000, 10)]
    table = cover(parcels(*lots), layer)
    np.testing.assert_allclose(table["cover_forest_m2"], 15.0, rtol=1e-9)
    np.testing.assert_allclose(table["cover_water_m2"], 5.0, rtol=1e-9)
    whole = cover(parcels(shapely.box(-10, -10, 4010, 10)), layer)
    assert whole.loc["p0", "cover_forest_m2"] == pytest.approx(6000)
    assert whole.loc["p0", "cover_unknown_m2"] == pytest.approx(4020 * 20 - 8000)


@pytest.fixture(scope="module")
def town() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """400 parcels over 2,000 land cover cells, both tessellations of one square, cells with random classes."""
    rng = np.random.default_rng(41210)
    square = shapely.box(0, 0, 1000, 1000)

    def cells(count: int) -> np.ndarray:
        points = shapely.multipoints(rng.uniform(0, 1000, (count, 2)))
        return shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(points, extend_to=square)), square)

    shapes = cells(2000)
    codes = rng.choice(["112", "154", "211", "231", "331", "411", "511", "622", "711"], len(shapes))
    layer = gpd.GeoDataFrame({"class_code": codes, "source": "sheet"}, geometry=shapes, crs=CRS)
    return parcels(*cells(400)), layer


def test_classes_sum_to_each_feature(town):
    features, layer = town
    table = cover(features, layer)
    np.testing.assert_allclose(table[list(COVER_COLUMNS)].sum(axis=1), features.area, rtol=1e-6)


def test_town_agrees_with_class_by_class_dissolve(town):
    """Independent method: union of each class, clipped by the parcel one after another."""
    features, layer = town
    table = cover(features, layer).iloc[:25]
    for name, codes in {"built": ["112", "154"], "farm": ["211", "231"], "wetland": ["511"]}.items():
        whole = shapely.union_all(layer.geometry[layer["class_code"].isin(codes)].to_numpy())
        expected = [shape.intersection(whole).area for shape in features.geometry.iloc[:25]]
        np.testing.assert_allclose(table[f"cover_{name}_m2"], expected, rtol=1e-7, atol=1e-6)
    green = shapely.union_all(layer.geometry[layer["class_code"].isin(["211", "331", "411", "511"])].to_numpy())
    expected = [shape.intersection(green).area for shape in features.geometry.iloc[:25]]
    np.testing.assert_allclose(table["green_area_m2"], expected, rtol=1e-7, atol=1e-6)


def test_parcels_add_up_to_the_dong(town):
    features, layer = town
    green = green_polygons(layer)
    dong = gpd.GeoDataFrame({"dong_code": ["4121010500"]}, geometry=[shapely.box(0, 0, 1000, 1000)], crs=CRS)
    whole = cover_of(dong, "dong_code", layer, green)
    summed = cover_of(features, "pnu", layer, green)[[*COVER_COLUMNS, "green_area_m2"]].sum()
    np.testing.assert_allclose(
        whole.loc["4121010500", [*COVER_COLUMNS]].astype(float), summed[[*COVER_COLUMNS]], atol=1e-3
    )
    assert whole.loc["4121010500", "green_area_m2"] == pytest.approx(
        layer.area[layer.index.isin(green_index(layer))].sum()
    )


def green_index(layer: gpd.GeoDataFrame) -> pd.Index:
    return layer.index[layer["class_code"].isin(["211", "331", "411", "511"])]


def test_row_order_changes_nothing(town):
    features, layer = town
    shuffled = layer.sample(frac=1, random_state=7)
    one, other = green_polygons(layer), green_polygons(shuffled)
    pd.testing.assert_frame_equal(one.drop(columns="geometry"), other.drop(columns="geometry"))
    assert shapely.equals_exact(one.geometry.to_numpy(), other.geometry.to_numpy(), tolerance=0, normalize=True).all()
    table = cover_of(features, "pnu", layer, one)
    again = cover_of(features.sample(frac=1, random_state=8), "pnu", shuffled, other).loc[table.index]
    pd.testing.assert_frame_equal(again, table, rtol=1e-12, atol=1e-9)


def test_key_order_and_name_are_kept(town):
    features, layer = town
    table = cover(features.iloc[::-1], layer)
    assert table.index.name == "pnu"
    assert list(table.index) == list(features["pnu"].iloc[::-1])


def test_green_layer_meets_its_declaration(town):
    _, layer = town
    green = LAYERS["green"].finish(green_polygons(layer))
    assert LAYERS["green"].problems(green, CRS) == []
    assert set(green["group"]) == {"farm", "forest", "grass", "wetland"}
    assert green["area_m2"].sum() == pytest.approx(layer.loc[green_index(layer)].area.sum(), abs=0.05 * len(green))


def test_green_flags():
    codes = ["211", "231", "241", "311", "321", "331", "411", "511", "521", "112", "622", "711"]
    layer = land_cover(*((code, shapely.box(10 * i, 0, 10 * i + 10, 10)) for i, code in enumerate(codes)))
    green = green_polygons(layer).set_index("class_code")
    assert set(green.index) == {"211", "241", "311", "321", "331", "411", "511"}
    assert set(green.index[green["is_canopy"]]) == {"311", "321", "331"}
    assert set(green.index[green["is_agricultural"]]) == {"211", "241"}
    assert green.loc["311", "class_ko"] == "활엽수림"


def test_green_id_follows_class_and_shape_alone():
    square = shapely.box(0, 0, 10, 10)
    turned = shapely.Polygon([(10, 10), (0, 10), (0, 0), (10, 0)])
    ids = {
        name: green_polygons(land_cover((code, shape)))["green_id"].iloc[0]
        for name, code, shape in [
            ("square", "311", square),
            ("other start", "311", turned),
            ("multi", "311", shapely.MultiPolygon([square])),
            ("noise", "311", shapely.transform(square, lambda xy: xy + 1e-7)),
            ("other class", "321", square),
            ("moved", "311", shapely.box(0, 0, 10, 10.01)),
        ]
    }
    assert ids["square"] == ids["other start"] == ids["multi"] == ids["noise"]
    assert len({ids["square"], ids["other class"], ids["moved"]}) == 3


def test_nothing_green_is_an_empty_layer():
    layer = land_cover(("154", shapely.box(0, 0, 10, 10)))
    green = LAYERS["green"].finish(green_polygons(layer))
    assert len(green) == 0
    assert LAYERS["green"].problems(green, CRS) == []
    assert cover(parcels(shapely.box(0, 0, 10, 10)), layer).loc["p0", "green_cover_pct"] == 0.0


def test_overlapping_land_cover_is_refused():
    layer = land_cover(("311", shapely.box(0, 0, 10, 10)), ("111", shapely.box(5, 0, 15, 10)))
    with pytest.raises(InputError, match=r"more than once.*p0.*trimmed"):
        cover(parcels(shapely.box(0, 0, 10, 10)), layer)


def test_hairline_overlap_is_rounding():
    layer = land_cover(("311", shapely.box(0, 0, 5.002, 10)), ("111", shapely.box(5, 0, 10, 10)))
    table = cover(parcels(shapely.box(0, 0, 10, 10)), layer)
    assert table[list(COVER_COLUMNS)].sum(axis=1).iloc[0] == pytest.approx(100, rel=1e-12)


def test_other_crs_is_refused():
    layer = land_cover(("311", shapely.box(0, 0, 10, 10)))
    features = parcels(shapely.box(0, 0, 10, 10)).set_crs("EPSG:5179", allow_override=True)
    with pytest.raises(InputError, match="EPSG:5179"):
        cover(features, layer)


def test_repeated_key_is_refused():
    features = parcels(shapely.box(0, 0, 10, 10), shapely.box(0, 0, 5, 5)).assign(pnu="same")
    with pytest.raises(InputError, match="same occurs more than once"):
        cover(features, land_cover(("311", shapely.box(0, 0, 10, 10))))
