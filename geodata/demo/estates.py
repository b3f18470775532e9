"""Apartment estates (단지) and school grounds: buildings set out by design inside one large parcel."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.demo.subdivide import boxes_at, frames

_SHAPE_NAMES = ("햇살", "푸른", "새봄", "한내", "가온", "다온", "늘솔", "은빛", "해오름", "미리내")


def _box(centre: np.ndarray, direction: np.ndarray, half_along: float, half_across: float) -> BaseGeometry:
    return boxes_at(centre[None, :], direction[None, :], np.array([half_along]), np.array([half_across]))[0]


def _sunward(block: shapely.Polygon) -> np.ndarray:
    """Return the unit vector of the block's own axis that runs most nearly west to east."""
    along = frames(np.array([block]))[1][0]
    across = np.array([-along[1], along[0]])
    across = across if across[0] >= 0 else -across
    return along if abs(along[0]) >= abs(across[0]) else across


def _slab(at: np.ndarray, east: np.ndarray, units: int, random: np.random.Generator) -> BaseGeometry:
    """Return a slab block (판상형): dwelling pairs side by side, slightly staggered, a stair core on the north."""
    north = np.array([-east[1], east[0]])
    width, depth = 17.5, 12.5
    parts = []
    step = random.choice([0.0, 1.2, 1.8])
    for index in range(units):
        middle = at + east * (index - (units - 1) / 2) * width + north * step * (index % 2)
        parts.append(_box(middle, east, width / 2 + 0.05, depth / 2))
        parts.append(_box(middle + north * (depth / 2 + 1.2), east, 3.2, 1.5))
    return shapely.union_all(parts)


def _tower(at: np.ndarray, east: np.ndarray, random: np.random.Generator) -> BaseGeometry:
    """Return a point block (타워형): three or four wings round a core."""
    wings = 3 if random.random() < 0.55 else 4
    turn = random.choice([0.0, 0.5]) * np.pi / wings + np.arctan2(east[1], east[0])
    parts = [_box(at, east, 5.5, 5.5)]
    for index in range(wings):
        angle = turn + 2 * np.pi * index / wings
        direction = np.array([np.cos(angle), np.sin(angle)])
        parts.append(_box(at + direction * 9.5, direction, 7.5, 6.2))
    return shapely.union_all(parts)


def _estate(block: shapely.Polygon, random: np.random.Generator) -> list[tuple[BaseGeometry, str, int, float]]:
    """Return (footprint, type, floors, height) of the buildings of one estate: the fullest of three settings."""
    style = str(random.choice(["slab", "tower", "mixed"], p=[0.45, 0.25, 0.30]))
    base = int(random.integers(17, 27))
    settings = [_set_out(block, style, base, random) for _ in range(3)]
    return max(settings, key=lambda homes: sum(shape.area * floors for shape, _, floors, _ in homes))


def _set_out(
    block: shapely.Polygon, style: str, base: int, random: np.random.Generator
) -> list[tuple[BaseGeometry, str, int, float]]:
    """Set out rows of slabs or points across the block, as far apart as their height asks for."""
    east = _sunward(block)
    north = np.array([-east[1], east[0]])
    centre = shapely.get_coordinates(block.centroid)[0]
    local = shapely.get_coordinates(block.exterior) - centre
    low_e, high_e = (local @ east).min(), (local @ east).max()
    low_n, high_n = (local @ north).min(), (local @ north).max()
    inner = shapely.buffer(block, -11.0)
    shapely.prepare(inner)
    turn = np.deg2rad(random.choice([0.0, 0.0, -22.0, 22.0])) if style != "slab" else 0.0
    face = east * np.cos(turn) + north * np.sin(turn)
    found: list[tuple[BaseGeometry, str, int, float]] = []
    row_gap = 13 + (0.62 * base * 2.9 if style != "tower" else 34)
    rows = np.arange(low_n + 18 + random.uniform(0, 16), high_n - 12, row_gap)
    for number, row in enumerate(rows):
        towers = style == "tower" or (style == "mixed" and number < len(rows) / 2)
        at = low_e + 12 + (0.5 * 56 if towers and number % 2 else 0) + random.uniform(0, 8)
        while at < high_e - 12:
            longest = 1 if towers else int(random.choice([2, 3, 4], p=[0.30, 0.42, 0.28]))
            for units in range(longest, min(longest, 2) - 1, -1):
                span = 30.0 if towers else units * 17.5
                middle = centre + east * (at + span / 2) + north * row
                shape = _tower(middle, face, random) if towers else _slab(middle, east, units, random)
                if inner.contains(shape) and all(shape.distance(other) > 11 for other, *_ in found):
                    floors = int(np.clip(base + random.integers(-3, 3) + (7 if towers else 0), 10, 42))
                    found.append(
                        (
                            shape,
                            "tower" if towers else "slab",
                            floors,
                            round(floors * 2.85 + random.uniform(2.5, 4.5), 1),
                        )
                    )
                    at += span + (24.0 if towers else 14.0) + random.uniform(0, 4) - 6.0
                    break
            at += 6.0
    return found


def _fitted(
    block: shapely.Polygon,
    taken: list[BaseGeometry],
    half: tuple[float, float],
    edge: bool,
    random: np.random.Generator,
) -> BaseGeometry | None:
    """Find room for a low building, near the block's edge or in its middle; None when there is none."""
    east = _sunward(block)
    room: BaseGeometry = shapely.buffer(block, -(8.0 if edge else 17.0))
    if taken:
        room = shapely.difference(room, shapely.buffer(shapely.union_all(taken), 7.0))
    west, south, far_east, far_north = block.bounds
    points = np.column_stack([random.uniform(west, far_east, 60), random.uniform(south, far_north, 60)])
    boxes = boxes_at(points, np.repeat(east[None, :], 60, axis=0), np.full(60, half[0]), np.full(60, half[1]))
    fits = np.flatnonzero(shapely.contains(room, boxes))
    if len(fits) == 0:
        return None
    rank = shapely.distance(boxes[fits], block.boundary)
    return boxes[fits[np.argmin(rank) if edge else np.argmax(rank)]]


def estate_buildings(parcels: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return the buildings of all apartment parcels; columns as `footprints.ordinary_buildings`."""
    rows = []
    for number, parcel in enumerate(np.flatnonzero((parcels["purpose"] == "apartment").to_numpy())):
        block = parcels["geometry"].iloc[parcel]
        homes = _estate(block, random)
        year = int(random.integers(2016, 2026))
        title = f"가상{_SHAPE_NAMES[number % len(_SHAPE_NAMES)]}마을 {number + 1}단지"
        order = sorted(homes, key=lambda home: (-round(home[0].centroid.y, 1), home[0].centroid.x))
        for index, (shape, kind, floors, height) in enumerate(order):
            rows.append(
                (parcel, kind, "02001", "아파트", "21", floors, 2, height, year, title, f"{101 + index}동", shape)
            )
        taken = [home[0] for home in homes]
        extras = [
            ((15.0, 9.0), False, "11000", "노유자시설", 2, 8.5, "주민공동시설"),
            ((11.0, 7.5), False, "11000", "노유자시설", 1, 5.0, "어린이집"),
            ((19.0, 6.5), True, "03000", "제1종근린생활시설", 3, 12.0, "상가동"),
            ((2.2, 1.6), True, "02001", "아파트", 1, 3.2, "경비실"),
        ]
        for half, edge, code, use, floors, height, part in extras if block.area > 9_000 else extras[2:]:
            found = _fitted(block, taken, half, edge, random)
            if found is not None:
                taken.append(found)
                below = 1 if floors > 1 else 0
                rows.append((parcel, "annex", code, use, "21", floors, below, height, year, title, part, found))
    return _frame(rows)


def school_buildings(parcels: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return the buildings of all school parcels: class wings along the north, a hall beside the yard."""
    rows = []
    for number, parcel in enumerate(np.flatnonzero((parcels["purpose"] == "school").to_numpy())):
        block = parcels["geometry"].iloc[parcel]
        east, inner = _sunward(block), shapely.buffer(block, -7.0)
        north = np.array([-east[1], east[0]])
        centre = shapely.get_coordinates(block.centroid)[0]
        local = shapely.get_coordinates(block.exterior) - centre
        half_e, high_n = np.abs(local @ east).max(), (local @ north).max()
        year = int(random.integers(2014, 2025))
        title = f"가상{_SHAPE_NAMES[number % len(_SHAPE_NAMES)]}{('초등학교', '중학교', '고등학교')[number % 3]}"
        main = None
        for share in (0.62, 0.5, 0.4, 0.3, 0.22):
            for back in (18.0, 26.0, 36.0):
                at, half = centre + north * (high_n - back), half_e * share
                bar = _box(at, east, half, 7.0)
                wing = _box(at + east * (half - 6.5) * random.choice([-1, 1]) - north * 15.0, east, 6.5, 15.0)
                shape = shapely.union_all([bar, wing])
                if inner.contains(shape) and main is None:
                    main = shape
        if main is None:
            main = _fitted(block, [], (14.0, 6.0), False, random)
        if main is None:
            continue
        floors = int(random.choice([4, 5]))
        rows.append(
            (parcel, "school", "10000", "교육연구시설", "21", floors, 1, floors * 3.9, year, title, "본관", main)
        )
        hall = _fitted(block, [main], (15.0, 11.0), True, random)
        if hall is not None:
            rows.append((parcel, "school", "10000", "교육연구시설", "31", 2, 0, 11.5, year, title, "체육관", hall))
    return _frame(rows)


def _frame(rows: list[tuple]) -> pd.DataFrame:
    names = [
        "parcel",
        "kind",
        "use_code",
        "use",
        "structure_code",
        "floors_above",
        "floors_below",
        "height_m",
        "year",
        "name",
        "part",
        "geometry",
    ]
    return pd.DataFrame(rows, columns=names)
