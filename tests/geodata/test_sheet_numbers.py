from __future__ import annotations

import pytest
import shapely

from geodata.map_sheets import in_short, sheet_number, sheets_of, sheets_over
from geodata.site import Site
from geodata.study_area import build_study_area

SEVEN = ("4121010100", "4121010500", "4121010700", "4121010800", "4139011000", "4139011200", "4139013400")


@pytest.mark.parametrize(
    ("longitude", "latitude", "number"),
    [
        # 37612 is 126°45' to 127° E, 37°15' to 37°30' N; its rows of ten begin in the north-west
        (126.7501, 37.4999, "37612001"),
        (126.9999, 37.2501, "37612100"),
        (126.8130, 37.4990, "37612003"),
        (127.0001, 37.9999, "37701001"),
    ],
)
def test_numbers_by_hand(longitude, latitude, number):
    assert sheet_number(longitude, latitude) == number


def test_the_bounds_of_the_seven_dongs_touch_the_twenty_known_sheets():
    found = sheets_over((183_866, 532_165, 189_166, 543_845), "EPSG:5186")
    known = {f"37612{row}{column}" for row in ("00", "01", "02", "03", "04") for column in "3456"}
    assert set(found["number"]) == known


def test_the_dongs_themselves_need_fewer():
    site = Site.model_validate(
        {"name": "gm", "title": {"ko": "가", "en": "a"}, "study_area": {"legal_dongs": SEVEN}, "inbox": "x"}
    )
    area = build_study_area(site)
    found = sheets_of(area.area, area.crs)
    # together they hold the whole area, and no other sheet holds any of it
    assert shapely.union_all(found.geometry.to_numpy()).buffer(1).covers(area.area)
    others = sheets_over(area.area.bounds, area.crs)
    others = others[~others["number"].isin(found["number"])]
    assert others.intersection(area.area).area.max() < 100


def test_runs_are_drawn_together():
    assert in_short(["37612014", "37612003", "37612005", "37612004"]) == "37612 003–005, 014"
    assert in_short(["37701001", "37612100"]) == "37612 100; 37701 001"
    assert in_short([]) == ""


@pytest.mark.parametrize(
    ("longitude", "latitude", "number"),
    [
        (126.751, 37.499, "37612001"),  # north-west corner of sheet 12 of degree square 376
        (126.838, 37.44, "37612024"),  # third column of the fourth sheet, third row from 37.5 N
        (126.999, 37.251, "37612100"),
        (127.001, 37.999, "37701001"),
    ],
)
def test_sheet_numbers_follow_the_national_frame(longitude: float, latitude: float, number: str) -> None:
    assert sheet_number(longitude, latitude) == number


def test_sheets_over_the_seven_dongs_are_the_twenty_known_ones() -> None:
    sheets = sheets_over((183_866, 532_165, 189_166, 543_845), "EPSG:5186")
    known = {f"37612{row}{column}" for row in ("00", "01", "02", "03", "04") for column in range(3, 7)}
    assert known <= set(sheets["number"])
