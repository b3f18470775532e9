"""How far a run has come and how long it will still take, from what each asset took the last time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipelines.steps import Progress


class Forecast:
    """Counts the assets of a run as they are done.

    The rest is told only where the last run knew each asset that is still to come. It is as many seconds as those took
    then, stretched by how long the run needed for what is done against what that took then: a loaded machine is slow
    throughout, and steps that are built side by side take less time than their sum.

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
        self.known_before = 0.0

    def advance(self, progress: Progress, elapsed_s: float) -> Progress:
        """Return ``progress`` with its number, how many there are, and the seconds that are left, if they are known.

        ``elapsed_s`` are the seconds since the run began.
        """
        self.to_come.discard(progress.asset)
        if progress.asset in self.before:
            self.known_before += self.before[progress.asset]
        left = self._seconds_left(elapsed_s)
        return replace(progress, number=self.total - len(self.to_come), total=self.total, seconds_left=left)

    def _seconds_left(self, elapsed_s: float) -> float | None:
        if not self.known_before or not self.to_come <= self.before.keys():
            return None
        return sum(self.before[asset] for asset in self.to_come) * elapsed_s / self.known_before
