import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geodata.catalogue.shared import COVER_CLASSES
from twin.green.checks import overlap_problems, physics_problems

PNU = "4121010500100010000"


def row(**changes: float) -> pd.DataFrame:
    """One parcel of 1,000.0 m2, values as they are published; 400 m2 of it are wood and 200 m2 field."""
    classes = {f"cover_{name}_m2": 0.0 for name in COVER_CLASSES}
    classes |= {"cover_built_m2": 400.0, "cover_forest_m2": 400.0, "cover_farm_m2": 200.0}
    values = {"pnu": PNU, "area_m2": 1000.0, **classes, "green_area_m2": 600.0, "green_cover_pct": 60.0}
    return pd.DataFrame([values | changes])


def test_possible_cover_passes():
    assert physics_problems(row(), "pnu") == []


def test_rounding_of_published_values_passes():
    # 1,000.04 m2 in three equal parts: published as 333.3 each, the area as 1,000.0
    third = {"cover_built_m2": 333.3, "cover_forest_m2": 333.3, "cover_farm_m2": 333.3}
    assert physics_problems(row(**third, green_area_m2=666.7, green_cover_pct=66.67), "pnu") == []


def test_unreached_parcel_passes():
    nothing = {"cover_built_m2": 0.0, "cover_forest_m2": 0.0, "cover_farm_m2": 0.0, "cover_unknown_m2": 1000.0}
    assert physics_problems(row(**nothing, green_area_m2=float("nan"), green_cover_pct=float("nan")), "pnu") == []


def test_layer_without_cover_is_not_judged():
    assert physics_problems(pd.DataFrame({"pnu": [PNU], "area_m2": [10.0]}), "pnu") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cover_built_m2": 401.0}, "do not sum"),
        ({"cover_built_m2": float("nan")}, "do not sum"),
        ({"cover_built_m2": -400.0, "cover_water_m2": 800.0}, "negative"),
        ({"green_area_m2": 1000.2, "green_cover_pct": 100.0}, "green area is not within"),
        ({"green_area_m2": 1001.0, "green_cover_pct": 100.1}, "not within 0 and 100 %"),
        ({"green_cover_pct": 61.0}, "not green area by area"),
        ({"green_cover_pct": float("nan")}, "only one of"),
    ],
)
def test_impossible_cover_is_told(changes, message):
    problems = physics_problems(row(**changes), "pnu")
    assert any(message in problem and PNU in problem for problem in problems)


def green(*shapes: shapely.Polygon) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"green_id": [f"g{i}" for i in range(len(shapes))]}, geometry=list(shapes), crs="EPSG:5186")


def test_neighbours_that_touch_do_not_overlap():
    assert (
        overlap_problems(green(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(20, 10, 30, 20)))
        == []
    )


def test_overlaps_are_counted_and_the_worst_is_named():
    layer = green(shapely.box(0, 0, 10, 10), shapely.box(9, 0, 20, 10), shapely.box(12, 2, 14, 4))
    assert overlap_problems(layer) == ["2 pairs of green polygons overlap, most of all g0 and g1 by 10.0 m2"]


def test_overlap_of_a_large_polygon_is_added_up():
    circle = shapely.Point(0, 0).buffer(1000, quad_segs=500)
    layer = green(circle, shapely.box(-1, -1, 1, 1))
    assert overlap_problems(layer) == ["1 pairs of green polygons overlap, most of all g0 and g1 by 4.0 m2"]


def test_overlap_is_a_physics_problem():
    layer = green(shapely.box(0, 0, 10, 10), shapely.box(0, 0, 10, 10))
    assert len(physics_problems(row(), "pnu", layer)) == 1
