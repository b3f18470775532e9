"""`twin diff`: what changed between two releases of a town."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from geodata.errors import InputError

BeforeOption = Annotated[str, typer.Argument(metavar="A", help="Release before: an ID, previous or latest.")]
AfterOption = Annotated[str, typer.Argument(metavar="B", help="Release after: an ID, previous or latest.")]
_MOST_FIELDS = 25


def diff(out: Console, workplace: Any, before: str, after: str, file: Path | None) -> None:
    """Print what changed from release ``before`` to ``after``, and write it to ``file`` if one is given."""
    from geodata.catalogue.changes import CHANGE_LAYERS  # noqa: PLC0415 - as in the command line
    from pipelines.about import release_about  # noqa: PLC0415
    from twin.publish.changes.files import published_instant, scenario_geopackages  # noqa: PLC0415
    from twin.publish.changes.page import in_order  # noqa: PLC0415
    from twin.publish.changes.tables import compare_geopackages  # noqa: PLC0415
    from twin.publish.geopackage import write_geopackage  # noqa: PLC0415
    from twin.publish.release import find_release  # noqa: PLC0415
    from twin.publish.site_folder import read_json, verify_release  # noqa: PLC0415

    if file is not None and file.exists():
        raise InputError(f"{file} exists; choose another name, or remove it · 이미 있는 파일입니다")
    places = [find_release(workplace.outputs, workplace.site.name, name) for name in (before, after)]
    for place in places:
        for finding in verify_release(place):
            out.print(f"공개 후 바뀐 릴리스 · altered after it was published: {place.name}: {finding}", markup=False)
    held = [scenario_geopackages(place) for place in places]
    tables = compare_geopackages(held[0], held[1], workplace.site.crs)
    out.print(f"{places[0].name} → {places[1].name}", style="bold", markup=False)
    _show_layers(out, in_order(tables["changed_layers"]))
    _show_fields(out, tables["changed_fields"])
    if file is not None:
        manifest = read_json(places[1] / "manifest.json") or {}
        scenarios = manifest.get("content", {}).get("scenarios", {}).values()
        unshaded = any(layer["unshaded"] for scenario in scenarios for layer in scenario["layers"].values())
        about = release_about(workplace.site, published_instant(held[1]), unshaded=unshaded)
        write_geopackage(file, tables, about, CHANGE_LAYERS)
        out.print(f"저장함 · written: {file}", markup=False)


def _show_layers(out: Console, layers: pd.DataFrame) -> None:
    table = Table(box=None, header_style="bold")
    for title in ("시나리오 scenario", "레이어 layer", ""):
        table.add_column(title)
    for title in ("이전 before", "이번 now", "추가 added", "삭제 removed", "변경 altered"):
        table.add_column(title, justify="right")
    for row in layers.to_dict("records"):
        numbers = [row[name] for name in ("rows_before", "rows_after", "added", "removed", "altered")]
        told = ["–" if pd.isna(number) else f"{number:,}" for number in numbers]
        table.add_row(row["scenario"], row["layer_ko"], row["layer"], *told)
    out.print(table)
    for row in layers.dropna(subset=["note"]).to_dict("records"):
        out.print(f"  {row['scenario']}/{row['layer']}: {row['note']}", style="dim", markup=False)


def _show_fields(out: Console, fields: pd.DataFrame) -> None:
    if fields.empty:
        out.print("바뀐 값 없음 · no value changed")
        return
    table = Table(box=None, header_style="bold")
    for title in ("필드 field", ""):
        table.add_column(title)
    for title in ("객체 features", "평균 차이 mean", "최소 least", "최대 largest"):
        table.add_column(title, justify="right")
    most = fields.sort_values("altered", ascending=False, kind="stable")
    for row in most.head(_MOST_FIELDS).to_dict("records"):
        unit = f" ({row['unit']})" if isinstance(row["unit"], str) and row["unit"] else ""
        numbers = [row[f"difference_{name}"] for name in ("mean", "min", "max")]
        told = ["" if pd.isna(number) else f"{number:+,.3f}" for number in numbers]
        place = f"{row['scenario']}/{row['layer']}.{row['field']}"
        table.add_row(f"{row['field_ko']}{unit}", place, f"{row['altered']:,}", *told)
    out.print(table)
    if len(fields) > _MOST_FIELDS:
        out.print(
            f"{len(fields)}개 필드 중 {_MOST_FIELDS}개 · {_MOST_FIELDS} of {len(fields)} fields; all of them with --out"
        )
