from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely.affinity import translate

from geodata.catalogue import LAYERS
from geodata.clean.buildings import clean_buildings
from geodata.clean.parcel_join import parcel_match_rate
from geodata.clean.parcels import clean_parcels
from geodata.errors import InputError
from geodata.inventory import Dataset, RawLayer

PNU = "412101050010{:03d}0000"


def reasons(layer) -> dict[str, int]:
    return layer.quality["reason"].value_counts().to_dict()


@pytest.fixture
def parcels(area, box, raw_layer) -> gpd.GeoDataFrame:
    """Five lots of 20 x 20 m side by side; the last one is a road."""
    return clean_parcels(
        [
            raw_layer(
                "parcels",
                [box(20 * i, 0, 20, 20) for i in range(5)],
                pnu=[PNU.format(i + 1) for i in range(5)],
                jimok=list("대대대대도"),
            )
        ],
        area,
    ).features


def test_join_and_what_is_told_about_it(area, box, parcels, raw_layer) -> None:
    shapes = [
        box(2, 2, 10, 10),  # its own parcel by PNU
        box(22, 2, 10, 10),  # no PNU: parcel 2 by overlap
        box(33, 2, 12, 10),  # PNU of no parcel: 7 m on parcel 2, 5 m on parcel 3 -> parcel 2
        box(400, 400, 10, 10),  # no parcel anywhere
        box(600, 400, 10, 10),  # no parcel, PNU of elsewhere is kept
        box(42, 2, 10, 10),  # malformed PNU: parcel 3 by overlap
    ]
    pnu = [PNU.format(1), None, PNU.format(77), None, PNU.format(88), "41210B"]
    layer = clean_buildings([raw_layer("buildings", shapes, pnu=pnu, floors_above=[2] * 6)], area, parcels)
    place = layer.features.geometry.bounds["minx"].round() - 190_000
    found = layer.features.set_axis(place.astype(int)).sort_index()
    assert found["pnu"].fillna("-").to_dict() == {
        2: PNU.format(1), 22: PNU.format(2), 33: PNU.format(2), 42: PNU.format(3), 400: "-", 600: PNU.format(88),
    }  # fmt: skip
    # without PNU the dong with the largest overlap; with PNU its first ten digits, wherever the building lies
    assert found["dong_code"].to_dict()[400] == "4121010500"
    assert found["dong_code"].to_dict()[600] == "4121010500"
    assert reasons(layer) == {"parcel_by_overlap": 3, "no_parcel": 2, "use_unknown": 6}
    published = LAYERS["buildings"].finish(layer.features)
    assert LAYERS["buildings"].problems(published, area.crs) == []


def test_without_parcels_nothing_is_joined(area, box, raw_layer) -> None:
    layer = clean_buildings([raw_layer("buildings", [box(600, 2, 10, 10)], pnu=["bad"])], area, None)
    assert layer.features["pnu"].isna().all()
    assert layer.features["dong_code"].tolist() == ["4121010700"]
    assert reasons(layer) == {"use_unknown": 1, "height_default": 1}


def test_zero_means_missing_but_no_basement_is_real(area, box, raw_layer) -> None:
    layer = clean_buildings(
        [
            raw_layer(
                "buildings",
                [box(0, 0, 10, 10), box(30, 0, 10, 10)],
                height_m=[0, 9.5],
                floors_above=[0, 3],
                floors_below=[0, 99],
                gross_floor_area_m2=[0, 300.5],
                approved_on=["0", "20030513"],
                use_code=["01000", "01000"],
            )
        ],
        area,
        None,
    )
    low, high = (
        layer.features[layer.features["height_source"] == source].iloc[0] for source in ("default", "recorded")
    )
    assert pd.isna(low["floors_above"])
    assert low["floors_below"] == 0
    assert pd.isna(low["gross_floor_area_m2"])
    assert pd.isna(low["approved_on"])
    assert (high["height"], high["floors_above"], high["gross_floor_area_m2"]) == (9.5, 3, 300.5)
    assert high["approved_on"] == pd.Timestamp("2003-05-13")
    assert pd.isna(high["floors_below"])
    assert reasons(layer) == {"height_default": 1, "floors_implausible": 1}


def test_words_for_codes_names_and_damaged_text(area, box, raw_layer) -> None:
    layer = clean_buildings(
        [
            raw_layer(
                "buildings",
                [box(30 * i, 0, 10, 10) for i in range(4)],
                use_code=["02001", "02003", "77000", None],
                structure_code=["21", "74", None, None],
                use=[None, None, None, "축사"],
                name=["하늘마을", "하늘마을", "��빌딩", None],
                part_name=["101동", "하늘마을", None, "창고"],
                floors_above=[1, 1, 1, 1],
            )
        ],
        area,
        None,
    )
    found = layer.features.set_axis(layer.features.geometry.bounds["minx"]).sort_index()
    assert found["use"].fillna("-").tolist() == ["아파트", "공동주택", "-", "축사"]
    assert found["structure"].fillna("-").tolist() == ["철근콘크리트구조", "-", "-", "-"]
    assert found["name"].fillna("-").tolist() == ["하늘마을 101동", "하늘마을", "-", "창고"]
    assert reasons(layer) == {"use_unknown": 1, "text_damaged": 1}
    assert "��빌딩" in layer.quality.set_index("reason").loc["text_damaged", "detail"]


def test_identifiers_depend_on_content_alone(area, box, raw_layer) -> None:
    shapes = [box(30 * i, 0, 10, 10) for i in range(20)]
    columns = {"source_id": [f"U{i // 2}" for i in range(20)], "floors_above": list(range(1, 21))}
    straight = clean_buildings([raw_layer("buildings", shapes, **columns)], area, None).features
    order = np.random.default_rng(3).permutation(20)
    turned = [shapely.Polygon(np.roll(shapes[i].exterior.coords[:-1], 2, axis=0)) for i in order]
    shuffled = clean_buildings(
        [raw_layer("buildings", turned, **{k: [v[i] for i in order] for k, v in columns.items()})], area, None
    ).features
    assert straight["building_id"].is_unique
    assert straight["building_id"].tolist() == shuffled["building_id"].tolist()
    assert straight["floors_above"].tolist() == shuffled["floors_above"].tolist()
    # another building beside them changes nobody's identifier
    more = clean_buildings(
        [
            raw_layer(
                "buildings",
                [*shapes, box(800, 0, 10, 10)],
                source_id=[*columns["source_id"], "U0"],
                floors_above=[*columns["floors_above"], 3],
            )
        ],
        area,
        None,
    ).features
    assert set(straight["building_id"]) < set(more["building_id"])


def test_same_place_and_number_but_another_building(area, box, raw_layer) -> None:
    shape = box(0, 0, 10, 10)
    layer = clean_buildings(
        [raw_layer("buildings", [shape] * 3, source_id=["U1"] * 3, pnu=[PNU.format(1)] * 3, floors_above=[1, 2, 2])],
        area,
        None,
    )
    # one copy is the same in everything; of the other two the first in the order of content stays: one roof, counted once
    assert (layer.account.published, layer.account.merged) == (1, 2)
    assert reasons(layer)["exact_duplicate"] == reasons(layer)["same_footprint"] == 1
    assert layer.features["floors_above"].tolist() == [1]


def test_of_records_with_one_footprint_the_one_that_knows_most_stays(area, box, raw_layer) -> None:
    shape, shifted = box(0, 0, 10, 10), box(0.002, 0, 10, 10)
    layer = clean_buildings(
        [
            raw_layer(
                "buildings",
                [shape, shifted, shape],
                source_id=["U1", "U2", "U3"],
                pnu=[PNU.format(1)] * 3,
                floors_above=[2, 3, 0],
                height_m=[0, 9.0, 0],
            )
        ],
        area,
        None,
    )
    assert layer.features[["source_id", "height"]].values.tolist() == [["U2", 9.0]]
    told = layer.quality[layer.quality["reason"] == "same_footprint"]
    assert told["key"].tolist() == ["TEST:0", "TEST:2"]
    assert set(told["detail"]) == {"kept: TEST:1"}


def test_mapped_identifiers_are_kept_and_shared_ones_told_apart(area, box, raw_layer) -> None:
    shapes = [box(30 * i, 0, 10, 10) for i in range(4)]
    layer = clean_buildings(
        [raw_layer("buildings", shapes, building_id=["A-1", "A-2", "A-2", None], floors_above=[1] * 4)], area, None
    )
    found = layer.features["building_id"]
    assert found.is_unique
    assert "A-1" in set(found)
    assert "A-2" not in set(found)
    assert found.str.startswith("A-2-").sum() == 2
    assert reasons(layer)["id_duplicate"] == 2


@pytest.fixture
def town(area, raw_layer, box):
    """36 x 36 lots of about 20 m with streets between the blocks, and a building of 8 x 8 m on every lot."""
    lots, jimok, houses = [], [], []
    for row in range(36):
        for column in range(36):
            x, y = column * 20 + (column // 4) * 12 + 30, row * 20 + (row // 4) * 12 + 30
            lots.append(box(x, y, 20, 20))
            jimok.append("대")
            houses.append(box(x + 6, y + 6, 8, 8))
    streets = shapely.get_parts(shapely.difference(box(20, 20, 836, 836), shapely.union_all(np.array(lots))))
    pnu = [f"412101050010{i // 1000 + 1:03d}{i % 1000:04d}" for i in range(len(lots) + len(streets))]
    parcels = clean_parcels(
        [raw_layer("parcels", [*lots, *streets], pnu=pnu, jimok=[*jimok, *["도"] * len(streets)])], area
    ).features
    return parcels, houses, pnu[: len(lots)]


@pytest.mark.parametrize("with_pnu", [True, False])
def test_a_shift_of_one_datum_is_refused(area, town, raw_layer, with_pnu) -> None:
    parcels, houses, pnu = town
    extra = {"pnu": pnu} if with_pnu else {}
    rate, count = parcel_match_rate(
        pd.Series(pnu if with_pnu else [None] * len(pnu), dtype="str"), np.array(houses), parcels
    )
    assert (rate, count) == (1.0, len(houses))
    clean_buildings([raw_layer("buildings", houses, floors_above=[1] * len(houses), **extra)], area, parcels)

    shifted = [translate(house, -255.8, 0) for house in houses]
    with pytest.raises(InputError, match="EPSG:5174 and EPSG:2097") as refusal:
        clean_buildings([raw_layer("buildings", shifted, floors_above=[1] * len(houses), **extra)], area, parcels)
    assert "5181" in str(refusal.value)
    assert "5186" in str(refusal.value)
    assert "sources.buildings.crs" in str(refusal.value)


def test_buildings_beyond_the_parcels_say_nothing_about_the_crs(area, town, box, raw_layer) -> None:
    parcels, houses, pnu = town
    west = parcels.cx[190_000:190_200, :]
    clean_buildings([raw_layer("buildings", houses, pnu=pnu, floors_above=[1] * len(houses))], area, west)


@pytest.mark.realdata
@pytest.mark.parametrize("with_pnu", [True, False])
def test_match_rate_on_real_parcels(shared_data, with_pnu) -> None:
    parcels = gpd.read_file(shared_data / "gwarim" / "gwarim_parcels.geojson").to_crs("EPSG:5186")
    parcels = parcels[(parcels["fill_method"] == "parcel_match") & (parcels.area > 60)].reset_index(drop=True)
    parcels["pnu"] = [PNU.format(i % 1000) + str(i) for i in range(len(parcels))]
    parcels["jimok"] = None
    houses = shapely.buffer(shapely.point_on_surface(parcels.geometry.to_numpy()), 3.0)
    pnu = pd.Series(parcels["pnu"] if with_pnu else [None] * len(parcels), dtype="str")
    right, judged = parcel_match_rate(pnu, houses, parcels)
    assert right >= 0.99
    assert judged == len(parcels)
    for dx, dy in ((-255.8, 0.0), (255.8, 0.0), (0.0, 313.0)):
        shifted = np.array([translate(house, dx, dy) for house in houses])
        rate, _ = parcel_match_rate(pnu, shifted, parcels)
        assert rate < (0.01 if with_pnu else 0.82)


@pytest.mark.realdata
def test_yeoksam(shared_data, site_area_of) -> None:
    source = gpd.read_file(shared_data / "yeoksam" / "Seoul_Gangnam_Yeoksam_One_Block.shp")
    area = site_area_of("1168010100")
    frame = gpd.GeoDataFrame(
        {
            "source_id": source["UFID"],
            "pnu": source["PNU"],
            "name": source["BLD_NM"],
            "part_name": source["DONG_NM"],
            "use_code": source["USABILITY"],
            "structure_code": source["STRCT_CD"],
            "floors_above": source["GRND_FLR"],
            "floors_below": source["UGRND_FLR"],
            "height_m": source["HEIGHT"],
            "gross_floor_area_m2": source["TOTALAREA"],
            "approved_on": source["USEAPR_DAY"],
            "register_id": source["BLDRGST_PK"],
            "source_key": source["UFID"],
        },
        geometry=source.geometry,
        crs=source.crs,
    ).to_crs(area.crs)
    layer = clean_buildings(
        [RawLayer(Dataset(product="F_FAC_BUILDING", role="buildings", parts=()), frame, 1039, 0)], area, None
    )
    layer.account.verify()
    account = layer.account
    assert (account.read, account.published, account.outside, account.merged, account.reasoned) == (1039, 1039, 0, 0, 0)

    # counted from the raw columns: 735 heights with floors, three of them below 2 m per storey; no other is out of 2-8 m
    height, floors = source["HEIGHT"], source["GRND_FLR"]
    assert ((height > 0) & (floors > 0)).sum() == (height > 0).sum() == 735
    per_storey = (height / floors)[height > 0]
    assert ((per_storey < 2) | (per_storey > 8)).sum() == 3
    sources = layer.features["height_source"].value_counts()
    assert sources["recorded"] == 735 - 3
    assert sources["floors"] == (floors > 0).sum() - (735 - 3) == 964 - 732
    assert sources["neighbours"] + sources.get("default", 0) == ((height == 0) & (floors == 0)).sum() == 75
    told = reasons(layer)
    assert told["height_implausible"] == 3
    assert told.get("height_default", 0) == sources.get("default", 0)
    damaged = source[["BLD_NM", "DONG_NM"]].apply(lambda c: c.str.contains("�", na=False)).any(axis=1)
    assert told["text_damaged"] == damaged.sum()
    assert told["use_unknown"] == source["USABILITY"].isna().sum() == 73
    assert not layer.features["name"].str.contains("�", na=False).any()
    by_source = layer.features.set_index("source_id")
    recorded = by_source[by_source["height_source"] == "recorded"]["height"]
    pd.testing.assert_series_equal(
        recorded.sort_index(),
        source.set_index("UFID")["HEIGHT"].astype(float)[recorded.index].sort_index(),
        check_names=False,
    )
    published = LAYERS["buildings"].finish(layer.features)
    assert LAYERS["buildings"].problems(published, area.crs) == []
