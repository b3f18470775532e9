"""How long one raised building takes: the district demo's surface, swept once, then again with the edit.

Target: shading in 15 s or less, equal to a full run bit for bit (asserted in ``tests/twin/sky/test_town.py``; here with ``--full``).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks._district import build_district
from benchmarks.sky import machine
from twin.sky.sky_view import AZIMUTHS
from twin.sky.tiles import SurfaceFolder
from twin.sky.town import save_skyline, town_skyline


class Parts:
    """Parts kept in a folder by what they are made from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.filled: list[str] = []

    def __call__(self, name: str, made_from: dict[str, Any], fill: Callable[[Path], None]) -> Path:
        """Return the folder of a part."""
        here = self.folder / name / hashlib.sha256(json.dumps(made_from).encode()).hexdigest()
        if not here.exists():
            here.mkdir(parents=True)
            fill(here)
            self.filled.append(name)
        return here

    def tiles(self) -> int:
        """Return how many tiles were swept since `filled` was emptied."""
        return sum("." not in name and not name.startswith("far") for name in self.filled)


def main(arguments: list[str]) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks edit", description=__doc__)
    parser.add_argument("--size", choices=["town", "district"], default="district")
    parser.add_argument("--full", action="store_true", help="sweep the edited town anew, too, and compare all bytes")
    options = parser.parse_args(arguments)
    print(f"edit: {machine()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        district = build_district(folder, options.size)
        print(f"demo {options.size}: {len(district.planes):,} roof planes, cells of {district.cell_size_m} m")
        surface = district.surface(folder / "before")
        parts = Parts(folder / "parts")

        def run(words: str, of: SurfaceFolder, keep: Parts, out: Path) -> None:
            keep.filled.clear()
            began, busy = time.perf_counter(), time.process_time()
            out.mkdir()
            save_skyline(*town_skyline(district.planes, of, AZIMUTHS, keep), out)
            took, busy = time.perf_counter() - began, time.process_time() - busy
            print(f"  {words:28s} {took:7.1f} s   ({busy:.1f} s of processor time, {keep.tiles()} tiles swept)")

        run("all tiles", surface, parts, folder / "first")
        run("nothing changed", surface, parts, folder / "again")
        began, busy = time.perf_counter(), time.process_time()
        edited = district.surface(folder / "after", district.raised(10.0))
        took, busy = time.perf_counter() - began, time.process_time() - busy
        print(f"  surface built anew           {took:7.1f} s   ({busy:.1f} s of processor time)")
        run("one building 10 m higher", edited, parts, folder / "edited")
        if options.full:
            run("the same from nothing", edited, Parts(folder / "anew"), folder / "full")
            same = all(
                path.read_bytes() == (folder / "full" / path.name).read_bytes()
                for path in sorted((folder / "edited").iterdir())
            )
            print(f"  both equal bit for bit: {'yes' if same else 'NO'}")
