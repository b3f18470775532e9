"""One layer of V-World for the whole study area, as one dated file of the inbox."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyproj
from shapely.geometry.base import BaseGeometry

from geodata.fetch.courtesy import Caller, FetchError, fetch_parameters
from geodata.fetch.inbox_file import put
from geodata.fetch.journal import Journal
from geodata.fetch.report import FetchReport
from geodata.vworld.data_api import Feature, Question, TooFull, tile_features
from geodata.vworld.layers import VWorldLayer
from geodata.vworld.tiles import Tile, tiles_of

DIVIDED = "divided"
"""What the journal says of a tile whose quarters stand for it."""


def fetch_layer(
    caller: Caller,
    question: Question,
    layer: VWorldLayer,
    area: BaseGeometry,
    *,
    inbox: Path,
    today: date,
    tell: Callable[[str], None] = lambda _: None,
) -> FetchReport:
    """Fetch all features that touch ``area`` and write them as GeoJSON, sorted by id, each once.

    Interrupted at any moment, the next call goes on behind the last finished tile. Features that several tiles deliver
    are told apart by their feature id, else by the layer's own key, else by their content.

    Parameters
    ----------
    area
        In the coordinate reference system of ``question`` [m].
    inbox
        Where ``vworld_<layer>_<YYYYMMDD>.geojson`` is written; the progress file lies beside it, hidden.
    today
        The date that the file bears.
    tell
        Called with a line after each tile.

    Raises
    ------
    FetchError
        If the API refuses or does not answer; finished tiles are kept.
    """
    values = fetch_parameters()
    stem = f"vworld_{layer.name}"
    subject = {"layer": layer.name, "crs": question.crs, "filter": question.attribute_filter}
    journal = Journal(inbox / f".{stem}.progress", subject, today=today, keep_days=int(values["resume_within_days"]))
    waiting = tiles_of(area.buffer(values["margin_m"]), values["vworld_tile_m"])
    smallest = values["vworld_smallest_tile_m"]
    finished: list[Tile] = []
    resumed = 0
    while waiting:
        tile = waiting.pop(0)
        if tile.name in journal.done:
            resumed += journal.done[tile.name] != DIVIDED
        else:
            journal.add(tile.name, _ask(caller, question, tile, smallest))
        if journal.done[tile.name] == DIVIDED:
            waiting = [*tile.quarters(), *waiting]
            continue
        finished.append(tile)
        tell(f"{layer.name}: {len(finished)} / {len(finished) + len(waiting)} tiles, {caller.calls} calls")
    features, duplicates = _once((f for tile in finished for f in journal.done[tile.name]), layer.key)
    report = {"rows": len(features), "duplicates": duplicates, "pieces": len(finished), "resumed": resumed}
    if not features:
        journal.close()
        return FetchReport(layer.name, None, is_new=False, calls=caller.calls, **report)
    text = _collection(layer.name, question.crs, features)
    path, is_new = put(inbox, stem, ".geojson", text.encode("utf-8"), today)
    journal.close()
    return FetchReport(layer.name, path, is_new=is_new, calls=caller.calls, **report)


def _ask(caller: Caller, question: Question, tile: Tile, smallest: float) -> list[Feature] | str:
    try:
        return tile_features(caller, question, tile)
    except TooFull:
        if tile.size_m / 2 < smallest:
            raise FetchError(
                f"V-World {question.layer}: {tile.size_m:.0f} m around {tile.name} hold more than "
                f"{question.page_size * question.pages:,} features; the answer cannot be right"
            ) from None
        return DIVIDED


def _once(features: Iterable[Feature], key: str) -> tuple[list[Feature], int]:
    """Return each feature once, sorted by its id, and how many repeats there were."""
    kept: dict[str, Feature] = {}
    repeats = 0
    for feature in features:
        name = _identity(feature, key)
        repeats += name in kept
        kept.setdefault(name, feature)
    return [kept[name] for name in sorted(kept)], repeats


def _identity(feature: Feature, key: str) -> str:
    own = feature.get("id")
    if own not in (None, ""):
        return str(own)
    named = (feature.get("properties") or {}).get(key) if key else None
    content = json.dumps(feature, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(content.encode("utf-8")).hexdigest()
    # one key may stand for several shapes: a lot in two parts
    return f"{named or ''}#{digest}"


def _collection(name: str, crs: str, features: list[Feature]) -> str:
    """Return a feature collection that says its coordinate reference system, which GDAL reads."""
    code = pyproj.CRS.from_user_input(crs).to_epsg()
    head: dict[str, Any] = {
        "type": "FeatureCollection",
        "name": name,
        "crs": {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{code}"}},
    }
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features)
    return f'{json.dumps(head, ensure_ascii=False)[:-1]},\n"features":[\n{lines}\n]}}\n'
