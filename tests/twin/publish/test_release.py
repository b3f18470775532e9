"""Publishing, rolling back, pruning and healing on real folders; faults come from the operating system, not from mocks."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from geodata.errors import InputError
from twin.publish.errors import PublishError
from twin.publish.release import altered_releases, heal, list_releases, publish_release, use_release, verify_latest

SITE = "gaon"
START = datetime(2026, 11, 1, 17, 0, 0, tzinfo=UTC)  # 02:00 of the next day in Seoul


def parts(folder: Path, **texts: str) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, text in texts.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        found[f"existing/{name}.gpkg"] = path
    return found


def publish(outputs: Path, files: dict[str, Path], digest: str, day: int = 0, **options):
    settings = {"keep": 14, "validate": lambda folder: [], "patience_s": 1.0, **options}
    return publish_release(
        outputs, SITE, files, {"content": {"site": SITE}}, digest, now=START + timedelta(days=day), **settings
    )


def read(outputs: Path, name: str = "latest/existing/a.gpkg") -> str:
    return (outputs / SITE / name).read_text(encoding="utf-8")


def test_first_release_is_whole_read_only_and_told(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    result = publish(outputs, parts(tmp_path / "src", a="one", b="two"), "aaaaaaaa00")
    assert result.published
    assert result.id == "20261102T020000-aaaaaaaa"
    root = outputs / SITE
    assert (root / "latest").readlink() == Path("releases") / result.id
    assert read(outputs) == "one"
    for path in [result.path, *result.path.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o555 if path.is_dir() else 0o444)
    manifest = json.loads((result.path / "manifest.json").read_text(encoding="utf-8"))
    # sha256 of "one", computed by coreutils
    assert manifest["files"]["existing/a.gpkg"] == {
        "size": 3,
        "sha256": "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed",
    }
    assert manifest["release"]["published_at"] == "2026-11-02T02:00:00+09:00"
    assert manifest["content"] == {"site": SITE}
    told = json.loads((root / "latest.json").read_text(encoding="utf-8"))
    assert told["release"] == result.id
    assert told["pinned"] is None
    assert sorted(told["files"]) == ["existing/a.gpkg", "existing/b.gpkg"]
    assert verify_latest(outputs, SITE) == []
    assert heal(outputs, SITE) == []


def test_same_inputs_publish_nothing_and_touch_nothing(tmp_path: Path) -> None:
    outputs, files = tmp_path / "outputs", parts(tmp_path / "src", a="one")
    first = publish(outputs, files, "aaaaaaaa")
    before = {p: (p.lstat().st_ino, p.lstat().st_mtime_ns) for p in (outputs / SITE).rglob("*")}
    second = publish(outputs, files, "aaaaaaaa", day=1)
    assert (second.published, second.id) == (False, first.id)
    assert "nothing changed" in second.reason
    assert {p: (p.lstat().st_ino, p.lstat().st_mtime_ns) for p in (outputs / SITE).rglob("*")} == before


def test_no_two_releases_share_a_file(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    first = publish(outputs, parts(tmp_path / "src", a="one", b="two"), "aaaaaaaa")
    second = publish(outputs, parts(tmp_path / "src", a="one", b="TWO"), "bbbbbbbb", day=1)
    files = [path for folder in (first.path, second.path) for path in folder.rglob("*") if path.is_file()]
    assert {path.stat().st_nlink for path in files} == {1}
    assert len({path.stat().st_ino for path in files}) == len(files)
    assert (first.path / "existing/b.gpkg").read_text(encoding="utf-8") == "two"
    # the file of the store stays a file of its own: removing or rewriting it cannot reach a release
    assert not (tmp_path / "src" / "a").samefile(second.path / "existing/a.gpkg")


def test_altered_release_is_named_and_published_anew_from_the_same_inputs(tmp_path: Path) -> None:
    outputs, files = tmp_path / "outputs", parts(tmp_path / "src", a="one", b="two")
    first = publish(outputs, files, "aaaaaaaa")
    victim = first.path / "existing/a.gpkg"
    victim.chmod(0o644)
    victim.write_text("0ne", encoding="utf-8")  # same length
    (first.path / "existing").chmod(0o755)
    (first.path / "existing/b.gpkg").unlink()
    (first.path / "existing/extra.qgz").write_text("", encoding="utf-8")
    found = ["existing/a.gpkg: altered", "existing/b.gpkg: missing", "existing/extra.qgz: added"]
    assert verify_latest(outputs, SITE) == found
    assert altered_releases(outputs, SITE) == [f"{first.id}: {line}" for line in found]
    second = publish(outputs, files, "aaaaaaaa", day=1)
    assert second.published
    assert "altered" in second.reason
    assert "existing/a.gpkg" in second.reason
    assert read(outputs) == "one"
    assert verify_latest(outputs, SITE) == []
    assert victim.read_text(encoding="utf-8") == "0ne"


def test_altered_manifest_is_noticed(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    result = publish(outputs, parts(tmp_path / "src", a="one"), "aaaaaaaa")
    manifest = result.path / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace('"site": "gaon"', '"site": "elsewhere"'), encoding="utf-8"
    )
    assert verify_latest(outputs, SITE) == ["manifest.json: altered"]


def test_refused_validation_leaves_everything_as_it_was(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    publish(outputs, parts(tmp_path / "src", a="one"), "aaaaaaaa")
    seen = []

    def refuse(folder: Path) -> list[str]:
        seen.append((folder / "existing/a.gpkg").read_text(encoding="utf-8"))
        return ["twin.gpkg: requirement 6: integrity_check failed"]

    with pytest.raises(PublishError, match="requirement 6"):
        publish(outputs, parts(tmp_path / "src", a="bad"), "bbbbbbbb", day=1, validate=refuse)
    assert seen == ["bad"]
    assert read(outputs) == "one"
    assert len(list((outputs / SITE / "releases").iterdir())) == 1


def test_parts_that_are_missing_or_not_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    outputs, files = tmp_path / "outputs", parts(tmp_path / "src", a="one")
    with pytest.raises(PublishError, match="does not exist"):
        publish(outputs, {**files, "tables/x.parquet": tmp_path / "nowhere"}, "aaaaaaaa")
    with pytest.raises(PublishError, match="not the one this run built"):
        publish(outputs, files, "aaaaaaaa", expected={"existing/a.gpkg": "0" * 64})
    for name in ("../escape", "/etc/x", "manifest.json"):
        with pytest.raises(ValueError, match="cannot be the name"):
            publish(outputs, {name: tmp_path / "src" / "a"}, "aaaaaaaa")
    assert list((outputs / SITE / "releases").iterdir()) == []


def test_old_releases_go_but_never_current_previous_or_pinned(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    ids = [publish(outputs, parts(tmp_path / "src", a=f"v{day}"), f"{day:08x}", day).id for day in range(3)]
    use_release(outputs, SITE, ids[1])
    later = [
        publish(outputs, parts(tmp_path / "src", a=f"v{day}"), f"{day:08x}", day, keep=3).id for day in range(3, 8)
    ]
    # three newest, the pinned one which is current, and the one before it
    assert [r.id for r in list_releases(outputs, SITE)] == [*reversed(later[-3:]), ids[1], ids[0]]
    use_release(outputs, SITE, "newest")
    last = publish(outputs, parts(tmp_path / "src", a="v9"), f"{9:08x}", 9, keep=0).id
    assert [r.id for r in list_releases(outputs, SITE)] == [last, later[-1]]


def test_roll_back_pins_and_newest_follows_again(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    old = publish(outputs, parts(tmp_path / "src", a="old"), "aaaaaaaa").id
    bad = publish(outputs, parts(tmp_path / "src", a="bad"), "bbbbbbbb", 1).id
    assert use_release(outputs, SITE, old).is_latest
    assert read(outputs) == "old"
    # the same night again: the bad release is not published once more, and latest stays
    again = publish(outputs, parts(tmp_path / "src", a="bad"), "bbbbbbbb", 2)
    assert (again.published, again.id) == (False, bad)
    assert old in again.reason
    new = publish(outputs, parts(tmp_path / "src", a="new"), "cccccccc", 3)
    assert new.published
    assert "pinned" in new.reason
    assert read(outputs) == "old"
    flags = {r.id: (r.is_latest, r.is_pinned) for r in list_releases(outputs, SITE)}
    assert flags == {old: (True, True), bad: (False, False), new.id: (False, False)}
    assert use_release(outputs, SITE, "newest").id == new.id
    assert read(outputs) == "new"
    assert json.loads((outputs / SITE / "latest.json").read_text(encoding="utf-8"))["release"] == new.id


def test_use_refuses_what_does_not_exist_or_was_altered(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    with pytest.raises(InputError, match="no releases"):
        use_release(outputs, SITE, "20261102T020000-aaaaaaaa")
    first = publish(outputs, parts(tmp_path / "src", a="one"), "aaaaaaaa")
    publish(outputs, parts(tmp_path / "src", a="two"), "bbbbbbbb", 1)
    with pytest.raises(InputError, match=first.id):
        use_release(outputs, SITE, "20200101T000000-aaaaaaaa")
    victim = first.path / "existing/a.gpkg"
    victim.chmod(0o644)
    victim.write_text("ONE", encoding="utf-8")
    with pytest.raises(InputError, match="altered"):
        use_release(outputs, SITE, first.id)
    assert read(outputs) == "two"


def test_ids_rise_even_when_the_clock_was_set_back(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    first = publish(outputs, parts(tmp_path / "src", a="one"), "aaaaaaaa", day=10)
    second = publish(outputs, parts(tmp_path / "src", a="two"), "00000000", day=0)
    assert second.id == "20261112T020001-00000000"
    assert second.id > first.id
    assert read(outputs) == "two"


def test_times_need_a_zone_and_digests_their_form(tmp_path: Path) -> None:
    files = parts(tmp_path / "src", a="one")
    with pytest.raises(ValueError, match="time zone"):
        publish_release(
            tmp_path, SITE, files, {}, "aaaaaaaa", now=datetime(2026, 1, 1), keep=3, validate=lambda folder: []
        )
    with pytest.raises(ValueError, match="hexadecimal"):
        publish(tmp_path, files, "not-hex")


def test_a_second_publish_waits_and_then_says_so(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    publish(outputs, parts(tmp_path / "src", a="one"), "aaaaaaaa")
    holder = subprocess.Popen(
        [sys.executable, "-c", "import fcntl,sys; f=open(sys.argv[1],'r+'); fcntl.flock(f,2); print('held',flush=True); sys.stdin.read()",
         str(outputs / SITE / ".lock")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(PublishError, match="another run is publishing"):
            publish(outputs, parts(tmp_path / "src", a="two"), "bbbbbbbb", 1, patience_s=0.3)
    finally:
        holder.communicate()
    assert publish(outputs, parts(tmp_path / "src", a="two"), "bbbbbbbb", 1).published


def stop_at(outputs: Path, files: dict[str, Path], step: int) -> bool:
    """Publish in a child that dies at the ``step``-th change of the file system; True if it lived to the end."""
    changes = ("os.", "shutil.copyfile", "open")
    child = os.fork()
    if child == 0:
        seen = 0

        def watch(event: str, arguments: tuple) -> None:
            nonlocal seen
            if event.startswith(changes) and event not in ("os.scandir", "os.listdir", "os.walk"):
                seen += 1
                if seen == step:
                    os._exit(7)

        sys.addaudithook(watch)
        try:
            publish(outputs, files, "bbbbbbbb", 1)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_stopped_anywhere_a_reader_meets_a_whole_release_and_the_next_start_heals(tmp_path: Path) -> None:
    base, old, new = (
        tmp_path / "base",
        parts(tmp_path / "old", a="one", b="two"),
        parts(tmp_path / "new", a="ONE", b="two"),
    )
    publish(base, old, "aaaaaaaa")
    steps = met_old = met_new = 0
    for step in range(1, 400):
        outputs = tmp_path / f"o{step}"
        shutil.copytree(base, outputs, symlinks=True)
        lived = stop_at(outputs, new, step)
        text = read(outputs)
        assert text in ("one", "ONE"), step
        assert verify_latest(outputs, SITE) == [], step
        met_old, met_new = met_old + (text == "one"), met_new + (text == "ONE")
        heal(outputs, SITE)
        left = [p.name for p in (outputs / SITE).rglob(".*") if p.name != ".lock"]
        assert left == [], step
        assert heal(outputs, SITE) == [], step
        told = json.loads((outputs / SITE / "latest.json").read_text(encoding="utf-8"))
        assert told["release"] == (outputs / SITE / "latest").readlink().name, step
        publish(outputs, new, "bbbbbbbb", 2)
        assert read(outputs) == "ONE", step
        assert len(list_releases(outputs, SITE)) == 2, step
        steps = step
        if lived:
            break
    assert met_old > 5
    assert met_new > 2
    assert 20 < steps < 399


@pytest.fixture
def tiny_disk(tmp_path: Path):
    """A file system of 256 kB."""
    place = tmp_path / "tiny"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"no right to mount a small file system here: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("size", [400_000, 150_000], ids=["seen beforehand", "met while writing"])
def test_full_disk_says_what_where_and_what_to_do(tmp_path: Path, tiny_disk: Path, size: int) -> None:
    publish(tiny_disk, parts(tmp_path / "src", a="one"), "aaaaaaaa")
    before = sorted(p.relative_to(tiny_disk) for p in tiny_disk.rglob("*"))

    def fill(folder: Path) -> list[str]:
        # something else fills the disk between the look at the free space and the last write
        with (folder / "late.gpkg").open("wb") as stream:
            stream.write(b"x" * 200_000)
        return []

    with pytest.raises(PublishError) as told:
        publish(tiny_disk, parts(tmp_path / "src", a="x" * size), "bbbbbbbb", 1, validate=fill)
    message = str(told.value)
    assert "disk full" in message
    assert str(tiny_disk / SITE) in message
    assert "Free some space" in message
    assert "last release is untouched" in message
    assert sorted(p.relative_to(tiny_disk) for p in tiny_disk.rglob("*")) == before
    assert read(tiny_disk) == "one"
    assert verify_latest(tiny_disk, SITE) == []
    assert publish(tiny_disk, parts(tmp_path / "src", a="two"), "bbbbbbbb", 1).published


CHILD = """
import os, sys
from datetime import datetime, timezone
from pathlib import Path
from twin.publish.errors import PublishError
from twin.publish.release import publish_release
datetime.strptime("2026", "%Y")  # loads a module that the user below may not be able to read
os.setgid(65534); os.setuid(65534)
outputs, source, digest = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
for number in range(int(sys.argv[4])):
    try:
        result = publish_release(outputs, "gaon", {"existing/a.gpkg": source}, {}, f"{number}{digest}"[:8],
            now=datetime(2026, 11, 1 + number, tzinfo=timezone.utc), keep=2, validate=lambda folder: [])
        print("published", result.id)
    except PublishError as error:
        print("refused", error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="drops the rights of root, so it has to start with them")
def test_as_an_ordinary_user_publishing_and_pruning_work_and_a_closed_folder_is_told() -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        base.chmod(0o755)
        outputs, source = base / "outputs", base / "a"
        source.write_text("one", encoding="utf-8")
        outputs.mkdir()

        def run(count: int) -> list[str]:
            command = [sys.executable, "-c", CHILD, str(outputs), str(source), "abcdef01", str(count)]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

        (line,) = run(1)
        assert line.startswith("refused cannot write to")
        assert "permission" in line
        assert list(outputs.iterdir()) == []
        outputs.chmod(0o777)
        assert [line.split()[0] for line in run(4)] == ["published"] * 4
        assert [r.id[:8] for r in list_releases(outputs, SITE)] == ["20261104", "20261103"]
