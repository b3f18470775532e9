"""A run tells how far it is and how long it still takes; expected values by hand."""

from __future__ import annotations

import pytest

from pipelines.forecast import Forecast
from pipelines.steps import Progress


def done(asset: str, seconds: float) -> Progress:
    return Progress(asset, seconds, reused=False, rows=None, absent=None)


def test_the_rest_is_what_it_took_before_stretched_by_how_slow_it_is_today():
    forecast = Forecast(["a", "b", "c"], {"a": 2.0, "b": 10.0, "c": 30.0})
    first = forecast.advance(done("a", 4.0), 4.0)
    # twice as slow as before: 2 x (10 + 30)
    assert (first.number, first.total, first.seconds_left) == (1, 3, pytest.approx(80.0))
    second = forecast.advance(done("b", 8.0), 12.0)
    # 12 s for what took 12 s
    assert (second.number, second.seconds_left) == (2, pytest.approx(30.0))
    assert forecast.advance(done("c", 30.0), 42.0).seconds_left == 0.0


def test_steps_that_are_built_side_by_side_take_less_than_their_sum():
    forecast = Forecast(["a", "b", "c"], {"a": 10.0, "b": 10.0, "c": 30.0})
    forecast.advance(done("a", 10.0), 10.0)
    # 20 s of work in 10 s, so 30 s of work will take 15 s
    assert forecast.advance(done("b", 10.0), 10.0).seconds_left == pytest.approx(15.0)


def test_without_an_earlier_run_it_only_counts():
    first = Forecast(["a", "b"], {}).advance(done("a", 4.0), 4.0)
    assert (first.number, first.total, first.seconds_left) == (1, 2, None)


def test_an_asset_that_nobody_timed_yet_leaves_the_rest_unknown():
    assert Forecast(["a", "new"], {"a": 1.0}).advance(done("a", 1.0), 1.0).seconds_left is None
