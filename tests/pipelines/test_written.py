"""What a step writes is held to its standard at once: spoiled files leave no result, and only checked names are passed on."""

from __future__ import annotations

import sqlite3

import geopandas as gpd
import pytest
import shapely

from geodata.catalogue import COMPARISON_LAYERS
from geodata.errors import InputError
from geodata.site import Site
from pipelines.assets.written import check_written, names_checked
from pipelines.steps import Step, build_step
from pipelines.store import Store
from tests.pipelines.test_before import SITE
from twin.publish.about import ReleaseAbout
from twin.publish.geopackage import write_geopackage
from twin.publish.validate import validate_release

ABOUT = ReleaseAbout("마을", "hamlet", "EPSG:5186", "2026-10-01", unshaded=True, demo=True)


def written(tmp_path, spoil):
    """The result of a step that writes a GeoPackage, has it spoiled, and checks it."""

    def write(work):
        layer = COMPARISON_LAYERS["comparison_districts"]
        columns = {field.name: [None] for field in layer.fields} | {"scenario": ["planned"]}
        rows = gpd.GeoDataFrame(columns, geometry=[shapely.box(0, 0, 100, 100)], crs="EPSG:5186")
        write_geopackage(work.out / "comparison.gpkg", {layer.name: layer.finish(rows)}, ABOUT, COMPARISON_LAYERS)
        (work.out / "notes.txt").write_text("no standard", encoding="utf-8")
        spoil(work.out / "comparison.gpkg")
        check_written(work)

    store = Store(tmp_path / "store")
    step = Step("sources/compared", "test", "", (), write, frozenset(), lambda _: None)
    return build_step(step, Site.model_validate(SITE), store, None), store


def test_a_good_file_is_noted_and_not_looked_at_again(tmp_path, monkeypatch):
    stored, _ = written(tmp_path, lambda path: None)
    names = names_checked(
        {"comparison.gpkg": (stored, "comparison.gpkg"), "about/notes.txt": (stored, "notes.txt")},
    )  # fmt: skip
    assert names == {"comparison.gpkg"}
    looked = []
    monkeypatch.setattr("twin.publish.validate.file_problems", lambda path: looked.append(path.name) or ["x: spoiled"])
    assert validate_release(stored.data) == ["x: spoiled"]
    assert validate_release(stored.data, checked=names) == []
    assert looked == ["comparison.gpkg"]


def test_a_spoiled_file_leaves_no_result(tmp_path):
    def spoil(path):
        connection = sqlite3.connect(path)
        connection.execute("ALTER TABLE comparison_districts ADD COLUMN surprise TEXT")
        connection.commit()
        connection.close()

    with pytest.raises(InputError, match=r"(?s)fails its own check.*comparison\.gpkg.*surprise"):
        written(tmp_path, spoil)
    assert Store(tmp_path / "store").current("sources/compared") is None
