"""The GeoPackage writer, read back with other tools than those that wrote it."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest

from geodata.catalogue import LAYERS
from twin.publish.about import ReleaseAbout
from twin.publish.errors import PublishError
from twin.publish.extensions import glob_of
from twin.publish.geopackage import validate_geopackage, write_geopackage


@pytest.fixture
def file(tmp_path: Path, layers: dict[str, pd.DataFrame], about: ReleaseAbout) -> Path:
    path = tmp_path / "twin.gpkg"
    write_geopackage(path, layers, about)
    return path


def rows(path: Path, query: str, *values: object) -> list[tuple]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


def test_it_is_a_geopackage_1_3_in_one_file_without_warnings(file: Path) -> None:
    header = file.read_bytes()[:100]
    assert header[:16] == b"SQLite format 3\x00"
    assert header[18:20] == b"\x01\x01"  # rollback journal, not write-ahead log
    assert int.from_bytes(header[60:64], "big") == 10300
    assert header[68:72] == b"GPKG"
    assert validate_geopackage(file) == []
    assert [p.name for p in file.parent.iterdir()] == ["twin.gpkg"]
    command = [
        sys.executable,
        "-m",
        "osgeo_utils.samples.validate_gpkg",
        "--extra",
        "-k",
        "--warning-as-error",
        str(file),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_layers_stand_in_the_order_of_the_catalogue(file: Path, layers: dict[str, pd.DataFrame]) -> None:
    assert list(layers) != [name for name in LAYERS if name in layers]
    assert pyogrio.list_layers(file)[:, 0].tolist() == [*(n for n in LAYERS if n in layers), "layer_styles"]


def test_every_value_comes_back(file: Path, layers: dict[str, pd.DataFrame]) -> None:
    for name, frame in layers.items():
        back = gpd.read_file(file, layer=name)
        assert len(back) == len(frame)
        if LAYERS[name].geometry is not None:
            assert back.crs == "EPSG:5186"
            assert (
                back.geometry.geom_equals(gpd.GeoSeries(frame.geometry.to_numpy(), crs=back.crs))
                .to_numpy()[~frame.geometry.isna()]
                .all()
            )
            assert (back.geometry.isna() == frame.geometry.isna()).all()
        for column in frame.columns.drop("geometry", errors="ignore"):
            there = frame[column].notna().to_numpy()
            assert (back[column].notna().to_numpy() == there).all(), column
            assert back[column][there].tolist() == frame[column][there].tolist(), column


def test_column_types_are_those_of_the_standard(file: Path) -> None:
    types = {name: kind for _, name, kind, *_ in rows(file, 'PRAGMA table_info("buildings")')}
    assert types["geom"] == "MULTIPOLYGON"
    assert (types["building_id"], types["floors_above"], types["height"], types["approved_on"]) == (
        "TEXT",
        "INTEGER",
        "REAL",
        "DATE",
    )
    assert {n: k for _, n, k, *_ in rows(file, 'PRAGMA table_info("green")')}["is_canopy"] == "BOOLEAN"
    assert rows(file, "SELECT approved_on, floors_above, altitude FROM buildings WHERE building_id = 'b0000'") == [
        ("1988-10-03", 1, 20.0)
    ]
    assert rows(file, "SELECT approved_on, name FROM buildings WHERE building_id = 'b0001'") == [(None, None)]
    assert rows(file, "SELECT count(*) FROM quality WHERE geom IS NULL") == [(1,)]


def test_labels_are_korean_and_english_and_say_unshaded_where_the_sun_matters(file: Path) -> None:
    titles = dict(rows(file, "SELECT column_name, title FROM gpkg_data_columns WHERE table_name = 'roofs'"))
    assert titles["yield_kwh"] == "연간 발전량 (kWh, 음영 미반영) / Yearly yield (kWh, unshaded)"
    assert titles["area_m2"] == "지붕면 면적 (m2) / Roof plane area (m2)"
    published = {name for _, name, *_ in rows(file, 'PRAGMA table_info("roofs")')} - {"fid", "geom"}
    assert set(titles) == published
    assert "sky_view" not in published
    names = rows(file, "SELECT table_name, name FROM gpkg_data_columns")
    assert len(set(names)) == len(names)
    ((description,),) = rows(file, "SELECT description FROM gpkg_contents WHERE table_name = 'roofs'")
    assert "음영 미반영" in description
    assert "가상 데이터" in description
    ((identifier,),) = rows(file, "SELECT identifier FROM gpkg_contents WHERE table_name = 'green'")
    assert identifier == "녹지 피복 / Green cover (가상 데이터 / demo data)"


def test_shaded_real_data_carry_no_marks(tmp_path: Path, layers: dict[str, pd.DataFrame], about: ReleaseAbout) -> None:
    path = tmp_path / "twin.gpkg"
    write_geopackage(path, layers, replace(about, demo=False, unshaded=False))
    text = path.read_bytes().decode("utf-8", errors="ignore")
    for mark in ("가상 데이터", "demo data", "음영 미반영", "unshaded"):
        assert mark not in text
    assert validate_geopackage(path) == []


def test_constraints_hold_choices_ranges_and_patterns(file: Path) -> None:
    choices = dict(
        rows(file, "SELECT value, description FROM gpkg_data_column_constraints WHERE constraint_name = 'parks_status'")
    )
    assert choices == {"built": "조성 / built", "planned": "미조성 / planned", "unknown": "알 수 없음 / unknown"}
    assert rows(
        file,
        "SELECT constraint_type, min, max FROM gpkg_data_column_constraints WHERE constraint_name = 'parcels_green_cover_pct'",
    ) == [("range", 0, 100)]
    ((glob,),) = rows(file, "SELECT value FROM gpkg_data_column_constraints WHERE constraint_name = 'parcels_pnu'")
    # SQLite itself judges the pattern by which the column may be checked
    good, bad = "4121010700100010000", "4121010700400010000"
    assert rows(file, "SELECT ? GLOB ?, ? GLOB ?, ? GLOB ?", good, glob, bad, glob, good + "0", glob) == [(1, 0, 0)]
    assert glob_of(r"^([0-9]{10}|DISTRICT)$") is None
    assert glob_of(r"^[0-9]{2}[AB]$") == "[0-9][0-9][AB]"


def test_metadata_is_where_qgis_and_catalogues_look(file: Path) -> None:
    found = rows(
        file,
        "SELECT r.table_name, m.metadata FROM gpkg_metadata m JOIN gpkg_metadata_reference r ON r.md_file_id = m.id "
        "WHERE m.md_standard_uri = 'http://mrcc.com/qgis.dtd' AND m.mime_type = 'text/xml' AND r.reference_scope = 'table'",
    )
    assert {name for name, _ in found} == {
        "districts",
        "parcels",
        "buildings",
        "roofs",
        "green",
        "parks",
        "quality",
        "run_info",
    }
    root = ET.fromstring(dict(found)["roofs"])  # noqa: S314
    assert root.findtext("rights") == "시험용"
    assert root.findtext("language") == "KOR"
    assert "지붕면" in root.findtext("title")
    ((text,),) = rows(file, "SELECT metadata FROM gpkg_metadata WHERE mime_type = 'application/ld+json'")
    record = json.loads(text)
    assert record["name"][0] == {"@language": "ko", "@value": "가온 시험지구"}
    assert record["dateModified"] == "2026-10-01T00:00:00.000Z"
    assert "가상 데이터" in record["keywords"]


def test_keys_are_unique_and_joins_are_indexed(file: Path) -> None:
    indices = dict(rows(file, "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND name LIKE 'idx_%'"))
    assert {
        "idx_parcels_pnu",
        "idx_buildings_pnu",
        "idx_roofs_building_id",
        "idx_roofs_dong_code",
        "idx_roofs_roof_id",
    } <= set(indices)
    assert "UNIQUE" in indices["idx_parcels_pnu"]
    assert "UNIQUE" not in indices["idx_buildings_pnu"]
    plan = rows(file, "EXPLAIN QUERY PLAN SELECT * FROM roofs WHERE building_id = 'b0001'")
    assert "idx_roofs_building_id" in plan[0][3]


def test_spatial_index_finds_what_lies_in_a_box(file: Path) -> None:
    hit = pyogrio.read_dataframe(file, layer="parcels", bbox=(185_001, 538_001, 185_039, 538_029))
    assert hit["pnu"].tolist() == ["4121010700100010000"]


def test_empty_layers_are_written(tmp_path: Path, layers: dict[str, pd.DataFrame], about: ReleaseAbout) -> None:
    path = tmp_path / "twin.gpkg"
    write_geopackage(path, {name: frame.iloc[:0] for name, frame in layers.items()}, about)
    assert validate_geopackage(path) == []
    for name, frame in layers.items():
        back = gpd.read_file(path, layer=name)
        assert len(back) == 0
        assert set(frame.columns) == set(back.columns)
    types = {name: kind for _, name, kind, *_ in rows(path, 'PRAGMA table_info("buildings")')}
    assert (types["floors_above"], types["name"], types["approved_on"]) == ("INTEGER", "TEXT", "DATE")


def test_a_single_layer_and_a_lone_table_are_enough(
    tmp_path: Path, layers: dict[str, pd.DataFrame], plan_blocks: pd.DataFrame, about: ReleaseAbout
) -> None:
    for number, chosen in enumerate(
        ({"plan_blocks": plan_blocks}, {"quality": layers["quality"], "run_info": layers["run_info"]})
    ):
        path = tmp_path / f"{number}.gpkg"
        write_geopackage(path, chosen, about)
        assert validate_geopackage(path) == []


WRITE_AGAIN = """
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("helpers", sys.argv[1])
helpers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(helpers)
from twin.publish.geopackage import ReleaseAbout, write_geopackage
about = ReleaseAbout("가온 시험지구", "Gaon test district", helpers.CRS, "2026-10-01", True, True, "시험용", "made by a test")
write_geopackage(Path(sys.argv[2]), helpers.make_layers(40, 30), about)
"""


def test_two_processes_in_two_folders_at_two_times_write_the_same_bytes(tmp_path: Path) -> None:
    hashes = []
    for number, zone in enumerate(("Asia/Seoul", "America/Lima")):
        folder = tmp_path / ("x" * (1 + 20 * number))
        folder.mkdir()
        helpers = Path(__file__).with_name("conftest.py")
        environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": str(number)}
        subprocess.run(
            [sys.executable, "-c", WRITE_AGAIN, str(helpers), str(folder / "twin.gpkg")], check=True, env=environment
        )
        hashes.append(hashlib.sha256((folder / "twin.gpkg").read_bytes()).hexdigest())
        time.sleep(1.1)  # another second, in which any clock would show
    assert hashes[0] == hashes[1]


def test_no_clock_no_host_and_no_path_inside(file: Path) -> None:
    text = file.read_bytes().decode("utf-8", errors="ignore")
    assert str(file.parent) not in text
    assert time.strftime("%Y-%m-%d") not in text
    stamps = rows(
        file,
        "SELECT last_change FROM gpkg_contents UNION SELECT timestamp FROM gpkg_metadata_reference UNION SELECT update_time FROM layer_styles",
    )
    assert stamps == [("2026-10-01T00:00:00.000Z",)]


def test_gdal_settings_are_given_back(tmp_path: Path, layers: dict[str, pd.DataFrame], about: ReleaseAbout) -> None:
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "1999-01-01T00:00:00.000Z"})
    try:
        write_geopackage(tmp_path / "a.gpkg", {"green": layers["green"]}, about)
        assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") == "1999-01-01T00:00:00.000Z"
        assert pyogrio.get_gdal_config_option("OGR_GPKG_ALLOW_THREADED_RTREE") is None
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        ("2026", "2026-01-01T00:00:00.000Z"),
        ("2026-11", "2026-11-01T00:00:00.000Z"),
        ("2026-11-02", "2026-11-02T00:00:00.000Z"),
        ("2026-11-02T02:00:00+09:00", "2026-11-01T17:00:00.000Z"),
    ],
)
def test_vintages_become_instants(about: ReleaseAbout, given: str, instant: str) -> None:
    assert replace(about, timestamp=given).instant == instant


def test_vintages_that_are_no_dates_are_refused(about: ReleaseAbout) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        _ = replace(about, timestamp="작년").instant


def test_it_never_writes_in_place_nor_unknown_layers(
    file: Path, layers: dict[str, pd.DataFrame], about: ReleaseAbout
) -> None:
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        write_geopackage(file, layers, about)
    assert file.read_bytes() == before
    with pytest.raises(KeyError, match="trees"):
        write_geopackage(file.with_name("b.gpkg"), {"trees": layers["green"]}, about)


def test_full_disk_leaves_nothing_and_says_what_to_do(
    tmp_path: Path, layers: dict[str, pd.DataFrame], about: ReleaseAbout
) -> None:
    place = tmp_path / "tiny"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"no right to mount a small file system here: {made.stderr.strip()}")
    try:
        with pytest.raises(PublishError, match="disk full"):
            write_geopackage(place / "twin.gpkg", layers, about)
        assert list(place.iterdir()) == []
    finally:
        subprocess.run(["umount", str(place)], check=True)


def damage(path: Path, *statements: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return validate_geopackage(path)


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DELETE FROM layer_styles WHERE f_table_name = 'roofs'", "roofs: 0 default styles"),
        ("DELETE FROM gpkg_data_columns WHERE column_name = 'jimok'", "parcels: columns without label: ['jimok']"),
        (
            "DELETE FROM buildings WHERE building_id = 'b0003'",
            "1 roof planes of buildings that are not published, for example b0003",
        ),
        (
            "UPDATE gpkg_ogr_contents SET feature_count = 9 WHERE table_name = 'green'",
            "green: holds 10 rows, but its feature count says 9",
        ),
        ("DELETE FROM rtree_parks_geom", "parks: 2 geometries, but 0 in the spatial index"),
        (
            "ALTER TABLE run_info ADD COLUMN secret TEXT",
            "run_info: columns that the catalogue does not declare: ['secret']",
        ),
        ("UPDATE gpkg_metadata_reference SET timestamp = 'yesterday'", "requirement 100"),
        ("UPDATE gpkg_contents SET last_change = 'today' WHERE table_name = 'green'", "requirement"),
        ("PRAGMA user_version = 10400", "user_version is 10400, expected 10300"),
        ("PRAGMA journal_mode = WAL", "write-ahead-log"),
    ],
)
def test_damage_is_found(file: Path, statement: str, finding: str) -> None:
    assert any(finding in problem for problem in damage(file, statement)), damage(file)


def test_files_that_are_no_geopackage_are_findings_not_crashes(tmp_path: Path, file: Path) -> None:
    assert validate_geopackage(tmp_path / "none.gpkg") == ["none.gpkg: does not exist"]
    text = tmp_path / "text.gpkg"
    text.write_text("not a database", encoding="utf-8")
    assert validate_geopackage(text) == ["text.gpkg: is not an SQLite file"]
    cut = tmp_path / "cut.gpkg"
    cut.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert validate_geopackage(cut) != []
    wiped = tmp_path / "wiped.gpkg"
    content = np.frombuffer(file.read_bytes(), dtype="uint8").copy()
    content[4096:12288] = 0
    wiped.write_bytes(content.tobytes())
    assert validate_geopackage(wiped) != []


def test_validation_leaves_the_file_as_it_is(file: Path) -> None:
    before = (file.read_bytes(), file.stat().st_mtime_ns)
    file.chmod(0o444)
    validate_geopackage(file)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert [p.name for p in file.parent.iterdir()] == ["twin.gpkg"]
