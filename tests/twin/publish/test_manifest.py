"""The manifest: everything a reader has to know, and nothing that changes by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from geodata.inventory import Dataset, Inventory, LayerPart, Problem, SourceFile
from geodata.parameters import Parameter, Parameters
from geodata.site import Site
from twin.publish.about import ReleaseAbout
from twin.publish.geopackage import write_geopackage
from twin.publish.manifest import build_manifest, describe_geopackage
from twin.publish.validate import validate_release

FILES = {name: SourceFile(path=name, size=10, sha256=name[0] * 64) for name in ("b.zip", "c.tif", "notes.txt")}
INVENTORY = Inventory(
    files=tuple(FILES.values()),
    datasets=(
        Dataset(
            product="AL_D010", role="buildings", vintage="2026-09", licence="CC BY", attribution="국토교통부",
            parts=(
                LayerPart(file=FILES["b.zip"], data_source="b.zip/1.shp", crs="EPSG:5186", encoding="cp949", rows=7),
                LayerPart(file=FILES["b.zip"], data_source="b.zip/2.shp", crs="EPSG:5186", encoding="cp949", rows=5),
            ),
        ),
    ),
    problems=(Problem(path="notes.txt", what="is not recognised", remedy="remove it"),),
)  # fmt: skip
ACCOUNT = {"source": "buildings", "read": 12, "outside": 2, "published": 9, "merged": 1, "reasoned": 0}
RECORDS = {
    "sources/buildings": {
        "digest": "d1",
        "content": "c1",
        "inputs": {":buildings": "x"},
        "metadata": {"account": ACCOUNT},
    },
    "sources/parks": {
        "digest": "d2",
        "content": "c2",
        "inputs": {},
        "metadata": {"absent": "no file of parks in the inbox"},
    },
    "sources/study_area": {"digest": "d3", "content": "c3", "inputs": {}, "metadata": {"district_known": False}},
    "sources/resource": {
        "digest": "d4",
        "content": "c4",
        "inputs": {},
        "metadata": {"corrected": False, "ghi_kwh_m2": 1510.0},
    },
}
PARAMETERS = {
    "twin.solar/pv.yaml": Parameters(
        {
            "albedo": Parameter(value=0.2, unit="1", source="pvlib", verified=True),
            "losses": Parameter(value=14.08, unit="%", source="PVWatts", verified=False),
        }
    )
}


@pytest.fixture
def site() -> Site:
    return Site.model_validate(
        {
            "name": "gaon",
            "title": {"ko": "가온", "en": "Gaon"},
            "study_area": {"legal_dongs": ["4121010700"]},
            "demo": True,
        }
    )


@pytest.fixture
def file(tmp_path: Path, layers: dict[str, pd.DataFrame], about: ReleaseAbout) -> Path:
    (tmp_path / "existing").mkdir()
    path = tmp_path / "existing" / "twin.gpkg"
    write_geopackage(path, layers, about)
    return path


def build(site: Site, file: Path) -> dict:
    return build_manifest(
        site,
        RECORDS,
        ["existing: 건물 30"],
        {"pvlib": "0.16.1"},
        inventory=INVENTORY,
        parameters=PARAMETERS,
        geopackages={"existing": file},
    )


def test_it_tells_what_is_in_it_and_where_it_comes_from(site: Site, file: Path) -> None:
    content = json.loads(json.dumps(build(site, file)))["content"]
    layers = content["scenarios"]["existing"]["layers"]
    assert {name: entry["rows"] for name, entry in layers.items()} == {
        "districts": 1, "parcels": 30, "buildings": 30, "roofs": 30, "green": 10, "parks": 2, "quality": 4, "run_info": 3,
    }  # fmt: skip
    columns = {c["name"]: c for c in layers["roofs"]["columns"]}
    assert columns["yield_kwh"] == {
        "name": "yield_kwh", "kind": "real", "unit": "kWh", "decimals": 1,
        "ko": "연간 발전량 (kWh, 음영 미반영)", "en": "Yearly yield (kWh, unshaded)",
    }  # fmt: skip
    assert "sky_view" not in columns
    (source,) = content["sources"]
    assert (source["role"], source["rows"], source["vintage"], source["licence"]) == (
        "buildings",
        12,
        "2026-09",
        "CC BY",
    )
    assert source["files"] == [{"path": "b.zip", "size": 10, "sha256": "b" * 64}]
    assert [f["path"] for f in content["unused_files"]] == ["c.tif", "notes.txt"]
    assert content["accounts"] == [ACCOUNT]
    assert content["missing"] == {"sources/parks": "no file of parks in the inbox"}
    assert content["parameters"]["twin.solar/pv.yaml"]["losses"]["verified"] is False
    assert content["resource"]["ghi_kwh_m2"] == 1510.0


def test_known_gaps_are_told_in_both_languages(site: Site, file: Path) -> None:
    gaps = build(site, file)["content"]["known_gaps"]
    english = " ".join(gap["en"] for gap in gaps)
    for words in (
        "Demo data",
        "unshaded",
        "not corrected",
        "legal dongs",
        "no file of parks",
        "twin.solar/pv.yaml: losses",
    ):
        assert words in english
    assert "albedo" not in english
    korean = " ".join(gap["ko"] for gap in gaps)
    for words in ("가상 데이터", "음영 미반영", "보정하지 않았다", "법정동 기준"):
        assert words in korean


def test_shaded_files_are_not_called_unshaded(
    tmp_path: Path, layers: dict[str, pd.DataFrame], about: ReleaseAbout
) -> None:
    path = tmp_path / "shaded.gpkg"
    write_geopackage(
        path,
        layers,
        ReleaseAbout(about.title_ko, about.title_en, about.crs, about.timestamp, unshaded=False, demo=False),
    )
    assert not any(layer["unshaded"] for layer in describe_geopackage(path).values())


def test_same_content_same_manifest(site: Site, file: Path) -> None:
    assert json.dumps(build(site, file)) == json.dumps(build(site, file))
    assert "release" not in build(site, file)


def test_a_release_is_valid_when_all_its_geopackages_are(tmp_path: Path, file: Path) -> None:
    assert validate_release(tmp_path) == []
    (tmp_path / "planned").mkdir()
    (tmp_path / "planned" / "twin.gpkg").write_text("half", encoding="utf-8")
    assert validate_release(tmp_path) == ["planned/twin.gpkg: is not an SQLite file"]
    assert validate_release(tmp_path / "planned" / "none") == ["none: holds no GeoPackage"]
