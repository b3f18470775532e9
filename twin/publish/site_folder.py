"""The folder ``outputs/<site>``: its releases, the links ``latest`` and ``pinned``, ``latest.json`` and the lock."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.publish.durable import FILE_MODE, point_link, sha256_of, sync, write_json
from twin.publish.errors import PublishError

MANIFEST = "manifest.json"

_ID = re.compile(r"^[0-9]{8}T[0-9]{6}-[0-9a-f]{8}$")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass(frozen=True)
class SiteFolder:
    """What one site published, at ``root``. Methods that change something are called inside `locked`."""

    root: Path

    @property
    def releases(self) -> Path:
        """Folder of all releases."""
        return self.root / "releases"

    def ids(self) -> list[str]:
        """Return the ids of all complete releases, oldest first."""
        if not self.releases.is_dir():
            return []
        return sorted(p.name for p in self.releases.iterdir() if _ID.match(p.name) and (p / MANIFEST).is_file())

    def newest(self) -> str | None:
        """Return the id of the newest release."""
        return self.ids()[-1] if self.ids() else None

    def latest(self) -> str | None:
        """Return the id that ``latest`` points to, whether or not it exists."""
        return _link_target(self.root / "latest")

    def pinned(self) -> str | None:
        """Return the id that ``pinned`` points to, whether or not it exists."""
        return _link_target(self.root / "pinned")

    def manifest(self, release_id: str) -> dict[str, Any]:
        """Return the manifest of a release; one that was damaged reads as holding nothing, so that it can be replaced."""
        return read_json(self.releases / release_id / MANIFEST) or {
            "files": {},
            "release": {"published_at": "", "inputs_digest": ""},
        }

    def point_latest(self, release_id: str) -> None:
        """Make ``latest`` the release ``release_id``."""
        point_link(self.root / "latest", f"releases/{release_id}")

    def pin(self, release_id: str) -> None:
        """Hold ``latest`` at ``release_id`` from now on."""
        point_link(self.root / "pinned", f"releases/{release_id}")

    def unpin(self) -> None:
        """Let ``latest`` follow the newest release."""
        (self.root / "pinned").unlink(missing_ok=True)
        sync(self.root)

    def told(self) -> dict[str, Any]:
        """Return what ``latest.json`` says; nothing if it is missing or damaged."""
        return read_json(self.root / "latest.json") or {}

    def tell(self) -> None:
        """Write ``latest.json``: what ``latest`` points to, in words."""
        release_id = self.latest()
        if release_id is None:
            return
        record = self.manifest(release_id)
        write_json(
            self.root / "latest.json",
            {
                "release": release_id,
                "path": f"releases/{release_id}",
                "pinned": self.pinned(),
                "published_at": record["release"]["published_at"],
                "inputs_digest": record["release"]["inputs_digest"],
                "manifest_sha256": sha256_of(self.releases / release_id / MANIFEST),
                "files": record["files"],
            },
        )

    @contextmanager
    def locked(self, patience_s: float) -> Iterator[None]:
        """Hold the site's lock; it goes with the process that holds it, however that ends.

        What the file system refuses meanwhile becomes a `PublishError` that says what, where and what to do.
        """
        with _in_words(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _wait_for(handle, self.root, patience_s)
                self.releases.mkdir(exist_ok=True)
                yield
            finally:
                os.close(handle)


def verify_release(folder: Path) -> list[str]:
    """Return which files of the release ``folder`` were altered, are missing or were added, by its manifest."""
    record = read_json(folder / MANIFEST)
    if record is None:
        return [f"{MANIFEST}: missing or not readable"]
    found = []
    for name, entry in record["files"].items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name}: missing")
        elif path.stat().st_size != entry["size"] or sha256_of(path) != entry["sha256"]:
            found.append(f"{name}: altered")
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return found + [f"{name}: added" for name in sorted(present - set(record["files"]) - {MANIFEST})]


def looks_touched(folder: Path) -> bool:
    """Tell by sizes, modes, times and names alone whether someone may have changed the release ``folder``."""
    record = read_json(folder / MANIFEST)
    if record is None:
        return True
    published = (folder / MANIFEST).stat().st_mtime_ns
    present = {path.relative_to(folder).as_posix(): path.stat() for path in folder.rglob("*") if path.is_file()}
    if set(present) != {*record["files"], MANIFEST}:
        return True
    return any(
        stat.S_IMODE(found.st_mode) != FILE_MODE
        or found.st_mtime_ns > published
        or (name != MANIFEST and found.st_size != record["files"][name]["size"])
        for name, found in present.items()
    )


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in ``path``, or None where there is none to be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _link_target(link: Path) -> str | None:
    return link.readlink().name if link.is_symlink() else None


def _wait_for(handle: int, root: Path, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise PublishError(
                    f"another run is publishing to {root} and did not end in {patience_s:g} s. "
                    "Wait for it, or end it, and run again. The last release is untouched."
                ) from None
            time.sleep(0.2)
        else:
            return


@contextmanager
def _in_words(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        detail = ": ".join(str(part) for part in (error.strerror, error.filename) if part)
        if error.errno in _FULL:
            raise PublishError(
                f"disk full at publish: {root} ({detail}). Free some space there, or give another folder with --outputs, "
                "and run again. The last release is untouched."
            ) from error
        if error.errno in _CLOSED:
            raise PublishError(
                f"cannot write to {root} ({detail}). Give this user write permission there, or give another folder with "
                "--outputs, and run again. The last release is untouched."
            ) from error
        raise
