"""The shortlist by hand: who is a candidate, what a score is, who comes first, and what a card says."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.catalogue import LAYERS
from twin.money.systems import money_parameters
from twin.publish.about import ReleaseAbout
from twin.shortlist.candidates import roof_candidates, shortlist_parameters
from twin.shortlist.canopies import canopy_prices, open_lots
from twin.shortlist.cards import cards_page
from twin.shortlist.ranking import ranked
from twin.shortlist.roads import roads_of

CRS = "EPSG:5186"


def buildings(**changes):
    columns = {
        "building_id": ["a", "b", "c", "d"],
        "use_code": ["10201", "14101", "02001", "14000"],
        "name": ["햇빛초등학교", None, "아파트", "사무소"],
        "use": ["학교", "공공업무시설", "아파트", "사무소"],
        "dong_code": "4121010500",
        "roof_area_m2": [500.0, 300.0, 400.0, 400.0],
        "capacity_kwp": [50.0, 30.0, 40.0, 40.0],
        "yield_kwh": [60_000.0, 30_000.0, 44_000.0, 44_000.0],
        "avoided_tco2": 1.0,
        "capex_krw": 1.0,
        "npv_krw": 1.0,
        "lcoe_krw_kwh": 120.0,
        "payback_years": 9.0,
    }
    shapes = [shapely.box(x, 0, x + 10, 10) for x in (0, 20, 40, 60)]
    return gpd.GeoDataFrame(columns | changes, geometry=shapes, crs=CRS)


def roofs():
    return pd.DataFrame(
        {
            "building_id": ["a", "a", "b"],
            "capacity_kwp": [40.0, 10.0, 30.0],
            "shading_loss_pct": [5.0, 10.0, np.nan],
        }
    )


def test_schools_and_public_offices_are_candidates_and_no_other_building():
    found = roof_candidates(buildings(), roofs())
    assert list(found["site_id"]) == ["a", "b"]
    assert list(found["site_kind"]) == ["school", "public"]
    assert list(found["specific_yield_kwh_kwp"]) == [1200.0, 1000.0]
    # (40 * 5 + 10 * 10) / 50 = 6
    assert found["shading_loss_pct"].iloc[0] == pytest.approx(6.0)
    assert math.isnan(found["shading_loss_pct"].iloc[1])


def test_a_building_without_modules_is_none():
    assert roof_candidates(buildings(capacity_kwp=[0.0, np.nan, 40.0, 40.0]), roofs()).empty


def test_scores_by_hand():
    """Weights 0.35, 0.2, 0.15, 0.3; bounds 900-1250 kWh/kWp, 20-0 %, 100-0 m, 10-500 kWp in logarithms."""
    roads = gpd.GeoDataFrame({"road_source": ["roads"]}, geometry=[shapely.LineString([(-20, -5), (-20, 15)])], crs=CRS)
    found = ranked(roof_candidates(buildings(), roofs()), roads)
    assert list(found["site_id"]) == ["a", "b"]
    assert list(found["site_rank"]) == [1, 2]
    assert list(found["road_distance_m"]) == [20.0, 40.0]
    assert list(found["road_source"]) == ["roads", "roads"]
    size = math.log(5) / math.log(50)
    first = {"yield": 300 / 350, "shading": 0.7, "access": 0.8, "size": size}
    for name, score in first.items():
        assert found[f"{name}_score"].iloc[0] == pytest.approx(score)
    assert found["score"].iloc[0] == pytest.approx(0.35 * 300 / 350 + 0.2 * 0.7 + 0.15 * 0.8 + 0.3 * size)
    # unknown shading leaves its weight to the others
    told = 0.35 * 100 / 350 + 0.15 * 0.6 + 0.3 * math.log(3) / math.log(50)
    assert found["score"].iloc[1] == pytest.approx(told / 0.8)


def test_why_names_what_is_high_and_what_is_low():
    """From 0.7 strong, below 0.4 weak: a has 0.857, 0.7, no roads and 0.411; b 0.286, none, none and 0.281."""
    found = ranked(roof_candidates(buildings(), roofs()), None)
    assert found["why_ko"].tolist() == ["강점: 발전량, 음영", "약점: 발전량, 규모"]
    assert found["why_en"].tolist() == ["strong: yield, shading", "weak: yield, size"]


def test_without_roads_access_is_left_out_of_the_score():
    found = ranked(roof_candidates(buildings(), roofs()), None)
    assert found["access_score"].isna().all() and found["road_source"].isna().all()
    told = 0.35 * 300 / 350 + 0.2 * 0.7 + 0.3 * math.log(5) / math.log(50)
    assert found["score"].iloc[0] == pytest.approx(told / 0.85)


def test_of_equals_the_smaller_id_comes_first_and_fifty_are_listed():
    one = roof_candidates(buildings(), roofs()).iloc[[0]]
    many = pd.concat([one.assign(site_id=f"s{n:02d}") for n in reversed(range(60))], ignore_index=True)
    found = ranked(many, None)
    assert list(found["site_id"]) == [f"s{n:02d}" for n in range(50)]


def test_weights_are_stated_and_sum_to_one():
    values = shortlist_parameters()
    assert sum(values["weights"].values()) == pytest.approx(1.0)
    assert not values.record("weights").verified


def parcels():
    shapes = [shapely.box(0, 100, 20, 120), shapely.box(30, 100, 50, 120), shapely.box(60, 100, 80, 120)]
    columns = {"pnu": ["p1", "p2", "p3"], "jibun": ["1-1", None, "1-3"], "dong_code": "4121010500"}
    return gpd.GeoDataFrame(columns | {"jimok": ["차", "차", "도"]}, geometry=shapes, crs=CRS)


def plan():
    shapes = [shapely.box(28, 90, 58, 130), shapely.box(200, 0, 220, 20), shapely.box(300, 0, 320, 20)]
    columns = {
        "block_id": ["주1", "도1", "주2"],
        "use_class": ["parking", "road", "parking"],
        "dong_code": "4121010500",
    }
    return gpd.GeoDataFrame(columns | {"block_status": ["new", "new", "standing"]}, geometry=shapes, crs=CRS)


def test_car_parks_lose_what_is_built_on_them_and_what_the_plan_changes():
    houses = gpd.GeoDataFrame(geometry=[shapely.box(0, 100, 10, 120)], crs=CRS)
    today = open_lots(parcels(), houses, None, None)
    assert list(today["site_id"]) == ["p1", "p2"]
    assert list(today["name"]) == ["1-1 주차장", "주차장"]
    assert list(today.area) == [200.0, 400.0]
    blocks = plan()
    later = open_lots(parcels(), houses, blocks, blocks[blocks["block_status"] == "new"])
    assert list(later["site_id"]) == ["p1", "주1"]
    assert list(later.area) == [200.0, 1200.0]
    assert open_lots(None, houses, None, None).empty


def test_a_canopy_costs_more_than_a_roof_of_its_size():
    money, prices = money_parameters(), canopy_prices(shortlist_parameters())
    assert {size: price / money["capex"][size] for size, price in prices["capex"].items()} == pytest.approx(
        dict.fromkeys(money["capex"], 1.4)
    )
    assert {name: prices[name] for name in prices if name != "capex"} == {
        name: money[name] for name in money if name != "capex"
    }


def test_roads_are_centrelines_else_parcels_with_the_roads_of_the_plan():
    lines = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1, 1)])], crs=CRS)
    assert list(roads_of(lines, parcels(), None, None)["road_source"]) == ["roads"]
    blocks = plan()
    assert list(roads_of(None, parcels(), blocks, blocks.iloc[:2])["road_source"]) == ["parcels", "plan"]
    assert roads_of(None, None, None, None) is None


def test_cards_are_one_page_that_loads_nothing_and_escapes_names():
    named = buildings(name=["<b>학교</b>", None, "x", "y"])
    shortlist = LAYERS["shortlist"].finish(ranked(roof_candidates(named, roofs()), None))
    about = ReleaseAbout("가상 신도시", "Imaginary", CRS, "2025", unshaded=True, demo=True)
    page = cards_page(shortlist, named.geometry, pd.Series({"4121010500": "가학동"}), about, scenario="현재")
    assert page.count("<article") == 2
    assert "&lt;b&gt;학교&lt;/b&gt;" in page and "<b>학교" not in page
    assert "가학동" in page and "가상 데이터" in page
    # 60,000 kWh / (100 m2 x 36 kWh/m2)
    assert "17가구" in page
    for foreign in ("http:", "https:", "src=", "@import", "<script", "<link"):
        assert foreign not in page
