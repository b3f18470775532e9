"""Running pieces of work on a Dask cluster, and saying in words why it cannot go on."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from functools import partial
from typing import Any, TypeVar

from geodata.errors import InputError

Job = TypeVar("Job")
Result = TypeVar("Result")

RETRIES = 3
PATIENCE_S = 30.0
"""How long to wait for a scheduler to answer, for its first worker, and for workers that have all stopped."""
LOOK_EVERY_S = 2.0

_LOCALLY = "compute: {scheduler: threads}"


def run_on_cluster(work: Callable[[Job, int], Result], jobs: Sequence[Job], address: str) -> list[Result]:
    """Return ``work(job, 1)`` of each job, in the order of ``jobs``, from the cluster whose scheduler is at ``address``.

    Raises
    ------
    InputError
        If Dask is not installed, no scheduler or worker answers, or workers die, run out of memory or stop while the
        work goes on.
    """
    if importlib.util.find_spec("distributed") is None:
        raise InputError(
            "compute.scheduler is distributed, but dask.distributed is not installed here; run "
            f"pip install 'newtown-twin[distributed]', or say {_LOCALLY}"
        )
    from distributed import Client, KilledWorker  # noqa: PLC0415 - optional, and slow to import
    from distributed.comm import CommClosedError  # noqa: PLC0415 - as above

    try:
        client = Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at compute.address {address}; start one with: dask scheduler, or say {_LOCALLY}"
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
        try:
            _wait_for(client, futures, address)
        except (CancelledError, OSError) as error:
            raise _lost(address) from error
        try:
            return list(client.gather(futures))
        except (CancelledError, CommClosedError) as error:
            # an OSError of another kind is one of the work itself, such as a full disk
            raise _lost(address) from error
        except (KilledWorker, MemoryError) as error:
            raise InputError(
                f"compute.address {address}: 작업자의 메모리가 모자라거나 작업자가 거듭 죽었습니다 · a worker ran out of memory, or "
                f"workers died again and again at the same piece of work ({str(error).split('. ')[0]}). Give each worker "
                f"more memory (dask worker --memory-limit), or say {_LOCALLY}, and run again: what is finished is kept"
            ) from error


def _lost(address: str) -> InputError:
    return InputError(
        f"compute.address {address}: 스케줄러와 연결이 끊겼습니다 · the Dask scheduler went away while it worked. Start it "
        f"again, or say {_LOCALLY}, and run again: what is finished is kept"
    )


def _with_one_thread(work: Callable[[int], Result]) -> Result:
    return work(1)


def _wait_for(client: Any, futures: Sequence[Any], address: str) -> None:
    """Wait until all pieces are done or one has failed; Dask itself would wait for workers for ever."""
    from distributed import wait  # noqa: PLC0415 - optional, and slow to import

    waiting, moved = set(futures), time.monotonic()
    while waiting:
        try:
            with client.as_current():
                done, waiting = wait(waiting, timeout=LOOK_EVERY_S, return_when="FIRST_COMPLETED")
        except TimeoutError:
            # a scheduler that has just gone away tells of no workers
            states = sorted(worker["status"] for worker in client.scheduler_info().get("workers", {}).values())
            if "running" not in states and time.monotonic() - moved > PATIENCE_S:
                raise (
                    InputError(_stopped(address, states)) if client.status == "running" else _lost(address)
                ) from None
            if "running" in states:
                moved = time.monotonic()
            continue
        if any(future.status != "finished" for future in done):
            return
        moved = time.monotonic()


def _stopped(address: str, states: Sequence[str]) -> str:
    """Return what to do about workers of which none takes work any more."""
    if not states:
        why = f"작업자가 모두 없어졌습니다 · all workers went away. Start some with: dask worker {address}"
    else:
        why = (
            f"작업자가 모두 멈췄습니다, 메모리 부족 · all workers have stopped ({', '.join(states)}), as Dask's do when they run "
            "out of memory. Give each more (dask worker --memory-limit)"
        )
    return f"compute.address {address}: {why}, or say {_LOCALLY}, and run again: what is finished is kept"
