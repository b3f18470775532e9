"""A fuzzed inbox: spoiled files are read or refused with a reason, quickly, and a refusal publishes nothing."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import contextmanager

import pytest

from geodata.errors import InputError
from pipelines.assets.inventory import build_inventory
from pipelines.definitions import SOURCE_STEPS
from pipelines.steps import build_step
from pipelines.store import Store
from tests.check.mutants import mutate

SEED = 41210
SAMPLE = int(os.environ.get("TWIN_MUTANTS", "30"))
"""How many files are spoiled: TWIN_MUTANTS=500 is what a release of the software is tried with."""

# by thread: the signal is taken by the patience with each file
pytestmark = [pytest.mark.check, pytest.mark.timeout(1500 + 30 * SAMPLE, method="thread")]

PUBLISHED = 4
"""Of the refused ones so many are also run to the end, to see that nothing is published."""
PATIENCE_S = 90


class TooLateError(BaseException):
    """Not an ordinary error: no reader may take it for a fault of the file."""


@contextmanager
def within(seconds: int, what: str):
    def late(signum, frame):
        raise TooLateError(f"{what} was not read within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fuzz(town, count: int, seed: int, full_runs: int) -> Counter:
    """Spoil ``count`` files in turn and read the inbox each time; return how often it was read or refused."""
    chance = random.Random(seed)  # noqa: S311 - damage, not secrets
    workplace = town.workplace
    store, inbox = Store(workplace.store), workplace.site.inbox
    files = sorted(path for path in inbox.iterdir() if path.is_file())
    latest, told, runs = town.latest, Counter(), 0
    for number in range(count):
        path = chance.choice(files)
        whole = path.read_bytes()
        what = f"{number}: {mutate(path, chance)}"
        try:
            with within(PATIENCE_S, what):
                build_inventory(workplace.site, store)
                for step in SOURCE_STEPS:
                    build_step(step, workplace.site, store, None)
            told["read"] += 1
        except InputError as error:
            assert len(str(error)) > 20, what
            told["refused with a reason"] += 1
            if runs < full_runs:
                runs += 1
                assert town.run() == 1, (what, town.words)
                assert town.latest == latest, what
        except Exception as error:
            raise AssertionError(f"{what} ended without a named reason: {type(error).__name__}: {error}") from error
        finally:
            path.write_bytes(whole)
    return told


def test_spoiled_files_are_read_or_refused_with_a_reason(small_town):
    started = time.monotonic()
    told = fuzz(small_town, SAMPLE, SEED, PUBLISHED)
    print(f"seed {SEED}: {dict(told)} in {time.monotonic() - started:.0f} s")
    assert told["refused with a reason"] >= SAMPLE // 4
    # the inbox is whole again: nothing had been published from what was spoiled, and nothing is new
    latest = small_town.latest
    assert small_town.run() == 0, small_town.words
    assert small_town.latest == latest
