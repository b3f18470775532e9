"""What an inspection tells of each file, one row each, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from geodata.inventory import Dataset, Inventory, LayerPart, Problem, UnusedLayer
from geodata.products import product as product_called
from geodata.site import ROLE_TITLES, ROLES, Role

NEEDED_FOR: dict[Role, tuple[str, str]] = {
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
    "park_entrances": (
        "공원까지 걷는 거리 (없으면 길과 만나는 곳을 출입구로 봄)",
        "walking distances to parks (without it a park is entered where streets meet it)",
    ),
    "footways": ("보도의 여름철 그늘 시간", "summer shade hours of footways"),
    "bus_stops": ("버스정류장의 여름철 그늘 시간", "summer shade hours of bus stops"),
    "ndvi": ("필지별 식생지수", "vegetation index of parcels"),
    "surface_model": (
        "측량한 높이로 음영과 지붕 경사 계산 (사이트 파일에서 지정)",
        "shading and roof slopes from measured heights (named in the site file)",
    ),
}


@dataclass(frozen=True)
class FileRow:
    """One line of an inspection."""

    path: str
    """The file, or the member of an archive, with its layer where that says more."""
    state: Literal["used", "unused", "ignored"]
    ko: str
    en: str
    problems: tuple[Problem, ...]
    encoding: str = ""
    crs: str = ""
    rows: int | None = None
    dataset: Dataset | None = None
    part: LayerPart | None = None


def missing_roles(inventory: Inventory) -> tuple[Role, ...]:
    """Return the roles that no usable file of the inbox fills."""
    return tuple(role for role in ROLES if not inventory.datasets_for(role))


def file_rows(inventory: Inventory) -> list[FileRow]:
    """Return a row for each file: those that are used by role, then those that are not, then those nobody knows."""
    rows = list(_used(inventory))
    rows += _unused(inventory)
    told = {row.part.file.path for row in rows if row.part} | {row.part.data_source for row in rows if row.part}
    told |= {path for layer in inventory.unused for path in (layer.data_source, layer.file)}
    for path in sorted({p.path for p in inventory.problems} - told - set(inventory.ignored)):
        rows.append(FileRow(path, "unused", "쓰지 않음", "not used", _problems(inventory, path)))
    for path in inventory.ignored:
        rows.append(FileRow(path, "ignored", "무시함", "ignored", _problems(inventory, path)))
    return rows


def _problems(inventory: Inventory, *paths: str) -> tuple[Problem, ...]:
    return tuple(p for p in inventory.problems if p.path in paths)


def _used(inventory: Inventory) -> Iterator[FileRow]:
    for dataset in inventory.datasets:
        ko, en = _title(dataset)
        for part in dataset.parts:
            yield FileRow(
                part.data_source + _layer(part),
                "used",
                ko,
                en,
                _problems(inventory, part.data_source, part.file.path),
                encoding=part.encoding or "",
                crs=f"{part.crs} ({part.crs_origin})" if part.crs else "",
                rows=part.rows if part.kind != "raster" else None,
                dataset=dataset,
                part=part,
            )


def _unused(inventory: Inventory) -> list[FileRow]:
    """Return one row for each file and product whose layers are known but not used."""
    groups: dict[tuple[str, str], list[UnusedLayer]] = {}
    for layer in inventory.unused:
        groups.setdefault((layer.file, layer.product), []).append(layer)
    used = {part.file.path for dataset in inventory.datasets for part in dataset.parts}
    rows = []
    for (file, key), layers in sorted(groups.items()):
        product = product_called(key)
        ko, en = (product.ko, product.en) if product else (key, key)
        many = len(layers) > 1
        rows.append(
            FileRow(
                file,
                "unused",
                f"{ko}{f' ({len(layers)}개 레이어)' if many else ''}: 쓰지 않음",
                f"{en}{f' ({len(layers)} layers)' if many else ''}: not used",
                () if file in used else _problems(inventory, file, *(layer.data_source for layer in layers)),
                rows=sum(layer.rows for layer in layers),
            )
        )
    return rows


def _layer(part: LayerPart) -> str:
    if part.layer is None or Path(part.data_source).stem == part.layer or part.kind == "city":
        return ""
    return f" : {part.layer}"


def _title(dataset: Dataset) -> tuple[str, str]:
    product = product_called(dataset.product)
    ko, en = (product.ko, product.en) if product else ROLE_TITLES[dataset.role]
    if product is None:
        ko, en = f"{ko} (사이트 파일)", f"{en} (site file)"
    return ko + (f" [{dataset.vintage}]" if dataset.vintage else ""), en
