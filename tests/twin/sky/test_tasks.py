from __future__ import annotations

import sys
import threading

import pytest

from geodata.compute import ComputeSpec
from geodata.errors import InputError
from twin.sky import cluster
from twin.sky.compiled import thread_count
from twin.sky.tasks import run_tasks


def test_results_come_in_the_order_of_the_jobs():
    assert run_tasks(lambda job, threads: job * 2, list(range(20))) == list(range(0, 40, 2))
    assert run_tasks(lambda job, threads: job, []) == []


def test_jobs_share_the_processors(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "4")
    assert run_tasks(lambda job, threads: threads, ["only"]) == [4]
    assert run_tasks(lambda job, threads: threads, ["one", "two"]) == [2, 2]
    assert run_tasks(lambda job, threads: threads, list("abcdefgh")) == [1] * 8


def test_two_jobs_are_in_work_at_once(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    both = threading.Barrier(2, timeout=120)
    assert sorted(run_tasks(lambda job, threads: both.wait(), [1, 2])) == [0, 1]


def test_without_dask_jobs_run_one_after_the_other(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    names = run_tasks(lambda job, threads: (threading.current_thread().name, threads), [1, 2, 3])
    assert names == [(threading.current_thread().name, thread_count())] * 3


def test_an_error_of_a_job_is_raised():
    def work(job: int, threads: int) -> int:
        if job == 3:
            raise InputError("tile 3 is bad")
        return job

    with pytest.raises(InputError, match="tile 3 is bad"):
        run_tasks(work, [1, 2, 3, 4])


def test_a_cluster_without_its_package_or_without_an_answer_is_refused(monkeypatch):
    nowhere = ComputeSpec(scheduler="distributed", address="tcp://127.0.0.1:1")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "distributed", None)
        with pytest.raises(InputError, match="not installed"):
            run_tasks(lambda job, threads: job, [1], nowhere)
    pytest.importorskip(
        "distributed", reason="dask.distributed is not installed: pip install 'newtown-twin[distributed]'"
    )
    monkeypatch.setattr(cluster, "PATIENCE_S", 0.5)
    with pytest.raises(InputError, match="no Dask scheduler answers"):
        run_tasks(lambda job, threads: job, [1], nowhere)


@pytest.mark.parametrize("given", [{"scheduler": "distributed"}, {"scheduler": "threads", "address": "tcp://a:1"}])
def test_an_address_belongs_to_a_cluster(given):
    with pytest.raises(ValueError, match="address"):
        ComputeSpec(**given)
