"""Someone works inside a published release while new ones are published: his work stays his, the new ones stay whole."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from twin.publish.about import ReleaseAbout
from twin.publish.durable import sha256_of
from twin.publish.geopackage import write_geopackage
from twin.publish.release import ReleaseResult, altered_releases, publish_release, verify_latest
from twin.publish.validate import validate_geopackage, validate_release

SITE = "gaon"
START = datetime(2026, 11, 1, 17, 0, 0, tzinfo=UTC)

ADVERSARY = """
import os, sqlite3, sys
path = os.path.realpath(sys.argv[1])  # SQLite, too, follows the link once, when it opens
# before anything is allowed, as a program that opened the file read-only and kept it
early = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
early.execute("SELECT count(*) FROM parks").fetchone()
print("open", flush=True)
for line in sys.stdin:
    match line.strip():
        case "edit":
            os.chmod(path, 0o666)
            os.chmod(os.path.dirname(path), 0o777)
            db = sqlite3.connect(path, isolation_level=None)
            print(db.execute("PRAGMA journal_mode = WAL").fetchone()[0], flush=True)
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute("UPDATE gpkg_contents SET description = 'MINE' WHERE table_name = 'parks'")
            db.execute("BEGIN IMMEDIATE")
            db.execute("UPDATE gpkg_contents SET description = 'UNSAVED' WHERE table_name = 'parks'")
            print("edited", flush=True)
        case "read":
            told = db.execute("SELECT description FROM gpkg_contents WHERE table_name = 'parks'").fetchone()[0]
            rows = db.execute("SELECT count(*) FROM parks").fetchone()[0]
            print(told, rows, db.execute("PRAGMA integrity_check").fetchone()[0], flush=True)
        case "save":
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            print("saved", flush=True)
"""


@pytest.fixture
def adversary():
    started: list[subprocess.Popen] = []

    def start(path: Path):
        process = subprocess.Popen(
            [sys.executable, "-c", ADVERSARY, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "open\n"

        def say(word: str, lines: int = 1) -> list[str]:
            process.stdin.write(word + "\n")
            process.stdin.flush()
            return [process.stdout.readline().strip() for _ in range(lines)]

        return say

    yield start
    for process in started:
        process.communicate(timeout=120)


@pytest.fixture
def town(tmp_path: Path, layers, about: ReleaseAbout) -> dict[str, Path]:
    """Six nights: the present never changes, the plan does every night."""
    small = {name: layers[name] for name in ("districts", "parks", "run_info")}
    found = {"existing": tmp_path / "existing.gpkg"}
    write_geopackage(found["existing"], small, about)
    for night in range(6):
        parks = small["parks"].assign(area_m2=100.0 + night)
        found[f"planned{night}"] = tmp_path / f"planned{night}.gpkg"
        write_geopackage(found[f"planned{night}"], {**small, "parks": parks}, about)
    return found


def test_edits_in_an_old_release_never_reach_a_new_one(tmp_path: Path, town: dict[str, Path], adversary) -> None:
    outputs = tmp_path / "outputs"

    def publish(night: int, keep: int = 14) -> ReleaseResult:
        files = {"existing/twin.gpkg": town["existing"], "planned/twin.gpkg": town[f"planned{night}"]}
        return publish_release(
            outputs, SITE, files, {"content": {}}, f"{night:08x}", now=START + timedelta(days=night), keep=keep, validate=validate_release
        )  # fmt: skip

    latest = outputs / SITE / "latest"
    first = publish(0)
    his = adversary(latest / "existing" / "twin.gpkg")
    # published while he has the file open but has not touched it: the moment in which a shared file would be handed on
    second = publish(1)
    assert his("edit", 2) == ["wal", "edited"]
    assert (first.path / "existing/twin.gpkg-wal").stat().st_size > 0
    third, fourth, fifth = publish(2), publish(3), publish(4)

    for release in (second, third, fourth, fifth):
        whole = release.path / "existing" / "twin.gpkg"
        assert sha256_of(whole) == sha256_of(town["existing"])
        assert validate_geopackage(whole) == []
    assert latest.resolve() == fifth.path
    assert verify_latest(outputs, SITE) == []
    assert his("read") == ["UNSAVED 2 ok"]

    named = altered_releases(outputs, SITE)
    assert {line.split(":")[0] for line in named} == {first.id}
    assert f"{first.id}: existing/twin.gpkg-wal: added" in named
    assert his("save") == ["saved"]
    assert f"{first.id}: existing/twin.gpkg: altered" in altered_releases(outputs, SITE)
    assert sha256_of(latest / "existing" / "twin.gpkg") == sha256_of(town["existing"])

    publish(5, keep=2)  # now his release is too old and goes; what he holds open is still there for him
    assert not first.path.exists()
    assert his("read") == ["UNSAVED 2 ok"]


def test_the_newest_release_edited_in_wal_mode_is_named_and_replaced(tmp_path: Path, town, adversary) -> None:
    outputs = tmp_path / "outputs"

    def publish(night: int) -> ReleaseResult:
        # the same inputs every night: nothing would be published, were the newest release still what it was
        return publish_release(
            outputs, SITE, {"existing/twin.gpkg": town["existing"]}, {"content": {}}, "aaaaaaaa",
            now=START + timedelta(days=night), keep=3, validate=validate_release,
        )  # fmt: skip

    first = publish(0)
    his = adversary(outputs / SITE / "latest" / "existing" / "twin.gpkg")
    his("edit", 2)
    second = publish(1)
    assert second.published
    assert first.id in second.reason
    assert "existing/twin.gpkg-wal: added" in second.reason
    assert not publish(2).published
    assert validate_geopackage(outputs / SITE / "latest/existing/twin.gpkg") == []
    assert his("read") == ["UNSAVED 2 ok"]
