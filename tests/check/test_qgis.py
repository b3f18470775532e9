"""What a planner finds on opening a release in Debian's QGIS 3.22: valid layers, styles, Korean names, pictures."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image

from geodata.catalogue import LAYERS
from twin.publish.geopackage import ReleaseAbout, write_geopackage

pytestmark = [pytest.mark.check, pytest.mark.qgis]

DONG = "4121010700"


def some_layers() -> dict[str, pd.DataFrame]:
    i = np.arange(12)
    x, y = 185_000 + 50.0 * (i % 4), 538_000 + 40.0 * (i // 4)
    parcels = gpd.GeoDataFrame(
        {"pnu": [f"{DONG}1{1 + k:04d}0000" for k in i], "dong_code": DONG, "jibun": [f"{1 + k}대" for k in i], "jimok": "대", "area_m2": 1800.0,
         "source_rows": 1, "green_area_m2": 18.0 * 9 * i, "green_cover_pct": np.where(i == 11, np.nan, 9.0 * i)},
        geometry=shapely.box(x, y, x + 48, y + 38), crs="EPSG:5186",
    )  # fmt: skip
    buildings = gpd.GeoDataFrame(
        {"building_id": [f"b{k:02d}" for k in i], "pnu": parcels["pnu"], "dong_code": DONG, "name": [f"하늘마을 {k}동" for k in i], "use_code": "02001",
         "use": "아파트", "structure_code": "21", "structure": "철근콘크리트", "floors_above": 1 + i, "floors_below": 0, "height": 4.0 + 7 * i,
         "height_source": "floors", "footprint_area_m2": 400.0, "gross_floor_area_m2": np.nan, "approved_on": pd.Timestamp("2001-05-06"),
         "source_id": None, "yield_kwh": 2000.0 * (1 + i) ** 2},
        geometry=shapely.box(x + 10, y + 8, x + 36, y + 24), crs="EPSG:5186",
    )  # fmt: skip
    roofs = gpd.GeoDataFrame(
        {"roof_id": buildings["building_id"] + "-1", "building_id": buildings["building_id"], "pnu": parcels["pnu"], "dong_code": DONG, "tilt_deg": 0.0,
         "azimuth_deg": np.nan, "module_tilt_deg": 10.0, "module_azimuth_deg": 180.0, "area_m2": 400.0, "usable_area_m2": 200.0,
         "yield_kwh": 2000.0 * (1 + i) ** 2},
        geometry=buildings.geometry.to_numpy(), crs="EPSG:5186",
    )  # fmt: skip
    parks = gpd.GeoDataFrame(
        {"park_id": ["p1", "p2"], "name": ["가온공원", "나래공원"], "class_code": "UQT210", "class_ko": "근린공원", "class_en": "park",
         "status": ["built", "planned"], "dong_code": DONG, "area_m2": 2000.0},
        geometry=shapely.box([185_210, 185_210], [538_000, 538_060], [185_260, 185_260], [538_050, 538_110]), crs="EPSG:5186",
    )  # fmt: skip
    districts = gpd.GeoDataFrame(
        {"dong_code": [DONG], "name_ko": "가학동", "kind": "legal_dong", "area_m2": 40_000.0},
        geometry=[shapely.box(184_980, 537_980, 185_280, 538_130)], crs="EPSG:5186",
    )  # fmt: skip
    run_info = pd.DataFrame(
        {"topic": ["input"], "name": ["a.zip"], "value": ["1"], "unit": "", "source": "", "verified": pd.array([True], dtype="boolean"), "note": ""}
    )  # fmt: skip
    raw = {
        "districts": districts,
        "parcels": parcels,
        "buildings": buildings,
        "roofs": roofs,
        "parks": parks,
        "run_info": run_info,
    }
    return {name: LAYERS[name].finish(frame) for name, frame in raw.items()}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, probe_qgis) -> dict:
    folder = tmp_path_factory.mktemp("qgis")
    path = folder / "twin.gpkg"
    write_geopackage(
        path,
        some_layers(),
        ReleaseAbout("가온", "Gaon", "EPSG:5186", "2026-10-01", unshaded=True, demo=True, rights="시험용"),
    )
    before = path.read_bytes()
    path.chmod(0o444)
    told, messages = probe_qgis("qgis_probe.py", path, folder)
    assert path.read_bytes() == before
    assert sorted(p.name for p in folder.glob("twin.gpkg*")) == ["twin.gpkg"]
    return {**told, "folder": folder, "messages": messages}


def test_every_layer_is_valid_and_in_its_crs(found: dict) -> None:
    layers = found["layers"]
    assert set(layers) == {"districts", "parcels", "buildings", "roofs", "parks", "run_info"}
    for name, layer in layers.items():
        assert layer["valid"], name
        assert layer["crs"] == ("" if name == "run_info" else "EPSG:5186")
    assert {name: layer["features"] for name, layer in layers.items()} == {
        "districts": 1, "parcels": 12, "buildings": 12, "roofs": 12, "parks": 2, "run_info": 1,
    }  # fmt: skip
    assert "partially supported" not in found["messages"]


def test_styles_apply_by_themselves(found: dict) -> None:
    layers = found["layers"]
    assert {name: layer.get("renderer") for name, layer in layers.items()} == {
        "districts": "singleSymbol", "parcels": "graduatedSymbol", "buildings": "graduatedSymbol", "roofs": "graduatedSymbol",
        "parks": "categorizedSymbol", "run_info": None,
    }  # fmt: skip
    assert layers["buildings"]["legend"][0] == "6 m 이하 / ≤ 6 m"
    assert layers["parcels"]["legend"][-1] == "자료 없음 / no data"
    assert layers["buildings"]["styles"] == 3
    assert layers["parcels"]["label_scales"] == [2500, 0, True]


def test_names_are_korean_and_choices_are_lists(found: dict) -> None:
    buildings = found["layers"]["buildings"]
    assert buildings["aliases"]["height"] == "높이 (m)"
    assert buildings["aliases"]["yield_kwh"] == "연간 발전량 (kWh, 음영 미반영)"
    assert found["layers"]["run_info"]["aliases"]["value"] == "값"
    for name, layer in found["layers"].items():
        for field, alias in layer["aliases"].items():
            assert any("가" <= sign <= "힣" for sign in alias) or alias == "PNU", (name, field, alias)
    assert buildings["choices"]["height_source"][0] == {"대장·도면의 높이 / recorded height": "recorded"}
    assert buildings["widgets"]["approved_on"] == "DateTime"
    assert buildings["title"].startswith("건물 / Buildings (가상 데이터 / demo data)")
    assert buildings["rights"] == ["시험용"]
    assert "가상 데이터" in buildings["map_tip"]


def test_pictures_show_the_colours_of_the_styles(found: dict) -> None:
    def seen(name: str, colour: str) -> bool:
        picture = np.asarray(Image.open(found["folder"] / f"{name}.png").convert("RGB")).astype(int)
        wanted = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)])
        return bool((np.abs(picture - wanted).max(axis=2) <= 3).mean() > 0.002)

    assert seen("buildings", "#8856a7")
    assert seen("roofs", "#9c0824")
    assert seen("parcels", "#006837")
    assert seen("parcels", "#bcbcbc")  # the parcel that no land cover reaches
    assert seen("parks", "#2f9e77")
    assert found["together"]["errors"] == []
