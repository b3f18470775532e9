"""The bones of the town: woods, stream, roads, and the superblocks between them."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.demo.relief import Relief, build_relief, smooth_curve, smooth_noise, streams, wooded
from geodata.demo.spec import CRS, Design, Points

URBAN = ("newtown", "detached", "old_town")


@dataclass(frozen=True)
class Layout:
    """The ground divided into woods, stream corridor, main roads and superblocks."""

    study: BaseGeometry
    district: BaseGeometry
    ground: BaseGeometry
    relief: Relief
    woods: BaseGeometry
    corridor: BaseGeometry
    """Stream with its banks."""
    water_lines: list[tuple[shapely.LineString, float]]
    roads: BaseGeometry
    carriageways: BaseGeometry
    """Main roads without their planted verges."""
    superblocks: gpd.GeoDataFrame
    """Columns kind (land, forest, stream), zone, geometry; roads cut out."""
    spine: BaseGeometry
    """Centre lines of the main roads."""


def zone_at(design: Design, points: np.ndarray) -> np.ndarray:
    """Return the zone of each point (n, 2): that of the anchor nearest in units of its reach."""
    anchors = np.array([(a.x, a.y, a.reach_m) for a in design.anchors])
    local = points - design.origin
    # the distance is bent by a fixed slow wave, so that zones do not meet along straight lines
    local = local + 0.05 * design.valley_half_width_m * np.sin(local[:, ::-1] / (0.35 * design.valley_half_width_m))
    distance = np.hypot(local[:, None, 0] - anchors[:, 0], local[:, None, 1] - anchors[:, 1]) / anchors[:, 2]
    return np.array([a.zone for a in design.anchors])[distance.argmin(axis=1)]


def centre_points(shapes: np.ndarray) -> np.ndarray:
    """Return one point inside each shape, (n, 2)."""
    return shapely.get_coordinates(shapely.point_on_surface(shapes))


def build_layout(design: Design, random: np.random.Generator) -> Layout:
    """Lay out the site of ``design``."""
    outline = shapely.Polygon(_border(design.outline, design))
    scale = float(np.sqrt(design.area_m2 / outline.area))
    study = _rounded(shapely.transform(outline, lambda xy: (xy - design.origin) * scale + design.origin))
    district = study
    if design.district is not None:
        inner = shapely.Polygon(_border(design.district, design))
        district = _rounded(shapely.intersection(inner, study))
    ground = shapely.simplify(shapely.buffer(study, design.margin_m, join_style="mitre", mitre_limit=1.5), 2.0)
    relief = build_relief(design, ground, random)
    lines = streams(design)
    corridor = shapely.union_all([shapely.buffer(line, width / 2, cap_style="flat") for line, width in lines])
    corridor = shapely.intersection(shapely.simplify(shapely.buffer(shapely.buffer(corridor, 12), -12), 0.8), ground)
    woods = shapely.difference(wooded(relief, ground, design.forest_above_m), shapely.buffer(corridor, 12))

    edges, width, verge, is_road = _network(design, ground, woods, corridor, random)
    faces = shapely.get_parts(shapely.polygonize(list(edges)))
    lanes = edges[is_road]
    roads = shapely.union_all(shapely.buffer(lanes, width[is_road] / 2, cap_style="round", quad_segs=6))
    roads = shapely.intersection(_eased(roads), ground)
    drives = shapely.union_all(shapely.buffer(lanes, (width - verge)[is_road] / 2, cap_style="round", quad_segs=6))
    points = shapely.point_on_surface(faces)
    kind = np.where(
        shapely.contains(corridor, points), "stream", np.where(shapely.contains(woods, points), "forest", "land")
    )
    blocks = shapely.difference(faces, roads)
    parts, owner = shapely.get_parts(blocks, return_index=True)
    big = shapely.area(parts) > 1.0
    superblocks = gpd.GeoDataFrame({"kind": kind[owner][big]}, geometry=parts[big], crs=CRS)
    superblocks["zone"] = zone_at(design, centre_points(superblocks.geometry.to_numpy()))
    order = np.lexsort((superblocks.bounds["minx"].round(2), superblocks.bounds["miny"].round(2)))
    return Layout(
        study=study,
        district=district,
        ground=ground,
        relief=relief,
        woods=woods,
        corridor=corridor,
        water_lines=lines,
        roads=roads,
        carriageways=drives,
        superblocks=superblocks.iloc[order].reset_index(drop=True),
        spine=shapely.union_all(edges[width >= width.max() * 0.8]),
    )


def _border(points: Points, design: Design) -> np.ndarray:
    """Return a border as projects have them: straight runs between corners, roughened where it follows lots and ridges."""
    corners = np.asarray(points, dtype=float) + design.origin
    ring = shapely.get_coordinates(shapely.segmentize(shapely.Polygon(corners).exterior, 45.0))[:-1]
    at = np.arange(len(ring))
    rough = 0.03 * design.valley_half_width_m
    offset = rough * (np.sin(at * 2.1) * np.sin(at * 0.37) + 0.9 * np.sin(at * 0.53 + 1.0))
    tangent = np.roll(ring, -1, axis=0) - np.roll(ring, 1, axis=0)
    normal = np.column_stack([tangent[:, 1], -tangent[:, 0]]) / np.hypot(*tangent.T)[:, None]
    return ring + normal * offset[:, None]


def _rounded(shape: BaseGeometry) -> BaseGeometry:
    """Coordinates to the centimetre: what a file with nine decimals of a degree brings back unchanged."""
    return shapely.orient_polygons(shapely.set_precision(shape, 0.01))


def _eased(roads: BaseGeometry) -> BaseGeometry:
    """Round the corners of the blocks between roads, as corner cut-offs do."""
    return shapely.simplify(shapely.buffer(shapely.buffer(roads, 6.0, quad_segs=4), -6.0, quad_segs=4), 0.15)


def _ladder(design: Design, random: np.random.Generator) -> list[tuple[shapely.LineString, float, float, bool, bool]]:
    """Roads along and across the valley, bent with the stream and by slow noise."""
    stream = np.asarray(smooth_curve(design.stream, (0.0, 0.0)))
    order = np.argsort(stream[:, 1])
    reach = design.valley_half_width_m
    size = 64
    noise = [smooth_noise((size, size), size / 4.2, random) for _ in range(2)]
    low_p, high_p = design.ladder_p[0], design.ladder_p[-1]
    low_q, high_q = design.ladder_q[0], design.ladder_q[-1]

    def bent(p: np.ndarray, q: np.ndarray) -> shapely.LineString:
        row = np.clip((q - low_q) / (high_q - low_q) * (size - 1), 0, size - 1).astype(int)
        column = np.clip((p - low_p) / (high_p - low_p) * (size - 1), 0, size - 1).astype(int)
        at_stream = np.interp(q, stream[order, 1], stream[order, 0])
        x = p + at_stream * np.exp(-((p / (2.2 * reach)) ** 2)) + noise[0][row, column] * reach * 0.085
        y = q + p * 0.12 * np.sin(q / (1.6 * reach)) + noise[1][row, column] * reach * 0.085
        knots = np.column_stack([x, y])
        return shapely.LineString(smooth_curve(tuple(map(tuple, knots[::6])), design.origin, step_m=14.0))

    lines = []
    steps = np.linspace(0, 1, 73)
    for p in design.ladder_p:
        main = p in design.spine_p
        line = bent(np.full(73, float(p)), low_q + steps * (high_q - low_q))
        lines.append((line, 30.0 if main else 18.0, 11.0 if main else 6.0, main, main))
    for index, q in enumerate(design.ladder_q):
        main = q in design.spine_q
        line = bent(low_p + steps * (high_p - low_p), np.full(73, float(q)))
        lines.append((line, 28.0 if main else 17.0, 10.0 if main else 6.0, main, main or index % 2 == 0))
    return lines


def _network(
    design: Design, ground: BaseGeometry, woods: BaseGeometry, corridor: BaseGeometry, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the noded edges with road width, verge width (both sides together) and whether each is a road."""
    sources: list[BaseGeometry] = []
    town_width: list[float] = []
    country_width: list[float] = []
    for line, town, country, over_hills, over_water in _ladder(design, random):
        free = line if over_hills else shapely.difference(line, woods)
        free = free if over_water or over_hills else shapely.difference(free, corridor)
        sources.append(shapely.intersection(free, ground))
        town_width.append(town * design.road_scale)
        country_width.append(country * design.road_scale)
    for street in design.streets:
        line = shapely.LineString(smooth_curve(street.points, design.origin, step_m=14.0))
        sources.append(shapely.intersection(line if street.through else shapely.difference(line, woods), ground))
        town_width.append(street.town_width_m)
        country_width.append(street.country_width_m)
    roads = len(sources)
    limits = [shapely.boundary(corridor), shapely.boundary(woods), shapely.boundary(ground)]
    noded = shapely.get_parts(
        shapely.line_merge(shapely.union_all(np.array(sources + limits, dtype=object), grid_size=0.001))
    )
    noded = noded[shapely.length(noded) > 0.5]
    middle = shapely.line_interpolate_point(noded, 0.5, normalized=True)
    tree = shapely.STRtree(sources + limits)
    edge, source = tree.query(middle, predicate="dwithin", distance=0.05)
    first = np.full(len(noded), roads + 9)
    np.minimum.at(first, edge, source)  # a road that runs along a limit stays a road
    zone = zone_at(design, shapely.get_coordinates(middle))
    urban = np.isin(zone, URBAN)
    width = np.where(
        first < roads,
        np.where(
            urban,
            np.append(town_width, 0)[np.minimum(first, roads)],
            np.append(country_width, 0)[np.minimum(first, roads)],
        ),
        0.0,
    )
    bank = first == roads
    width = np.where(bank, np.where(urban, 9.0, 4.5), width)
    width = np.where((zone == "factory") & (width > 0) & ~bank, np.maximum(width, 8.0), width)
    keep = _thinned(noded, (first < roads) & (width > 0) & (width < 20.0), zone, random)
    noded, width, first = noded[keep], width[keep], first[keep]
    verge = np.where(width >= 16.0, 6.4, np.where(width >= 11.0, 3.4, 0.0))
    return noded, width, verge, width > 0


def _thinned(edges: np.ndarray, minor: np.ndarray, zone: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Tell which edges stay: some minor ones go, so that streets meet in T-junctions and blocks differ in size."""
    share = np.where(np.isin(zone, URBAN), 0.10, 0.22)
    keep = ~(minor & (random.random(len(edges)) < share))
    # stubs that end nowhere are no streets
    for _ in range(4):
        ends = np.concatenate([shapely.get_coordinates(shapely.get_point(edges, i)) for i in (0, -1)]).round(2)
        _, node = np.unique(ends, axis=0, return_inverse=True)
        node = node.reshape(2, -1)
        degree = np.bincount(node[:, keep].ravel(), minlength=int(np.max(node)) + 1)
        ring = node[0] == node[1]
        keep &= ~(((degree[node[0]] < 2) | (degree[node[1]] < 2)) & ~ring)
    return keep
