"""Which rows of a layer two GeoPackages do not hold alike, told by SQLite, so that only these are read and compared."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pyogrio

from geodata.catalogue.model import Layer

_ROW_NUMBER = "fid"


def read_differing(layer: Layer, before: Path, after: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of ``layer`` that are not the same bytes in both files, of the one before and of the one after.

    Rows are told apart by the layer's key; where it is not one row's own, and of a layer without key, all rows are returned.
    Columns that only one of the files has do not count.
    """
    numbers = _differing(layer, before, after)
    return _read(before, layer.name, None if numbers is None else numbers[0]), _read(
        after, layer.name, None if numbers is None else numbers[1]
    )


def _read(path: Path, layer: str, numbers: list[int] | None) -> pd.DataFrame:
    if numbers is None:
        return pyogrio.read_dataframe(path, layer=layer)
    if not numbers:
        return pyogrio.read_dataframe(path, layer=layer, max_features=1).iloc[:0]
    return pyogrio.read_dataframe(path, layer=layer, fids=numbers)


def _differing(layer: Layer, before: Path, after: Path) -> tuple[list[int], list[int]] | None:
    if layer.key is None:
        return None
    with closing(sqlite3.connect(f"file:{before}?mode=ro&immutable=1", uri=True)) as connection:
        connection.execute("ATTACH ? AS after", (f"file:{after}?mode=ro&immutable=1",))
        tables = [f"{schema}.{_quoted(layer.name)}" for schema in ("main", "after")]
        columns = [
            {row[1] for row in connection.execute(f"PRAGMA {schema}.table_info({_quoted(layer.name)})")}
            for schema in ("main", "after")
        ]
        shared = columns[0] & columns[1]
        if not {layer.key, _ROW_NUMBER} <= shared:
            return None
        key = _quoted(layer.key)
        for table in tables:
            rows, names = connection.execute(f"SELECT count(*), count(DISTINCT {key}) FROM {table}").fetchone()  # noqa: S608
            if rows != names:
                return None
        differs = " OR ".join(f"a.{c} IS NOT b.{c}" for c in map(_quoted, sorted(shared - {_ROW_NUMBER, layer.key})))
        one, other = (
            [
                int(number)
                for (number,) in connection.execute(
                    f"SELECT a.{_ROW_NUMBER} FROM {mine} a LEFT JOIN {theirs} b ON a.{key} = b.{key} "  # noqa: S608
                    f"WHERE b.{key} IS NULL OR {differs or '0'} ORDER BY a.{_ROW_NUMBER}"
                )
            ]
            for mine, theirs in (tables, tables[::-1])
        )
    return one, other


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
