"""GDAL's check of a GeoPackage, told at once of tables whose every value is of the kind that its column declares.

GDAL's script looks at each value in Python. SQLite itself can tell that no value is of another kind than declared; of such a
table the script has nothing to find. A table with a single odd value is left to the script, which then names it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from osgeo_utils.samples.validate_gpkg import GPKGChecker

_ODD = {
    "INTEGER": "typeof({0}) NOT IN ('integer', 'null')",
    "REAL": "typeof({0}) NOT IN ('real', 'null')",
    "TEXT": "typeof({0}) NOT IN ('text', 'null')",
    "BLOB": "typeof({0}) NOT IN ('blob', 'null')",
    "BOOLEAN": "{0} IS NOT NULL AND (typeof({0}) <> 'integer' OR {0} NOT IN (0, 1))",
    "DATE": "{0} IS NOT NULL AND (typeof({0}) <> 'text' OR {0} NOT GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]*')",
}
"""SQL that is true of a value in which the script finds something, by the declared type of its column."""
_ODD |= dict.fromkeys((*GPKGChecker.BASE_GEOM_TYPES, *GPKGChecker.EXT_GEOM_TYPES), _ODD["BLOB"])


class _Checker(GPKGChecker):
    def _check_user_table_content(self, c: sqlite3.Cursor, table_name: str, cols: list[tuple[object, ...]]) -> None:
        if not _is_plain(c, table_name, {str(column[1]): str(column[2]) for column in cols}):
            super()._check_user_table_content(c, table_name, cols)


def standard_problems(path: Path) -> list[tuple[int | None, str]]:
    """Return where ``path`` fails the standard, its extra checks included and warnings as errors: requirement and text.

    Raises
    ------
    Exception
        The script breaks down in many ways on a damaged file.
    """
    checker = _Checker(
        str(path), abort_at_first_error=False, extra_checks=True, warning_msg=False, warning_as_error=True, myprint=[].append
    )  # fmt: skip
    checker.check()
    found: list[tuple[int | None, str]] = checker.errors
    return found


def _is_plain(cursor: sqlite3.Cursor, table: str, declared: dict[str, str]) -> bool:
    """Tell whether each value of ``table`` is of the kind that its column declares, by columns and their types."""
    if not declared or not set(declared.values()) <= _ODD.keys():
        return False
    odd = [_ODD[kind].format(_quoted(column)) for column, kind in declared.items()]
    cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {_quoted(table)} WHERE {' OR '.join(odd)})")  # noqa: S608
    return not cursor.fetchone()[0]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
