"""Files that stand beside a release's own because they follow from it and from the release before.

The publisher asks for them before it stages anything, so that they are validated, hashed and frozen like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Beside:
    """Names inside the release to the files made, what the manifest tells of them, and lines for a person."""

    files: dict[str, Path]
    told: dict[str, Any]
    lines: tuple[str, ...]


MakeBeside = Callable[[Path | None, str, Mapping[str, Path], Path], Beside]
"""From the folder of the release before, the id of the new one, its files by name and an empty folder to write to."""
