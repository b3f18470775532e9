"""Releases: immutable folders of published files, and the one called ``latest``.

Order of a publish: stage, validate, flush, rename into ``releases/``, flush, swap the link ``latest``, flush, then
``latest.json``. A reader therefore meets the old release or the new one, whole, whenever the machine stops.
What holds afterwards: ``latest`` is the pinned release, or the newest one if none is pinned; `heal` restores that.
"""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from geodata.errors import InputError
from twin.publish.beside import MakeBeside
from twin.publish.durable import copy_file, freeze_tree, remove_tree, sha256_of, sync, sync_tree, write_json
from twin.publish.errors import PublishError
from twin.publish.site_folder import MANIFEST, SiteFolder, looks_touched, verify_release

SEOUL = ZoneInfo("Asia/Seoul")
NEWEST = "newest"
PATIENCE_S = 600.0
"""How long one run waits for another to end its publish."""

_STAMP = "%Y%m%dT%H%M%S"


@dataclass(frozen=True)
class ReleaseResult:
    """What a publish did: ``published`` is False when the newest release already holds these inputs."""

    id: str
    path: Path
    published: bool
    reason: str
    changes: tuple[str, ...] = ()
    """What changed since the release before, in lines for a person."""


@dataclass(frozen=True)
class Release:
    """One release on the disk."""

    id: str
    path: Path
    published_at: str
    inputs_digest: str
    size_bytes: int
    is_latest: bool
    is_pinned: bool


def publish_release(
    outputs: Path,
    site_name: str,
    files: Mapping[str, Path],
    manifest: Mapping[str, Any],
    inputs_digest: str,
    *,
    now: datetime,
    keep: int,
    validate: Callable[[Path], list[str]],
    expected: Mapping[str, str] | None = None,
    beside: MakeBeside | None = None,
    patience_s: float = PATIENCE_S,
) -> ReleaseResult:
    """Publish ``files`` as a new release of the site, or find that the newest release already holds these inputs.

    A newest release that was altered since is published anew even from the same inputs, and ``reason`` says so.

    Parameters
    ----------
    outputs
        Folder of all sites; the release goes to ``outputs/<site_name>/releases/<id>``.
    files
        Name inside the release, with forward slashes, to the file that is copied there. No two releases share a file on
        the disk, so that whoever alters one release alters that one alone.
    manifest
        Becomes ``manifest.json``, with the keys ``release`` and ``files`` (size and sha256 of each) added.
    inputs_digest
        Digest of all inputs, parameters and code, at least 8 hexadecimal digits.
    now
        Time of publishing, with time zone; the release id tells it in Asia/Seoul.
    keep
        How many releases stay; the current, the one before it and the pinned one always do.
    validate
        Gets the staged folder and returns what is wrong with it; anything refuses the publish.
    expected
        Names to the sha256 that the pinned set of store objects promises; a part that differs refuses the publish.
    beside
        Makes more files from the release before and this one, which are then published like ``files``; what it tells
        becomes the manifest's ``changes``. The release before is the newest that nobody altered, None if there is none.
    patience_s
        How long to wait for another publish of this site, in seconds.

    Raises
    ------
    PublishError
        If a part is missing or differs from ``expected``, validation fails, the disk is full, the folder is not
        writable, or another publish does not end. The last release is untouched.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    if not re.match(r"^[0-9a-f]{8}", inputs_digest):
        raise ValueError(f"inputs_digest must begin with 8 hexadecimal digits, not {inputs_digest[:12]!r}")
    folder = SiteFolder(outputs / site_name)
    with folder.locked(patience_s):
        _heal(folder)
        newest = folder.newest()
        reason, whole = "first release", newest
        if newest is not None:
            altered = verify_release(folder.releases / newest)
            if not altered and folder.manifest(newest)["release"]["inputs_digest"] == inputs_digest:
                reason = f"nothing changed: release {newest} already holds these inputs" + _pin_note(folder, newest)
                return ReleaseResult(newest, folder.releases / newest, False, reason)
            reason = "inputs, parameters or code changed since the release before"
            if altered:
                reason = f"release {newest} was altered after it was published: {'; '.join(altered)}"
                whole = next((n for n in reversed(folder.ids()[:-1]) if not verify_release(folder.releases / n)), None)
        release_id = _release_id(now, inputs_digest, newest)
        told = {
            "id": release_id,
            "published_at": now.astimezone(SEOUL).isoformat(timespec="seconds"),
            "inputs_digest": inputs_digest,
            "previous": newest,
        }
        staging, final = folder.releases / f".staging-{release_id}", folder.releases / release_id
        workshop = folder.releases / f".staging-{release_id}-beside"
        changes: tuple[str, ...] = ()
        try:
            if beside is not None:
                workshop.mkdir()
                made = beside(folder.releases / whole if whole else None, release_id, files, workshop)
                files, changes = {**files, **made.files}, made.lines
                manifest = {**manifest, "changes": made.told}
            digests = _stage(folder, staging, files, expected or {})
            _write_manifest(staging, digests, manifest, told)
            _refuse_invalid(validate(staging), site_name)
            if workshop.exists():
                remove_tree(workshop)
            sync_tree(staging)
            freeze_tree(staging)
            staging.rename(final)
            sync(folder.releases)
            if folder.pinned() is None:
                folder.point_latest(release_id)
        except BaseException:
            for half in (workshop, staging, final):
                if half.exists() and folder.latest() != release_id:
                    remove_tree(half)
            raise
        folder.tell()
        _prune(folder, keep)
        return ReleaseResult(release_id, final, True, reason + _pin_note(folder, release_id), changes)


def list_releases(outputs: Path, site_name: str) -> list[Release]:
    """Return all releases of a site, newest first."""
    folder = SiteFolder(outputs / site_name)
    latest, pinned = folder.latest(), folder.pinned()
    found = []
    for name in reversed(folder.ids()):
        record = folder.manifest(name)
        found.append(
            Release(
                id=name,
                path=folder.releases / name,
                published_at=record["release"]["published_at"],
                inputs_digest=record["release"]["inputs_digest"],
                size_bytes=sum(entry["size"] for entry in record["files"].values()),
                is_latest=name == latest,
                is_pinned=name == pinned,
            )
        )
    return found


def use_release(outputs: Path, site_name: str, release_id: str, *, patience_s: float = PATIENCE_S) -> Release:
    """Make ``latest`` the release ``release_id`` and pin it there; ``newest`` lets it follow the newest again.

    While a release is pinned, nightly runs still publish new ones but leave ``latest`` where it is.

    Raises
    ------
    InputError
        If there is no such release, or its files are not what was published.
    """
    folder = SiteFolder(outputs / site_name)
    if not folder.ids():
        raise InputError(f"site {site_name} has no releases in {folder.releases}. Publish one first with: twin run")
    with folder.locked(patience_s):
        _heal(folder)
        known = folder.ids()
        wanted = known[-1] if release_id == NEWEST else release_id
        if wanted not in known:
            listed = ", ".join(reversed(known))
            raise InputError(
                f"site {site_name} has no release {release_id!r} in {folder.releases}. Choose one of: {NEWEST}, {listed}"
            )
        altered = verify_release(folder.releases / wanted)
        if altered:
            raise InputError(
                f"release {wanted} was altered after it was published and cannot be used: {'; '.join(altered)}. Choose another"
            )
        if release_id == NEWEST:
            folder.unpin()
        else:
            folder.pin(wanted)
        folder.point_latest(wanted)
        folder.tell()
    return next(release for release in list_releases(outputs, site_name) if release.id == wanted)


def find_release(outputs: Path, site_name: str, name: str) -> Path:
    """Return the folder of a release: by its id, as ``latest``, or as ``previous``, the one before latest.

    Raises
    ------
    InputError
        If there is no such release.
    """
    folder = SiteFolder(outputs / site_name)
    known, latest = folder.ids(), folder.latest()
    if name == "latest" and latest in known:
        return folder.releases / str(latest)
    if name == "previous" and latest in known[1:]:
        return folder.releases / known[known.index(str(latest)) - 1]
    if name not in known:
        listed = ", ".join(["latest", "previous", *reversed(known)]) if known else "twin run"
        raise InputError(
            f"site {site_name} has no release {name!r} in {folder.releases} · 그런 릴리스가 없습니다. Choose one of: {listed}"
        )
    return folder.releases / name


def verify_latest(outputs: Path, site_name: str) -> list[str]:
    """Return which files of ``latest`` were altered, are missing or were added since they were published."""
    folder = SiteFolder(outputs / site_name)
    name = folder.latest()
    if name is None:
        return []
    found = verify_release(folder.releases / name)
    told = folder.told()
    if (
        not found
        and told.get("release") == name
        and told["manifest_sha256"] != sha256_of(folder.releases / name / MANIFEST)
    ):
        found.append(f"{MANIFEST}: altered")
    return found


def altered_releases(outputs: Path, site_name: str) -> list[str]:
    """Return what was altered in any release of a site, each finding with the release's id, oldest first.

    A release whose files still have their sizes, modes and times is taken to be whole without reading it; the newest is
    read byte by byte when the next one is published.
    """
    folder = SiteFolder(outputs / site_name)
    return [
        f"{name}: {finding}"
        for name in folder.ids()
        if looks_touched(folder.releases / name)
        for finding in verify_release(folder.releases / name)
    ]


def heal(outputs: Path, site_name: str, *, patience_s: float = PATIENCE_S) -> list[str]:
    """Finish or undo what a stopped publish left behind, and tell what was done; called at every start.

    Leftover staging folders go; ``latest`` and ``latest.json`` are brought to the release they belong to.
    """
    folder = SiteFolder(outputs / site_name)
    if not folder.root.is_dir():
        return []
    with folder.locked(patience_s):
        return _heal(folder)


def _heal(folder: SiteFolder) -> list[str]:
    done = []
    for leftover in sorted([*folder.releases.glob(".staging-*"), *folder.releases.glob(".removing-*")]):
        remove_tree(leftover)
        done.append(f"removed {leftover.name}, left by a run that was stopped")
    for leftover in sorted(folder.root.glob(".*-new")):
        leftover.unlink()
    known, pinned = folder.ids(), folder.pinned()
    if pinned is not None and pinned not in known:
        folder.unpin()
        done.append(f"the pinned release {pinned} no longer exists; latest follows the newest again")
        pinned = None
    if not known:
        return done
    wanted = pinned or known[-1]
    if folder.latest() != wanted:
        folder.point_latest(wanted)
        done.append(f"latest now points to {wanted}")
    told = folder.told()
    if told.get("release") != wanted or told.get("pinned") != pinned:
        folder.tell()
        done.append("latest.json was behind and is written anew")
    return done


def _stage(folder: SiteFolder, staging: Path, files: Mapping[str, Path], expected: Mapping[str, str]) -> dict[str, str]:
    """Copy all files into ``staging`` and return the sha256 of each, taken from the copy."""
    staging.mkdir()
    needed = 0
    for name, source in files.items():
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts or name == MANIFEST:
            raise ValueError(f"{name!r} cannot be the name of a file inside a release")
        if not source.is_file():
            raise PublishError(
                f"part {name} of the release does not exist: {source}. Run the whole job again to rebuild it"
            )
        needed += source.stat().st_size
    free = shutil.disk_usage(folder.root).free
    if needed > free:
        raise OSError(errno.ENOSPC, f"{needed:,} bytes are needed, {free:,} are free")
    digests: dict[str, str] = {}
    for name, source in sorted(files.items()):
        target = staging / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # never a hard link to the release before: a planner who had that file open would go on writing into this one
        copy_file(source, target)
        digests[name] = sha256_of(target)
        # what a run has built is known by its hash; of what was made just now only the file itself can tell
        if digests[name] != (expected.get(name) or sha256_of(source)):
            raise PublishError(
                f"part {name} of the release is not the one this run built: {source}. Run the whole job again"
            )
    return digests


def _write_manifest(
    staging: Path, digests: Mapping[str, str], manifest: Mapping[str, Any], told: Mapping[str, Any]
) -> None:
    files = {
        name: {"size": (staging / name).stat().st_size, "sha256": digest} for name, digest in sorted(digests.items())
    }
    write_json(staging / MANIFEST, {**manifest, "files": files, "release": dict(told)})


def _refuse_invalid(found: list[str], site_name: str) -> None:
    if found:
        listed = "\n  ".join(found[:20])
        raise PublishError(
            f"site {site_name}: the new release does not pass validation ({len(found)} findings). Nothing was published and the "
            f"last release is untouched; correct what is named here and run again:\n  {listed}"
        )


def _prune(folder: SiteFolder, keep: int) -> None:
    names, latest = folder.ids(), folder.latest()
    kept = {*names[-max(keep, 2) :], latest, folder.pinned()}
    if latest in names and names.index(latest) > 0:
        kept.add(names[names.index(latest) - 1])
    for name in names:
        if name not in kept:
            # first out of sight, then gone: a release is never seen half deleted
            dying = folder.releases / f".removing-{name}"
            (folder.releases / name).rename(dying)
            remove_tree(dying)


def _pin_note(folder: SiteFolder, release_id: str) -> str:
    pinned = folder.pinned()
    return f"; latest stays at the pinned release {pinned}" if pinned not in (None, release_id) else ""


def _release_id(now: datetime, inputs_digest: str, newest: str | None) -> str:
    stamp = now.astimezone(SEOUL).replace(tzinfo=None, microsecond=0)
    if newest is not None:
        # ids must rise even when the clock was set back, because their order tells which release is newer
        stamp = max(stamp, datetime.strptime(newest.split("-")[0], _STAMP) + timedelta(seconds=1))
    return f"{stamp:{_STAMP}}-{inputs_digest[:8]}"
