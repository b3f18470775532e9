"""A cluster of two processes, one of which is killed in mid-run, gives the skylines of a run in threads bit for bit; one
that cannot do the work is told, and the next run heals."""

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
import yaml
from affine import Affine

from geodata.compute import ComputeSpec
from geodata.errors import InputError
from geodata.site import Site
from pipelines.assets.solar import skyline
from pipelines.step_names import key_of
from pipelines.steps import build_step
from pipelines.store import Store
from twin.publish.release import verify_latest
from twin.sky import cluster as cluster_module
from twin.sky.cluster import run_on_cluster
from twin.sky.tasks import run_tasks

pytestmark = [pytest.mark.check, pytest.mark.timeout(1200)]

SIDE_KM = 3
CELL_M = 1.0
WORKER_MEMORY = "250MB"
"""A worker that waits for work fits in; one that has loaded what the work needs does not."""


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
    """Count the finished tiles; what a killed worker was writing, in a folder whose name begins with a dot, is none."""
    found = store.root.glob("existing.skyline.parts.E*/[!.]*/object.json")
    return len([path for path in found if "heights" not in str(path)])


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
        killer.join(timeout=60)
        now = [nanny.pid for nanny in cluster.workers.values()]

    assert told and told[0] < SIDE_KM**2, f"the run was over before a worker was killed: {told}"
    assert workers[0] not in now
    # the same content hash is the same bytes of every file
    assert found.content == expected.content
    assert found.files == expected.files
    assert swept(together) == SIDE_KM**2


@pytest.fixture
def distributed():
    return pytest.importorskip(
        "distributed", reason="dask.distributed is not installed: pip install 'newtown-twin[distributed]'"
    )


def one_worker(distributed, **options):
    return distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, worker_dashboard_address=None, **options
    )


def test_a_worker_out_of_memory_is_told_and_the_next_run_heals(small_town, distributed):
    """Its nanny ends it, again and again, as soon as it has loaded what the work needs."""
    import dask

    before = small_town.latest
    site = yaml.safe_load(small_town.site_file.read_text(encoding="utf-8"))
    site["solar"]["azimuths"] = 24  # skylines have to be swept anew

    def write(**more) -> None:
        small_town.site_file.write_text(yaml.safe_dump(site | more, allow_unicode=True), encoding="utf-8")

    often = {"distributed.worker.memory.monitor-interval": "20ms"}
    with dask.config.set(often), one_worker(distributed, processes=True, memory_limit=WORKER_MEMORY) as cluster:
        write(compute={"scheduler": "distributed", "address": cluster.scheduler_address})
        assert small_town.run() == 1, small_town.words
    assert "memory" in small_town.words and "메모리" in small_town.words
    assert "existing/skyline" in small_town.words
    assert small_town.latest == before
    assert verify_latest(small_town.workplace.outputs, small_town.workplace.site.name) == []
    write()
    assert small_town.run() == 0, small_town.words
    assert small_town.latest != before
    assert verify_latest(small_town.workplace.outputs, small_town.workplace.site.name) == []


def wait_long(job: int, threads: int) -> int:
    time.sleep(600.0 if job else 0.0)
    return job


@pytest.mark.parametrize("what", ["workers", "scheduler"])
def test_a_cluster_that_goes_away_is_not_waited_for_for_ever(distributed, monkeypatch, what):
    monkeypatch.setattr(cluster_module, "PATIENCE_S", 3.0)
    monkeypatch.setattr(cluster_module, "LOOK_EVERY_S", 0.2)
    cluster = one_worker(distributed, processes=True)
    address = cluster.scheduler_address
    over = threading.Event()

    def go_away() -> None:
        with distributed.Client(address, set_as_default=False) as client:
            while not any(client.processing().values()) and not over.wait(0.05):
                continue
        cluster.scale(0) if what == "workers" else cluster.close()

    ender = threading.Thread(target=go_away)
    ender.start()
    # a cluster that closes takes its workers away before its scheduler, on a slow machine long before
    told = {"workers": "all workers went away", "scheduler": "(scheduler|all workers) went away"}[what]
    try:
        with pytest.raises(InputError, match=told):
            run_on_cluster(wait_long, [0, 1, 2], address)
    finally:
        over.set()
        ender.join()
        cluster.close()


def use_up_memory(job: int, threads: int) -> int:
    raise MemoryError("Unable to allocate 9 TiB")


def test_a_piece_that_does_not_fit_is_told(distributed):
    with one_worker(distributed, processes=False) as cluster:
        compute = ComputeSpec(scheduler="distributed", address=cluster.scheduler_address)
        with pytest.raises(InputError, match=r"out of memory.*9 TiB.*--memory-limit"):
            run_tasks(use_up_memory, [0], compute)
