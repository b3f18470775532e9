"""Removing what nobody needs from the store.

Kept are the objects that the manifest of a kept release names, everything that an asset or a part was last built as, and
whatever is younger than the site's ``store.keep_days``. A run that uses the store at this moment is never disturbed: the
collection then leaves everything for the next time.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from pipelines.instance import Workplace
from pipelines.store import LOCK, POINTER
from twin.publish.site_folder import SiteFolder


@dataclass(frozen=True)
class Collected:
    """What a collection removed; ``busy`` says that it did nothing because a run uses the store."""

    objects: int
    bytes: int
    busy: bool = False


def collect(workplace: Workplace, *, now: float | None = None) -> Collected:
    """Remove old objects of the store that neither a kept release nor the next run needs.

    ``now`` is the time in seconds since 1970 against which ages are taken; by default the clock.
    """
    root = workplace.store
    if not root.is_dir():
        return Collected(0, 0)
    handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return Collected(0, 0, busy=True)
        return _remove(root, _named_by_releases(workplace), workplace.site.store.keep_days, now or time.time())
    finally:
        os.close(handle)


def _named_by_releases(workplace: Workplace) -> set[str]:
    folder = SiteFolder(workplace.releases)
    named: set[str] = set()
    for release_id in folder.ids():
        objects = folder.manifest(release_id).get("content", {}).get("objects", {})
        named |= {entry["digest"] for entry in objects.values()}
    return named


def _remove(root: Path, named: set[str], keep_days: float, now: float) -> Collected:
    count = size = 0
    for asset in sorted(path for path in root.iterdir() if path.is_dir()):
        kept = named | {_pointed(asset)}
        for folder in sorted(path for path in asset.iterdir() if path.is_dir()):
            # folders that begin with a dot were left by a build or a collection that was stopped
            if folder.name in kept or now - folder.stat().st_mtime < keep_days * 86400:
                continue
            size += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            dying = folder if folder.name.startswith(".") else folder.with_name(f".removing-{folder.name}")
            folder.rename(dying)
            shutil.rmtree(dying)
            count += 1
    return Collected(count, size)


def _pointed(asset: Path) -> str:
    try:
        return str(json.loads((asset / POINTER).read_text(encoding="utf-8"))["digest"])
    except (OSError, ValueError, KeyError):
        return ""
