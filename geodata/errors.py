"""The one kind of error a user is meant to read."""

from __future__ import annotations


class InputError(ValueError):
    """Something the user gave is not usable.

    The message says what is wrong, where, and what to do about it; command line and Dagster show it without a traceback.
    """
