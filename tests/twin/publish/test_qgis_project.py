"""The QGIS project of a release, without QGIS: what it points to, what it shows, and the same bytes every time."""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from geodata.catalogue import COMPARISON_LAYERS
from twin.comparison import compare_districts
from twin.publish.about import ReleaseAbout
from twin.publish.geopackage import validate_geopackage, write_geopackage
from twin.publish.qgis_project import release_groups, write_project

SCENARIOS = ("existing", "planned")


@pytest.fixture
def files(tmp_path: Path, layers, plan_blocks, about: ReleaseAbout) -> dict[str, Path]:
    found = {}
    for scenario in SCENARIOS:
        path = tmp_path / f"{scenario}.gpkg"
        write_geopackage(path, layers if scenario == "existing" else {**layers, "plan_blocks": plan_blocks}, about)
        found[f"{scenario}/twin.gpkg"] = path
    return {**found, "rasters/planned_sky_view.tif": tmp_path / "a.tif", "maps/existing.png": tmp_path / "a.png"}


def opened(path: Path) -> ET.Element:
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["town.qgs"]
        text = archive.read("town.qgs").decode()
    return ET.fromstring(text[text.index("<qgis") :])  # noqa: S314


def test_the_same_release_gives_the_same_bytes(tmp_path: Path, files, about: ReleaseAbout) -> None:
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        write_project(tmp_path / str(number) / "town.qgz", release_groups(files, SCENARIOS), about, sources="자료")
    first, second = ((tmp_path / str(number) / "town.qgz").read_bytes() for number in range(2))
    assert first == second


def test_scenarios_are_groups_and_every_path_is_relative(tmp_path: Path, files, about: ReleaseAbout) -> None:
    write_project(tmp_path / "town.qgz", release_groups(files, SCENARIOS), about, sources="자료 <가> & 나")
    root = opened(tmp_path / "town.qgz")
    groups = root.findall("layer-tree-group/layer-tree-group")
    assert [(g.get("name"), g.get("checked")) for g in groups] == [
        ("현재 / Existing", "Qt::Checked"), ("계획 / Planned", "Qt::Unchecked"),
    ]  # fmt: skip
    sources = [element.text for element in root.iter("datasource")]
    assert "./planned/twin.gpkg|layername=plan_blocks" in sources
    assert "./rasters/planned_sky_view.tif" in sources
    assert len(sources) == 8 + 9 + 1  # every layer of both scenarios and the raster
    assert all(text.startswith("./") for text in sources)
    assert all(layer.get("readOnly") == "1" for layer in root.iter("maplayer") if layer.get("type") == "vector")
    assert str(tmp_path) not in ET.tostring(root, encoding="unicode")
    layouts = root.findall("Layouts/Layout")
    assert len(layouts) == 2 * 3  # scenarios and map themes
    for sheet in layouts:
        page = sheet.find("PageCollection/LayoutItem")
        assert page.get("size") == "420,297,mm"
        assert sheet.find("Atlas").get("coverageLayer").endswith("_districts")
        assert {item.get("type") for item in sheet.findall("LayoutItem")} == {
            "65639",
            "65640",
            "65641",
            "65642",
            "65646",
        }
        assert any(item.get("labelText") == "자료 <가> & 나" for item in sheet.findall("LayoutItem"))


def test_each_plan_shows_its_own_changes(tmp_path: Path, files, layers, about: ReleaseAbout) -> None:
    districts = layers["districts"]
    rows = pd.concat([compare_districts(districts, districts, plan) for plan in ("planned", "dense")])
    layer = COMPARISON_LAYERS["comparison_districts"]
    path = tmp_path / "comparison.gpkg"
    write_geopackage(path, {layer.name: layer.finish(rows)}, about, COMPARISON_LAYERS)
    assert validate_geopackage(path, COMPARISON_LAYERS) == []
    known = {**files, "dense/twin.gpkg": files["planned/twin.gpkg"], "comparison.gpkg": path}
    write_project(tmp_path / "town.qgz", release_groups(known, ("existing", "planned", "dense")), about, sources="자료")
    root = opened(tmp_path / "town.qgz")
    groups = [group.get("name") for group in root.findall("layer-tree-group/layer-tree-group")]
    assert groups[-2:] == [
        "변화: 계획 - 현재 / Change: planned - existing",
        "변화: dense - 현재 / Change: dense - existing",
    ]
    sources = [element.text for element in root.iter("datasource") if "comparison" in element.text]
    assert sources == [
        f"./comparison.gpkg|layername=comparison_districts|subset=\"scenario\" = '{plan}'"
        for plan in ("planned", "dense")
    ]
    # the atlas of a change runs over its own dongs, and tells both sides
    sheets = {sheet.get("name"): sheet for sheet in root.findall("Layouts/Layout")}
    assert len(sheets) == 3 * 3 + 2
    sheet = sheets[
        "A3 · 변화: 계획 - 현재 / Change: planned - existing · 동별 발전량 변화 / Change in yearly yield by dong"
    ]
    assert sheet.find("Atlas").get("coverageLayer") == "comparison_planned_comparison_districts"
    (figures,) = [text for item in sheet.iter("LayoutItem") if "GWh" in (text := item.get("labelText", ""))]
    (line,) = [line for line in figures.splitlines() if line.startswith("연간 발전량")]
    assert line.index("yield_kwh_existing") < line.index(" → ") < line.index("yield_kwh_planned")
    shown = [layer.get("name") for layer in sheet.findall(".//layer-tree-layer")]
    assert shown == ["계획과 현재의 비교: 법정동·사업지구 / Plan against present: districts"]


def test_a_theme_without_what_colours_it_is_left_out(tmp_path: Path, layers, about: ReleaseAbout) -> None:
    bare = {**layers, "parcels": layers["parcels"].drop(columns="green_cover_pct")}
    path = tmp_path / "existing.gpkg"
    write_geopackage(path, bare, about)
    write_project(
        tmp_path / "town.qgz", release_groups({"existing/twin.gpkg": path}, ("existing",)), about, sources="자료"
    )
    root = opened(tmp_path / "town.qgz")
    themes = [theme.get("name").rpartition(" · ")[2] for theme in root.iter("visibility-preset")]
    assert themes == ["토지·녹지·건물 / Land, green and buildings", "지붕 태양광 / Rooftop solar"]
    assert len(root.findall("Layouts/Layout")) == 2
