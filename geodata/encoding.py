"""In which encoding a DBF table is written.

Korean shapefiles come in CP949 without a `.cpg`, in UTF-8 without a `.cpg`, and with a `.cpg` that lies. The bytes
decide: text that is UTF-8 in the strict sense is UTF-8, else it is CP949. Never EUC-KR, which lacks 8,822 syllables
that CP949 has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from geodata import dbf

UTF_8 = "UTF-8"
CP949 = "CP949"

_NAMES = {
    UTF_8: ("utf8", "65001", "unicode", "utf8bom"),
    CP949: (
        "949",
        "cp949",
        "ms949",
        "euckr",
        "ksc56011987",
        "ksc5601",
        "ansi949",
        "uhc",
        "windows949",
        "51949",
        "korean",
        "x-windows-949",
    ),
}
_BY_NAME = {alias: encoding for encoding, aliases in _NAMES.items() for alias in aliases}
_LANGUAGE_DRIVERS = {0x4E: CP949, 0x79: CP949}
ENOUGH = 4_000
"""So many distinct non-ASCII values decide; a table with fewer is read to its end."""
TOLERATED = 0.001
"""Share of undecodable values at which an encoding is still believed."""


@dataclass(frozen=True)
class Encoding:
    """What the bytes of a table say."""

    name: str
    """UTF-8 or CP949."""
    declared: str | None
    """What `.cpg` or the language driver id say, UTF-8 or CP949; None where they say nothing usable."""
    damaged: int
    """Distinct values that hold U+FFFD or cannot be decoded: the text was lost before it came here."""
    checked: int
    """Distinct non-ASCII values looked at; 0 means that nothing had to be decided."""

    @property
    def contradicts(self) -> bool:
        """Whether the declaration is wrong."""
        return self.checked > 0 and self.declared is not None and self.declared != self.name


def declared_encoding(cpg: bytes | None, language: int = 0) -> str | None:
    """Return what a `.cpg` (its bytes) or else the language driver id declares: UTF-8, CP949, or None."""
    if cpg is not None:
        text = cpg.decode("ascii", errors="ignore").strip().casefold()
        name = _BY_NAME.get("".join(c for c in text if c.isalnum()))
        if name is not None:
            return name
    return _LANGUAGE_DRIVERS.get(language)


def sniff_dbf(stream: BinaryIO, cpg: bytes | None = None) -> Encoding:
    """Decide the encoding of the DBF table in ``stream`` from its field names and text fields.

    Reads until enough distinct non-ASCII values were seen, else to the end.

    Raises
    ------
    geodata.dbf.DbfError
        If the stream does not hold a DBF header.
    """
    header = dbf.read_header(stream)
    declared = declared_encoding(cpg, header.language)
    # a name that fills its ten bytes may have been cut within a character, like a value that fills its field
    values: dict[bytes, bool] = {f.name: len(f.name) >= 10 for f in header.fields if not f.name.isascii()}
    text_fields = [f for f in header.fields if f.kind == "C" and f.width > 0]
    for block in dbf.read_blocks(stream, header):
        for field in text_fields:
            high = (block[:, field.offset : field.offset + field.width] >= 0x80).any(axis=1)
            if high.any():
                for value in np.unique(dbf.column(block[high], field)):
                    values[bytes(value)] = len(value) >= field.width
        if len(values) >= ENOUGH:
            break
    return decide(values, declared)


def sniff_text(data: bytes) -> Encoding:
    """Decide the encoding of a plain text, line by line."""
    lines = {line: False for line in data.splitlines() if not line.isascii()}
    return decide(lines, None)


def decide(values: dict[bytes, bool], declared: str | None) -> Encoding:
    """Decide from distinct non-ASCII ``values``; each maps to whether its last character may have been cut off."""
    if not values:
        return Encoding(declared or UTF_8, declared, damaged=0, checked=0)
    failures = {}
    for name in (UTF_8, CP949):
        failures[name] = sum(_decode(value, name, may_be_cut=cut) is None for value, cut in values.items())
    if failures[UTF_8] == 0:
        name = UTF_8
    elif failures[CP949] <= TOLERATED * len(values):
        name = CP949
    else:
        name = min((UTF_8, CP949), key=lambda n: failures[n])
    burnt = sum("\ufffd" in (_decode(value, name, may_be_cut=cut) or "") for value, cut in values.items())
    return Encoding(name, declared, damaged=burnt + failures[name], checked=len(values))


def decode(value: bytes, encoding: str) -> str:
    """Decode ``value``; a character cut off at the end of the field is dropped, other damage becomes U+FFFD."""
    whole = _decode(value, encoding, may_be_cut=True)
    return value.decode(encoding, errors="replace") if whole is None else whole


def _decode(value: bytes, encoding: str, *, may_be_cut: bool) -> str | None:
    longest = {UTF_8: 3, CP949: 1}[encoding] if may_be_cut else 0
    for cut in range(longest + 1):
        try:
            return value[: len(value) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
