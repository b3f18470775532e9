from __future__ import annotations

import json

import geopandas as gpd
import pytest
import shapely

from geodata.clean.building_register import clean_building_register
from geodata.clean.land_tables import clean_land_characteristics, clean_land_use_regulation
from geodata.clean.zoning import parcel_land
from geodata.errors import InputError
from geodata.inbox import refuse, take_inventory
from geodata.site import SourceSpec
from geodata.table_file import read_table


def read(inbox, role, dongs=None, **sources):
    inventory = take_inventory(inbox, {k: SourceSpec.model_validate(v) for k, v in sources.items()})
    refuse(inventory)
    (dataset,) = inventory.datasets_for(role)
    return dataset, read_table(inbox, dataset, dongs)


@pytest.fixture
def parcels(agency) -> gpd.GeoDataFrame:
    """Six lots of 10 m x 10 m."""
    frame = gpd.GeoDataFrame({"pnu": agency.pnus(6)}, geometry=agency.boxes(6), crs="EPSG:5186")
    return frame.assign(area_m2=frame.geometry.area)


# --- land characteristics ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("encoding", "told"), [("cp949", "CP949"), ("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8")])
def test_al_d195(agency, inbox, encoding, told):
    pnu = agency.pnus(2)
    rows = [agency.al_d195_row(pnu[0], 100.5), agency.al_d195_row(pnu[1], 0)]
    agency.csv(inbox / "anything.csv", agency.al_d195_header, rows, encoding)
    dataset, layer = read(inbox, "land_characteristics")
    assert (dataset.product, dataset.vintage, dataset.parts[0].encoding) == ("AL_D195", "2026-02-01", told)
    assert (dataset.parts[0].kind, dataset.parts[0].rows, dataset.parts[0].crs) == ("table", 2, None)
    assert (layer.read, layer.outside) == (2, 0)
    first = layer.frame.iloc[0]
    # the misspelt column of the header is the land use
    assert (first.pnu, first.jimok, first.official_area_m2, first.zoning_1, first.land_use) == (
        pnu[0], "대", "100.5", "자연녹지지역", "단독",
    )  # fmt: skip


@pytest.mark.parametrize("year", ["기준년도", "기준연도"])
def test_al_d195_header_variants(agency, inbox, year):
    header = [year if name == "기준년도" else name for name in agency.al_d195_header]
    rows = [agency.al_d195_row(agency.pnus(1)[0], 1.0) | {year: "2025"}]
    agency.csv(inbox / "a.csv", header, rows)
    assert read(inbox, "land_characteristics")[1].frame["reference_year"].tolist() == ["2025"]


def test_al_d194_is_read_for_its_attributes(agency, inbox):
    columns = {f"A{i}": [""] * 2 for i in range(28)}
    columns |= {
        "A1": agency.pnus(2), "A2": [agency.dong] * 2, "A8": ["2026"] * 2, "A9": ["01"] * 2, "A11": ["임야"] * 2,
        "A12": [99.0] * 2, "A14": ["자연녹지지역"] * 2, "A16": ["지정되지않음"] * 2, "A26": ["2026-02-01"] * 2,
    }  # fmt: skip
    # its coordinates are not looked at, and need no system
    agency.shapefile(inbox / "AL_D194_41210.shp", columns, crs=None)
    dataset, layer = read(inbox, "land_characteristics")
    assert (dataset.product, dataset.vintage) == ("AL_D194", "2026-02-01")
    assert layer.frame[["pnu", "jimok", "zoning_1"]].values.tolist() == [
        [p, "임야", "자연녹지지역"] for p in agency.pnus(2)
    ]
    assert layer.frame["official_area_m2"].astype(float).tolist() == [99.0, 99.0]


def test_every_row_of_land_characteristics_has_one_fate(agency, inbox, parcels):
    pnu = agency.pnus(6)
    elsewhere = "1168010100100010000"
    rows = [
        agency.al_d195_row(pnu[0], 100.0),
        agency.al_d195_row(pnu[0], 90.0, date="2025-02-01"),  # the half-year before
        agency.al_d195_row(pnu[1], 50.0),  # 100 m2 are drawn
        agency.al_d195_row(pnu[1], 50.0),
        agency.al_d195_row(elsewhere, 1.0),
        agency.al_d195_row(agency.pnus(9)[8], 1.0),  # in the dong, but no parcel of ours
        agency.al_d195_row("4.12101E+18", 1.0),
        agency.al_d195_row("", 1.0),
        agency.al_d195_row(pnu[2], 0),  # no area known
    ]
    path = agency.csv(inbox / "a.csv", agency.al_d195_header, rows)
    path.write_bytes(path.read_bytes() + b"one,line,too,short\r\n")
    inventory = take_inventory(inbox)
    assert [p.fatal for p in inventory.problems if "lost digits" in p.what] == [False]
    _, layer = read(inbox, "land_characteristics", [agency.dong])
    assert (layer.read, layer.outside) == (10, 1)
    clean = clean_land_characteristics([layer], parcels)
    account = clean.account
    assert (account.read, account.outside, account.published, account.merged, account.reasoned) == (10, 2, 3, 2, 3)
    assert clean.features["pnu"].tolist() == pnu[:3]
    assert clean.features["official_area_m2"].fillna(-1).tolist() == [100.0, 50.0, -1.0]
    told = clean.quality.set_index("reason")
    assert set(told.index) == {
        "row_broken", "pnu_missing", "pnu_malformed", "exact_duplicate", "older_snapshot", "area_departs"
    }  # fmt: skip
    assert told.loc["area_departs", "key"] == pnu[1]
    assert told.loc["area_departs", "detail"] == "registered 50.0 m2, drawn 100.0 m2 (+100 %)"
    assert told.loc["pnu_malformed", "detail"] == "1 records, for example 4.12101E+18"
    assert clean.measures == {"areas_compared": 2, "areas_departing": 1}


def test_small_lots_may_depart_as_far_as_maps_of_their_scale(agency, parcels, inbox):
    # 0.026^2 x 1200 x sqrt(92) = 7.8 m2: 100 m2 drawn for 92.5 registered is within, for 89 (7.65 m2) is not
    rows = [agency.al_d195_row(agency.pnus(2)[0], 92.5), agency.al_d195_row(agency.pnus(2)[1], 89.0)]
    agency.csv(inbox / "a.csv", agency.al_d195_header, rows)
    clean = clean_land_characteristics([read(inbox, "land_characteristics")[1]], parcels)
    assert clean.quality["key"].tolist() == [agency.pnus(2)[1]]


def test_the_newest_of_two_deliveries_counts(agency, inbox):
    for date in ("2025-08-01", "2026-02-01"):
        row = agency.al_d195_row(agency.pnus(1)[0], 100.0, date=date)
        agency.csv(inbox / f"AL_D195_41_{date}.csv", agency.al_d195_header, [row])
    inventory = take_inventory(inbox)
    assert [d.vintage for d in inventory.datasets] == ["2026-02-01"]
    assert [p.path for p in inventory.problems if "a newer edition is used instead" in p.what] == [
        "AL_D195_41_2025-08-01.csv"
    ]


def test_csv_and_shp_of_the_same_place_are_not_mixed(agency, inbox):
    agency.csv(inbox / "a.csv", agency.al_d195_header, [agency.al_d195_row(agency.pnus(1)[0], 1.0)])
    columns = {f"A{i}": ["1"] for i in range(28)}
    columns |= {"A1": agency.pnus(1), "A8": ["2026"], "A11": ["대"], "A14": ["자연녹지지역"]}
    agency.shapefile(inbox / "b.shp", columns)
    inventory = take_inventory(inbox)
    assert [d.product for d in inventory.datasets] == ["AL_D195"]
    assert [p.path for p in inventory.problems] == ["b.shp"]


def test_change_only_tables_are_refused(agency, inbox):
    agency.csv(inbox / "CH_D195_41_20260901.csv", agency.al_d195_header, [agency.al_d195_row(agency.pnus(1)[0], 1.0)])
    with pytest.raises(InputError, match="change-only delivery"):
        refuse(take_inventory(inbox))


def test_a_table_by_the_site_file(agency, inbox):
    agency.csv(
        inbox / "mine.csv",
        ["번호", "a", "b", "c", "면적", "구역"],
        [{"번호": agency.pnus(1)[0], "면적": "12", "구역": "준주거지역"}],
    )
    columns = {"pnu": "번호", "official_area_m2": "면적", "zoning_1": "구역"}
    dataset, layer = read(inbox, "land_characteristics", land_characteristics={"path": "mine.csv", "columns": columns})
    assert dataset.product == "SITE_FILE"
    assert layer.frame[["pnu", "official_area_m2", "zoning_1"]].values.tolist() == [
        [agency.pnus(1)[0], "12", "준주거지역"]
    ]


@pytest.mark.parametrize("text", ["a note, with, many, commas, in, it\nand more", "1|2|3|4|5|6|7\n" * 3, ""])
def test_other_texts_are_passed_over(inbox, text):
    (inbox / "note.txt").write_text(text)
    inventory = take_inventory(inbox)
    assert inventory.datasets == ()
    refuse(inventory)


# --- land-use regulation and zoning -----------------------------------------------------------------------------------


def test_every_row_of_land_use_regulation_has_one_fate(agency, inbox, parcels):
    pnu = agency.pnus(6)
    rows = [
        agency.al_d155_row(pnu[0], "UQA01X", "도시지역"),
        agency.al_d155_row(pnu[0], "UQA430", "자연녹지지역"),
        agency.al_d155_row(pnu[0], "UQA430", "자연녹지지역"),
        agency.al_d155_row(pnu[0], "UDV100", "개발제한구역"),
        agency.al_d155_row(pnu[0], "UQA121", "제1종일반주거지역", ("3", "접함")),
        agency.al_d155_row(pnu[0], "UQA121", "제1종일반주거지역", date="2025-12-01"),  # the snapshot before
        agency.al_d155_row(pnu[1], "UQA122", "제2종일반주거지역", ("2", "저촉")),
        agency.al_d155_row(pnu[1], "UQA430", "자연녹지지역", ("2", "저촉")),
        agency.al_d155_row(pnu[2], "UQA01X", "도시지역", date="2025-12-01"),  # this parcel has only an old one
        agency.al_d155_row("4121010500B00010000", "UQA430", "자연녹지지역"),
        agency.al_d155_row(agency.pnus(9)[8], "UQA430", "자연녹지지역"),
    ]
    agency.csv(inbox / "AL_D155_41.csv", agency.al_d155_header, rows)
    dataset, layer = read(inbox, "land_use_regulation")
    assert (dataset.product, dataset.vintage) == ("AL_D155", "2026-02-01")
    clean = clean_land_use_regulation([layer], parcels)
    account = clean.account
    assert (account.read, account.outside, account.published, account.merged, account.reasoned) == (11, 1, 6, 2, 2)
    assert clean.features[["pnu", "zone_name"]].values.tolist() == [
        [pnu[0], "개발제한구역"], [pnu[0], "도시지역"], [pnu[0], "자연녹지지역"],
        [pnu[1], "제2종일반주거지역"], [pnu[1], "자연녹지지역"],
        [pnu[2], "도시지역"],
    ]  # fmt: skip
    land = parcel_land(parcels, None, clean.features, None)
    assert land["zoning"].fillna("-").tolist() == [
        "자연녹지지역",
        "자연녹지지역, 제2종일반주거지역",
        "도시지역",
        "-",
        "-",
        "-",
    ]
    assert land["zoning_source"].fillna("-").tolist() == ["regulation"] * 3 + ["-"] * 3


# --- building register ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_bulk_text_of_the_building_register(agency, inbox, encoding):
    agency.title(
        inbox / "mart.txt",
        {0: "11680-8520602", 3: "2", 11: "0007", 12: "0003", 22: "가동", 26: "60.001", 31: "32", 38: "기타지붕", 39: "판넬",
         42: "7.2", 43: "2", 44: "0", 60: "19910123", 74: "20260304"},
        {0: "1023110000000000012345", 10: "1", 11: "0008", 38: "평슬래브", 43: "0", 74: "20260101"},
        {0: "11680-1", 3: "1", 11: "0007", 43: "15"},
        {0: "11680-2", 8: "11680", 9: "10100", 11: "0007"},
        encoding=encoding,
    )  # fmt: skip
    dataset, layer = read(inbox, "building_register", [agency.dong])
    assert (dataset.product, dataset.vintage) == ("MART_DJY_03", "2026-03-04")
    assert (layer.read, layer.outside) == (4, 1)
    # the register counts the land type from 0: 0 is 1, and 1 (mountain) is 2 in a parcel number
    assert layer.frame["pnu"].tolist()[:2] == [f"{agency.dong}100070003", f"{agency.dong}200080000"]
    first = layer.frame.iloc[0]
    assert (first.part_name, first.structure_code, first.roof, first.roof_other, first.height_m) == (
        "가동", "32", "기타지붕", "판넬", "7.2"
    )  # fmt: skip


def test_closed_registers_are_not_taken_for_the_town(agency, inbox):
    path = agency.title(inbox / "mart_shtreg_03.txt", {0: "11680-8520602", 11: "0007", 43: "2"})
    path.write_bytes(b"".join(b"1|2|20200101|" + line + b"\n" for line in path.read_bytes().splitlines()))
    inventory = take_inventory(inbox)
    assert inventory.datasets == ()
    assert inventory.ignored == ("mart_shtreg_03.txt",)


def item(number: int, **more) -> dict:
    return {
        "mgmBldrgstPk": number, "sigunguCd": 41210, "bjdongCd": 10500, "platGbCd": "0", "bun": "0007", "ji": " ",
        "regstrKindCd": "2", "roofCdNm": "(철근)콘크리트", "heit": 0, "grndFlrCnt": 3, "archArea": 55.5, "crtnDay": 20260101,
    } | more  # fmt: skip


@pytest.mark.parametrize(
    ("items", "count"),
    [({"item": [item(1), item(2)]}, 2), ({"item": item(1)}, 1), ("", 0)],
    ids=["several", "one", "none"],
)
def test_saved_api_answers(agency, inbox, items, count):
    for page, found in enumerate([{"item": [item(8), item(9, heit=" ")]}, items]):
        answer = {"response": {"header": {"resultCode": "00"}, "body": {"items": found, "numOfRows": 100}}}
        (inbox / f"page{page}_2026-0{page + 1}-01.json").write_text(
            json.dumps(answer, ensure_ascii=False), encoding="utf-8"
        )
    inventory = take_inventory(inbox)
    refuse(inventory)
    (dataset,) = inventory.datasets_for("building_register")
    layer = read_table(inbox, dataset, [agency.dong])
    # pages never replace each other, whatever their dates
    assert (dataset.product, layer.read) == ("BR_TITLE_INFO", 2 + count)
    assert set(layer.frame["pnu"]) == {f"{agency.dong}100070000"}
    assert layer.frame["register_id"].tolist()[:2] == ["8", "9"]
    assert layer.frame["height_m"].isna().tolist()[:2] == [False, True]


def test_an_api_answer_that_was_cut_is_refused(inbox):
    (inbox / "page.json").write_text(json.dumps([item(1), item(2)])[:-40])
    with pytest.raises(InputError, match=r"page\.json is not JSON in UTF-8"):
        refuse(take_inventory(inbox))


def test_every_row_of_the_register_has_one_fate(agency, inbox, site_area_of):
    agency.title(
        inbox / "mart.txt",
        {0: "10001-5", 11: "0001", 42: "9.9", 74: "20260101"},
        {0: "10001-1", 11: "0001", 42: "12", 74: "20260301"},
        {0: "10001-2", 11: "0001", 43: "3", 74: "20260301"},
        {0: "10001-2", 11: "0001", 43: "3", 74: "20260301"},
        {0: "10001-2", 11: "0001", 43: "2", 74: "20250301"},
        {0: "10001-3", 3: "1", 11: "0001", 43: "15"},
        {0: "10001-4", 11: "", 43: "2"},
    )
    _, layer = read(inbox, "building_register")
    clean = clean_building_register([layer], site_area_of(agency.dong))
    account = clean.account
    assert (account.read, account.published, account.merged, account.reasoned) == (7, 4, 2, 1)
    found = clean.features.set_index("register_id")
    assert found.loc["10001-2", "floors_above"] == 3
    # without a main number there is no parcel, but the key still finds the building
    assert found["pnu"].isna().to_dict() == {"10001-1": False, "10001-2": False, "10001-4": True, "10001-5": False}


def test_zoning_polygons(agency, inbox, site_area_of, parcels):
    from geodata.clean.zoning import clean_zones
    from geodata.vector_file import read_dataset

    x, y = agency.centre
    columns = {
        "MNUM": ["41210UQ111PS20200001UQA430001", "41210UQ111PS20200002UQA01X002", "41210UQ111UQA122", "41210UQZ999"],
        "ALIAS": ["", "", "", "미상"],
        "REMARK": [""] * 4,
        "NTFDATE": ["20200101"] * 4,
    }
    shapes = [shapely.box(x, y, x + 16, y + 60), shapely.box(x - 50, y - 50, x + 90, y + 90), shapely.box(x + 16, y, x + 60, y + 60),
              shapely.box(x, y, x + 5, y + 5)]  # fmt: skip
    agency.shapefile(inbox / "zones.shp", columns, shapes)
    (dataset,) = take_inventory(inbox).datasets
    assert (dataset.product, dataset.role) == ("LSMD_CONT_UQ111", "zoning")
    clean = clean_zones([read_dataset(inbox, dataset, "EPSG:5186")], site_area_of(agency.dong))
    assert (clean.account.published, clean.account.reasoned) == (4, 0)
    land = parcel_land(parcels, None, None, clean.features)
    # lots of 10 m every 12 m, three in a row: the second lies to 4 m under natural green and to 6 m under residential
    assert land["zoning"].tolist() == ["자연녹지지역", "제2종일반주거지역", "제2종일반주거지역"] * 2
    assert set(land["zoning_source"]) == {"polygons"}


def test_the_first_source_that_says_something_counts(parcels, agency):
    import pandas as pd

    pnu = agency.pnus(6)
    regulation = pd.DataFrame({"pnu": [pnu[0]], "zone_name": ["제1종 일반주거지역"]})
    characteristics = pd.DataFrame(
        {"pnu": pnu[:3], "zoning_1": ["자연녹지지역", "계획관리지역", "지정되지않음"], "zoning_2": [None, "자연녹지지역", None],
         "official_area_m2": [1.0, 2.0, 3.0]}
    )  # fmt: skip
    land = parcel_land(parcels, characteristics, regulation, None)
    assert land["zoning"].fillna("-").tolist() == [
        "제1종일반주거지역",
        "계획관리지역, 자연녹지지역",
        "-",
        "-",
        "-",
        "-",
    ]
    assert land["zoning_source"].fillna("-").tolist() == ["regulation", "characteristics", "-", "-", "-", "-"]
    assert land["official_area_m2"].tolist()[:3] == [1.0, 2.0, 3.0]
    assert parcel_land(parcels, None, None, None).columns.tolist() == []
