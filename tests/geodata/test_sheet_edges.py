"""Buildings cut by the edge of a map sheet, buildings shown by two data sets, and uses given as words."""

from __future__ import annotations

import pandas as pd
import pytest
import shapely

from geodata.clean.buildings import clean_buildings
from geodata.clean.use_words import code_uses

EDGE = 300.0
"""East of the test area's corner where one sheet ends and the next begins [m]."""


def ufid(sheet: str, number: int) -> str:
    return f"1000{sheet:0>9}B0011{number:016d}"


WEST, EAST, NORTH = "376120505", "376120506", "376120495"


def buildings(raw_layer, *records, product: str = "NGII_1000_BUILDINGS", **more):
    """Records are (shape, sheet, number, floors)."""
    names = [ufid(sheet, number) for _, sheet, number, _ in records]
    return raw_layer(
        "buildings",
        [shape for shape, *_ in records],
        product=product,
        source_id=names,
        source_key=names,
        floors_above=[float(floors) for *_, floors in records],
        **more,
    )


def reasons(layer) -> dict[str, int]:
    found = layer.quality["reason"].value_counts().to_dict()
    return {k: v for k, v in found.items() if k in {"sheet_edge", "sheet_edge_differs", "other_source"}}


def test_halves_become_one_building(area, box, raw_layer):
    raw = buildings(
        raw_layer,
        (box(EDGE - 12, 10, 12, 10), WEST, 1, 5),
        (box(EDGE, 10, 8, 10), EAST, 1, 5),
        (box(EDGE + 50, 10, 8, 10), EAST, 2, 3),
    )
    layer = clean_buildings([raw], area, None)
    assert (layer.account.read, layer.account.published, layer.account.merged) == (3, 2, 1)
    assert reasons(layer) == {"sheet_edge": 1}
    whole = layer.features.loc[layer.features["footprint_area_m2"].idxmax()]
    assert whole["footprint_area_m2"] == pytest.approx(200.0, abs=0.01)
    assert whole["source_id"] == ufid(WEST, 1)  # the larger piece
    assert whole["floors_above"] == 5
    assert whole.geometry.geom_type == "Polygon"
    merged = layer.quality[layer.quality["reason"] == "sheet_edge"].iloc[0]
    assert merged["key"] == ufid(EAST, 1)
    assert ufid(WEST, 1) in merged["detail"]


def test_a_gap_or_an_overlap_of_centimetres_is_closed(area, box, raw_layer):
    raw = buildings(
        raw_layer,
        (box(EDGE - 12, 10, 11.98, 10), WEST, 1, 5),
        (box(EDGE, 10.01, 8, 10), EAST, 1, 5),
        (box(EDGE - 12, 50, 12.02, 10), WEST, 2, 2),
        (box(EDGE, 50, 8, 10), EAST, 2, 2),
    )
    layer = clean_buildings([raw], area, None)
    assert layer.account.merged == 2
    assert (shapely.get_num_geometries(layer.features.geometry.to_numpy()) == 1).all()
    assert layer.features.geometry.is_valid.all()
    assert layer.features["footprint_area_m2"].tolist() == pytest.approx([200.0, 200.0], abs=0.5)


def test_a_building_on_the_corner_of_four_sheets(area, box, raw_layer):
    raw = buildings(
        raw_layer,
        (box(EDGE - 10, 90, 10, 10), "376120515", 1, 4),
        (box(EDGE, 90, 10, 10), "376120516", 1, 4),
        (box(EDGE - 10, 100, 10, 10), WEST, 1, 4),
        (box(EDGE, 100, 10, 10), EAST, 1, 4),
    )
    layer = clean_buildings([raw], area, None)
    assert (layer.account.published, layer.account.merged) == (1, 3)
    assert layer.features["footprint_area_m2"].iloc[0] == pytest.approx(400.0)


def test_what_stays_apart(area, box, raw_layer):
    raw = buildings(
        raw_layer,
        (box(100, 10, 10, 10), WEST, 1, 2),  # a row of houses within one sheet
        (box(110, 10, 10, 10), WEST, 2, 2),
        (box(EDGE - 10, 10, 10, 10), WEST, 3, 5),  # floors contradict
        (box(EDGE, 10, 10, 10), EAST, 3, 9),
        (box(EDGE - 10, 60, 10, 10), WEST, 4, 2),  # corners touch
        (box(EDGE, 70, 10, 10), EAST, 4, 2),
        (box(EDGE - 10, 160, 9, 10), WEST, 5, 2),  # a metre apart
        (box(EDGE, 160, 10, 10), EAST, 5, 2),
    )
    layer = clean_buildings([raw], area, None)
    assert layer.account.merged == 0
    assert reasons(layer) == {"sheet_edge_differs": 2}


def test_floors_that_one_half_lacks_come_from_the_other(area, box, raw_layer):
    raw = buildings(raw_layer, (box(EDGE - 12, 10, 12, 10), WEST, 1, 0), (box(EDGE, 10, 8, 10), EAST, 1, 7))
    layer = clean_buildings([raw], area, None)
    assert layer.features["floors_above"].tolist() == [7]
    assert layer.features["height_source"].tolist() == ["floors"]


def test_order_of_records_does_not_matter(area, box, raw_layer):
    records = [
        (box(EDGE - 12, 10, 12, 10), WEST, 1, 5),
        (box(EDGE, 10, 8, 10), EAST, 1, 5),
        (box(EDGE - 5, 50, 5, 10), WEST, 2, 3),
        (box(EDGE, 50, 5, 10), EAST, 2, 3),
    ]
    one = clean_buildings([buildings(raw_layer, *records)], area, None)
    other = clean_buildings([buildings(raw_layer, *records[::-1])], area, None)
    assert one.features["building_id"].tolist() == other.features["building_id"].tolist()
    assert one.features.geometry.geom_equals(other.features.geometry).all()


def test_the_preferred_source_keeps_what_both_show(area, box, raw_layer):
    preferred = raw_layer("buildings", [box(10, 10, 10, 10)], product="AL_D010", floors_above=[6.0])
    sheets = buildings(
        raw_layer,
        (box(11, 11, 10, 10), EAST, 1, 4),  # 81 of 100 m2 under the preferred one
        (box(18, 10, 10, 10), EAST, 2, 4),  # 20 of 100 m2: another building, drawn a little off
        (box(60, 10, 10, 10), EAST, 3, 4),
    )
    layer = clean_buildings([preferred, sheets], area, None)
    assert (layer.account.published, layer.account.merged) == (3, 1)
    assert reasons(layer) == {"other_source": 1}
    assert sorted(layer.features["floors_above"]) == [4, 4, 6]


def test_two_scales_of_one_building_are_not_halves(area, box, raw_layer):
    fine = buildings(raw_layer, (box(10, 10, 10, 10), EAST, 1, 4))
    coarse = buildings(raw_layer, (box(10, 10, 10, 10.2), "37612005", 1, 4), product="NGII_5000_BUILDINGS")
    layer = clean_buildings([fine, coarse], area, None)
    assert reasons(layer) == {"other_source": 1}
    assert layer.features["source_id"].tolist() == [ufid(EAST, 1)]


@pytest.mark.parametrize(
    ("use", "kind", "word", "code"),
    [
        ("교육연구시설", "주택외건물", "교육연구시설", "10000"),
        ("근린생활시설", "주택외건물", "근린생활시설", "Z3000"),
        ("주택", "일반주택", "주택", "01000"),
        ("주택", "연립주택", "주택", "02000"),
        ("주택", "아파트", "주택", "02001"),
        ("주택", "무벽건물", "주택", None),
        ("기타시설", "아파트", "기타시설", None),  # the use is known to be another one
        (None, "아파트", None, "02001"),
        (None, None, None, None),
        ("BDU010", "BDC004", "교육연구시설", "10000"),
        ("bdu011", None, "노유자(노인및어린이)시설", "11000"),
        ("노유자 (노인 및 어린이) 시설", None, "노유자 (노인 및 어린이) 시설", "11000"),
        ("주택", "BDC003", "주택", "02001"),
        ("BDU999", None, "기타시설", None),
    ],
)
def test_uses_as_words(use, kind, word, code):
    one = [pd.Series([value], dtype="str") for value in (use, None, kind)]
    words, codes = code_uses(*one)
    assert [None if pd.isna(v) else v for v in (words[0], codes[0])] == [word, code]


def test_a_code_that_is_given_stays():
    one = [pd.Series([value], dtype="str") for value in ("교육연구시설", "10003", "아파트")]
    assert code_uses(*one)[1].tolist() == ["10003"]
