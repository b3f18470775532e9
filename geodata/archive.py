"""Members of the inbox: plain files, files inside zips, and files inside zips inside zips.

Nothing is ever unpacked: members are read in place, by Python as streams and by GDAL as `/vsizip/`. Names are shown in
NFC and in Hangul; the name as it stands on the disk or in the zip is kept beside it, because only that one opens.
"""

from __future__ import annotations

import shutil
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from geodata.encoding import CP949
from geodata.errors import InputError
from geodata.inventory import LayerPart, Problem
from geodata.problems import problem

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Limits:
    """What an archive may hold. Nothing is unpacked, so that only reading time is at stake."""

    members: int = 50_000
    total_bytes: int = 64 * 1024**3
    member_bytes: int = 8 * 1024**3
    ratio: float = 200.0
    """Compression ratio that is believed of a member of more than ``ratio_from`` bytes: blank DBF fields shrink a lot."""
    ratio_from: int = 4 * 1024**3


@dataclass(frozen=True)
class Member:
    """One readable file of the inbox."""

    path: str
    """Relative to the inbox, NFC, forward slashes; members of an archive follow its name: ``a.zip/b.shp``."""
    outer: Path
    """The file on the disk."""
    inner: tuple[str, ...] = ()
    """Names inside the archive, as Python and GDAL spell them: none for a plain file, two for a nested archive."""
    size: int = 0
    archive: str = ""
    """Shown path of the outermost archive, empty for a plain file."""

    @property
    def folder(self) -> str:
        """Return the shown path of the folder or archive that holds the member."""
        return str(PurePosixPath(self.path).parent)

    @property
    def stem(self) -> str:
        """Return the name without its last suffix."""
        return PurePosixPath(self.path).stem

    @property
    def suffix(self) -> str:
        """Return the last suffix in lower case."""
        return PurePosixPath(self.path).suffix.casefold()

    @property
    def gdal_path(self) -> str:
        """Return what GDAL opens."""
        path = str(self.outer)
        for name in self.inner:
            path = f"/vsizip/{{{path}}}/{name}"
        return path

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the member for reading from its start.

        Raises
        ------
        InputError
            If the archive is damaged.
        """
        with ExitStack() as stack:
            try:
                stream: IO[bytes] = stack.enter_context(self.outer.open("rb"))
                for name in self.inner:
                    stream = stack.enter_context(stack.enter_context(zipfile.ZipFile(stream)).open(name))
            except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
                raise self._damaged(error) from error
            try:
                yield cast("BinaryIO", stream)
            except (zipfile.BadZipFile, EOFError, zlib.error) as error:
                raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> InputError:
        return InputError(f"{self.path} cannot be read from its archive: {error}. Download the file again")

    def read(self, size: int = -1) -> bytes:
        """Return the first ``size`` bytes, or all of them."""
        with self.open() as stream:
            return stream.read(size)


def shown(name: str) -> str:
    """Return ``name`` in composed Unicode (NFC), as it is shown and compared; Macs write Hangul decomposed."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        # bytes that are no UTF-8 reach Python as lone surrogates; on Korean systems they are CP949
        name = name.encode("utf-8", errors="surrogateescape").decode(CP949, errors="replace")
    return unicodedata.normalize("NFC", name)


def is_zip(path: Path) -> bool:
    """Return whether the file is a zip by its first bytes, whatever it is called."""
    with path.open("rb") as stream:
        return stream.read(4) in _ZIP_MAGIC


def archive_members(path: Path, name: str, limits: Limits | None = None) -> tuple[list[Member], list[Problem]]:
    """List the files inside the zip ``path``, shown in the inbox as ``name``; zips inside it are opened one level deep.

    A zip that is damaged, encrypted or unsafe (names that leave the archive, size beyond ``limits``) yields no members
    and a fatal problem.
    """
    limits = limits or Limits()
    try:
        with zipfile.ZipFile(path) as archive:
            return _members(archive, Member(path=name, outer=path, archive=name), limits, level=1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        return [], [problem("zip_damaged", name, error)]


def _members(
    archive: zipfile.ZipFile, holder: Member, limits: Limits, level: int
) -> tuple[list[Member], list[Problem]]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    refusal = _refusal(entries, limits)
    if refusal:
        return [], [problem("zip_unsafe", holder.path, refusal)]
    members: list[Member] = []
    problems: list[Problem] = []
    for entry in sorted(entries, key=lambda e: shown(_hangul(e))):
        name = shown(_hangul(entry)).replace("\\", "/")
        if _is_clutter(name):
            continue
        member = Member(
            path=f"{holder.path}/{name}",
            outer=holder.outer,
            inner=(*holder.inner, entry.filename),
            size=entry.file_size,
            archive=holder.archive,
        )
        try:
            with archive.open(entry) as stream:
                nested = stream.read(4) in _ZIP_MAGIC
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            return [], [problem("zip_damaged", holder.path, f"{name}: {error}")]
        if not nested:
            members.append(member)
        elif level == 1:
            try:
                with archive.open(entry) as stream, zipfile.ZipFile(stream) as inside:
                    found, more = _members(inside, member, limits, level=2)
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                found, more = [], [problem("zip_damaged", member.path, error)]
            members += found
            problems += more
        else:
            problems.append(problem("zip_too_deep", member.path))
    return members, problems


def _refusal(entries: list[zipfile.ZipInfo], limits: Limits) -> str:
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or (len(name) > 1 and name[1] == ":"):
            return f"the zip holds a name that leads out of it: {entry.filename!r}"
        if entry.flag_bits & _ENCRYPTED:
            return "the zip is protected by a password"
        if entry.file_size > limits.member_bytes:
            return f"{entry.filename!r} would unpack to {entry.file_size:,} bytes"
        ratio = entry.file_size / max(entry.compress_size, 1)
        if entry.file_size > limits.ratio_from and ratio > limits.ratio:
            return f"{entry.filename!r} would unpack to {ratio:,.0f} times its size"
    if len(entries) > limits.members:
        return f"the zip holds {len(entries):,} files"
    total = sum(entry.file_size for entry in entries)
    if total > limits.total_bytes:
        return f"the zip would unpack to {total:,} bytes"
    return ""


def _hangul(entry: zipfile.ZipInfo) -> str:
    """Return the entry's name; without the UTF-8 flag Python reads CP437, where Korean systems wrote UTF-8 or CP949."""
    if entry.flag_bits & _UTF8_NAME or entry.filename.isascii():
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ("utf-8", CP949):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _is_clutter(name: str) -> bool:
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].startswith(".") or parts[-1].casefold() in {"thumbs.db", "desktop.ini"}


def check_content(members: list[Member]) -> str:
    """Read ``members`` of archives to their end and return what is wrong with the first damaged one, else ''.

    A zip can list all its files and still have lost bytes of one: then GDAL would read fewer or empty records.
    """
    for member in members:
        if not member.inner:
            continue
        try:
            with member.open() as stream:
                while stream.read(1 << 20):
                    pass
        except InputError as error:
            return str(error)
    return ""


def find_on_disk(inbox: Path, name: str) -> Path:
    """Return the file of ``inbox`` that is shown as ``name``, however its name is composed on the disk.

    Raises
    ------
    InputError
        If it is gone.
    """
    direct = inbox / name
    if direct.exists():
        return direct
    current = inbox
    for wanted in PurePosixPath(name).parts:
        matches = [c for c in sorted(current.iterdir()) if shown(c.name) == wanted] if current.is_dir() else []
        if not matches:
            raise InputError(f"{name} is no longer in {inbox}; run again with a complete inbox")
        current = matches[0]
    return current


def member_of(inbox: Path, part: LayerPart) -> Member:
    """Return the member that ``part`` names, as it stands on the disk now.

    Raises
    ------
    InputError
        If the file or the member is gone.
    """
    path = find_on_disk(inbox, part.file.path)
    if part.data_source == part.file.path:
        return Member(path=part.file.path, outer=path, size=path.stat().st_size)
    members, _ = archive_members(path, part.file.path)
    for member in members:
        if member.path == part.data_source:
            return member
    raise InputError(f"{part.data_source} is no longer in {inbox}; run again with a complete inbox")


def gdal_path(inbox: Path, part: LayerPart) -> str:
    """Return what GDAL opens for ``part``: also for decomposed names, CP949 names in zips and nested zips."""
    return member_of(inbox, part).gdal_path


@contextmanager
def local_file(inbox: Path, part: LayerPart, folder: Path) -> Iterator[Path]:
    """Give ``part`` as a plain file, for readers that know no archives; a member is copied into ``folder`` meanwhile."""
    member = member_of(inbox, part)
    if not member.inner:
        yield member.outer
        return
    # the name inside the archive is not trusted with a place on the disk
    copy = folder / f"member{member.suffix}"
    with member.open() as stream, copy.open("wb") as target:
        shutil.copyfileobj(stream, target)
    try:
        yield copy
    finally:
        copy.unlink()
