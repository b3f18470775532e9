"""How far a run has come and how long it will still take, from what each asset took the last time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipelines.steps import Progress


class Forecast:
    """Counts the assets of a run as they are done.

    The rest is told only where the last run knew each asset that is still to come. It is as many seconds as those took
    then, stretched by how much slower or faster the assets done so far were, because a loaded machine is slow throughout.

    Parameters
    ----------
    assets
        Names of the assets of this run.
    seconds_before
        Seconds by asset of an earlier run [s].
    """

    def __init__(self, assets: Sequence[str], seconds_before: Mapping[str, float]) -> None:
        self.total = len(assets)
        self.to_come = set(assets)
        self.before = seconds_before
        self.known_now = 0.0
        self.known_before = 0.0

    def advance(self, progress: Progress) -> Progress:
        """Return ``progress`` with its number, how many there are, and the seconds that are left, if they are known."""
        self.to_come.discard(progress.asset)
        if progress.asset in self.before:
            self.known_now += progress.seconds
            self.known_before += self.before[progress.asset]
        return replace(
            progress, number=self.total - len(self.to_come), total=self.total, seconds_left=self._seconds_left()
        )

    def _seconds_left(self) -> float | None:
        if not self.known_before or not self.to_come <= self.before.keys():
            return None
        return sum(self.before[asset] for asset in self.to_come) * self.known_now / self.known_before
