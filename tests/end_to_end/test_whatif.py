"""`twin whatif` on the demo town: an answer in words, a GeoPackage and a page, and nothing else."""

from __future__ import annotations

import pyogrio

from geodata.catalogue.whatif import WHATIF_LAYERS


def test_an_edit_is_answered_without_touching_store_or_releases(town, demo_site, twin, tmp_path):
    state, outputs = town.workplace.state, town.workplace.outputs

    def listing():
        return {path: path.stat().st_mtime_ns for top in (state, outputs) for path in top.rglob("*.json")}

    before = listing()
    place = ("--site", demo_site, "--outputs", outputs, "--state", state)
    folder = tmp_path / "answer"
    done = twin("whatif", "--block", "A-10", "--floors", "15", "--homes", "300", "--out", folder, *place)
    assert done.returncode == 0, done.stderr
    assert listing() == before
    assert not list(town.workplace.store.parent.glob("whatif-*"))
    assert "용적률" not in done.stdout and "층수 제한 · Floors limit: 32 층 → 15 층" in done.stdout
    assert "고친 블록 · edited block" in done.stdout and "세대수 · Homes" in done.stdout
    assert {name for name, _ in pyogrio.list_layers(folder / "whatif.gpkg") if name in WHATIF_LAYERS} == set(
        WHATIF_LAYERS
    )
    summary = pyogrio.read_dataframe(folder / "whatif.gpkg", layer="whatif_summary").set_index(["place", "measure"])
    assert summary.loc[("block", "homes"), ["before", "after", "change"]].tolist() == [406.0, 300.0, -106.0]
    # what the town gains is what the block and its neighbours gain
    gained = summary["change"].loc[["block", "neighbours"], "yield_kwh"].sum()
    assert abs(summary.loc[("town", "yield_kwh"), "change"] - gained) < 0.5
    page = (folder / "whatif.html").read_text(encoding="utf-8")
    assert "블록 A-10" in page and "가상 데이터" in page and "http" not in page

    again = twin("whatif", "--block", "A-10", "--floors", "15", "--out", folder, *place)
    assert again.returncode == 1 and "이미 있습니다" in again.stderr
    for wrong in (
        ["--block", "A-10"],
        ["--block", "Z-9", "--floors", "3"],
        ["--block", "A-10", "--scenario", "dense", "--far", "1"],
    ):
        refused = twin("whatif", *wrong, "--out", tmp_path / "other", *place)
        assert refused.returncode == 1 and "거부 · refused" in refused.stderr, wrong
    assert not (tmp_path / "other").exists()
