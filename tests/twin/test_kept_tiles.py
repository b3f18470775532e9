"""Tiles of surface and trees that are kept from run to run: after an edit they have the bytes of tiles made anew."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from geodata.study_area import StudyArea
from tests.kept import Kept
from twin.sky.canopy import build_canopy
from twin.sky.tiles import SurfaceFolder
from twin.surface import build_surface

CRS = "EPSG:5186"
X0, Y0 = 185_000.0, 536_000.0
SQUARE = shapely.box(X0 + 5, Y0 + 5, X0 + 1995, Y0 + 1995)


def area(shape=SQUARE):
    return StudyArea(crs=CRS, area=shape, dongs=gpd.GeoDataFrame(geometry=[shape], crs=CRS))


@pytest.fixture
def terrain(tmp_path):
    path = tmp_path / "terrain.tif"
    heights = np.random.default_rng(1).uniform(20, 40, (220, 220)).astype("float32")
    grid = rasterio.Affine(10, 0, X0 - 100, 0, -10, Y0 + 2100)
    with rasterio.open(path, "w", driver="GTiff", width=220, height=220, count=1, dtype="float32", crs=CRS, transform=grid,
                       nodata=np.nan) as target:  # fmt: skip
        target.write(heights, 1)
    return path


def town():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(20, 1900, (2, 120))
    shapes = shapely.box(X0 + x, Y0 + y, X0 + x + 25, Y0 + y + 25)
    # the first stands alone in the middle of the south-western tile, a later one across the seam of all four
    shapes[0], shapes[1] = (
        shapely.box(X0 + 400, Y0 + 400, X0 + 420, Y0 + 420),
        shapely.box(X0 + 990, Y0 + 990, X0 + 1010, Y0 + 1010),
    )
    return gpd.GeoDataFrame(
        {"height": rng.uniform(4, 60, 120), "altitude": rng.uniform(25, 35, 120)}, geometry=shapes, crs=CRS
    )


def edits():
    before = town()
    higher, across, elsewhere = before.copy(), before.copy(), before.copy()
    higher.loc[0, "height"] += 9.0
    across.loc[1, "height"] += 90.0
    elsewhere.loc[[0], "geometry"] = shapely.box(X0 + 1400, Y0 + 1400, X0 + 1420, Y0 + 1420)
    new = before.iloc[[0]].assign(geometry=shapely.box(X0 + 1600, Y0 + 300, X0 + 1620, Y0 + 320))
    both = gpd.GeoDataFrame(pd.concat([new, before], ignore_index=True), crs=CRS)
    return {
        "raised": (higher, {"E185_N536"}),
        "raised across a seam": (across, {"E185_N536", "E185_N537", "E186_N536", "E186_N537"}),
        "moved": (elsewhere, {"E185_N536", "E186_N537"}),
        "removed": (before.drop(index=0), {"E185_N536"}),
        "added": (both, {"E186_N536"}),
        "none": (before, set()),
    }


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.tif"))}


@pytest.mark.parametrize("edit", edits())
def test_an_edit_makes_the_tiles_it_touches_and_all_have_the_bytes_of_a_new_surface(edit, terrain, tmp_path):
    after, touched = edits()[edit]
    keep = Kept(tmp_path / "parts")
    build_surface(town(), terrain, area(), 2.0, tmp_path / "before", keep=keep)
    assert set(keep.taken()) == {"E185_N536", "E185_N537", "E186_N536", "E186_N537"}
    before = contents(tmp_path / "before")
    warm = build_surface(after, terrain, area(), 2.0, tmp_path / "warm", keep=keep)
    assert set(keep.taken()) == touched
    cold = build_surface(after, terrain, area(), 2.0, tmp_path / "cold")
    assert contents(tmp_path / "warm") == contents(tmp_path / "cold")
    assert warm.as_dict() == cold.as_dict()
    # what had been made stays as it was
    assert contents(tmp_path / "before") == before
    assert {name[:-4] for name, raster in contents(tmp_path / "warm").items() if raster != before[name]} == touched


def test_other_ground_another_outline_and_other_cells_make_every_tile(terrain, tmp_path):
    keep = Kept(tmp_path / "parts")
    build_surface(town(), terrain, area(), 2.0, tmp_path / "one", keep=keep)
    assert len(keep.taken()) == 4
    build_surface(town(), terrain, area(), 4.0, tmp_path / "two", keep=keep)
    assert len(keep.taken()) == 4
    build_surface(
        town(), terrain, area(shapely.box(X0 + 5, Y0 + 5, X0 + 1500, Y0 + 1500)), 2.0, tmp_path / "three", keep=keep
    )
    assert len(keep.taken()) == 4
    other = tmp_path / "other.tif"
    with rasterio.open(terrain) as source, rasterio.open(other, "w", **source.profile) as target:
        target.write(source.read() + 1)
    build_surface(town(), other, area(), 2.0, tmp_path / "four", keep=keep)
    assert len(keep.taken()) == 4


def test_a_tile_without_anything_wanted_is_remembered_as_none(terrain, tmp_path):
    keep = Kept(tmp_path / "parts")
    corner = area(shapely.box(X0 + 10, Y0 + 10, X0 + 1000.2, Y0 + 900))
    for number, made in enumerate((2, 0)):
        report = build_surface(None, terrain, corner, 2.0, tmp_path / str(number), keep=keep)
        assert report.tiles == ("E185_N536",)
        assert len(keep.taken()) == made


def test_ground_that_a_plan_changes_makes_its_tile(terrain, tmp_path):
    keep = Kept(tmp_path / "parts")
    model = tmp_path / "model.tif"
    with rasterio.open(terrain) as source, rasterio.open(model, "w", **source.profile) as target:
        target.write(source.read() + 3)
    for number, (west, made) in enumerate(((1200, 4), (1200, 0), (1300, 1))):
        past = gpd.GeoSeries([shapely.box(X0 + west, Y0 + 200, X0 + west + 90, Y0 + 260)], crs=CRS)
        given = {"surface_model": model, "outdated": past}
        warm = build_surface(town(), terrain, area(), 2.0, tmp_path / f"warm{number}", keep=keep, **given)
        assert len(keep.taken()) == made
        cold = build_surface(town(), terrain, area(), 2.0, tmp_path / f"cold{number}", **given)
        assert contents(tmp_path / f"warm{number}") == contents(tmp_path / f"cold{number}")
        assert warm == cold


@pytest.mark.parametrize("edit", edits())
def test_trees_are_made_where_outlines_have_changed(edit, terrain, tmp_path):
    after, touched = edits()[edit]
    keep = Kept(tmp_path / "parts")
    build_surface(town(), terrain, area(), 2.0, tmp_path / "surface")
    surface = SurfaceFolder.open(tmp_path / "surface")
    woods = gpd.GeoDataFrame(
        {"class_code": ["311", "321"]}, geometry=[SQUARE.buffer(-200), SQUARE.buffer(-700)], crs=CRS
    )
    build_canopy(woods, town().geometry.to_numpy(), surface, tmp_path / "before", keep=keep)
    assert len(keep.taken()) == 4
    warm = build_canopy(woods, after.geometry.to_numpy(), surface, tmp_path / "warm", keep=keep)
    # trees know nothing of the height of buildings
    assert set(keep.taken()) == (set() if edit.startswith("raised") else touched)
    cold = build_canopy(woods, after.geometry.to_numpy(), surface, tmp_path / "cold")
    assert contents(tmp_path / "warm") == contents(tmp_path / "cold")
    assert warm == cold
    thinner = build_canopy(woods.iloc[:1], after.geometry.to_numpy(), surface, tmp_path / "thinner", keep=keep)
    assert len(keep.taken()) == 4
    assert thinner != warm
