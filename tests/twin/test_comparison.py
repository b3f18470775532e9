"""A plan of two blocks on a town of three houses and one wood, summed by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.catalogue import COMPARISON_LAYERS, LAYERS
from geodata.catalogue.comparison import BLOCK_QUANTITIES, DISTRICT_QUANTITIES
from twin.comparison import change_problems, compare_blocks, compare_districts, present_blocks
from twin.green.cover import green_polygons

CRS = "EPSG:5186"
DONG = "4121010500"


def blocks(**changes) -> gpd.GeoDataFrame:
    """Two blocks of 100 x 100 m, side by side."""
    columns = {"block_id": ["A", "B"], "land_use": "공동주택", "use_class": "apartment", "block_status": "new", "built_share_pct": 0.0,
               "dong_code": DONG, "area_m2": 10_000.0, "floor_area_ratio_pct": 200.0, "building_coverage_pct": 50.0,
               "floors_limit": 20, "homes": 100, "building_count": [4, 0], "yield_kwh": [9000.0, np.nan],
               "green_area_m2": [1000.0, 500.0], "green_cover_pct": [10.0, 5.0]}  # fmt: skip
    frame = gpd.GeoDataFrame(
        columns | changes, geometry=[shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)], crs=CRS
    )
    return LAYERS["plan_blocks"].finish(frame)


def houses() -> gpd.GeoDataFrame:
    """Two in A, of which one reaches over into B; none in B; one beyond."""
    shapes = [shapely.box(10, 10, 20, 20), shapely.box(80, 10, 110, 20), shapely.box(300, 10, 310, 20)]
    columns = {
        "building_id": ["a", "b", "c"],
        "footprint_area_m2": [100.0, 300.0, 100.0],
        "yield_kwh": [1000.4, 2000.4, 7.0],
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def wood() -> gpd.GeoDataFrame:
    """Covers the upper half of A and a tenth of B."""
    columns = {"class_code": ["311"], "source": "test"}
    return gpd.GeoDataFrame(columns, geometry=[shapely.union(shapely.box(0, 50, 100, 100), shapely.box(100, 50, 120, 100))], crs=CRS)  # fmt: skip


def test_blocks_are_measured_today_and_subtracted() -> None:
    before = present_blocks(blocks(), houses(), green_polygons(wood()), wood())
    rows = COMPARISON_LAYERS["comparison_blocks"].finish(compare_blocks(before, blocks(), "planned"))
    assert COMPARISON_LAYERS["comparison_blocks"].problems(rows, CRS) == []
    assert rows["comparison_id"].tolist() == ["planned/A", "planned/B"]
    assert rows["building_count_existing"].tolist() == [2, 0]
    assert rows["building_count_change"].tolist() == [2, 0]
    assert rows["yield_kwh_existing"].tolist() == [3001.0, 0.0]
    assert rows["yield_kwh_change"].iloc[0] == 5999.0
    assert np.isnan(rows["yield_kwh_change"].iloc[1])  # the plan does not know it
    assert rows["green_area_m2_existing"].tolist() == [5000.0, 1000.0]
    assert rows["green_cover_pct_change"].tolist() == [-40.0, -5.0]
    assert "building_footprint_m2_change" not in rows.columns  # the plan side does not publish it here
    assert change_problems(rows, BLOCK_QUANTITIES) == []


def districts(codes: list[str], yields: list[float], **more) -> gpd.GeoDataFrame:
    columns = {"dong_code": codes, "name_ko": codes, "kind": "legal_dong", "area_m2": 1.0, "yield_kwh": yields}
    shapes = [shapely.box(i, 0, i + 1, 1) for i in range(len(codes))]
    return LAYERS["districts"].finish(gpd.GeoDataFrame(columns | more, geometry=shapes, crs=CRS))


def test_districts_are_the_published_values_joined_by_code() -> None:
    other = "4121010700"
    existing, planned = districts([other, DONG], [5.0, 1.0], parcel_count=3), districts([DONG, other], [4.0, 3.0])
    made = [compare_districts(existing, planned, name) for name in ("planned", "dense")]
    rows = COMPARISON_LAYERS["comparison_districts"].finish(pd.concat(made, ignore_index=True))
    assert COMPARISON_LAYERS["comparison_districts"].problems(rows, CRS) == []
    assert rows["comparison_id"].tolist() == [f"{s}/{c}" for s in ("dense", "planned") for c in (DONG, other)]
    assert rows["yield_kwh_change"].tolist() == [3.0, -2.0, 3.0, -2.0]
    assert "parcel_count_change" not in rows.columns
    assert change_problems(rows, DISTRICT_QUANTITIES) == []
    rows.loc[2, "yield_kwh_change"] = 9.0
    assert change_problems(rows, DISTRICT_QUANTITIES) == ["yield_kwh_change: 1 rows are not planned minus existing"]


def test_comparison_does_not_leak_into_the_scenarios() -> None:
    assert set(COMPARISON_LAYERS) & set(LAYERS) == {"run_info"}
