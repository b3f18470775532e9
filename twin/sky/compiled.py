"""Compiling the inner loops on first use, and running them side by side.

Kernels are plain functions of arrays that call no other kernel: numba's file cache notices a change only in the file
that holds the compiled function itself. They hold no lock of the interpreter, so parallel work is ordinary threads
over disjoint lines or planes. That is safe inside Dask's threads and after a fork, which numba's own thread pools are not.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import update_wrapper
from threading import Lock
from typing import Any

_COMPILING = Lock()


class compiled:  # noqa: N801 - a decorator
    """Decorator: compile the function with numba when it is first called.

    Neither importing the module nor decorating imports numba, compiles, or touches the cache folder. Floating-point
    semantics stay IEEE (no fastmath), so the same input gives the same bits on one CPU type.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._dispatcher: Callable[..., Any] | None = None
        update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        """Run the compiled function."""
        if self._dispatcher is None:
            with _COMPILING:
                if self._dispatcher is None:
                    import numba  # noqa: PLC0415 - slow to import and only needed here

                    self._dispatcher = numba.njit(cache=True, nogil=True)(self._function)
        return self._dispatcher(*arguments)


def thread_count() -> int:
    """Return how many threads share one sweep: ``NUMBA_NUM_THREADS`` if set, else the CPUs of this process."""
    given = os.environ.get("NUMBA_NUM_THREADS", "")
    if given.isdigit():
        return max(1, int(given))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(kernel: Callable[..., Any], *arguments: Any, threads: int | None = None) -> None:
    """Call ``kernel(*arguments, part, parts)`` once for each part, in as many threads.

    The kernel writes to disjoint places for each part, so the result does not depend on the number of parts.
    """
    parts = thread_count() if threads is None else threads
    if parts == 1:
        kernel(*arguments, 0, 1)
        return
    with ThreadPoolExecutor(parts) as pool:
        for done in [pool.submit(kernel, *arguments, part, parts) for part in range(parts)]:
            done.result()
