from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Transformer

from geodata.catalogue import LAYERS
from twin.publish.viewer.data import write_scenario
from twin.publish.viewer.page import LIBRARY, OWN, script_text, write_page

STEP = 1e-6


def read_call(path, skip):
    """The JSON argument of a data script, read without the page's own code."""
    text = path.read_text(encoding="utf-8")
    return json.loads(text[text.index(skip) + len(skip) : text.rindex(");")])


def tiles_of(folder, name):
    return {
        path.stem: read_call(path, f'TWIN.tile("{name}","{path.stem}",') for path in sorted(folder.glob("[0-9]*.js"))
    }


def decoded(shape):
    """Polygons of one shape, summed up step by step."""
    polygons = [[np.cumsum(np.reshape(ring, (-1, 2)), axis=0) * STEP for ring in rings] for rings in shape]
    return shapely.union_all([shapely.Polygon(shell, holes) for shell, *holes in polygons])


@pytest.fixture
def written(tmp_path, layers, plan_blocks, about):
    layers["plan_blocks"] = plan_blocks
    write_scenario(tmp_path / "planned", layers, about, "planned")
    return tmp_path / "planned"


def test_every_feature_is_in_one_tile_with_its_values(written, layers):
    tiles = tiles_of(written, "planned")
    for name, key in (("parcels", "pnu"), ("buildings", "building_id"), ("parks", "park_id")):
        found = [value for tile in tiles.values() if name in tile for value in tile[name]["columns"][key]]
        assert sorted(found) == sorted(layers[name][key])
    shown = {
        pnu: share
        for tile in tiles.values()
        if "parcels" in tile
        for pnu, share in zip(*(tile["parcels"]["columns"][c] for c in ("pnu", "green_cover_pct")), strict=True)
    }
    expected = layers["parcels"].set_index("pnu")["green_cover_pct"]
    assert all(shown[pnu] is None if np.isnan(value) else shown[pnu] == value for pnu, value in expected.items())
    assert any(value is None for value in shown.values())


def test_shapes_come_back_within_ten_centimetres(written, layers):
    """Rings with a hole too; the way back is the projection's own inverse."""
    to_metres = Transformer.from_crs("EPSG:4326", layers["parks"].crs, always_xy=True)
    for tile in tiles_of(written, "planned").values():
        for name, key in (("parks", "park_id"), ("buildings", "building_id")):
            if name not in tile:
                continue
            truth = layers[name].set_index(key).geometry
            for shape, one in zip(tile[name]["shapes"], tile[name]["columns"][key], strict=True):
                back = shapely.transform(decoded(shape), lambda c: np.column_stack(to_metres.transform(*c.T)))
                assert back.hausdorff_distance(truth[one]) < 0.1
                assert back.area == pytest.approx(truth[one].area, rel=0.01)


def test_a_search_entry_stands_in_its_own_parcel(written, layers):
    index = read_call(written / "index.js", 'TWIN.scenario("planned",')
    parcels = layers["parcels"].to_crs("EPSG:4326").set_index("pnu")
    assert len(index["search"]) == len(parcels)
    tiles = tiles_of(written, "planned")
    for pnu, jibun, key, x, y in index["search"]:
        assert parcels.loc[pnu].geometry.contains(shapely.Point(x, y))
        assert parcels.loc[pnu, "jibun"] == jibun
        assert pnu in tiles[key]["parcels"]["columns"]["pnu"]


def test_buildings_open_by_yield_parcels_by_green_blocks_by_use(written):
    layers = read_call(written / "index.js", 'TWIN.scenario("planned",')["layers"]
    assert layers["buildings"]["themes"][0]["column"] == "yield_kwh"
    assert "height" in {theme["column"] for theme in layers["buildings"]["themes"]}
    assert layers["parcels"]["themes"][0]["column"] == "green_cover_pct"
    uses = layers["plan_blocks"]["themes"][0]
    assert uses["column"] == "use_class"
    assert {c["value"]: c["ko"] for c in uses["classes"]}["apartment"] == "공동주택"


def test_shading_of_a_building_is_weighed_by_capacity(tmp_path, layers, about):
    """3 kWp that lose 10 % and 1 kWp that loses 2 % lose (30 + 2) / 4 = 8 % together."""
    two = gpd.GeoDataFrame(layers["roofs"].iloc[[0, 0]].copy().reset_index(drop=True), crs=layers["roofs"].crs)
    two["roof_id"], two["capacity_kwp"], two["shading_loss_pct"] = ["r1", "r2"], [3.0, 1.0], [10.0, 2.0]
    write_scenario(tmp_path / "s", {**layers, "roofs": LAYERS["roofs"].finish(two)}, about, "s")
    columns = [tile["buildings"]["columns"] for tile in tiles_of(tmp_path / "s", "s").values() if "buildings" in tile]
    losses = {key: loss for c in columns for key, loss in zip(c["building_id"], c["shading_loss_pct"], strict=True)}
    assert losses.pop(two["building_id"].iloc[0]) == 8.0
    assert set(losses.values()) == {None}


def test_a_card_names_the_sources_of_its_layer_alone(tmp_path, layers, about):
    info = layers["run_info"].iloc[[0, 0]].copy()
    info["topic"], info["name"] = "input file", ["a.zip", "b.zip"]
    info["source"] = ["국토교통부 연속지적도", "기후에너지환경부 토지피복지도"]
    info["note"] = ["parcels: AL_D002, 2026-06-09", "land_cover: SG05"]
    write_scenario(tmp_path / "s", {**layers, "run_info": info}, about, "s")
    told = read_call(tmp_path / "s" / "index.js", 'TWIN.scenario("s",')["layers"]
    assert told["parcels"]["sources"] == [
        ["국토교통부 연속지적도", "AL_D002, 2026-06-09"],
        ["기후에너지환경부 토지피복지도", "SG05"],
    ]
    assert told["parks"]["sources"] == []


def test_the_same_layers_give_the_same_bytes(tmp_path, layers, about):
    for name in ("a", "b"):
        write_scenario(tmp_path / name, layers, about, "existing")
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "b").iterdir())
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)


def test_no_value_can_end_the_script():
    evil = "</script><img src=x onerror=alert(1)>"
    text = script_text({"name": evil})
    assert "<" not in text
    assert json.loads(text) == {"name": evil}


def test_the_page_holds_everything_it_names(tmp_path, about):
    write_page(tmp_path, about, ["existing", "planned"])
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    for name in (*OWN, *LIBRARY):
        assert (tmp_path / name).stat().st_size > 0
    assert "http://" not in page
    assert "https://" not in page
    told = read_call(tmp_path / "data" / "scenarios.js", "TWIN.about(")
    assert told["scenarios"] == ["existing", "planned"]
    assert told["demo"] is True
