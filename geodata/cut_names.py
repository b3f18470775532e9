"""Shapefiles whose column names were cut within a letter: a DBF name has ten bytes, a Korean letter in UTF-8 three.

GDAL's reader refuses such a table as a whole. It is opened byte by byte as Latin-1 instead, and names and values are
decoded here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from geodata.dbf import DbfHeader
from geodata.encoding import decode

BYTES = "ISO-8859-1"
"""Every byte is one character of this encoding, so that nothing is lost in it."""


@dataclass(frozen=True)
class Spelling:
    """How a table's columns are asked for: ``names`` maps what they are called to their bytes as Latin-1."""

    encoding: str
    names: Mapping[str, str]

    def decoded(self, table: pa.Table) -> pa.Table:
        """Return ``table``, read as Latin-1, with names and texts decoded."""
        called = {raw: name for name, raw in self.names.items()}
        columns = [self._decoded(column) for column in table.columns]
        return pa.table(columns, names=[called.get(name, name) for name in table.column_names])

    def _decoded(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            return column
        values = column.combine_chunks().dictionary_encode()
        words = [None if v is None else decode(v.encode(BYTES), self.encoding) for v in values.dictionary.to_pylist()]
        return pa.chunked_array([pa.array(words, type=pa.string()).take(values.indices)])


def spelling(header: DbfHeader, encoding: str) -> Spelling | None:
    """Return how to ask for the columns of a table, None where all names can be decoded as they stand."""
    try:
        for field in header.fields:
            field.name.decode(encoding)
    except UnicodeDecodeError:
        return Spelling(encoding, {decode(field.name, encoding): field.name.decode(BYTES) for field in header.fields})
    return None
