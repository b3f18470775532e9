"""What lies in a GeoPackage that was published: its layers, their columns and where they are, read without touching the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from geodata.catalogue import LAYERS, Layer

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Table:
    """One published layer; ``box`` is (minx, miny, maxx, maxy) [m], None for a table without shapes."""

    layer: Layer
    columns: tuple[str, ...]
    rows: int
    box: Box | None


def tables_of(path: Path, catalogue: Mapping[str, Layer] = LAYERS) -> dict[str, Table]:
    """Return the layers of ``catalogue`` that the GeoPackage ``path`` holds, in the catalogue's order."""
    found: dict[str, Table] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        held = {
            name: box
            for name, *box in connection.execute("SELECT table_name, min_x, min_y, max_x, max_y FROM gpkg_contents")
        }
        for name, layer in catalogue.items():
            if name not in held:
                continue
            there = {row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')}
            rows = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            box = held[name]
            columns = tuple(column for column in layer.names if column in there)
            whole = None if layer.geometry is None or None in box else (box[0], box[1], box[2], box[3])
            found[name] = Table(layer, columns, rows, whole)
    return found
