"""Surveyed entrances of parks: how their file is known, what is kept, and that every record is accounted for."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from geodata.clean.park_entrances import clean_park_entrances, entrance_area
from geodata.inbox import take_inventory
from geodata.vector_file import read_dataset

ORIGIN = (190_000.0, 540_000.0)


def point(x: float, y: float, *z: float) -> shapely.Point:
    return shapely.Point(ORIGIN[0] + x, ORIGIN[1] + y, *z)


def reasons(layer) -> dict[str, int]:
    return layer.quality["reason"].value_counts().to_dict()


def test_what_becomes_of_every_record(area, raw_layer):
    shapes = [
        point(10, 10),
        point(10, 10),  # the same again
        point(10, 40, 31.0),
        shapely.MultiPoint([point(500, 500)]),
        shapely.MultiPoint([point(1, 1), point(2, 2)]),  # two places are no entrance
        point(1500, 10),  # outside
        None,
        shapely.Point(0, 0),  # not in Korea
        point(70, 70),
    ]
    raw = raw_layer(
        "park_entrances",
        shapes,
        outside=3,
        source_id=["1", "1", "2", None, "4", "5", "6", "7", "2"],
        park_name=["중앙공원"] * 8 + ["\ufffd앙공원"],
        name=["정문", "정문", "후문", None, None, None, None, None, "남문"],
    )
    layer = clean_park_entrances([raw], area)
    account = layer.account
    assert (account.read, account.outside, account.published, account.merged, account.reasoned) == (12, 4, 4, 1, 3)
    assert reasons(layer) == {
        "exact_duplicate": 1, "geometry_collapsed": 1, "no_geometry": 1, "coordinates_out_of_range": 1, "z_dropped": 1,
        "id_duplicate": 2, "text_damaged": 1,
    }  # fmt: skip
    entrances = layer.features
    assert list(entrances.columns) == ["entrance_id", "park_name", "name", "geometry"]
    assert entrances["entrance_id"].is_unique
    assert entrances["entrance_id"].is_monotonic_increasing
    assert set(entrances.geom_type) == {"Point"}
    assert not entrances.has_z.any()
    gate = entrances.set_index("entrance_id").loc["1"]
    assert (gate["park_name"], gate["name"], gate.geometry) == ("중앙공원", "정문", point(10, 10))
    assert entrances.loc[entrances["park_name"].isna(), "name"].tolist() == ["남문"]


def test_gates_of_a_park_that_reaches_out_are_kept(area, box, raw_layer):
    """The park lies 900 to 1100 m east of the origin, the study area ends at 1000 m."""
    parks = gpd.GeoDataFrame({"park_id": ["a"]}, geometry=[box(900, 0, 200, 100)], crs=area.crs)
    raw = raw_layer("park_entrances", [point(1120, 50), point(1130, 50), point(950, -20)], park_name=["가"] * 3)
    alone, with_park = (
        clean_park_entrances([raw], entrance_area(area, frame, 25.0)).account for frame in (None, parks)
    )  # fmt: skip
    assert (alone.outside, alone.published) == (3, 0)
    assert (with_park.outside, with_park.published) == (1, 2)


@pytest.mark.parametrize("columns", [("공원명", "출입구명", "출입구번호"), ("PARK_NM", "ENTRNC_SE", "ENTRNC_NO")])
def test_park_entrances_are_known_by_their_columns(tmp_path, columns):
    park, name, number = columns
    frame = gpd.GeoDataFrame(
        {number: ["가-1", "가-2"], park: ["중앙공원", "중앙공원"], name: ["정문", "후문"]},
        geometry=[point(10, 10), point(60, 10)],
        crs="EPSG:5186",
    ).to_crs("EPSG:4326")
    frame.to_file(tmp_path / "조사.geojson", driver="GeoJSON")
    inventory = take_inventory(tmp_path)
    (dataset,) = inventory.datasets_for("park_entrances")
    assert dataset.product == "PARK_ENTRANCES"
    raw = read_dataset(tmp_path, dataset, "EPSG:5186")
    assert raw.frame["source_id"].tolist() == ["가-1", "가-2"]
    assert raw.frame.geometry.iloc[0].distance(point(10, 10)) < 0.01


def test_other_points_with_a_park_s_name_are_no_entrances(tmp_path):
    frame = gpd.GeoDataFrame({"공원명": ["중앙공원"], "관리번호": ["1"]}, geometry=[point(1, 1)], crs="EPSG:5186")
    frame.to_file(tmp_path / "도시공원정보.gpkg")
    assert take_inventory(tmp_path).datasets_for("park_entrances") == ()
