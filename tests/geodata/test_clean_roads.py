"""Road centrelines: what is kept, what is told, and that every record is accounted for."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.clean.roads import clean_roads
from geodata.inbox import take_inventory
from geodata.inventory import LayerPart, SourceFile
from geodata.vector_file import read_dataset

ORIGIN = (190_000.0, 540_000.0)


def line(*places: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(ORIGIN[0] + x, ORIGIN[1] + y) for x, y in places])


def reasons(layer) -> dict[str, int]:
    return layer.quality["reason"].value_counts().to_dict()


def test_columns_and_what_becomes_of_every_record(area, raw_layer):
    shapes = [
        line((10, 10), (60, 10)),
        line((10, 10), (60, 10)),  # the same again
        line((980, 500), (1200, 500)),  # crosses the border: whole
        line((1500, 10), (1600, 10)),  # outside
        line((10, 50), (10, 50)),  # no length
        None,
        line((10, 90), (60, 90)),
        shapely.LineString([(ORIGIN[0], ORIGIN[1] + 20, 35.0), (ORIGIN[0] + 90, ORIGIN[1] + 20, 36.0)]),
        shapely.LineString([(0, 0), (10, 10)]),  # not in Korea
    ]
    raw = raw_layer(
        "roads",
        shapes,
        outside=4,
        source_id=[None] * 9,
        **{"class": ["소로", "소로", "RDC003", "시도", "시도", "시도", "고속국도", "rdc014", "시도"]},
        road_name=["노온사길", "노온사길", None, None, None, None, None, None, None],
        name=["안쓰임", "안쓰임", "지방도 397호", None, None, None, None, None, None],
        width_m=[3.5, 3.5, 0.0, 1, 1, 1, 900.0, 6.0, 1],
    )
    layer = clean_roads([raw], area)
    account = layer.account
    assert (account.read, account.outside, account.published, account.merged, account.reasoned) == (13, 5, 4, 1, 3)
    assert reasons(layer) == {
        "exact_duplicate": 1, "geometry_collapsed": 1, "no_geometry": 1, "coordinates_out_of_range": 1, "z_dropped": 1, "value_implausible": 1,
    }  # fmt: skip
    roads = layer.features
    assert list(roads.columns) == ["road_id", "class", "name", "width_m", "geometry"]
    assert roads["road_id"].is_monotonic_increasing
    assert roads["road_id"].is_unique
    by_length = roads.set_index(roads.length.round()).sort_index()
    assert by_length.loc[220.0, ["class", "name"]].tolist() == ["지방도", "지방도 397호"]
    assert np.isnan(by_length.loc[220.0, "width_m"])
    assert by_length.loc[90.0, ["class", "width_m"]].tolist() == ["소로", 6.0]
    lane = roads[roads["name"] == "노온사길"].iloc[0]
    assert (lane["class"], lane["width_m"]) == ("소로", 3.5)
    assert np.isnan(roads.loc[roads["class"] == "고속국도", "width_m"]).all()
    assert (roads.geom_type == "LineString").all()
    assert not roads.has_z.any()


def test_lines_of_several_parts(area, raw_layer):
    continuing = shapely.MultiLineString([line((0, 0), (10, 0)), line((10, 0), (20, 5))])
    apart = shapely.MultiLineString([line((0, 50), (10, 50)), line((30, 50), (40, 50))])
    layer = clean_roads([raw_layer("roads", [continuing, apart], source_id=["a", "b"])], area)
    assert (layer.account.read, layer.account.published) == (2, 2)
    roads = layer.features
    assert len(roads) == 3
    assert (roads.geom_type == "LineString").all()
    numbered = sorted(name for name in roads["road_id"] if "-" in name)
    assert [name[-2:] for name in numbered] == ["-1", "-2"]
    assert len({name[:-2] for name in numbered}) == 1


def test_pieces_of_two_sheets_meet_in_one_point(area, raw_layer):
    raw = raw_layer("roads", [line((0, 0), (300, 0)), line((300, 0), (500, 0))], source_id=["a", "b"])
    roads = clean_roads([raw], area).features
    assert len(roads) == 2
    assert shapely.intersection(*roads.geometry).equals(shapely.Point(ORIGIN[0] + 300, ORIGIN[1]))


def with_sheet(raw, width: float):
    """The same layer, read from one sheet that covers the west of the area."""
    bounds = (ORIGIN[0], ORIGIN[1], ORIGIN[0] + width, ORIGIN[1] + 1000)
    part = LayerPart(file=SourceFile(path="a", size=0, sha256=""), data_source="a", crs="EPSG:5186", bounds=bounds)
    return type(raw)(raw.dataset.model_copy(update={"parts": (part,)}), raw.frame, raw.read, raw.outside)


def test_where_two_data_sets_cover_one_place_the_first_counts(area, raw_layer):
    fine = with_sheet(raw_layer("roads", [line((0, 0), (100, 0))], source_id=["a"]), 400)
    coarse = with_sheet(
        raw_layer("roads", [line((0, 1), (50, 1), (100, 1)), line((500, 0), (550, 0), (600, 0))], source_id=["b", "c"]),
        1000,
    )
    layer = clean_roads([fine, coarse], area)
    assert (layer.account.published, layer.account.merged) == (2, 1)
    assert reasons(layer) == {"other_source": 1}
    assert layer.quality["key"].tolist() == ["TEST:0"]


def test_identifiers_do_not_depend_on_the_order(area, raw_layer):
    shapes = [line((0, y), (100, y)) for y in range(0, 50, 10)]
    one = clean_roads([raw_layer("roads", shapes, source_id=list("abcde"))], area).features
    other = clean_roads([raw_layer("roads", shapes[::-1], source_id=list("edcba"))], area).features
    assert one["road_id"].tolist() == other["road_id"].tolist()


@pytest.mark.parametrize("shapes", [[]])
def test_no_roads_at_all(area, raw_layer, shapes):
    layer = clean_roads([raw_layer("roads", shapes, source_id=[])], area)
    assert len(layer.features) == 0
    assert list(layer.features.columns) == ["road_id", "class", "name", "width_m", "geometry"]


def test_open_street_map_is_recognised_and_its_ways_meet_where_they_share_a_vertex(area, tmp_path):
    """As Geofabrik's extracts have them; a bridge crosses without a common vertex."""
    ways = {
        "osm_id": ["1", "2", "3", "4"],
        "code": [5122, 5153, 5111, 5115],
        "fclass": ["residential", "footway", "motorway", "tertiary"],
        "name": ["노온사길", None, "서해안고속도로", None],
        "bridge": ["F", "F", "F", "T"],
    }
    shapes = [
        line((0, 0), (100, 0), (200, 0)),
        line((100, 0), (100, 80)),
        line((0, 40), (300, 40)),
        line((150, -50), (150, 90)),
    ]
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    gpd.GeoDataFrame(ways, geometry=shapes, crs=area.crs).to_file(inbox / "gis_osm_roads_free_1.shp", encoding="UTF-8")
    datasets = take_inventory(inbox).datasets_for("roads")
    assert [dataset.product for dataset in datasets] == ["OSM_ROADS"]
    assert datasets[0].attribution == "© OpenStreetMap contributors"
    roads = clean_roads([read_dataset(inbox, datasets[0], area.crs, area.area.buffer(500).bounds)], area).features
    assert roads.set_index(roads.length.round())["class"].to_dict() == {
        200.0: "생활도로",
        80.0: "보행자도로",
        300.0: "고속국도",
        140.0: "집산도로",
    }
    assert roads["width_m"].isna().all()
    met = roads[roads["class"].isin(["생활도로", "보행자도로"])].geometry
    assert shapely.intersection(*met).equals(shapely.Point(ORIGIN[0] + 100, ORIGIN[1]))
