from __future__ import annotations

import shutil
import unicodedata
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from geodata.errors import InputError
from geodata.inbox import dataset_files, files_not_read, hash_files, refuse, refuse_changed, take_inventory
from geodata.inventory import Inventory
from geodata.site import SourceSpec


def only(inventory: Inventory):
    assert len(inventory.datasets) == 1, inventory
    return inventory.datasets[0]


def told(inventory: Inventory, words: str) -> list:
    return [p for p in inventory.problems if words in p.what]


# --- recognised by content, whatever the name -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "key", "role"),
    [
        (lambda a: a.al_d002(), "AL_D002", "parcels"),
        (lambda a: a.lsmd(), "LSMD_CONT_LDREG", "parcels"),
        (lambda a: {k.lower(): v for k, v in a.lsmd().items()}, "LSMD_CONT_LDREG", "parcels"),
        (lambda a: a.al_d010(fields=23), "AL_D010", "buildings"),
        (lambda a: a.al_d010(fields=24), "AL_D010", "buildings"),
        (lambda a: a.al_d010(fields=29), "AL_D010", "buildings"),
        (lambda a: a.f_fac(), "F_FAC_BUILDING", "buildings"),
        (lambda a: a.sg05(["311", "211"]), "SG05", "land_cover"),
        (lambda a: a.sg05([311, 211]), "SG05", "land_cover"),
        (lambda a: a.upis(["UQT220", "UQT210"]), "UPIS_UQ153", "parks"),
        (lambda a: {"법정동": ["노온사동"], "지번": ["산 12-3"]}, "PARCELS_BY_JIBUN", "parcels"),
        (
            lambda a: {"블록번호": ["A-1"], "용도": ["공동주택"], "용적률": [200.0], "세대수": [500]},
            "LAND_USE_PLAN",
            "plan_blocks",
        ),
        (lambda a: {"BLOCK_NO": ["B1"], "LANDUSE": ["park"], "FAR": [0.0]}, "LAND_USE_PLAN", "plan_blocks"),
        (lambda a: {"blockname": ["B1"], "토지이용": ["공원"], "건폐율": [20]}, "LAND_USE_PLAN", "plan_blocks"),
        (lambda a: {"zonename": ["광명시흥 공공주택지구"]}, "DISTRICT", "district"),
        (lambda a: {"사업지구명": ["광명시흥"]}, "DISTRICT", "district"),
    ],
)
def test_vector_products(agency, inbox, make, key, role):
    agency.shapefile(inbox / "anything.shp", make(agency))
    inventory = take_inventory(inbox)
    dataset = only(inventory)
    assert (dataset.product, dataset.role) == (key, role)
    assert dataset.parts[0].crs == "EPSG:5186"
    assert dataset.parts[0].crs_origin == "prj"
    assert not [p for p in inventory.problems if p.fatal]
    assert inventory.ignored == ()


@pytest.mark.parametrize(
    "make",
    [
        # eight A-columns of another product: no parcel number in A1
        lambda a: {**a.al_d002(), "A1": ["4121010500"] * 6},
        # twenty-nine A-columns with the parcel number in A1 (AL_D162 and others)
        lambda a: {**a.al_d010(), "A2": ["x"] * 6, "A1": a.pnus(6)},
        # the same columns as parks, but roads
        lambda a: a.upis(["UQS110"] * 2, ["UQS100"] * 2),
        # legal dong boundaries, which ship with the program
        lambda a: {"code": ["41210105"], "emd": ["노온사동"]},
        lambda a: {"L3_CODE": ["abc"]},
    ],
)
def test_look_alikes_are_ignored_with_a_hint(agency, inbox, make):
    agency.shapefile(inbox / "AL_D002_41_20260901.shp", make(agency))
    inventory = take_inventory(inbox)
    assert inventory.datasets == ()
    assert inventory.ignored == ("AL_D002_41_20260901.shp",)
    assert [p.fatal for p in inventory.problems] == [False]
    assert "sources" in inventory.problems[0].remedy
    refuse(inventory)


@pytest.mark.parametrize(("driver", "name"), [("GTiff", "x.tif"), ("HFA", "x.img"), ("AAIGrid", "x.asc")])
def test_terrain_rasters(agency, inbox, driver, name):
    agency.dem(inbox / name, driver)
    if driver == "AAIGrid":
        (inbox / "x.prj").write_text(rasterio.crs.CRS.from_epsg(5186).to_wkt())
    dataset = only(take_inventory(inbox))
    assert (dataset.product, dataset.role, dataset.parts[0].kind, dataset.parts[0].crs) == (
        "DEM",
        "terrain",
        "raster",
        "EPSG:5186",
    )


def test_rasters_that_are_no_terrain(inbox):
    profile = {
        "driver": "GTiff",
        "width": 8,
        "height": 8,
        "crs": "EPSG:5186",
        "transform": from_origin(186e3, 537e3, 10, 10),
    }
    values = np.random.default_rng(1).random((8, 8))
    with rasterio.open(inbox / "ndvi.tif", "w", count=1, dtype="float32", **profile) as raster:
        raster.write(values.astype("float32") * 2 - 1, 1)
    with rasterio.open(inbox / "photo.tif", "w", count=3, dtype="uint8", **profile) as raster:
        raster.write(np.repeat((values * 255).astype("uint8")[None], 3, axis=0))
    inventory = take_inventory(inbox)
    assert [(d.role, d.product) for d in inventory.datasets] == [("ndvi", "NDVI")]
    assert inventory.ignored == ("photo.tif",)


def test_terrain_of_several_cell_sizes_the_finest_first(agency, inbox):
    agency.dem(inbox / "a.tif", cell=90.0)
    agency.dem(inbox / "b.tif", cell=5.0)
    agency.dem(inbox / "c.tif", cell=5.0, base=30.0)
    parts = [[p.data_source for p in d.parts] for d in take_inventory(inbox).datasets]
    assert parts == [["b.tif", "c.tif"], ["a.tif"]]


def test_weather(agency, inbox):
    agency.epw(inbox / "incheon.epw")
    agency.epw(inbox / "abroad.epw", place=(39.8, -104.7))
    inventory = take_inventory(inbox)
    assert [(d.product, d.parts[0].data_source, d.parts[0].rows) for d in inventory.datasets] == [
        ("EPW", "incheon.epw", 8760),
        ("EPW", "abroad.epw", 8760),
    ]
    assert [p.path for p in told(inventory, "not in Korea")] == ["abroad.epw"]


def test_weather_without_one_hour_is_refused(agency, inbox):
    agency.epw(inbox / "w.epw", hours=8759)
    inventory = take_inventory(inbox)
    with pytest.raises(InputError, match=r"w\.epw: the weather file has 8,759 hourly rows instead of 8,760"):
        refuse(inventory)


def test_geopackage_layers(agency, inbox):
    for layer, columns in (("필지", agency.al_d002()), ("건물", agency.al_d010()), ("other", {"x": [1]})):
        rows = len(next(iter(columns.values())))
        frame = gpd.GeoDataFrame(pd.DataFrame(columns), geometry=agency.boxes(rows), crs="EPSG:5186")
        pyogrio.write_dataframe(frame, inbox / "town.gpkg", layer=layer, append=(inbox / "town.gpkg").exists())
    inventory = take_inventory(inbox)
    assert {(d.product, d.parts[0].layer, d.parts[0].crs_origin) for d in inventory.datasets} == {
        ("AL_D002", "필지", "file"),
        ("AL_D010", "건물", "file"),
    }
    assert inventory.ignored == ()


# --- inboxes and archives ---------------------------------------------------------------------------------------------


def test_missing_and_empty_inbox(inbox):
    with pytest.raises(InputError, match="does not exist"):
        take_inventory(inbox / "nowhere")
    (inbox / ".hidden").write_text("x")
    (inbox / "sub").mkdir()
    with pytest.raises(InputError, match="empty inbox is not an empty town"):
        take_inventory(inbox)
    with pytest.raises(InputError, match="is empty"):
        hash_files(inbox)


def test_every_file_is_hashed(agency, inbox):
    agency.shapefile(inbox / "sub" / "a.shp", agency.al_d002())
    (inbox / "읽어보세요.txt").write_text("hello")
    files = {f.path: f for f in take_inventory(inbox).files}
    assert sorted(files) == ["sub/a.dbf", "sub/a.prj", "sub/a.shp", "sub/a.shx", "읽어보세요.txt"]
    # sha256 of "hello", as published everywhere
    assert files["읽어보세요.txt"].sha256 == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert hash_files(inbox) == tuple(files.values())


def test_a_dataset_knows_all_its_files(agency, inbox):
    agency.shapefile(inbox / "a.shp", agency.al_d002())
    agency.dem(inbox / "b.tif")
    inventory = take_inventory(inbox)
    parcels = inventory.datasets_for("parcels")[0]
    assert [f.path for f in dataset_files(inventory, parcels)] == ["a.dbf", "a.prj", "a.shp", "a.shx"]


def test_a_file_that_changes_after_it_was_listed_is_refused_by_name(agency, inbox):
    agency.dem(inbox / "b.tif")
    (inbox / "half.csv").write_bytes(b"")
    (inbox / "gone.txt").write_bytes(b"1")
    inventory = take_inventory(inbox)
    assert [file.path for file in files_not_read(inventory)] == ["gone.txt", "half.csv"]
    refuse_changed(inbox, inventory.files)
    (inbox / "new.csv").write_bytes(b"1")  # was not listed, so nothing can have been made of it
    (inbox / "half.csv").write_bytes(b"1")
    (inbox / "gone.txt").unlink()
    with pytest.raises(InputError, match=r"^gone\.txt, half\.csv changed"):
        refuse_changed(inbox, files_not_read(inventory))
    dataset = inventory.datasets_for("terrain")[0]
    refuse_changed(inbox, dataset_files(inventory, dataset))


def test_parts_in_a_zip_are_one_dataset(agency, inbox, elsewhere):
    parts = [
        agency.shapefile(elsewhere / f"AL_D010_41_20260909{n}.shp", agency.al_d010(count))
        for n, count in (("", 5), ("(2)", 4), ("(3)", 3))
    ]
    agency.zipped(inbox / "download.zip", *parts)
    dataset = only(take_inventory(inbox))
    assert [(p.data_source, p.rows) for p in dataset.parts] == [
        ("download.zip/AL_D010_41_20260909.shp", 5),
        ("download.zip/AL_D010_41_20260909(2).shp", 4),
        ("download.zip/AL_D010_41_20260909(3).shp", 3),
    ]
    assert dataset.vintage == "2026-09-01"
    assert {p.encoding for p in dataset.parts} == {"CP949"}


@pytest.mark.parametrize(("numbers", "absent"), [(["", "(3)"], "AL(2)"), (["(2)", "(3)"], "AL"), (["(2)"], "AL")])
def test_a_missing_part_is_fatal(agency, inbox, numbers, absent):
    for n in numbers:
        agency.shapefile(inbox / f"AL{n}.shp", agency.al_d010())
    with pytest.raises(InputError, match="a part of the delivery is missing") as error:
        refuse(take_inventory(inbox))
    assert f": {absent} ·" in str(error.value)


def test_part_in_another_archive_completes_the_series(agency, inbox, elsewhere):
    for n in ("", "(2)"):
        agency.zipped(
            inbox / f"AL_D002_41{n}.zip", agency.shapefile(elsewhere / f"AL_D002_41{n}.shp", agency.al_d002())
        )
    inventory = take_inventory(inbox)
    assert len(only(inventory).parts) == 2
    refuse(inventory)


def test_the_second_part_borrows_the_prj_of_the_first(agency, inbox):
    agency.shapefile(inbox / "AL.shp", agency.al_d002())
    agency.shapefile(inbox / "AL(2).shp", agency.al_d002(first=20), crs=None)
    parts = only(take_inventory(inbox)).parts
    assert [(p.crs, p.crs_origin) for p in parts] == [("EPSG:5186", "prj"), ("EPSG:5186", "shared prj")]


def test_a_misnamed_zip_is_read_as_a_zip(agency, inbox, elsewhere):
    agency.zipped(inbox / "건물통합정보.shp", agency.shapefile(elsewhere / "AL_D010_11_20260909.shp", agency.al_d010()))
    inventory = take_inventory(inbox)
    assert only(inventory).parts[0].data_source == "건물통합정보.shp/AL_D010_11_20260909.shp"
    assert [p.fatal for p in told(inventory, "is a zip whatever")] == [False]


def test_decomposed_names(agency, inbox):
    agency.shapefile(inbox / f"{unicodedata.normalize('NFD', '광명시')}.shp", agency.al_d002())
    inventory = take_inventory(inbox)
    assert only(inventory).parts[0].data_source == "광명시.shp"
    assert all(unicodedata.is_normalized("NFC", f.path) for f in inventory.files)


def test_two_forms_of_one_name(inbox):
    for form in ("NFC", "NFD"):
        (inbox / unicodedata.normalize(form, "광명.txt")).write_text(form)
    inventory = take_inventory(inbox)
    with pytest.raises(InputError, match="same name in different Unicode forms"):
        refuse(inventory)


@pytest.mark.parametrize("extra", [b"", b"full"])
def test_truncated_zip_is_a_problem_for_inspect_and_an_error_for_a_run(agency, inbox, extra):
    agency.zipped(inbox / "a.zip", agency.shapefile(inbox / "a.shp", agency.al_d002()))
    data = (inbox / "a.zip").read_bytes()
    (inbox / "a.zip").write_bytes(data[: len(data) // 2])
    agency.shapefile(inbox / "good.shp", agency.al_d010())
    inventory = take_inventory(inbox)
    assert [d.product for d in inventory.datasets] == ["AL_D010"]
    with pytest.raises(InputError, match=r"a\.zip: the zip is truncated or damaged") as error:
        refuse(inventory)
    assert "download or copy it again" in str(error.value)


def test_nothing_is_written_into_the_inbox(agency, inbox, elsewhere):
    agency.zipped(inbox / "a.zip", agency.shapefile(elsewhere / "a.shp", agency.al_d010()))
    agency.shapefile(inbox / "b.shp", agency.al_d002())
    agency.dem(inbox / "c.img", "HFA")
    before = sorted(p.name for p in inbox.iterdir())
    take_inventory(inbox)
    assert sorted(p.name for p in inbox.iterdir()) == before


def test_inventory_depends_on_content_alone(agency, inbox, tmp_path):
    agency.shapefile(inbox / "b" / "b.shp", agency.al_d010())
    agency.shapefile(inbox / "a.shp", agency.al_d002())
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in sorted((p for p in inbox.rglob("*") if p.is_file()), reverse=True):
        target = copy / file.relative_to(inbox)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(file, target)
    assert take_inventory(inbox) == take_inventory(copy)


# --- broken shapefiles ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".shx", ".dbf"])
def test_incomplete_shapefile(agency, inbox, suffix):
    agency.shapefile(inbox / "a.shp", agency.al_d002()).with_suffix(suffix).unlink()
    with pytest.raises(InputError, match=f"incomplete, missing: {suffix}"):
        refuse(take_inventory(inbox))


@pytest.mark.parametrize("suffix", [".shp", ".dbf", ".shx"])
def test_truncated_shapefile(agency, inbox, suffix):
    path = agency.shapefile(inbox / "a.shp", agency.al_d002(40)).with_suffix(suffix)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(InputError, match="the shapefile is truncated"):
        refuse(take_inventory(inbox))


@pytest.mark.parametrize("left", [11, 27, 35, 99])
def test_a_shapefile_that_ends_within_its_header_is_truncated_too(agency, inbox, left):
    path = agency.shapefile(inbox / "a.shp", agency.al_d002(40)).with_suffix(".shp")
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match="the shapefile is truncated"):
        refuse(take_inventory(inbox))


def test_empty_layer_is_recognised_and_told(agency, inbox):
    agency.shapefile(inbox / "a.shp", {k: pd.Series([], dtype="str") for k in agency.lsmd()}, shapes=[])
    inventory = take_inventory(inbox)
    assert told(inventory, "no records")
    refuse(inventory)


def test_empty_file(inbox):
    (inbox / "a.tif").touch()
    with pytest.raises(InputError, match=r"a\.tif: the file is empty"):
        refuse(take_inventory(inbox))


def test_lying_cpg_and_damaged_text_are_told(agency, inbox):
    agency.shapefile(inbox / "lie.shp", agency.al_d002(), cpg="UTF-8")
    agency.shapefile(inbox / "burnt.shp", {**agency.f_fac(), "BLD_NM": ["\ufffd\ufffdA"] * 6}, encoding="utf-8")
    inventory = take_inventory(inbox)
    assert [(p.path, p.fatal) for p in told(inventory, "declared encoding is wrong")] == [("lie.shp", False)]
    assert [(p.path, p.fatal) for p in told(inventory, "already damaged")] == [("burnt.shp", False)]
    assert {d.product: d.parts[0].encoding for d in inventory.datasets} == {
        "AL_D002": "CP949",
        "F_FAC_BUILDING": "UTF-8",
    }


# --- coordinate reference systems -------------------------------------------------------------------------------------


def test_missing_prj_is_refused_and_names_what_would_fit(agency, inbox):
    agency.shapefile(inbox / "a.shp", agency.al_d002(), crs=None)
    with pytest.raises(InputError, match="no coordinate reference system") as error:
        refuse(take_inventory(inbox))
    assert "EPSG:5186" in str(error.value)


def test_shared_prj_of_a_bundle(agency, inbox, elsewhere):
    path = agency.shapefile(elsewhere / "TL.shp", agency.al_d010(), crs="EPSG:5179")
    prj = path.with_suffix(".prj").read_text()
    path.with_suffix(".prj").unlink()
    with zipfile.ZipFile(inbox / "경기도.zip", "w") as archive:
        for file in elsewhere.iterdir():
            archive.write(file, f"41000/{file.name}")
        archive.writestr("GRS80_UTMK.prj", prj)
    part = only(take_inventory(inbox)).parts[0]
    assert (part.crs, part.crs_origin) == ("EPSG:5179", "shared prj")


def test_crs_of_the_site_file(agency, inbox):
    agency.shapefile(inbox / "a.shp", agency.al_d002(), crs=None)
    inventory = take_inventory(inbox, {"parcels": SourceSpec(path=Path("a.shp"), crs="EPSG:5186")})
    assert (only(inventory).parts[0].crs, only(inventory).parts[0].crs_origin) == ("EPSG:5186", "site file")
    refuse(inventory)


@pytest.mark.parametrize("shift", [100_000.0, 1_000_000.0])
def test_prj_that_contradicts_the_numbers(agency, inbox, shift):
    # 100 km is what 5174 and 5186 differ by: still in Korea, but not in the dong of the parcel numbers
    shapes = agency.moved(agency.boxes(6), 0.0, -shift)
    agency.shapefile(inbox / "named_5174.shp", agency.al_d002(), shapes)
    inventory = take_inventory(inbox)
    assert inventory.datasets == ()
    with pytest.raises(InputError, match="contradict each other"):
        refuse(inventory)


def test_codes_of_another_place_are_only_told(agency, inbox):
    agency.shapefile(inbox / "a.shp", agency.al_d002(), agency.moved(agency.boxes(6), 20_000.0, 0.0))
    inventory = take_inventory(inbox)
    assert [p.fatal for p in told(inventory, "codes and coordinates disagree")] == [False]
    assert only(inventory).parts[0].crs == "EPSG:5186"


def test_one_record_with_broken_coordinates_condemns_nobody(agency, inbox):
    shapes = [*agency.boxes(5), shapely.box(1e7, 1e7, 1e7 + 9, 1e7 + 9)]
    agency.shapefile(inbox / "a.shp", agency.al_d002(), shapes)
    inventory = take_inventory(inbox)
    assert only(inventory).parts[0].rows == 6
    refuse(inventory)


# --- real files -------------------------------------------------------------------------------------------------------


@pytest.mark.realdata
def test_real_files(shared_data):
    inventory = take_inventory(shared_data)
    found = {
        p.data_source: (d.product, p.rows, p.crs) for d in inventory.datasets for p in d.parts if p.kind == "vector"
    }
    assert found == {
        "gwarim/gwarim_parcels.geojson": ("PARCELS_BY_JIBUN", 1959, "EPSG:4326"),
        "yeoksam/Seoul_Gangnam_Yeoksam_One_Block.shp": ("F_FAC_BUILDING", 1039, "EPSG:4326"),
    } | {
        f"ngii_topo1000/{sheet}.zip/{layer}.shp": (f"NGII_1000_{name}", rows, "EPSG:5186")
        for layer, name, counts in (
            ("N1A_B0010000", "BUILDINGS", (52, 949)),
            ("N1L_A0020000", "ROADS", (40, 667)),
            ("N1A_A0033320", "FOOTWAYS", (2, 48)),
            ("N1L_F0010000", "CONTOURS", (49, 71)),
            ("N1P_F0020000", "SPOT_HEIGHTS", (3, 3)),
        )
        for sheet, rows in zip(("376120506", "376120531"), counts, strict=True)
    }
    rasters = [p for d in inventory.datasets_for("terrain") for p in d.parts if p.kind == "raster"]
    assert {p.data_source: p.crs for p in rasters} == {
        "terrain/seoul_dem.tif": "EPSG:5186",
        "terrain/34707051.tif": "EPSG:5186",
    }
    weather = [p.data_source for d in inventory.datasets_for("weather") for p in d.parts]
    assert [name.split("/")[0] for name in weather] == ["weather", "weather", "oracles"]
    assert [p.path for p in told(inventory, "already damaged")] == ["yeoksam/Seoul_Gangnam_Yeoksam_One_Block.shp"]
    assert {"ngii_topo1000/376120506.zip", "ngii_topo1000/376120531.zip"} <= {u.file for u in inventory.unused}
    refuse(inventory)
