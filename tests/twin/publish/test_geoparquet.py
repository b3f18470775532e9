"""Layers as GeoParquet, read back by the readers that other people use."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from geodata.catalogue import LAYERS
from twin.publish.about import ReleaseAbout
from twin.publish.durable import sha256_of
from twin.publish.geopackage import write_geopackage
from twin.publish.geoparquet import layer_problems, write_layer
from twin.publish.validate import validate_release


@pytest.fixture
def folder(tmp_path: Path, layers, about: ReleaseAbout) -> Path:
    """A release of one scenario, as its GeoPackage and as GeoParquet."""
    (tmp_path / "existing").mkdir()
    write_geopackage(tmp_path / "existing" / "twin.gpkg", layers, about)
    place = tmp_path / "geoparquet" / "existing"
    place.mkdir(parents=True)
    for name, frame in layers.items():
        write_layer(place / f"{name}.parquet", LAYERS[name], frame, about)
    return tmp_path


def plain(values: pd.Series) -> list:
    """Values without the ways in which two readers hold the same thing: days, truth and nothing."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        values = values.dt.date
    return [None if pd.isna(value) else value for value in values.astype("object")]


def test_it_says_the_same_as_the_geopackage(folder: Path, layers) -> None:
    for name in layers:
        layer, path = LAYERS[name], folder / "geoparquet" / "existing" / f"{name}.parquet"
        assert layer_problems(path, layer) == []
        published = pyogrio.read_dataframe(folder / "existing" / "twin.gpkg", layer=name)
        found = gpd.read_parquet(path) if layer.geometry else pd.read_parquet(path)
        assert list(found.columns) == list(published.columns)
        if layer.geometry:
            assert found.crs.to_epsg() == 5186
            # rows stand along a curve here, by key there
            found, published = (
                f.sort_values(layer.key or ["source", "key", "reason"], ignore_index=True) for f in (found, published)
            )
            left, right = (shapely.to_wkb(f.geometry.to_numpy()) for f in (found, published))
            assert left.tolist() == right.tolist()
        for column in published.columns.drop("geometry", errors="ignore"):
            assert plain(found[column]) == plain(published[column]), (name, column)


def test_the_covering_lets_a_reader_take_a_piece(folder: Path, layers) -> None:
    path = folder / "geoparquet" / "existing" / "buildings.parquet"
    geo = json.loads(pq.read_schema(path).metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["covering"] == {
        "bbox": {corner: ["bbox", corner] for corner in ("xmin", "ymin", "xmax", "ymax")}
    }
    assert geo["columns"]["geometry"]["crs"]["id"] == {"authority": "EPSG", "code": 5186}
    west, south = 185_044.0, 538_034.0  # the second column and row of parcels of 44 m x 34 m
    piece = gpd.read_parquet(path, bbox=(west, south, west + 40, south + 30))
    assert piece["building_id"].tolist() == ["b0007"]


def test_columns_carry_their_names_and_units(folder: Path) -> None:
    height = pq.read_schema(folder / "geoparquet" / "existing" / "buildings.parquet").field("height")
    assert height.metadata[b"label_ko"].decode() == "높이 (m)"
    assert height.metadata[b"unit"] == b"m"
    assert str(pq.read_schema(folder / "geoparquet/existing/buildings.parquet").field("approved_on").type) == (
        "date32[day]"
    )


def test_the_same_layers_give_the_same_bytes(tmp_path: Path, layers, about: ReleaseAbout) -> None:
    for number in range(2):
        write_layer(tmp_path / f"{number}.parquet", LAYERS["parcels"], layers["parcels"].copy(), about)
    assert sha256_of(tmp_path / "0.parquet") == sha256_of(tmp_path / "1.parquet")


def test_empty_and_shapeless_rows_are_kept(tmp_path: Path, layers, about: ReleaseAbout) -> None:
    parks = layers["parks"]
    write_layer(tmp_path / "empty.parquet", LAYERS["parks"], parks.iloc[:0], about)
    assert len(gpd.read_parquet(tmp_path / "empty.parquet")) == 0
    quality = gpd.GeoDataFrame(
        {"source": "parks", "key": ["a", "b", "c"], "outcome": "noted", "reason": "text_damaged", "reason_ko": "가", "reason_en": "e", "detail": None},
        geometry=[None, shapely.Point(185_000, 538_000), None], crs="EPSG:5186",
    )  # fmt: skip
    write_layer(tmp_path / "quality.parquet", LAYERS["quality"], LAYERS["quality"].finish(quality), about)
    assert layer_problems(tmp_path / "quality.parquet", LAYERS["quality"]) == []
    assert sorted(gpd.read_parquet(tmp_path / "quality.parquet")["key"]) == ["a", "b", "c"]


def test_a_release_that_contradicts_itself_is_refused(folder: Path, layers, about: ReleaseAbout) -> None:
    assert validate_release(folder) == []
    place = folder / "geoparquet" / "existing"
    write_layer(place / "parks.parquet", LAYERS["parks"], layers["parks"].iloc[:1], about)
    table = pq.read_table(place / "roofs.parquet")
    boxes = table["bbox"].take(np.roll(np.arange(len(table)), 1))
    shifted = table.set_column(table.column_names.index("bbox"), table.field("bbox"), boxes)
    pq.write_table(shifted, place / "roofs.parquet")
    (place / "green.parquet").write_bytes((place / "green.parquet").read_bytes()[:400])
    pq.write_table(pq.read_table(place / "parcels.parquet").drop_columns(["pnu"]), place / "parcels.parquet")
    told = "\n".join(validate_release(folder))
    for words in (
        "parks.parquet: holds 1 rows, twin.gpkg 2",
        "roofs.parquet: the covering is not that of the shapes",
        "green.parquet: cannot be read",
        "parcels.parquet: required column pnu is missing",
    ):
        assert words in told
