"""The land-use plan for the same ground, and the project boundary it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.demo.layout import URBAN, Layout
from geodata.demo.plots import BLOCK_CUTS, block_uses
from geodata.demo.shapefile import write_shapefiles
from geodata.demo.spec import CRS, Design
from geodata.demo.subdivide import Cut, polygon_parts, subdivide

USES: dict[str, tuple[str, str, float, float, int]] = {
    # name, letter, floor area ratio %, coverage %, floors
    "apartment": ("공동주택용지", "A", 210.0, 50.0, 29),
    "detached": ("단독주택용지", "D", 150.0, 60.0, 4),
    "shop": ("상업업무용지", "C", 600.0, 70.0, 15),
    "business": ("자족시설용지", "J", 400.0, 60.0, 12),
    "school": ("학교용지", "S", 150.0, 50.0, 5),
    "public": ("공공청사용지", "B", 250.0, 60.0, 7),
    "park": ("공원", "P", 0.0, 0.0, 0),
    "green": ("녹지", "G", 0.0, 0.0, 0),
    "stream": ("하천", "W", 0.0, 0.0, 0),
    "road": ("도로", "R", 0.0, 0.0, 0),
}

FRESH_SHARES = {"shop": 0.05, "school": 0.05, "park": 0.30, "public": 0.03, "business": 0.22, "detached": 0.10}
"""Uses of the blocks laid out anew: more parks and workplaces than in the quarter that stands."""


def write_district(inbox: Path, design: Design, layout: Layout) -> dict[str, Any]:
    """Write the project boundary as ``LT_C_LHZONE.zip``."""
    frame = gpd.GeoDataFrame(
        {"zonename": [design.title_ko], "zonecode": ["DEMO0001"]}, geometry=[layout.district], crs=CRS
    )
    write_shapefiles(inbox / "LT_C_LHZONE.zip", [("LT_C_LHZONE", frame)])
    return {"rows": 1, "area_m2": round(layout.district.area, 1)}


def write_plan(
    inbox: Path, design: Design, layout: Layout, parcels: gpd.GeoDataFrame, random: np.random.Generator
) -> dict[str, Any]:
    """Write ``LH_토지이용계획.zip``: blocks of the plan within the project boundary, and return its sums."""
    shapes, use = _planned(design, layout, parcels, random)
    parts, owner = polygon_parts(shapely.intersection(shapes, layout.district), np.arange(len(shapes)), 150.0)
    between = shapely.difference(layout.district, shapely.union_all(parts))
    # hairlines between blocks are rounding, not roads
    opened = shapely.get_parts(
        shapely.buffer(shapely.buffer(between, -0.4, join_style="mitre"), 0.4, join_style="mitre")
    )
    clear = np.asarray(shapely.difference(opened[shapely.area(opened) > 400], shapely.union_all(parts)))
    roads, _ = polygon_parts(clear, np.arange(len(clear)), 200.0)
    shapes = np.concatenate([parts, roads])
    use = np.concatenate([use[owner], np.full(len(roads), "road")])
    order = np.lexsort(
        (shapely.get_x(shapely.centroid(shapes)).round(), -shapely.get_y(shapely.centroid(shapes)).round(), use)
    )
    shapes, use = shapes[order], use[order]
    rules = pd.DataFrame([USES[name] for name in use], columns=["name", "letter", "far", "bcr", "floors"])
    area = shapely.area(shapes)
    rules["far"] += np.where(rules["letter"] == "A", random.choice([-20.0, 0.0, 10.0, 20.0], len(rules)), 0.0)
    rules["floors"] += np.where(rules["letter"] == "A", random.integers(-6, 10, len(rules)), 0)
    weight = np.where(use == "apartment", area * rules["far"] / 100, np.where(use == "detached", area * 0.22, 0.0))
    share = weight / weight.sum() * design.homes
    homes = np.floor(share).astype(int)
    homes[np.argsort(-(share - homes), kind="stable")[: design.homes - homes.sum()]] += 1
    number = rules.groupby("letter").cumcount() + 1
    frame = gpd.GeoDataFrame(
        {
            "블록명": rules["letter"] + "-" + number.astype("str"),
            "용도": rules["name"],
            "면적": area.round(1),
            "용적률": rules["far"],
            "건폐율": rules["bcr"],
            "최고층수": rules["floors"].astype(int),
            "세대수": homes,
            "비고": "가상 데이터",
        },
        geometry=shapes,
        crs=CRS,
    )
    write_shapefiles(inbox / "LH_토지이용계획.zip", [("LH_토지이용계획", frame)])
    by_use = pd.Series(area).groupby(rules["name"].to_numpy()).sum().round(1)
    return {
        "rows": len(frame),
        "homes": int(homes.sum()),
        "area_m2": round(float(area.sum()), 1),
        "area_by_use_m2": {k: float(v) for k, v in by_use.items()},
    }


def _planned(
    design: Design, layout: Layout, parcels: gpd.GeoDataFrame, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Blocks that stand already keep their use; the country between them is laid out anew."""
    blocks = layout.superblocks
    shapes, kind = blocks.geometry.to_numpy(), blocks["kind"].to_numpy()
    urban = np.isin(blocks["zone"], URBAN)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    plots = parcels[
        parcels["purpose"].isin(
            ["apartment", "school", "public", "park", "green", "shop", "business", "detached", "villa", "corner_shop"]
        )
    ]
    points = shapely.point_on_surface(plots.geometry.to_numpy())
    town = shapely.union_all(shapes[(kind == "land") & urban])
    shapely.prepare(town)
    plots = plots[shapely.contains(town, points)]
    use = plots["purpose"].replace({"villa": "detached", "corner_shop": "detached"})
    standing = plots.geometry.groupby([plots["block"], use]).apply(lambda group: shapely.union_all(group.to_numpy()))
    found.append((standing.to_numpy(), standing.index.get_level_values(1).to_numpy(dtype="<U10")))
    country = shapes[(kind == "land") & ~urban]
    cut = BLOCK_CUTS["newtown"]
    fresh, *_ = subdivide(
        country, Cut(cut.area_m2 * 0.8 * design.block_scale, cut.aspect, 15.0, cut.off_middle, cut.tilt_deg), random
    )
    eased = shapely.intersection(shapely.buffer(shapely.buffer(fresh, -7, quad_segs=3), 7, quad_segs=3), fresh)
    fresh, _ = polygon_parts(shapely.simplify(eased, 0.1), np.arange(len(fresh)), 150.0)
    found.append((fresh, block_uses(design, layout, fresh, random, FRESH_SHARES)))
    found.append((shapes[kind == "forest"], np.full(int((kind == "forest").sum()), "park")))
    found.append((shapes[kind == "stream"], np.full(int((kind == "stream").sum()), "stream")))
    return np.concatenate([s for s, _ in found]), np.concatenate([u for _, u in found]).astype("<U10")
