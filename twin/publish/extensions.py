"""The tables of a GeoPackage that GDAL's vector driver leaves to others: labels, constraints, metadata, styles, indices.

Table definitions follow OGC 12-128r17 (GeoPackage 1.3), annexes on the schema and metadata extensions;
`layer_styles` has the columns that QGIS reads and writes.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping

import pandas as pd

from geodata.catalogue import LAYERS, Field, Layer
from twin.publish.about import DEMO, ReleaseAbout
from twin.publish.styles import layer_metadata, layer_styles

JOIN_COLUMNS = ("pnu", "building_id", "dong_code", "block_id")
"""Columns by which layers are joined; each gets an index besides the layer's own key."""

_NOW = "(strftime('%Y-%m-%dT%H:%M:%fZ','now'))"

_TABLES = f"""
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT, constraint_name TEXT,
  CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN,
  max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
  CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
CREATE TABLE gpkg_metadata (
  id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL, md_scope TEXT NOT NULL DEFAULT 'dataset', md_standard_uri TEXT NOT NULL,
  mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT '');
CREATE TABLE gpkg_metadata_reference (
  reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT, row_id_value INTEGER,
  timestamp DATETIME NOT NULL DEFAULT {_NOW}, md_file_id INTEGER NOT NULL, md_parent_id INTEGER,
  CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
  CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id));
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
  f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
  owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT {_NOW});
"""

_EXTENSIONS = (
    ("gpkg_data_columns", "gpkg_schema", "http://www.geopackage.org/spec130/#extension_schema"),
    ("gpkg_data_column_constraints", "gpkg_schema", "http://www.geopackage.org/spec130/#extension_schema"),
    ("gpkg_metadata", "gpkg_metadata", "http://www.geopackage.org/spec130/#extension_metadata"),
    ("gpkg_metadata_reference", "gpkg_metadata", "http://www.geopackage.org/spec130/#extension_metadata"),
)

_QMD_STANDARD = "http://mrcc.com/qgis.dtd"
"""By this name QGIS knows its own layer metadata among all others."""


def write_extensions(
    connection: sqlite3.Connection,
    layers: Mapping[str, pd.DataFrame],
    about: ReleaseAbout,
    catalogue: Mapping[str, Layer] = LAYERS,
) -> None:
    """Add labels, constraints, metadata, styles and attribute indices for ``layers`` to an open GeoPackage.

    ``layers`` are in the order in which they were written, declared by ``catalogue``. Commits.
    """
    connection.execute("PRAGMA foreign_keys = ON")
    connection.executescript(_TABLES)
    connection.executemany("INSERT INTO gpkg_extensions VALUES (?, NULL, ?, ?, 'read-write')", _EXTENSIONS)
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?, 0)",
        (about.instant,),
    )
    _dataset_metadata(connection, [catalogue[name] for name in layers], about)
    for name, frame in layers.items():
        layer = catalogue[name]
        fields = [layer[column] for column in layer.names if column in frame.columns]
        _data_columns(connection, layer, fields, about)
        _metadata(connection, layer, fields, about)
        _styles(connection, layer, frame, about)
        _indices(connection, layer, fields)
    styles = connection.execute("SELECT count(*) FROM layer_styles").fetchone()
    connection.execute("INSERT INTO gpkg_ogr_contents (table_name, feature_count) VALUES ('layer_styles', ?)", styles)
    connection.commit()


def _data_columns(connection: sqlite3.Connection, layer: Layer, fields: list[Field], about: ReleaseAbout) -> None:
    taken: set[str] = set()
    for field in fields:
        korean, english = field.label("ko", unshaded=about.unshaded), field.label("en", unshaded=about.unshaded)
        # the standard wants short names that differ within a table; GDAL shows them as aliases
        name = korean if korean not in taken else f"{korean} [{field.name}]"
        taken.add(name)
        described = " / ".join(text for text in (field.about_ko, field.about_en) if text)
        constraint = _constraint(connection, layer, field)
        connection.execute(
            "INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, ?)",
            (layer.name, field.name, name, f"{korean} / {english}", described or None, constraint),
        )


def _constraint(connection: sqlite3.Connection, layer: Layer, field: Field) -> str | None:
    name = f"{layer.name}_{field.name}"
    insert = "INSERT INTO gpkg_data_column_constraints VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    if field.choices:
        rows = [
            (name, "enum", value, None, None, None, None, f"{choice.ko} / {choice.en}")
            for value, choice in field.choices.items()
        ]
        connection.executemany(insert, rows)
        return name
    if field.minimum is not None and field.maximum is not None:
        connection.execute(insert, (name, "range", None, field.minimum, True, field.maximum, True, None))
        return name
    glob = glob_of(field.pattern) if field.pattern else None
    if glob is not None:
        connection.execute(insert, (name, "glob", glob, None, None, None, None, None))
        return name
    return None


def glob_of(pattern: str) -> str | None:
    """Return the SQLite GLOB that matches what the regular expression ``pattern`` matches.

    Only a chain of bracket classes with fixed counts has one, such as ``^[0-9]{10}[12]$``; anything else gives None.
    """
    if not re.fullmatch(r"\^(\[[0-9A-Za-z-]+\](\{[0-9]+\})?)+\$", pattern):
        return None
    parts = re.findall(r"(\[[0-9A-Za-z-]+\])(?:\{([0-9]+)\})?", pattern)
    return "".join(characters * int(count or 1) for characters, count in parts)


def _dataset_metadata(connection: sqlite3.Connection, layers: list[Layer], about: ReleaseAbout) -> None:
    keywords = ["digital twin", "디지털 트윈", "rooftop solar", "지붕 태양광", "green cover", "녹피율"]
    record = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": [{"@language": "ko", "@value": about.title_ko}, {"@language": "en", "@value": about.title_en}],
        "description": about.lineage,
        "keywords": ([DEMO["ko"], DEMO["en"]] if about.demo else []) + keywords,
        "inLanguage": ["ko", "en"],
        "license": about.rights,
        "dateModified": about.instant,
        "encodingFormat": "application/geopackage+sqlite3",
        "variableMeasured": [f"{layer.name}: {layer.ko} / {layer.en}" for layer in layers],
    }
    _insert_metadata(
        connection,
        ("https://schema.org/Dataset", "application/ld+json", json.dumps(record, ensure_ascii=False)),
        None,
        about,
    )


def _metadata(connection: sqlite3.Connection, layer: Layer, fields: list[Field], about: ReleaseAbout) -> None:
    text = layer_metadata(layer, tuple(field.name for field in fields), about)
    _insert_metadata(connection, (_QMD_STANDARD, "text/xml", text), layer.name, about)


def _insert_metadata(
    connection: sqlite3.Connection, record: tuple[str, str, str], table: str | None, about: ReleaseAbout
) -> None:
    """Add one record of standard, MIME type and text, about ``table`` or about the whole file."""
    cursor = connection.execute(
        "INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata) VALUES ('dataset', ?, ?, ?)", record
    )
    connection.execute(
        "INSERT INTO gpkg_metadata_reference VALUES (?, ?, NULL, NULL, ?, ?, NULL)",
        ("table" if table else "geopackage", table, about.instant, cursor.lastrowid),
    )


def _styles(connection: sqlite3.Connection, layer: Layer, frame: pd.DataFrame, about: ReleaseAbout) -> None:
    for position, (name, description, qml) in enumerate(layer_styles(layer, tuple(frame.columns), about)):
        connection.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML, styleSLD, "
            "useAsDefault, description, owner, ui, update_time) VALUES ('', '', ?, ?, ?, ?, '', ?, ?, '', NULL, ?)",
            (layer.name, "geom" if layer.geometry else "", name, qml, position == 0, description, about.instant),
        )


def _indices(connection: sqlite3.Connection, layer: Layer, fields: list[Field]) -> None:
    for field in fields:
        if field.name == layer.key or field.name in JOIN_COLUMNS:
            unique = "UNIQUE" if field.unique else ""
            # names come from the catalogue alone, never from data
            connection.execute(
                f'CREATE {unique} INDEX "idx_{layer.name}_{field.name}" ON "{layer.name}" ("{field.name}")'
            )
