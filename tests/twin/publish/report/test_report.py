from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image

from geodata.catalogue import LAYERS
from tests.kept import Kept
from twin.publish.about import ReleaseAbout
from twin.publish.maps import draw_map, drawn_of
from twin.publish.report.figures import DASH, shown, whole_number
from twin.publish.report.page import Town, write_report
from twin.publish.report.pictures import layer_map, overview
from twin.publish.report.themes import theme_of

ABOUT = ReleaseAbout("시험 <도시>", "Test & town", "EPSG:5186", "2026-09-09", unshaded=False, demo=True)


def districts(*, district: bool = True, factor: float = 1.0, **more: list[float]) -> gpd.GeoDataFrame:
    names = ["가동", "나동", "지구"][: 3 if district else 2]
    n = len(names)
    months = {f"yield_{m:02d}_kwh": np.array([100.0, 300.0, 250.0][:n]) * factor * m for m in range(1, 13)}
    frame = pd.DataFrame(
        {
            "dong_code": ["4121010100", "4121010500", "DISTRICT"][:n],
            "name_ko": names,
            "kind": ["legal_dong", "legal_dong", "district"][:n],
            "area_m2": [10_000.0, 30_000.0, 20_000.0][:n],
            "green_area_m2": [1_000.0, 9_000.0, 5_000.0][:n],
            "green_cover_pct": [10.0, 30.0, 25.0][:n],
            "roof_area_m2": [2_000.0, 4_000.0, 3_000.0][:n],
            "usable_area_m2": [1_000.0, 2_000.0, 1_500.0][:n],
            "capacity_kwp": [200.0, 400.0, 300.0][:n],
            "yield_kwh": np.array([7_800.0, 23_400.0, 19_500.0][:n]) * factor,
            **months,
            **more,
        }
    )
    shapes = shapely.box(np.arange(n) * 100.0, 0, np.arange(n) * 100.0 + 100, 100)
    return gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:5186")


def run_info() -> pd.DataFrame:
    rows = [
        ("input file", "AL.zip", "f" * 64, "sha256", "국토교통부", None, "parcels"),
        ("parameter twin.solar/pv.yaml", "loss_pct", "14.08", "%", "NREL", False, ""),
        ("parameter twin.solar/pv.yaml", "sure_pct", "1", "%", "NREL", True, ""),
        ("missing", "sources/parks", "no file", "", "", None, ""),
    ]
    frame = pd.DataFrame(rows, columns=["topic", "name", "value", "unit", "source", "verified", "note"])
    return frame.astype({"verified": "boolean"})


class Numbers(HTMLParser):
    """Collects every number that says where it is from, and every address of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[dict[str, str], str]] = []
        self.addresses: list[str] = []
        self._open: dict[str, str] | None = None

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        self.addresses += [v for k, v in attributes.items() if k in ("src", "href", "xlink:href", "action")]
        if "data-field" in attributes:
            self._open = attributes
            self.found.append((attributes, ""))

    def handle_data(self, data):
        if self._open is not None:
            self.found[-1] = (self._open, self.found[-1][1] + data)

    def handle_endtag(self, tag):
        if tag == "span":
            self._open = None


def report(tmp_path, *towns: Town) -> tuple[str, Numbers]:
    told = write_report(towns, tmp_path / "report.html", about=ABOUT)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    numbers = Numbers()
    numbers.feed(text)
    assert told["numbers"] == len(numbers.found)
    return text, numbers


def town(scenario: str = "existing", **changes) -> Town:
    return Town(scenario, {"districts": districts(**changes), "run_info": run_info()})


def test_every_number_is_that_of_the_layer_and_field_it_names(tmp_path):
    present = town()
    _, numbers = report(tmp_path, present)
    checked = 0
    for attributes, text in numbers.found:
        code = attributes["data-rule"].removeprefix("dong_code=")
        if code == attributes["data-rule"] or text == DASH:
            continue
        row = present.districts.set_index("dong_code").loc[code]
        assert float(text.replace(",", "")) == pytest.approx(row[attributes["data-field"]], abs=0.5)
        checked += 1
    # six fields of two themes and the town's area, three rows
    assert checked == 3 * 7
    published = {field.name for field in LAYERS["districts"].fields}
    for attributes, _ in numbers.found:
        assert set(attributes["data-field"].replace("districts.", "").split()) <= published


def test_the_district_speaks_for_the_whole_where_it_is_known(tmp_path):
    _, numbers = report(tmp_path, town())
    whole = {a["data-field"]: t for a, t in numbers.found if a["data-rule"] == "kind=district"}
    assert whole["green_cover_pct"] == "25"
    assert whole["yield_kwh"] == "19,500"


def test_dongs_are_summed_and_shares_taken_anew():
    frame = districts(district=False)
    fields = LAYERS["districts"]
    assert whole_number(frame, fields["yield_kwh"], "existing").value == 31_200
    share = whole_number(frame, fields["green_cover_pct"], "existing")
    # 10,000 m2 of 40,000 m2; the mean of 10 % and 30 % would be 20 %
    assert (share.value, share.rule) == (25.0, "green_area_m2/area_m2")


def test_shares_without_published_parts_are_means_by_area():
    frame = districts(district=False, canopy_cover_pct=[8.0, 4.0])
    number = whole_number(frame, LAYERS["districts"]["canopy_cover_pct"], "existing")
    assert (number.value, number.rule) == (5.0, "mean by area_m2")


def test_a_plan_stands_beside_the_present_with_its_difference(tmp_path):
    text, numbers = report(tmp_path, town(), town("planned", factor=2.0))
    assert {a["data-scenario"] for a, _ in numbers.found} == {"existing", "planned"}
    assert "+19,500" in text


def test_large_numbers_have_a_larger_unit_and_say_so(tmp_path):
    money = {"capex_krw": [65_467_500.0, 150_890_139_000.0, 288_700_237_000.0]}
    text, numbers = report(tmp_path, town(**money), town("planned", capex_krw=[0.0, 1e11, 1e11]))
    told = [(a["data-scenario"], a["data-rule"], n) for a, n in numbers.found if a["data-field"] == "capex_krw"]
    # in hundreds of millions: 65,467,500 is 0.65, 150,890,139,000 is 1,508.9
    assert ("existing", "dong_code=4121010100 ÷ 100,000,000", "0.65") in told
    assert ("existing", "dong_code=4121010500 ÷ 100,000,000", "1,509") in told
    assert ("existing", "kind=district ÷ 100,000,000", "2,887") in told
    assert "−1,887" in text
    assert "억 원 (10⁸ KRW)" in text


def test_shares_differ_by_points_and_no_difference_is_zero(tmp_path):
    text, _ = report(
        tmp_path, town(canopy_cover_pct=[8.0, 4.0, 5.0]), town("planned", canopy_cover_pct=[8.0, 4.0, 3.5])
    )
    assert "−1.50 %p" in text
    assert "+0.00" not in text


def test_a_theme_without_columns_says_what_it_needs(tmp_path):
    text, _ = report(tmp_path, town())
    energy = text[text.index('<section id="energy">') : text.index('<section id="carbon">')]
    assert "이 릴리스에는 없습니다" in energy and "<table" not in energy


def test_the_arithmetic_is_that_of_the_hand(tmp_path):
    text, _ = report(tmp_path, town())
    assert "300 kWp ÷ 1,500 m²" in text
    assert re.search(r'data-rule="specific_yield">65<', text)


def test_it_holds_no_foreign_address_and_no_unescaped_name(tmp_path):
    text, numbers = report(tmp_path, town())
    assert numbers.addresses and all(a.startswith(("data:image/png;base64,", "#")) for a in numbers.addresses)
    assert "url(http" not in text and "@import" not in text and "<script" not in text
    assert "시험 &lt;도시&gt;" in text and "<도시>" not in text


def test_demo_data_say_so_and_unverified_parameters_are_listed(tmp_path):
    text, _ = report(tmp_path, town())
    assert text.count("가상 데이터") >= 2
    method = text[text.index('<section id="method">') :]
    assert "loss_pct" in method and "sure_pct" not in method


def test_the_same_layers_give_the_same_bytes(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, _ = report(tmp_path / "a", town())
    second, _ = report(tmp_path / "b", town())
    assert first == second


def carbon_path(**more) -> pd.DataFrame:
    """From 2027 to 2036, all built in 2029."""
    years = np.arange(2027, 2037)
    built = np.minimum(100.0, 40.0 * (years - 2026))
    columns = {
        "year": years,
        "built_pct": built,
        "yield_kwh": 1000.0 * built,
        "avoided_tco2": years - 2000.0,
        "avoided_held_tco2": years - 1900.0,
    }
    return pd.DataFrame(columns | {"avoided_held_sum_tco2": 1.0, "target_reduction_pct": 40.0} | more)


def test_the_carbon_path_shows_telling_years_and_the_numbers_of_its_layer(tmp_path):
    path = carbon_path(share_of_target_pct=[np.nan] + [2.5] * 9)
    avoided = {"avoided_tco2": [1.0, 2.0, 3.0]}
    present, plan = town(**avoided), town("planned", **avoided)
    plan.layers["carbon_path"] = path
    text, numbers = report(tmp_path, present, plan)
    told = [(a, t) for a, t in numbers.found if a["data-layer"] == "carbon_path"]
    # the first year, the one in which all is built, every fifth, the last
    assert list(dict.fromkeys(a["data-rule"] for a, _ in told)) == [f"year={y}" for y in (2027, 2029, 2030, 2035, 2036)]
    assert {a["data-scenario"] for a, _ in told} == {"planned"}
    rows = path.set_index("year")
    for attributes, printed in told:
        value = rows.loc[int(attributes["data-rule"].removeprefix("year=")), attributes["data-field"]]
        assert printed == DASH if np.isnan(value) else float(printed.replace(",", "")) == pytest.approx(value, abs=0.5)
    # target in tonnes was not published, so it is not printed
    assert {a["data-field"] for a, _ in told} == set(path.columns) - {"year"}
    chapter = text[text.index('<section id="carbon">') : text.index('<section id="access">')]
    assert "carbon_path.avoided_held_tco2" in chapter


def test_columns_find_their_theme_by_their_name():
    expected = {
        "yield_kwh": "sun", "demand_kwh": "energy", "home_demand_kwh": "energy", "avoided_tco2": "carbon",
        "park_area_m2": "access", "biotope_area_ratio_pct": "green", "building_count": "town", "yield_07_kwh": None, "name_ko": None,
    }  # fmt: skip
    assert {name: theme_of(name) for name in expected} == expected


def test_numbers_are_shown_with_thousands_and_missing_ones_with_a_dash():
    assert [shown(v, 2) for v in (None, np.nan, 0, 1234.56, 12.345, pd.NA)] == [DASH, DASH, "0", "1,235", "12.35", DASH]


def test_a_map_is_drawn_again_only_where_its_picture_would_change(tmp_path) -> None:
    shapes = shapely.box(np.arange(3) * 20.0, 0, np.arange(3) * 20.0 + 15, 15)
    parks = gpd.GeoDataFrame({"park_id": list("abc"), "name": list("가나다"), "area_m2": 225.0, "status": "built"},
                             geometry=shapes, crs="EPSG:5186")  # fmt: skip
    roofs = gpd.GeoDataFrame({"roof_id": list("abc"), "yield_kwh": [9e3, 2e4, 3e4], "specific_yield_kwh_kwp": [900.0, 1100.0, 1300.0]},
                             geometry=shapes, crs="EPSG:5186")  # fmt: skip
    keep = Kept(tmp_path)
    layers = {"districts": districts(), "parks": parks, "roofs": roofs}
    first = {name: layer_map(name, layers, ABOUT, keep) for name in ("parks", "roofs")}
    assert len(keep.taken()) == 2
    assert first == {name: layer_map(name, layers, ABOUT) for name in first}
    # other sums of the dongs, a park's other name and a yield within the same class of the legend change no picture
    style = drawn_of("roofs", roofs, ABOUT)
    same = roofs.assign(**{column: roofs[column] * (1 + 1e-6) for column in ("yield_kwh", "specific_yield_kwh_kwp")})
    assert drawn_of("roofs", same, ABOUT) == style
    later = {"districts": districts(factor=2.0), "parks": parks.assign(name="라"), "roofs": same}
    assert {name: layer_map(name, later, ABOUT, keep) for name in first} == first
    assert keep.taken() == []
    dimmer = roofs.assign(**{column: roofs[column] * 0.3 for column in ("yield_kwh", "specific_yield_kwh_kwp")})
    moved = parks.set_geometry(parks.translate(1, 0))
    fewer = {"districts": districts(district=False), "parks": parks, "roofs": roofs}
    for changed in (layers | {"roofs": dimmer}, layers | {"parks": moved}, fewer):
        for name in first:
            assert layer_map(name, changed, ABOUT, keep) == layer_map(name, changed, ABOUT)
    assert sorted(keep.taken()) == ["map.parks", "map.parks", "map.roofs", "map.roofs"]


def test_an_overview_that_is_drawn_already_is_taken_smaller(tmp_path) -> None:
    town = {"districts": districts(), "parcels": districts()[["area_m2", "geometry"]]}
    draw_map(town, tmp_path / "map.png", about=ABOUT)
    taken = overview({}, ABOUT, "existing", None, tmp_path / "map.png")
    assert taken == overview(town, ABOUT, "existing", None)
    with (
        Image.open(tmp_path / "map.png") as whole,
        Image.open(io.BytesIO(base64.b64decode(taken.split(",")[1]))) as small,
    ):
        assert small.size == (round(whole.width * 2 / 3), round(whole.height * 2 / 3))
