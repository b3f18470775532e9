"""A cluster of two processes, one of which is killed in mid-run, gives the skylines of a run in threads bit for bit."""

from __future__ import annotations

import os
import signal
import threading
import time

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from geodata.site import Site
from pipelines.assets.solar import skyline
from pipelines.steps import build_step, key_of
from pipelines.store import Store

pytestmark = pytest.mark.check

SIDE_KM = 3
CELL_M = 1.0


def write(path, heights, west, north, cell_m=CELL_M):
    options = {"driver": "GTiff", "dtype": "float32", "count": 1, "width": heights.shape[1], "height": heights.shape[0]}
    place = Affine(cell_m, 0, west, 0, -cell_m, north)
    with rasterio.open(path, "w", crs="EPSG:5186", transform=place, nodata=float("nan"), **options) as target:
        target.write(heights.astype(np.float32), 1)


def fill_store(store: Store) -> None:
    """Put in the store what the skyline is made from: towers on level ground, 3 km square in nine tiles."""
    rng = np.random.default_rng(12)
    side = SIDE_KM * 1000
    west, south = rng.integers(10, side - 40, (2, 600))
    planes = gpd.GeoDataFrame(
        {"roof_id": [f"{number:03d}" for number in range(600)], "tilt_deg": 0.0, "azimuth_deg": np.nan},
        geometry=shapely.box(west, south, west + 24, south + 18), crs="EPSG:5186",
    )  # fmt: skip
    town = np.full((side, side), 20.0, dtype=np.float32)
    for left, below, top in zip(west, south, rng.choice([27.0, 50.0, 95.0], 600), strict=True):
        town[side - below - 18 : side - below, left : left + 24] = top

    def surface(folder):
        for column in range(SIDE_KM):
            for row in range(SIDE_KM):
                part = town[side - (row + 1) * 1000 : side - row * 1000, column * 1000 : (column + 1) * 1000]
                write(folder / "data" / f"E{column}_N{row}.tif", part, column * 1000, (row + 1) * 1000)
        return {}

    def terrain(folder):
        write(folder / "data" / "terrain.tif", np.full((200, 200), 20.0), -500, 3500, 20.0)
        return {}

    def roofs(folder):
        planes.to_parquet(folder / "data" / "features.parquet")
        return {}

    builders = {"scenario/surface": surface, "sources/terrain": terrain, "scenario/roof_planes": roofs}
    for name in skyline.needs:
        build = builders.get(name, lambda folder: {"absent": "not in this town"})
        store.get_or_build(key_of(name, "existing"), inputs={}, parameters=None, code_version="", build=build)


def site(compute: dict) -> Site:
    return Site.model_validate(
        {"name": "cluster", "title": {"ko": "시험", "en": "Trial"}, "study_area": {"legal_dongs": ["4121010500"]}, "compute": compute}
    )  # fmt: skip


def swept(store: Store) -> int:
    return len(
        [path for path in store.root.glob("existing.skyline.parts.E*/*/object.json") if "heights" not in str(path)]
    )


def test_a_killed_worker_changes_nothing(tmp_path):
    distributed = pytest.importorskip(
        "distributed", reason="dask.distributed is not installed: pip install 'newtown-twin[distributed]'"
    )
    alone, together = Store(tmp_path / "alone"), Store(tmp_path / "together")
    for store in (alone, together):
        fill_store(store)
    expected = build_step(skyline, site({"scheduler": "threads"}), alone, "existing")
    assert swept(alone) == SIDE_KM**2

    told = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, worker_dashboard_address=None
    ) as cluster:
        workers = [nanny.pid for nanny in cluster.workers.values()]

        def kill_one() -> None:
            while swept(together) < 2:
                time.sleep(0.02)
            os.kill(workers[0], signal.SIGKILL)
            told.append(swept(together))

        killer = threading.Thread(target=kill_one, daemon=True)
        killer.start()
        compute = {"scheduler": "distributed", "address": cluster.scheduler_address}
        found = build_step(skyline, site(compute), together, "existing")
        killer.join(timeout=10)
        now = [nanny.pid for nanny in cluster.workers.values()]

    assert told and told[0] < SIDE_KM**2, f"the run was over before a worker was killed: {told}"
    assert workers[0] not in now
    # the same content hash is the same bytes of every file
    assert found.content == expected.content
    assert found.files == expected.files
    assert swept(together) == SIDE_KM**2
