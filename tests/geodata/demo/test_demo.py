"""The demo site, read back with plain tools: what is in the files must be what `truth.json` says was planted."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pvlib
import pytest
import rasterio
import shapely

from geodata.demo import write_demo
from geodata.errors import InputError
from geodata.map_sheets import sheets_over
from geodata.site import Site
from geodata.study_area import build_study_area, legal_dongs
from tests.geodata.demo.demo_files import duplicates, members, read


@pytest.fixture(scope="module")
def study(town: Path) -> shapely.Polygon:
    return build_study_area(Site.load(town / "site.yaml")).area


@pytest.fixture(scope="module")
def buildings(town: Path) -> gpd.GeoDataFrame:
    return read(town / "inbox" / "AL_D010_41_20260609.zip")


@pytest.fixture(scope="module")
def cover(town: Path) -> gpd.GeoDataFrame:
    sheets = [read(path) for path in sorted((town / "inbox").glob("SG05_*.zip"))]
    return gpd.GeoDataFrame(pd.concat(sheets, ignore_index=True), crs=sheets[0].crs)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_site_file_loads_and_says_it_is_a_demo(town: Path, study: shapely.Polygon) -> None:
    site = Site.load(town / "site.yaml")
    assert site.demo
    assert "가상" in site.title.ko
    assert site.climate is not None
    assert (site.climate.base_emissions_tco2, site.climate.reduction_pct(2030), site.climate.reduction_pct(2050)) == (
        35_000,
        40,
        100,
    )
    assert "가상" in site.climate.source
    assert "demo" in site.title.en
    assert study.area == pytest.approx(1_000_000, rel=1e-4)
    assert "가상 데이터" in (town / "README.txt").read_text(encoding="utf-8")
    dongs = build_study_area(site).dongs["dong_code"]
    assert {"4121010500", "4139011200"} <= set(dongs)


def test_same_seed_gives_the_same_bytes(town: Path, tmp_path: Path) -> None:
    write_demo(tmp_path, "town")
    assert digests(tmp_path) == digests(town)


def test_refuses_an_inbox_of_somebody_else_and_an_unknown_size(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "mine.zip").write_bytes(b"x")
    with pytest.raises(InputError, match="no demo wrote"):
        write_demo(tmp_path, "town")
    assert (tmp_path / "inbox" / "mine.zip").exists()
    with pytest.raises(InputError, match="town, district"):
        write_demo(tmp_path, "city")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["AL_D002_41_20260609", "AL_D010_41_20260609"])
def test_shapefiles_come_in_parts_and_hide_their_encoding(town: Path, name: str) -> None:
    path = town / "inbox" / f"{name}.zip"
    assert {entry for entry in members(path) if entry.endswith(".shp")} == {f"{name}.shp", f"{name}(2).shp"}
    assert not [entry for entry in members(path) if entry.endswith(".cpg")]
    with zipfile.ZipFile(path) as archive:
        dbf = archive.read(f"{name}.dbf")
        assert dbf[29] == 0
        assert "광명시".encode("cp949") in dbf
        with pytest.raises(UnicodeDecodeError):
            dbf[1000:].decode("utf-8")
        assert b"Korea_2000_Korea_Central_Belt_2010" in archive.read(f"{name}.prj")


def test_parcel_defects_are_as_many_as_told(parcels: gpd.GeoDataFrame, truth: dict, study: shapely.Polygon) -> None:
    planted = truth["parcels"]
    assert list(parcels.columns) == [f"A{i}" for i in range(8)] + ["geometry"]
    assert len(parcels) == planted["rows"]
    present = parcels[parcels.geometry.notna()]
    assert len(parcels) - len(present) == planted["no_geometry"]
    assert (~present.is_valid).sum() == planted["bow_ties"]
    assert duplicates(parcels) == planted["exact_duplicate_rows"]
    blank = parcels["A1"].isna()
    assert (blank & parcels["A4"].notna()).sum() == planted["pnu_missing_buildable"]
    assert (blank & parcels["A4"].isna()).sum() == planted["pnu_missing"]
    assert (~blank & ~parcels["A1"].fillna("").str.fullmatch(r"[0-9]{19}")).sum() == planted["pnu_malformed"]
    distinct = present.drop_duplicates(subset=["A0", "A1"])
    assert (distinct["A1"].value_counts() == 2).sum() == planted["multi_row_pnus"]
    whole = distinct.assign(key=distinct["A1"].fillna(distinct["A0"].astype("str"))).dissolve("key", method="unary")
    outside = ~shapely.contains(study, shapely.point_on_surface(shapely.make_valid(whole.geometry.to_numpy())))
    assert outside.sum() == planted["rows_outside"]
    assert planted["rows"] == (
        planted["rows_outside"]
        + planted["published"]
        + planted["multi_row_pnus"]
        + planted["exact_duplicate_rows"]
        + planted["no_geometry"]
        + planted["pnu_missing"]
        + planted["pnu_malformed"]
    )


def test_parcels_tile_the_ground(parcels: gpd.GeoDataFrame, study: shapely.Polygon) -> None:
    present = parcels[parcels.geometry.notna()].drop_duplicates(subset=["A0", "A1"])
    shapes = shapely.make_valid(present.geometry.to_numpy(), method="structure")
    together = shapely.union_all(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(together.area, abs=1.0)
    # what is missing are the few lots whose geometry was taken away
    holes = shapely.get_parts(shapely.difference(study, together))
    assert (shapely.area(holes) > 1.0).sum() <= (parcels.geometry.isna()).sum()


def test_parcel_numbers_lie_in_their_real_dong(parcels: gpd.GeoDataFrame) -> None:
    valid = parcels[parcels["A1"].fillna("").str.fullmatch(r"[0-9]{19}") & parcels.geometry.notna()]
    dongs = legal_dongs("EPSG:5186").set_index("dong_code")
    assert set(valid["A1"].str[:10]) <= set(dongs.index)
    assert (valid["A1"].str[:10] == valid["A2"]).all()
    assert (valid["A3"] == dongs.loc[valid["A2"], "full_name_ko"].to_numpy()).all()
    lots = valid.drop_duplicates("A1")
    point = shapely.point_on_surface(shapely.make_valid(lots.geometry.to_numpy()))
    gap = shapely.distance(point, dongs.loc[lots["A2"], "geometry"].to_numpy())
    assert (gap == 0).mean() > 0.99  # rows of a split lot each have a point of their own
    main, sub = valid["A1"].str[11:15].astype(int), valid["A1"].str[15:].astype(int)
    lot = main.astype("str").where(sub == 0, main.astype("str") + "-" + sub.astype("str"))
    assert (valid["A4"] == lot.where(valid["A1"].str[10] == "1", "산" + lot)).all()
    assert valid["A5"].str[-1].isin(list("전답과임대장학차주창도천구공종묘잡체")).all()


def test_building_defects_are_as_many_as_told(
    buildings: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame, truth: dict, study: shapely.Polygon
) -> None:
    planted = truth["buildings"]
    assert list(buildings.columns) == [f"A{i}" for i in range(29)] + ["geometry"]
    assert len(buildings) == planted["rows"]
    present = buildings[buildings.geometry.notna()]
    assert len(buildings) - len(present) == planted["no_geometry"]
    assert (~present.is_valid).sum() == planted["bow_ties"]
    assert duplicates(buildings) == planted["exact_duplicate_rows"]
    single = buildings.drop_duplicates([c for c in buildings.columns if c != "geometry"])
    assert single["A2"].isna().sum() == planted["pnu_missing"]
    assert (~single["A2"].dropna().isin(parcels["A1"])).sum() - planted["pnu_without_parcel"] <= truth["parcels"][
        "pnu_missing_buildable"
    ]
    assert (single["A16"] > 200).sum() == planted["height_implausible"]
    assert (single["A26"] > 200).sum() == planted["floors_implausible"]
    assert single["A1"].isna().sum() == planted["source_id_blank"]
    assert single["A1"].dropna().duplicated(keep=False).sum() == planted["source_id_shared"]
    assert single["A0"].duplicated().any()
    solid = single[single.geometry.notna()]
    inside = shapely.contains(study, shapely.point_on_surface(shapely.make_valid(solid.geometry.to_numpy())))
    assert inside.sum() == planted["published"]
    kept = solid[inside]
    assert (kept["A16"] == 0).sum() == planted["height_zero"]
    assert ((kept["A16"] == 0) & (kept["A26"] == 0)).sum() == planted["height_and_floors_zero"]
    assert 0.3 < planted["height_zero"] / planted["published"] < 0.6
    assert (kept.area < 4).sum() == planted["footprint_tiny"]
    assert solid.intersects(study.boundary).sum() == planted["straddling_border"] > 0


def test_buildings_stand_inside_their_parcels(buildings: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame) -> None:
    lots = parcels[parcels.geometry.notna() & parcels["A1"].notna()].dissolve("A1", method="unary")
    known = buildings[buildings["A2"].isin(lots.index) & buildings.geometry.notna()]
    assert len(known) > 0.97 * len(buildings)
    homes = lots.loc[known["A2"]].geometry.buffer(0.02).to_numpy()
    assert shapely.covers(homes, shapely.make_valid(known.geometry.to_numpy())).all()


def test_buildings_read_like_a_register(buildings: gpd.GeoDataFrame) -> None:
    assert buildings["A8"].dropna().str.fullmatch(r"[0-9]{5}").all()
    assert buildings["A10"].str.fullmatch(r"[0-9]{2}").all()
    estates = buildings[(buildings["A9"] == "아파트") & (buildings["A26"] > 9) & (buildings["A26"] < 100)]
    recorded = estates[(estates["A16"] > 0) & (estates["A16"] < 200)]
    assert len(estates) >= 15
    assert (recorded["A16"] / recorded["A26"]).between(2.8, 3.3).all()
    assert estates["A24"].str.startswith("가상").all()
    assert pd.to_datetime(buildings["A13"].dropna()).between("1960-01-01", "2026-06-09").all()


def test_land_cover_sheets_meet_and_overlap_as_told(
    cover: gpd.GeoDataFrame, truth: dict, study: shapely.Polygon, town: Path
) -> None:
    planted = truth["land_cover"]
    assert sorted(planted["sheets"]) == sorted(path.stem[5:] for path in (town / "inbox").glob("SG05_*.zip"))
    assert len(planted["sheets"]) >= 2
    assert len(cover) == planted["rows"]
    assert cover.geometry.isna().sum() == planted["no_geometry"]
    assert (~cover["L3_CODE"].str.fullmatch("[1-7][0-9]{2}")).sum() == planted["code_unknown"]
    assert duplicates(cover) == planted["exact_duplicate_rows"]
    single = cover[cover.geometry.notna()].drop_duplicates(["L3_CODE", "INX_NUM", "geometry"])
    assert single.is_valid.all()
    together = shapely.union_all(single.geometry.to_numpy(), grid_size=0.0001)
    assert together.area == pytest.approx(planted["area_m2"], rel=1e-5)
    assert single.area.sum() - together.area == pytest.approx(planted["sheet_overlap_m2"], abs=5.0)
    assert study.difference(together).area < 5.0
    frames = (
        sheets_over(tuple(cover.total_bounds), "EPSG:5186").set_index("number").geometry.buffer(0.6, join_style="mitre")
    )
    assert shapely.covers(frames.loc[single["INX_NUM"]].to_numpy(), single.geometry.to_numpy()).all()
    assert (single["L1_CODE"].str[0] == single["L3_CODE"].str[0]).mean() > 0.99


def test_buildings_stand_on_built_cover(cover: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> None:
    built = cover[cover["L3_CODE"].str.startswith(("1", "25")) & cover.geometry.notna()]
    ground = shapely.union_all(built.geometry.to_numpy(), grid_size=0.001)
    shapes = shapely.make_valid(buildings.geometry.dropna().to_numpy())
    shapely.prepare(ground)
    assert shapely.area(shapely.intersection(shapes, ground)).sum() > 0.99 * shapely.area(shapes).sum()


def test_parks_come_in_the_old_coordinate_system(town: Path, truth: dict, study: shapely.Polygon) -> None:
    planted = truth["parks"]
    parks = read(town / "inbox" / "UPIS_C_UQ153.zip")
    assert parks.crs.to_epsg() == 5174
    assert len(parks) == planted["rows"]
    assert duplicates(parks) == planted["exact_duplicate_rows"]
    single = parks.drop_duplicates("PRESENT_SN")
    assert single["MLSFC_CL"].isna().sum() >= planted["class_shifted_left"]
    assert single["MLSFC_CL"].fillna(single["LCLAS_CL"]).str.fullmatch(r"UQT[23][0-9]{2}").all()
    inside = shapely.contains(study, shapely.point_on_surface(single.to_crs("EPSG:5186").geometry.to_numpy()))
    assert inside.sum() == planted["published"]
    assert (single["EXCUT_SE"][inside] == "EMA0001").sum() == planted["built"] > 0
    assert (single["EXCUT_SE"][inside] == "EMA0002").sum() == planted["planned"] > 0


def test_plan_fills_the_district_with_its_homes(town: Path, truth: dict) -> None:
    plan = read(town / "inbox" / "LH_토지이용계획.zip")
    district = read(town / "inbox" / "LT_C_LHZONE.zip")
    assert len(district) == 1
    assert plan["블록명"].is_unique
    assert plan["세대수"].sum() == truth["plan_blocks"]["homes"] == 5300
    assert (plan.loc[plan["세대수"] > 0, "용도"].isin(["공동주택용지", "단독주택용지"])).all()
    assert shapely.union_all(plan.geometry.to_numpy(), grid_size=0.001).area == pytest.approx(
        district.area.sum(), rel=0.01
    )
    assert plan.area.sum() == pytest.approx(shapely.union_all(plan.geometry.to_numpy(), grid_size=0.001).area, rel=1e-4)
    assert plan["건폐율"].between(0, 100).all()


def test_terrain_has_hills_and_undeclared_gaps(town: Path, truth: dict, study: shapely.Polygon) -> None:
    with rasterio.open(town / "inbox" / "DEM_5m.img") as source:
        height = source.read(1)
        assert source.driver == "HFA"
        assert source.nodata is None
        assert source.crs.to_epsg() == 5186
        assert source.res == (5.0, 5.0)
        assert shapely.box(*source.bounds).contains(study.buffer(300))
        missing = height == -9999
        assert missing.sum() == truth["terrain"]["cells_missing_undeclared"] > 0
        inside = rasterio.features.geometry_mask([study], height.shape, source.transform, invert=True)
    assert not missing[inside].any()
    assert height[~missing].max() > 80
    assert 5 < height[inside].min() < 30
    east, north = np.gradient(np.where(missing, np.nan, height), 5.0)
    assert np.nanmax(np.hypot(east, north)) < 1.5  # no cliffs


def test_weather_year_is_a_year_and_matches_the_station(town: Path, truth: dict) -> None:
    data, place = pvlib.iotools.read_epw(town / "inbox" / "demo_weather.epw")
    assert len(data) == 8760
    assert "DEMO" in place["city"]
    assert place["TZ"] == 9
    assert data["ghi"].sum() / 1000 == pytest.approx(1327, rel=1e-3)
    assert data["ghi"].sum() / 1000 == pytest.approx(truth["weather"]["ghi_kwh_m2"])
    middle = data.index + pd.Timedelta(minutes=30)
    sun = pvlib.solarposition.get_solarposition(middle, place["latitude"], place["longitude"], place["altitude"])
    beam = data["dni"].to_numpy() * np.clip(np.cos(np.deg2rad(sun["zenith"].to_numpy())), 0, None)
    assert np.abs(data["ghi"].to_numpy() - data["dhi"].to_numpy() - beam).max() < 1.0
    assert (data["ghi"].to_numpy()[sun["elevation"].to_numpy() < 0] == 0).all()
    assert data["dni"].max() < 1050
    assert (data["temp_dew"] <= data["temp_air"]).all()
    monthly = data.groupby("month")
    assert monthly["temp_air"].mean().idxmin() == 1
    assert monthly["temp_air"].mean().idxmax() == 8
    assert monthly["liquid_precipitation_depth"].sum().idxmax() in (7, 8)
    assert monthly["ghi"].sum().loc[7] < monthly["ghi"].sum().loc[5]  # the monsoon
    assert 4 < data["ghi"].groupby(middle.date).sum().std() / 400 < 8


def test_weather_has_no_line_longer_or_shorter_than_the_format(town: Path) -> None:
    lines = (town / "inbox" / "demo_weather.epw").read_bytes().decode("ascii").split("\r\n")
    assert len(lines) == 8 + 8760 + 1
    assert {len(line.split(",")) for line in lines[8:-1]} == {35}
    assert lines[8].startswith("2025,1,1,1,0,")
    assert lines[-2].startswith("2025,12,31,24,0,")


def test_real_readers_find_what_was_planted(town: Path, truth: dict) -> None:
    from geodata.clean.buildings import clean_buildings
    from geodata.clean.bus_stops import clean_bus_stops
    from geodata.clean.parcels import clean_parcels
    from geodata.clean.park_entrances import clean_park_entrances
    from geodata.clean.roads import clean_roads
    from geodata.inbox import take_inventory
    from geodata.vector_file import read_dataset

    site = Site.load(town / "site.yaml")
    area = build_study_area(site)
    inventory = take_inventory(site.inbox)
    assert not inventory.problems
    assert not inventory.ignored
    assert {dataset.role for dataset in inventory.datasets} == {
        "parcels",
        "buildings",
        "land_cover",
        "parks",
        "terrain",
        "weather",
        "plan_blocks",
        "district",
        "roads",
        "park_entrances",
        "bus_stops",
    }
    bounds = tuple(area.area.buffer(50).bounds)
    parcels = clean_parcels(
        [read_dataset(site.inbox, d, area.crs, bounds) for d in inventory.datasets_for("parcels")], area
    )
    planted = truth["parcels"]
    assert parcels.account.read == planted["rows"]
    assert parcels.account.outside == planted["rows_outside"]
    assert parcels.account.published == planted["published"]
    assert parcels.account.merged == planted["exact_duplicate_rows"] + planted["multi_row_pnus"]
    buildings = clean_buildings(
        [read_dataset(site.inbox, d, area.crs, bounds) for d in inventory.datasets_for("buildings")],
        area,
        parcels.features,
    )
    planted = truth["buildings"]
    assert buildings.account.published == planted["published"]
    assert buildings.account.outside == planted["rows_outside"]
    assert buildings.account.merged == planted["exact_duplicate_rows"]
    assert (buildings.features["height_source"] == "recorded").sum() == planted["height_plausible"]
    roads = clean_roads([read_dataset(site.inbox, d, area.crs, bounds) for d in inventory.datasets_for("roads")], area)
    planted = truth["roads"]
    assert roads.account.read == planted["rows"]
    assert roads.account.merged == planted["exact_duplicate_rows"]
    assert roads.account.published == len(roads.features) == planted["published"]
    assert roads.features.length.sum() == pytest.approx(planted["length_touching_study_area_m"], abs=1.0)
    assert roads.features["width_m"].isna().sum() == planted["width_unknown"]
    entrances = clean_park_entrances(
        [read_dataset(site.inbox, d, area.crs, bounds) for d in inventory.datasets_for("park_entrances")], area
    )
    planted = truth["park_entrances"]
    assert entrances.account.read == planted["rows"]
    assert entrances.account.merged == planted["exact_duplicate_rows"]
    assert entrances.account.reasoned == 0
    stops = clean_bus_stops(
        [read_dataset(site.inbox, d, area.crs, bounds) for d in inventory.datasets_for("bus_stops")], area
    )
    planted = truth["bus_stops"]
    assert (stops.account.read, stops.account.outside) == (planted["rows"], planted["rows_outside"])
    assert (stops.account.merged, stops.account.published) == (planted["exact_duplicate_rows"], planted["published"])
    told = stops.quality["reason"].value_counts()
    assert (told["no_geometry"], told["coordinates_out_of_range"]) == (
        planted["without_place"], planted["degrees_swapped"],
    )  # fmt: skip


@pytest.mark.check
def test_district_has_the_promised_size(tmp_path: Path) -> None:
    write_demo(tmp_path, "district")
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert truth["study_area_m2"] == pytest.approx(12_710_000, rel=1e-4)
    assert truth["buildings"]["published"] >= 12_000
    assert truth["parcels"]["published"] >= 20_000
    assert truth["land_cover"]["polygons_touching_study_area"] >= 50_000
    assert truth["plan_blocks"]["homes"] == 67_000
