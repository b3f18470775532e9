"""Files of the inbox spoiled in the ways that copying, editing and disks spoil them."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path


def truncated(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def flipped(data: bytes, chance: random.Random) -> bytes:
    spoiled = bytearray(data)
    for _ in range(chance.randint(1, 40)):
        spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def hole(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    length = min(chance.randint(1, 4096), len(data) - start)
    return data[:start] + bytes(length) + data[start + length :]


def shuffled_lines(data: bytes, chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def swapped_columns(data: bytes, chance: random.Random) -> bytes:
    rows = [line.split(b",") for line in data.split(b"\n")]
    first, second = chance.randrange(8), chance.randrange(8)
    for row in rows:
        if len(row) > max(first, second):
            row[first], row[second] = row[second], row[first]
    return b"\n".join(b",".join(row) for row in rows)


def other_encoding(data: bytes, chance: random.Random) -> bytes:
    source, target = chance.choice((("cp949", "utf-16"), ("latin-1", "utf-8"), ("latin-1", "utf-16")))
    return data.decode(source, errors="replace").encode(target, errors="replace")


WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    truncated, flipped, hole, shuffled_lines, swapped_columns, other_encoding,
)  # fmt: skip


def mutate(path: Path, chance: random.Random) -> str:
    """Spoil ``path``, or one member inside it if it is a zip, and return what was done."""
    data = path.read_bytes()
    way = chance.choice(WAYS)
    if not zipfile.is_zipfile(path) or chance.random() < 0.35:
        path.write_bytes(way(data, chance))
        return f"{path.name}: {way.__name__}"
    with zipfile.ZipFile(BytesIO(data)) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    name = chance.choice(sorted(n for n, content in members.items() if content))
    members[name] = way(members[name], chance)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return f"{path.name}/{name}: {way.__name__}"
