"""The quick look at tables, held against GDAL's own script on files with one odd value of each kind."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from osgeo_utils.samples import validate_gpkg

from twin.publish.geopackage import write_geopackage
from twin.publish.geopackage_check import _is_plain, standard_problems

ODD = {
    "text in a number": ("buildings", "height", "'high'"),
    "bytes in a text": ("buildings", "name", "x'00ff'"),
    "fraction in a whole number": ("buildings", "floors_above", "2.5"),
    "no date": ("buildings", "approved_on", "'3rd of May'"),
    "a date's number": ("buildings", "approved_on", "20260503"),
    "neither true nor false": ("green", "is_canopy", "7"),
    "text for true": ("green", "is_canopy", "'true'"),
    "bytes in a key": ("parcels", "pnu", "x'41'"),
}


def by_the_script(path):
    told = []
    return validate_gpkg.check(
        str(path), abort_at_first_error=False, extra_checks=True, warning_msg=False, warning_as_error=True, myprint=told.append
    )  # fmt: skip


def plain(path, table):
    with closing(sqlite3.connect(path)) as connection:
        cursor = connection.cursor()
        columns = cursor.execute(f'PRAGMA table_info("{table}")').fetchall()
        return _is_plain(cursor, table, {column[1]: column[2] for column in columns})


def test_a_good_file_is_plain_and_good_for_both(layers, about, tmp_path):
    path = tmp_path / "twin.gpkg"
    write_geopackage(path, layers, about)
    assert standard_problems(path) == by_the_script(path) == []
    assert all(plain(path, name) for name in layers)


@pytest.mark.parametrize("kind", ODD)
def test_one_odd_value_is_named_as_the_script_names_it(kind, layers, about, tmp_path):
    table, column, value = ODD[kind]
    path = tmp_path / "twin.gpkg"
    write_geopackage(path, layers, about)
    with closing(sqlite3.connect(path)) as connection, connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,))
        for (name,) in names.fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute(f'UPDATE "{table}" SET "{column}" = {value} WHERE fid = (SELECT max(fid) FROM "{table}")')  # noqa: S608
    assert not plain(path, table)
    found = standard_problems(path)
    assert found == by_the_script(path)
    assert any(column in text for _, text in found)
