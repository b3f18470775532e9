"""Drift: how far a new release differs from the one before, and who said that this is right.

A change beyond the site's bands stops the publish. What was found then stands in ``drift.json`` beside the releases;
whoever knows why acknowledges each finding by name with a reason, for exactly these values and this release before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from geodata.errors import InputError
from geodata.site import DriftSpec
from twin.publish.durable import write_json
from twin.publish.site_folder import SiteFolder, read_json

Figures = dict[str, dict[str, dict[str, float]]]
"""Scenario to layer to figure to value."""

FOUND = "drift.json"
ACKNOWLEDGED = "acknowledgements.json"
AREA_COLUMNS = ("area_m2", "footprint_area_m2")
YIELD = "yield_kwh"
FIGURE_COLUMNS = (*AREA_COLUMNS, YIELD)
"""All columns that figures are taken from."""


@dataclass(frozen=True)
class Drift:
    """One figure outside its band; ``name`` is scenario, layer and figure."""

    name: str
    before: float
    now: float
    band_pct: float

    def __str__(self) -> str:
        change = f"{100 * (self.now / self.before - 1):+.1f} %"
        return f"{self.name}: {self.before:,.0f} → {self.now:,.0f} ({change}, band {self.band_pct:g} %)"


def figures_of(frame: pd.DataFrame) -> dict[str, float]:
    """Return rows, area [m2] and yearly yield [kWh] of one published layer, as far as it has them."""
    figures = {"rows": float(len(frame))}
    area = next((name for name in AREA_COLUMNS if name in frame.columns), None)
    if area is not None:
        figures["area_m2"] = round(float(frame[area].sum()), 1)
    if YIELD in frame.columns:
        figures["yield_kwh"] = round(float(frame[YIELD].sum()), 1)
    return figures


def drifts(before: Figures, now: Figures, spec: DriftSpec) -> list[Drift]:
    """Return every figure of ``before`` that ``now`` lost or gained beyond its band; what is new is no drift."""
    bands = {"rows": spec.rows_pct, "area_m2": spec.area_pct, "yield_kwh": spec.yield_pct}
    found = []
    for scenario, layers in sorted(before.items()):
        for layer, figures in sorted(layers.items()):
            for figure, old in sorted(figures.items()):
                new = now.get(scenario, {}).get(layer, {}).get(figure, 0.0)
                few = figure == "rows" and new > 0 and abs(new - old) <= spec.few_rows
                band = bands[figure] if new < old else spec.gain_pct
                if old > 0 and not few and abs(new - old) > band / 100 * old:
                    found.append(Drift(f"{scenario}.{layer}.{figure}", old, new, band))
    return found


def last_figures(folder: SiteFolder, inputs_digest: str) -> tuple[str | None, Figures]:
    """Return the release to compare with and its figures; nothing where the newest release holds these very inputs."""
    newest, latest = folder.newest(), folder.latest()
    if newest is None or latest is None:
        return None, {}
    if folder.manifest(newest)["release"]["inputs_digest"] == inputs_digest:
        return None, {}
    return latest, folder.manifest(latest).get("content", {}).get("figures", {})


def judge(folder: SiteFolder, now: Figures, inputs_digest: str, spec: DriftSpec) -> list[dict[str, Any]]:
    """Return the acknowledgements under which these figures may be published.

    Raises
    ------
    InputError
        If a figure drifted and nobody acknowledged it. ``drift.json`` then says what was found.
    """
    release, before = last_figures(folder, inputs_digest)
    found = drifts(before, now, spec)
    accepted = _acknowledged(folder)
    used, open_ = [], []
    for drift in found:
        entry = accepted.get(drift.name)
        if entry is not None and (entry["release"], entry["before"], entry["now"]) == (
            release,
            drift.before,
            drift.now,
        ):
            used.append({"name": drift.name, **entry})
        else:
            open_.append(drift)
    if not open_:
        return used
    with folder.locked(60.0):
        write_json(folder.root / FOUND, {"release": release, "found": [asdict(drift) for drift in open_]})
    listed = "\n  ".join(map(str, open_))
    raise InputError(
        f"{len(open_)} figure(s) differ from release {release} by more than the site's drift bands allow · "
        f"직전 릴리스와의 차이가 허용 범위를 벗어남:\n  {listed}\n"
        '  If this is right, say why and run again: twin acknowledge NAME --reason "…"'
    )


def acknowledge(folder: SiteFolder, name: str, reason: str, *, now: datetime) -> Drift:
    """Record that the drift ``name``, found by the last publish that was stopped, is right, and why.

    Raises
    ------
    InputError
        If no such drift was found, or ``reason`` says nothing.
    """
    told = read_json(folder.root / FOUND) or {"release": None, "found": []}
    found = {entry["name"]: Drift(**entry) for entry in told["found"]}
    if name not in found:
        raise InputError(f"no drift {name!r} waits in {folder.root}. Waiting: {', '.join(sorted(found)) or 'none'}")
    if len(reason.strip()) < 3:
        raise InputError('an acknowledgement needs a reason that others understand: --reason "…"')
    entry = {
        "release": told["release"],
        "before": found[name].before,
        "now": found[name].now,
        "reason": reason.strip(),
        "at": now.isoformat(timespec="seconds"),
    }
    with folder.locked(60.0):
        write_json(folder.root / ACKNOWLEDGED, {**_acknowledged(folder), name: entry})
    return found[name]


def _acknowledged(folder: SiteFolder) -> Mapping[str, dict[str, Any]]:
    return read_json(folder.root / ACKNOWLEDGED) or {}
