"""`twin fetch`: from the agencies' APIs into the inbox."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console


def fetch(
    out: Console,
    site: Path | None,
    layers: list[str] | None,
    endpoints: tuple[str, str, str],
    *,
    only_list: bool,
) -> None:
    """Fetch the wanted layers and say what came; see `geodata.fetch.town`."""
    from geodata.fetch.town import Endpoints, chosen_layers, fetch_town, fetchable  # noqa: PLC0415 - as in the command line
    from pipelines.instance import open_workplace  # noqa: PLC0415

    if only_list:
        for name, (ko, en) in fetchable().items():
            out.print(f"{name:<18} {ko} · {en}", markup=False)
        return
    town = open_workplace(site).site
    wanted = [word for text in layers or [] for word in text.split(",") if word]
    today = datetime.now(ZoneInfo(town.timezone)).date()
    reports = fetch_town(
        town,
        chosen_layers(town, wanted),
        os.environ,
        today,
        endpoints=Endpoints(*endpoints),
        tell=lambda line: out.print(f"  {line}", style="dim", markup=False),
    )
    for report in reports:
        if report.path is None:
            out.print(f"{report.layer}: 자료 없음 · nothing there", markup=False)
            continue
        state = "받음 · fetched" if report.is_new else "바뀐 것 없음 · unchanged"
        more = f", {report.duplicates:,} repeats left out" if report.duplicates else ""
        kept = f", {report.resumed} of {report.pieces} pieces taken over" if report.resumed else ""
        out.print(f"{report.layer}: {state}: {report.path} ({report.rows:,} records{more}{kept})", markup=False)


LayersOption = Annotated[
    list[str] | None,
    typer.Option("--layers", help="Layers or roles, several times or with commas: parcels,LT_C_UQ111. Default: all."),
]
