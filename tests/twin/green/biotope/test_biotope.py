"""Biotope area ratio and roof budget, against published examples, hand counts and properties."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geodata.errors import InputError
from geodata.parameters import Parameter, Parameters
from twin.green.biotope.budget import building_budget, curves, roof_budget, trade_off
from twin.green.biotope.ratio import parcel_targets, present_ratios, ratio_pct, surfaces_of
from twin.green.biotope.rules import RULE_SETS, SURFACES, build_rules, rule_set, surface_of_class, targets, verdict
from twin.green.biotope.surfaces import Surfaces, surface_areas, surface_pairs
from twin.green.cover import green_polygons
from twin.green.vegetation import Vegetation

CRS = "EPSG:5186"


def land_cover(*rows: tuple[str, shapely.Polygon]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"class_code": [code for code, _ in rows], "source": "sheet"}, geometry=[shape for _, shape in rows], crs=CRS
    )


def houses(*shapes: shapely.Polygon) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"building_id": [f"b{i}" for i in range(len(shapes))]}, geometry=list(shapes), crs=CRS)


def lots(*shapes: shapely.Polygon) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"pnu": [f"p{i}" for i in range(len(shapes))]}, geometry=list(shapes), crs=CRS)


def measured(features: gpd.GeoDataFrame, ground: Surfaces) -> pd.DataFrame:
    return surface_areas(features, "pnu", ground, surface_pairs(features, ground))


def areas(**given: float) -> pd.DataFrame:
    return pd.DataFrame([{name: given.get(name, 0.0) for name in SURFACES}])


def test_example_published_by_berlin():
    # senate of Berlin, worked example: lot of 479 m2, 279 built on, 140 asphalt, 59 half-open, 1 open soil: 31 / 479 = 0.06
    present = areas(roof=279, paved=140, bare=59, soil_green=1)
    assert ratio_pct(present, np.array([479.0]), rule_set("berlin"))[0] == pytest.approx(100 * 30.5 / 479)
    assert round(ratio_pct(present, np.array([479.0]), rule_set("berlin"))[0] / 100, 2) == 0.06


def test_roofs_come_first_then_what_an_image_sees_then_the_map():
    # 20 x 10 lot: wood 5 x 10, houses 15 x 10 with a roof 6 x 10 that reaches 1 m into the wood, and 2 x 10 of seen green
    layer = land_cover(("311", shapely.box(0, 0, 5, 10)), ("111", shapely.box(5, 0, 20, 10)))
    seen = Vegetation(np.array([shapely.box(12, 0, 14, 10)], dtype=object), CRS, 1.0, 0.3, "NDVI")
    ground = surfaces_of(layer, green_polygons(layer, seen), houses(shapely.box(4, 0, 10, 10)))
    table = measured(lots(shapely.box(0, 0, 20, 10)), ground).loc["p0"]
    assert table["roof"] == pytest.approx(60)
    assert table["soil_green"] == pytest.approx(40 + 20)
    assert table["paved"] == pytest.approx(20 + 60)
    ratios = present_ratios(lots(shapely.box(0, 0, 20, 10)), table.to_frame().T)
    assert ratios.loc["p0", "biotope_present_pct"] == pytest.approx(30)


def test_four_classes_by_hand():
    layer = land_cover(
        ("154", shapely.box(0, 0, 4, 10)),
        ("211", shapely.box(4, 0, 10, 5)),
        ("623", shapely.box(4, 5, 10, 8)),
        ("711", shapely.box(4, 8, 10, 10)),
    )
    lot = lots(shapely.box(0, 0, 10, 10))
    ratios = present_ratios(lot, measured(lot, surfaces_of(layer, None, None)))
    # 40 x 0 + 30 x 1 + 18 x 0.5 + 12 x 1
    assert ratios.loc["p0", "biotope_present_pct"] == pytest.approx(51)


def test_ground_that_is_hardly_known_has_no_ratio():
    layer = land_cover(("311", shapely.box(0, 0, 95, 1)), ("999", shapely.box(95, 0, 100, 1)))
    ground = surfaces_of(layer, None, None)
    both = lots(shapely.box(0, 0, 100, 1), shapely.box(0, 0, 101, 1))
    ratios = present_ratios(both, measured(both, ground))
    assert ratios.loc["p0", "biotope_present_pct"] == pytest.approx(95)
    assert np.isnan(ratios.loc["p1", "biotope_present_pct"])


def test_overlapping_footprints_count_once():
    layer = land_cover(("111", shapely.box(0, 0, 10, 10)))
    ground = surfaces_of(layer, None, houses(shapely.box(0, 0, 6, 10), shapely.box(4, 0, 8, 10)))
    table = measured(lots(shapely.box(0, 0, 10, 10)), ground).loc["p0"]
    assert table["roof"] == pytest.approx(80)
    assert table.sum() == pytest.approx(100)


def test_every_class_is_one_surface_and_greenhouses_are_roofs():
    assert len(surface_of_class()) == 41
    assert surface_of_class()["231"] == "roof"


def rules(weights: dict, *, verified: bool) -> Parameters:
    def record(value):
        return Parameter(value=value, unit="1", source="test", verified=verified)

    return Parameters(
        {
            "weights": record(weights),
            "target_by_zoning_pct": record({"주거지역": 30}),
            "target_by_jimok_pct": record({"대": 20, "학": 40}),
        }
    )


def test_rules_with_gaps_are_refused():
    full = dict.fromkeys(SURFACES, 0.5)
    with pytest.raises(InputError, match="paved"):
        build_rules("x", rules({k: v for k, v in full.items() if k != "paved"}, verified=True))
    with pytest.raises(InputError, match="0 to 1"):
        build_rules("x", rules(full | {"paved": 1.5}, verified=True))


def test_no_verdict_while_a_rule_is_unverified():
    ratio, target = pd.Series([10.0, 90.0, np.nan]), pd.Series([30.0, 30.0, 30.0])
    for name in RULE_SETS:
        assert not rule_set(name).verified
        assert set(verdict(rule_set(name), ratio, target).dropna()) == {"unverified"}
    checked = build_rules("x", rules(dict.fromkeys(SURFACES, 0.5), verified=True))
    assert verdict(checked, ratio, target).tolist()[:2] == ["below", "meets"]
    assert pd.isna(verdict(checked, ratio, target).iloc[2])


def test_targets_by_land_category_and_zoning():
    made = build_rules("x", rules(dict.fromkeys(SURFACES, 0.5), verified=False))
    land = pd.DataFrame(
        {
            "jimok": ["대", "대", "학", "전", "대"],
            "zoning": ["제2종일반주거지역", None, "제1종전용주거지역", "일반주거지역", "자연녹지지역"],
        }
    )
    told = targets(made, land)
    assert told["biotope_target_pct"].tolist()[:3] == [30, 20, 40]
    assert told["biotope_target_basis"].tolist()[:3] == ["zoning", "jimok", "jimok"]
    assert np.isnan(told["biotope_target_pct"].iloc[3])
    assert told["biotope_target_pct"].iloc[4] == 20


def test_parcels_without_zoning_get_the_target_of_their_category():
    ratios = pd.DataFrame({"biotope_present_pct": [10.0]}, index=pd.Index(["p0"], name="pnu"))
    told = parcel_targets(ratios, pd.DataFrame({"pnu": ["p0"], "jimok": ["학"]}), None)
    assert told.loc["p0", "biotope_target_pct"] == 40
    assert told.loc["p0", "biotope_check"] == "unverified"


def roof_frame(*planes: tuple[str, float, float, float, float]) -> gpd.GeoDataFrame:
    names = ["building_id", "tilt_deg", "area_m2", "usable_area_m2", "yield_kwh"]
    frame = pd.DataFrame(planes, columns=names)
    frame["roof_id"] = [f"r{i}" for i in range(len(frame))]
    frame["dong_code"] = "4121010500"
    return gpd.GeoDataFrame(frame, geometry=[shapely.box(0, 0, 1, 1)] * len(frame), crs=CRS)


def test_roof_budget_by_hand():
    # flat 100 m2 with 70 for modules: 80 could be planted, 10 beside modules; a gable of 60 degrees, 100 m2 along the slope
    roofs = roof_frame(("b0", 0.0, 100.0, 70.0, 9000.0), ("b1", 60.0, 100.0, 50.0, 5000.0))
    budget = roof_budget(roofs, houses(shapely.box(0, 0, 10, 10), shapely.box(0, 0, 10, 10)))
    assert budget["pv_m2"].tolist() == pytest.approx([70, 25])
    assert budget["green_m2"].tolist() == pytest.approx([10, 0])
    assert building_budget(roofs, budget).loc["b0"].tolist() == pytest.approx([70, 10])


def test_trade_off_by_hand():
    # the gable costs no plants and keeps its modules longest; ground 1,000 m2 with 200 m2 effective, planted roof counts 0.5
    roofs = roof_frame(("b0", 0.0, 100.0, 70.0, 7000.0), ("b1", 60.0, 100.0, 60.0, 3000.0))
    budget = roof_budget(roofs, houses(shapely.box(0, 0, 10, 10), shapely.box(0, 0, 10, 10)))
    ground = pd.DataFrame({"effective_m2": [200.0], "area_m2": [1000.0]}, index=["4121010500"])
    curve = trade_off(roofs, budget, roofs["dong_code"], ground, 0.5).set_index("pv_share_pct")
    assert curve.loc[0, ["pv_m2", "green_roof_m2", "yield_kwh"]].tolist() == pytest.approx([0, 80, 0])
    assert curve.loc[0, "biotope_pct"] == pytest.approx(24)
    assert curve.loc[30, ["pv_m2", "green_roof_m2", "yield_kwh"]].tolist() == pytest.approx([30, 80, 3000])
    # 65 m2: the gable and half of the flat roof
    assert curve.loc[100, ["pv_m2", "green_roof_m2", "yield_kwh"]].tolist() == pytest.approx([100, 10, 10000])
    assert curve.loc[100, "biotope_pct"] == pytest.approx(20.5)
    assert curve.loc[60, "yield_kwh"] == pytest.approx(3000 + 7000 * 30 / 70)
    assert curve.loc[60, "green_roof_m2"] == pytest.approx(80 - 70 * 30 / 70)


def test_district_counts_roofs_inside():
    roofs = roof_frame(("b0", 0.0, 100.0, 70.0, 7000.0))
    budget = roof_budget(roofs, houses(shapely.box(0, 0, 10, 10)))
    rows = gpd.GeoDataFrame(
        {"dong_code": ["4121010500", "DISTRICT"], "kind": ["legal_dong", "district"], "area_m2": [400.0, 100.0]},
        geometry=[shapely.box(0, 0, 20, 20), shapely.box(10, 10, 20, 20)],
        crs=CRS,
    )
    surfaces = pd.DataFrame(0.0, index=rows["dong_code"], columns=list(SURFACES))
    sums, curve = curves(roofs, budget, rows, surfaces)
    assert sums["green_roof_m2"].tolist() == pytest.approx([10, 0])
    assert set(curve["unit"]) == {"4121010500"}
    assert curves(roofs, budget, rows, None)[1] is None


PLANE = st.tuples(
    st.sampled_from(["b0", "b1", "b2"]), st.floats(0, 80), st.floats(0.1, 500), st.floats(0, 1), st.floats(0, 1e5)
)


@settings(max_examples=80, deadline=None)
@given(st.lists(PLANE, min_size=1, max_size=10), st.lists(st.floats(1, 400), min_size=3, max_size=3))
@example([("b0", 0.0, 1.0, 2.3e-308, 4.0)], [1.0, 1.0, 1.0])
def test_no_square_metre_of_roof_counts_twice(planes, footprints):
    """Modules and plants never take more than the roof, at any point of the curve, and more modules never give less energy."""
    roofs = roof_frame(*((b, tilt, area, share * area, kwh) for b, tilt, area, share, kwh in planes))
    buildings = houses(*(shapely.box(0, 0, size, 1) for size in footprints))
    budget = roof_budget(roofs, buildings)
    assert ((budget["pv_m2"] + budget["green_m2"]) <= budget["plan_m2"] + 1e-9).all()
    whole = building_budget(roofs, budget).sum(axis=1)
    assert (whole <= pd.Series(footprints, index=["b0", "b1", "b2"]).reindex(whole.index) + 1e-6).all()
    ground = pd.DataFrame({"effective_m2": [100.0], "area_m2": [1e5]}, index=["4121010500"])
    curve = trade_off(roofs, budget, roofs["dong_code"], ground, 0.5)
    roof = budget["plan_m2"].sum()
    assert (curve["pv_m2"] + curve["green_roof_m2"] <= roof + 1e-6).all()
    assert (np.diff(curve["yield_kwh"]) >= -1e-6).all()
    assert (np.diff(curve["biotope_pct"]) <= 1e-9).all()
