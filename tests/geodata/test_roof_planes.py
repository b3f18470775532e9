"""City models: synthetic houses in EPSG:5186 with closed forms, and two public samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.city_json import buildings_of, parse_city_json
from geodata.clean.roof_planes import area_vectors, clean_roof_planes, orientation
from geodata.crs import identify
from geodata.errors import InputError
from geodata.inbox import take_inventory
from geodata.study_area import StudyArea
from geodata.vector_file import read_dataset
from twin.solar.roofs import roof_planes

X, Y = 186_000.0, 537_000.0
EAVES, RIDGE, WIDTH, LENGTH = 5.0, 8.0, 8.0, 12.0
"""A gable roof: 8 m deep, 12 m long, ridge east-west; each slope rises 3 m over 4 m: 36.87 degrees."""
TILT = np.degrees(np.arctan2(RIDGE - EAVES, WIDTH / 2))


class Model:
    """Writes CityJSON: vertices as integers of a millimetre."""

    def __init__(self) -> None:
        self.vertices: list[list[int]] = []
        self.objects: dict[str, Any] = {}

    def ring(self, *points: tuple[float, float, float]) -> list[int]:
        start = len(self.vertices)
        self.vertices += [[round((v - t) * 1000) for v, t in zip(p, (X, Y, 0.0), strict=True)] for p in points]
        return list(range(start, start + len(points)))

    def add(
        self, key: str, surfaces: list[tuple[str, list[list[int]]]], *, solid: bool = True, lod: str = "2", **more: Any
    ) -> None:
        kinds = [kind for kind, _ in surfaces]
        values: list = list(range(len(surfaces)))
        boundaries: list = [rings for _, rings in surfaces]
        geometry = {
            "type": "Solid" if solid else "MultiSurface",
            "lod": lod,
            "boundaries": [boundaries] if solid else boundaries,
            "semantics": {"surfaces": [{"type": kind} for kind in kinds], "values": [values] if solid else values},
        }
        self.objects.setdefault(key, {"type": "Building", "geometry": []})
        self.objects[key]["geometry"].append(geometry)
        self.objects[key].update(more)

    def gable(self, key: str, west: float = 0.0, south: float = 0.0, turn: float = 0.0, **more: Any) -> None:
        """A gable house whose long side runs east-west, turned clockwise by ``turn`` degrees about its corner."""
        a = np.radians(turn)

        def at(e: float, n: float, z: float) -> tuple[float, float, float]:
            return (X + west + e * np.cos(a) + n * np.sin(a), Y + south - e * np.sin(a) + n * np.cos(a), z)

        middle = WIDTH / 2
        self.add(
            key,
            [
                ("GroundSurface", [self.ring(at(0, 0, 0), at(0, WIDTH, 0), at(LENGTH, WIDTH, 0), at(LENGTH, 0, 0))]),
                ("WallSurface", [self.ring(at(0, 0, 0), at(LENGTH, 0, 0), at(LENGTH, 0, EAVES), at(0, 0, EAVES))]),
                ("RoofSurface", [self.ring(at(0, 0, EAVES), at(LENGTH, 0, EAVES), at(LENGTH, middle, RIDGE), at(0, middle, RIDGE))]),
                ("RoofSurface", [self.ring(at(0, middle, RIDGE), at(LENGTH, middle, RIDGE), at(LENGTH, WIDTH, EAVES), at(0, WIDTH, EAVES))]),
            ],
            **more,
        )  # fmt: skip

    def write(
        self, path: Path, version: str = "2.0", crs: str | None = "https://www.opengis.net/def/crs/EPSG/0/5186"
    ) -> Path:
        document = {
            "type": "CityJSON",
            "version": version,
            "transform": {"scale": [0.001, 0.001, 0.001], "translate": [X, Y, 0.0]},
            "CityObjects": self.objects,
            "vertices": self.vertices,
        }
        if crs is not None:
            document["metadata"] = {"referenceSystem": crs}
        path.write_text(json.dumps(document), encoding="utf-8")
        return path


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def area() -> StudyArea:
    box = shapely.box(X - 500, Y - 500, X + 500, Y + 500)
    dongs = gpd.GeoDataFrame({"dong_code": ["4121010500"], "name_ko": ["노온사동"]}, geometry=[box], crs="EPSG:5186")
    return StudyArea("EPSG:5186", box, dongs)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def _buildings(*shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    count = len(shapes)
    return gpd.GeoDataFrame(
        {
            "building_id": [f"b{i}" for i in range(1, count + 1)],
            "pnu": ["4121010500100010000"] * count,
            "dong_code": ["4121010500"] * count,
        },
        geometry=list(shapes),
        crs="EPSG:5186",
    )


HOUSE = shapely.box(X, Y, X + LENGTH, Y + WIDTH)


def _clean(inbox: Path, area: StudyArea, buildings: gpd.GeoDataFrame):
    found = take_inventory(inbox)
    assert [p.what for p in found.problems if p.fatal] == []
    raw = [read_dataset(inbox, dataset, "EPSG:5186", area.area.bounds) for dataset in found.datasets_for("roof_planes")]
    return clean_roof_planes(raw, area, buildings)


@pytest.mark.parametrize("version", ["1.1", "2.0"])
def test_a_gable_house_from_file_to_roof(inbox, model, area, version):
    model.gable("house")
    model.write(inbox / "모델.json", version)
    layer = _clean(inbox, area, _buildings(HOUSE))
    roofs = roof_planes(_buildings(HOUSE), layer.features).sort_values("azimuth_deg", ignore_index=True)
    # the northern slope looks north, the southern one south
    assert np.cos(np.radians(roofs["azimuth_deg"])).to_numpy() == pytest.approx([1, -1], abs=1e-6)
    assert roofs["tilt_deg"].to_numpy() == pytest.approx([TILT, TILT], abs=1e-4)
    # 12 m long, 5 m along the slope (3-4-5); seen from above 12 x 4
    assert roofs["area_m2"].to_numpy() == pytest.approx([60.0, 60.0], abs=0.01)
    assert roofs.geometry.area.to_numpy() == pytest.approx([48.0, 48.0], abs=0.01)
    assert roofs["area_m2"].to_numpy() == pytest.approx(roofs.geometry.area / np.cos(np.radians(TILT)), rel=1e-6)
    # flush with the roof
    assert roofs["module_tilt_deg"].to_numpy() == pytest.approx([TILT, TILT], abs=1e-4)
    assert layer.account.as_dict() == {
        "source": "roof_planes", "read": 2, "outside": 0, "published": 2, "merged": 0, "reasoned": 0,
    }  # fmt: skip


@pytest.mark.parametrize("turn", [0.0, 37.0, 90.0, 200.0])
def test_azimuth_turns_with_the_house(inbox, model, area, turn):
    model.gable("house", turn=turn)
    model.write(inbox / "a.json")
    footprint = buildings_of(parse_city_json((inbox / "a.json").read_bytes())).geometry.iloc[0]
    features = _clean(inbox, area, _buildings(footprint)).features
    expected = sorted([turn % 360, (180 + turn) % 360])
    found = sorted(features["azimuth_deg"] % 359.9999)
    assert found == pytest.approx(expected, abs=0.02)


def test_area_vector_of_a_triangle_against_the_cross_product():
    corners = np.array([[1.0, 2.0, 3.0], [4.0, 2.5, 3.5], [2.0, 6.0, 5.0]])
    expected = np.cross(corners[1] - corners[0], corners[2] - corners[0]) / 2
    assert area_vectors(np.array([shapely.Polygon(corners)]))[0] == pytest.approx(expected)
    far = corners + np.array([1e6, 2e6, 0])
    assert area_vectors(np.array([shapely.Polygon(far)]))[0] == pytest.approx(expected, abs=1e-6)


def test_orientation_of_known_normals():
    tilt, azimuth = orientation(np.array([[0, 0, 5.0], [0, -1, 1], [1, 0, 1], [-1, 0, -1], [0, 1e-20, 1], [1, 0, 0]]))
    assert tilt == pytest.approx([0, 45, 45, 45, 0, 90])
    # the fourth was wound the wrong way round: turned over it looks east
    assert azimuth[1:5] == pytest.approx([180, 90, 90, 0])


def test_triangles_of_one_plane_become_one(inbox, model, area):
    corners = [(X, Y, EAVES), (X + LENGTH, Y, EAVES), (X + LENGTH, Y + WIDTH, EAVES + 2), (X, Y + WIDTH, EAVES + 2)]
    one, two = model.ring(corners[0], corners[1], corners[2]), model.ring(corners[0], corners[2], corners[3])
    model.add("house", [("RoofSurface", [one]), ("RoofSurface", [two])], solid=False)
    model.write(inbox / "a.json")
    layer = _clean(inbox, area, _buildings(HOUSE))
    assert len(layer.features) == 1
    assert layer.features["tilt_deg"].iloc[0] == pytest.approx(np.degrees(np.arctan2(2, WIDTH)), abs=1e-4)
    assert layer.features.geometry.iloc[0].equals(HOUSE)
    assert (layer.account.merged, list(layer.quality["reason"])) == (1, ["roof_coplanar"])


def test_flat_terraces_at_different_heights_stay_apart(inbox, model, area):
    low = model.ring((X, Y, 3), (X + 6, Y, 3), (X + 6, Y + WIDTH, 3), (X, Y + WIDTH, 3))
    high = model.ring((X + 6, Y, 9), (X + LENGTH, Y, 9), (X + LENGTH, Y + WIDTH, 9), (X + 6, Y + WIDTH, 9))
    model.add("house", [("RoofSurface", [low]), ("RoofSurface", [high])], solid=False)
    model.write(inbox / "a.json")
    features = _clean(inbox, area, _buildings(HOUSE)).features
    assert len(features) == 2
    assert (features["tilt_deg"] == 0).all()
    assert features["azimuth_deg"].isna().all()


def test_a_hole_in_a_roof_is_no_roof(inbox, model, area):
    outer = model.ring((X, Y, 3), (X + LENGTH, Y, 3), (X + LENGTH, Y + WIDTH, 3), (X, Y + WIDTH, 3))
    yard = model.ring((X + 4, Y + 3, 3), (X + 4, Y + 5, 3), (X + 8, Y + 5, 3), (X + 8, Y + 3, 3))
    model.add("house", [("RoofSurface", [outer, yard])], solid=False)
    model.write(inbox / "a.json")
    assert _clean(inbox, area, _buildings(HOUSE)).features["area_m2"].iloc[0] == pytest.approx(96 - 8)


def test_every_surface_is_accounted_for(inbox, model, area):
    """Two planes of a known house; one of an unknown one; one outside; a wall; a scrap; a line; a third of a big building."""
    model.gable("known")
    flat = [(40, 0, 10, 8), (900, 0, 10, 8), (100, 0, 10, 10)]
    for number, (west, south, wide, deep) in enumerate(flat):
        ring = model.ring(
            (X + west, Y + south, 4), (X + west + wide, Y + south, 4), (X + west + wide, Y + south + deep, 4), (X + west, Y + south + deep, 4)
        )  # fmt: skip
        model.add(f"flat{number}", [("RoofSurface", [ring])], solid=False)
    wall = model.ring((X, Y, 0), (X + 5, Y, 0), (X + 5, Y + 0.1, 5), (X, Y + 0.1, 5))
    scrap = model.ring((X, Y, 6), (X + 0.5, Y, 6), (X + 0.5, Y + 0.5, 6), (X, Y + 0.5, 6))
    line = model.ring((X, Y, 6), (X + 1, Y, 6), (X + 2, Y, 6))
    model.add("odd", [("RoofSurface", [wall]), ("RoofSurface", [scrap]), ("RoofSurface", [line])], solid=False)
    model.write(inbox / "a.json")
    big = shapely.box(X + 100, Y, X + 130, Y + 10)
    layer = _clean(inbox, area, _buildings(HOUSE, big))
    assert set(layer.features["building_id"]) == {"b1"}
    account = layer.account
    assert (account.read, account.outside, account.published, account.merged, account.reasoned) == (8, 1, 2, 0, 5)
    assert dict(zip(layer.quality["reason"], layer.quality["key"], strict=True)) == {
        "geometry_collapsed": "odd:3",
        "roof_is_wall": "odd:1",
        "roof_partial": "flat2:1",
        "roof_tiny": "odd:2",
        "roof_without_building": "flat0:1",
    }


def test_parts_belong_to_their_building_and_the_finest_detail_counts(model, tmp_path):
    ring = model.ring((X, Y, 3), (X + 4, Y, 3), (X + 4, Y + 4, 3), (X, Y + 4, 3))
    model.objects["whole"] = {
        "type": "Building",
        "attributes": {"name": "시청", "storeysAboveGround": 2},
        "children": ["part"],
    }
    model.add("part", [("RoofSurface", [ring])], solid=False, lod="1")
    model.gable("part", type="BuildingPart", parents=["whole"])
    found = parse_city_json(model.write(tmp_path / "a.json").read_bytes())
    assert list(found.roofs["building"]) == ["whole", "whole"]
    building = buildings_of(found)
    assert building[["source_id", "name", "floors_above", "height_m"]].to_numpy().tolist() == [
        ["whole", "시청", 2.0, RIDGE]
    ]
    assert building.geometry.iloc[0].equals(HOUSE)


def test_buildings_come_from_the_model_only_without_another_source(inbox, model, area, tmp_path):
    model.gable("house")
    model.write(inbox / "a.json")
    found = take_inventory(inbox)
    assert [(d.role, d.product, d.parts[0].rows) for d in found.datasets] == [
        ("buildings", "CITYJSON_BUILDINGS", 1),
        ("roof_planes", "CITYJSON_ROOFS", 2),
    ]
    raw = read_dataset(inbox, found.datasets_for("buildings")[0], "EPSG:5186")
    assert raw.frame[["source_key", "height_m"]].to_numpy().tolist() == [["house", RIDGE]]
    columns = {name: ["x"] for name in ("UFID", "GRND_FLR", "HEIGHT", "USABILITY", "STRCT_CD")}
    gpd.GeoDataFrame(columns, geometry=[HOUSE], crs="EPSG:5186").to_file(inbox / "b.shp", encoding="cp949")
    found = take_inventory(inbox)
    assert [(d.role, d.product) for d in found.datasets] == [
        ("buildings", "F_FAC_BUILDING"),
        ("roof_planes", "CITYJSON_ROOFS"),
    ]
    assert ["only the roof planes of this model are read" in p.what for p in found.problems if p.path == "a.json"] == [
        True
    ]


def test_another_crs_keeps_heights(inbox, model, area):
    """The same house in EPSG:5187, whose grid stands 1.2 degrees askew here and is 0.04 % larger."""
    model.gable("house")
    model.write(inbox / "a.json")
    here = _clean(inbox, area, _buildings(HOUSE)).features
    shapes = gpd.GeoSeries([shapely.Point(X, Y)], crs="EPSG:5186").to_crs("EPSG:5187").iloc[0]
    moved = Model()
    moved.gable("house")
    document = json.loads(moved.write(inbox / "a.json", crs="urn:ogc:def:crs:EPSG::5187").read_text())
    document["transform"]["translate"] = [shapes.x, shapes.y, 0.0]
    (inbox / "a.json").write_text(json.dumps(document))
    there = _clean(inbox, area, _buildings(shapely.buffer(HOUSE, 1.0))).features
    assert there["tilt_deg"].to_numpy() == pytest.approx(here["tilt_deg"].to_numpy(), abs=0.02)
    # meridian convergence at 37.4 N over two degrees of longitude: 2 x sin(37.4) = 1.21 degrees
    assert np.ptp(there["azimuth_deg"]) == pytest.approx(180, abs=0.01)
    askew = there["azimuth_deg"].min() % 180
    assert min(askew, 180 - askew) == pytest.approx(1.21, abs=0.1)


def _with_vertex(number: int) -> str:
    """A model whose only roof points to a vertex that is not there."""
    geometry = {
        "type": "MultiSurface",
        "lod": "2",
        "boundaries": [[[0, 1, number]]],
        "semantics": {"surfaces": [{"type": "RoofSurface"}], "values": [0]},
    }
    objects = {"a": {"type": "Building", "geometry": [geometry]}}
    return json.dumps(
        {"type": "CityJSON", "version": "2.0", "vertices": [[0, 0, 0], [1, 0, 0]], "CityObjects": objects}
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"type": "CityJSON", "version": "3.0", "CityObjects": {}, "vertices": []}', "version 3.0 is not known"),
        ('{"type": "CityJSON", "version": "2.0", "CityObjects": {', "no readable JSON"),
        ('{"type": "CityJSON", "version": "2.0", "vertices": []}', "no CityJSON"),
        (
            _with_vertex(2),
            "geometry cannot be read",
        ),
    ],
)
def test_what_is_refused(text, words):
    with pytest.raises(InputError, match=words):
        parse_city_json(text.encode())


def test_without_crs_it_is_recognised_and_told(inbox, model):
    model.gable("house")
    model.write(inbox / "a.json", crs=None)
    found = take_inventory(inbox)
    assert found.datasets == () or all(d.parts[0].crs for d in found.datasets)
    assert any("coordinate reference system" in p.what for p in found.problems)


@pytest.mark.realdata
def test_zurich(shared_data):
    raw = (shared_data / "oracles" / "zurich_subset_lod2.city.json").read_bytes()
    found = parse_city_json(raw)
    assert len(found.roofs) == 644
    assert identify(found.crs_definition) == "EPSG:2056"
    vectors = area_vectors(found.roofs.geometry.to_numpy())
    tilt, _ = orientation(vectors)
    # planes of real roofs: between flat and steep, and the area along the slope is at least the area from above
    assert np.quantile(tilt, [0.1, 0.9]) == pytest.approx([0, 45], abs=45)
    flat = shapely.area(shapely.force_2d(found.roofs.geometry.to_numpy()))
    without_holes = shapely.get_num_interior_rings(found.roofs.geometry.to_numpy()) == 0
    simple = without_holes & shapely.is_valid(shapely.force_2d(found.roofs.geometry.to_numpy()))
    assert np.abs(vectors[simple, 2]) == pytest.approx(flat[simple], abs=1e-6)
    # every building's roof covers about its ground
    buildings = buildings_of(found)
    assert len(buildings) == 49
    assert buildings["height_m"].between(2, 40).all()


@pytest.mark.realdata
def test_the_hague_says_its_own_slope(shared_data):
    """The model's publisher wrote Slope and Direction beside some surfaces: 90 means flat there."""
    document = json.loads((shared_data / "oracles" / "DH_01_subs.city.json").read_text())
    found = parse_city_json(json.dumps(document).encode())
    tilt, _ = orientation(area_vectors(found.roofs.geometry.to_numpy()))
    stated = {}
    for key, thing in document["CityObjects"].items():
        for geometry in thing.get("geometry", []):
            for number, value in enumerate(geometry["semantics"]["values"][0], 1):
                surface = geometry["semantics"]["surfaces"][value]
                if surface["type"] == "RoofSurface":
                    stated[f"{key}:{number}"] = surface["Slope"]
    assert len(found.roofs) == len(stated) == 13
    expected = 90.0 - np.array([stated[key] for key in found.roofs["source_key"]])
    assert tilt == pytest.approx(np.abs(expected), abs=1.0)


@pytest.mark.realdata
def test_inspection_knows_both_models(shared_data):
    found = take_inventory(shared_data)
    used = {layer.data_source: layer.product for layer in found.unused if "city.json" in layer.data_source}
    assert set(used) == {"oracles/zurich_subset_lod2.city.json", "oracles/DH_01_subs.city.json"}
    told = {p.path: p.what for p in found.problems if "city.json" in p.path}
    assert "lies outside Korea" in told["oracles/zurich_subset_lod2.city.json"]
    assert "EPSG:2056" in told["oracles/zurich_subset_lod2.city.json"]
    assert "no coordinate reference system" in told["oracles/DH_01_subs.city.json"]
