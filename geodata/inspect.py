"""What a planner sees before the first run: each file, what it is taken for, and what is still missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from geodata.inbox import take_inventory
from geodata.inventory import Dataset, Inventory, LayerPart, Problem, UnusedLayer
from geodata.products import PRODUCTS
from geodata.products import product as product_called
from geodata.site import ROLES, Role, SourceSpec

ROLE_TITLES: Mapping[Role, tuple[str, str]] = {
    "parcels": ("필지", "parcels"),
    "buildings": ("건물", "buildings"),
    "land_cover": ("토지피복", "land cover"),
    "parks": ("공원·녹지", "parks"),
    "terrain": ("지형", "terrain"),
    "weather": ("기상", "weather"),
    "plan_blocks": ("토지이용계획", "plan blocks"),
    "district": ("사업지구 경계", "district boundary"),
    "roads": ("도로", "roads"),
    "land_characteristics": ("토지특성", "land characteristics"),
    "land_use_regulation": ("토지이용계획(규제)", "land-use regulation"),
    "zoning": ("용도지역", "zoning"),
    "building_register": ("건축물대장", "building register"),
    "roof_planes": ("지붕면", "roof planes"),
    "ndvi": ("식생지수", "vegetation index"),
}

NEEDED_FOR: Mapping[Role, tuple[str, str]] = {
    "parcels": ("필지별 지표, 건물의 필지 연결", "indicators by parcel, parcel of each building"),
    "buildings": ("건물·지붕, 태양광 발전량", "buildings and roofs, solar yield"),
    "land_cover": ("녹지, 녹피율", "green polygons, green cover"),
    "parks": ("공원·녹지 시설", "parks"),
    "terrain": ("지반고, 지형 음영", "ground heights, shading by terrain"),
    "weather": ("태양광 발전량", "solar yield"),
    "plan_blocks": ("계획 시나리오", "the planned scenario"),
    "district": ("사업지구 합계", "totals of the project district"),
    "roads": ("보행 거리", "walking distances"),
    "land_characteristics": ("필지의 용도지역·공부상 면적", "zoning and official area of parcels"),
    "land_use_regulation": ("필지의 용도지역", "zoning of parcels"),
    "zoning": ("필지의 용도지역 (위 두 자료가 없을 때)", "zoning of parcels where the tables say nothing"),
    "building_register": ("층수·높이 보완, 지붕 종류", "missing floors and heights, roof types"),
    "roof_planes": (
        "경사지붕의 방위와 경사 (없으면 모두 평지붕)",
        "tilt and azimuth of pitched roofs (without it all are flat)",
    ),
    "ndvi": ("필지별 식생지수", "vegetation index of parcels"),
}


def inspect_folder(inbox: Path, sources: Mapping[Role, SourceSpec] | None = None) -> Inventory:
    """Look at every file of ``inbox`` and change nothing.

    Raises
    ------
    InputError
        If the folder does not exist or holds no file.
    """
    return take_inventory(inbox, sources)


def missing_roles(inventory: Inventory) -> tuple[Role, ...]:
    """Return the roles that no usable file of the inbox fills."""
    return tuple(role for role in ROLES if not inventory.datasets_for(role))


def render_inspection(inventory: Inventory) -> RenderableType:
    """Return tables for the terminal: files and what they are, problems with their remedies, and what is missing."""
    parts: list[RenderableType] = [_files(inventory)]
    if inventory.problems:
        parts += ["", _problems(inventory.problems)]
    absent = missing_roles(inventory)
    parts += ["", _missing(absent) if absent else Text("모든 자료가 있음 · nothing is missing", style="green")]
    fatal = sum(problem.fatal for problem in inventory.problems)
    if fatal:
        text = f"{fatal}건을 먼저 고쳐야 실행됨 · {fatal} problem(s) must be mended before a run"
        parts += ["", Text(text, style="bold red")]
    return Group(*parts)


def _files(inventory: Inventory) -> Table:
    table = Table(title="입력 폴더 · inbox", title_justify="left")
    for heading in ("파일 · file", "자료 · recognised as", "인코딩 · encoding", "좌표계 · CRS"):
        table.add_column(heading, overflow="fold")
    table.add_column("건수 · rows", justify="right", overflow="fold")
    table.add_column("문제 · problems", overflow="fold")
    told: set[str] = set()
    for dataset in inventory.datasets:
        for part in dataset.parts:
            told |= {part.data_source, part.file.path}
            table.add_row(
                Text(part.data_source + _layer(part)),
                Text(_title(dataset)),
                part.encoding or "–",
                Text(f"{part.crs} ({part.crs_origin})" if part.crs else "–"),
                f"{part.rows:,}" if part.kind != "raster" else "–",
                _count([p for p in inventory.problems if p.path in {part.data_source, part.file.path}]),
            )
    _add_unused(table, inventory)
    told |= {path for layer in inventory.unused for path in (layer.data_source, layer.file)}
    for path in sorted({p.path for p in inventory.problems} - told - set(inventory.ignored)):
        mine = [p for p in inventory.problems if p.path == path]
        table.add_row(Text(path), "쓰지 않음 · not used", "–", "–", "–", _count(mine))
    for path in inventory.ignored:
        mine = [p for p in inventory.problems if p.path == path]
        table.add_row(Text(path, style="dim"), Text("무시함 · ignored", style="dim"), "–", "–", "–", _count(mine))
    return table


def _add_unused(table: Table, inventory: Inventory) -> None:
    """Add one row for each file and product whose layers are known but not used."""
    groups: dict[tuple[str, str], list[UnusedLayer]] = {}
    for layer in inventory.unused:
        groups.setdefault((layer.file, layer.product), []).append(layer)
    for (file, key), layers in sorted(groups.items()):
        product = product_called(key)
        title = f"{product.ko} · {product.en}" if product else key
        count = "" if len(layers) == 1 else f" ({len(layers)}개 레이어 · {len(layers)} layers)"
        text = Text(f"{title}{count}: 쓰지 않음 · not used", style="dim")
        table.add_row(Text(file, style="dim"), text, "–", "–", f"{sum(layer.rows for layer in layers):,}", "–")


def _layer(part: LayerPart) -> str:
    if part.layer is None or Path(part.data_source).stem == part.layer:
        return ""
    return f" : {part.layer}"


def _title(dataset: Dataset) -> str:
    product = product_called(dataset.product)
    ko, en = (product.ko, product.en) if product else ROLE_TITLES[dataset.role]
    source = "" if product else " (사이트 파일 · site file)"
    vintage = f" [{dataset.vintage}]" if dataset.vintage else ""
    return f"{ko} · {en}{source}{vintage}"


def _count(problems: list[Problem]) -> Text:
    if not problems:
        return Text("–")
    if any(problem.fatal for problem in problems):
        return Text(f"{len(problems)} ✗", style="bold red")
    return Text(str(len(problems)), style="yellow")


def _problems(problems: tuple[Problem, ...]) -> Table:
    table = Table(title="문제 · problems", title_justify="left", show_lines=True)
    table.add_column("파일 · file", overflow="fold")
    table.add_column("무엇이 · what", overflow="fold")
    table.add_column("할 일 · what to do", overflow="fold")
    for problem in sorted(problems, key=lambda p: not p.fatal):
        style = "red" if problem.fatal else "yellow"
        table.add_row(Text(problem.path), Text(problem.what, style=style), Text(problem.remedy))
    return table


def _missing(roles: tuple[Role, ...]) -> Table:
    table = Table(title="아직 없는 자료 · still missing", title_justify="left", show_lines=True)
    table.add_column("자료 · source")
    table.add_column("필요한 곳 · needed for", overflow="fold")
    table.add_column("받을 곳 · where to get it", overflow="fold")
    for role in roles:
        offers = [p for p in PRODUCTS if p.role == role and p.download != "–"]
        where = "\n".join(f"{p.agency}: {p.download}" for p in offers[:2])
        table.add_row(" · ".join(ROLE_TITLES[role]), " · ".join(NEEDED_FOR[role]), Text(where))
    return table
