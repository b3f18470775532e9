from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.affinity import translate

from geodata.crs import korea_bounds
from geodata.repair import make_valid_polygons, polygon_parts, repair_polygons

X, Y = 190_000.0, 540_000.0


def at_site(text: str) -> shapely.Geometry:
    return translate(shapely.from_wkt(text), X, Y)


def repair(*shapes: shapely.Geometry | None):
    return repair_polygons(gpd.GeoSeries(list(shapes), crs="EPSG:5186"))


def test_bow_tie_keeps_both_halves() -> None:
    found = repair(at_site("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))"))
    assert found.repaired.tolist() == [True]
    assert shapely.is_valid(found.shapes[0])
    assert shapely.area(found.shapes[0]) == pytest.approx(2.0)  # two triangles of base 2 and height 1


def test_overlapping_parts_are_united_not_turned_into_a_hole() -> None:
    # two squares of 4 m2 that share 1 m2: the union has 7 m2; the line work method would leave 6 m2
    found = repair(at_site("MULTIPOLYGON (((0 0, 2 0, 2 2, 0 2, 0 0)), ((1 1, 3 1, 3 3, 1 3, 1 1)))"))
    assert found.repaired.tolist() == [True]
    assert shapely.area(found.shapes[0]) == pytest.approx(7.0)


def test_missing_empty_collapsed_and_broken_coordinates_are_told_apart() -> None:
    line = at_site("LINESTRING (0 0, 5 5)")
    flat = at_site("POLYGON ((0 0, 5 0, 10 0, 0 0))")
    elsewhere = shapely.box(0, 0, 10, 10)  # where a record without coordinates is put: in the sea south of Korea
    with np.errstate(invalid="ignore"):
        not_a_number = shapely.from_wkt(f"POLYGON (({X} {Y}, {X + 1} {Y}, nan {Y + 1}, {X} {Y}))")
    sound = at_site("POLYGON ((0 0, 4 0, 4 3, 0 3, 0 0))")
    found = repair(None, shapely.Polygon(), line, flat, elsewhere, not_a_number, sound)
    assert np.flatnonzero(found.missing).tolist() == [0, 1]
    assert np.flatnonzero(found.collapsed).tolist() == [2, 3]
    assert np.flatnonzero(found.out_of_range).tolist() == [4, 5]
    assert np.flatnonzero(found.usable).tolist() == [6]
    assert not found.repaired.any()
    assert shapely.is_missing(found.shapes).tolist() == [True] * 6 + [False]


def test_a_valid_polygon_is_returned_as_it_is() -> None:
    ring = at_site("POLYGON ((0 0, 0 3, 4 3, 4 0, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1))")
    found = repair(ring)
    assert shapely.equals_identical(found.shapes[0], ring)
    assert not found.repaired[0]
    assert not found.had_z[0]


def test_z_is_dropped_and_told() -> None:
    found = repair(
        at_site("POLYGON ((0 0, 4 0, 4 3, 0 0))"), shapely.force_3d(at_site("POLYGON ((0 0, 4 0, 4 3, 0 0))"), 5.0)
    )
    assert found.had_z.tolist() == [False, True]
    assert not shapely.has_z(found.shapes).any()


def test_polygon_parts_of_nested_collections() -> None:
    nested = shapely.from_wkt(
        "GEOMETRYCOLLECTION (POINT (0 0), GEOMETRYCOLLECTION (LINESTRING (0 0, 1 1), "
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))), POLYGON ((9 9, 10 9, 10 10, 9 9)))"
    )
    parts = polygon_parts(np.array([nested, shapely.Point(0, 0), None], dtype=object))
    assert shapely.get_num_geometries(parts[0]) == 3
    assert shapely.area(parts[0]) == pytest.approx(1.5)
    assert parts[1] is None
    assert parts[2] is None


def test_collection_of_overlapping_polygons_becomes_valid() -> None:
    collection = shapely.from_wkt(
        "GEOMETRYCOLLECTION (POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0)), POLYGON ((1 1, 3 1, 3 3, 1 3, 1 1)))"
    )
    fixed = make_valid_polygons(np.array([collection], dtype=object))
    assert shapely.is_valid(fixed[0])
    assert shapely.area(fixed[0]) == pytest.approx(7.0)


def test_korea_bounds_hold_the_ends_of_the_country() -> None:
    # Dokdo 131.87 E 37.24 N, Marado 126.27 E 33.11 N, Baengnyeongdo 124.65 E 37.96 N
    places = gpd.GeoSeries(gpd.points_from_xy([131.87, 126.27, 124.65], [37.24, 33.11, 37.96]), crs=4326)
    for crs in ("EPSG:5186", "EPSG:5179", "EPSG:5174"):
        west, south, east, north = korea_bounds(crs)
        there = places.to_crs(crs)
        assert there.x.between(west, east).all()
        assert there.y.between(south, north).all()
    # a longitude of 99 degrees, as UPIS files have it, is far outside
    assert (
        gpd.GeoSeries(gpd.points_from_xy([99.0], [37.4]), crs=4326).to_crs("EPSG:5186").x[0]
        < korea_bounds("EPSG:5186")[0]
    )
