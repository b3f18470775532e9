"""The three-dimensional town, read back with nothing of the code that wrote it."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
from pyproj import Transformer

from twin.publish.city3d.place import Frame, globe_coordinates
from twin.publish.city3d.town import city3d_parameters, write_town
from twin.publish.validate import validate_geopackage

OFFSET_M = 22.9


@pytest.fixture
def folder(tmp_path, layers, about):
    (tmp_path / "a").mkdir()
    write_town(tmp_path / "a", layers["buildings"], None, about, name="test/existing")
    return tmp_path / "a"


def read_glb(path):
    raw = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", raw)
    assert (magic, version, length) == (b"glTF", 2, len(raw))
    size, kind = struct.unpack_from("<I4s", raw, 12)
    assert kind == b"JSON"
    gltf = json.loads(raw[20 : 20 + size])
    return gltf, raw[28 + size :]


def column(gltf, body, name):
    table = gltf["extensions"]["EXT_structural_metadata"]["propertyTables"][0]
    entry = table["properties"][name]
    view = gltf["bufferViews"][entry["values"]]
    raw = body[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
    if "stringOffsets" not in entry:
        return np.frombuffer(raw, dtype="<f8")
    view = gltf["bufferViews"][entry["stringOffsets"]]
    offsets = np.frombuffer(body, dtype="<u4", count=table["count"] + 1, offset=view["byteOffset"])
    return [raw[a:b].decode() for a, b in pairwise(offsets.tolist())]


def corners(gltf, body, tileset):
    """Geocentric coordinates and feature of each corner of a tile, by the rules of glTF and 3D Tiles."""
    attributes = gltf["meshes"][0]["primitives"][0]["attributes"]

    def numbers(name, dtype, width):
        accessor = gltf["accessors"][attributes[name]]
        view = gltf["bufferViews"][accessor["bufferView"]]
        raw = np.frombuffer(body, dtype=np.uint8, count=view["byteLength"], offset=view["byteOffset"])
        rows = np.ascontiguousarray(
            raw.reshape(accessor["count"], view["byteStride"])[:, : width * np.dtype(dtype).itemsize]
        )
        return rows.view(dtype)

    node = gltf["nodes"][0]
    y_up = numbers("POSITION", "<i2", 3) * np.array(node["scale"]) + np.array(node["translation"])
    z_up = np.column_stack([y_up[:, 0], -y_up[:, 2], y_up[:, 1], np.ones(len(y_up))])
    matrix = np.array(tileset["root"]["transform"]).reshape(4, 4).T
    return (z_up @ matrix.T)[:, :3], numbers("_FEATURE_ID_0", "<u2", 1)[:, 0]


def tiles_of(tile):
    return [tile, *(t for child in tile.get("children", []) for t in tiles_of(child))]


def test_every_building_stands_in_one_tile_at_its_place(folder, layers):
    tileset = json.loads((folder / "tileset.json").read_text(encoding="utf-8"))
    assert tileset["asset"]["version"] == "1.1"
    assert tileset["asset"]["extras"]["geoid_offset_m"] == OFFSET_M
    back = Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)
    flat = Transformer.from_crs("EPSG:4326", "EPSG:5186", always_xy=True)
    buildings = layers["buildings"].set_index("building_id")
    median = buildings["altitude"].median()
    seen = []
    for tile in tiles_of(tileset["root"]):
        if "content" not in tile:
            continue
        gltf, body = read_glb(folder / tile["content"]["uri"])
        ids, heights = column(gltf, body, "building_id"), column(gltf, body, "height")
        where, feature = corners(gltf, body, tileset)
        longitude, latitude, up = back.transform(*where.T)
        west, south, east, north, low, high = tile["boundingVolume"]["region"]
        assert (np.radians(longitude) >= west).all()
        assert (np.radians(longitude) <= east).all()
        assert (np.radians(latitude) >= south).all()
        assert (np.radians(latitude) <= north).all()
        assert up.min() >= low
        assert up.max() <= high
        x, y = flat.transform(longitude, latitude)
        for number, name in enumerate(ids):
            own = feature == number
            building = buildings.loc[name]
            assert heights[number] == building["height"]
            bounds = [x[own].min(), y[own].min(), x[own].max(), y[own].max()]
            assert bounds == pytest.approx(building.geometry.bounds, abs=0.02)
            ground = building["altitude"] if np.isfinite(building["altitude"]) else median
            assert up[own].min() == pytest.approx(ground + OFFSET_M, abs=0.02)
            assert up[own].max() == pytest.approx(ground + OFFSET_M + building["height"], abs=0.02)
        seen += ids
    assert sorted(seen) == sorted(buildings.index)


def test_a_tile_shows_more_than_its_children_lack(folder):
    root = json.loads((folder / "tileset.json").read_text(encoding="utf-8"))["root"]
    for tile in tiles_of(root):
        for child in tile.get("children", []):
            assert child["geometricError"] <= tile["geometricError"]
            outer, inner = tile["boundingVolume"]["region"], child["boundingVolume"]["region"]
            assert outer[0] <= inner[0]
            assert outer[3] >= inner[3]


def test_the_property_table_tells_what_is_unknown(folder, layers):
    tileset = json.loads((folder / "tileset.json").read_text(encoding="utf-8"))
    properties = tileset["schema"]["classes"]["building"]["properties"]
    assert properties["height"]["name"] == "높이 (m)"
    assert properties["yield_kwh"]["description"] == "Yearly yield (kWh, unshaded)"
    unknown = layers["buildings"].set_index("building_id")["altitude"].isna()
    for path in (folder / "tiles").glob("*.glb"):
        gltf, body = read_glb(path)
        told = column(gltf, body, "altitude") == properties["altitude"]["noData"]
        assert told.tolist() == unknown[column(gltf, body, "building_id")].tolist()


def test_cityjson_reads_as_the_buildings_that_were_written(folder, layers, about):
    path = folder / "town.city.json"
    # a process of its own: importing cjio changes how json writes numbers
    command = [Path(sys.executable).with_name("cjio"), path, "info"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert "CityJSON version = 2.0" in done.stdout
    assert f"Building ({len(layers['buildings'])})" in done.stdout
    raw = json.loads(path.read_text(encoding="utf-8"))
    assert raw["metadata"]["referenceSystem"] == "https://www.opengis.net/def/crs/EPSG/0/5186"
    assert "가상 데이터" in raw["metadata"]["title"]
    vertices = np.array(raw["vertices"]) * raw["transform"]["scale"] + raw["transform"]["translate"]
    assert len(np.unique(vertices, axis=0)) == len(vertices)
    used = set()
    buildings = layers["buildings"].set_index("building_id")
    assert set(raw["CityObjects"]) == set(buildings.index)
    for name, thing in raw["CityObjects"].items():
        (solid,) = thing["geometry"]
        assert (solid["type"], solid["lod"]) == ("Solid", "1.2")
        (shell,) = solid["boundaries"]
        assert len(solid["semantics"]["values"][0]) == len(shell)
        index = [number for face in shell for ring in face for number in ring]
        used.update(index)
        low, high = vertices[index].min(axis=0), vertices[index].max(axis=0)
        assert high[2] - low[2] == pytest.approx(buildings.loc[name, "height"], abs=0.001)
        assert [*low[:2], *high[:2]] == pytest.approx(buildings.loc[name].geometry.bounds, abs=0.001)
        attributes = thing["attributes"]
        assert attributes["height"] == buildings.loc[name, "height"]
        assert None not in attributes.values()
    assert used == set(range(len(vertices)))


def test_the_geopackage_holds_buildings_alone(folder, layers):
    path = folder / "buildings.gpkg"
    assert validate_geopackage(path) == []
    shapes = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
    assert shapes == ["buildings"]
    frame = gpd.read_file(path, layer="buildings")
    assert {"height", "altitude"} <= set(frame.columns)
    assert len(frame) == len(layers["buildings"])


def test_the_same_town_gives_the_same_bytes(folder, tmp_path, layers, about):
    (tmp_path / "b").mkdir()
    write_town(tmp_path / "b", layers["buildings"].copy(), None, about, name="test/existing")
    names = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(tmp_path / "b") for p in (tmp_path / "b").rglob("*") if p.is_file())
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_the_geoid_lifts_along_the_plumb_line():
    points = np.array([[185_000.0, 538_000.0, 30.0]])
    _, low = globe_coordinates(points, "EPSG:5186", 0.0)
    globe, high = globe_coordinates(points, "EPSG:5186", 22.9)
    assert np.linalg.norm(high - low) == pytest.approx(22.9)
    frame = Frame.at(globe[0, 0], globe[0, 1])
    assert frame.local(high)[0] == pytest.approx([0, 0, 52.9], abs=1e-6)
    assert not city3d_parameters().record("geoid_offset_m").verified
