"""A plan from files of its own, through Dagster, beside one whose blocks nobody has delivered yet."""

from __future__ import annotations

import json

import geopandas as gpd
import pandas as pd
import pytest
import shapely
import yaml

from pipelines.instance import open_workplace
from pipelines.run import run_job
from twin.publish.validate import validate_release

pytestmark = pytest.mark.check

X, Y = 186_000.0, 537_000.0
CRS = "EPSG:5186"


def square(east: float, north: float, wide: float, deep: float) -> shapely.Polygon:
    return shapely.box(X + east, Y + north, X + east + wide, Y + north + deep)


BLOCKS = [
    # number, use, shape, floor area ratio, coverage, floors, homes
    ("A-1", "공동주택", square(0, 0, 100, 100), 200, 50, 20, 120),
    ("B-1", "공동주택", square(200, 0, 100, 100), 200, 50, 20, 90),
    ("X-1", "상업용지", square(400, 0, 100, 100), 500, 90, 2, None),
    ("P-1", "근린공원", square(0, 200, 100, 100), None, None, None, None),
]
HOUSES = [
    ("gone", square(10, 10, 10, 10), 2),
    ("gone by its middle", square(95, 40, 8, 10), 2),
    ("stays by its middle", square(97, 70, 8, 10), 2),
    ("stays", square(600, 0, 20, 20), 3),
]
TOWERS = [("t1", square(210, 10, 30, 15), 10), ("t2", square(250, 10, 30, 30), 5), ("far", square(600, 50, 10, 10), 4)]


def houses(rows) -> gpd.GeoDataFrame:
    names, shapes, floors = zip(*rows, strict=True)
    columns = {"no": names, "fl": floors, "h": [3.0 * n for n in floors], "use": "02001"}
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plans")
    inbox = folder / "inbox"
    inbox.mkdir()
    names = ["no", "lu", "geometry", "far", "bcr", "fl", "hh"]
    gpd.GeoDataFrame(pd.DataFrame(BLOCKS, columns=names), crs=CRS).to_file(inbox / "dense.gpkg")
    houses(HOUSES).to_file(inbox / "houses.gpkg")
    houses(TOWERS).to_file(inbox / "towers.gpkg")
    of_houses = {"building_id": "no", "floors_above": "fl", "height_m": "h", "use_code": "use"}
    of_blocks = {"block_id": "no", "land_use": "lu", "floor_area_ratio_pct": "far", "building_coverage_pct": "bcr", "floors_limit": "fl", "homes": "hh"}  # fmt: skip
    site = {
        "name": "small_town",
        "title": {"ko": "작은 마을", "en": "Small town"},
        "study_area": {"bbox": [X - 50, Y - 50, X + 700, Y + 400], "crs": CRS},
        "sources": {"buildings": {"path": "houses.gpkg", "columns": of_houses}},
        "scenarios": ["existing", "planned", "dense"],
        "plans": {
            "dense": {
                "blocks": {"path": "dense.gpkg", "columns": of_blocks},
                "designs": [{"path": "towers.gpkg", "columns": of_houses}],
            }
        },
    }
    (folder / "site.yaml").write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    workplace = open_workplace(folder / "site.yaml", folder / "outputs", folder / "state")
    outcome = run_job(workplace)
    assert outcome.succeeded, outcome.reasons
    return workplace.releases / "latest", outcome


def layer(run, name: str, scenario: str = "dense") -> gpd.GeoDataFrame:
    return gpd.read_file(run[0] / scenario / "twin.gpkg", layer=name)


def test_a_plan_without_blocks_is_told_and_the_rest_is_published(run):
    latest, outcome = run
    assert {"existing", "dense", "comparison.gpkg", "town.qgz"} <= {path.name for path in latest.iterdir()}
    assert not (latest / "planned").exists()
    content = json.loads((latest / "manifest.json").read_text(encoding="utf-8"))["content"]
    assert set(content["scenarios"]) == {"existing", "dense"}
    assert set(content["figures"]) == {"existing", "dense"}
    assert (
        content["missing"]["planned/basis"]
        == content["missing"]["planned/buildings"]
        == "no file for plan blocks in the inbox"
    )
    told = [line for line in outcome.release["summary"] if line.startswith("planned:")]
    assert len(told) == 1
    assert "토지이용계획" in told[0]
    assert "cannot be made" in told[0]
    assert sorted(path.name for path in (latest / "maps").iterdir()) == [
        "dense.png",
        "dense_change.png",
        "existing.png",
    ]
    assert validate_release(latest) == []
    compared = gpd.read_file(latest / "comparison.gpkg", layer="comparison_districts")
    assert set(compared["scenario"]) == {"dense"}


def test_what_stands_in_new_blocks_leaves_and_a_design_takes_the_place_of_the_massing(run):
    found = layer(run, "buildings").set_index("building_id")
    standing = found[found["status"] == "existing"]
    assert sorted(standing.index) == ["stays", "stays by its middle"]
    designed = found[found.index.str.startswith("design-")]
    assert designed["block_id"].to_dict() == {"design-t1": "B-1", "design-t2": "B-1"}
    assert found[found["block_id"] == "B-1"].index.tolist() == designed.index.tolist()
    # 450 m2 x 10 and 900 m2 x 5: equal floor area, equal homes
    assert designed["homes"].tolist() == [45, 45]
    assert designed["homes_source"].tolist() == ["design", "design"]
    quality = layer(run, "quality")
    assert sorted(quality.loc[quality["reason"] == "design_used", "key"]) == ["design-t1", "design-t2"]
    assert quality.loc[quality["reason"] == "design_outside", "key"].tolist() == ["far"]


def test_impossible_numbers_leave_a_reason_and_the_run_goes_on(run):
    quality = layer(run, "quality")
    told = quality[quality["reason"] == "plan_impossible"]
    assert told["key"].tolist() == ["X-1"]
    # 500 % of 10,000 m2 against 90 % on 2 floors
    assert told["detail"].tolist() == ["50,000 m2 asked, 18,000 m2 fit coverage and floors"]
    block = layer(run, "plan_blocks").set_index("block_id").loc["X-1"]
    assert 0 < block["floor_area_m2"] <= 18_000
    assert block["building_footprint_m2"] <= 9_000


def test_blocks_sum_their_buildings_and_hold_the_homes_of_the_plan(run):
    blocks, found = layer(run, "plan_blocks").set_index("block_id"), layer(run, "buildings")
    assert blocks["homes_built"].fillna(0).astype(int).to_dict() == {"A-1": 120, "B-1": 90, "P-1": 0, "X-1": 0}
    assert found["homes"].sum() == 210
    assert blocks.loc["A-1", "floor_area_m2"] == pytest.approx(20_000, rel=0.02)
    assert blocks.loc["B-1", "floor_area_m2"] == 9_000  # as designed: 4,500 + 4,500
    assert blocks.loc["P-1", "building_count"] == 0
    inside = found[found["block_id"].notna()].groupby("block_id")
    for mine, name in (("footprint_area_m2", "building_footprint_m2"), ("floor_area_m2", "floor_area_m2")):
        sums = inside[mine].sum()
        assert blocks.loc[sums.index, name].tolist() == pytest.approx(sums.tolist(), abs=0.1)
    assert layer(run, "parks")["park_id"].tolist() == ["plan-P-1"]


def test_the_comparison_of_a_block_by_hand(run):
    rows = gpd.read_file(run[0] / "comparison.gpkg", layer="comparison_blocks").set_index("block_id")
    assert rows["building_count_existing"].to_dict() == {"A-1": 2, "B-1": 0, "P-1": 0, "X-1": 0}
    # two storeys on 100 m2 and on 80 m2 leave A-1
    assert rows.loc["A-1", "floor_area_m2_existing"] == 360
    assert rows.loc["B-1", ["building_count_change", "floor_area_m2_change"]].tolist() == [2, 9_000]
