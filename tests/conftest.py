"""Fixtures for all rooms."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

Result = TypeVar("Result")

# the same examples every time, however slow the machine: a gate must not depend on luck. Others by --hypothesis-profile=default
settings.register_profile("gate", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gate")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real files are not here: {folder} is missing, so nothing was compared with them")
    return folder


@pytest.fixture(scope="session")
def cpu_seconds() -> Callable[[Callable[[], Result]], tuple[Result, float]]:
    """Give what a call returns and the CPU time that it takes, the least of three [s].

    For the growth of cost with the size of the work; seconds by themselves tell of the machine as much as of the code.
    """

    def measured(work: Callable[[], Result]) -> tuple[Result, float]:
        took = []
        for _ in range(3):
            began = time.process_time()
            result = work()
            took.append(time.process_time() - began)
        return result, min(took)

    return measured
