"""A mirror of the store on any file system that fsspec knows, so that machines share work that was done once.

Work stays on the local disk, where renames, locks and hashing are cheap; an object that is not there is looked for in the
mirror before it is built, and a new one is put there. An object is one tar file, ``<asset>/<digest>.tar``. What comes from the
mirror is verified like everything that is read from the store; a damaged object is built again and replaced. A mirror
that cannot be reached never stops a night: it is told in the log and the work is done here. Who can write to the mirror is
trusted as much as who can write to the state folder.
"""

from __future__ import annotations

import logging
import os
import shutil
import tarfile
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec

from geodata.errors import InputError
from geodata.site import Site
from pipelines.store import Store, StoredObject

_log = logging.getLogger(__name__)


def open_store(site: Site, root: Path) -> Store:
    """Return the store of ``site`` below ``root``, with its mirror where the site file names one.

    Raises
    ------
    InputError
        If the mirror's file system is unknown or its driver is not installed.
    """
    return Store(root) if site.compute.mirror is None else MirroredStore(root, f"{site.compute.mirror}/{site.name}")


class MirroredStore(Store):
    """A store with a mirror at ``url``."""

    def __init__(self, root: Path, url: str) -> None:
        super().__init__(root)
        try:
            self.files, self.base = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise InputError(
                f"compute.mirror {url!r}: {error}. Give an fsspec address such as file:///mnt/share/twin or s3://bucket/twin, "
                "and install its driver into the environment"
            ) from error

    def _build(
        self,
        asset: str,
        digest: str,
        inputs: dict[str, str],
        code_version: str,
        build: Callable[[Path], dict[str, Any]],
    ) -> StoredObject:
        pulled = self._pulled(asset, digest, self._folder(asset) / digest)
        if pulled is not None:
            return pulled
        built = super()._build(asset, digest, inputs, code_version, build)
        self._push(built)
        return built

    def _place(self, asset: str, digest: str) -> str:
        return f"{self.base}/{asset.replace('/', '.')}/{digest}.tar"

    def _pulled(self, asset: str, digest: str, final: Path) -> StoredObject | None:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".pulling-", dir=final.parent))
        try:
            with self.files.open(self._place(asset, digest), "rb") as stream, tarfile.open(fileobj=stream) as archive:
                # refuses links and paths that lead out of the folder
                archive.extractall(temporary, filter="data")
            self._take_place(temporary, final)
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001, RUF100 - drivers raise what they like, and none of it may stop a night
            _log.warning("%s: not taken from the mirror, built here (%s: %s)", asset, type(error).__name__, error)
            return None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        found = self._read(asset, digest)
        if found is None:
            _log.warning("%s: damaged in the mirror, built here", asset)
        return found

    def _push(self, built: StoredObject) -> None:
        place = self._place(built.asset, built.digest)
        aside = f"{place}.{uuid.uuid4().hex}.part"
        try:
            self.files.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH120 - a key of any file system
            with self.files.open(aside, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
                for path in sorted(built.folder.rglob("*")):
                    archive.add(path, arcname=path.relative_to(built.folder).as_posix(), recursive=False)
            # a reader never sees half an object
            self.files.mv(aside, place)
        except Exception as error:  # noqa: BLE001, RUF100 - as above
            _log.warning("%s: not put into the mirror (%s: %s)", built.asset, type(error).__name__, error)
