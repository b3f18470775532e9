from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from typer.testing import CliRunner

from geodata.inspect import inspect_folder
from geodata.inspect_advice import advise
from geodata.inspect_page import render_page
from geodata.site import Site
from geodata.study_area import build_study_area
from pipelines.cli import app

SITE = """
name: test_town
title: {{ko: 시험 마을, en: Test town}}
study_area: {{bbox: [185900, 536900, 186900, 537900], crs: "EPSG:5186"}}
inbox: {inbox}
"""


class Checker(HTMLParser):
    """Collects everything that a browser would fetch, and whether tags close."""

    VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.fetched += [f"{tag} {name}={value}" for name, value in attrs if name in {"src", "href", "srcset", "data"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def site(tmp_path: Path, inbox: Path) -> Site:
    file = tmp_path / "site.yaml"
    file.write_text(SITE.format(inbox=inbox), encoding="utf-8")
    return Site.load(file)


@pytest.fixture
def full(agency, inbox) -> Path:
    """Buildings over the study area, land cover of its western half, a file that says nothing, and a broken one."""
    big = [agency.boxes(1, size=2000)[0].buffer(500)]
    agency.shapefile(inbox / "b.shp", agency.al_d010(1), big)
    west = agency.moved(agency.boxes(1, size=100), -50, 0)
    agency.shapefile(inbox / "SG05_37612024.shp", agency.sg05(["311"]), west)
    agency.shapefile(inbox / "lost.shp", agency.al_d002(), crs=None)
    (inbox / "<b>메모 & co.txt").write_text("x")
    agency.epw(inbox / "a.epw")
    return inbox


def _svg(page: str) -> ET.Element:
    return ET.fromstring(re.search(r"<svg.*?</svg>", page, re.DOTALL)[0])  # noqa: S314 - our own text


def test_the_page_stands_alone_and_is_well_formed(full, site):
    page = render_page(inspect_folder(full), str(full), site=site, area=build_study_area(site))
    checker = Checker()
    checker.feed(page)
    assert checker.fetched == []
    assert checker.open == []
    assert "<script" not in page
    assert not re.search(r"url\(|@import|@font-face", page)
    # the one address is the name of SVG itself
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) == {"http://www.w3.org/2000/svg"}
    assert _svg(page).attrib["viewBox"] == "0 0 900 660"


def test_names_are_text(full, site):
    page = render_page(inspect_folder(full), str(full), site=site, area=build_study_area(site))
    assert "&lt;b&gt;메모 &amp; co.txt" in page
    assert "<b>메모" not in page


def test_korean_comes_first_and_everything_is_told(full, site):
    page = render_page(inspect_folder(full), str(full), site=site, area=build_study_area(site))
    for text in (
        "시험 마을",
        "1건을 고쳐야 실행할 수 있습니다.",
        "좌표계 정보(.prj)가 없음",
        "무시함",
        "GIS건물통합정보 (AL_D010)",
    ):
        assert text in page
    problem = page[page.index("좌표계 정보(.prj)가 없음") :]
    assert problem.index("좌표계 정보(.prj)가 없음") < problem.index("it has no coordinate reference system")


def test_downloads_name_sheets_towns_and_stations(full, site):
    page = render_page(inspect_folder(full), str(full), site=site, area=build_study_area(site))
    # one square kilometre in sheet 37612024: 126.825-126.85 E, 37.425-37.45 N; the box reaches into the next ones
    assert re.search(r"1:5,000 도엽 [1-4]장 \(필요한 [1-4]장 중\): 37612 024", page)
    assert "시군구: 광명시 (41210)" in page
    assert "시도: 경기도 (41)" in page


def test_coverage_of_a_role(full, site):
    area = build_study_area(site)
    advice = {item.role: item for item in advise(inspect_folder(full), area)}
    assert (advice["buildings"].state, advice["buildings"].coverage_pct) == ("there", pytest.approx(100.0))
    # 100 m x 100 m, half of it within 1 km2 of the study area, give or take the one metre around frames
    assert advice["land_cover"].coverage_pct == pytest.approx(0.5 + 0.5, abs=0.6)
    assert advice["land_cover"].state == "partly"
    assert (advice["parcels"].state, advice["parcels"].coverage_pct) == ("missing", 0.0)
    assert advice["weather"].state == "there"
    stations = [offer.exactly for offer in advice["parcels"].offers]
    assert all("광명시" in text or text == "" for text in stations)


def test_nearest_stations_by_great_circle(agency, inbox, site):
    agency.dem(inbox / "dem.tif")
    advice = {item.role: item for item in advise(inspect_folder(inbox), build_study_area(site))}
    told = next(offer.exactly for offer in advice["weather"].offers if "가까운 지점" in offer.exactly)
    # the middle of the box lies at 126.8463 E, 37.4359 N; distances on a sphere of 6,371 km
    places = {"108": (37.5714, 126.9658), "112": (37.4777, 126.6249), "119": (37.2575, 126.9830)}
    here = np.radians((37.4359, 126.8463))
    expected = []
    for number, place in places.items():
        there = np.radians(place)
        half = np.sin((there - here) / 2) ** 2
        expected.append((number, 2 * 6371 * np.arcsin(np.sqrt(half[0] + np.cos(here[0]) * np.cos(there[0]) * half[1]))))
    expected.sort(key=lambda pair: pair[1])
    found = re.findall(r"\((\d+)\) (\d+) km", told)
    assert [number for number, _ in found] == [number for number, _ in expected]
    assert [float(km) for _, km in found] == pytest.approx([km for _, km in expected], abs=0.6)


def test_files_elsewhere_are_told_beside_the_map(agency, inbox, site):
    far = agency.moved(agency.boxes(6), 0, -200_000)
    agency.shapefile(inbox / "far.shp", agency.f_fac(), far)
    page = render_page(inspect_folder(inbox), str(inbox), site=site, area=build_study_area(site))
    assert re.search(r"지도 밖.*far\.shp \(남쪽 20[01] km\)", page, re.DOTALL)
    assert "받은 파일은 연구 범위 밖에 있음" in page


def test_frames_stand_where_the_files_lie(full, site):
    """A frame of the land cover sheet: x from the west edge of the view, y from its north edge, by hand."""
    page = render_page(inspect_folder(full), str(full), site=site, area=build_study_area(site))
    root = _svg(page)
    space = "{http://www.w3.org/2000/svg}"
    frame = next(p for p in root.iter(f"{space}path") if "SG05" in "".join(p.itertext()))
    xy = [tuple(map(float, pair.split())) for pair in re.findall(r"[\d.]+ [\d.]+", frame.attrib["d"])]
    # 1 km and 8 % on each side, 1,160 m high on 660 px; the view is centred on 186400, 537400
    scale = 660 / 1160
    left, top = 450 + (185_950 - 186_400) * scale, 330 - (537_100 - 537_400) * scale
    assert min(x for x, _ in xy) == pytest.approx(left, abs=0.2)
    assert min(y for _, y in xy) == pytest.approx(top, abs=0.2)
    assert max(x for x, _ in xy) == pytest.approx(left + 100 * scale, abs=0.2)


def test_without_a_site_there_is_still_a_map(full):
    page = render_page(inspect_folder(full), str(full))
    assert "노온사동" in "".join(_svg(page).itertext())
    assert "--site를 주면" in page


def test_without_any_place_there_is_none(inbox):
    (inbox / "메모.txt").write_text("x")
    page = render_page(inspect_folder(inbox), str(inbox))
    assert "<svg" not in page
    assert "받아야 할 자료" in page


def test_the_command_writes_the_page(full, site, tmp_path):
    out = tmp_path / "새 폴더" / "page.html"
    result = CliRunner().invoke(app, ["inspect", str(full), "--site", str(tmp_path / "site.yaml"), "--html", str(out)])
    assert result.exit_code == 0, result.output
    assert "시험 마을" in out.read_text(encoding="utf-8")


def test_the_page_is_not_written_into_the_inbox(full):
    result = CliRunner().invoke(app, ["inspect", str(full), "--html", str(full / "page.html")])
    assert result.exit_code == 1
    assert not (full / "page.html").exists()
