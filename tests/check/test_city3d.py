"""What other people's validators say of the three-dimensional town: Khronos' for glTF, Cesium's tools for the tileset."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.catalogue import LAYERS
from twin.publish.about import ReleaseAbout
from twin.publish.city3d.check import cityjson_problems
from twin.publish.city3d.town import write_town

pytestmark = [pytest.mark.check, pytest.mark.timeout(2400)]

NODE = Path(__file__).with_name("node")
ERROR, WARNING = 0, 1


@pytest.fixture(scope="module")
def tools() -> Path:
    if not (NODE / "node_modules").is_dir():
        pytest.skip("the validators are not installed: npm ci --ignore-scripts --prefix tests/check/node")
    return NODE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Forty buildings over a square kilometre, with a courtyard, two parts, and gables of known planes."""
    number = np.arange(40)
    x, y = 185_000.0 + 130.0 * (number % 8), 538_000.0 + 200.0 * (number // 8)
    shapes = shapely.box(x, y, x + 12 + 2 * number, y + 10).astype(object)
    shapes[3] = shapes[3].difference(shapely.box(x[3] + 4, y[3] + 3, x[3] + 8, y[3] + 6))
    shapes[5] = shapely.MultiPolygon([shapes[5], shapely.box(x[5], y[5] + 20, x[5] + 9, y[5] + 31)])
    raw = gpd.GeoDataFrame(
        {
            "building_id": [f"b{i:02d}" for i in number], "pnu": None, "dong_code": "4121010700", "name": [f"가온 {i}동" for i in number],
            "use_code": "02001", "use": "아파트", "structure_code": "21", "structure": None, "height": 3.0 + number, "height_source": "recorded",
            "floors_above": pd.array([None, *number[1:]], dtype="Int64"), "floors_below": 0, "altitude": np.where(number % 9 == 8, np.nan, 20.0 + number),
            "footprint_area_m2": shapely.area(shapes), "gross_floor_area_m2": np.nan, "approved_on": pd.Timestamp("2001-05-06"), "source_id": None,
        },
        geometry=shapes, crs="EPSG:5186",
    )  # fmt: skip
    gables = [
        shapely.box(x[i], y[i] + 5 * half, x[i] + 12 + 2 * i, y[i] + 5 + 5 * half) for i in (10, 11) for half in (0, 1)
    ]
    planes = gpd.GeoDataFrame(
        {"building_id": ["b10", "b10", "b11", "b11"], "tilt_deg": 25.0, "azimuth_deg": [180.0, 0.0] * 2, "top_m": 9.0},
        geometry=gables, crs="EPSG:5186",
    )  # fmt: skip
    out = tmp_path_factory.mktemp("city3d")
    about = ReleaseAbout("가온", "Gaon", "EPSG:5186", "2026-10-01", unshaded=True, demo=True, rights="시험용")
    told = write_town(out, LAYERS["buildings"].finish(raw), planes, about, name="check/existing")
    assert told["roof_shapes"] == 2
    assert told["buildings"] == 40
    return out


def khronos(tools: Path, tiles: list[Path]) -> dict[str, list]:
    """What the validator of Khronos says of each tile."""
    done = subprocess.run(
        ["node", tools / "validate.mjs", *tiles], capture_output=True, text=True, check=True, timeout=600
    )
    return json.loads(done.stdout)


def assert_goes_through_a_package_and_back(tools: Path, tileset: Path, place: Path) -> None:
    """3d-tiles-tools walks the tree, meets every tile, and writes the same tileset again."""
    command = ["node", tools / "node_modules" / ".bin" / "3d-tiles-tools", "convert"]
    package, again = place / "town.3tz", place / "again"
    for given, made in ((tileset, package), (package, again)):
        done = subprocess.run(
            [*command, "-i", given, "-o", made], capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
    tiles = sorted(tileset.parent.glob("tiles/*.glb"))
    assert sorted(p.name for p in again.glob("tiles/*.glb")) == [p.name for p in tiles]
    for path in tiles:
        assert (again / "tiles" / path.name).read_bytes() == path.read_bytes()


def test_khronos_finds_no_fault_with_any_tile(tools, folder):
    tiles = sorted((folder / "tiles").glob("*.glb"))
    assert len(tiles) >= 8
    found = khronos(tools, tiles)
    assert len(found) == len(tiles)
    assert [message for told in found.values() for message in told if message[0] in (ERROR, WARNING)] == []
    # the validator knows neither of the two metadata extensions: their views are looked at in tests/twin
    assert {message[1] for told in found.values() for message in told} <= {"UNSUPPORTED_EXTENSION", "UNUSED_OBJECT"}


def test_the_validator_can_find_a_fault(tools, folder, tmp_path):
    raw = bytearray(next((folder / "tiles").glob("*.glb")).read_bytes())
    broken = raw.replace(b'"componentType":5122', b'"componentType":5199', 1)
    (tmp_path / "broken.glb").write_bytes(broken)
    done = subprocess.run(
        ["node", tools / "validate.mjs", tmp_path / "broken.glb"],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert any(message[0] == ERROR for told in json.loads(done.stdout).values() for message in told)


def test_the_tileset_goes_through_a_package_and_back(tools, folder, tmp_path):
    assert_goes_through_a_package_and_back(tools, folder / "tileset.json", tmp_path)


@pytest.mark.parametrize("scenario", ["existing", "planned"])
def test_both_scenarios_of_a_release_pass(tools, small_base, scenario, tmp_path):
    release = next((small_base / "outputs").glob("*/latest")).resolve() / "city3d" / scenario
    tiles = sorted((release / "tiles").glob("*.glb"))
    found = khronos(tools, tiles)
    assert len(found) == len(tiles) > 0
    assert [message for told in found.values() for message in told if message[0] in (ERROR, WARNING)] == []
    assert_goes_through_a_package_and_back(tools, release / "tileset.json", tmp_path)
    assert cityjson_problems(release / "town.city.json") == []
