"""What changed between two hand-made releases; every expected row was written down by hand."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.catalogue import LAYERS
from geodata.catalogue.changes import CHANGE_LAYERS
from geodata.errors import InputError
from twin.publish.about import ReleaseAbout
from twin.publish.changes.compare import compare_layer
from twin.publish.changes.files import CHANGES, PAGE, make_beside
from twin.publish.changes.history import HISTORY, PLOT, totals
from twin.publish.changes.tables import compare_geopackages
from twin.publish.geopackage import write_geopackage
from twin.publish.release import find_release, publish_release
from twin.publish.validate import validate_geopackage, validate_release

DONG = "4121010700"
START = datetime(2026, 11, 1, 17, 0, 0, tzinfo=UTC)
Layers = dict[str, pd.DataFrame]


def write(folder: Path, layers: Layers, about: ReleaseAbout) -> Path:
    folder.mkdir(parents=True)
    write_geopackage(folder / "twin.gpkg", layers, about)
    return folder / "twin.gpkg"


@pytest.fixture
def edited(layers: Layers) -> Layers:
    """Parcel 30 gone, a parcel of number 99 new, building b0003 4.5 m higher, and noise below what is published."""
    after = {name: frame.copy() for name, frame in layers.items()}
    parcels = after["parcels"]
    new = parcels.iloc[[0]].assign(pnu=f"{DONG}100990000", jibun="99대")
    new = new.set_geometry(new.geometry.translate(1000, 0))
    after["parcels"] = LAYERS["parcels"].finish(pd.concat([parcels[parcels["pnu"] != f"{DONG}100300000"], new]))
    buildings = after["buildings"]
    buildings.loc[buildings["building_id"] == "b0003", "height"] = 16.5
    # a hundredth of a millimetre, and a tenth of the last decimal
    buildings.loc[buildings["building_id"] == "b0004", "height"] += 0.001
    buildings["geometry"] = buildings.geometry.translate(1e-5, 0)
    return after


@pytest.fixture
def tables(layers: Layers, edited: Layers, about: ReleaseAbout, tmp_path: Path) -> Layers:
    before, after = write(tmp_path / "a", layers, about), write(tmp_path / "b", edited, about)
    return compare_geopackages({"existing": before}, {"existing": after}, about.crs)


def test_one_added_one_removed_one_altered(tables: Layers) -> None:
    counts = tables["changed_layers"].set_index("layer")[["added", "removed", "altered"]]
    assert counts.loc["parcels"].tolist() == [1, 1, 0]
    assert counts.loc["buildings"].tolist() == [0, 0, 1]
    assert counts.drop(index=["parcels", "buildings"]).to_numpy().sum() == 0
    told = tables["changed_features"][["change_id", "change", "field_count", "fields"]].astype("object")
    assert told.where(told.notna(), None).to_numpy().tolist() == [
        ["existing/buildings/b0003", "altered", 1, "height"],
        [f"existing/parcels/{DONG}100300000", "removed", 0, None],
        [f"existing/parcels/{DONG}100990000", "added", 0, None],
    ]
    (value,) = tables["changed_values"].to_dict("records")
    assert (value["layer"], value["feature_key"], value["field"], value["field_ko"]) == (
        "buildings",
        "b0003",
        "height",
        "높이",
    )
    assert (value["old_value"], value["new_value"], value["difference"], value["unit"]) == ("12.00", "16.50", 4.5, "m")


def test_points_stand_inside_the_new_shape_and_inside_the_old_one_of_what_is_gone(
    tables: Layers, layers: Layers, edited: Layers
) -> None:
    points = gpd.GeoDataFrame(tables["changed_features"]).set_index("change").geometry
    parcels = [gpd.GeoDataFrame(f["parcels"]).set_index("pnu").geometry for f in (layers, edited)]
    assert parcels[0][f"{DONG}100300000"].contains(points["removed"])
    assert parcels[1][f"{DONG}100990000"].contains(points["added"])


def test_equal_releases_give_nothing_and_equal_bytes(layers: Layers, about: ReleaseAbout, tmp_path: Path) -> None:
    one = write(tmp_path / "a", layers, about)
    found = compare_geopackages({"existing": one}, {"existing": one}, about.crs)
    assert [len(found[n]) for n in ("changed_features", "changed_fields", "changed_values")] == [0, 0, 0]
    assert found["changed_layers"][["added", "removed", "altered"]].to_numpy().sum() == 0
    for name in ("x", "y"):
        write_geopackage(tmp_path / f"{name}.gpkg", found, about, CHANGE_LAYERS)
    assert (tmp_path / "x.gpkg").read_bytes() == (tmp_path / "y.gpkg").read_bytes()
    assert validate_geopackage(tmp_path / "x.gpkg", CHANGE_LAYERS) == []


def test_missing_values_and_kinds_of_values() -> None:
    parks = gpd.GeoDataFrame(
        {"park_id": ["p1", "p2", "p3"], "name": ["가", None, "다"], "class_code": "UQT210", "class_ko": "근린공원", "class_en": "park",
         "status": "built", "dong_code": DONG, "area_m2": [100.0, 200.0, 300.04]},
        geometry=[shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10), shapely.box(40, 0, 50, 10)], crs="EPSG:5186",
    )  # fmt: skip
    after = parks.assign(name=[None, None, "다"], area_m2=[100.0, 200.0, 300.01])
    # the same square, begun at another corner; and one that grew from 100 to 120 m2
    after.loc[1, "geometry"] = shapely.Polygon([(30, 10), (20, 10), (20, 0), (30, 0)])
    after.loc[2, "geometry"] = shapely.box(40, 0, 52, 10)
    found = compare_layer(LAYERS["parks"], parks, after)
    assert (found.added, found.removed, found.altered) == (0, 0, 2)
    rows = found.values[["feature_key", "field", "old_value", "new_value"]].astype("object")
    assert rows.where(rows.notna(), None).to_numpy().tolist() == [
        ["p1", "name", "가", None],
        ["p3", "geom", "100.0", "120.0"],
    ]


def test_tables_without_key_are_row_sets_and_new_columns_are_told(layers: Layers) -> None:
    info = layers["run_info"]
    after = info.copy()
    after.loc[after["name"] == "albedo", "value"] = "0.25"
    found = compare_layer(LAYERS["run_info"], info, pd.concat([after, after.iloc[[0]]]))
    assert (found.added, found.removed, found.altered) == (2, 1, 0)
    without = layers["buildings"].drop(columns="altitude")
    assert compare_layer(LAYERS["buildings"], without, layers["buildings"]).fields_new == ("altitude",)


def test_too_many_values_are_counted_but_not_listed(layers: Layers, about: ReleaseAbout, tmp_path: Path) -> None:
    after = layers | {"buildings": layers["buildings"].assign(height=lambda f: f["height"] + 1)}
    after["buildings"].loc[0, "name"] = "새 이름"
    paths = [{"existing": write(tmp_path / n, f, about)} for n, f in (("a", layers), ("b", after))]
    found = compare_geopackages(*paths, about.crs, most_values=5)
    fields = found["changed_fields"].set_index("field")
    assert fields["altered"].to_dict() == {"height": 30, "name": 1}
    assert fields["listed"].to_dict() == {"height": False, "name": True}
    assert fields.loc["height", ["difference_mean", "difference_min", "difference_max"]].tolist() == [1, 1, 1]
    assert found["changed_values"]["field"].tolist() == ["name"]


def test_a_new_scenario_and_a_new_layer_are_told_not_taken_apart(
    layers: Layers, about: ReleaseAbout, tmp_path: Path
) -> None:
    without = {name: frame for name, frame in layers.items() if name != "parks"}
    old, new = write(tmp_path / "a", without, about), write(tmp_path / "b", layers, about)
    found = compare_geopackages({"existing": old}, {"existing": new, "planned": new}, about.crs)
    rows = found["changed_layers"].set_index(["scenario", "layer"])
    assert "한쪽 릴리스에만" in rows.loc[("existing", "parks"), "note"]
    assert rows.loc["planned", "note"].str.startswith("새 시나리오").all()
    assert rows.loc["planned", "added"].isna().all()
    assert found["changed_features"].empty


def publish(outputs: Path, file: Path, about: ReleaseAbout, digest: str, day: int):
    return publish_release(
        outputs, "gaon", {"existing/twin.gpkg": file}, {"content": {}}, digest, now=START + timedelta(days=day), keep=14,
        validate=validate_release, beside=partial(make_beside, about=about),
    )  # fmt: skip


def test_releases_carry_their_changes_and_the_indicators_of_all(
    layers: Layers, edited: Layers, about: ReleaseAbout, tmp_path: Path
) -> None:
    edited["districts"]["yield_kwh"] *= 2
    one, two = write(tmp_path / "a", layers, about), write(tmp_path / "b", edited, about)
    outputs = tmp_path / "outputs"
    first = publish(outputs, one, about, "aaaaaaaa", 0)
    assert not (first.path / CHANGES).exists()
    assert not (first.path / PAGE).exists()
    assert json.loads((first.path / "manifest.json").read_bytes())["changes"]["against"] is None
    assert "첫 릴리스" in first.changes[0]
    second = publish(outputs, two, about, "bbbbbbbb", 1)
    manifest = json.loads((second.path / "manifest.json").read_bytes())
    assert manifest["changes"]["against"] == first.id
    assert {CHANGES, PAGE, HISTORY, PLOT} <= set(manifest["files"])
    assert any("건물 +0 −0 ~1" in line and "필지 +1 −1 ~0" in line for line in second.changes)
    assert validate_geopackage(second.path / CHANGES, CHANGE_LAYERS) == []
    with closing(sqlite3.connect(f"file:{second.path / CHANGES}?mode=ro&immutable=1", uri=True)) as connection:
        titles = dict(
            connection.execute("SELECT column_name, title FROM gpkg_data_columns WHERE table_name = 'changed_values'")
        )
    assert titles["old_value"] == "이전 값 / Old value"
    page = (second.path / PAGE).read_text(encoding="utf-8")
    for words in ("가학동", "연간 발전량", "16.50", "b0003", "가상 데이터", first.id, second.id):
        assert words in page
    assert "http" not in page
    # published again from what lay before: the release before is the third, equal one
    third = publish(outputs, one, about, "cccccccc", 2)
    history = pd.read_parquet(third.path / HISTORY)
    assert history["release"].tolist() == [first.id, second.id, third.id]
    yields = totals(history)["yield_kwh"].to_numpy()
    np.testing.assert_allclose(yields[1] / yields[[0, 2]], 2.0, rtol=1e-6)
    assert publish(outputs, one, about, "cccccccc", 3).published is False
    assert find_release(outputs, "gaon", "latest").name == third.id
    assert find_release(outputs, "gaon", "previous").name == second.id
    with pytest.raises(InputError, match="latest, previous"):
        find_release(outputs, "gaon", "20200101T000000-aaaaaaaa")


def test_an_altered_release_is_not_compared_with(layers: Layers, about: ReleaseAbout, tmp_path: Path) -> None:
    one = write(tmp_path / "a", layers, about)
    outputs = tmp_path / "outputs"
    first, second = (publish(outputs, one, about, digest, day) for day, digest in enumerate(("aaaaaaaa", "bbbbbbbb")))
    victim = second.path / "existing/twin.gpkg"
    victim.chmod(0o644)
    victim.write_bytes(b"not a GeoPackage any more")
    third = publish(outputs, one, about, "bbbbbbbb", 2)
    assert third.published
    assert json.loads((third.path / "manifest.json").read_bytes())["changes"]["against"] == first.id


def two_nights_of_parcels(count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give parcels in all their columns, and the same with every tenth altered in all its numbers."""
    layer = LAYERS["parcels"]
    x, y = 20.0 * (np.arange(count) % 200), 20.0 * (np.arange(count) // 200)
    raw = {f.name: 1.0 for f in layer.fields if f.kind == "real"} | {
        "dong_code": DONG,
        "source_rows": 1,
        "jibun": "1대",
        "jimok": "대",
    }
    raw["pnu"] = [f"{DONG}1{i:08d}" for i in range(count)]
    frame = layer.finish(gpd.GeoDataFrame(raw, geometry=shapely.box(x, y, x + 15, y + 15), crs="EPSG:5186"))
    numbers = [f.name for f in layer.fields if f.kind == "real"]
    after = frame.assign(**{name: frame[name] + (np.arange(count) % 10 == 0) for name in numbers})
    return frame, after


def test_cost_grows_with_the_number_of_parcels_alone(cpu_seconds) -> None:
    layer, took = LAYERS["parcels"], []
    numbers = [f.name for f in layer.fields if f.kind == "real"]
    for count in (2_000, 8_000):
        found, seconds = cpu_seconds(partial(compare_layer, layer, *two_nights_of_parcels(count)))
        assert found.altered == count / 10
        assert len(found.values) == count / 10 * len(numbers)
        took.append(seconds)
    # four times the parcels; what is quadratic takes sixteen times as long
    assert took[1] < 10 * took[0]
