"""The files of a release that tell what changed, made when it is published; see `twin.publish.beside`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pandas as pd

from geodata.catalogue.changes import CHANGE_LAYERS
from twin.publish.about import ReleaseAbout
from twin.publish.beside import Beside
from twin.publish.changes.history import HISTORY, PLOT, carry_forward, indicator_rows, write_history
from twin.publish.changes.page import changes_page, summary_lines
from twin.publish.changes.tables import compare_geopackages
from twin.publish.geopackage import write_geopackage

CHANGES = "changes.gpkg"
PAGE = "changes.html"
FIRST = "첫 릴리스: 비교할 이전 릴리스 없음 · first release: none before it to compare with"


def make_beside(
    before: Path | None, release_id: str, files: Mapping[str, Path], folder: Path, *, about: ReleaseAbout
) -> Beside:
    """Write what changed since the release ``before``, and the indicators of all releases up to this one.

    The bytes depend on both releases and their ids alone. A first release has neither `changes.gpkg` nor the page.
    """
    after = {name.split("/")[0]: path for name, path in files.items() if name.endswith("/twin.gpkg")}
    rows = indicator_rows(release_id, after)
    made = {name: folder / name for name in (HISTORY, PLOT)}
    for path in made.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    if before is None:
        write_history(rows, made[HISTORY], made[PLOT])
        return Beside(made, {"against": None, "summary": [FIRST]}, (FIRST,))
    held = scenario_geopackages(before)
    rows_before = indicator_rows(before.name, held)
    earlier = pd.read_parquet(before / HISTORY) if (before / HISTORY).is_file() else rows_before
    write_history(carry_forward(earlier, rows), made[HISTORY], made[PLOT])
    tables = compare_geopackages(held, after, about.crs)
    made |= {CHANGES: folder / CHANGES, PAGE: folder / PAGE}
    write_geopackage(made[CHANGES], tables, about, CHANGE_LAYERS)
    page = changes_page(tables, rows_before, rows, about, (before.name, release_id))
    made[PAGE].write_text(page, encoding="utf-8")
    lines = summary_lines(tables, before.name)
    told = {"against": before.name, "summary": lines, "layers": {name: len(t) for name, t in tables.items()}}
    return Beside(made, told, tuple(lines))


def scenario_geopackages(release: Path) -> dict[str, Path]:
    """Return scenario to GeoPackage of a published release."""
    return {path.parent.name: path for path in sorted(release.glob("*/twin.gpkg"))}


def published_instant(geopackages: Mapping[str, Path]) -> str:
    """Return the instant that published GeoPackages carry, which is that of their newest input; ISO 8601."""
    found = []
    for path in geopackages.values():
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
            found.append(connection.execute("SELECT max(last_change) FROM gpkg_contents").fetchone()[0])
    return str(max(found))
