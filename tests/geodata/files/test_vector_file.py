from __future__ import annotations

import struct
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely

from geodata.errors import InputError
from geodata.inbox import refuse, take_inventory
from geodata.site import SourceSpec
from geodata.vector_file import read_dataset


def read(inbox: Path, role: str, bbox=None, crs: str = "EPSG:5186", **sources):
    inventory = take_inventory(inbox, {k: SourceSpec.model_validate(v) for k, v in sources.items()})
    refuse(inventory)
    (dataset,) = inventory.datasets_for(role)
    return read_dataset(inbox, dataset, crs, bbox)


def plain(value) -> list:
    return value.astype(object).where(value.notna(), None).tolist()


# --- columns of every product -----------------------------------------------------------------------------------------


def test_al_d002(agency, inbox):
    agency.shapefile(inbox / "a.shp", agency.al_d002(3))
    frame = read(inbox, "parcels").frame
    assert frame.columns.tolist() == [
        "pnu",
        "dong_name",
        "jibun",
        "jimok",
        "dong_code",
        "source_key",
        "row_number",
        "geometry",
    ]
    first = frame.iloc[0]
    assert (first.pnu, first.dong_name, first.jibun, first.jimok, first.dong_code) == (
        "4121010500100010000",
        "경기도 광명시 노온사동",
        "1",
        "1대",
        "4121010500",
    )
    assert frame.source_key.tolist() == frame.pnu.tolist()
    assert frame.row_number.tolist() == [0, 1, 2]


def test_lsmd(agency, inbox):
    agency.shapefile(inbox / "a.shp", {k.lower(): v for k, v in agency.lsmd(2).items()})
    frame = read(inbox, "parcels").frame
    assert frame.jibun.tolist() == frame.jimok.tolist() == ["1-2대", "2-2대"]
    assert plain(frame.dong_code) == [None, None]


@pytest.mark.parametrize(("fields", "name", "floors"), [(23, None, None), (24, None, None), (29, "똠방각하빌라", 3.0)])
def test_al_d010_of_every_vintage(agency, inbox, fields, name, floors):
    agency.shapefile(inbox / "a.shp", agency.al_d010(2, fields))
    first = read(inbox, "buildings").frame.iloc[0]
    assert (first.pnu, first.dong_code, first.use_code, first.use, first.structure_code) == (
        "4121010500100010000",
        "4121010500",
        "01000",
        "단독주택",
        "21",
    )
    assert (first.height_m, first.gross_floor_area_m2, first.approved_on, first.register_id) == (
        9.0,
        123.5,
        "20030513",
        "B0",
    )
    assert plain(pd.Series([first["name"], first.floors_above], dtype=object)) == [name, floors]
    assert first.source_key == first.source_id == "2001202327404443630300000000"


def test_f_fac_building(agency, inbox):
    agency.shapefile(inbox / "a.shp", agency.f_fac(2))
    first = read(inbox, "buildings").frame.iloc[0]
    assert (first["name"], first.floors_above, first.floors_below, first.height_m) == ("힣빌딩", 5.0, 1.0, 15.0)
    assert (first.use_code, first.structure_code, first.approved_on) == ("14000", "21", "19990101")


def test_land_cover_codes_as_numbers_are_text(agency, inbox):
    agency.shapefile(inbox / "a.shp", agency.sg05([311, 211]))
    layer = read(inbox, "land_cover")
    assert layer.frame.class_code.tolist() == ["311", "211"]
    assert layer.frame.source_key.tolist() == ["1:1", "1:2"]


def test_parks_take_the_finest_class_that_is_filled(agency, inbox):
    agency.shapefile(inbox / "a.shp", agency.upis(["UQT220", "", None], ["UQT200", "UQT300", ""]))
    frame = read(inbox, "parks").frame
    assert frame.class_code.tolist() == ["UQT220", "UQT300", "UQT000"]
    assert frame.executed.tolist() == ["EXA0001"] * 3
    assert frame["name"].iloc[0] == "가학근린공원"


@pytest.mark.parametrize(
    "columns",
    [
        {
            "블록번호": ["A-1"],
            "용도": ["공동주택"],
            "용적률": [220.0],
            "건폐율": [50.0],
            "최고층수": [25],
            "세대수": [900],
        },
        {"BLOCK_ID": ["A-1"], "LAND_USE": ["공동주택"], "FAR": [220.0], "BCR": [50.0], "MAX_FLR": [25], "HOMES": [900]},
        {
            "blockname": ["A-1"],
            "용도명": ["공동주택"],
            "용적율": [220.0],
            "건폐율": [50.0],
            "층수": [25],
            "세대수": [900],
        },
    ],
)
def test_plan_blocks_in_several_spellings(agency, inbox, columns):
    agency.shapefile(inbox / "a.shp", columns)
    row = read(inbox, "plan_blocks").frame.iloc[0]
    assert (
        row.block_id,
        row.land_use,
        row.floor_area_ratio_pct,
        row.building_coverage_pct,
        row.floors_limit,
        row.homes,
    ) == (
        "A-1",
        "공동주택",
        220.0,
        50.0,
        25.0,
        900.0,
    )
    assert np.isnan(row.height_limit_m)


def test_quantities_written_as_words_are_left_to_judge(agency, inbox):
    agency.shapefile(inbox / "a.shp", {"블록번호": ["A-1"], "용도": ["공원"], "층수": ["최고 25층 이하"]})
    assert read(inbox, "plan_blocks").frame.floors_limit.tolist() == ["최고 25층 이하"]


def test_columns_of_the_site_file(agency, inbox):
    agency.shapefile(inbox / "z.shp", {"Name": ["b1", "b2"], "h": [10, 0], "층수": [3, 6]})
    spec = {"path": "z.shp", "columns": {"building_id": "Name", "height_m": "h", "floors_above": "층수"}}
    frame = read(inbox, "buildings", buildings=spec).frame
    assert frame.building_id.tolist() == frame.source_key.tolist() == ["b1", "b2"]
    assert frame.height_m.tolist() == [10.0, 0.0]
    assert frame.floors_above.tolist() == [3.0, 6.0]


def test_site_file_columns_come_before_the_product(agency, inbox):
    agency.shapefile(inbox / "a.shp", {**agency.al_d010(2), "MYH": [50.0, 60.0]})
    frame = read(inbox, "buildings", buildings={"path": "a.shp", "columns": {"height_m": "MYH"}}).frame
    assert frame.height_m.tolist() == [50.0, 60.0]
    assert frame.pnu.tolist() == agency.pnus(2)


def test_blank_text_is_missing(agency, inbox):
    columns = {**agency.al_d002(3), "A4": ["  ", "", "7 "]}
    agency.shapefile(inbox / "a.shp", columns)
    assert plain(read(inbox, "parcels").frame.jibun) == [None, None, "7"]


def test_text_cut_within_a_syllable(agency, inbox):
    # 84 syllables of three bytes and two letters fill 254 bytes exactly; the 85th is cut
    text = "가" * 84 + "나"
    agency.shapefile(inbox / "a.shp", {**agency.al_d002(2), "A3": ["x" + text, "노온사동"]}, encoding="utf-8")
    frame = read(inbox, "parcels").frame
    assert frame.dong_name.iloc[0] == "x" + "가" * 84
    assert frame.dong_name.iloc[1] == "노온사동"


# --- codes that were saved as numbers ---------------------------------------------------------------------------------


def write_numeric_pnu(path: Path, agency, texts: list[str], width: int) -> None:
    """Replace the PNU of an LSMD shapefile by a numeric DBF field with exactly these digits."""
    agency.shapefile(path, agency.lsmd(len(texts)))
    names = [(b"PNU", b"N", width), (b"JIBUN", b"C", 10), (b"BCHK", b"C", 1)]
    length = 1 + sum(w for _, _, w in names)
    head = struct.pack("<BBBBIHH20x", 3, 126, 1, 1, len(texts), 32 + 32 * len(names) + 1, length)
    fields = b"".join(n.ljust(11, b"\0") + k + b"\0" * 4 + bytes([w, 0]) + b"\0" * 14 for n, k, w in names)
    rows = b"".join(b" " + t.rjust(width).encode() + "1-2대".encode("cp949").ljust(10) + b"1" for t in texts)
    path.with_suffix(".dbf").write_bytes(head + fields + b"\r" + rows + b"\x1a")


def test_pnu_as_a_whole_number_keeps_every_digit(agency, inbox):
    write_numeric_pnu(inbox / "a.shp", agency, ["4121010500100010001", "4121010500100010003"], 19)
    assert pyogrio.read_info(inbox / "a.shp")["dtypes"][0] == "float64"
    assert read(inbox, "parcels").frame.pnu.tolist() == ["4121010500100010001", "4121010500100010003"]


def test_pnu_that_lost_its_digits_is_not_made_up(agency, inbox):
    write_numeric_pnu(inbox / "a.shp", agency, ["4.12101050010001E+18", "", "4121010500100010003"], 20)
    assert plain(read(inbox, "parcels").frame.pnu) == ["4.12101050010001E+18", None, "4121010500100010003"]


def test_pnu_as_float_in_a_geopackage(agency, inbox):
    columns = agency.lsmd(2)
    columns["PNU"] = [float(p) for p in columns["PNU"]]
    gpd.GeoDataFrame(columns, geometry=agency.boxes(2), crs="EPSG:5186").to_file(inbox / "a.gpkg")
    inventory = take_inventory(inbox)
    assert [p.what for p in inventory.problems if "lost digits: column PNU" in p.what]
    values = read(inbox, "parcels").frame.pnu
    assert not values.str.fullmatch("[0-9]{19}").any()
    assert values.str.startswith("4.1210105001000").all()


def test_short_codes_get_their_zeros_back(agency, inbox):
    columns = {**agency.f_fac(2), "USABILITY": [1000, 14000], "STRCT_CD": [21, 21], "BLDRGST_PK": [1000123.0, 7.0]}
    agency.shapefile(inbox / "a.shp", columns)
    frame = read(inbox, "buildings").frame
    assert frame.use_code.tolist() == ["01000", "14000"]
    assert frame.register_id.tolist() == ["1000123", "7"]


# --- every record is accounted for ------------------------------------------------------------------------------------


def test_parts_are_read_as_one_layer(agency, inbox, elsewhere):
    first = agency.shapefile(elsewhere / "A.shp", agency.al_d002(3))
    second = agency.shapefile(elsewhere / "A(2).shp", agency.al_d002(2, first=4), agency.moved(agency.boxes(2), 100, 0))
    agency.zipped(inbox / "A.zip", first, second)
    layer = read(inbox, "parcels")
    assert (layer.read, layer.outside) == (5, 0)
    assert layer.frame.pnu.tolist() == agency.pnus(5)
    assert layer.frame.row_number.tolist() == [0, 1, 2, 3, 4]


def test_bbox_counts_what_it_leaves_out(agency, inbox):
    x, y = agency.centre
    shapes = [shapely.box(x + 100 * i, y, x + 100 * i + 10, y + 10) for i in range(10)]
    agency.shapefile(inbox / "a.shp", agency.al_d002(10), shapes)
    layer = read(inbox, "parcels", (x + 205, y, x + 510, y + 5))
    # boxes 2 to 5 touch 205 to 510
    assert (layer.read, layer.outside) == (10, 6)
    assert layer.frame.row_number.tolist() == [2, 3, 4, 5]
    assert layer.frame.source_key.tolist() == [agency.pnus(10)[i] for i in (2, 3, 4, 5)]


def test_records_without_shape_are_returned_whatever_the_box(agency, inbox):
    x, y = agency.centre
    agency.shapefile(
        inbox / "a.shp",
        agency.al_d002(4),
        [None, shapely.box(x, y, x + 1, y + 1), None, shapely.box(x + 900, y, x + 901, y + 1)],
    )
    layer = read(inbox, "parcels", (x - 5, y - 5, x + 5, y + 5))
    assert (layer.read, layer.outside) == (4, 1)
    assert layer.frame.geometry.isna().tolist() == [True, False, True]


def test_coordinates_that_cannot_be_in_korea_are_not_called_outside(agency, inbox):
    x, y = agency.centre
    shapes = [*agency.boxes(4), shapely.box(-9e6, 4e6, -9e6 + 5, 4e6 + 5), shapely.box(x + 5000, y, x + 5001, y + 1)]
    agency.shapefile(inbox / "a.shp", agency.al_d002(6), shapes)
    layer = read(inbox, "parcels", (x, y, x + 5, y + 5))
    assert (layer.read, layer.outside) == (6, 4)
    assert layer.frame.row_number.tolist() == [0, 4]


def test_deleted_records_do_not_shift_the_others(agency, inbox):
    path = inbox / "a.shp"
    write_numeric_pnu(path, agency, [f"412101050010001000{i}" for i in range(4)], 19)
    data = bytearray(path.with_suffix(".dbf").read_bytes())
    header, length = struct.unpack("<HH", data[8:12])
    data[header + length] = ord("*")
    path.with_suffix(".dbf").write_bytes(bytes(data))
    layer = read(inbox, "parcels")
    assert layer.read == 3
    assert layer.frame.pnu.str[-1].tolist() == ["0", "2", "3"]


def test_empty_layer(agency, inbox):
    agency.shapefile(inbox / "a.shp", {k: pd.Series([], dtype="str") for k in agency.lsmd()}, shapes=[])
    layer = read(inbox, "parcels", (0, 0, 1, 1))
    assert (layer.read, layer.outside, len(layer.frame)) == (0, 0, 0)
    assert layer.frame.crs == "EPSG:5186"
    assert "pnu" in layer.frame


def test_a_part_that_is_gone(agency, inbox):
    agency.shapefile(inbox / "a.shp", agency.al_d002())
    inventory = take_inventory(inbox)
    (inbox / "a.shp").unlink()
    with pytest.raises(InputError, match=r"a\.shp is no longer"):
        read_dataset(inbox, inventory.datasets[0], "EPSG:5186", None)


# --- coordinates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crs", ["EPSG:5174", "EPSG:5179", "EPSG:4326", "EPSG:2097"])
def test_reprojection(agency, inbox, crs):
    # a systems' own round trip through EPSG codes: what was written from 5186 comes back
    x, y = agency.centre
    agency.shapefile(inbox / "a.shp", agency.al_d002(9), crs=crs)
    layer = read(inbox, "parcels", (x - 1, y - 1, x + 5, y + 5))
    assert layer.frame.crs == "EPSG:5186"
    assert layer.read == 9
    assert layer.outside > 0
    expected = np.array(shapely.bounds(agency.boxes(1)[0]))
    assert np.abs(shapely.bounds(layer.frame.geometry.iloc[0]) - expected).max() < 0.01


def test_5174_lands_where_the_seven_parameters_put_it(agency, inbox):
    # NGII's seven parameters, applied to the record's corner, 0.04 m from EPSG's own pipeline
    seven = "+proj=tmerc +lat_0=38 +lon_0=127.0028902777778 +k=1 +x_0=200000 +y_0=500000 +ellps=bessel +units=m +towgs84=-115.80,474.99,674.11,1.16,-2.31,-1.63,6.43 +no_defs"
    agency.shapefile(inbox / "a.shp", agency.al_d002(9), crs="EPSG:5174")
    numbers = pyogrio.read_dataframe(inbox / "a.shp", encoding="cp949").total_bounds
    x, y = pyproj.Transformer.from_crs(pyproj.CRS(seven), "EPSG:5186", always_xy=True).transform(numbers[0], numbers[1])
    bounds = read(inbox, "parcels").frame.total_bounds
    assert np.hypot(bounds[0] - x, bounds[1] - y) < 0.2


def test_other_target_system(agency, inbox):
    agency.shapefile(inbox / "a.shp", agency.al_d002(2))
    frame = read(inbox, "parcels", crs="EPSG:5179").frame
    assert frame.crs == "EPSG:5179"
    assert 9.3e5 < frame.total_bounds[0] < 9.5e5


# --- size -------------------------------------------------------------------------------------------------------------


def write_lots(agency, folder: Path, rows: int) -> None:
    """Write lots of 8 m on a grid of 10 m from the agency's centre on, 300 in a row."""
    x, y = agency.centre
    side, number = 300, np.arange(rows)
    shapes = shapely.box(
        *(x + 10.0 * (number % side), y + 10.0 * (number // side)),
        *(x + 10.0 * (number % side) + 8, y + 10.0 * (number // side) + 8),
    )
    columns = agency.al_d002(1)
    columns = {k: v * rows for k, v in columns.items()}
    columns["A1"] = [f"{agency.dong}1{i // 10000:04d}{i % 10000:04d}" for i in range(rows)]
    agency.shapefile(folder / "a.shp", columns, shapes)


def test_reading_is_linear_and_keeps_only_candidates(agency, tmp_path, cpu_seconds):
    x, y = agency.centre
    took = []
    for rows in (10_000, 40_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        write_lots(agency, folder, rows)
        layer, seconds = cpu_seconds(partial(read, folder, "parcels", (x, y, x + 95, y + 95)))
        assert (layer.read, len(layer.frame)) == (rows, 100)
        took.append(seconds)
    # four times the rows; what is quadratic takes sixteen times as long
    assert took[1] < 10 * took[0]


# --- real files -------------------------------------------------------------------------------------------------------


@pytest.mark.realdata
def test_yeoksam(shared_data):
    layer = read(shared_data / "yeoksam", "buildings")
    frame = layer.frame
    assert (layer.read, layer.outside, len(frame)) == (1039, 0, 1039)
    assert int((frame.height_m > 0).sum()) == 735
    assert int((frame.floors_above > 0).sum()) == 964
    assert int(frame.pnu.duplicated().sum()) == 59
    assert frame["name"].str.contains("\ufffd").any()
    # one block of Yeoksam-dong, 37.50 N 127.03 E
    assert 201_000 < frame.total_bounds[0] < frame.total_bounds[2] < 204_000


@pytest.mark.realdata
def test_gwarim(shared_data):
    layer = read(shared_data / "gwarim", "parcels")
    assert layer.read == 1959
    assert layer.frame.dong_name.value_counts().to_dict() == {"과림동": 1185, "무지내동": 774}
    assert layer.frame.jibun.notna().all()
