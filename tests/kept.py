"""Parts kept in a folder, as `twin.sky.town.Keep` wants them, with a record of what was filled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Kept:
    """Parts in a folder by what they are made from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.filled: list[str] = []
        self.newest: dict[str, Path] = {}

    def __call__(self, name: str, made_from: dict[str, Any], fill: Callable[[Path], None]) -> Path:
        here = self._place(name, made_from)
        if not here.exists():
            here.mkdir(parents=True)
            fill(here)
            self.filled.append(name)
        self.newest[name] = here
        return here

    def known(self, name: str, made_from: dict[str, Any]) -> Path | None:
        """Return the folder of a part if it is there."""
        here = self._place(name, made_from)
        return here if here.exists() else None

    def last(self, name: str) -> Path | None:
        """Return the folder of the part of this name that was asked for last."""
        return self.newest.get(name)

    def taken(self) -> list[str]:
        """Return what was filled since the last time that somebody asked."""
        filled, self.filled = self.filled, []
        return filled

    def tiles(self) -> list[str]:
        """Return the tiles among `taken`, sorted; parts of tiles and of the far surface are left out."""
        return sorted(name for name in self.taken() if "." not in name and "far" not in name)

    def _place(self, name: str, made_from: dict[str, Any]) -> Path:
        return self.folder / name / hashlib.sha256(json.dumps(made_from).encode()).hexdigest()
