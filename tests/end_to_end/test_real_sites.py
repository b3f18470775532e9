"""Real files of agencies and weather services, read in place; expectations are counted from the raw files here."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio

from geodata.pnu import is_pnu
from twin.publish.validate import validate_geopackage

pytestmark = pytest.mark.realdata


def run_real(name, root, run_site, tmp_path_factory):
    run = run_site(root / "tests" / "sites" / f"{name}.yaml", tmp_path_factory.mktemp(name))
    assert run.outcome.succeeded, run.outcome.reasons
    return run


@pytest.fixture(scope="module")
def yeoksam(shared_data, root, run_site, tmp_path_factory):
    return run_real("yeoksam", root, run_site, tmp_path_factory)


@pytest.fixture(scope="module")
def gwarim(shared_data, root, run_site, tmp_path_factory):
    return run_real("gwarim", root, run_site, tmp_path_factory)


def layers_of(run) -> set[str]:
    return {name for name, _ in pyogrio.list_layers(run.geopackage)}


def info_of(run) -> pd.Series:
    info = pyogrio.read_dataframe(run.geopackage, layer="run_info")
    return info.set_index(["topic", "name"])["value"]


def account_of(run, source: str) -> dict[str, int]:
    accounts = json.loads((run.latest / "manifest.json").read_text(encoding="utf-8"))["content"]["accounts"]
    return next(a for a in accounts if a["source"] == source)


@pytest.mark.parametrize("name", ["yeoksam", "gwarim"])
def test_the_release_validates_and_what_is_missing_is_told(name, request):
    run = request.getfixturevalue(name)
    assert validate_geopackage(run.geopackage) == []
    assert "no file for land cover" in info_of(run)["missing", "sources/land_cover"]
    assert "green" not in layers_of(run)
    assert "green_cover_pct" not in pyogrio.read_info(run.geopackage, layer="districts")["fields"]


def test_without_buildings_there_is_no_solar_column(gwarim):
    assert not {"buildings", "roofs"} & layers_of(gwarim)
    assert "yield_kwh" not in pyogrio.read_info(gwarim.geopackage, layer="parcels")["fields"]


def test_yeoksam_buildings(yeoksam, shared_data):
    run = yeoksam
    raw = gpd.read_file(shared_data / "yeoksam" / "Seoul_Gangnam_Yeoksam_One_Block.shp")
    assert len(raw) == 1039
    buildings = pyogrio.read_dataframe(run.geopackage, layer="buildings")
    account = account_of(run, "buildings")
    assert account["read"] == 1039
    assert account["published"] + account["merged"] + account["reasoned"] + account["outside"] == 1039
    assert account["published"] == len(buildings)
    # a hand count on the raw columns: plausible heights are 0 < h <= 200 m and 2 to 8 m for each floor
    height, floors = raw["HEIGHT"].astype(float), raw["GRND_FLR"].astype(float)
    per_floor = height / floors.where(floors > 0)
    plausible = (height > 0) & (height <= 200) & (floors.eq(0) | per_floor.between(2, 8))
    sources = buildings["height_source"].value_counts()
    assert abs(sources["recorded"] - plausible.sum()) <= 8  # halls may be higher than 8 m a floor
    assert sources.sum() == account["published"]
    assert sources["floors"] >= 200
    # the text was damaged before it reached us: no name may pretend to be whole
    assert not buildings["name"].str.contains("�").any()
    assert (pyogrio.read_dataframe(run.geopackage, layer="quality")["reason"] == "text_damaged").any()


def test_yeoksam_sun_is_corrected_to_the_station(yeoksam):
    run = yeoksam
    info = info_of(run)
    assert float(info["resource", "ghi_kwh_m2"]) == pytest.approx(1151, abs=0.1)
    assert float(info["resource", "ghi_file_kwh_m2"]) == pytest.approx(1529, abs=1)  # as the file's owner states
    roofs = pyogrio.read_dataframe(run.geopackage, layer="roofs").dropna(subset="specific_yield_kwh_kwp")
    # study: 976 kWh/kWp with a diffuse share that stays as it is, more where clear hours stay clear; shade takes from it
    free = roofs["specific_yield_kwh_kwp"] / (1 - roofs["shading_loss_pct"] / 100)
    assert 950 < free.median() < 1200
    assert roofs["specific_yield_kwh_kwp"].max() < 1250
    assert roofs["shading_loss_pct"].between(0, 100).all()


def test_gwarim_parcels(gwarim, shared_data):
    run = gwarim
    raw = json.loads((shared_data / "gwarim" / "gwarim_parcels.geojson").read_text(encoding="utf-8"))["features"]
    assert len(raw) == 1959
    account = account_of(run, "parcels")
    assert account["read"] == 1959
    assert account["published"] + account["merged"] + account["reasoned"] + account["outside"] == 1959
    parcels = pyogrio.read_dataframe(run.geopackage, layer="parcels")
    assert len(parcels) == account["published"]
    assert is_pnu(parcels["pnu"]).all()
    assert parcels["pnu"].is_unique
    assert set(parcels["dong_code"]) == {"4139011200", "4139013400"}
    # built by hand from dong, mountain flag and lot number
    mountain = next(
        f["properties"] for f in raw if f["properties"]["지번"].startswith("산") and "-" in f["properties"]["지번"]
    )
    main, sub = mountain["지번"][1:].split("-")
    code = {"과림동": "4139011200", "무지내동": "4139013400"}[mountain["법정동"]]
    assert f"{code}2{int(main):04d}{int(sub):04d}" in set(parcels["pnu"])
    pairs = {(f["properties"]["법정동"], f["properties"]["지번"]) for f in raw}
    assert len(parcels) <= len(pairs)


def test_gwarim_ground_without_terrain_stays_empty(gwarim):
    run = gwarim
    told = info_of(run)["note", "terrain coverage of the study area"]
    assert 20 < float(told.removesuffix(" %")) < 90
    surface = next(run.workplace.store.glob("existing.surface/*/data"))
    tiles = [rasterio.open(path) for path in sorted(surface.glob("*.tif"))]
    heights = [tile.read(1) for tile in tiles]
    assert any(np.isnan(h).any() for h in heights)
    assert all(np.nanmin(h) > 0 for h in heights if np.isfinite(h).any())
    # the elevation model ends at 537,263 m north
    assert all(tile.bounds.top > 537_263 for tile in tiles)
