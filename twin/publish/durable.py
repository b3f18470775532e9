"""File operations that survive a power cut: what has returned is on the disk."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

FILE_MODE = 0o444
FOLDER_MODE = 0o555

_CANNOT_COPY_INSIDE = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}
"""What the kernel answers where it cannot copy between two files itself."""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def copy_file(source: Path, target: Path) -> None:
    """Copy the bytes of ``source`` into a new file ``target``.

    File systems that can (XFS, Btrfs) let both share their blocks until one of them changes, so that a copy costs no room.
    """
    with source.open("rb") as reader, target.open("xb") as writer:
        left = os.fstat(reader.fileno()).st_size
        try:
            while left > 0:
                copied = os.copy_file_range(reader.fileno(), writer.fileno(), left)
                if copied == 0:
                    break
                left -= copied
        except OSError as error:
            if error.errno not in _CANNOT_COPY_INSIDE:
                raise
            reader.seek(0)
            writer.seek(0)
            shutil.copyfileobj(reader, writer, 2**20)


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Flush every file and folder below ``folder``, children before parents, then ``folder`` itself."""
    for current, _, names in os.walk(folder, topdown=False):
        for name in sorted(names):
            sync(Path(current, name))
        sync(Path(current))


def freeze_tree(folder: Path) -> None:
    """Make ``folder`` and all below it read-only: files 0444, folders 0555."""
    for current, _, names in os.walk(folder, topdown=False):
        for name in names:
            Path(current, name).chmod(FILE_MODE)
        Path(current).chmod(FOLDER_MODE)


def remove_tree(folder: Path) -> None:
    """Delete a folder that may be read-only. Files need no change: deleting asks for a writable folder alone."""
    for current, _, _ in os.walk(folder):
        Path(current).chmod(0o755)
    shutil.rmtree(folder)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` as ``path`` in one step: a reader sees the old text or the new one, whole."""
    staged = path.with_name(f".{path.name}-new")
    staged.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    sync(staged)
    staged.replace(path)
    sync(path.parent)


def point_link(link: Path, target: str) -> None:
    """Make the symbolic link ``link`` point to ``target``, relative to its folder, in one step."""
    staged = link.with_name(f".{link.name}-new")
    staged.unlink(missing_ok=True)
    staged.symlink_to(target)
    staged.replace(link)
    sync(link.parent)
