"""Two real topographic map sheets become a town: heights from floors, ground from contour lines."""

from __future__ import annotations

import json

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest

from twin.publish.validate import validate_geopackage

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def ngii(shared_data, root, run_site, tmp_path_factory):
    run = run_site(root / "tests" / "sites" / "ngii.yaml", tmp_path_factory.mktemp("ngii"))
    assert run.outcome.succeeded, run.outcome.reasons
    return run


@pytest.fixture(scope="module")
def buildings(ngii) -> gpd.GeoDataFrame:
    return pyogrio.read_dataframe(ngii.geopackage, layer="buildings")


def accounts_of(run) -> dict[str, dict[str, int]]:
    accounts = json.loads((run.latest / "manifest.json").read_text(encoding="utf-8"))["content"]["accounts"]
    return {account["source"]: account for account in accounts}


def test_it_is_published_and_valid(ngii):
    assert validate_geopackage(ngii.geopackage) == []


def test_every_building_has_its_height_from_its_floors(ngii, buildings, shared_data):
    folder = shared_data / "ngii_topo1000"
    raw = pd.concat(
        gpd.read_file(f"/vsizip/{folder / sheet}.zip/N1A_B0010000.shp", encoding="cp949")
        for sheet in ("376120506", "376120531")
    )
    assert len(raw) == 52 + 949
    assert len(buildings) == accounts_of(ngii)["buildings"]["published"] == 1001
    assert set(buildings["height_source"]) == {"floors"}
    found = buildings.set_index("source_id")["floors_above"].sort_index()
    assert (found == raw.set_index("UFID")["층수"].sort_index()).all()
    per_floor = buildings["height"] / buildings["floors_above"]
    assert per_floor.between(3.0, 6.0).all()
    # 동작동 and 봉천동; the sheets lie in one each
    assert buildings["dong_code"].value_counts().to_dict() == {"1162010100": 949, "1159010600": 52}


def test_uses_have_codes_where_the_list_has_one(buildings):
    uses = buildings.groupby("use", dropna=False)["use_code"].agg(lambda codes: sorted(set(codes.dropna())))
    assert uses["교육연구시설"] == ["10000"]
    assert uses["근린생활시설"] == ["Z3000"]
    assert uses["주택"] == ["01000", "02000", "02001"]
    assert uses["기타시설"] == []


def test_the_ground_comes_from_the_contour_lines_and_says_how_well(ngii, buildings):
    info = pyogrio.read_dataframe(ngii.geopackage, layer="run_info").set_index(["topic", "name"])["value"]
    notes = " ".join(info["note"])
    assert "differs from 5 of 6 spot heights by 1.86 m (RMSE" in notes
    assert float(info["note", "terrain coverage of the study area"].removesuffix(" %")) == pytest.approx(92, abs=1)
    known = buildings["altitude"].dropna()
    assert len(known) + int(info["note", "buildings without terrain"]) == 1001
    # contours go from 15 to 100 m, and the spot heights no further
    assert known.between(15, 100.1).all()


def test_roads_are_counted_and_not_published(ngii):
    account = accounts_of(ngii)["roads"]
    assert (account["read"], account["published"]) == (40 + 667, 707)
    assert "roads" not in {name for name, _ in pyogrio.list_layers(ngii.geopackage)}
    (stored,) = ngii.workplace.store.glob("sources.roads/*/data/features.parquet")
    roads = gpd.read_parquet(stored)
    assert list(roads.columns) == ["road_id", "class", "name", "width_m", "geometry"]
    assert set(roads["class"]) == {"시도", "특별시도", "소로"}
    # 1,414.06 and 8,800.54 m, measured on the raw files
    assert roads.length.sum() == pytest.approx(10_214.6, abs=0.1)


def test_footways_are_counted_and_not_published(ngii):
    account = accounts_of(ngii)["footways"]
    assert (account["read"], account["published"]) == (2 + 48, 50)
    (stored,) = ngii.workplace.store.glob("sources.footways/*/data/features.parquet")
    # measured on the raw files
    assert gpd.read_parquet(stored).area.sum() == pytest.approx(171.3 + 11_347.9, abs=1.0)


def test_vegetation_is_told_and_not_mixed_into_land_cover(ngii):
    info = pyogrio.read_dataframe(ngii.geopackage, layer="run_info").set_index(["topic", "name"])["value"]
    assert info["not used", "NGII_1000_VEGETATION"] == "59 records in 1 layer(s)"
    assert info["not used", "NGII_1000_OTHER"] == "7,126 records in 58 layer(s)"
    assert "no file for land cover" in info["missing", "sources/land_cover"]
