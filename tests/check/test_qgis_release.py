"""A whole release in Debian's QGIS 3.22, opened where it was moved to: the project, its sheets, and every GeoPackage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from twin.publish.durable import remove_tree, sha256_of

pytestmark = [pytest.mark.check, pytest.mark.qgis, pytest.mark.timeout(2400)]

SCENARIOS = ("existing", "planned")
KOREAN_SHARE = 0.9
"""Of the columns of a layer, at least so many bear a Korean name."""
GROUPS = {"현재 / Existing", "계획 / Planned", "변화: 계획 - 현재 / Change: planned - existing"}
"""Groups of layers, each with map themes and sheets of its own."""


def hashes(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): sha256_of(p) for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def found(small_base, tmp_path_factory, probe_qgis):
    """What QGIS finds in a copy of the small town's release that lies elsewhere and whose first place is gone."""
    folder = tmp_path_factory.mktemp("qgis")
    release = next((small_base / "outputs").glob("*/latest")).resolve()
    first, moved = folder / "copied", folder / "받은 자료" / "릴리스"
    moved.parent.mkdir()
    # bytes alone: a planner's copy is his own, and writable
    for path in sorted(release.rglob("*")):
        if path.is_file():
            copy = first / path.relative_to(release)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    first.rename(moved)
    before = hashes(moved)
    pictures = folder / "pictures"
    pictures.mkdir()
    told, messages = probe_qgis("qgis_project_probe.py", moved, pictures)
    yield {**told, "pictures": pictures, "release": moved, "before": before, "messages": messages}
    remove_tree(folder)


def pixels(found: dict, name: str) -> np.ndarray:
    return np.asarray(Image.open(found["pictures"] / name).convert("RGB")).astype(int)


def share(picture: np.ndarray, colour: str) -> float:
    wanted = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)])
    return float((np.abs(picture - wanted).max(axis=2) <= 3).mean())


def assert_drawn(found: dict, name: str, layer: dict) -> None:
    """Not blank, and each class of the legend that covers a few hundred pixels has its colour in the picture."""
    if "picture" not in layer:
        return
    picture = pixels(found, layer["picture"])
    assert layer["errors"] == [], name
    # a layer of a few points colours a few dozen pixels
    assert (picture != 255).any(axis=2).sum() >= 20, name
    for label, each in layer.get("classes", {}).items():
        covered = each["area_m2"] / layer["m2_per_pixel"] / picture[..., 0].size
        if covered > 0.002:
            # outlines take their part of small polygons, and other layers are not there
            assert 0.2 * covered < share(picture, each["colour"]) < 1.5 * covered, (name, label)


def test_the_moved_project_finds_every_layer_beside_it(found):
    assert found["opened"] is True
    assert found["error"] == ""
    assert found["crs"] == "EPSG:5186"
    assert set(found["groups"]) >= GROUPS
    layers = found["layers"]
    for scenario in SCENARIOS:
        held = found["files"][f"{scenario}/twin.gpkg"]["layers"]
        assert {f"{scenario}_{name}" for name in held} <= set(layers)
        rasters = {p.stem for p in (found["release"] / "rasters").glob(f"{scenario}_*.tif")}
        assert {i for i in layers if i.startswith(f"{scenario}_raster_")} == {
            name.replace(f"{scenario}_", f"{scenario}_raster_") for name in rasters
        }
    for identity, layer in layers.items():
        assert layer["valid"], identity
        assert layer["source"].startswith(str(found["release"])), identity
        assert layer.get("read_only", True), identity
        assert_drawn(found, identity, layer)


def test_every_geopackage_opens_in_its_default_style_with_korean_names(found):
    assert {f"{scenario}/twin.gpkg" for scenario in SCENARIOS} <= set(found["files"])
    for file, held in found["files"].items():
        assert set(held["defaults"]) == set(held["layers"]), file
        for name, layer in held["layers"].items():
            assert layer["valid"], (file, name)
            aliases = layer["aliases"]
            korean = [alias for alias in aliases.values() if any("가" <= sign <= "힣" for sign in alias)]
            assert len(korean) >= KOREAN_SHARE * len(aliases), (file, name)
            assert_drawn(found, f"{file}: {name}", layer)
    for scenario in SCENARIOS:
        held = found["files"][f"{scenario}/twin.gpkg"]
        for name, style in held["defaults"].items():
            # the project shows each layer as the GeoPackage does by itself
            assert found["layers"][f"{scenario}_{name}"]["style"] == style
            assert found["layers"][f"{scenario}_{name}"]["renderer"] == held["layers"][name]["renderer"]
        # the small town has no land cover, so its parcels have no classes
        assert {held["layers"][n]["renderer"] for n in ("buildings", "roofs")} == {"graduatedSymbol"}
        assert held["layers"]["parks"]["renderer"] == "categorizedSymbol"


def test_map_themes_of_scenarios_and_changes_show_something(found):
    themes = found["themes"]
    assert {name.partition(" · ")[0] for name in themes} == GROUPS
    for name, theme in themes.items():
        picture = pixels(found, theme["picture"])
        assert theme["errors"] == [], name
        # between the few blocks of this corner a map of changes is white
        changes = name.startswith("변화")
        assert share(picture, "#ffffff") < (0.99 if changes else 0.98), name
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) >= (3 if changes else 4), name


def test_sheets_are_a3_and_leave_as_pdf_and_by_dong(found):
    sheets = found["sheets"]
    assert len(sheets) == len(found["themes"])
    for name, sheet in sheets.items():
        assert sheet["page_mm"] == [420.0, 297.0], name
        assert sheet["pages"] >= 1, name
        # page, map, picture of the north arrow, words, legend, scale bar
        assert {65638, 65639, 65640, 65641, 65642, 65646} <= set(sheet["types"]), name
    exported = [sheet for sheet in sheets.values() if "pdf" in sheet]
    assert len(exported) == len(GROUPS)
    for sheet in exported:
        assert sheet["pdf"][0] == sheet["png"][0] == 0
        pdf = (found["pictures"] / sheet["pdf"][1]).read_bytes()
        assert pdf.startswith(b"%PDF-")
        assert b"/MediaBox [0 0 1190.55" in pdf or b"/MediaBox [0 0 1191" in pdf
        assert "동" in sheet["dong_name"]
        page = pixels(found, sheet["png"][1])
        assert page.shape[:2] == pytest.approx((297 / 25.4 * 100, 420 / 25.4 * 100), abs=2)
        height, width = page.shape[:2]
        the_map = page[int(0.12 * height) : int(0.9 * height), int(0.03 * width) : int(0.72 * width)]
        assert len(np.unique(the_map.reshape(-1, 3), axis=0)) >= 50
        # the legend ends above the scale bar, which is the last dark thing of the panel above the line of sources
        panel = page[int(250.3 / 297 * height) : int(252 / 297 * height), int(0.745 * width) : int(0.97 * width)]
        assert panel.min() > 200


def test_looking_changes_no_byte_and_leaves_nothing_behind(found):
    assert hashes(found["release"]) == found["before"]
    assert [entry for entry in found["warnings"] if entry[1] == 2] == []
