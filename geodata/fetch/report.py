"""What a fetch did, in figures that a person can read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FetchReport:
    """One layer: the file it stands in (None: the API has nothing there), and how it came about."""

    layer: str
    path: Path | None
    rows: int
    """Records in the file."""
    is_new: bool = True
    duplicates: int = 0
    """Records that several tiles delivered and that are counted once."""
    pieces: int = 0
    """Tiles or pages that make it up."""
    resumed: int = 0
    """Of these, taken over from an interrupted fetch."""
    calls: int = 0
