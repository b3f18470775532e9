from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geodata.class_tables import load_classes
from geodata.jimok import jimok_signs
from geodata.pnu import build_pnu, dong_code_by_name, is_pnu, lot_of_pnu, parse_jibun, parse_pnu
from geodata.study_area import legal_dongs


def text(*values: str | None) -> pd.Series:
    return pd.Series(list(values), dtype="str")


@pytest.mark.parametrize(
    ("jibun", "pnu"),
    [
        ("197-26대", "4121010500101970026"),
        ("산23-1", "4121010500200230001"),
        ("산 23-1임", "4121010500200230001"),
        ("630 대", "4121010500106300000"),
        ("34", "4121010500100340000"),
        ("1234-5678도로", "4121010500112345678"),
        ("１２－３답", "4121010500100120003"),  # full-width digits and dash
        ("7번지", "4121010500100070000"),
        ("0034-0001", "4121010500100340001"),
        ("804–35천", "4121010500108040035"),  # en dash
    ],
)
def test_pnu_is_built_from_the_ways_lot_numbers_are_written(jibun: str, pnu: str) -> None:
    assert build_pnu(text("4121010500"), text(jibun))[0] == pnu


@pytest.mark.parametrize("jibun", ["B12", "26가", "0", "12345", "1-12345", "", "산", "1블록", "12--3", "�23-1", None])
def test_what_is_no_lot_number_builds_nothing(jibun: str | None) -> None:
    assert build_pnu(text("4121010500"), text(jibun)).isna().all()


def test_no_pnu_without_a_sound_dong_code() -> None:
    assert build_pnu(text("412101050", None, "41210105AB"), text("1", "1", "1")).isna().all()


def test_well_formed_pnus() -> None:
    values = text("4121010500101970026", "4121010500201970026", "4121010500301970026", "4121010500001970026",
                  "41210105001019700", "4121010500B12가00001", "4.1210105001e+18", None)  # fmt: skip
    assert is_pnu(values).tolist() == [True, True, True, False, False, False, False, False]


def test_parse_and_lot_of_pnu() -> None:
    values = text("4121010500101970026", "4121010500200230000", "4121010500300010002", "x")
    parts = parse_pnu(values)
    assert parts.loc[0].tolist() == ["4121010500", "1", 197, 26]
    assert parts.loc[1].tolist() == ["4121010500", "2", 23, 0]
    assert parts.loc[3].isna().all()
    assert lot_of_pnu(values).tolist()[:2] == ["197-26", "산23"]
    assert lot_of_pnu(values).isna().tolist() == [False, False, True, True]


def test_parse_jibun_keeps_number_and_category_apart() -> None:
    parts = parse_jibun(text("산23-1임야", "630 대", "34", "26가"))
    assert parts["lot"].tolist()[:3] == ["산23-1", "630", "34"]
    assert parts["jimok"].tolist()[:2] == ["임야", "대"]
    assert parts["jimok"].isna().tolist() == [False, False, True, True]
    assert parts.loc[3].isna().all()


def test_the_28_land_categories() -> None:
    signs = list(load_classes("geodata", "jimok.yaml"))
    assert "".join(signs) == "전답과목임광염대장학차주창도철제천구유양수공체원종사묘잡"
    assert jimok_signs(text(*signs)).tolist() == signs


def test_full_words_and_signs_are_understood() -> None:
    assert jimok_signs(text("과수원", "임야", "대", "주차장", "하천", "장", "원")).tolist() == list("과임대차천장원")
    assert jimok_signs(text("운하", None)).isna().all()


def test_last_letters_are_believed_only_where_they_are_unambiguous() -> None:
    # 야 (임야), 로 (도로) and 지 (공장용지 ...) are no signs: this layer writes last letters, so that 장 may be 주차장
    signs = jimok_signs(text("야", "로", "지", "장", "원", "천", "거", "답", "대", "전"))
    assert signs.tolist()[:2] == ["임", "도"]
    assert signs.isna().tolist() == [False, False, True, True, True, False, False, False, False, True]
    assert signs.tolist()[5:9] == ["천", "구", "답", "대"]


@pytest.fixture(scope="module")
def dongs() -> gpd.GeoDataFrame:
    return legal_dongs("EPSG:5186")


def test_a_name_that_two_cities_have_is_resolved_by_place(dongs: gpd.GeoDataFrame) -> None:
    named = dongs[dongs["name_ko"] == "옥길동"].set_index("dong_code")
    assert sorted(named.index) == ["4119710600", "4121010800"]  # Bucheon and Gwangmyeong
    points = named.loc[["4121010800", "4119710600", "4121010800"], "geometry"].representative_point().buffer(5)
    geometry = gpd.GeoSeries(points.to_numpy(), crs=dongs.crs)
    names = text("옥길동", "옥길동", "경기도 광명시 옥길동")
    assert dong_code_by_name(names, geometry, dongs).tolist() == ["4121010800", "4119710600", "4121010800"]


def test_a_name_far_from_its_dong_is_not_believed(dongs: gpd.GeoDataFrame) -> None:
    gwarim = dongs.loc[dongs["name_ko"] == "과림동", "geometry"].iloc[0]
    _, south, east, north = gwarim.bounds
    beside = shapely.box(east + 50, north, east + 60, north + 10)
    inside = gwarim.representative_point().buffer(5)
    far = shapely.box(east + 5000, south, east + 5010, south + 10)
    geometry = gpd.GeoSeries([inside, far, inside, inside, beside], crs=dongs.crs)
    codes = dong_code_by_name(text("과림동", "과림동", "없는동", None, "과림동"), geometry, dongs)
    assert codes[0] == "4139011200"
    assert codes[1:3].isna().all()
    assert pd.isna(codes[3])
    # the north-east corner of the bounds need not touch the dong: within reach it counts, beyond it does not
    assert pd.isna(codes[4]) == (shapely.distance(beside.centroid, gwarim) > 100)
