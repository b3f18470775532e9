"""What a planner sees before the first run: each file, what it is taken for, and what is still missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from geodata.inbox import take_inventory
from geodata.inspect_rows import NEEDED_FOR, FileRow, file_rows, missing_roles
from geodata.inventory import Inventory, Problem
from geodata.products import PRODUCTS
from geodata.site import ROLE_TITLES, PlanSpec, Role, SourceSpec


def inspect_folder(
    inbox: Path, sources: Mapping[Role, SourceSpec] | None = None, plans: Mapping[str, PlanSpec] | None = None
) -> Inventory:
    """Look at every file of ``inbox`` and change nothing.

    Raises
    ------
    InputError
        If the folder does not exist or holds no file.
    """
    return take_inventory(inbox, sources, plans)


def render_inspection(inventory: Inventory) -> RenderableType:
    """Return tables for the terminal: files and what they are, problems with their remedies, and what is missing."""
    parts: list[RenderableType] = [_files(file_rows(inventory))]
    if inventory.problems:
        parts += ["", _problems(inventory.problems)]
    absent = missing_roles(inventory)
    parts += ["", _missing(absent) if absent else Text("모든 자료가 있음 · nothing is missing", style="green")]
    fatal = sum(problem.fatal for problem in inventory.problems)
    if fatal:
        text = f"{fatal}건을 먼저 고쳐야 실행됨 · {fatal} problem(s) must be mended before a run"
        parts += ["", Text(text, style="bold red")]
    return Group(*parts)


def _files(rows: Sequence[FileRow]) -> Table:
    table = Table(title="입력 폴더 · inbox", title_justify="left")
    for heading in ("파일 · file", "자료 · recognised as", "인코딩 · encoding", "좌표계 · CRS"):
        table.add_column(heading, overflow="fold")
    table.add_column("건수 · rows", justify="right", overflow="fold")
    table.add_column("문제 · problems", overflow="fold")
    for row in rows:
        style = "" if row.state == "used" or row.problems else "dim"
        table.add_row(
            Text(row.path, style=style),
            Text(f"{row.ko} · {row.en}", style=style),
            row.encoding or "–",
            Text(row.crs or "–"),
            "–" if row.rows is None else f"{row.rows:,}",
            _count(row.problems),
        )
    return table


def _count(problems: Sequence[Problem]) -> Text:
    if not problems:
        return Text("–")
    if any(problem.fatal for problem in problems):
        return Text(f"{len(problems)} ✗", style="bold red")
    return Text(str(len(problems)), style="yellow")


def _problems(problems: Sequence[Problem]) -> Table:
    table = Table(title="문제 · problems", title_justify="left", show_lines=True)
    table.add_column("파일 · file", overflow="fold")
    table.add_column("무엇이 · what", overflow="fold")
    table.add_column("할 일 · what to do", overflow="fold")
    for problem in sorted(problems, key=lambda p: not p.fatal):
        style = "red" if problem.fatal else "yellow"
        table.add_row(Text(problem.path), Text(problem.what, style=style), Text(problem.remedy))
    return table


def _missing(roles: Sequence[Role]) -> Table:
    table = Table(title="아직 없는 자료 · still missing", title_justify="left", show_lines=True)
    table.add_column("자료 · source")
    table.add_column("필요한 곳 · needed for", overflow="fold")
    table.add_column("받을 곳 · where to get it", overflow="fold")
    for role in roles:
        offers = [p for p in PRODUCTS if p.role == role and p.download != "–"]
        where = "\n".join(f"{p.agency}: {p.download}" for p in offers[:2])
        table.add_row(" · ".join(ROLE_TITLES[role]), " · ".join(NEEDED_FOR[role]), Text(where))
    return table


__all__ = ["inspect_folder", "missing_roles", "render_inspection"]
