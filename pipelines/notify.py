"""Telling somebody that a run failed, and that runs succeed again after one that failed.

What the site file names under ``notify`` is told: a program, which is started without a shell, and an address that gets JSON.
A notice that cannot be delivered never changes how a run ended; it is told as one more line.
"""

from __future__ import annotations

import subprocess
from typing import Literal
from urllib.parse import urlsplit

import httpx

from geodata.site import NotifySpec

Event = Literal["failed", "recovered"]
PATIENCE_S = 20.0


def event_of(succeeded: bool, before: bool | None) -> Event | None:
    """Return what is worth telling of a run, by how it and the run before ended (None: there was none)."""
    if not succeeded:
        return "failed"
    return "recovered" if before is False else None


def one_line(reasons: list[str]) -> str:
    """Return reasons as one line."""
    return " | ".join(" ".join(reason.split()) for reason in reasons)


def notify(spec: NotifySpec, event: Event, site: str, reason: str) -> list[str]:
    """Tell ``event`` to everybody the site file names, and return what could not be delivered and why."""
    undelivered = []
    if spec.command:
        try:
            # the words are arguments of their own: whatever they hold, no shell reads them
            done = subprocess.run(  # noqa: S603
                [*spec.command, event, site, reason], timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL
            )
            if done.returncode:
                undelivered.append(f"notify.command {spec.command[0]} ended with {done.returncode}")
        except (OSError, subprocess.TimeoutExpired) as error:
            undelivered.append(f"notify.command {spec.command[0]} could not be run: {type(error).__name__}")
    if spec.webhook is not None:
        # an address may hold a key, so that only its host is ever told
        host = urlsplit(spec.webhook).hostname
        try:
            answer = httpx.post(spec.webhook, json={"event": event, "site": site, "reason": reason}, timeout=PATIENCE_S)
            if answer.is_error:
                undelivered.append(f"notify.webhook at {host} answered {answer.status_code}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            undelivered.append(f"notify.webhook at {host} could not be reached: {type(error).__name__}")
    return undelivered
