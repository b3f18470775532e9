"""Building steps side by side, each in a process of its own, ahead of the run that asks for them.

Dagster's executor takes the assets one after the other, and many of them keep one processor busy. What they share is the store,
and any number of processes may build into it; so here steps are built whose needs are there, two at a time, while the run
waits for each in its own order, judges it and records it. What was not built ahead, for whatever reason, the run builds
itself and meets the same error. Processes start only when something is missing, and end with the run, even with a killed one;
the server that forks them starts as soon as the inbox looks changed.
"""

from __future__ import annotations

import heapq
import multiprocessing
import os
import signal
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from graphlib import TopologicalSorter
from multiprocessing.forkserver import ensure_running
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import SimpleQueue
from threading import Condition, Thread

from geodata.site import Site
from pipelines.definitions import steps_of
from pipelines.memory import look_for_cycles_rarely
from pipelines.mirror import open_store
from pipelines.step_names import INVENTORY, key_of
from pipelines.steps import BuiltAhead, Step, build_step, made_from, needs_of, peak_memory_mb
from pipelines.store import Store, StoredObject
from twin.sky.compiled import thread_count


class Ahead:
    """Builds the steps of one run of ``site`` ahead, into ``store``."""

    def __init__(self, site: Site, store: Store) -> None:
        self._site, self._store = site, store
        self._steps: dict[str, tuple[Step, str | None]] = {}
        self._workers = min(site.compute.steps_at_once, thread_count())
        self._pool: ProcessPoolExecutor | None = None
        self._context = multiprocessing.get_context("forkserver")
        self._over: Event | None = None
        # of the assets below: guarded by the condition, which tells of every change
        self._changed = Condition()
        self._planned = False
        self._told: dict[str, BuiltAhead | None] = {}
        self._waits_for: dict[str, set[str]] = {}
        self._peak_mb: dict[int, float] = {}

    @contextmanager
    def building(self, assets: Collection[str]) -> Iterator[None]:
        """Serve a run of ``assets``, by their keys; no step starts before the first of them is asked for.

        At the end the processes end too, in the middle of a step if need be: what they leave half-done nobody reads.
        """
        self._steps = {asset: found for asset, found in steps_of(self._site).items() if asset in assets}
        if min(len(self._steps), self._workers) > 1 and self._inbox_was_touched():
            # importing takes seconds, in which the run itself is not yet so far
            self._serve_processes()
        try:
            yield
        finally:
            if self._pool is not None and self._over is not None:
                if len(self._told) < len(self._steps):
                    self._over.set()
                self._pool.shutdown()

    @property
    def peak_memory_mb(self) -> float:
        """Highest resident memory of each process, summed up [MB]."""
        return sum(self._peak_mb.values())

    def wait_for(self, asset: str) -> BuiltAhead | None:
        """Wait until ``asset`` was built ahead and tell how; None where the run must look for itself."""
        with self._changed:
            if not self._planned:
                self._planned = True
                self._start()
            while asset in self._steps and asset not in self._told:
                self._changed.wait()
            return self._told.get(asset)

    def _start(self) -> None:
        """Find what the store lacks, and begin with what waits for nothing."""
        self._waits_for = self._missing()
        # with one step to do, or one processor, the run is as fast alone
        if min(len(self._waits_for), self._workers) < 2:
            self._waits_for = {}
        self._told = {asset: None for asset in self._steps if asset not in self._waits_for}
        if not self._waits_for:
            return
        self._serve_processes()
        self._over = self._context.Event()
        self._pool = ProcessPoolExecutor(
            self._workers, self._context, _begin, (self._site, self._store.root, self._over)
        )
        Thread(target=self._keep_busy, args=(self._pool,), daemon=True).start()

    def _serve_processes(self) -> None:
        """Start the server that the processes are forked from, if it does not run yet."""
        self._context.set_forkserver_preload([__name__])
        ensure_running()

    def _inbox_was_touched(self) -> bool:
        """Tell whether a file of the inbox came or changed since the inbox was last listed: then something will be missing."""
        try:
            listed = self._store.pointer(INVENTORY).stat().st_mtime
            return any(path.lstat().st_ctime > listed for path in self._site.inbox.rglob("*"))
        except OSError:  # never listed, or a file goes away at this moment
            return True

    def _missing(self) -> dict[str, set[str]]:
        """Return the assets that the store lacks, or that rest on such a one, with those of them that each needs."""
        needs = {
            a: {key_of(n, scenario) for n in needs_of(step, scenario)} for a, (step, scenario) in self._steps.items()
        }
        missing: dict[str, set[str]] = {}
        found: dict[str, StoredObject] = {}
        for asset in TopologicalSorter(needs).static_order():
            if asset not in self._steps:
                continue
            stored = None if needs[asset] & missing.keys() else self._stored(asset, *self._steps[asset], found)
            if stored is None:
                missing[asset] = needs[asset] & missing.keys()
            else:
                found[asset] = stored
        return missing

    def _stored(
        self, asset: str, step: Step, scenario: str | None, found: dict[str, StoredObject]
    ) -> StoredObject | None:
        needs: dict[str, StoredObject] = {}
        for name in needs_of(step, scenario):
            key = key_of(name, scenario)
            stored = found.get(key) or self._store.current(key)
            if stored is None:
                return None
            needs[name] = stored
        return self._store.find(asset, **made_from(step, self._site, needs))

    def _keep_busy(self, pool: ProcessPoolExecutor) -> None:
        """Have the processes build what nothing is in the way of, what most rests on first, until all is built or given up.

        It has a thread of its own: a pool that loses a process tells its futures so under a lock that it needs to answer.
        """
        rank = _begin_first(self._waits_for)
        ready = [(rank[asset], asset) for asset, needs in self._waits_for.items() if not needs]
        heapq.heapify(ready)
        ended: SimpleQueue[Future[tuple[BuiltAhead, int, float]]] = SimpleQueue()
        at_work: dict[Future[tuple[BuiltAhead, int, float]], str] = {}
        while ready or at_work:
            while ready and len(at_work) < self._workers:
                asset = heapq.heappop(ready)[1]
                try:
                    future = pool.submit(_build, asset)
                except RuntimeError:  # one of the processes has died, or the run is over
                    self._give_up(asset)
                    continue
                at_work[future] = asset
                future.add_done_callback(ended.put)
            if at_work:
                done = ended.get()
                for asset in self._note(at_work.pop(done), done):
                    heapq.heappush(ready, (rank[asset], asset))
        # the memory of the processes is free for what follows
        pool.shutdown(wait=False)

    def _note(self, asset: str, done: Future[tuple[BuiltAhead, int, float]]) -> list[str]:
        """Tell how ``asset`` ended, and return what can begin now."""
        with self._changed:
            if done.cancelled() or done.exception() is not None:
                self._give_up(asset)
                return []
            self._told[asset], process, self._peak_mb[process] = done.result()
            ready = []
            for other, needs in self._waits_for.items():
                if asset in needs:
                    needs.discard(asset)
                    ready += [] if needs else [other]
            self._changed.notify_all()
            return ready

    def _give_up(self, asset: str) -> None:
        """Leave ``asset``, and all that rests on it, to the run."""
        with self._changed:
            self._told[asset] = None
            for other, needs in self._waits_for.items():
                if asset in needs and other not in self._told:
                    self._give_up(other)
            self._changed.notify_all()


def _begin_first(needs: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Return the rank of each asset, lowest first: those on which the longest chains of others rest, then in the given order."""
    above = dict.fromkeys(needs, 0)
    for asset in reversed(tuple(TopologicalSorter(needs).static_order())):
        for need in needs[asset]:
            above[need] = max(above[need], above[asset] + 1)
    return {asset: rank for rank, asset in enumerate(sorted(needs, key=lambda a: -above[a]))}


_here: dict[str, tuple[Site, Store, dict[str, tuple[Step, str | None]]]] = {}
"""Site, store and steps of a process that builds."""


def _begin(site: Site, root: Path, over: Event) -> None:
    # Ctrl-C is for the run, which then ends this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    look_for_cycles_rarely()
    _here["place"] = site, open_store(site, root), steps_of(site)
    Thread(target=_end_with_the_run, args=(over,), daemon=True).start()


def _end_with_the_run(over: Event) -> None:
    run = multiprocessing.parent_process()
    while run is not None and run.is_alive() and not over.wait(0.5):
        pass
    os._exit(1)


def _build(asset: str) -> tuple[BuiltAhead, int, float]:
    site, store, steps = _here["place"]
    step, scenario = steps[asset]
    started = time.perf_counter()
    stored = build_step(step, site, store, scenario)
    return BuiltAhead(time.perf_counter() - started, stored.reused), os.getpid(), peak_memory_mb()
