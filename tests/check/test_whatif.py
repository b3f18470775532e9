"""One block built otherwise: the answer of `twin whatif` is that of a whole run with the edited plan file."""

from __future__ import annotations

import zipfile

import geopandas as gpd
import pytest

from geodata.demo import write_demo
from geodata.demo.shapefile import write_shapefiles
from pipelines.instance import open_workplace
from pipelines.run import run_job
from pipelines.store import Store
from pipelines.whatif import what_if
from twin.whatif.edit import BlockEdit

PLAN = "LH_토지이용계획"


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


def published(workplace, name):
    found = Store(workplace.store).current(f"planned/{name}")
    return gpd.read_parquet(found.data / "features.parquet")


def pointers(workplace):
    return {path: path.read_bytes() for path in sorted(workplace.store.glob("*/current.json"))}


@pytest.mark.check
def test_a_what_if_equals_a_whole_run_with_the_edited_plan(tmp_path):
    site = write_demo(tmp_path / "demo", "town")
    workplace = open_workplace(site, tmp_path / "outputs", tmp_path / "state")
    assert run_job(workplace, select="+key:planned/plan_blocks").succeeded
    before = {name: published(workplace, name) for name in ("plan_blocks", "buildings")}
    kept = pointers(workplace)

    edit = BlockEdit("A-10", land_use="학교용지", floor_area_ratio_pct=120.0, floors_limit=6, homes=0)
    found = what_if(workplace, edit, "planned")
    assert pointers(workplace) == kept
    assert published(workplace, "buildings").equals(before["buildings"])

    values = {"용도": "학교용지", "용적률": 120.0, "최고층수": 6, "세대수": 0}
    edit_plan_file(site.parent / "inbox", "A-10", **values)
    assert run_job(workplace, select="+key:planned/plan_blocks").succeeded
    after = {name: published(workplace, name) for name in ("plan_blocks", "buildings")}
    # the edit must be one that reaches its neighbours, else little is proven
    houses = found.tables["whatif_buildings"]
    assert (houses["place"] == "neighbours").sum() > 20
    own = houses[houses["place"] == "block"]
    assert (own["fate"] != "same").all()
    for layer, key, table in (
        ("plan_blocks", "block_id", found.tables["whatif_blocks"]),
        ("buildings", "building_id", houses[houses["fate"] != "gone"]),
    ):
        told = table.set_index(key)
        whole = after[layer].set_index(key)
        names = [name.removesuffix("_after") for name in told.columns if name.endswith("_after")]
        for name in [name for name in names if name in whole.columns]:
            expected = whole[name].astype("float64").reindex(told.index)
            assert told[f"{name}_after"].equals(expected.rename(f"{name}_after")), f"{layer}.{name}"
        # what the answer does not list is as it was
        others = whole.index.difference(told.index)
        same = before[layer].set_index(key).loc[others]
        columns = [name for name in names if name in whole.columns]
        assert whole.loc[others, columns].equals(same[columns]), layer
    gone = houses.loc[houses["fate"] == "gone", "building_id"]
    assert not after["buildings"]["building_id"].isin(gone).any()
    summary = found.tables["whatif_summary"].set_index(["place", "measure"])["after"]
    for name in ("yield_kwh", "capacity_kwp", "floor_area_m2", "demand_kwh"):
        assert summary["town", name] == pytest.approx(after["buildings"][name].sum(), abs=0.01), name
