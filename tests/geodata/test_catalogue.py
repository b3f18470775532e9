from __future__ import annotations

import re

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geodata.catalogue import LAYERS, PUBLISHED, LayerError
from geodata.catalogue.document import DOCUMENT, document
from geodata.catalogue.whatif import WHATIF_LAYERS

UNIT_SUFFIXES = {
    "m2": "_m2", "m": None, "%": "_pct", "%p": "_pct", "kWh": "_kwh", "kWp": "_kwp", "kWh/m2": "_kwh_m2", "kWh/kWp": "_kwh_kwp", "deg": "_deg", "층": "_limit",
    "kW": "_kw", "h": "_h", "KRW": "_krw", "KRW/kWh": "_krw_kwh", "a": "_years", "tCO2eq": "_tco2", "tCO2eq/MWh": "_tco2_mwh",
}  # fmt: skip
# design: these two names are fixed by other programs that read them
NAMES_WITHOUT_SUFFIX = {"height", "altitude"}


def parks(**changes):
    columns = {
        "park_id": ["b", "a"],
        "name": [None, "중앙공원"],
        "class_code": ["UQT200", "UQT220"],
        "class_ko": ["공원", "근린공원"],
        "class_en": ["park", "neighbourhood park"],
        "status": ["built", "planned"],
        "dong_code": [None, "4121010500"],
        "area_m2": [1.26, -0.0],
    }
    return gpd.GeoDataFrame(columns | changes, geometry=[shapely.box(0, 0, 1, 1)] * 2, crs="EPSG:5186")


@pytest.mark.parametrize("layer", LAYERS.values(), ids=lambda layer: layer.name)
def test_every_declaration_explains_itself(layer):
    assert len(set(layer.names)) == len(layer.names)
    assert layer.key is None or layer[layer.key].unique
    for field in layer.fields:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", field.name)
        assert field.ko, field.en
        if field.unit:
            suffix = UNIT_SUFFIXES[field.unit]
            assert field.name in NAMES_WITHOUT_SUFFIX or field.name.endswith(suffix or "_m"), field.name
        if field.kind == "real":
            assert field.decimals is not None, field.name


def test_shares_differ_by_percentage_points_everywhere():
    told = [field for layer in (*PUBLISHED.values(), *WHATIF_LAYERS.values()) for field in layer.fields]
    differences = {field.name: field.unit for field in told if re.search(r"_pct_change$|_change_pct$", field.name)}
    assert {"green_cover_pct_change", "self_sufficiency_pct_change", "biotope_change_pct"} <= set(differences)
    assert set(differences.values()) == {"%p"}
    assert {field.name for field in told if field.unit == "%p"} == set(differences)


def test_one_name_means_one_quantity_everywhere():
    seen = {}
    for layer in LAYERS.values():
        for field in layer.fields:
            assert seen.setdefault(field.name, (field.kind, field.unit)) == (field.kind, field.unit), field.name


def test_finish_sorts_rounds_and_makes_multipolygons():
    finished = LAYERS["parks"].finish(parks())
    assert list(finished["park_id"]) == ["a", "b"]
    assert list(finished["area_m2"]) == [0.0, 1.3]
    assert str(finished["area_m2"].iloc[0]) == "0.0"
    assert set(finished.geom_type) == {"MultiPolygon"}
    assert all(shapely.is_ccw(g.geoms[0].exterior) for g in finished.geometry)
    assert LAYERS["parks"].problems(finished, "EPSG:5186") == []


def test_finish_names_what_is_missing():
    with pytest.raises(LayerError, match="status"):
        LAYERS["parks"].finish(parks().drop(columns="status"))


def test_finish_names_a_value_that_is_no_number():
    with pytest.raises(LayerError, match="area_m2"):
        LAYERS["parks"].finish(parks(area_m2=["1", "넓음"]))


@pytest.mark.parametrize(
    ("changes", "crs", "words"),
    [
        ({"status": ["built", "gone"]}, "EPSG:5186", "status"),
        ({"park_id": ["a", "a"]}, "EPSG:5186", "park_id"),
        ({"dong_code": ["41210", "4121010500"]}, "EPSG:5186", "dong_code"),
        ({"area_m2": [-5.0, 1.0]}, "EPSG:5186", "area_m2"),
        ({"class_code": [None, "UQT220"]}, "EPSG:5186", "class_code"),
        ({}, "EPSG:5179", "CRS"),
        ({"extra": [1, 2]}, "EPSG:5186", "extra"),
    ],
)
def test_problems_name_the_column(changes, crs, words):
    frame = parks(**changes)
    finished = LAYERS["parks"].finish(frame)
    if "extra" in changes:
        finished["extra"] = [1, 2]
    found = LAYERS["parks"].problems(finished, crs)
    assert len(found) == 1
    assert words in found[0]


def test_problems_name_invalid_geometry():
    finished = LAYERS["parks"].finish(parks())
    bow_tie = shapely.MultiPolygon([shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])])
    finished.loc[0, "geometry"] = bow_tie
    assert LAYERS["parks"].problems(finished, "EPSG:5186") == ["parks: 1 invalid geometries"]


def test_a_column_whose_physics_is_not_computed_is_not_published():
    roofs = LAYERS["roofs"]
    optional = {f.name for f in roofs.fields if not f.required}
    assert {"sky_view", "shading_loss_pct", "yield_kwh", "yield_p90_kwh"} <= optional
    assert roofs["yield_kwh"].label("ko", unshaded=True) == "연간 발전량 (kWh, 음영 미반영)"
    assert roofs["yield_kwh"].label("ko") == "연간 발전량 (kWh)"
    assert roofs["area_m2"].label("en", unshaded=True) == "Roof plane area (m2)"


def test_dates_and_missing_numbers_keep_their_type():
    finished = LAYERS["buildings"].finish(
        gpd.GeoDataFrame(
            {
                "building_id": ["x"], "pnu": [None], "dong_code": [None], "name": [None], "use_code": ["01000"], "use": ["단독주택"],
                "structure_code": [None], "structure": [None], "floors_above": [None], "floors_below": [0], "height": [6.123],
                "height_source": ["floors"], "footprint_area_m2": [100.04], "gross_floor_area_m2": [None],
                "approved_on": [pd.Timestamp("1999-05-01")], "source_id": [None],
            },
            geometry=[shapely.box(0, 0, 10, 10)], crs="EPSG:5186",
        )
    )  # fmt: skip
    assert finished["floors_above"].dtype == "Int64"
    assert finished["floors_above"].isna().all()
    assert finished["height"].iloc[0] == 6.12
    assert finished["approved_on"].iloc[0] == pd.Timestamp("1999-05-01")
    assert finished["use_code"].iloc[0] == "01000"
    assert "altitude" not in finished.columns


def test_the_data_dictionary_is_that_of_the_catalogue():
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run: make docs"


def test_the_data_dictionary_tells_every_column_with_its_labels():
    text = DOCUMENT.read_text(encoding="utf-8")
    for layer in PUBLISHED.values():
        chapter = text.split(f"\n## {layer.name}\n")[1].split("\n## ")[0]
        for field in layer.fields:
            assert f"| `{field.name}` | {field.ko} | {field.en} |" in chapter
