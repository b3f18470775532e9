"""Putting a fetched file into the inbox: whole or not at all, dated, the one before it set aside."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

REPLACED = ".replaced"
"""Folder inside the inbox that recognition passes over; nothing that was fetched is ever deleted."""


def fetched_files(inbox: Path, stem: str, suffix: str) -> list[Path]:
    """Return the files that earlier fetches of ``stem`` left in the inbox, the newest first."""
    found = [p for p in inbox.glob(f"{stem}_*{suffix}") if p.stem.removeprefix(f"{stem}_").isdigit()]
    return sorted(found, key=lambda path: path.name, reverse=True)


def put(inbox: Path, stem: str, suffix: str, content: bytes, today: date) -> tuple[Path, bool]:
    """Write ``<stem>_<YYYYMMDD><suffix>`` and return its path, and whether anything is new.

    Where the newest file of that stem has the same content it stays, so that a night without change finds none.
    """
    earlier = fetched_files(inbox, stem, suffix)
    if earlier and earlier[0].read_bytes() == content:
        return earlier[0], False
    inbox.mkdir(parents=True, exist_ok=True)
    target = inbox / f"{stem}_{today:%Y%m%d}{suffix}"
    temporary = inbox / f".{target.name}.part"
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    for path in earlier:
        (inbox / REPLACED).mkdir(exist_ok=True)
        _set_aside(path, inbox / REPLACED)
    temporary.replace(target)
    folder = os.open(inbox, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return target, True


def _set_aside(path: Path, folder: Path) -> None:
    """Move ``path`` into ``folder``; a second file of one day gets a number."""
    place, number = folder / path.name, 1
    while place.exists():
        number += 1
        place = folder / f"{path.stem}-{number}{path.suffix}"
    path.replace(place)
