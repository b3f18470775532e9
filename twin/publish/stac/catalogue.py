"""Writes the STAC catalogue of a release: a catalogue, its collection, and one item for each scenario.

All links are relative, so that the folder can be moved. Times are those of the inputs and of the release itself; the
same release gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import shapely

from twin.publish.about import DEMO
from twin.publish.beside import Beside, MakeBeside
from twin.publish.stac.assets import asset, is_part, scenario_of
from twin.publish.stac.facts import Facts

CATALOGUE = "catalog.json"
COLLECTION = "stac/collection.json"
ITEM = "stac/items/{scenario}.json"
VERSION = "1.1.0"
EXTENSIONS = (
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
)
_SIMPLER_M = 5.0
"""How far the outline of the town may leave its boundary; it is there to find the town, not to measure it."""


def with_catalogue(make: MakeBeside, facts: Facts) -> MakeBeside:
    """Return ``make`` with the catalogue of the release added to the files that it makes."""

    def both(before: Path | None, release_id: str, files: Mapping[str, Path], folder: Path) -> Beside:
        made = make(before, release_id, files, folder)
        catalogue = write_catalogue(folder, release_id, {**files, **made.files}, facts)
        return Beside({**made.files, **catalogue}, made.told, made.lines)

    return both


def write_catalogue(folder: Path, release_id: str, files: Mapping[str, Path], facts: Facts) -> dict[str, Path]:
    """Write the catalogue of ``files``, names inside the release to files, below ``folder``; return its own files by name."""
    title = f"{facts.about.title_ko} / {facts.about.title_en}" + _mark(facts)
    contents: dict[str, dict[str, Any]] = {CATALOGUE: _catalogue(release_id, title, facts)}
    items = {scenario: _item(scenario, release_id, title, files, facts) for scenario in facts.scenarios}
    contents |= {ITEM.format(scenario=scenario): item for scenario, item in items.items()}
    contents[COLLECTION] = _collection(title, files, items, facts)
    made = {name: folder / name for name in sorted(contents)}
    for name, path in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(contents[name], ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return made


def _mark(facts: Facts) -> str:
    return f" ({DEMO['ko']} / {DEMO['en']})" if facts.about.demo else ""


def _description(facts: Facts) -> str:
    return "\n\n".join([*facts.summary, facts.about.rights, facts.about.lineage])


def _catalogue(release_id: str, title: str, facts: Facts) -> dict[str, Any]:
    return {
        "type": "Catalog",
        "stac_version": VERSION,
        "id": f"{facts.site}-{release_id}",
        "title": title,
        "description": _description(facts),
        "links": [
            {"rel": "root", "href": f"./{CATALOGUE}", "type": "application/json"},
            {"rel": "child", "href": f"./{COLLECTION}", "type": "application/json", "title": title},
        ],
    }


def _collection(
    title: str, files: Mapping[str, Path], items: Mapping[str, dict[str, Any]], facts: Facts
) -> dict[str, Any]:
    boxes = pd.DataFrame([item["bbox"] for item in items.values()])
    first = next(iter(items.values()))["properties"]
    shared = [name for name in sorted(files) if scenario_of(name, list(facts.scenarios)) is None and not is_part(name)]
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "stac_extensions": list(EXTENSIONS),
        "id": facts.site,
        "title": title,
        "description": _description(facts),
        "keywords": ["신도시", "태양광", "녹피율", "디지털 트윈", "new town", "rooftop solar", "green cover", "digital twin"],
        "license": "other",
        "providers": _providers(facts),
        "extent": {
            "spatial": {"bbox": [[*boxes[[0, 1]].min().tolist(), *boxes[[2, 3]].max().tolist()]]},
            "temporal": {"interval": [[first["start_datetime"], first["end_datetime"]]]},
        },
        "summaries": {"scenario": list(facts.scenarios), "proj:code": [facts.about.crs]},
        "assets": {name: asset(name, files[name], None, up="../", known=facts.known) for name in shared},
        "links": [
            {"rel": "root", "href": f"../{CATALOGUE}", "type": "application/json"},
            {"rel": "parent", "href": f"../{CATALOGUE}", "type": "application/json"},
            *_terms("../"),
            *(
                {
                    "rel": "item",
                    "href": f"./items/{scenario}.json",
                    "type": "application/geo+json",
                    "title": item["properties"]["title"],
                }
                for scenario, item in items.items()
            ),
        ],
    }  # fmt: skip


def _item(scenario: str, release_id: str, title: str, files: Mapping[str, Path], facts: Facts) -> dict[str, Any]:
    outline = _outline(files[f"geoparquet/{scenario}/districts.parquet"])
    own = [name for name in sorted(files) if scenario_of(name, list(facts.scenarios)) == scenario and not is_part(name)]
    start, end = _interval(facts, release_id)
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": list(EXTENSIONS),
        "id": f"{facts.site}-{release_id}-{scenario}",
        "collection": facts.site,
        "geometry": json.loads(shapely.to_geojson(outline)),
        "bbox": shapely.bounds(outline).tolist(),
        "properties": {
            "title": f"{title} · {facts.scenarios[scenario]}",
            "datetime": None,
            "start_datetime": start,
            "end_datetime": end,
            "created": _utc(published_at(release_id)),
            "scenario": scenario,
            "license": "other",
            "providers": _providers(facts),
            "proj:code": facts.about.crs,
        },
        "assets": {name: asset(name, files[name], scenario, up="../../", known=facts.known) for name in own},
        "links": [
            {"rel": "root", "href": f"../../{CATALOGUE}", "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
            *_terms("../../"),
        ],
    }


def _terms(up: str) -> list[dict[str, str]]:
    """Return links to the terms of each source, which the manifest tells."""
    text = "원자료별 이용조건: content.sources / Terms of each source"
    return [{"rel": "license", "href": f"{up}manifest.json", "type": "application/json", "title": text}]


def _providers(facts: Facts) -> list[dict[str, Any]]:
    return [{"name": p.name, "description": p.description, "roles": list(p.roles)} for p in facts.providers]


def _outline(districts: Path) -> shapely.Geometry:
    """Return the outline of all legal dongs in longitude and latitude, to about a centimetre."""
    rows = gpd.read_parquet(districts, columns=["kind", "geometry"])
    whole = rows.loc[rows["kind"] == "legal_dong"].geometry.union_all().simplify(_SIMPLER_M)
    outline = gpd.GeoSeries([whole], crs=rows.crs).to_crs("EPSG:4326").iloc[0]
    return shapely.set_precision(shapely.orient_polygons(outline), 1e-7)


def published_at(release_id: str) -> datetime:
    """Return when the release ``release_id`` was published; its name tells the time in Asia/Seoul."""
    stamp = datetime.strptime(release_id[:15], "%Y%m%dT%H%M%S")
    return stamp.replace(tzinfo=ZoneInfo("Asia/Seoul"))


def _interval(facts: Facts, release_id: str) -> tuple[str, str]:
    """Return first and last instant that the inputs describe; that of the release where no date of an input is known."""
    if not facts.vintages:
        return (_utc(published_at(release_id)),) * 2
    periods = [pd.Period(text) for text in facts.vintages]
    first = min(period.start_time for period in periods)
    last = max(period.end_time for period in periods)
    return _utc(first.tz_localize("UTC").to_pydatetime()), _utc(last.floor("s").tz_localize("UTC").to_pydatetime())


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
