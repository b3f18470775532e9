"""Bus stops: how the national list is known and read, what is kept, and that every record is accounted for."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
import yaml

from geodata.clean.bus_stops import clean_bus_stops
from geodata.inbox import take_inventory
from geodata.site import Site
from geodata.vector_file import read_dataset

ORIGIN = (190_000.0, 540_000.0)
HEADER = "정류장번호,정류장명,위도,경도,정보수집일,모바일단축번호,도시코드,도시명,관리도시명"


def point(x: float, y: float) -> shapely.Point:
    return shapely.Point(ORIGIN[0] + x, ORIGIN[1] + y)


def line(number: str, name: str, x: float, y: float) -> str:
    place = gpd.GeoSeries([point(x, y)], crs="EPSG:5186").to_crs("EPSG:4326").iloc[0]
    return f"{number},{name},{place.y:.7f},{place.x:.7f},2025-10-31,12345,31060,광명시,광명시"


def account(layer) -> tuple[int, ...]:
    told = layer.account
    return told.read, told.outside, told.published, told.merged, told.reasoned


def reasons(layer) -> dict[str, int]:
    return layer.quality["reason"].value_counts().to_dict()


@pytest.mark.parametrize("encoding", ["cp949", "utf-8", "utf-8-sig"])
def test_the_national_list_is_known_by_its_columns(tmp_path, area, encoding):
    lines = [
        HEADER,
        line("A1", "시청", 100, 100),
        line("A1", "시청", 100, 100),
        line("A2", "학교앞", 700, 100),
        line("A3", "먼곳", 40_000, 100),
        line("A4", "조금먼곳", 1_030, 100),
        "A5,자리없음,,,2025-10-31,1,31060,광명시,광명시",
        "A6,뒤바뀜,126.87,37.45,2025-10-31,1,31060,광명시,광명시",
        "A7,바다,1.0,1.0,2025-10-31,1,31060,광명시,광명시",
        "A8,글자,삼십칠,백이십육,2025-10-31,1,31060,광명시,광명시",
        "A9,짧은줄",
    ]
    (tmp_path / "stops.csv").write_bytes("\r\n".join(lines).encode(encoding))
    inventory = take_inventory(tmp_path)
    assert not inventory.problems
    (dataset,) = inventory.datasets_for("bus_stops")
    assert (dataset.product, dataset.vintage) == ("BUS_STOPS", "2025-10-31")
    raw = read_dataset(tmp_path, dataset, "EPSG:5186", area.area.buffer(50).bounds)
    # the far one is counted and not read
    assert (raw.read, raw.outside) == (10, 1)
    layer = clean_bus_stops([raw], area)
    assert account(layer) == (10, 2, 2, 1, 5)
    assert reasons(layer) == {"exact_duplicate": 1, "no_geometry": 3, "coordinates_out_of_range": 2}
    stops = layer.features.set_index("stop_id")
    assert list(layer.features.columns) == ["stop_id", "name", "dong_code", "geometry"]
    assert stops["name"].to_dict() == {"A1": "시청", "A2": "학교앞"}
    assert stops["dong_code"].to_dict() == {"A1": "4121010500", "A2": "4121010700"}
    assert stops.loc["A1"].geometry.distance(point(100, 100)) < 0.05


def test_points_of_a_map_by_the_columns_of_the_site_file(tmp_path, area):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    frame = gpd.GeoDataFrame({"no": [7, 8], "label": ["가", "나"]}, geometry=[point(10, 10), point(600, 10)], crs=5186)
    frame.to_file(inbox / "stops.gpkg")
    spec = {
        "name": "stop_town", "title": {"ko": "가", "en": "x"}, "study_area": {"legal_dongs": ["4121010500"]},
        "sources": {"bus_stops": {"path": "stops.gpkg", "columns": {"source_id": "no", "name": "label"}}},
    }  # fmt: skip
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(spec, allow_unicode=True), encoding="utf-8")
    inventory = take_inventory(inbox, Site.load(tmp_path / "site.yaml").sources)
    (dataset,) = inventory.datasets_for("bus_stops")
    layer = clean_bus_stops([read_dataset(inbox, dataset, "EPSG:5186")], area)
    assert layer.features["stop_id"].tolist() == ["7", "8"]
    assert layer.features["name"].tolist() == ["가", "나"]


def test_a_table_with_other_names_by_the_columns_of_the_site_file(tmp_path, area):
    text = line("A1", "시청", 100, 100)
    (tmp_path / "list.csv").write_text(f"no,label,y,x,a,b,c,d,e\n{text}\n", encoding="utf-8")
    spec = {
        "name": "stop_town", "title": {"ko": "가", "en": "x"}, "study_area": {"legal_dongs": ["4121010500"]},
        "sources": {"bus_stops": {"path": "list.csv", "columns": {"source_id": "no", "name": "label", "longitude": "x", "latitude": "y"}}},
    }  # fmt: skip
    site = Site.model_validate(spec)
    inventory = take_inventory(tmp_path, site.sources)
    (dataset,) = inventory.datasets_for("bus_stops")
    layer = clean_bus_stops([read_dataset(tmp_path, dataset, "EPSG:5186")], area)
    assert layer.features["stop_id"].tolist() == ["A1"]


def test_of_two_editions_the_newer_record_counts(area, raw_layer):
    old = raw_layer(
        "bus_stops", [point(1, 1), point(50, 1), point(70, 1)], vintage="2024-10-31", source_id=["A", "B", None]
    )
    new = raw_layer("bus_stops", [point(2, 1)], vintage="2025-10-31", source_id=["A"])
    layer = clean_bus_stops([new, old], area)
    assert account(layer) == (4, 0, 3, 1, 0)
    assert reasons(layer) == {"older_snapshot": 1}
    assert layer.features.set_index("stop_id").loc["A"].geometry == point(2, 1)


def test_one_number_at_two_places_is_told(area, raw_layer):
    layer = clean_bus_stops([raw_layer("bus_stops", [point(1, 1), point(90, 1)], source_id=["A", "A"])], area)
    assert layer.features["stop_id"].str.startswith("A-").all()
    assert reasons(layer) == {"id_duplicate": 2}


def test_other_tables_are_no_bus_stops(tmp_path):
    (tmp_path / "cafes.csv").write_text("가게번호,가게명,위도,경도\n1,찻집,37.4,126.8\n", encoding="utf-8")
    assert take_inventory(tmp_path).datasets_for("bus_stops") == ()
