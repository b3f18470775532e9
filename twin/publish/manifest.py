"""The manifest of a release: what is in it, what it was made from, and what a reader must know before using it.

Everything under ``content`` follows from inputs, parameters, code and lock file. Times and the identity of the release
stand apart under ``release``, sizes and hashes under ``files``; `twin.publish.release` adds both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from geodata.catalogue import PUBLISHED
from geodata.catalogue.model import UNSHADED
from geodata.inventory import Inventory
from geodata.parameters import Parameters
from geodata.site import Site
from twin.publish.about import DEMO

MANIFEST_VERSION = 1


def build_manifest(
    site: Site,
    records: Mapping[str, Mapping[str, Any]],
    summary: Sequence[str],
    versions: Mapping[str, str],
    *,
    inventory: Inventory,
    parameters: Mapping[str, Parameters],
    geopackages: Mapping[str, Path],
    comparison: Path | None = None,
) -> dict[str, Any]:
    """Return the manifest of a release, without the times and hashes that publishing adds.

    Parameters
    ----------
    records
        Asset key to ``digest``, ``content``, ``inputs`` and ``metadata`` of the stored object that was used. Of the
        metadata, ``account`` is the counting equation of a source and ``absent`` says why a result does not exist.
    summary
        Lines that a person reads first.
    versions
        Library to version.
    inventory
        What lay in the inbox.
    parameters
        Parameter files by name.
    geopackages
        Scenario to its GeoPackage, which is read for rows and columns.
    comparison
        The GeoPackage of plans against the present; None where ``missing`` says why there is none.
    """
    scenarios = {scenario: {"layers": describe_geopackage(path)} for scenario, path in geopackages.items()}
    missing = {
        asset: record["metadata"]["absent"]
        for asset, record in sorted(records.items())
        if record["metadata"].get("absent")
    }
    resource = _resource(records)
    content = {
        "site": site.name,
        "title": site.title.model_dump(),
        "crs": site.crs,
        "demo": site.demo,
        "summary": list(summary),
        "scenarios": scenarios,
        "comparison": {"layers": describe_geopackage(comparison)} if comparison is not None else None,
        "sources": _sources(inventory),
        "unused_files": [file.model_dump() for file in inventory.files if file.path not in _used(inventory)],
        "problems": [problem.model_dump() for problem in inventory.problems],
        "accounts": [
            dict(record["metadata"]["account"])
            for _, record in sorted(records.items())
            if record["metadata"].get("account")
        ],
        "missing": missing,
        "resource": resource,
        "parameters": {name: values.as_dict() for name, values in sorted(parameters.items())},
        "known_gaps": _known_gaps(site, records, parameters, scenarios),
        "objects": {
            asset: {key: record[key] for key in ("digest", "content", "inputs")}
            for asset, record in sorted(records.items())
        },
        "versions": dict(sorted(versions.items())),
    }
    return {"manifest_version": MANIFEST_VERSION, "content": content}


def describe_geopackage(path: Path) -> dict[str, Any]:
    """Return rows, geometry type and columns of every layer of a GeoPackage, in the order of the catalogue."""
    found: dict[str, Any] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        held = {name for (name,) in connection.execute("SELECT table_name FROM gpkg_contents")}
        for name, layer in PUBLISHED.items():
            if name not in held:
                continue
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
            rows = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            unshaded = _is_unshaded(connection, name)
            found[name] = {
                "ko": layer.ko,
                "en": layer.en,
                "rows": rows,
                "geometry": layer.geometry,
                "key": layer.key,
                "unshaded": unshaded,
                "columns": [
                    {
                        "name": field.name,
                        "kind": field.kind,
                        "unit": field.unit,
                        "decimals": field.decimals,
                        "ko": field.label("ko", unshaded=unshaded),
                        "en": field.label("en", unshaded=unshaded),
                    }
                    for field in layer.fields
                    if field.name in columns
                ],
            }
    return found


def _is_unshaded(connection: sqlite3.Connection, table: str) -> bool:
    """Read off the published labels themselves whether they say "unshaded"."""
    row = connection.execute(
        "SELECT count(*) FROM gpkg_data_columns WHERE table_name = ? AND title LIKE ?", (table, f"%{UNSHADED['ko']}%")
    ).fetchone()
    return bool(row[0])


def _missing(records: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {asset: why for asset, record in sorted(records.items()) if (why := record["metadata"].get("absent"))}


def _resource(records: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Summary of the solar resource: the metadata of the one asset of that name."""
    return next(
        (dict(record["metadata"]) for asset, record in sorted(records.items()) if asset.endswith("/resource")), {}
    )


def _used(inventory: Inventory) -> set[str]:
    return {part.file.path for dataset in inventory.datasets for part in dataset.parts}


def _sources(inventory: Inventory) -> list[dict[str, Any]]:
    return [
        {
            "role": dataset.role,
            "product": dataset.product,
            "vintage": dataset.vintage,
            "licence": dataset.licence,
            "attribution": dataset.attribution,
            "rows": sum(part.rows for part in dataset.parts),
            "crs": sorted({part.crs for part in dataset.parts if part.crs}),
            "encoding": sorted({part.encoding for part in dataset.parts if part.encoding}),
            "files": [
                file.model_dump() for file in sorted({part.file for part in dataset.parts}, key=lambda file: file.path)
            ],
        }
        for dataset in inventory.datasets
    ]


def _known_gaps(
    site: Site,
    records: Mapping[str, Mapping[str, Any]],
    parameters: Mapping[str, Parameters],
    scenarios: Mapping[str, Any],
) -> list[dict[str, str]]:
    """Return what a reader must not take this release for, in both languages."""
    gaps = []
    if site.demo:
        gaps.append({"ko": f"{DEMO['ko']}이며 실제가 아니다.", "en": f"{DEMO['en'].capitalize()}, not reality."})
    if any(layer["unshaded"] for scenario in scenarios.values() for layer in scenario["layers"].values()):
        gaps.append(
            {
                "ko": f"발전량과 일사량은 {UNSHADED['ko']} 값이다: 주변 건물과 지형의 그늘이 빠져 있다.",
                "en": "Yields and irradiation are unshaded: shade from buildings and terrain is not part of them.",
            }
        )
    resource = _resource(records)
    if resource and not resource.get("absent") and resource.get("corrected") is False:
        gaps.append(
            {
                "ko": "일사량을 관측 평년값으로 보정하지 않았다.",
                "en": "The solar resource is not corrected to a measured station normal.",
            }
        )
    if any(record["metadata"].get("district_known") is False for record in records.values()):
        gaps.append(
            {
                "ko": "사업지구 경계를 몰라 합계는 법정동 기준이다.",
                "en": "The project boundary is unknown, so totals are told for legal dongs, not for the district.",
            }
        )
    gaps += [
        {"ko": f"없는 자료: {asset}", "en": f"Missing: {asset}: {why}"} for asset, why in _missing(records).items()
    ]
    unverified = [
        f"{file}: {name}"
        for file, values in sorted(parameters.items())
        for name in values
        if not values.record(name).verified
    ]
    if unverified:
        listed = ", ".join(unverified)
        gaps.append({"ko": f"확인되지 않은 매개변수: {listed}", "en": f"Parameters that were not verified: {listed}"})
    return gaps
