"""The table `run_info`: where every number of a release comes from, as rows that any reader can open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from geodata.inventory import Dataset, Inventory
from geodata.parameters import Parameters
from geodata.site import Site
from geodata.study_area import BOUNDARY_SOURCE

NO_VINTAGE = "2023-09-15"
"""Date of the legal-dong boundaries: the newest input when no file tells its own date."""


def newest_vintage(inventory: Inventory) -> str:
    """Return the newest date among the inputs that are used, ISO 8601; the release's timestamps come from it."""
    return max([d.vintage for d in inventory.datasets if d.vintage], default=NO_VINTAGE)


def run_info(
    site: Site,
    inventory: Inventory,
    *,
    scenario: str,
    accounts: list[Mapping[str, Any]],
    missing: Mapping[str, str],
    notes: Mapping[str, str],
    parameters: Mapping[str, Parameters],
    resource: Mapping[str, Any] | None,
    versions: Mapping[str, str],
) -> pd.DataFrame:
    """Return the rows of `run_info`.

    Parameters
    ----------
    accounts
        One counting equation for each clean source.
    missing
        Absent source to the reason why.
    notes
        What a reader should know, by topic name.
    parameters
        Parameter files by name.
    resource
        Summary of the solar resource and of its correction, or None without weather.
    versions
        Library to version.
    """
    rows: list[dict[str, Any]] = []

    def add(topic: str, name: str, value: Any, **more: Any) -> None:
        rows.append({"topic": topic, "name": name, "value": _text(value), **more})

    add("site", "name", site.name, note="가상 데이터 · demo data" if site.demo else "")
    add("site", "title", f"{site.title.ko} · {site.title.en}")
    add("site", "crs", site.crs)
    add("site", "scenario", scenario)
    add("site", "legal dong boundaries", NO_VINTAGE, source=BOUNDARY_SOURCE)
    used: dict[str, dict[str, Dataset]] = {}
    for dataset in inventory.datasets:
        for part in dataset.parts:
            note = f"{dataset.role}: {dataset.product}" + (f", {dataset.vintage}" if dataset.vintage else "")
            used.setdefault(part.file.path, {})[note] = dataset
    for file in inventory.files:
        found = used.get(file.path, {})
        sources = dict.fromkeys(_source(dataset) for dataset in found.values())
        note = "; ".join(found) or "not used"
        add("input file", file.path, file.sha256, unit="sha256", source=" / ".join(sources), note=note)
    for product in sorted({layer.product for layer in inventory.unused}):
        layers = [layer for layer in inventory.unused if layer.product == product]
        counts = f"{sum(layer.rows for layer in layers):,} records in {len(layers):,} layer(s)"
        add("not used", product, counts, note="recognised, but nothing is made from it")
    for account in accounts:
        counts = ", ".join(f"{k} {v:,}" for k, v in account.items() if k != "source")
        add(
            "account",
            str(account["source"]),
            counts,
            unit="records",
            note="read = outside + published + merged + reasoned",
        )
    for name, why in sorted(missing.items()):
        add("missing", name, why)
    for name, text in sorted(notes.items()):
        add("note", name, text)
    for file_name, records in sorted(parameters.items()):
        for name in records:
            record = records.record(name)
            note = " ".join(part for part in (record.effective, record.note) if part)
            add(
                f"parameter {file_name}",
                name,
                record.value,
                unit=record.unit,
                source=record.source,
                verified=record.verified,
                note=note,
            )
    for name, value in (resource or {}).items():
        add("resource", name, value)
    for name, value in sorted(versions.items()):
        add("software", name, value)
    frame = pd.DataFrame(rows, columns=["topic", "name", "value", "unit", "source", "verified", "note"])
    frame["verified"] = frame["verified"].astype("boolean")
    return frame


def _source(dataset: Dataset) -> str:
    return " · ".join(text for text in (dataset.attribution, dataset.licence) if text)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, dict | list | tuple):
        return (
            ", ".join(f"{k}: {_text(v)}" for k, v in value.items())
            if isinstance(value, dict)
            else ", ".join(map(_text, value))
        )
    return str(value)
