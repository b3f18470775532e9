"""The store: how work is not done twice.

An object is a folder ``<asset>/<digest>/`` whose digest is the sha256 of the content of its inputs, its parameters, the
version of its code and of the libraries. It is built in a temporary folder, synced and renamed, and never changed
afterwards; its content hash is verified when a process first reads it and whenever a file was touched since, and a damaged
object is built again. Two runs at once
are therefore harmless. What an asset was last built as is told by the pointer file ``<asset>/current.json``.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECORD = "object.json"
DATA = "data"
PREVIEW = "preview.png"
POINTER = "current.json"
LOCK = ".lock"
SETTLED_NS = 100_000_000
"""A file that was last touched so long before it was looked at cannot change without a new time [ns]; ticks last up to 10 ms."""


def digest_of(value: Any) -> str:
    """Return the sha256 of ``value`` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def object_digest(asset: str, inputs: Mapping[str, str], parameters: Any, code_version: str) -> str:
    """Return the name of the object that these inputs, parameters and code make."""
    return digest_of({"asset": asset, "inputs": dict(inputs), "parameters": parameters, "code_version": code_version})


@dataclass(frozen=True)
class StoredObject:
    """One immutable result of one asset."""

    asset: str
    digest: str
    content: str
    """sha256 over the names and hashes of all data files: the Dagster data version."""
    folder: Path
    inputs: dict[str, str]
    """Content hash of every input, by asset name; names that start with ``:`` are not assets."""
    files: dict[str, str] = field(default_factory=dict)
    """sha256 of every data file."""
    metadata: dict[str, Any] = field(default_factory=dict)
    code_version: str = ""
    reused: bool = True

    @property
    def data(self) -> Path:
        """Folder of the data files."""
        return self.folder / DATA

    @property
    def preview(self) -> Path | None:
        """A small picture of the result, if it has one; not part of its content."""
        path = self.folder / PREVIEW
        return path if path.exists() else None

    @property
    def absent(self) -> str | None:
        """Why there is no such data, or None where there is."""
        return self.metadata.get("absent")


class Store:
    """Objects of one site below ``root``; safe for several processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._whole: dict[Path, tuple[tuple[int, ...], ...]] = {}

    def get_or_build(
        self,
        asset: str,
        *,
        inputs: Mapping[str, str],
        parameters: Any,
        code_version: str,
        build: Callable[[Path], dict[str, Any]],
    ) -> StoredObject:
        """Return the object for exactly these inputs, building it only if it is not there or damaged.

        ``build`` gets an empty folder with a sub-folder ``data`` to fill (and may leave ``preview.png`` beside it);
        it returns metadata that must follow from the inputs alone.
        """
        digest = object_digest(asset, inputs, parameters, code_version)
        with self.in_use():
            found = self._read(asset, digest)
            if found is None:
                found = self._build(asset, digest, dict(inputs), code_version, build)
            self._point(found)
        return found

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep `pipelines.store_gc` away meanwhile; any number of processes may hold this at once."""
        self.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield
        finally:
            os.close(handle)

    def current(self, asset: str) -> StoredObject | None:
        """Return what ``asset`` was last built as, or None if it never was or the object is damaged."""
        try:
            pointer = json.loads((self._folder(asset) / POINTER).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return self._read(asset, pointer["digest"])

    def find(self, asset: str, *, inputs: Mapping[str, str], parameters: Any, code_version: str) -> StoredObject | None:
        """Return the object that `get_or_build` would take from the store, or None; no pointer moves."""
        return self._read(asset, object_digest(asset, inputs, parameters, code_version))

    def by_content(self, asset: str, content: str) -> StoredObject | None:
        """Return the object of ``asset`` with this content hash, if it is in the store.

        Different inputs may make equal content; the current object is then the one that is meant.
        """
        current = self.current(asset)
        if current is not None and current.content == content:
            return current
        for record in sorted(self._folder(asset).glob(f"*/{RECORD}")):
            if _record(record).get("content") == content:
                return self._read(asset, record.parent.name)
        return None

    def pointer(self, asset: str) -> Path:
        """Return the file that tells what ``asset`` was last built as; written whenever somebody asks to build it."""
        return self._folder(asset) / POINTER

    def _folder(self, asset: str) -> Path:
        return self.root / asset.replace("/", ".")

    def _read(self, asset: str, digest: str) -> StoredObject | None:
        folder = self._folder(asset) / digest
        record = _record(folder / RECORD)
        if not record:
            return None
        if not self._is_whole(folder, record["files"]):
            return None
        return StoredObject(
            asset, digest, record["content"], folder, record["inputs"], record["files"], record["metadata"],
            record.get("code_version", ""),
        )  # fmt: skip

    def _is_whole(self, folder: Path, files: Mapping[str, str]) -> bool:
        """Tell whether an object's files are those that its record names.

        A file is hashed once; as long as the file system then shows the same file of the same size, untouched, it is the same.
        One that was touched a moment ago is hashed again: clocks of file systems tick, and a second change within the
        same tick shows nowhere.
        """
        settled = time.time_ns() - SETTLED_NS
        try:
            if _files(folder / DATA) != sorted(files):
                return False
            seen = tuple(_state(folder / DATA / name) for name in sorted(files))
            if self._whole.get(folder) == seen:
                return True
            whole = all(sha256_file(folder / DATA / name) == sha for name, sha in files.items())
        except OSError:
            return False
        if whole and all(state[-1] < settled for state in seen):
            self._whole[folder] = seen
        return whole

    def _build(
        self,
        asset: str,
        digest: str,
        inputs: dict[str, str],
        code_version: str,
        build: Callable[[Path], dict[str, Any]],
    ) -> StoredObject:
        final = self._folder(asset) / digest
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".building-", dir=final.parent))
        try:
            (temporary / DATA).mkdir()
            # as it will be read back: what is told of a new object and of a stored one must not differ
            metadata = json.loads(json.dumps(build(temporary), ensure_ascii=False))
            files = {name: sha256_file(temporary / DATA / name) for name in _files(temporary / DATA)}
            content = digest_of({"files": files, "metadata": metadata})
            record = {"asset": asset, "digest": digest, "content": content, "inputs": inputs, "files": files}
            record["code_version"] = code_version
            text = json.dumps({**record, "metadata": metadata}, ensure_ascii=False, indent=1, sort_keys=True)
            (temporary / RECORD).write_text(text, encoding="utf-8")
            _sync_tree(temporary)
            self._take_place(temporary, final)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return StoredObject(asset, digest, content, final, inputs, files, metadata, code_version, reused=False)

    def _take_place(self, temporary: Path, final: Path) -> None:
        damaged = final.with_name(f".damaged-{final.name}-{os.getpid()}")
        if final.exists():
            final.rename(damaged)
        try:
            temporary.rename(final)
        except OSError:
            # another process has just put the same object there; both are equal by construction
            if not (final / RECORD).exists():
                raise
        shutil.rmtree(damaged, ignore_errors=True)
        _sync_folder(final.parent)

    def _point(self, found: StoredObject) -> None:
        pointer = self._folder(found.asset) / POINTER
        temporary = pointer.with_name(f".current-{os.getpid()}.json")
        temporary.write_text(json.dumps({"digest": found.digest, "content": found.content}), encoding="utf-8")
        temporary.replace(pointer)


def _record(path: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return record


def _state(path: Path) -> tuple[int, ...]:
    """Return what changes when somebody writes to a file; the time of the change itself cannot be set by hand."""
    told = path.stat()
    return told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns


def _files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir():
            _sync_folder(path)
        else:
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
