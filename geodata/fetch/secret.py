"""A key of an API that never shows itself: not in messages, logs, files or tracebacks."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote

from geodata.errors import InputError

MASK = "***"
_LEAST = 8
"""A shorter text is no key, and masking it would mask half of every message."""
_TALKATIVE = (
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)
"""Loggers that write the addresses they call; a filter works only on the logger it hangs on."""


class Secret:
    """One key, read from the environment variable ``variable``.

    Raises
    ------
    InputError
        If it is missing or too short to be a key; the message names the variable, never the value.
    """

    def __init__(self, variable: str, value: str | None, remedy: str) -> None:
        plain = (value or "").strip()
        if len(plain) < _LEAST:
            state = "is not set" if not plain else "is too short to be a key"
            raise InputError(f"environment variable {variable} {state}. {remedy}")
        self.variable = variable
        # portals hand one key out twice, plain and percent-encoded; the HTTP client encodes it again
        self._value = unquote(plain)

    def __repr__(self) -> str:
        return f"Secret({self.variable})"

    def reveal(self) -> str:
        """Return the key itself; only for the request that needs it."""
        return self._value

    def spellings(self) -> tuple[str, ...]:
        """Return all ways in which the key may stand in an address or an answer, the longest first."""
        plain = self._value
        coded = {quote(plain, safe=""), quote(plain), quote_plus(plain)}
        lower = {text.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d") for text in coded}
        return tuple(sorted({plain, *coded, *lower}, key=lambda text: (-len(text), text)))


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """Return ``text`` with every spelling of every secret masked."""
    for secret in secrets:
        for spelling in secret.spellings():
            text = text.replace(spelling, MASK)
    return text


class RedactingFilter(logging.Filter):
    """Masks secrets in what HTTP libraries log."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the finished message and keep the record."""
        record.msg = redact(record.getMessage(), self._secrets)
        record.args = ()
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info), self._secrets)
            record.exc_info = None
        return True

    def attach(self) -> None:
        """Hang the filter on every logger that writes addresses."""
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(self)

    def detach(self) -> None:
        """Take it off again."""
        for name in _TALKATIVE:
            logging.getLogger(name).removeFilter(self)
