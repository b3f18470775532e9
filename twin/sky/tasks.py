"""Running independent pieces of work side by side: in this process, or on the Dask cluster that the site names.

Pieces hand back little, such as the path of what they have written, so that results do not travel through memory. A
piece whose worker dies is started again elsewhere; whatever runs it, a piece gives the same bits.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from geodata.compute import ComputeSpec
from twin.sky.cluster import run_on_cluster
from twin.sky.compiled import thread_count

Job = TypeVar("Job")
Result = TypeVar("Result")

MOST_AT_ONCE = 8
"""Pieces in work at a time in this process: it bounds memory on machines with many processors."""


def run_tasks(
    work: Callable[[Job, int], Result], jobs: Sequence[Job], compute: ComputeSpec | None = None
) -> list[Result]:
    """Return ``work(job, threads)`` of each job, in the order of ``jobs``.

    Parameters
    ----------
    work : gets one job and the number of threads it may use; on a cluster it is pickled with all it refers to, and the
        folders that it writes to must be the same there
    jobs : independent of each other
    compute : where they run; None is this process. Without Dask jobs run one after the other, with all threads each

    Raises
    ------
    InputError
        If a cluster is asked for and cannot do the work; see `twin.sky.cluster`.
    """
    if compute is not None and compute.scheduler == "distributed":
        return run_on_cluster(work, jobs, str(compute.address))
    at_once = min(len(jobs), thread_count(), MOST_AT_ONCE)
    if at_once < 2 or importlib.util.find_spec("dask") is None:
        return [work(job, thread_count()) for job in jobs]
    import dask  # noqa: PLC0415 - optional, and slow to import

    pieces = [dask.delayed(partial(work, job, thread_count() // at_once), pure=False)() for job in jobs]
    return list(dask.compute(*pieces, scheduler="threads", num_workers=at_once))
