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
from geodata.errors import InputError
from twin.sky.compiled import thread_count

Job = TypeVar("Job")
Result = TypeVar("Result")

MOST_AT_ONCE = 8
"""Pieces in work at a time in this process: it bounds memory on machines with many processors."""
RETRIES = 3
PATIENCE_S = 30
"""How long to wait for a scheduler to answer, and for its first worker."""


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
        If a cluster is asked for and Dask is not installed, or no scheduler or worker answers.
    """
    if compute is not None and compute.scheduler == "distributed":
        return _on_cluster(work, jobs, str(compute.address))
    at_once = min(len(jobs), thread_count(), MOST_AT_ONCE)
    if at_once < 2 or importlib.util.find_spec("dask") is None:
        return [work(job, thread_count()) for job in jobs]
    import dask  # noqa: PLC0415 - optional, and slow to import

    pieces = [dask.delayed(partial(work, job, thread_count() // at_once), pure=False)() for job in jobs]
    return list(dask.compute(*pieces, scheduler="threads", num_workers=at_once))


def _on_cluster(work: Callable[[Job, int], Result], jobs: Sequence[Job], address: str) -> list[Result]:
    if importlib.util.find_spec("distributed") is None:
        raise InputError(
            "compute.scheduler is distributed, but dask.distributed is not installed here; run "
            "pip install 'newtown-twin[distributed]', or say compute: {scheduler: threads}"
        )
    from distributed import Client  # noqa: PLC0415 - optional, and slow to import

    try:
        client = Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at compute.address {address}; start one with: dask scheduler, or say "
            "compute: {scheduler: threads}"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE_S)
        except TimeoutError as error:
            raise InputError(
                f"the Dask scheduler at {address} has no workers; start some with: dask worker {address}"
            ) from error
        # one thread each: it is the workers' own setting how many pieces run at once
        futures = client.map(_with_one_thread, [partial(work, job) for job in jobs], pure=False, retries=RETRIES)
        return list(client.gather(futures))


def _with_one_thread(work: Callable[[int], Result]) -> Result:
    return work(1)
