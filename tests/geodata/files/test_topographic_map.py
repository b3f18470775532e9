"""Topographic map sheets: three spellings of columns, names cut to ten bytes, sheets joined, layers counted."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from rich.console import Console

from geodata.archive import Member
from geodata.inbox import take_inventory
from geodata.inspect import render_inspection
from geodata.probe import look
from geodata.products import recognise
from geodata.products.topographic_map import TOPOGRAPHIC_MAPS
from geodata.site import SourceSpec
from geodata.vector_file import read_dataset

CRS = "EPSG:5186"
X, Y = 186_000.0, 537_000.0


def ufid(code: str, count: int, sheet: str = "376120506") -> list[str]:
    """Identifiers as the sheets have them: agency, nine digits of the sheet, feature code, number."""
    return [f"1000{sheet:0>9}{code}1{number:016d}" for number in range(1, count + 1)]


def write_layer(path: Path, columns: dict, shapes: list, geometry: str, encoding: str = "cp949") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = gpd.GeoDataFrame(pd.DataFrame(columns), geometry=shapes, crs=CRS)
    pyogrio.write_dataframe(frame, path, driver="ESRI Shapefile", encoding=encoding, geometry_type=geometry)
    path.with_suffix(".cpg").unlink(missing_ok=True)
    return path


def boxes(count: int) -> list[shapely.Geometry]:
    return [shapely.box(X + 20 * i, Y, X + 20 * i + 10, Y + 10) for i in range(count)]


def lines(count: int) -> list[shapely.Geometry]:
    return [shapely.LineString([(X, Y + 10 * i), (X + 100, Y + 10 * i)]) for i in range(count)]


BUILDINGS = {
    "korean": {
        "명칭": ["힣빌딩", None], "구분": [None, None], "종류": ["아파트", "주택외건물"], "용도": ["주택", "종교시설"], "주기": ["101동", None],
        "층수": [15, 2], "측량방법": ["사진측량"] * 2,
    },
    "english": {"BJCD": ["4121010500"] * 2, "NAME": ["힣빌딩", None], "KIND": ["BDK003", "BDK004"], "NMLY": [15, 2], "ANNO": ["101동", None]},
    "rules of 2026": {
        "BULD_NM": ["힣빌딩", None], "BULD_SE": ["BDC003", "BDC004"], "BPRP_SE": ["BDU002", "BDU006"], "BATC_NM": ["101동", None],
        "BFLR_CO": [15, 2], "PNU_NO": ["4121010500100010000", None],
    },
}  # fmt: skip


@pytest.mark.parametrize("edition", BUILDINGS)
@pytest.mark.parametrize(("sheet", "scale"), [("376120506", "1000"), ("37612047", "5000")])
def test_buildings_of_every_edition(inbox, edition, sheet, scale):
    write_layer(inbox / "a.shp", BUILDINGS[edition] | {"UFID": ufid("B001", 2, sheet)}, boxes(2), "Polygon")
    inventory = take_inventory(inbox)
    assert [(d.role, d.product) for d in inventory.datasets] == [("buildings", f"NGII_{scale}_BUILDINGS")]
    frame = read_dataset(inbox, inventory.datasets[0], CRS).frame
    assert frame["floors_above"].tolist() == [15, 2]
    assert frame["name"].tolist()[0] == "힣빌딩"
    assert frame["part_name"].tolist()[0] == "101동"
    assert frame["source_key"].tolist() == ufid("B001", 2, sheet)
    expected = {"korean": "아파트", "english": "BDK003", "rules of 2026": "BDC003"}[edition]
    assert frame["kind"].tolist()[0] == expected


def cut_names(path: Path, names: list[str]) -> None:
    """Write field names as UTF-8 cut after ten bytes, as programs do that do not know letters."""
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    for number, name in enumerate(names):
        start = 32 + 32 * number
        assert table[start] != 0x0D
        table[start : start + 11] = struct.pack("11s", name.encode()[:10])
    path.with_suffix(".dbf").write_bytes(table)


def test_names_that_utf8_cut_within_a_letter(inbox):
    # 등고수치 and 도로구분 have twelve bytes in UTF-8: the fourth letter is cut in two
    path = write_layer(
        inbox / "contours.shp", {"a": ["계곡선"] * 3, "b": [20.0, 25.0, 30.0], "UFID": ufid("F001", 3)}, lines(3), "LineString", "utf-8"
    )  # fmt: skip
    cut_names(path, ["구분", "등고수치", "UFID"])
    path = write_layer(
        inbox / "roads.shp",
        {"a": ["소로"] * 2, "b": [3.5, 6.0], "c": ["노온사길"] * 2, "UFID": ufid("A002", 2)}, lines(2), "LineString", "utf-8",
    )  # fmt: skip
    cut_names(path, ["도로구분", "도로폭", "도로명", "UFID"])
    inventory = take_inventory(inbox)
    found = {d.role: d for d in inventory.datasets}
    assert {role: d.product for role, d in found.items()} == {
        "terrain": "NGII_1000_CONTOURS",
        "roads": "NGII_1000_ROADS",
    }
    assert found["terrain"].parts[0].encoding == "UTF-8"
    assert read_dataset(inbox, found["terrain"], CRS).frame["elevation_m"].tolist() == [20, 25, 30]
    roads = read_dataset(inbox, found["roads"], CRS).frame
    assert roads["class"].tolist() == ["소로", "소로"]
    assert roads["width_m"].tolist() == [3.5, 6.0]
    assert roads["road_name"].tolist() == ["노온사길"] * 2


@pytest.mark.parametrize(
    ("columns", "geometry", "product"),
    [
        ({"구분": ["주곡선"], "등고수치": [25.0], "UFID": ufid("F001", 1)}, "LineString", "NGII_1000_CONTOURS"),
        ({"DIVI": ["CTD001"], "CONT": [25.0], "UFID": ufid("F001", 1, "37612047")}, "LineString", "NGII_5000_CONTOURS"),
        ({"수치": [25.5], "UFID": ufid("F002", 1)}, "Point", "NGII_1000_SPOT_HEIGHTS"),
        ({"NUME": [25.5], "UFID": ufid("F002", 1, "37612047")}, "Point", "NGII_5000_SPOT_HEIGHTS"),
        ({"RDDV": ["RDD001"], "RVWD": [8.0], "RDLN": [2], "UFID": ["?"]}, "LineString", "NGII_5000_ROADS"),
        ({"ROAD_SE": ["RDC014"], "ROAD_BT": [8.0], "UFID": ufid("A002", 1)}, "LineString", "NGII_1000_ROADS"),
        ({"구분": ["밭"], "UFID": ufid("D001", 1)}, "Polygon", "NGII_1000_VEGETATION"),
        ({"구조": ["계단"], "UFID": ufid("C039", 1, "37612047")}, "Polygon", "NGII_5000_OTHER"),
        # trees and retaining walls have heights, but are no ground
        ({"높이": [8.0], "수종": ["은행"], "UFID": ufid("D003", 1)}, "Point", "NGII_1000_OTHER"),
        # a boundary that only shares the column name is not of this map
        ({"구분": ["밭"], "UFID": ["198620217014444610670000"]}, "Polygon", None),
    ],
)
def test_layers_are_told_by_columns_and_identifier(inbox, columns, geometry, product):
    shape = {"LineString": lines(1), "Point": [shapely.Point(X, Y)], "Polygon": boxes(1)}[geometry]
    path = write_layer(inbox / "a.shp", columns, shape, geometry)
    siblings = {f.name: Member(path=f.name, outer=f, size=f.stat().st_size) for f in path.parent.iterdir()}
    found = recognise(look(siblings["a.shp"], siblings)[0].sample)
    assert (found.key if found else None) == product


def two_sheets(inbox: Path, agency) -> None:
    for sheet, shift in (("376120506", 0.0), ("376120507", 500.0)):
        layers = [
            write_layer(
                inbox / "work" / "N1A_B0010000.shp", BUILDINGS["korean"] | {"UFID": ufid("B001", 2, sheet)}, agency.moved(boxes(2), shift, 0), "Polygon",
            ),
            write_layer(
                inbox / "work" / "N1L_F0010000.shp", {"등고수치": [20.0, 25.0], "UFID": ufid("F001", 2, sheet)}, agency.moved(lines(2), shift, 0), "LineString",
            ),
            write_layer(
                inbox / "work" / "N1A_D0010000.shp", {"구분": ["밭"], "UFID": ufid("D001", 1, sheet)}, agency.moved(boxes(1), shift, 50), "Polygon",
            ),
        ]  # fmt: skip
        agency.zipped(inbox / f"{sheet}.zip", *layers)
    (inbox / "work").rmdir()


def test_sheets_are_one_dataset_and_the_rest_is_counted(inbox, agency):
    two_sheets(inbox, agency)
    inventory = take_inventory(inbox)
    assert {(d.role, d.product): len(d.parts) for d in inventory.datasets} == {
        ("buildings", "NGII_1000_BUILDINGS"): 2,
        ("terrain", "NGII_1000_CONTOURS"): 2,
    }
    assert [(u.product, u.file, u.rows) for u in inventory.unused] == [
        ("NGII_1000_VEGETATION", "376120506.zip", 1),
        ("NGII_1000_VEGETATION", "376120507.zip", 1),
    ]
    assert inventory.ignored == ()
    assert inventory.problems == ()
    assert inventory.datasets_for("land_cover") == ()
    raw = read_dataset(inbox, inventory.datasets_for("buildings")[0], CRS)
    assert (raw.read, len(raw.frame)) == (4, 4)


def test_a_folder_of_sheets_that_the_site_file_names_for_one_role_still_serves_the_others(inbox, agency):
    two_sheets(inbox, agency)
    inventory = take_inventory(inbox, {"terrain": SourceSpec(path=Path("376120506.zip"))})
    found = {d.role: [p.data_source for p in d.parts] for d in inventory.datasets}
    assert found["terrain"] == ["376120506.zip/N1L_F0010000.shp"]
    assert len(found["buildings"]) == 2
    assert [p.path for p in inventory.problems] == ["376120507.zip/N1L_F0010000.shp"]


def test_contours_of_any_file_can_be_named(inbox):
    write_layer(inbox / "mine.shp", {"ELEV": [10.0, 15.0]}, lines(2), "LineString")
    source = SourceSpec(path=Path("mine.shp"), columns={"elevation_m": "ELEV"})
    dataset = take_inventory(inbox, {"terrain": source}).datasets_for("terrain")[0]
    assert read_dataset(inbox, dataset, CRS).frame["elevation_m"].tolist() == [10, 15]
    wrong = take_inventory(inbox, {"terrain": SourceSpec(path=Path("mine.shp"))}).problems[0]
    assert wrong.fatal
    assert "or contour lines with columns.elevation_m" in wrong.what


def test_every_entry_says_where_to_get_it():
    assert len({p.key for p in TOPOGRAPHIC_MAPS}) == 14
    for product in TOPOGRAPHIC_MAPS:
        assert "map.ngii.go.kr" in product.download
        assert ("1:1,000" if "1000" in product.key.split("_")[1] else "1:5,000") in product.en


@pytest.mark.realdata
def test_two_real_sheets_are_recognised_to_the_last_layer(shared_data):
    folder = shared_data / "ngii_topo1000"
    inventory = take_inventory(folder)
    rows = {d.product: sum(p.rows for p in d.parts) for d in inventory.datasets}
    # counted with ogrinfo
    assert rows == {
        "NGII_1000_BUILDINGS": 52 + 949,
        "NGII_1000_ROADS": 40 + 667,
        "NGII_1000_FOOTWAYS": 2 + 48,
        "NGII_1000_CONTOURS": 49 + 71,
        "NGII_1000_SPOT_HEIGHTS": 3 + 3,
    }
    assert {p.encoding for d in inventory.datasets for p in d.parts} == {"CP949"}
    assert {p.crs for d in inventory.datasets for p in d.parts} == {CRS}
    vegetation = [u for u in inventory.unused if u.product == "NGII_1000_VEGETATION"]
    assert [u.rows for u in vegetation] == [59]
    used = sum(len(d.parts) for d in inventory.datasets)
    assert used + len(inventory.unused) == 35 + 34  # shapefiles in the two archives
    assert inventory.ignored == ()
    assert inventory.problems == ()
    buildings = read_dataset(folder, inventory.datasets_for("buildings")[0], CRS).frame
    assert buildings["floors_above"].between(1, 20).all()
    assert np.isclose(buildings.geometry.area.sum(), 52 * 141.47345662493646 + 949 * 104.83293178714703)


@pytest.mark.realdata
def test_the_inspection_counts_what_is_not_used(shared_data):
    out = io.StringIO()
    Console(width=400, file=out).print(render_inspection(take_inventory(shared_data / "ngii_topo1000")))
    rows = [line for line in out.getvalue().splitlines() if "쓰지 않음" in line and "not used" in line]
    assert len(rows) == 3
    assert "경지·식생" in rows[1]
    assert "59" in rows[1]
    assert [" 4,683 " in rows[0], " 2,443 " in rows[2]] == [True, True]
    assert all("(29개 레이어)" in rows[number] and "(29 layers)" in rows[number] for number in (0, 2))


def test_the_box_of_a_province_does_not_cover_the_sheets_of_its_neighbour(inbox, agency):
    """Buildings of Gwangmyeong with codes lie on both sides of a sheet of Seoul; the sheet of Gwangmyeong is theirs."""
    columns = agency.al_d010(6)
    around = agency.boxes(3) + agency.moved(agency.boxes(3), 20_000, 14_000)
    agency.shapefile(inbox / "AL_D010.shp", columns, around)
    here = agency.moved(boxes(2), 100, 100)
    seoul = agency.moved(boxes(2), 9_700, 5_400)  # 봉천동
    for name, shapes, sheet in (("here", here, "376120990"), ("seoul", seoul, "376120531")):
        write_layer(
            inbox / name / "N1A_B0010000.shp", BUILDINGS["korean"] | {"UFID": ufid("B001", 2, sheet)}, shapes, "Polygon"
        )
    inventory = take_inventory(inbox)
    sources = [p.data_source for d in inventory.datasets_for("buildings") for p in d.parts]
    assert sources == ["AL_D010.shp", "seoul/N1A_B0010000.shp"]
    assert [p.path for p in inventory.problems if "another product" in p.what] == ["here/N1A_B0010000.shp"]
