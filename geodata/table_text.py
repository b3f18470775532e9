"""Tables that agencies hand out as text: CSV, bars between the values with no header, or saved answers of an API (JSON).

A table may hold a province; it is streamed, and only the columns that are wanted are kept.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from geodata.archive import Member
from geodata.codes import as_text
from geodata.encoding import UTF_8, Encoding, sniff_text
from geodata.errors import InputError

SUFFIXES = (".csv", ".txt", ".tsv", ".json")
_HEAD_BYTES = 1 << 20
_BLOCK_BYTES = 8 << 20
_LEAST_COLUMNS = 6
"""A line with fewer values than this is prose, not a table."""
_REGISTER_KEY = b'"mgmBldrgstPk"'


@dataclass(frozen=True)
class Layout:
    """How a table is written."""

    encoding: str
    delimiter: str
    """``,``, a tab or ``|``; ``{`` for JSON."""
    has_header: bool
    fields: tuple[str, ...]
    """Names of the columns; ``#0``, ``#1`` … where no header says them."""


def is_table(head: bytes, suffix: str) -> bool:
    """Return whether a file that begins with ``head`` is a table this module reads."""
    if suffix not in SUFFIXES:
        return False
    if _is_json(head):
        return _REGISTER_KEY in head
    first = head.split(b"\n", 1)[0]
    return max(first.count(mark) for mark in (b",", b"\t", b"|")) >= _LEAST_COLUMNS - 1


def _is_json(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in {b"{", b"["}


def read_layout(member: Member, encoding: str | None = None) -> tuple[Layout, Encoding]:
    """Return how the table ``member`` is written, and what its bytes say about the encoding.

    A first line without any value that is a number is a header.

    Raises
    ------
    InputError
        If it holds no line.
    """
    head = member.read(_HEAD_BYTES)
    whole = head if len(head) < _HEAD_BYTES else head[: head.rfind(b"\n") + 1]
    # one line of an API's answer may hold megabytes and end within a character
    sniffed = sniff_text(whole if whole else head)
    name = encoding or sniffed.name
    if _is_json(head):
        fields = tuple(dict.fromkeys(key for item in _items(member) for key in item))
        return Layout(name, "{", has_header=True, fields=fields), sniffed
    lines = [line for line in whole.decode(name, errors="replace").removeprefix("\ufeff").splitlines() if line.strip()]
    if not lines:
        raise InputError("the table holds no line")
    delimiter = max(",\t|", key=lines[0].count)
    cells = [cell.strip().strip('"').strip() for cell in lines[0].split(delimiter)]
    has_header = not any(re.fullmatch(r"[-+.0-9]+", cell) for cell in cells)
    fields = tuple(cells) if has_header else tuple(f"#{n}" for n in range(len(cells)))
    return Layout(name, delimiter, has_header, fields), sniffed


def stream_table(member: Member, layout: Layout, names: Sequence[str]) -> Iterator[tuple[pd.DataFrame, int]]:
    """Yield the columns ``names`` batch by batch as text (empty values are NaN), with the number of broken lines among them.

    A line is broken if it has more or fewer values than the header. Bytes that cannot be decoded become U+FFFD.

    Raises
    ------
    InputError
        If the table cannot be read.
    """
    if layout.delimiter == "{":
        items = _items(member)
        rows = pd.DataFrame({name: [_word(item.get(name)) for item in items] for name in names}, dtype="str")
        yield rows, 0
        return
    broken = 0

    def skip(_row: Any) -> str:
        nonlocal broken
        broken += 1
        return "skip"

    # columns are called by their place: a header may say one name twice
    places = {name: f"c{layout.fields.index(name)}" for name in names}
    with member.open() as stream:
        try:
            reader = pa_csv.open_csv(
                _Utf8(stream, layout.encoding),
                read_options=pa_csv.ReadOptions(
                    column_names=[f"c{n}" for n in range(len(layout.fields))],
                    skip_rows=int(layout.has_header),
                    block_size=_BLOCK_BYTES,
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=layout.delimiter,
                    quote_char=False if layout.delimiter == "|" else '"',
                    invalid_row_handler=skip,
                ),
                convert_options=pa_csv.ConvertOptions(
                    include_columns=sorted(set(places.values())),
                    column_types={place: pa.string() for place in places.values()},
                    strings_can_be_null=True,
                    null_values=[""],
                ),
            )
            for batch in reader:
                table = pa.Table.from_batches([batch])
                frame = pd.DataFrame({name: as_text(table[place]) for name, place in places.items()})
                told, broken = broken, 0
                yield frame, told
        except pa.ArrowInvalid as error:
            if "Empty CSV file" not in str(error):
                raise InputError(f"{member.path} cannot be read as a table: {error}. Download it again") from error
    if broken:
        yield pd.DataFrame({name: pd.Series([], dtype="str") for name in names}), broken


class _Utf8(io.RawIOBase):
    """A stream in another encoding, read as UTF-8; damage becomes U+FFFD."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._text = io.TextIOWrapper(
            stream, encoding="utf-8-sig" if encoding == UTF_8 else encoding, errors="replace", newline=""
        )
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._text.read(1 << 20).encode("utf-8")
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def close(self) -> None:
        if not self.closed:
            # the stream belongs to its archive, which closes it, and may have done so already
            with suppress(ValueError):
                self._text.detach()
        super().close()


def _word(value: Any) -> str | None:
    """Return a JSON value as text; blanks are nothing."""
    text = "" if value is None else str(value).strip()
    return text or None


def _items(member: Member) -> list[dict[str, Any]]:
    """Return the records of saved API answers: one answer, a list of answers, or a list of records.

    ``items.item`` is a record when there is one, and ``items`` is an empty text when there is none.
    """
    try:
        found = json.loads(member.read().decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{member.path} is not JSON in UTF-8: {error}. Save the answer of the API again") from error
    records: list[dict[str, Any]] = []
    waiting = [found]
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, list):
            waiting = [*value, *waiting]
        elif isinstance(value, dict):
            inside = next((value[key] for key in ("response", "body", "items", "item") if key in value), None)
            if inside is None:
                records.append(value)
            else:
                waiting.insert(0, inside)
    return [record for record in records if any(not isinstance(v, dict | list) for v in record.values())]
