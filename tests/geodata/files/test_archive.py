from __future__ import annotations

import io
import unicodedata
import zipfile
from pathlib import Path

import pytest

from geodata.archive import Limits, archive_members, check_content, find_on_disk, local_file, member_of
from geodata.errors import InputError
from geodata.inventory import LayerPart, SourceFile


class Cp949Info(zipfile.ZipInfo):
    """A member whose name is written in CP949 and not marked as UTF-8, as Windows in Korea does."""

    def _encodeFilenameFlags(self):
        return self.filename.encode("cp949"), self.flag_bits & ~0x800


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def part(path: str, source: str) -> LayerPart:
    return LayerPart(file=SourceFile(path=path, size=0, sha256=""), data_source=source)


def test_names_in_cp949_are_shown_in_hangul_and_open(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(Cp949Info("광명시/똠.txt"), b"data")
    members, problems = archive_members(path, "a.zip")
    assert not problems
    assert [m.path for m in members] == ["a.zip/광명시/똠.txt"]
    assert members[0].read() == b"data"
    assert member_of(tmp_path, part("a.zip", "a.zip/광명시/똠.txt")).inner == members[0].inner


def test_decomposed_names_are_shown_composed(tmp_path):
    decomposed = unicodedata.normalize("NFD", "경기도")
    write_zip(tmp_path / f"{decomposed}.zip", {f"{decomposed}.txt": b"x"})
    found = find_on_disk(tmp_path, "경기도.zip")
    assert found.name == f"{decomposed}.zip"
    members, _ = archive_members(found, "경기도.zip")
    assert members[0].path == "경기도.zip/경기도.txt"
    assert member_of(tmp_path, part("경기도.zip", "경기도.zip/경기도.txt")).read() == b"x"


def test_a_file_that_is_gone(tmp_path):
    with pytest.raises(InputError, match=r"a\.zip is no longer"):
        find_on_disk(tmp_path, "a.zip")
    write_zip(tmp_path / "a.zip", {"b.txt": b""})
    with pytest.raises(InputError, match=r"a\.zip/c\.txt is no longer"):
        member_of(tmp_path, part("a.zip", "a.zip/c.txt"))


@pytest.mark.parametrize("name", ["../evil.shp", "a/../../evil.shp", "/etc/evil.shp", "C:/evil.shp", "..\\evil.shp"])
def test_names_that_lead_out_are_refused(tmp_path, name):
    members, problems = archive_members(write_zip(tmp_path / "a.zip", {name: b"x", "good.shp": b"y"}), "a.zip")
    assert members == []
    assert problems[0].fatal
    assert "leads out of it" in problems[0].what
    assert list(tmp_path.parent.glob("evil*")) == []


def test_size_bombs_are_refused(tmp_path):
    path = write_zip(tmp_path / "bomb.zip", {"zeros.shp": b"\0" * 1_000_000})
    for limits, word in (
        (Limits(member_bytes=999_999), "1,000,000 bytes"),
        (Limits(total_bytes=999_999), "1,000,000 bytes"),
        (Limits(ratio=200, ratio_from=500_000), "times its size"),
        (Limits(members=0), "1 files"),
    ):
        members, problems = archive_members(path, "bomb.zip", limits)
        assert members == []
        assert problems[0].fatal
        assert word in problems[0].what
    assert archive_members(path, "bomb.zip")[1] == []


@pytest.mark.parametrize("keep", [0.4, 0.95])
def test_truncated_zip(tmp_path, keep):
    data = write_zip(tmp_path / "a.zip", {"a.shp": bytes(range(256)) * 40}).read_bytes()
    (tmp_path / "a.zip").write_bytes(data[: int(len(data) * keep)])
    members, problems = archive_members(tmp_path / "a.zip", "a.zip")
    assert members == []
    assert problems[0].fatal
    assert "truncated" in problems[0].what


def test_bytes_lost_inside_a_member_are_found(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.dbf", b"PRECIOUS" * 1000)
    data = bytearray(path.read_bytes())
    data[4000] ^= 0xFF
    path.write_bytes(bytes(data))
    members, problems = archive_members(path, "a.zip")
    assert not problems
    assert "a.zip/a.dbf cannot be read" in check_content(members)


def test_a_zip_inside_a_zip_opens_and_one_more_does_not(tmp_path):
    def packed(name: str, data: bytes) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, data)
        return buffer.getvalue()

    path = write_zip(
        tmp_path / "nation.zip", {"41.zip": packed("a.txt", b"deep"), "11.zip": packed("x.zip", packed("b.txt", b""))}
    )
    members, problems = archive_members(path, "nation.zip")
    assert [m.path for m in members] == ["nation.zip/41.zip/a.txt"]
    assert members[0].read() == b"deep"
    assert [(p.path, p.fatal) for p in problems] == [("nation.zip/11.zip/x.zip", False)]


def test_clutter_of_macs_is_passed_over(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.shp": b"1", "__MACOSX/._a.shp": b"2", ".DS_Store": b"3"})
    assert [m.path for m in archive_members(path, "a.zip")[0]] == ["a.zip/a.shp"]


def test_a_member_as_a_plain_file(tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    write_zip(inbox / "w.zip", {"sub/x.epw": b"LOCATION,"})
    (inbox / "y.epw").write_bytes(b"plain")
    with local_file(inbox, part("w.zip", "w.zip/sub/x.epw"), tmp_path) as path:
        assert path.read_bytes() == b"LOCATION,"
        assert path.parent == tmp_path
    assert not path.exists()
    with local_file(inbox, part("y.epw", "y.epw"), tmp_path) as path:
        assert path == inbox / "y.epw"
    assert path.exists()
