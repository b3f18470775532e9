"""What refuses a CityJSON file, beside what the reader of the standard's own circle refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geodata.catalogue import LAYERS
from twin.publish.about import ReleaseAbout
from twin.publish.city3d.check import cityjson_problems
from twin.publish.city3d.town import write_town


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> dict:
    """A block, a block with a courtyard, a building of two parts, and a gable of known planes."""
    boxes = [shapely.box(185_000 + 40 * i, 538_000, 185_020 + 40 * i, 538_012) for i in range(4)]
    boxes[1] = boxes[1].difference(shapely.box(185_045, 538_003, 185_055, 538_008))
    boxes[2] = shapely.MultiPolygon([boxes[2], shapely.box(185_080, 538_020, 185_090, 538_030)])
    raw = gpd.GeoDataFrame(
        {"building_id": list("abcd"), "pnu": None, "dong_code": "4121010700", "name": "가온", "use_code": "02001", "use": "아파트",
         "structure_code": "21", "structure": None, "height": [9.0, 12.0, 15.0, 9.0], "height_source": "recorded", "floors_above": 3,
         "floors_below": 0, "altitude": 20.0, "footprint_area_m2": shapely.area(boxes), "gross_floor_area_m2": None,
         "approved_on": None, "source_id": None},
        geometry=boxes, crs="EPSG:5186",
    )  # fmt: skip
    planes = gpd.GeoDataFrame(
        {"building_id": ["d", "d"], "tilt_deg": 25.0, "azimuth_deg": [180.0, 0.0], "top_m": 9.0},
        geometry=[shapely.box(185_120, 538_000, 185_140, 538_006), shapely.box(185_120, 538_006, 185_140, 538_012)],
        crs="EPSG:5186",
    )
    out = tmp_path_factory.mktemp("city3d")
    about = ReleaseAbout("가온", "Gaon", "EPSG:5186", "2026-10-01", unshaded=True, demo=True)
    assert write_town(out, LAYERS["buildings"].finish(raw), planes, about, name="check/existing")["roof_shapes"] == 1
    assert cityjson_problems(out / "town.city.json") == []
    return json.loads((out / "town.city.json").read_text(encoding="utf-8"))


def read_by_others(model: dict) -> int:
    cityjson_lib = pytest.importorskip("cityjson_lib", reason="there is no wheel of cityjson-lib for this machine")
    raw = json.dumps(model, ensure_ascii=False).encode()
    return cityjson_lib.CityModel.parse_document_bytes(raw).summary().cityobject_count


def test_the_reader_of_the_standards_circle_takes_it(model):
    assert read_by_others(model) == 4
    assert {g["type"] for thing in model["CityObjects"].values() for g in thing["geometry"]} == {"Solid", "MultiSolid"}
    assert {g["lod"] for g in model["CityObjects"]["d"]["geometry"]} >= {"2.0"}


def first(model: dict) -> dict:
    return model["CityObjects"]["a"]["geometry"][0]


BOTH: dict[str, Callable[[dict], object]] = {
    "an object of no known kind": lambda m: m["CityObjects"]["a"].update(type="House"),
    "a surface of no known kind": lambda m: first(m)["semantics"]["surfaces"][0].update(type="Lid"),
    "a corner that is not there": lambda m: first(m)["boundaries"][0][0][0].__setitem__(0, 10**6),
    "too flat a nesting": lambda m: first(m).update(boundaries=[[1, 2, 3]]),
    "a parent that is not there": lambda m: m["CityObjects"]["a"].update(parents=["zz"]),
    "another version": lambda m: m.update(version="3.7"),
    "half an extent": lambda m: m["metadata"].update(geographicalExtent=[1.0, 2.0, 3.0]),
}
OURS: dict[str, Callable[[dict], object]] = {
    "no transform": lambda m: m.pop("transform"),
    "no level of detail": lambda m: first(m).pop("lod"),
    "a corner between millimetres": lambda m: m["vertices"].__setitem__(0, [0.5, 0, 0]),
    "a face without meaning": lambda m: first(m)["semantics"]["values"][0].pop(),
    "a meaning that is not there": lambda m: first(m)["semantics"]["values"][0].__setitem__(0, 9),
    "a ring of two corners": lambda m: first(m)["boundaries"][0][0].__setitem__(0, [0, 1]),
    "a missing wall": lambda m: (first(m)["boundaries"][0].pop(), first(m)["semantics"]["values"][0].pop()),
    "a face turned over": lambda m: first(m)["boundaries"][0][0][0].reverse(),
    "a CRS of no form": lambda m: m["metadata"].update(referenceSystem="EPSG:5186"),
    "a corner that nothing uses": lambda m: m["vertices"].append([1, 2, 3]),
    "a member of ours": lambda m: first(m).update(colour="red"),
}


@pytest.mark.parametrize("fault", [*BOTH, *OURS])
def test_each_fault_is_found(model, fault, tmp_path: Path):
    harmed = copy.deepcopy(model)
    {**BOTH, **OURS}[fault](harmed)
    path = tmp_path / "town.city.json"
    path.write_text(json.dumps(harmed, ensure_ascii=False), encoding="utf-8")
    assert cityjson_problems(path)
    if fault in BOTH:
        with pytest.raises(RuntimeError):
            read_by_others(harmed)


def test_a_cut_file_is_told(tmp_path: Path):
    path = tmp_path / "town.city.json"
    path.write_text('{"type": "CityJSON", "vers', encoding="utf-8")
    assert cityjson_problems(path)[0].startswith("town.city.json: cannot be read as CityJSON")
