from __future__ import annotations

import io
import struct

import pytest

from geodata.dbf import DbfError, read_header
from geodata.encoding import declared_encoding, decode, sniff_dbf, sniff_text


def dbf(values: list[bytes], width: int = 20, name: bytes = b"NAME", language: int = 0) -> io.BytesIO:
    head = struct.pack("<BBBBIHH17xB2x", 3, 126, 1, 1, len(values), 32 + 32 + 1, width + 1, language)
    field = name.ljust(11, b"\0") + b"C" + b"\0" * 4 + bytes([width, 0]) + b"\0" * 14
    return io.BytesIO(head + field + b"\r" + b"".join(b" " + v[:width].ljust(width) for v in values) + b"\x1a")


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_the_bytes_decide_without_a_cpg(encoding):
    sniffed = sniff_dbf(dbf(["노온사동".encode(encoding), b"ascii", "가학동".encode(encoding)]))
    assert sniffed.name == {"cp949": "CP949", "utf-8": "UTF-8"}[encoding]
    assert (sniffed.checked, sniffed.damaged, sniffed.declared) == (2, 0, None)


def test_syllables_that_euc_kr_lacks_are_kept():
    word = "똠방각하 힣"
    with pytest.raises(UnicodeDecodeError):
        word.encode("cp949").decode("euc_kr")
    assert sniff_dbf(dbf([word.encode("cp949")]), cpg=b"EUC-KR").name == "CP949"
    assert decode(word.encode("cp949"), "CP949") == word


@pytest.mark.parametrize(
    ("cpg", "name"),
    [
        (b"UTF-8", "UTF-8"),
        (b"utf8\n", "UTF-8"),
        (b"949", "CP949"),
        (b"EUC-KR", "CP949"),
        (b"ANSI 949", "CP949"),
        (b"nonsense", None),
        (None, None),
    ],
)
def test_declarations(cpg, name):
    assert declared_encoding(cpg) == name


@pytest.mark.parametrize("language", [0x4E, 0x79])
def test_language_driver_of_korean_tables(language):
    assert declared_encoding(None, language) == "CP949"
    assert sniff_dbf(dbf([b"plain"], language=language)).name == "CP949"


def test_a_lying_cpg_is_overruled_and_told():
    sniffed = sniff_dbf(dbf(["광명시".encode("cp949")]), cpg=b"UTF-8")
    assert sniffed.name == "CP949"
    assert sniffed.contradicts


def test_characters_cut_at_the_end_of_a_field_are_no_damage():
    # nine syllables of three bytes in a field of 20: the seventh is cut after two bytes
    assert sniff_dbf(dbf(["가나다라마바사아자".encode()], width=20)).name == "UTF-8"
    sniffed = sniff_dbf(dbf([b"x" + "가나다라마".encode("cp949")], width=10))
    assert (sniffed.name, sniffed.damaged) == ("CP949", 0)
    assert decode("가나다".encode()[:8], "UTF-8") == "가나"


def test_a_field_name_alone_decides():
    assert sniff_dbf(dbf([b"12"], name="층수".encode("cp949"))).name == "CP949"


def test_replacement_characters_in_the_source_are_counted():
    sniffed = sniff_dbf(dbf(["\ufffd\ufffd빌".encode(), "상가".encode()]))
    assert (sniffed.name, sniffed.damaged, sniffed.checked) == ("UTF-8", 1, 2)


def test_late_text_is_found():
    assert sniff_dbf(dbf([b"1"] * 40_000 + ["시흥시".encode("cp949")])).name == "CP949"


def test_plain_text():
    assert sniff_text("고유번호,법정동\n1,광명동\n".encode("cp949")).name == "CP949"


def test_truncated_header():
    with pytest.raises(DbfError, match="ends within"):
        read_header(io.BytesIO(b"\x03abc"))
