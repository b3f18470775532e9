"""From superblocks to parcels: blocks, their use, and the plots they are divided into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import ndimage

from geodata.demo.coverage import as_coverage, bent
from geodata.demo.layout import URBAN, Layout, centre_points, zone_at
from geodata.demo.relief import smooth_noise
from geodata.demo.spec import CRS, Design
from geodata.demo.subdivide import Cut, frames, polygon_parts, subdivide

JIMOK = {
    "main_road": "도",
    "road": "도",
    "lane": "도",
    "track": "도",
    "stream": "천",
    "ditch": "구",
    "forest": "임",
    "grave": "묘",
    "paddy": "답",
    "field": "전",
    "greenhouse": "전",
    "orchard": "과",
    "vacant": "잡",
    "house": "대",
    "barn": "대",
    "detached": "대",
    "corner_shop": "대",
    "villa": "대",
    "shop": "대",
    "apartment": "대",
    "school": "학",
    "park": "공",
    "green": "공",
    "factory": "장",
    "warehouse": "창",
    "business": "대",
    "public": "대",
    "parking": "차",
    "church": "종",
    "fuel": "주",
    "sports": "체",
}
"""Sign of the land category (jimok) of each purpose a parcel can have."""

STREETS = ("main_road", "road", "lane", "track")
"""Purposes of street land."""

BLOCK_CUTS = {
    "newtown": Cut(46_000, aspect=1.25, gap_m=15.0, off_middle=0.08, tilt_deg=3.0),
    "country": Cut(36_000, aspect=1.5, gap_m=5.0, off_middle=0.14, tilt_deg=11.0),
}
LANE_CUTS = {
    "detached": Cut(2_500, aspect=2.3, gap_m=8.0, off_middle=0.03, tilt_deg=1.0, spread=0.15, narrowest_m=26.0),
    "old_town": Cut(2_200, aspect=2.0, gap_m=5.5, off_middle=0.09, tilt_deg=4.0, narrowest_m=18.0),
    "village": Cut(4_200, aspect=1.8, gap_m=4.0, off_middle=0.16, tilt_deg=15.0, narrowest_m=20.0),
    "factory": Cut(8_500, aspect=1.7, gap_m=7.0, off_middle=0.10, tilt_deg=6.0, narrowest_m=35.0),
    "field": Cut(16_000, aspect=2.2, gap_m=3.5, off_middle=0.08, tilt_deg=5.0, narrowest_m=40.0),
    "shop": Cut(6_500, aspect=1.8, gap_m=10.0, off_middle=0.04, tilt_deg=1.0, narrowest_m=28.0),
    "business": Cut(14_000, aspect=1.4, gap_m=12.0, off_middle=0.05, tilt_deg=1.0, narrowest_m=40.0),
}
PLOT_CUTS = {
    "detached": Cut(246, aspect=1.3, off_middle=0.03, tilt_deg=1.0, spread=0.15),
    "old_town": Cut(150, aspect=1.35, off_middle=0.09, tilt_deg=3.0, spread=0.3),
    "village": Cut(350, aspect=1.4, off_middle=0.16, tilt_deg=11.0, spread=0.45),
    "factory": Cut(800, aspect=1.5, off_middle=0.12, tilt_deg=4.0, spread=0.5),
    "field": Cut(640, aspect=3.0, off_middle=0.08, tilt_deg=3.0, spread=0.4),
    "shop": Cut(640, aspect=1.4, off_middle=0.06, spread=0.35),
    "business": Cut(5_200, aspect=1.3, off_middle=0.08, spread=0.4),
    "street": Cut(800, aspect=5.0, off_middle=0.1, spread=0.5),
    "stream": Cut(2_600, aspect=4.0, off_middle=0.1, spread=0.4),
}


class _Pieces:
    """Collects pieces of land with their purpose and the block they belong to."""

    def __init__(self) -> None:
        self._found: list[pd.DataFrame] = []
        self._blocks = 0

    def add(self, shapes: np.ndarray, purpose: np.ndarray | str, block: np.ndarray | None = None) -> None:
        if len(shapes) == 0:
            return
        block = np.zeros(len(shapes), dtype=int) if block is None else np.asarray(block)
        self._found.append(pd.DataFrame({"geometry": shapes, "purpose": purpose, "block": block + self._blocks}))
        self._blocks += int(block.max()) + 1

    def frame(self) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame(pd.concat(self._found, ignore_index=True), geometry="geometry", crs=CRS)


def _plot_cut(zone: str, design: Design) -> Cut:
    """How plots of ``zone`` are cut on this site."""
    cut = PLOT_CUTS[zone]
    return replace(cut, area_m2=cut.area_m2 * design.plot_scale)


def build_parcels(design: Design, layout: Layout, random: np.random.Generator) -> gpd.GeoDataFrame:
    """Divide the ground into parcels.

    Returns
    -------
    GeoDataFrame
        purpose, block, geometry. Parcels share their vertices, cover the ground and do not overlap.
    """
    pieces = _Pieces()
    blocks = layout.superblocks
    shapes, kind, zone = blocks.geometry.to_numpy(), blocks["kind"].to_numpy(), blocks["zone"].to_numpy()
    streets, *_ = subdivide(np.array([layout.roads]), _plot_cut("street", design), random)
    pieces.add(streets, "main_road", np.arange(len(streets)) // 6)
    reaches, owner, *_ = subdivide(shapes[kind == "stream"], PLOT_CUTS["stream"], random)
    pieces.add(reaches, "stream", owner)
    _forest(pieces, layout, shapes[kind == "forest"], random)
    land = kind == "land"
    island = land & (shapely.area(shapes) < 1_000)
    pieces.add(shapes[island], "green", np.arange(int(island.sum())))
    land = land & ~island
    town = land & (zone == "newtown")
    _newtown(pieces, design, layout, shapes[town], random)
    for name in ("detached", "old_town"):
        _small_plots(pieces, design, layout, shapes[land & (zone == name)], random, zone=name)
    _country(pieces, design, layout, shapes[land & ~np.isin(zone, URBAN)], random)
    parcels = as_coverage(pieces.frame())
    return bent(design, layout, parcels, random)


def _lanes(pieces: _Pieces, shapes: np.ndarray, cut: Cut, purpose: str, random: np.random.Generator) -> np.ndarray:
    """Cut blocks by lanes; the lanes become parcels, the pieces between them are returned."""
    blocks, _, lanes, owner = subdivide(shapes, cut, random)
    pieces.add(lanes, purpose, owner)
    return blocks


def _forest(pieces: _Pieces, layout: Layout, woods: np.ndarray, random: np.random.Generator) -> None:
    """Divide the woods into lots: irregular cells with curved limits, some of them graves."""
    if len(woods) == 0:
        return
    cells = organic_cells(layout, 4_800.0, random)
    lots, owner = intersected(woods, cells)
    area = shapely.area(lots)
    purpose = np.where((area > 900) & (area < 6_000) & (random.random(len(lots)) < 0.05), "grave", "forest")
    pieces.add(lots, purpose, owner)


def organic_cells(layout: Layout, area_m2: float, random: np.random.Generator) -> np.ndarray:
    """Return cells of about ``area_m2`` that cover the ground, with limits that wind like ridges and gullies."""
    west, south, east, north = np.asarray(layout.ground.bounds) + np.array([-1, -1, 1, 1]) * 150.0
    count = int((east - west) * (north - south) / area_m2)
    seeds = np.column_stack([random.uniform(west, east, count), random.uniform(south, north, count)])
    cells = shapely.voronoi_polygons(shapely.MultiPoint(seeds), only_edges=True, extend_to=layout.ground)
    edges = np.asarray(shapely.segmentize(shapely.get_parts(shapely.node(cells)), 14.0))
    step, size = 20.0, float(np.sqrt(area_m2))
    shape = (int((north - south) / step) + 8, int((east - west) / step) + 8)
    waves = [smooth_noise(shape, size * 0.75 / step, random) * size * 0.085 for _ in range(2)]

    def wind(xy: np.ndarray) -> np.ndarray:
        at = [(north - xy[:, 1]) / step, (xy[:, 0] - west) / step]
        return xy + np.column_stack([ndimage.map_coordinates(wave, at, order=1, mode="nearest") for wave in waves])

    return shapely.get_parts(shapely.polygonize(list(shapely.transform(edges, wind))))


def intersected(shapes: np.ndarray, cells: np.ndarray, smallest_m2: float = 1e-3) -> tuple[np.ndarray, np.ndarray]:
    """Return the parts of ``shapes`` in each of ``cells`` and what remains outside all cells, with the shape's position."""
    owner, cell = shapely.STRtree(cells).query(shapes, predicate="intersects")
    parts, part_owner = polygon_parts(shapely.intersection(shapes[owner], cells[cell]), owner, smallest_m2)
    covered = shapely.union_all(cells)
    rest, rest_owner = polygon_parts(shapely.difference(shapes, covered), np.arange(len(shapes)), smallest_m2)
    return np.concatenate([parts, rest]), np.concatenate([part_owner, rest_owner])


def _newtown(pieces: _Pieces, design: Design, layout: Layout, shapes: np.ndarray, random: np.random.Generator) -> None:
    """Divide the planned quarter: streets between rounded blocks, and the use of every block."""
    small = design.block_scale
    cut = BLOCK_CUTS["newtown"]
    blocks, owner, _, _ = subdivide(
        shapes, Cut(cut.area_m2 * small, cut.aspect, cut.gap_m * max(small, 0.8), cut.off_middle, cut.tilt_deg), random
    )
    again = random.random(len(blocks)) < 0.42
    finer, fine_owner, _, _ = subdivide(
        blocks[again], Cut(15_500 * small, 1.3, 12.0 * max(small, 0.75), 0.06, 1.5), random
    )
    fine_owner = owner[again][fine_owner]
    blocks, owner = np.concatenate([blocks[~again], finer]), np.concatenate([owner[~again], fine_owner])
    eased = shapely.buffer(shapely.buffer(blocks, -7, quad_segs=3), 7, quad_segs=3)
    blocks, position = polygon_parts(
        shapely.simplify(shapely.intersection(eased, blocks), 0.1), np.arange(len(blocks)), 120.0
    )
    order = np.lexsort(centre_points(blocks).round(1).T)
    blocks, owner = blocks[order], owner[position][order]
    gathered = pd.Series(blocks).groupby(owner).apply(lambda group: shapely.union_all(group.to_numpy()))
    left = shapes.copy()
    left[gathered.index.to_numpy()] = shapely.difference(shapes[gathered.index.to_numpy()], gathered.to_numpy())
    streets, street_owner, *_ = subdivide(left, _plot_cut("street", design), random)
    pieces.add(streets, "road", street_owner)
    use = block_uses(design, layout, blocks, random)
    for name in ("apartment", "park", "school", "public", "green"):
        pieces.add(blocks[use == name], name, np.arange(int((use == name).sum())))
    for name in ("shop", "business"):
        inner = _lanes(pieces, blocks[use == name], LANE_CUTS[name], "road", random)
        plots, block, *_ = subdivide(inner, PLOT_CUTS[name], random)
        draw = random.random(len(plots))
        purpose = np.where(draw < 0.05, "parking", name) if name == "shop" else np.where(draw < 0.08, "green", name)
        pieces.add(plots, purpose, block)
    _small_plots(pieces, design, layout, blocks[use == "detached"], random, zone="detached")


BLOCK_SHARES = {"shop": 0.09, "school": 0.085, "park": 0.115, "public": 0.025, "business": 0.10, "detached": 0.08}
"""Share of the planned quarter's blocks by use; the rest are apartments."""


def block_uses(
    design: Design,
    layout: Layout,
    blocks: np.ndarray,
    random: np.random.Generator,
    shares: Mapping[str, float] = BLOCK_SHARES,
) -> np.ndarray:
    """Return the use of each block of the planned quarter.

    Shops stand round the centre, offices along the main roads away from it, parks at stream and hills, schools among
    the homes and never two side by side; the rest are apartments on large blocks and houses on small ones.
    """
    if len(blocks) == 0:
        return np.array([], dtype="<U10")
    area = shapely.area(blocks)
    total = area.sum()
    middle = centre_points(blocks)
    first = next(a for a in design.anchors if a.zone == "newtown")
    to_centre = np.hypot(*(middle - [design.origin[0] + first.x, design.origin[1] + first.y]).T)
    points = shapely.points(middle)
    to_spine = shapely.distance(points, layout.spine)
    to_nature = np.minimum(shapely.distance(points, layout.corridor), shapely.distance(points, layout.woods))
    _, _, length, breadth = frames(blocks)
    use = np.full(len(blocks), "", dtype="<U10")
    reference = 0.5 * np.median(area)

    def take(name: str, score: np.ndarray, share: float, largest: float = np.inf, apart_m: float = 0.0) -> None:
        taken = area[use == name].sum()
        for index in np.argsort(score, kind="stable"):
            if taken >= share * total:
                return
            near = apart_m and (np.hypot(*(middle[use == name] - middle[index]).T) < apart_m).any()
            if use[index] == "" and reference * 0.4 < area[index] < largest and not near:
                use[index] = name
                taken += area[index]

    apart = float(np.sqrt(np.median(area))) * 2.2
    use[(area < reference * 0.4) | (breadth < 22)] = "green"
    take("shop", to_centre * (1 + 0.3 * random.random(len(blocks))), shares["shop"], largest=reference * 4)
    take(
        "school",
        random.random(len(blocks)) + (area > reference * 1.9) * 2 + (length > 2.2 * breadth),
        shares["school"],
        largest=reference * 3.2,
        apart_m=apart,
    )
    take("park", to_nature * (0.6 + 0.8 * random.random(len(blocks))), shares["park"], largest=reference * 3.2)
    take("public", to_centre * (0.5 + random.random(len(blocks))), shares["public"], largest=reference * 1.6)
    take("business", to_spine - 0.6 * to_centre + 150 * random.random(len(blocks)), shares["business"])
    take(
        "detached", -to_centre * (0.4 + random.random(len(blocks))) + (area > reference * 2) * 1000, shares["detached"]
    )
    use[use == ""] = "apartment"
    return use


def _small_plots(
    pieces: _Pieces, design: Design, layout: Layout, shapes: np.ndarray, random: np.random.Generator, *, zone: str
) -> None:
    """Divide quarters of houses: lanes, then plots along them."""
    if len(shapes) == 0:
        return
    inner = _lanes(pieces, shapes, LANE_CUTS[zone], "lane", random)
    draw = random.random(len(inner))
    reserve = (draw < 0.045) & (shapely.area(inner) > 700)
    pieces.add(inner[reserve], np.where(draw[reserve] < 0.03, "park", "parking"), np.arange(int(reserve.sum())))
    plots, block, *_ = subdivide(inner[~reserve], _plot_cut(zone, design), random)
    breadth = frames(plots)[3]
    draw = random.random(len(plots))
    to_road = shapely.distance(shapely.point_on_surface(plots), layout.spine)
    shop = draw < np.where(to_road < 70, 0.30, 0.07)
    purpose = np.where(shop, "corner_shop", "villa" if zone == "old_town" else "detached")
    purpose = np.where(draw > 0.985, "church", np.where((draw > 0.955), "vacant", purpose))
    purpose = np.where((shapely.area(plots) < 60) | (breadth < 6), "green", purpose)
    pieces.add(plots, purpose, block)


def _country(pieces: _Pieces, design: Design, layout: Layout, shapes: np.ndarray, random: np.random.Generator) -> None:
    """Divide everything outside town: villages, workshops and fields, by the nearest anchor."""
    cut = BLOCK_CUTS["country"]
    blocks = _lanes(pieces, shapes, replace(cut, area_m2=cut.area_m2 * design.block_scale), "track", random)
    zone = zone_at(design, centre_points(blocks))
    zone = np.where(np.isin(zone, URBAN), "village", zone)
    wet = (
        np.asarray(shapely.distance(shapely.points(centre_points(blocks)), layout.corridor))
        < 0.42 * design.valley_half_width_m
    )
    for name in ("village", "factory", "field"):
        mine = zone == name
        inner, inner_owner, lanes, lane_owner = subdivide(blocks[mine], LANE_CUTS[name], random)
        pieces.add(lanes, "track" if name == "field" else "lane", lane_owner)
        plots, owner, *_ = subdivide(inner, _plot_cut(name, design), random)
        purpose = _country_purpose(name, plots, owner, wet[mine][inner_owner][owner], random)
        pieces.add(plots, purpose, owner)


def _country_purpose(
    zone: str, plots: np.ndarray, block: np.ndarray, wet: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Return what each country plot is used for; neighbours of one block tend to agree."""
    draw = random.random(len(plots))
    of_block = random.random(int(block.max()) + 1 if len(block) else 0)[block]
    area = shapely.area(plots)
    if zone == "village":
        purpose = np.select(
            [draw < 0.64, draw < 0.68, draw < 0.87, draw < 0.89, draw < 0.93, draw < 0.945, draw < 0.96],
            ["house", "barn", "field", "orchard", "vacant", "church", "corner_shop"],
            "greenhouse",
        )
        purpose = np.where(of_block < 0.16, np.where(draw < 0.3, "house", "field"), purpose)
        return np.where(area < 110, "field", purpose)
    if zone == "factory":
        purpose = np.select(
            [draw < 0.52, draw < 0.78, draw < 0.86, draw < 0.92, draw < 0.95],
            ["factory", "warehouse", "vacant", "parking", "house"],
            "field",
        )
        purpose = np.where(of_block < 0.14, np.where(draw < 0.6, "field", "greenhouse"), purpose)
        purpose = np.where((draw > 0.992) & (area > 600), "fuel", purpose)
        return np.where(area < 180, "vacant", purpose)
    wet = wet | (of_block < 0.12)
    purpose = np.where(wet, "paddy", "field")
    purpose = np.where((of_block > 0.66) & (of_block < 0.88) & (draw < 0.85), "greenhouse", purpose)
    purpose = np.where((of_block > 0.94) & ~wet, "orchard", purpose)
    return np.where((draw > 0.965) & ~wet, "house", np.where((draw > 0.95), "greenhouse", purpose))
