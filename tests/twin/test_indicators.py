import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.catalogue import LAYERS
from geodata.study_area import StudyArea
from twin.indicators import building_sums, district_rows, district_shapes, parcel_sums, sum_problems

CRS = "EPSG:5186"
WEST, EAST = "4121010500", "4121010700"


def study_area(area: shapely.Polygon | None = None, district: shapely.Polygon | None = None) -> StudyArea:
    """Two dongs of 100 x 100 m side by side."""
    dongs = gpd.GeoDataFrame(
        {"dong_code": [WEST, EAST], "name_ko": ["노온사동", "가학동"]},
        geometry=[shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)],
        crs=CRS,
    )
    return StudyArea(CRS, area or shapely.box(0, 0, 200, 100), dongs, district)


def lots() -> gpd.GeoDataFrame:
    """Three parcels: two in the west, one in the east."""
    return gpd.GeoDataFrame(
        {"pnu": ["W1", "W2", "E1"], "dong_code": [WEST, WEST, EAST]},
        geometry=[shapely.box(0, 0, 50, 100), shapely.box(50, 0, 100, 100), shapely.box(100, 0, 200, 100)],
        crs=CRS,
    )


def houses() -> gpd.GeoDataFrame:
    """Four buildings of 10 x 10 m: two on W1, none on W2, one on E1, one without parcel and dong beyond the eastern edge."""
    corners = [(10, 10), (30, 10), (120, 10), (205, 50)]
    return gpd.GeoDataFrame(
        {
            "building_id": ["a", "b", "c", "d"],
            "pnu": pd.Series(["W1", "W1", "E1", None], dtype="str"),
            "dong_code": pd.Series([WEST, WEST, EAST, None], dtype="str"),
            "footprint_area_m2": 100.0,
        },
        geometry=[shapely.box(x, y, x + 10, y + 10) for x, y in corners],
        crs=CRS,
    )


def planes() -> pd.DataFrame:
    """Two planes on building a, one on each other building."""
    return pd.DataFrame(
        {
            "roof_id": ["a1", "a2", "b1", "c1", "d1"],
            "building_id": ["a", "a", "b", "c", "d"],
            "area_m2": [60.0, 40.0, 100.0, 100.0, 100.0],
            "usable_area_m2": [30.0, 20.0, 50.0, 60.0, 70.0],
            "capacity_kwp": [3.0, 2.0, 5.0, 6.0, 7.0],
            "yield_kwh": [3600.0, 2400.0, 6000.0, 7200.0, 8400.0],
            "yield_01_kwh": [300.0, 200.0, 500.0, 600.0, 700.0],
        }
    )


def summed_houses() -> gpd.GeoDataFrame:
    return houses().join(building_sums(houses(), planes()), on="building_id")


def summed_lots() -> gpd.GeoDataFrame:
    return lots().join(parcel_sums(lots(), summed_houses()), on="pnu")


def test_roofs_add_up_to_their_building():
    table = building_sums(houses(), planes())
    assert list(table.columns) == ["roof_area_m2", "usable_area_m2", "capacity_kwp", "yield_kwh", "yield_01_kwh"]
    assert table.index.name == "building_id"
    assert list(table.loc["a"]) == [100.0, 50.0, 5.0, 6000.0, 500.0]
    assert list(table["yield_kwh"]) == [6000.0, 6000.0, 7200.0, 8400.0]


def test_building_without_roof_stays_unknown():
    table = building_sums(houses(), planes().iloc[:4])
    assert table.loc["d"].isna().all()


def test_unknown_yield_stays_unknown():
    roofs = planes()
    roofs.loc[roofs["building_id"] == "c", "yield_kwh"] = np.nan
    table = building_sums(houses(), roofs)
    assert np.isnan(table.loc["c", "yield_kwh"])
    assert table.loc["c", "roof_area_m2"] == 100.0


def test_what_was_not_computed_is_no_column():
    table = building_sums(houses(), planes()[["roof_id", "building_id", "area_m2"]])
    assert list(table.columns) == ["roof_area_m2"]


def test_buildings_add_up_to_their_parcel():
    table = parcel_sums(lots(), summed_houses())
    assert list(table["building_count"]) == [2, 0, 1]
    assert list(table["yield_kwh"]) == [12000.0, 0.0, 7200.0]
    assert list(table["capacity_kwp"]) == [10.0, 0.0, 6.0]


def test_parcels_count_buildings_even_without_roofs():
    table = parcel_sums(lots(), houses())
    assert list(table.columns) == ["building_count"]
    assert list(table["building_count"]) == [2, 0, 1]


def test_each_building_counts_in_exactly_one_dong():
    rows = district_rows(study_area(), summed_lots(), summed_houses(), None, None).set_index("dong_code")
    # d has no dong and overlaps none: it counts in the nearest, the east
    assert list(rows.loc[[WEST, EAST], "building_count"]) == [2, 2]
    assert list(rows.loc[[WEST, EAST], "building_footprint_m2"]) == [200.0, 200.0]
    assert list(rows.loc[[WEST, EAST], "yield_kwh"]) == [12000.0, 15600.0]
    assert list(rows.loc[[WEST, EAST], "parcel_count"]) == [2, 1]


def test_strayed_building_counts_where_it_overlaps_most():
    buildings = houses()
    buildings["dong_code"] = "4139011000"
    buildings["geometry"] = [shapely.box(97, 0, 107, 10), shapely.box(91, 0, 101, 10), *buildings.geometry.iloc[2:]]
    rows = district_rows(study_area(), None, buildings, None, None).set_index("dong_code")
    assert list(rows.loc[[WEST, EAST], "building_count"]) == [1, 3]


def test_dong_without_buildings_counts_zero():
    rows = district_rows(study_area(), None, summed_houses().iloc[2:], None, None).set_index("dong_code")
    assert rows.loc[WEST, "building_count"] == 0
    assert rows.loc[WEST, "yield_kwh"] == 0.0


def test_absent_sources_leave_their_columns_out():
    rows = district_rows(study_area(), None, None, None, None)
    assert sorted(rows.columns) == ["area_m2", "dong_code", "geometry", "kind", "name_ko"]
    only_houses = district_rows(study_area(), None, houses(), None, None)
    assert not {"parcel_count", "yield_kwh", "park_area_m2"} & set(only_houses.columns)


def test_district_counts_what_has_its_point_inside():
    # the district holds W1 whole, a fifth of W2, and buildings a and b
    area = study_area(district=shapely.box(0, 0, 60, 100))
    rows = district_rows(area, summed_lots(), summed_houses(), None, None).set_index("dong_code")
    assert list(rows.index) == [WEST, EAST, "DISTRICT"]
    assert rows.loc["DISTRICT", "kind"] == "district"
    assert rows.loc["DISTRICT", "area_m2"] == 6000.0
    assert rows.loc["DISTRICT", "parcel_count"] == 1
    assert rows.loc["DISTRICT", "building_count"] == 2
    assert rows.loc["DISTRICT", "yield_kwh"] == 12000.0
    # the dongs still hold everything
    assert rows.loc[[WEST, EAST], "building_count"].sum() == 4


def test_parks_are_cut_at_the_dong_and_counted_once():
    def park(code: str, *bounds: float) -> dict[str, object]:
        return {"park_id": code + str(bounds), "class_code": code, "geometry": shapely.box(*bounds)}

    parks = gpd.GeoDataFrame(
        [
            park("UQT220", 90, 0, 110, 10),  # 100 m2 on either side
            park("UQT205", 95, 0, 105, 10),  # inside the former
            park("UQT310", 0, 50, 10, 60),  # buffer green is no park
            park("UQT210", 190, 90, 210, 100),  # half beyond the study area
        ],
        crs=CRS,
    )
    rows = district_rows(study_area(), None, None, parks, None).set_index("dong_code")
    assert list(rows["park_area_m2"]) == pytest.approx([100, 200])
    none = district_rows(study_area(), None, None, parks.iloc[:0], None)
    assert list(none["park_area_m2"]) == [0.0, 0.0]


def test_cover_joins_by_dong():
    cover = pd.DataFrame({"green_cover_pct": [35.0, 20.0]}, index=pd.Index([EAST, WEST], name="dong_code"))
    rows = district_rows(study_area(), None, None, None, cover)
    assert list(rows["green_cover_pct"]) == [20.0, 35.0]


def test_whole_dongs_are_untouched_and_parts_say_so():
    whole = district_shapes(study_area())
    assert list(whole["name_ko"]) == ["노온사동", "가학동"]
    assert shapely.equals_identical(whole.geometry.to_numpy(), study_area().dongs.geometry.to_numpy()).all()
    parts = district_shapes(study_area(shapely.box(0, 0, 150, 100), shapely.box(140, 0, 160, 100)))
    assert list(parts["name_ko"]) == ["노온사동", "가학동 (일부)", "사업지구 (일부)"]
    assert list(parts["area_m2"]) == [10000.0, 5000.0, 1000.0]


def test_a_boundary_that_another_file_rounds_otherwise_is_whole():
    # 0.01 mm along a side of 100 m
    rows = district_shapes(study_area(shapely.box(0, 0, 150, 100), shapely.box(50, 0, 150.00001, 100)))
    assert rows.set_index("kind").loc["district", "name_ko"] == "사업지구"


def test_district_outside_the_study_area_has_no_row():
    rows = district_shapes(study_area(district=shapely.box(500, 500, 600, 600)))
    assert list(rows["dong_code"]) == [WEST, EAST]


def test_rows_meet_the_declaration():
    area = study_area(district=shapely.box(0, 0, 60, 100))
    rows = LAYERS["districts"].finish(district_rows(area, summed_lots(), summed_houses(), None, None))
    assert LAYERS["districts"].problems(rows, CRS) == []


def test_sums_that_were_kept_pass():
    rows = district_rows(study_area(), summed_lots(), summed_houses(), None, None)
    assert sum_problems(rows, summed_lots(), summed_houses(), planes()) == []
    assert sum_problems(district_rows(study_area(), None, None, None, None), None, None, None) == []


def test_published_rounding_passes():
    """1,000 buildings of odd values, each level rounded as the catalogue publishes it before the next is summed."""
    rng = np.random.default_rng(5)
    count = 1000
    corners = rng.uniform(0, 190, count)
    ids = [f"h{i:04d}" for i in range(count)]
    shapes = shapely.box(corners, 40, corners + 3.3, 43.3)
    pnu = np.where(corners < 50, "W1", np.where(corners < 100, "W2", "E1"))
    buildings = gpd.GeoDataFrame(
        {"building_id": ids, "pnu": pnu, "dong_code": np.where(corners < 100, WEST, EAST), "footprint_area_m2": 10.9},
        geometry=shapes,
        crs=CRS,
    )
    owner = np.repeat(ids, 2)
    values = rng.uniform(0, 1000, (2 * count, 3))
    roofs = pd.DataFrame({"roof_id": [f"r{i}" for i in range(2 * count)], "building_id": owner, "area_m2": 5.4})
    roofs["capacity_kwp"] = values[:, 0].round(3)
    roofs["yield_kwh"] = values[:, 1].round(1)
    buildings = buildings.join(
        building_sums(buildings, roofs).round({"capacity_kwp": 2, "yield_kwh": 0}), on="building_id"
    )
    parcels = lots().join(parcel_sums(lots(), buildings).round({"capacity_kwp": 2, "yield_kwh": 0}), on="pnu")
    rows = district_rows(study_area(), parcels, buildings, None, None)
    assert sum_problems(rows, parcels, buildings, roofs) == []


@pytest.mark.parametrize(
    ("layer", "column", "row", "message"),
    [
        ("roofs", "yield_kwh", 1, "yield_kwh: 1 buildings differ from the sum of their roofs, first a"),
        ("roofs", "building_id", 4, "1 roofs belong to no building"),
        ("buildings", "capacity_kwp", 2, "capacity_kwp: 1 parcels differ from the sum of their buildings, first E1"),
        ("parcels", "building_count", 0, "building_count: 1 parcels differ from the sum of their buildings, first W1"),
        ("districts", "building_count", 0, "building_count of all dongs is"),
        ("districts", "parcel_count", 0, "parcel_count of all dongs is"),
        ("districts", "yield_kwh", 1, "yield_kwh: 1 districts differ from the sum of their buildings, first all"),
        ("districts", "building_footprint_m2", 1, "building_footprint_m2: 1 districts differ"),
    ],
)
def test_sums_that_were_lost_are_told(layer, column, row, message):
    rows = district_rows(study_area(), summed_lots(), summed_houses(), None, None)
    tables = {"districts": rows, "parcels": summed_lots(), "buildings": summed_houses(), "roofs": planes()}
    tables[layer].loc[row, column] = "nobody" if column == "building_id" else tables[layer].loc[row, column] + 5
    assert any(message in problem for problem in sum_problems(**tables))


def test_lost_column_is_told():
    rows = district_rows(study_area(), lots(), summed_houses(), None, None)
    assert any("parcels lack yield_kwh" in p for p in sum_problems(rows, lots(), summed_houses(), None))
