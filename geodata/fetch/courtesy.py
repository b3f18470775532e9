"""Calling an API as a guest should: not too often, patiently when it stumbles, and never telling the key to anyone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from geodata.errors import InputError
from geodata.fetch.secret import RedactingFilter, Secret, redact
from geodata.parameters import Parameters, load_parameters

T = TypeVar("T")
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP states that pass by themselves."""


class FetchError(InputError):
    """An API refused or did not answer; ``code`` is its own name for the reason, '' where it has none."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class TryAgain(Exception):  # noqa: N818 - a request to repeat, not an error
    """An answer that is worth asking for again."""


def fetch_parameters() -> Parameters:
    """Return addresses, limits and manners of the APIs."""
    return load_parameters("geodata.fetch", "fetch.yaml")


@dataclass(frozen=True)
class Courtesy:
    """How often and how patiently an API is asked: calls a second, number of attempts, waits and time-out [s]."""

    calls_per_second: float
    attempts: int
    first_wait_s: float
    longest_wait_s: float
    timeout_s: float

    @classmethod
    def stated(cls) -> Courtesy:
        """Return the manners of ``fetch.yaml``."""
        values = fetch_parameters()
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})


class Caller:
    """Calls one API; a context manager, within which HTTP libraries log no secret.

    Parameters
    ----------
    secrets
        Keys that are masked wherever a text leaves this class.
    courtesy
        Without it that of ``fetch.yaml``.
    """

    def __init__(self, secrets: Sequence[Secret] = (), courtesy: Courtesy | None = None) -> None:
        self.secrets = tuple(secrets)
        self.courtesy = courtesy or Courtesy.stated()
        self.calls = 0
        self._next = 0.0
        self._filter = RedactingFilter(self.secrets)
        self._client = httpx.Client(
            timeout=self.courtesy.timeout_s, headers={"User-Agent": "newtown-twin"}, follow_redirects=False
        )

    def __enter__(self) -> Caller:
        self._filter.attach()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._filter.detach()

    def get(self, url: str, params: Mapping[str, str], read: Callable[[str], T], *, what: str) -> T:
        """Return what ``read`` makes of the answer; it may raise `TryAgain` or `FetchError`.

        ``what`` names the call in messages.

        Raises
        ------
        FetchError
            If the API refuses, or still stumbles at the last attempt. The message holds no secret.
        """
        manners = self.courtesy
        again = Retrying(
            stop=stop_after_attempt(manners.attempts),
            wait=wait_exponential_jitter(
                multiplier=manners.first_wait_s, max=manners.longest_wait_s, jitter=manners.first_wait_s
            ),
            retry=retry_if_exception_type(TryAgain),
            reraise=True,
        )
        try:
            return again(self._once, url, params, read)
        except TryAgain as error:
            reason = redact(str(error), self.secrets)
            # `from None`: the cause holds the request, and the request holds the key
            raise FetchError(
                f"{what}: no usable answer after {manners.attempts} attempts ({reason}). What was fetched so far is kept; "
                "run the same command again later · 응답이 없습니다. 나중에 같은 명령을 다시 실행하면 이어서 받습니다"
            ) from None
        except FetchError as error:
            raise FetchError(f"{what}: {redact(str(error), self.secrets)}", error.code) from None

    def _once(self, url: str, params: Mapping[str, str], read: Callable[[str], T]) -> T:
        wait = self._next - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._next = time.monotonic() + 1.0 / self.courtesy.calls_per_second
        self.calls += 1
        try:
            answer = self._client.get(url, params=params)
        except httpx.TransportError as error:
            raise TryAgain(f"{type(error).__name__}: {error}") from None
        except httpx.HTTPError as error:
            raise FetchError(f"{type(error).__name__}: {error}") from None
        if answer.status_code in _PASSING:
            raise TryAgain(f"HTTP {answer.status_code}")
        if answer.status_code != httpx.codes.OK:
            said = " ".join(answer.text.split())[:200]
            raise FetchError(f"HTTP {answer.status_code}: {said}", f"HTTP_{answer.status_code}")
        # an API may repeat the request in its answer: nothing behind this line ever sees the key
        return read(redact(answer.content.decode("utf-8", errors="replace"), self.secrets))
