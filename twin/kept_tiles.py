"""Raster tiles that are kept from run to run: an edit makes only those anew whose ground it touches."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from twin.sky.town import Keep

Told = dict[str, Any] | None
"""What is told of a tile beside its rasters, as JSON holds it; None where there is no such tile."""

_TOLD = "told.json"


def made_tile(name: str, make: Callable[[Path], Told], out: Path, keep: Keep | None, made_from: dict[str, Any]) -> Told:
    """Make the rasters of one tile below ``out``, or take them from where they are kept; return what is told of it.

    Parameters
    ----------
    make
        Writes the rasters below a folder, under the names that they have below ``out``; none where it tells None.
    keep
        Where tiles are kept; None makes them whatever there is.
    made_from
        Everything that the tile depends on.
    """
    if keep is None:
        return make(out)

    def fill(folder: Path) -> None:
        (folder / _TOLD).write_text(json.dumps(make(folder)), encoding="utf-8")

    kept = keep(name, made_from, fill)
    for path in sorted(kept.rglob("*.tif")):
        target = out / path.relative_to(kept)
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(path, target)
    told: Told = json.loads((kept / _TOLD).read_text(encoding="utf-8"))
    return told


def _link(source: Path, target: Path) -> None:
    """Give a file that nobody writes to any more a second name; its bytes once more where the file system cannot."""
    try:
        os.link(source, target)
    except OSError:
        target.write_bytes(source.read_bytes())


class ShapeHashes:
    """Hashes over some of many shapes, each with numbers of its own."""

    def __init__(self, shapes: npt.ArrayLike, *numbers: np.ndarray) -> None:
        self._wkb = shapely.to_wkb(np.asarray(shapes, dtype=object))
        self._numbers = numbers

    def of(self, which: np.ndarray) -> str:
        """Return the sha256 over the shapes at the positions ``which``, in that order."""
        digest = hashlib.sha256()
        for place in which.tolist():
            digest.update(self._wkb[place] or b"none")
        for values in self._numbers:
            digest.update(np.ascontiguousarray(values[which]).tobytes())
        return digest.hexdigest()


def file_hash(path: Path | None) -> str | None:
    """Return the sha256 of a file, or None where there is none."""
    if path is None:
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
