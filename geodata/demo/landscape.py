"""Land cover as a mapper would draw it: yards beside footprints, verges beside lanes, groves inside parks.

All polygons come from cutting parcels, so that the cover fills the ground without gaps or overlaps.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.demo.layout import Layout
from geodata.demo.plots import intersected, organic_cells
from geodata.demo.relief import smooth_noise
from geodata.demo.spec import CRS
from geodata.demo.subdivide import boxes_at, frames, polygon_parts

BUILT = {
    "house": "111",
    "detached": "111",
    "barn": "251",
    "villa": "112",
    "corner_shop": "132",
    "shop": "131",
    "business": "131",
    "factory": "121",
    "warehouse": "121",
    "church": "141",
    "public": "162",
    "fuel": "131",
    "school": "162",
    "apartment": "112",
}
"""Cover class of the built part of a plot."""
GARDEN = {
    "house": (0.75, "222"),
    "detached": (0.7, "423"),
    "villa": (0.22, "423"),
    "corner_shop": (0.2, "423"),
    "shop": (0.12, "423"),
    "business": (0.85, "423"),
    "factory": (0.3, "411"),
    "warehouse": (0.25, "411"),
    "church": (0.6, "423"),
    "public": (0.9, "423"),
    "barn": (0.5, "411"),
    "fuel": (0.2, "423"),
}
"""Share of the plots with a green side, and its class."""


SLIVER_M2 = 0.02
"""Smaller pieces are rounding, not ground; all of them together are less than a doormat."""


class _Cover:
    """Collects cover polygons."""

    def __init__(self) -> None:
        self._found: list[pd.DataFrame] = []

    def add(self, shapes: np.ndarray, code: np.ndarray | str) -> None:
        code = np.broadcast_to(np.asarray(code), (len(shapes),))
        parts, owner = polygon_parts(np.asarray(shapes, dtype=object), np.arange(len(shapes)), SLIVER_M2)
        if len(parts):
            self._found.append(pd.DataFrame({"geometry": parts, "class_code": code[owner]}))

    def split(self, shapes: np.ndarray, tools: np.ndarray, code: np.ndarray | str) -> np.ndarray:
        """Add the part of each shape under its tool as ``code`` and return what remains."""
        self.add(shapely.intersection(shapes, tools), code)
        return shapely.difference(shapes, tools)

    def frame(self) -> gpd.GeoDataFrame:
        rows = pd.concat(self._found, ignore_index=True)
        return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)


def build_land_cover(
    layout: Layout, parcels: gpd.GeoDataFrame, buildings: pd.DataFrame, random: np.random.Generator
) -> gpd.GeoDataFrame:
    """Return cover polygons: class_code (3 digits, text) and geometry."""
    cover = _Cover()
    purpose = parcels["purpose"].to_numpy()
    shapes = parcels.geometry.to_numpy()
    standing = buildings.groupby("parcel")["geometry"].apply(lambda group: shapely.union_all(group.to_numpy()))
    footprints = np.full(len(parcels), shapely.Polygon(), dtype=object)
    footprints[standing.index.to_numpy()] = standing.to_numpy()

    for name in GARDEN:
        mine = np.flatnonzero(purpose == name)
        _plots(cover, shapes[mine], footprints[mine], random, purpose=name)
    _estates(cover, layout, shapes[purpose == "apartment"], footprints[purpose == "apartment"], random)
    _schools(cover, shapes[purpose == "school"], footprints[purpose == "school"])
    _parks(cover, layout, shapes[purpose == "park"], random)
    _fields(cover, shapes, purpose, random)
    _woods(cover, layout, shapes[purpose == "forest"], random)
    _roads(cover, layout, parcels, random)
    _stream(cover, layout, shapes[purpose == "stream"], random)
    cover.add(shapes[purpose == "grave"], "422")
    green = shapes[purpose == "green"]
    cover.add(green, np.where(random.random(len(green)) < 0.35, "331", "423"))
    lots = shapes[purpose == "parking"]
    rest = cover.split(lots, _strip(lots, 2.2, random), "423")
    cover.add(rest, "155")
    vacant = shapes[purpose == "vacant"]
    rest = cover.split(vacant, _half(vacant, random.uniform(0.2, 0.8, len(vacant))), "623")
    cover.add(rest, "411")
    return cover.frame()


def _half(shapes: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Rectangles over the first ``share`` of each shape's length."""
    centre, along, length, breadth = frames(shapes)
    middle = centre + along * ((share - 1) / 2 * length)[:, None]
    return boxes_at(middle, along, length * share / 2 + 1e-6, breadth + 5.0)


def _strip(shapes: np.ndarray, width_m: float | np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rectangles over a strip along one long side of each shape."""
    centre, along, length, breadth = frames(shapes)
    side = np.sign(random.random(len(shapes)) - 0.5)
    across = np.column_stack([-along[:, 1], along[:, 0]]) * side[:, None]
    width = np.broadcast_to(width_m, len(shapes))
    return boxes_at(centre + across * (breadth / 2 - width / 2 + 20)[:, None], along, length + 5.0, width / 2 + 20)


def _plots(
    cover: _Cover, shapes: np.ndarray, footprints: np.ndarray, random: np.random.Generator, *, purpose: str
) -> None:
    """Cover plots of houses and firms: building with its paving, and a green side on some."""
    if len(shapes) == 0:
        return
    built, (share, green) = BUILT[purpose], GARDEN[purpose]
    empty = shapely.is_empty(footprints)
    cover.add(shapes[empty], np.where(random.random(int(empty.sum())) < 0.5, "623", "411"))
    shapes, footprints = shapes[~empty], footprints[~empty]
    apron = shapely.buffer(footprints, random.uniform(0.6, 1.8, len(shapes)), join_style="mitre")
    rest = cover.split(shapes, apron, built)
    gardens = random.random(len(shapes)) < share
    centre = shapely.get_coordinates(shapely.centroid(footprints))
    along = frames(shapes)[1]
    # the sunny side: everything south of the house, along the plot's own direction
    across = np.column_stack([-along[:, 1], along[:, 0]])
    across[across[:, 1] > 0] *= -1
    sunny = boxes_at(centre + across * 300.0, along, np.full(len(shapes), 400.0), np.full(len(shapes), 300.0))
    planted = np.where(green == "222", np.where(random.random(len(shapes)) < 0.45, "423", green), green)
    rest[gardens] = cover.split(rest[gardens], sunny[gardens], planted[gardens])
    cover.add(rest, built)


def _estates(
    cover: _Cover, layout: Layout, blocks: np.ndarray, footprints: np.ndarray, random: np.random.Generator
) -> None:
    """Apartment estates: a tree belt, a ring drive, paved aprons, playgrounds, lawns and groves between the slabs."""
    if len(blocks) == 0:
        return
    inner = cover.split(blocks, shapely.difference(blocks, shapely.buffer(blocks, -3.2)), "331")
    drive = shapely.difference(inner, shapely.buffer(blocks, -8.7))
    apron = shapely.buffer(footprints, 2.8, join_style="mitre")
    rest = cover.split(inner, shapely.difference(drive, apron), "154")
    rest = cover.split(rest, apron, "112")
    centre, along, length, breadth = frames(blocks)
    turf = random.uniform(-0.25, 0.25, (len(blocks), 2, 2))
    for spot in range(2):
        at = (
            centre
            + along * (turf[:, spot, 0] * length)[:, None]
            + np.column_stack([-along[:, 1], along[:, 0]]) * (turf[:, spot, 1] * breadth)[:, None]
        )
        rest = cover.split(
            rest, shapely.buffer(shapely.points(at), random.uniform(6, 11, len(blocks)), quad_segs=5), "141"
        )
    cells = organic_cells(layout, 900.0, random)
    lawns, _ = intersected(rest, cells)
    cover.add(lawns, random.choice(np.array(["423", "423", "331", "311", "112"]), len(lawns)))


def _schools(cover: _Cover, blocks: np.ndarray, footprints: np.ndarray) -> None:
    """School grounds: hedge, building yard, and the sports ground."""
    if len(blocks) == 0:
        return
    rest = cover.split(blocks, shapely.difference(blocks, shapely.buffer(blocks, -4.0)), "331")
    rest = cover.split(rest, shapely.buffer(footprints, 6.0, join_style="mitre"), "162")
    yard = shapely.buffer(shapely.buffer(rest, -13.0), 9.0)
    rest = cover.split(rest, yard, "622")
    cover.add(rest, "423")


def _parks(cover: _Cover, layout: Layout, parks: np.ndarray, random: np.random.Generator) -> None:
    """Parks: a path round lawns and groves, a pond in the larger ones, a plaza or playground in all."""
    if len(parks) == 0:
        return
    large = shapely.area(parks) > 4_500
    path = shapely.difference(shapely.buffer(parks, -7.5), shapely.buffer(parks, -10.5))
    rest = parks.copy()
    rest[large] = cover.split(parks[large], path[large], "141")
    centre, along, length, _ = frames(parks)
    at = shapely.points(centre + along * (random.uniform(-0.2, 0.2, len(parks)) * length)[:, None])
    size = np.sqrt(shapely.area(parks))
    pond = large & (random.random(len(parks)) < 0.4)
    shore = shapely.buffer(at, size * 0.13)
    lake = shapely.union(
        shore, shapely.buffer(shapely.points(shapely.get_coordinates(at) + along * (size * 0.11)[:, None]), size * 0.09)
    )
    rest[pond] = cover.split(rest[pond], lake[pond], "712")
    rest[~pond] = cover.split(rest[~pond], shapely.buffer(at, size * 0.12)[~pond], "141")
    beds, _ = intersected(rest, organic_cells(layout, 1_300.0, random))
    cover.add(beds, random.choice(np.array(["423", "423", "331", "311", "321", "411"]), len(beds)))


def _fields(cover: _Cover, shapes: np.ndarray, purpose: np.ndarray, random: np.random.Generator) -> None:
    """Paddies and fields with a grassy bund on one side; tunnels of plastic film side by side."""
    for name, codes in (
        ("paddy", ("211", "211", "212")),
        ("field", ("222", "222", "221", "252")),
        ("orchard", ("241",)),
    ):
        mine = shapes[purpose == name]
        if len(mine) == 0:
            continue
        bund = random.random(len(mine)) < 0.42
        rest = mine.copy()
        rest[bund] = cover.split(
            mine[bund], _strip(mine[bund], random.uniform(1.0, 2.2, int(bund.sum())), random), "411"
        )
        cover.add(rest, random.choice(np.array(codes), len(mine)))
    plots = shapes[purpose == "greenhouse"]
    if len(plots) == 0:
        return
    centre, along, length, breadth = frames(plots)
    width, gap = 7.0, 1.6
    count = np.maximum(((breadth - 1.5) // (width + gap)).astype(int), 0)
    owner = np.repeat(np.arange(len(plots)), count)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    across = np.column_stack([-along[:, 1], along[:, 0]])
    offset = (number - (count[owner] - 1) / 2) * (width + gap)
    rows = boxes_at(
        centre[owner] + across[owner] * offset[:, None], along[owner], length[owner] / 2, np.full(len(owner), width / 2)
    )
    tunnels = shapely.intersection(rows, shapely.buffer(plots, -1.0, join_style="mitre")[owner])
    parts, owner = polygon_parts(tunnels, owner, 30.0)
    cover.add(parts, "231")
    together = pd.Series(parts).groupby(owner).apply(lambda group: shapely.multipolygons(group.to_numpy()))
    rest = plots.copy()
    index = together.index.to_numpy()
    rest[index] = shapely.difference(plots[index], together.to_numpy())
    cover.add(rest, random.choice(np.array(["222", "222", "411"]), len(rest)))


def _woods(cover: _Cover, layout: Layout, lots: np.ndarray, random: np.random.Generator) -> None:
    """Woods: broadleaf in gullies and low down, pine on ridges, mixed between, scrub and clearings here and there."""
    if len(lots) == 0:
        return
    whole = shapely.get_parts(shapely.coverage_union_all(lots))
    stands, _ = intersected(whole, organic_cells(layout, 2_300.0, random))
    middle = shapely.get_coordinates(shapely.point_on_surface(stands))
    relief = layout.relief
    high = relief.sample(relief.above_valley_m, middle[:, 0], middle[:, 1])
    wave = smooth_noise(relief.height_m.shape, 90.0, random)
    score = high / max(float(np.percentile(high, 90)), 1.0) + 0.6 * relief.sample(wave, middle[:, 0], middle[:, 1])
    score += 0.25 * random.standard_normal(len(stands))
    code = np.select([score > 0.95, score > 0.30], ["321", "331"], "311")
    draw = random.random(len(stands))
    low = high < np.percentile(high, 25)
    code = np.where(low & (draw > 0.94), "411", np.where(~low & (draw > 0.994), "613", code))
    for name in np.unique(code):
        cover.add(shapely.get_parts(shapely.union_all(stands[code == name])), name)


def _roads(cover: _Cover, layout: Layout, parcels: gpd.GeoDataFrame, random: np.random.Generator) -> None:
    """Roads: carriageway, planted verges on main roads and streets, a weedy edge on some tracks."""
    purpose, shapes = parcels["purpose"].to_numpy(), parcels.geometry.to_numpy()
    main = shapes[purpose == "main_road"]
    drives = layout.carriageways
    verge = shapely.difference(main, drives)
    cover.add(shapely.intersection(main, drives), "154")
    parts, _ = polygon_parts(verge, np.arange(len(main)), 1e-3)
    wide = shapely.area(parts) > 12.0
    cover.add(parts[wide], random.choice(np.array(["423", "423", "311", "331"]), int(wide.sum())))
    cover.add(parts[~wide], "154")
    streets = shapes[purpose == "road"]
    if len(streets):
        net = shapely.get_parts(shapely.coverage_union_all(streets))
        middle = shapely.buffer(shapely.union_all(net), -2.6)
        shapely.prepare(middle)
        cover.add(shapely.intersection(streets, middle), "154")
        parts, _ = polygon_parts(shapely.difference(streets, middle), np.arange(len(streets)), 1e-3)
        cover.add(parts, np.where((shapely.area(parts) > 20) & (random.random(len(parts)) < 0.7), "423", "154"))
    cover.add(shapes[purpose == "lane"], "154")
    tracks = shapes[purpose == "track"]
    edge = random.random(len(tracks)) < 0.5
    rest = tracks.copy()
    rest[edge] = cover.split(tracks[edge], _strip(tracks[edge], 1.0, random), "411")
    cover.add(rest, "154")


def _stream(cover: _Cover, layout: Layout, reaches: np.ndarray, random: np.random.Generator) -> None:
    """Cover the stream: water in the middle, gravel and reeds beside it, grassy banks."""
    if len(reaches) == 0:
        return
    water = shapely.union_all([shapely.buffer(line, width * 0.24) for line, width in layout.water_lines])
    shore = shapely.union_all([shapely.buffer(line, width * 0.33) for line, width in layout.water_lines])
    rest = cover.split(reaches, np.full(len(reaches), water), "711")
    margin, _ = intersected(shapely.intersection(rest, shore), organic_cells(layout, 1_500.0, random))
    cover.add(margin, random.choice(np.array(["511", "511", "612"]), len(margin)))
    cover.add(shapely.difference(rest, shore), np.where(random.random(len(reaches)) < 0.2, "423", "411"))
