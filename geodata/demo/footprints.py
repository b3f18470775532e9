"""Building footprints on ordinary plots: houses, shops, workshops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from geodata.demo.subdivide import boxes_at, frames, polygon_parts


@dataclass(frozen=True)
class Kind:
    """What is built on a plot of one purpose."""

    use_code: str
    use: str
    coverage: tuple[float, float]
    setback_m: float
    floors: tuple[int, ...]
    weights: tuple[float, ...]
    storey_m: tuple[float, float]
    structures: tuple[str, ...]
    years: tuple[int, int]
    built: float = 1.0
    """Share of the plots that are built on."""
    bent: float = 0.0
    """Share of the footprints with a corner missing."""
    second: float = 0.0
    """Share of the plots with a second, smaller building."""
    below: float = 0.0
    """Share of the buildings with a basement."""


STRUCTURES = {
    "11": "벽돌구조",
    "12": "블록구조",
    "21": "철근콘크리트구조",
    "31": "일반철골구조",
    "32": "경량철골구조",
    "34": "공업화박판강구조(PEB)",
    "41": "철골콘크리트구조",
    "42": "철골철근콘크리트구조",
    "51": "일반목구조",
}

KINDS: dict[str, Kind] = {
    "house": Kind(
        "01000",
        "단독주택",
        (0.24, 0.44),
        1.2,
        (1, 2),
        (0.68, 0.32),
        (3.0, 3.5),
        ("11", "11", "21", "51", "12"),
        (1966, 2019),
        0.97,
        0.35,
        0.38,
        0.05,
    ),
    "barn": Kind(
        "21000",
        "동물및식물관련시설",
        (0.25, 0.5),
        1.5,
        (1,),
        (1.0,),
        (3.6, 5.2),
        ("32", "12", "32"),
        (1985, 2018),
        0.95,
        0.1,
        0.3,
    ),
    "detached": Kind(
        "01003",
        "다가구주택",
        (0.44, 0.58),
        1.0,
        (2, 3, 4),
        (0.34, 0.46, 0.20),
        (2.9, 3.2),
        ("21", "21", "51"),
        (2012, 2025),
        0.95,
        0.4,
        0.0,
        0.2,
    ),
    "villa": Kind(
        "02003",
        "다세대주택",
        (0.54, 0.66),
        0.6,
        (2, 3, 4, 5),
        (0.18, 0.30, 0.34, 0.18),
        (2.8, 3.0),
        ("21", "11", "21"),
        (1983, 2021),
        0.98,
        0.25,
        0.0,
        0.5,
    ),
    "corner_shop": Kind(
        "03000",
        "제1종근린생활시설",
        (0.5, 0.64),
        0.7,
        (2, 3, 4, 5),
        (0.2, 0.4, 0.3, 0.1),
        (3.3, 3.9),
        ("21", "31", "11"),
        (1988, 2025),
        0.97,
        0.3,
        0.0,
        0.5,
    ),
    "shop": Kind(
        "04000",
        "제2종근린생활시설",
        (0.56, 0.72),
        1.2,
        (4, 5, 6, 7, 8, 10),
        (0.14, 0.24, 0.26, 0.18, 0.12, 0.06),
        (3.6, 4.2),
        ("21", "42", "21"),
        (2013, 2025),
        0.94,
        0.2,
        0.0,
        0.95,
    ),
    "business": Kind(
        "14000",
        "업무시설",
        (0.44, 0.6),
        4.5,
        (6, 8, 10, 12, 15),
        (0.22, 0.26, 0.24, 0.18, 0.10),
        (3.9, 4.4),
        ("42", "21", "31"),
        (2015, 2025),
        0.92,
        0.35,
        0.12,
        1.0,
    ),
    "factory": Kind(
        "17000",
        "공장",
        (0.36, 0.58),
        2.0,
        (1, 2),
        (0.8, 0.2),
        (6.0, 9.5),
        ("31", "32", "34"),
        (1988, 2023),
        0.96,
        0.22,
        0.5,
        0.02,
    ),
    "warehouse": Kind(
        "18000",
        "창고시설",
        (0.38, 0.6),
        2.0,
        (1, 2),
        (0.9, 0.1),
        (6.5, 10.0),
        ("31", "34", "32"),
        (1992, 2024),
        0.96,
        0.12,
        0.32,
    ),
    "church": Kind(
        "06000",
        "종교시설",
        (0.36, 0.5),
        1.2,
        (2, 3, 4),
        (0.5, 0.35, 0.15),
        (3.8, 4.8),
        ("21", "11"),
        (1978, 2020),
        1.0,
        0.35,
        0.1,
        0.5,
    ),
    "public": Kind(
        "14000",
        "업무시설",
        (0.24, 0.36),
        6.0,
        (3, 4, 5, 6),
        (0.25, 0.35, 0.25, 0.15),
        (3.9, 4.3),
        ("21", "42"),
        (2014, 2025),
        1.0,
        0.5,
        0.25,
        1.0,
    ),
    "fuel": Kind(
        "19000",
        "위험물저장및처리시설",
        (0.16, 0.26),
        3.0,
        (1, 2),
        (0.7, 0.3),
        (4.2, 5.2),
        ("31",),
        (1990, 2018),
        1.0,
        0.0,
        0.6,
    ),
}
ACCESSORY = {
    "house": ("18000", "창고시설", 2.6),
    "barn": ("21000", "동물및식물관련시설", 3.0),
    "factory": ("17000", "공장", 5.0),
    "warehouse": ("18000", "창고시설", 5.0),
    "business": ("03000", "제1종근린생활시설", 4.4),
    "church": ("06000", "종교시설", 4.0),
    "public": ("11000", "노유자시설", 4.4),
    "fuel": ("20000", "자동차관련시설", 4.5),
}


def ordinary_buildings(parcels: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return buildings on all plots whose purpose is in `KINDS`.

    Columns parcel (position), kind, use_code, use, structure_code, floors_above, floors_below, height_m, year, geometry.
    """
    found = []
    for name, kind in KINDS.items():
        mine = np.flatnonzero(
            (parcels["purpose"] == name).to_numpy() & (shapely.area(parcels["geometry"].to_numpy()) > 45)
        )
        mine = mine[random.random(len(mine)) < kind.built]
        if len(mine) == 0:
            continue
        plots = parcels["geometry"].to_numpy()[mine]
        main = _main(plots, kind, random)
        solid = shapely.area(main) > 14
        found.append(_described(main[solid], mine[solid], name, kind, random))
        if kind.second > 0:
            chosen = solid & (random.random(len(mine)) < kind.second)
            annex = _annex(plots[chosen], main[chosen], kind, random)
            standing = shapely.area(annex) > 9
            rows = _described(annex[standing], mine[chosen][standing], name, kind, random)
            code, use, height = ACCESSORY[name]
            rows["use_code"], rows["use"], rows["floors_above"], rows["floors_below"] = code, use, 1, 0
            rows["height_m"] = np.round(height * random.uniform(0.9, 1.25, len(rows)), 1)
            found.append(rows)
    return pd.concat(found, ignore_index=True)


def largest_part(shapes: np.ndarray) -> np.ndarray:
    """Return the largest polygon of each shape; an empty polygon where there is none."""
    parts, owner = polygon_parts(shapes, np.arange(len(shapes)))
    best = (
        pd.DataFrame({"owner": owner, "area": shapely.area(parts)})
        .sort_values(["owner", "area"], kind="stable")
        .drop_duplicates("owner", keep="last")
    )
    out = np.full(len(shapes), shapely.Polygon(), dtype=object)
    out[best["owner"].to_numpy()] = parts[best.index.to_numpy()]
    return out


def _main(plots: np.ndarray, kind: Kind, random: np.random.Generator) -> np.ndarray:
    """Return the main buildings: the plot's own rectangle, shrunk to the wanted coverage and kept off the limits."""
    n = len(plots)
    centre, along, length, breadth = frames(plots)
    share = random.uniform(*kind.coverage, n)
    box = shapely.area(plots) / np.maximum(length * breadth, 1.0)
    factor = np.sqrt(share / np.maximum(box, 0.35)) * random.uniform(0.97, 1.05, n)
    slack = np.clip(1 - factor, 0, 1) / 2
    across = np.column_stack([-along[:, 1], along[:, 0]])
    across[across[:, 1] < 0] *= -1  # towards north: the garden lies in the sun
    shift = (
        along * (random.uniform(-0.6, 0.6, n) * slack * length)[:, None]
        + across * (random.uniform(-0.1, 0.7, n) * slack * breadth)[:, None]
    )
    a, b = length * factor / 2, breadth * factor / 2
    rectangles = boxes_at(centre + shift, along, a, b)
    bent = random.random(n) < kind.bent
    corner = np.sign(random.random((n, 2)) - 0.5)
    cut = random.uniform(0.3, 0.5, (n, 2))
    at = (
        centre
        + shift
        + along * (corner[:, 0] * a)[:, None]
        + np.column_stack([-along[:, 1], along[:, 0]]) * (corner[:, 1] * b)[:, None]
    )
    notch = boxes_at(at, along, a * cut[:, 0] * 1.6, b * cut[:, 1] * 1.6)
    rectangles = np.where(bent, shapely.difference(rectangles, notch), rectangles)
    inset = shapely.buffer(plots, -kind.setback_m, join_style="mitre")
    return largest_part(shapely.simplify(shapely.intersection(rectangles, inset), 0.12))


def _annex(plots: np.ndarray, main: np.ndarray, kind: Kind, random: np.random.Generator) -> np.ndarray:
    """Return a smaller building in the larger remaining corner of the plot."""
    n = len(plots)
    inset = shapely.buffer(plots, -max(kind.setback_m, 0.8), join_style="mitre")
    free = largest_part(shapely.difference(inset, shapely.buffer(main, 1.6, join_style="mitre")))
    usable = shapely.area(free) > 14
    out = np.full(n, shapely.Polygon(), dtype=object)
    if not usable.any():
        return out
    room = free[usable]
    centre, along, length, breadth = frames(room)
    size = random.uniform(0.3, 0.62, (len(room), 2))
    end = np.sign(random.random(len(room)) - 0.5) * random.uniform(0.15, 0.3, len(room))
    boxes = boxes_at(
        centre + along * (end * length)[:, None], along, length * size[:, 0] / 2, breadth * (size[:, 1] + 0.3) / 2
    )
    out[usable] = largest_part(shapely.simplify(shapely.intersection(boxes, room), 0.12))
    return out


def _described(
    shapes: np.ndarray, parcel: np.ndarray, name: str, kind: Kind, random: np.random.Generator
) -> pd.DataFrame:
    n = len(shapes)
    floors = random.choice(kind.floors, n, p=np.array(kind.weights) / sum(kind.weights))
    floors = np.where(shapely.area(shapes) < 30, np.minimum(floors, 2), floors)
    below = (random.random(n) < kind.below) * (1 + (floors > 5) * random.integers(0, 3, n))
    height = floors * random.uniform(*kind.storey_m, n) + random.uniform(0.2, 1.4, n)
    return pd.DataFrame(
        {
            "parcel": parcel,
            "kind": name,
            "use_code": kind.use_code,
            "use": kind.use,
            "structure_code": random.choice(np.array(kind.structures), n),
            "floors_above": floors,
            "floors_below": below,
            "height_m": np.round(height, 1),
            "year": random.integers(kind.years[0], kind.years[1] + 1, n),
            "name": "",
            "part": "",
            "geometry": shapes,
        }
    )
