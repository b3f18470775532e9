"""The solar resource on disk: its hours as a table, everything else beside it as JSON."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pandas as pd

from twin.solar.resource import Resource

_HOURS = "hourly.parquet"
_ABOUT = "resource.json"
_NOT_PLAIN = ("hourly", "daylight", "parameters")


def save_resource(resource: Resource, folder: Path) -> None:
    """Write ``resource`` into ``folder``; `load_resource` gives back the same values, bit for bit."""
    resource.hourly.assign(daylight=resource.daylight).to_parquet(folder / _HOURS)
    plain = {f.name: getattr(resource, f.name) for f in fields(Resource) if f.name not in _NOT_PLAIN}
    (folder / _ABOUT).write_text(json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")


def load_resource(folder: Path) -> Resource:
    """Read what `save_resource` wrote into ``folder``."""
    hours = pd.read_parquet(folder / _HOURS)
    daylight = hours.pop("daylight").to_numpy(dtype=bool)
    plain = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    return Resource(hourly=hours, daylight=daylight, **(plain | {"notes": tuple(plain["notes"])}))
