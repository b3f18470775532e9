"""A measured surface model of the demo town: roofs get their slopes from it, and it is the surface."""

from __future__ import annotations

import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import rasterio.features
import shapely
import yaml
from affine import Affine

from pipelines.store import Store
from twin.publish.durable import remove_tree

TILT = 25.0
EDGE = 240.0
"""The model begins this far east of the western-most building [m]."""


def measured(houses: gpd.GeoDataFrame, terrain, path) -> None:
    """Write a model of 0.5 m: flat roofs, and gables along the longer side of houses below 160 m2."""
    west, south, east, north = np.round(houses.total_bounds) + np.array([EDGE, -40.0, 40.0, 40.0])
    shape = round((north - south) * 2), round((east - west) * 2)
    transform = Affine(0.5, 0, west, 0, -0.5, north)
    x, y = np.meshgrid(west + (np.arange(shape[1]) + 0.5) / 2, north - (np.arange(shape[0]) + 0.5) / 2)
    with rasterio.open(terrain) as source:
        rows, columns = rasterio.transform.rowcol(source.transform, x.ravel(), y.ravel())
        ground = source.read(1)[np.array(rows), np.array(columns)].reshape(shape)
    number = rasterio.features.rasterize(
        zip(houses.geometry, range(1, len(houses) + 1), strict=True),
        out_shape=shape,
        transform=transform,
        dtype="int32",
    )
    top = np.concatenate([[0.0], houses["altitude"] + houses["height"]])
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(houses.geometry.to_numpy())).reshape(-1, 5, 2)
    sides = box[:, 1:3] - box[:, :2]
    lengths = np.hypot(sides[..., 0], sides[..., 1])
    short = sides[np.arange(len(houses)), lengths.argmin(axis=1)] / lengths.min(axis=1)[:, None]
    middle = box[:, :4].mean(axis=1)
    steep = np.where(houses.area < 160, np.tan(np.radians(TILT)), 0.0)
    at = number - 1
    across = np.abs((x - middle[at, 0]) * short[at, 0] + (y - middle[at, 1]) * short[at, 1])
    heights = np.where(number > 0, top[number] + (lengths.min(axis=1)[at] / 2 - across) * steep[at], ground)
    heights += np.random.default_rng(1).normal(0, 0.05, shape)
    profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": houses.crs, "compress": "deflate"}
    with rasterio.open(path, "w", width=shape[1], height=shape[0], transform=transform, **profile) as target:
        target.write(heights.astype(np.float32), 1)


@pytest.fixture
def with_model(demo_site, town, tmp_path, run_site):
    """The whole town on a copy of its store, with the model in its inbox: houses and store."""
    shutil.copytree(demo_site.parent, tmp_path / "demo")
    site_file, folder = tmp_path / "demo" / demo_site.name, tmp_path / "place"
    shutil.copytree(town.workplace.state, folder / "state")
    store = Store(folder / "state" / "demo_town" / "store")
    found = {name: store.current(name) for name in ("existing/footprints", "sources/terrain")}
    houses = gpd.read_parquet(found["existing/footprints"].data / "features.parquet")
    measured(houses, found["sources/terrain"].data / "terrain.tif", site_file.parent / "inbox" / "dsm.tif")
    site = yaml.safe_load(site_file.read_text(encoding="utf-8"))
    site.setdefault("sources", {})["surface_model"] = {"path": "dsm.tif"}
    site_file.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    run = run_site(
        site_file, folder, select='+key:"existing/roof_planes" or +key:"existing/surface" or +key:"existing/canopy"'
    )
    assert run.outcome.succeeded, run.outcome.reasons
    yield houses, store
    remove_tree(folder)


def test_roofs_and_surface_come_from_the_model(with_model):
    houses, store = with_model
    planes = gpd.read_parquet(store.current("existing/roof_planes").data / "features.parquet")
    quality = pd.read_parquet(store.current("existing/roof_fit").data / "quality.parquet")
    fitted = planes[planes["plane_source"] == "surface_model"]
    assert len(fitted) > 300
    # every building without a fitted plane has its reason, and one flat plane
    assumed = planes[planes["plane_source"] == "assumed"]
    assert sorted(assumed["building_id"]) == sorted(quality["key"])
    assert set(planes["building_id"]) == set(houses["building_id"])
    west = houses.total_bounds[0] + EDGE
    beyond = houses.loc[houses.bounds["maxx"] < west, "building_id"]
    assert len(beyond) > 10
    assert set(beyond) <= set(assumed["building_id"])
    gabled = fitted["building_id"].isin(houses.loc[houses.area < 160, "building_id"])
    slopes = fitted[gabled & (fitted["tilt_deg"] > 0)]
    assert np.percentile((slopes["tilt_deg"] - TILT).abs(), 95) < 1.0
    assert (fitted.loc[~gabled, "tilt_deg"] == 0).all()
    # planes of a building are its footprint
    covered = planes.dissolve("building_id").area
    assert covered.to_numpy() == pytest.approx(houses.set_index("building_id").area[covered.index].to_numpy(), rel=1e-6)
    surface = store.current("existing/surface")
    assert 0.2 < surface.metadata["cells_measured"] / surface.metadata["cells"] < 0.9
    assert store.current("existing/canopy").absent == "the surface model shows the trees already"
