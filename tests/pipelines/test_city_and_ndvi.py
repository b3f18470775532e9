"""A village with a city model and a vegetation index, through Dagster: pitched roofs and the index of parcels."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from pipelines.instance import open_workplace
from pipelines.run import run_job
from pipelines.store import Store
from pipelines.work import read_table

X, Y = 186_000.0, 537_000.0
HOUSE, SHED = shapely.box(X, Y, X + 12, Y + 8), shapely.box(X + 40, Y, X + 50, Y + 10)
LOTS = [shapely.box(X - 20, Y - 20, X + 20, Y + 20), shapely.box(X + 20, Y - 20, X + 60, Y + 20)]


def _city_model() -> str:
    """A gable roof over the house: ridge east-west, 3 m up over 4 m; and a roof over nothing."""
    corners = [(0, 0, 5), (12, 0, 5), (12, 4, 8), (0, 4, 8), (12, 8, 5), (0, 8, 5)]
    stray = [(100, 100, 5), (110, 100, 5), (110, 110, 5), (100, 110, 5)]
    surfaces = {"house": [[[0, 1, 2, 3]], [[3, 2, 4, 5]]], "stray": [[[6, 7, 8, 9]]]}
    objects = {
        key: {
            "type": "Building",
            "geometry": [
                {
                    "type": "MultiSurface",
                    "lod": "2.2",
                    "boundaries": rings,
                    "semantics": {"surfaces": [{"type": "RoofSurface"}], "values": [0] * len(rings)},
                }
            ],
        }
        for key, rings in surfaces.items()
    }
    return json.dumps(
        {
            "type": "CityJSON",
            "version": "2.0",
            "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/5186"},
            "transform": {"scale": [1.0, 1.0, 1.0], "translate": [X, Y, 0.0]},
            "CityObjects": objects,
            "vertices": [*corners, *stray],
        }
    )


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    folder = tmp_path_factory.mktemp("village")
    inbox = folder / "inbox"
    inbox.mkdir()
    count = range(2)
    columns = {f"A{i}": [""] * 2 for i in range(29)} | {
        "A1": [f"id{i}" for i in count], "A2": [f"412101050010001000{i}" for i in count], "A3": ["4121010500"] * 2,
        "A8": ["01000"] * 2, "A16": [8.0, 3.0], "A22": ["2026-09-01"] * 2, "A26": [2, 1],
    }  # fmt: skip
    gpd.GeoDataFrame(columns, geometry=[HOUSE, SHED], crs="EPSG:5186").to_file(inbox / "b.shp", encoding="cp949")
    lots = {
        "A0": [0, 1], "A1": columns["A2"], "A2": ["4121010500"] * 2, "A3": ["경기도 광명시 노온사동"] * 2, "A4": ["1-0", "1-1"],
        "A5": ["1대", "1-1대"], "A6": ["2026-09-01"] * 2, "A7": ["41210"] * 2,
    }  # fmt: skip
    gpd.GeoDataFrame(lots, geometry=LOTS, crs="EPSG:5186").to_file(inbox / "p.shp", encoding="cp949")
    (inbox / "lod2.json").write_text(_city_model())
    index = np.full((100, 100), 0.25, dtype="float32")
    index[:, 52:] = 0.75  # from 20 m east of the corner on: the second lot
    index[0, 0] = -0.1
    profile = {"driver": "GTiff", "count": 1, "height": 100, "width": 100, "dtype": "float32", "crs": "EPSG:5186"}
    with rasterio.open(inbox / "n.tif", "w", **profile, transform=from_origin(X - 500, Y + 500, 10, 10)) as raster:
        raster.write(index, 1)
    box = [X - 200, Y - 200, X + 200, Y + 200]
    (folder / "site.yaml").write_text(
        f"name: village\ntitle: {{ko: 마을, en: Village}}\nstudy_area: {{bbox: {box}, crs: 'EPSG:5186'}}\n",
        encoding="utf-8",
    )
    workplace = open_workplace(folder / "site.yaml", folder / "outputs", folder / "state")
    outcome = run_job(workplace, select="+key:existing/parcels")
    assert outcome.succeeded, outcome.reasons
    return Store(workplace.store)


def _table(store: Store, asset: str) -> gpd.GeoDataFrame:
    return read_table(Path(store.current(asset).data) / "features.parquet")


def test_pitched_planes_where_the_model_has_them_and_flat_ones_elsewhere(village):
    roofs = _table(village, "existing/roof_planes")
    pitched = roofs[roofs["tilt_deg"] > 0].sort_values("azimuth_deg")
    assert pitched["tilt_deg"].to_numpy() == pytest.approx([36.8699] * 2, abs=1e-3)
    assert np.cos(np.radians(pitched["azimuth_deg"])).to_numpy() == pytest.approx([1, -1], abs=1e-6)
    assert pitched["area_m2"].to_numpy() == pytest.approx([60, 60], abs=1e-6)
    assert pitched["building_id"].nunique() == 1
    flat = roofs[roofs["tilt_deg"] == 0]
    assert flat["area_m2"].to_numpy() == pytest.approx([100.0])


def test_surfaces_without_a_building_are_told(village):
    stored = village.current("sources/roof_planes")
    assert stored.metadata["account"] == {
        "source": "roof_planes", "read": 3, "outside": 0, "published": 2, "merged": 0, "reasoned": 1,
    }  # fmt: skip
    quality = read_table(Path(stored.data) / "quality.parquet")
    assert list(zip(quality["key"], quality["reason"], strict=True)) == [("stray:1", "roof_without_building")]
    assert village.current("existing/roof_planes").metadata["planes_given"] == 2


def test_the_index_of_a_parcel(village):
    parcels = _table(village, "existing/parcels").set_index("pnu")
    assert parcels.loc["4121010500100010000", "ndvi_mean"] == pytest.approx(0.25, abs=0.02)
    assert parcels.loc["4121010500100010001", "ndvi_mean"] == pytest.approx(0.75, abs=0.02)
    assert "ndvi_green_pct" not in parcels.columns
    # no land cover: the index alone tells what is green, to the cells of 10 m whose border is at X + 20 and which hold NDVI > 0.3
    assert parcels.loc["4121010500100010000", "green_cover_pct"] == pytest.approx(0, abs=0.01)
    east = parcels.loc["4121010500100010001"]
    # 40 x 40 m of the lot less the shed of 100 m2
    assert east["green_area_m2"] == pytest.approx(1500, abs=0.1)
    assert east["green_vegetation_m2"] == pytest.approx(1500, abs=0.1)
    assert east["green_cover_pct"] == pytest.approx(93.75, abs=0.01)
    assert east["cover_resolution_m"] == 10.0
    assert east["cover_confidence"] == "low"  # 1,600 m2 hold 16 cells
    assert "cover_built_m2" not in parcels.columns
    green = _table(village, "existing/green")
    assert set(green["source_kind"]) == {"ndvi"}
    assert green["is_canopy"].isna().all()
    assert green["source"].str.endswith("NDVI > 0.3").all()
    assert village.current("sources/ndvi").metadata["coverage_pct"] == 100.0
