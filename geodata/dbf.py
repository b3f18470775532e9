"""The bytes of a DBF table: its header and its fields as they stand in the file.

GDAL decodes and converts; recognition, encoding and long numeric codes need what was there before that.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np


class DbfError(ValueError):
    """The bytes are not a whole DBF table."""


@dataclass(frozen=True)
class DbfField:
    """One field: name as bytes, type letter, offset and width in the record [bytes]."""

    name: bytes
    kind: str
    offset: int
    width: int


@dataclass(frozen=True)
class DbfHeader:
    """Header of a DBF table."""

    rows: int
    header_length: int
    record_length: int
    language: int
    """Language driver id (LDID); 0 says nothing."""
    fields: tuple[DbfField, ...]

    @property
    def least_size(self) -> int:
        """Smallest size of a whole file [bytes]; the closing 0x1A may be absent."""
        return self.header_length + self.rows * self.record_length


def read_header(stream: BinaryIO) -> DbfHeader:
    """Read the header of a DBF table from the start of ``stream`` and leave the stream at the first record.

    Raises
    ------
    DbfError
        If the stream ends early or does not hold a DBF header.
    """
    head = stream.read(32)
    if len(head) < 32:
        raise DbfError("the table ends within its header")
    rows, header_length, record_length = struct.unpack("<IHH", head[4:12])
    if header_length < 33 or record_length < 1:
        raise DbfError("the file has no DBF header")
    rest = stream.read(header_length - 32)
    if len(rest) < header_length - 32:
        raise DbfError("the table ends within its header")
    fields = []
    offset = 1  # the first byte of a record is its deletion flag
    for start in range(0, len(rest) - 31, 32):
        descriptor = rest[start : start + 32]
        if descriptor[0] == 0x0D:
            break
        kind = chr(descriptor[11])
        width = descriptor[16] + (256 * descriptor[17] if kind == "C" else 0)
        fields.append(DbfField(descriptor[:11].split(b"\0")[0], kind, offset, width))
        offset += width
    if offset > record_length:
        raise DbfError("the fields are wider than the record")
    return DbfHeader(rows, header_length, record_length, head[29], tuple(fields))


def read_blocks(stream: BinaryIO, header: DbfHeader, rows_per_block: int = 16_384) -> Iterator[np.ndarray]:
    """Yield the records after the header as uint8 arrays of shape (rows, record length); stops where the file ends."""
    left = header.rows
    while left > 0:
        wanted = min(left, rows_per_block)
        data = stream.read(wanted * header.record_length)
        whole = len(data) // header.record_length
        if whole == 0:
            return
        yield np.frombuffer(data, dtype=np.uint8, count=whole * header.record_length).reshape(
            whole, header.record_length
        )
        left -= whole
        if whole < wanted:
            return


def column(block: np.ndarray, field: DbfField) -> np.ndarray:
    """Return one field of ``block`` as bytes, shape (rows,), padding removed on both sides."""
    raw = np.ascontiguousarray(block[:, field.offset : field.offset + field.width])
    if field.width == 0:
        return np.zeros(len(block), dtype="S1")
    return np.char.strip(raw.view(f"S{field.width}").ravel(), b" \0")
