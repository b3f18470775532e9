"""One file per trap, written as the agencies write it; for each the exact outcome, from the file to the clean layer."""

from __future__ import annotations

import sqlite3
import struct
import unicodedata
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from geodata.clean.buildings import clean_buildings
from geodata.clean.parcels import clean_parcels
from geodata.errors import InputError
from geodata.inbox import refuse, take_inventory
from geodata.vector_file import read_dataset


class Cp949Info(zipfile.ZipInfo):
    """A member whose name is written in CP949 and not marked as UTF-8, as Windows in Korea does."""

    def _encodeFilenameFlags(self):
        return self.filename.encode("cp949"), self.flag_bits & ~0x800


OUTCOMES = ("outside", "published", "merged", "reasoned")


@pytest.fixture(scope="module")
def town(site_area_of):
    """The legal dong in which the fixtures lie."""
    return site_area_of("4121010500")


def take(inbox: Path, role: str, bbox=None):
    inventory = take_inventory(inbox)
    refuse(inventory)
    return [read_dataset(inbox, dataset, "EPSG:5186", bbox) for dataset in inventory.datasets_for(role)]


def parcels_of(inbox: Path, town):
    return clean_parcels(take(inbox, "parcels"), town)


def buildings_of(inbox: Path, town, parcels=None):
    return clean_buildings(take(inbox, "buildings"), town, parcels)


def counts(layer) -> tuple[int, ...]:
    layer.account.verify()
    return tuple(getattr(layer.account, name) for name in OUTCOMES)


def reasons(layer) -> dict[str, int]:
    return layer.quality["reason"].value_counts().to_dict()


# --- TL_SPBD_BULD -----------------------------------------------------------------------------------------------------


def test_tl_spbd_buld_from_its_bundle(agency, inbox, elsewhere, town):
    columns = agency.tl_spbd(4)
    columns |= {
        "MNTN_YN": ["0", "1", "0", "0"],
        "LNBR_SLNO": [0, 0, 12, 0],
        "BDTYP_CD": ["02001", "01001", "06001", "x"],
    }
    columns["LNBR_MNNM"][3] = 0  # no lot number
    path = agency.shapefile(elsewhere / "TL_SPBD_BULD.shp", columns, crs="EPSG:5179")
    prj = path.with_suffix(".prj").read_text()
    path.with_suffix(".prj").unlink()
    with zipfile.ZipFile(inbox / "경기도.zip", "w") as archive:
        for file in elsewhere.iterdir():
            archive.write(file, f"41000/{file.name}")
        archive.writestr("GRS80_UTMK.prj", prj)
    (dataset,) = take_inventory(inbox).datasets
    assert (dataset.product, dataset.parts[0].crs, dataset.parts[0].crs_origin) == (
        "TL_SPBD_BULD",
        "EPSG:5179",
        "shared prj",
    )
    layer = buildings_of(inbox, town)
    assert counts(layer) == (0, 4, 0, 0)
    found = layer.features.sort_values("source_id")
    # the flag counts from 0: ordinary land is 1 in a parcel number, mountain is 2; a blank ri is 00
    assert found["pnu"].fillna("-").tolist() == [
        f"{agency.dong}100010000", f"{agency.dong}200020000", f"{agency.dong}100030012", "-",
    ]  # fmt: skip
    # only groups that every edition of the code list shares are taken over
    assert found["use_code"].fillna("-").tolist() == ["02000", "01000", "-", "-"]
    assert found["floors_above"].tolist() == [3, 3, 3, 3]
    assert found["height_source"].tolist() == ["floors"] * 4
    assert found["name"].tolist() == ["똠방빌라"] * 4
    assert np.abs(found.geometry.area - 100).max() < 0.2


def test_lp_pa_cbnd_bubun_saved_from_the_api(agency, inbox, town):
    columns = {
        "pnu": agency.pnus(3), "jibun": ["1 대", "산2-1 임", "3도"], "bonbun": ["1", "2", "3"], "bubun": ["", "1", ""],
        "addr": ["경기도 광명시 노온사동"] * 3, "jiga": ["1"] * 3,
    }  # fmt: skip
    columns["pnu"][1] = f"{agency.dong}200020001"
    gpd.GeoDataFrame(columns, geometry=agency.boxes(3), crs="EPSG:5186").to_crs("EPSG:4326").to_file(
        inbox / "page.geojson"
    )
    (dataset,) = take_inventory(inbox).datasets
    assert (dataset.product, dataset.parts[0].crs) == ("LP_PA_CBND_BUBUN", "EPSG:4326")
    layer = parcels_of(inbox, town)
    assert counts(layer) == (0, 3, 0, 0)
    assert layer.features[["jibun", "jimok"]].values.tolist() == [["1", "대"], ["3", "도"], ["산2-1", "임"]]


def test_al_d010_comes_before_tl_spbd_buld(agency, inbox):
    agency.shapefile(inbox / "juso.shp", agency.tl_spbd())
    agency.shapefile(inbox / "lx.shp", agency.al_d010())
    inventory = take_inventory(inbox)
    assert [d.product for d in inventory.datasets] == ["AL_D010"]
    assert ["another product is used for this place: lx.shp" in p.what for p in inventory.problems] == [True]


# --- names and archives -----------------------------------------------------------------------------------------------


def test_a_province_in_three_parts_under_cp949_and_decomposed_names(agency, inbox, elsewhere, town):
    name = "경기도_광명시"
    with zipfile.ZipFile(inbox / unicodedata.normalize("NFD", f"{name}.zip"), "w") as archive:
        for part, mark in enumerate(("", "(2)", "(3)")):
            shapes = agency.moved(agency.boxes(2), 30.0 * part, 0.0)
            path = agency.shapefile(elsewhere / f"p{part}.shp", agency.al_d002(2, first=1 + 2 * part), shapes)
            for suffix in (".shp", ".shx", ".dbf", ".prj")[: 4 if part == 0 else 3]:
                archive.writestr(Cp949Info(f"{name}{mark}{suffix}"), path.with_suffix(suffix).read_bytes())
    layers = take(inbox, "parcels")
    assert [part.data_source for part in layers[0].dataset.parts] == [
        f"{name}.zip/{name}{m}.shp" for m in ("", "(2)", "(3)")
    ]
    layer = clean_parcels(layers, town)
    assert counts(layer) == (0, 6, 0, 0)
    assert layer.features["pnu"].tolist() == agency.pnus(6)


def test_a_zip_misnamed_shp(agency, inbox, elsewhere, town):
    agency.zipped(inbox / "건물통합정보.shp", agency.shapefile(elsewhere / "AL_D010_11.shp", agency.al_d010(3)))
    assert ["the file is a zip whatever its name says" in p.what for p in take_inventory(inbox).problems] == [True]
    assert counts(buildings_of(inbox, town)) == (0, 3, 0, 0)


@pytest.mark.parametrize("name", ["../a.shp", "/etc/a.shp"])
def test_zips_with_names_that_lead_out(agency, inbox, name):
    agency.shapefile(inbox / "good.shp", agency.al_d002())
    with zipfile.ZipFile(inbox / "bad.zip", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(
        InputError, match=r"bad\.zip: the zip is not safe to read: the zip holds a name that leads out of it"
    ):
        refuse(take_inventory(inbox))


def test_a_size_bomb_is_refused(agency, inbox):
    agency.shapefile(inbox / "good.shp", agency.al_d002())
    with zipfile.ZipFile(inbox / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(17):
            archive.writestr(f"{number}.shp", b"0" * 1000)
    data = bytearray((inbox / "bomb.zip").read_bytes())
    # the directory of the zip says that each of its files unpacks to four gigabytes
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        data[place + 24 : place + 28] = struct.pack("<I", 0xFFFFFFFE)
        place = data.find(b"PK\x01\x02", place + 4)
    (inbox / "bomb.zip").write_bytes(bytes(data))
    with pytest.raises(
        InputError, match=r"bomb\.zip: the zip is not safe to read: the zip would unpack to 73,014,443,998 bytes"
    ):
        refuse(take_inventory(inbox))


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cpg", "told"), [(None, 0), ("UTF-8", 1), ("EUC-KR", 0), ("ISO-8859-1", 0)])
def test_cp949_text_whatever_the_cpg_says(agency, inbox, town, cpg, told):
    agency.shapefile(inbox / "a.shp", agency.f_fac(2), cpg=cpg)
    assert (
        len([p for p in take_inventory(inbox).problems if "declared encoding is wrong: UTF-8 → CP949" in p.what])
        == told
    )
    # 힣 is in CP949 but not in EUC-KR
    assert buildings_of(inbox, town).features["name"].tolist() == ["힣빌딩", "힣빌딩"]


def test_text_that_was_already_broken_is_kept_out_and_told(agency, inbox, town):
    agency.shapefile(inbox / "a.shp", {**agency.f_fac(2), "BLD_NM": ["\ufffd\ufffdA", "좋은집"]}, encoding="utf-8")
    layer = buildings_of(inbox, town)
    assert counts(layer) == (0, 2, 0, 0)
    assert sorted(layer.features["name"].fillna("-")) == ["-", "좋은집"]
    told = layer.quality[layer.quality["reason"] == "text_damaged"]
    assert told["detail"].tolist() == ["name: \ufffd\ufffdA"]


# --- parcel numbers ---------------------------------------------------------------------------------------------------


def test_parcel_numbers_as_floats_with_letters_and_missing(agency, inbox, town):
    columns = agency.al_d002(5)
    pnu = agency.pnus(5)
    columns["A1"] = [pnu[0], "4.12101050010001E+18", f"{agency.dong}B00010000", "", pnu[4]]
    columns["A4"][3] = "산23-1"
    agency.shapefile(inbox / "a.shp", columns)
    layer = parcels_of(inbox, town)
    assert counts(layer) == (0, 3, 0, 2)
    assert layer.features["pnu"].tolist() == [pnu[0], pnu[4], f"{agency.dong}200230001"]
    told = layer.quality.set_index("reason")["detail"]
    assert set(told["pnu_malformed"]) == {"PNU: 4.12101050010001E+18", f"PNU: {agency.dong}B00010000"}
    assert told["pnu_built"] == "경기도 광명시 노온사동 산23-1"


@pytest.mark.parametrize("role", ["parcels", "buildings"])
def test_land_types_counted_from_zero_are_raised(agency, inbox, town, role):
    make, column = (agency.lsmd, "PNU") if role == "parcels" else (agency.f_fac, "PNU")
    columns = make(4)
    columns[column] = [f"{agency.dong}{flag}00{i}0000" for i, flag in enumerate("0010", start=10)]
    agency.shapefile(inbox / "a.shp", columns)
    layer = (parcels_of if role == "parcels" else buildings_of)(inbox, town)
    assert counts(layer) == (0, 4, 0, 0)
    assert sorted(p[10] for p in layer.features["pnu"]) == ["1", "1", "1", "2"]
    assert reasons(layer)["land_type_shifted"] == 4


def test_a_single_zero_is_a_mistake_not_a_convention(agency, inbox, town):
    columns = agency.lsmd(40)
    columns["PNU"][7] = f"{agency.dong}000080000"
    agency.shapefile(inbox / "a.shp", columns)
    layer = parcels_of(inbox, town)
    assert counts(layer) == (0, 39, 0, 1)
    assert reasons(layer) == {"pnu_malformed": 1}


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_heights_and_floors_that_mean_nothing(agency, inbox, town):
    columns = agency.al_d010(7)
    columns |= {
        "A16": [0.0, -1.0, 9999.0, 99.0, 9.0, 1.0, 30.0],
        "A26": [3, 3, 3, 3, 0, 3, 255],
        "A27": [0, -1, 1, 0, 0, 99, 0],
    }
    agency.shapefile(inbox / "a.shp", columns)
    layer = buildings_of(inbox, town)
    assert counts(layer) == (0, 7, 0, 0)
    found = layer.features.sort_values("source_id")
    # houses have 3.5 m a storey; 99 m and 1 m for three storeys are not believed, 9 m without storeys is
    assert found["height"].tolist() == [10.5, 10.5, 10.5, 10.5, 9.0, 10.5, 30.0]
    assert found["height_source"].tolist() == ["floors"] * 4 + ["recorded", "floors", "recorded"]
    assert found["floors_above"].fillna(0).tolist() == [3, 3, 3, 3, 0, 3, 0]
    assert found["floors_below"].fillna(-9).tolist() == [0, -9, 1, 0, 0, -9, 0]
    assert reasons(layer) == {"height_implausible": 2, "floors_implausible": 2}


# --- duplicates -------------------------------------------------------------------------------------------------------


def test_duplicate_parcels(agency, inbox, town):
    columns = agency.al_d002(5)
    pnu = agency.pnus(5)
    columns["A0"] = [1, 2, 3, 4, 4]
    columns["A1"] = [pnu[0], pnu[0], pnu[2], pnu[2], pnu[4]]
    columns["A4"] = ["1", "1", "3", "3", "5"]
    columns["A5"] = ["1대", "1대", "3대", "3대", "5대"]
    shapes = agency.boxes(5)
    shapes[3] = shapes[2]  # the same record twice; the first two are two pieces of one lot
    agency.shapefile(inbox / "a.shp", columns, shapes)
    layer = parcels_of(inbox, town)
    assert counts(layer) == (0, 3, 2, 0)
    assert layer.features["source_rows"].tolist() == [2, 2, 1]
    assert layer.features["area_m2"].round(3).tolist() == [200.0, 100.0, 100.0]
    assert reasons(layer) == {"exact_duplicate": 1, "same_pnu": 1}


def test_duplicate_buildings(agency, inbox, town):
    columns = agency.al_d010(4)
    columns["A2"][1] = columns["A2"][0]
    columns["A1"][2] = columns["A1"][3] = ""
    columns["A16"][0] = 0.0
    shapes = agency.boxes(4)
    shapes[1] = shapes[0]  # two records of one footprint: the one with a height stays
    agency.shapefile(inbox / "a.shp", columns, shapes)
    layer = buildings_of(inbox, town)
    assert counts(layer) == (0, 3, 1, 0)
    assert layer.features["building_id"].is_unique
    assert layer.features["height"].tolist() == [9.0] * 3
    assert reasons(layer) == {"same_footprint": 1}


# --- places -----------------------------------------------------------------------------------------------------------


def test_buildings_across_the_border_are_kept_whole_where_most_of_them_is_inside(agency, inbox, town):
    shape = town.area
    x, y = shapely.get_coordinates(shape.representative_point())[0]
    row = shapely.intersection(shapely.LineString([(x, y), (x + 9000, y)]), shape)
    edge = shapely.get_parts(row)[0].bounds[2]
    shapes = [
        shapely.box(edge - 30, y, edge - 20, y + 10),  # inside
        shapely.box(edge - 9, y + 20, edge + 1, y + 30),  # across, mostly inside
        shapely.box(edge - 1, y + 40, edge + 9, y + 50),  # across, mostly outside
        shapely.box(edge + 40, y + 60, edge + 50, y + 70),  # outside
    ]
    expected = [shapely.contains(shape, one.representative_point()) for one in shapes]
    assert expected[0] and not expected[3]
    agency.shapefile(inbox / "a.shp", agency.al_d010(4), shapes)
    layer = buildings_of(inbox, town)
    assert counts(layer) == (4 - sum(expected), sum(expected), 0, 0)
    assert np.abs(layer.features.geometry.area - 100).max() < 1e-6


# --- geometry ---------------------------------------------------------------------------------------------------------


def curve_polygon(x: float, y: float, radius: float) -> bytes:
    """WKB of a full circle as a CurvePolygon."""
    points = [(x - radius, y), (x, y + radius), (x + radius, y), (x, y - radius), (x - radius, y)]
    ring = struct.pack("<BII", 1, 8, len(points)) + b"".join(struct.pack("<dd", *p) for p in points)
    return struct.pack("<BII", 1, 10, 1) + ring


@pytest.mark.parametrize("role", ["parcels", "buildings"])
def test_every_kind_of_broken_geometry(agency, inbox, town, role):
    x, y = agency.centre
    at = lambda dx, dy: (x + dx, y + dy)  # noqa: E731
    shapes = [
        None,
        shapely.Polygon([at(0, 0), at(10, 10), at(10, 0), at(0, 10)]),  # bow-tie: two triangles of 25 m2
        shapely.Polygon([at(20, 0), at(30, 0), at(30, 10), at(20, 10)], [[at(20, 0), at(30, 0), at(30, 10), at(20, 10)]]),
        shapely.Polygon([at(40, 0), at(50, 0), at(45, 0)]),  # collapsed
        shapely.Polygon([(*at(60, 0), 5.0), (*at(70, 0), 6.0), (*at(70, 10), 7.0), (*at(60, 10), 8.0)]),  # 3D
        shapely.GeometryCollection([shapely.box(*at(80, 0), *at(90, 10)), shapely.LineString([at(80, 0), at(95, 0)])]),
        shapely.MultiPolygon([shapely.box(*at(0, 20), *at(10, 30)), shapely.box(*at(5, 20), *at(15, 30))]),  # parts overlap
        shapely.box(*at(20, 20), *at(30, 30)),  # becomes a circle below
        shapely.box(1e7, 1e7, 1e7 + 5, 1e7 + 5),
        shapely.box(*at(40, 20), *at(50, 30)),
    ]  # fmt: skip
    columns = agency.lsmd(10) if role == "parcels" else agency.f_fac(10)
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:5186")
    frame.to_file(inbox / "a.gpkg", layer="a")
    with sqlite3.connect(inbox / "a.gpkg") as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f'drop trigger "{name}"')
        circle = b"GP\0\x01" + struct.pack("<i", 5186) + curve_polygon(x + 25, y + 25, 5.0)
        database.execute("update a set geom = ? where fid = 8", (circle,))
    layer = (parcels_of if role == "parcels" else buildings_of)(inbox, town)
    # nothing (1), its own hole (1) or no area (1) and far away (1) are set aside
    assert counts(layer) == (0, 6, 0, 4)
    told = reasons(layer)
    assert {r: told[r] for r in ("no_geometry", "geometry_collapsed", "coordinates_out_of_range", "z_dropped", "curve_straightened")} == {
        "no_geometry": 1, "geometry_collapsed": 2, "coordinates_out_of_range": 1, "z_dropped": 1, "curve_straightened": 1,
    }  # fmt: skip
    shapes = layer.features.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert not shapely.has_z(shapes).any()
    # a circle of 5 m divided into straight lines loses less than 0.2 % of its 78.54 m2
    assert sorted(np.round(shapely.area(shapes), 2)) == pytest.approx([50, 78.54, 100, 100, 100, 150], rel=2e-3)


def test_an_empty_layer_beside_a_full_one(agency, inbox, town):
    agency.shapefile(inbox / "full.shp", agency.al_d002(2))
    empty = gpd.GeoDataFrame({name: np.array([], dtype=str) for name in agency.lsmd(1)}, geometry=[], crs="EPSG:5186")
    pyogrio.write_dataframe(empty, inbox / "empty.gpkg", geometry_type="Polygon")
    assert any("the layer has no records" in p.what for p in take_inventory(inbox).problems)
    assert counts(parcels_of(inbox, town)) == (0, 2, 0, 0)


def test_a_prj_whose_bytes_are_no_text_is_refused_by_name(agency, inbox):
    file = agency.shapefile(inbox / "AL_D002.shp", agency.al_d002(2))
    prj = bytearray(file.with_suffix(".prj").read_bytes())
    prj[20] = 0xF2
    file.with_suffix(".prj").write_bytes(prj)
    with pytest.raises(InputError, match=r"AL_D002\.shp.*\.prj is no text"):
        refuse(take_inventory(inbox))
