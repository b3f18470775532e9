"""One block built otherwise: the answer of `twin whatif` is that of a whole run with the edited plan, or with the design."""

from __future__ import annotations

import shutil
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely
import yaml

from geodata.demo import write_demo
from geodata.demo.shapefile import write_shapefiles
from pipelines.instance import Workplace, open_workplace
from pipelines.run import run_job
from pipelines.store import Store
from pipelines.whatif import WhatIf, what_if
from twin.publish.durable import remove_tree
from twin.whatif.edit import BlockEdit

pytestmark = pytest.mark.check

PLAN = "LH_토지이용계획"
BLOCK = "A-10"
ANSWERED = "+key:planned/plan_blocks"
"""What has to be computed before a question can be asked."""


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """The demo town with its plan computed; tests must not change it."""
    folder = tmp_path_factory.mktemp("whatif")
    workplace = open_workplace(write_demo(folder / "demo", "town"), folder / "outputs", folder / "state")
    assert run_job(workplace, select=ANSWERED).succeeded
    yield workplace
    remove_tree(folder)


@pytest.fixture
def own(computed, tmp_path):
    """A copy of it, for a whole run with another plan."""
    shutil.copytree(computed.site_file.parent, tmp_path / "demo")
    shutil.copytree(computed.state, tmp_path / "state")
    yield open_workplace(tmp_path / "demo" / "site.yaml", tmp_path / "outputs", tmp_path / "state")
    remove_tree(tmp_path / "state")


def edit_plan_file(inbox, block_id, **values):
    """Write the plan file anew with other values of one block, as its owner would."""
    path = inbox / f"{PLAN}.zip"
    frame = gpd.read_file(f"/vsizip/{path}/{PLAN}.shp", encoding="cp949")
    assert (frame["블록명"] == block_id).sum() == 1
    for name, value in values.items():
        frame.loc[frame["블록명"] == block_id, name] = value
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    path.unlink()
    write_shapefiles(path, [(PLAN, frame)])
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == sorted(names)


def published(workplace: Workplace) -> dict[str, gpd.GeoDataFrame]:
    store = Store(workplace.store)
    return {
        name: gpd.read_parquet(store.current(f"planned/{name}").data / "features.parquet")
        for name in ("plan_blocks", "buildings")
    }


def pointers(workplace: Workplace) -> dict:
    return {path: path.read_bytes() for path in sorted(workplace.store.glob("*/current.json"))}


def assert_answered(found: WhatIf, before: dict[str, gpd.GeoDataFrame], after: dict[str, gpd.GeoDataFrame]) -> None:
    """The tables say of block and neighbours what the whole run does, and what they do not list is as it was."""
    houses = found.tables["whatif_buildings"]
    # the edit must be one that reaches its neighbours, else little is proven
    assert (houses["place"] == "neighbours").sum() > 20
    assert (houses.loc[houses["place"] == "block", "fate"] != "same").all()
    for layer, key, table in (
        ("plan_blocks", "block_id", found.tables["whatif_blocks"]),
        ("buildings", "building_id", houses[houses["fate"] != "gone"]),
    ):
        told = table.set_index(key)
        whole = after[layer].set_index(key)
        names = [name.removesuffix("_after") for name in told.columns if name.endswith("_after")]
        names = [name for name in names if name in whole.columns]
        for name in names:
            expected = whole[name].astype("float64").reindex(told.index)
            assert told[f"{name}_after"].equals(expected.rename(f"{name}_after")), f"{layer}.{name}"
        others = whole.index.difference(told.index)
        same = before[layer].set_index(key).loc[others]
        assert whole.loc[others, names].equals(same[names]), layer
    gone = houses.loc[houses["fate"] == "gone", "building_id"]
    assert not after["buildings"]["building_id"].isin(gone).any()
    summary = found.tables["whatif_summary"].set_index(["place", "measure"])["after"]
    for name in ("yield_kwh", "capacity_kwp", "floor_area_m2", "demand_kwh"):
        assert summary["town", name] == pytest.approx(after["buildings"][name].sum(), abs=0.01), name


def test_a_what_if_equals_a_whole_run_with_the_edited_plan(computed, own):
    before, kept = published(computed), pointers(computed)
    edit = BlockEdit(BLOCK, land_use="학교용지", floor_area_ratio_pct=120.0, floors_limit=6, homes=0)
    found = what_if(computed, edit, "planned")
    assert pointers(computed) == kept
    assert published(computed)["buildings"].equals(before["buildings"])

    values = {"용도": "학교용지", "용적률": 120.0, "최고층수": 6, "세대수": 0}
    edit_plan_file(own.site_file.parent / "inbox", BLOCK, **values)
    assert run_job(own, select=ANSWERED).succeeded
    assert_answered(found, before, published(own))


def test_a_design_in_a_what_if_equals_a_whole_run_with_that_design(computed, own, tmp_path):
    before, kept = published(computed), pointers(computed)
    shape = before["plan_blocks"].set_index("block_id").geometry[BLOCK]
    west, south, east, north = shape.bounds
    x, y = (at.ravel() for at in np.meshgrid(np.arange(west, east, 45.0), np.arange(south, north, 35.0)))
    lots = shapely.box(x, y, x + 30, y + 14)
    inside = lots[shapely.contains_properly(shape.buffer(-5), lots)][:4]
    assert len(inside) == 4
    rows = {"no": list("abcd"), "fl": [24, 9, 15, 3], "use": "02001"}
    gpd.GeoDataFrame(rows, geometry=inside, crs="EPSG:5186").to_file(tmp_path / "towers.gpkg")
    columns = {"building_id": "no", "floors_above": "fl", "use_code": "use"}
    found = what_if(computed, BlockEdit(BLOCK), "planned", design=tmp_path / "towers.gpkg", columns=columns)
    assert pointers(computed) == kept

    shutil.copy(tmp_path / "towers.gpkg", own.site_file.parent / "inbox")
    site = yaml.safe_load(own.site_file.read_text(encoding="utf-8"))
    site["plans"] = site.get("plans", {}) | {"planned": {"designs": [{"path": "towers.gpkg", "columns": columns}]}}
    own.site_file.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    own = open_workplace(own.site_file, own.outputs, own.state)
    assert run_job(own, select=ANSWERED).succeeded
    after = published(own)
    built = after["buildings"].loc[after["buildings"]["block_id"] == BLOCK, "building_id"]
    assert sorted(built) == [f"design-{name}" for name in "abcd"]
    houses = found.tables["whatif_buildings"]
    assert set(built) <= set(houses.loc[houses["fate"] == "new", "building_id"])
    assert_answered(found, before, after)
