"""`twin whatif`: one block of a plan built otherwise, in words, as a small GeoPackage and as a page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from geodata.errors import InputError
from pipelines.command_options import OutputsOption, SiteOption, StateOption, out

BlockOption = Annotated[str, typer.Option("--block", help="Block to edit, as the layer plan_blocks names it.")]
PlanOption = Annotated[
    str | None, typer.Option("--scenario", help="Plan to edit. Default: the first plan of the site.")
]
RatioOption = Annotated[float | None, typer.Option("--far", help="Floor-area ratio, %. 0: none given. · 용적률")]
CoverageOption = Annotated[
    float | None, typer.Option("--coverage", help="Building coverage, %. 0: none given. · 건폐율")
]
FloorsOption = Annotated[float | None, typer.Option("--floors", help="Most floors. 0: none given. · 층수 제한")]
HeightOption = Annotated[float | None, typer.Option("--height", help="Height limit, m. 0: none given. · 높이 제한")]
HomesOption = Annotated[float | None, typer.Option("--homes", help="Homes. · 세대수")]
UseOption = Annotated[
    str | None, typer.Option("--use", help="Land use as plans write it: 공동주택용지, 학교용지, 공원 … · 용도")
]
DesignOption = Annotated[
    Path | None,
    typer.Option("--design", help="File of buildings (GeoPackage, SHP, CityJSON) in place of the block's. · 설계안"),
]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column", help="Column of the design file: building_id=id, floors_above=floors. Give it several times."
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option("--out", help="New folder for whatif.gpkg and whatif.html. Default: whatif/SCENARIO-BLOCK-N"),
]
_MOST_NEIGHBOURS = 8


@dataclass(frozen=True)
class Question:
    """What the command line asks."""

    block: str
    scenario: str | None
    values: dict[str, Any]
    design: Path | None
    columns: list[str]
    folder: Path | None


def whatif(
    block: BlockOption,
    *,
    scenario: PlanOption = None,
    far: RatioOption = None,
    coverage: CoverageOption = None,
    floors: FloorsOption = None,
    height: HeightOption = None,
    homes: HomesOption = None,
    land_use: UseOption = None,
    design: DesignOption = None,
    column: ColumnOption = None,
    folder: FolderOption = None,
    site: SiteOption = None,
    outputs: OutputsOption = None,
    state: StateOption = None,
) -> None:
    """Say what changes if one block of a plan were built otherwise; nothing is published. · 블록 가정 검토."""
    from pipelines.instance import open_workplace  # noqa: PLC0415

    values = {
        "land_use": land_use,
        "floor_area_ratio_pct": far,
        "building_coverage_pct": coverage,
        "floors_limit": floors,
        "height_limit_m": height,
        "homes": homes,
    }
    question = Question(block, scenario, values, design, column or [], folder)
    _answer(out, open_workplace(site, outputs, state), question)


def _answer(out: Console, workplace: Any, question: Question) -> None:
    """Compute the edit, print what it changes, and write GeoPackage and page into a new folder."""
    from geodata.catalogue.whatif import WHATIF_LAYERS  # noqa: PLC0415 - as in the command line
    from pipelines.whatif import what_if  # noqa: PLC0415
    from twin.publish.geopackage import write_geopackage  # noqa: PLC0415
    from twin.whatif.edit import BlockEdit  # noqa: PLC0415
    from twin.whatif.page import edit_lines, note_lines, picture_of, whatif_page  # noqa: PLC0415

    planned = workplace.site.planned
    scenario = question.scenario or (planned[0] if planned else "")
    folder = _new_folder(question.folder, scenario, question.block)
    edit = BlockEdit(question.block, **question.values)
    found = what_if(workplace, edit, scenario, design=question.design, columns=_pairs(question.columns))
    lines = edit_lines(edit, found.before.blocks, question.design.name if question.design else None)
    out.print(f"{workplace.site.title.ko} · {scenario} · 블록 · block {question.block}", style="bold", markup=False)
    for label, old, new in lines:
        out.print(f"  {label}: {old} → {new}", markup=False)
    _show_summary(out, found.tables["whatif_summary"])
    _show_neighbours(out, found.tables["whatif_buildings"])
    for line in note_lines(found.notes):
        out.print(f"  {line}", style="yellow", markup=False)
    if found.block_status == "standing":
        out.print(
            "  기존 유지 블록: 지금 있는 건물이 남음 · the block stands already: today's buildings stay", style="yellow"
        )
    folder.mkdir(parents=True)
    write_geopackage(folder / "whatif.gpkg", found.tables, found.about, WHATIF_LAYERS)
    blocks, houses = found.tables["whatif_blocks"], found.tables["whatif_buildings"]
    own = blocks[blocks["block_id"] == question.block]
    picture = picture_of(own, found.before.buildings, found.after, houses, found.about)
    page = whatif_page(
        found.tables, lines, found.notes, picture, found.about, block_id=question.block, scenario=scenario
    )
    (folder / "whatif.html").write_text(page, encoding="utf-8")
    out.print(
        f"저장함, 공개하지 않음 · written, nothing is published: {folder}/whatif.gpkg, {folder}/whatif.html",
        markup=False,
    )


def _pairs(columns: list[str]) -> dict[str, str]:
    pairs = {}
    for text in columns:
        ours, sign, theirs = text.partition("=")
        if not (ours and sign and theirs):
            raise InputError(f"--column {text!r}: 우리 이름=파일의 열 · write it as building_id=id")
        pairs[ours.strip()] = theirs.strip()
    return pairs


def _new_folder(wanted: Path | None, scenario: str, block: str) -> Path:
    if wanted is not None:
        if wanted.exists():
            raise InputError(f"{wanted}: 이미 있습니다 · it exists; choose another name, or remove it")
        return wanted
    name = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in f"{scenario}-{block}")
    folders = (Path("whatif") / f"{name}-{number}" for number in count(1))
    return next(folder for folder in folders if not folder.exists())


def _show_summary(out: Console, summary: Any) -> None:
    from geodata.catalogue.whatif import PLACES  # noqa: PLC0415
    from twin.whatif.page import number, signed  # noqa: PLC0415

    for place, rows in summary.groupby("place", sort=False):
        table = Table(
            title=f"{PLACES[place].ko} · {PLACES[place].en}", box=None, header_style="bold", title_justify="left"
        )
        table.add_column("항목 measure")
        for title in ("이전 before", "이후 after", "차이 difference"):
            table.add_column(title, justify="right")
        for row in rows.to_dict("records"):
            unit = f" ({row['unit']})" if isinstance(row["unit"], str) else ""
            name = f"{row['measure_ko']} · {row['measure_en']}{unit}"
            points = " %p" if row["unit"] == "%" else ""
            table.add_row(name, number(row["before"]), number(row["after"]), signed(row["change"]) + points)
        out.print(table)


def _show_neighbours(out: Console, houses: Any) -> None:
    from twin.whatif.page import neighbours, sun_neighbours  # noqa: PLC0415

    _show_moved(
        out, "발전량이 달라지는 이웃 건물 · neighbours whose yield changes", neighbours(houses), "yield_kwh", "kWh"
    )
    title = "동지 연속 일조(9–15시)가 달라지는 이웃 주거 건물 · homes nearby whose unbroken winter sun changes"
    _show_moved(out, title, sun_neighbours(houses), "winter_sun_run_median_h", "h")


def _show_moved(out: Console, title: str, moved: Any, name: str, unit: str) -> None:
    from twin.whatif.page import number, signed  # noqa: PLC0415

    out.print(f"{title}: {len(moved):,}", style="bold")
    if moved.empty:
        return
    table = Table(box=None, header_style="bold")
    for head in ("건물 building", "블록 block"):
        table.add_column(head)
    for head in (f"{unit} 이전 before", "이후 after", "차이 difference"):
        table.add_column(head, justify="right")
    for row in moved.head(_MOST_NEIGHBOURS).to_dict("records"):
        block = row["block_id"] if isinstance(row["block_id"], str) else "–"
        values = (number(row[f"{name}_before"]), number(row[f"{name}_after"]), signed(row[f"{name}_change"]))
        table.add_row(row["building_id"], block, *values)
    out.print(table)
