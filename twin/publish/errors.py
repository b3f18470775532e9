"""The error of a publish that did not happen."""

from __future__ import annotations

from geodata.errors import InputError


class PublishError(InputError):
    """Nothing was published and the release before stands untouched.

    The message says what went wrong, where, and what to do.
    """
