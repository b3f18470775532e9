"""How the catalogue and the store look in Dagster's own words."""

from __future__ import annotations

import base64
from pathlib import Path

import dagster as dg

from geodata.catalogue import Layer


def column_schema(layer: Layer) -> dg.TableSchema:
    """Return Dagster's table schema of a catalogue layer."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=field.name,
                type=field.kind,
                description=f"{field.label('ko')} · {field.label('en')}"
                + (f". {field.about_en}" if field.about_en else ""),
                constraints=dg.TableColumnConstraints(nullable=field.nullable, unique=field.unique),
            )
            for field in layer.fields
        ]
    )


def preview_markdown(picture: Path) -> dg.MarkdownMetadataValue:
    """Return a PNG as metadata that Dagster's pages show as a picture."""
    encoded = base64.b64encode(picture.read_bytes()).decode()
    return dg.MetadataValue.md(f"![map](data:image/png;base64,{encoded})")
