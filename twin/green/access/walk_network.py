"""The walking network: streets as nodes and edges, and the lines that nobody crosses.

Lines meet where they share a vertex and where the end of one lies on another. Lines that merely cross do not meet: bridges and
underpasses are drawn so. Node coordinates count in whole centimetres.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from geodata.parameters import Parameters, load_parameters

CENTIMETRE = 0.01

NETWORK_SOURCES = ("roads", "plan", "parcels", "land_cover")
"""What the lines of a network come from, best first."""


def access_parameters() -> Parameters:
    """Return the values of ``access.yaml``."""
    return load_parameters("twin.green.access", "access.yaml")


@dataclass(frozen=True)
class WalkNetwork:
    """Streets on foot.

    ``nodes`` (nodes, 2) [m]; an edge runs straight from node ``start`` to node ``end``; ``width_m`` is that of its road and
    ``road`` the road's place in the table it was made from. ``barriers`` are lines that no way off the network may cross.
    """

    nodes: np.ndarray
    start: np.ndarray
    end: np.ndarray
    width_m: np.ndarray
    road: np.ndarray
    barriers: np.ndarray

    @cached_property
    def length_m(self) -> np.ndarray:
        """Length of each edge [m]."""
        step = self.nodes[self.end] - self.nodes[self.start]
        return np.asarray(np.hypot(step[:, 0], step[:, 1]))

    @cached_property
    def edges(self) -> np.ndarray:
        """Edges as LineStrings."""
        return np.asarray(shapely.linestrings(np.stack([self.nodes[self.start], self.nodes[self.end]], axis=1)))

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index over `edges`."""
        return shapely.STRtree(self.edges)

    @cached_property
    def component(self) -> np.ndarray:
        """Which connected part each node belongs to; 0 is the longest part."""
        _, label = connected_components(self.graph(), directed=False)
        length = np.bincount(label[self.start], weights=self.length_m, minlength=label.max() + 1 if len(label) else 0)
        rank = np.empty(len(length), dtype=np.int64)
        rank[np.lexsort((np.arange(len(length)), -length))] = np.arange(len(length))
        return rank[label]

    def graph(self) -> csr_array:
        """Return the network as a sparse matrix of lengths [m], both ways; of parallel edges the shortest."""
        count = len(self.nodes)
        low, high = np.minimum(self.start, self.end), np.maximum(self.start, self.end)
        order = np.lexsort((self.length_m, high, low))
        low, high, length = low[order], high[order], self.length_m[order]
        first = np.ones(len(low), dtype=bool)
        first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
        low, high, length = low[first], high[first], length[first]
        rows, columns = np.concatenate([low, high]), np.concatenate([high, low])
        return coo_array((np.concatenate([length, length]), (rows, columns)), shape=(count, count)).tocsr()

    def with_points(self, edge: np.ndarray, points: np.ndarray) -> tuple[WalkNetwork, np.ndarray]:
        """Return the network with nodes at ``points`` (n, 2) on the edges ``edge`` (n,), and the nodes' numbers."""
        begin = self.nodes[self.start[edge]]
        way = np.hypot(*(points - begin).T)
        own = np.arange(len(self.start))
        edges = np.concatenate([own, own, edge])
        along = np.concatenate([np.zeros(len(own)), self.length_m, way])
        xy = np.concatenate([self.nodes[self.start], self.nodes[self.end], points])
        nodes, number = _numbered(xy)
        order = np.lexsort((along, edges))
        joined = edges[order][1:] == edges[order][:-1]
        a, b, owner = number[order][:-1][joined], number[order][1:][joined], edges[order][1:][joined]
        real = a != b
        found = replace(self, nodes=nodes, start=a[real], end=b[real], width_m=self.width_m[owner[real]],
                        road=self.road[owner[real]])  # fmt: skip
        return found, number[2 * len(own) :]

    def without(self, edge: np.ndarray) -> WalkNetwork:
        """Return the network without the edges that ``edge`` (a mask) selects, and without the nodes that they leave alone."""
        left = ~edge
        rest = replace(
            self, start=self.start[left], end=self.end[left], width_m=self.width_m[left], road=self.road[left]
        )
        return rest.with_points(np.array([], dtype=np.int64), np.empty((0, 2)))[0]

    def linked(self, points: np.ndarray, edge: np.ndarray, feet: np.ndarray) -> WalkNetwork:
        """Return the network with a straight edge from each of ``points`` to its foot on an edge."""
        found, foot = self.with_points(edge, feet)
        nodes, number = _numbered(np.concatenate([found.nodes, points]))
        moved, new = number[: len(found.nodes)], number[len(found.nodes) :]
        a, b = new, moved[foot]
        real = a != b
        return replace(
            found,
            nodes=nodes,
            start=np.concatenate([moved[found.start], a[real]]),
            end=np.concatenate([moved[found.end], b[real]]),
            width_m=np.concatenate([found.width_m, self.width_m[edge][real]]),
            road=np.concatenate([found.road, self.road[edge][real]]),
        )

    def crosses_barrier(self, lines: np.ndarray) -> np.ndarray:
        """Return which of ``lines`` meet a barrier."""
        blocked = np.zeros(len(lines), dtype=bool)
        if len(self.barriers) and len(lines):
            blocked[np.unique(shapely.STRtree(self.barriers).query(lines, predicate="intersects")[0])] = True
        return blocked


def build_network(roads: gpd.GeoDataFrame, *, reach_m: float | None = None) -> WalkNetwork:
    """Return the walking network of road lines.

    Parameters
    ----------
    roads
        LineStrings in a projected CRS [m] with ``class`` (Korean word) and ``width_m`` (NaN where unknown).
    reach_m
        Loose ends of what hangs apart are joined to the rest within this distance [m]; ends are always joined to other lines
        within the tolerance of drawing.
    """
    values = access_parameters()
    closed = roads["class"].isin(values["not_walkable"]).to_numpy()
    lines = shapely.segmentize(roads.geometry.to_numpy()[~closed], values["node_spacing"])
    width = roads["width_m"].to_numpy("float64", na_value=np.nan)[~closed]
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    nodes, number = _numbered(xy)
    inner = np.flatnonzero((owner[1:] == owner[:-1]) & (number[1:] != number[:-1])) if len(owner) else np.array([], int)
    owner = owner[inner] if len(inner) else np.array([], dtype=np.int64)
    network = WalkNetwork(
        nodes,
        number[inner] if len(inner) else np.array([], dtype=np.int64),
        number[inner + 1] if len(inner) else np.array([], dtype=np.int64),
        np.where(np.isnan(width), values["default_width"], width)[owner],
        np.flatnonzero(~closed)[owner],
        roads.geometry.to_numpy()[closed],
    )
    network = _joined(network, values["end_tolerance"])
    while reach_m is not None:
        before, network = network, _joined(network, reach_m, apart=True)
        if len(network.start) == len(before.start):
            break
    return network


def _joined(network: WalkNetwork, reach_m: float, *, apart: bool = False) -> WalkNetwork:
    """Return ``network`` with each loose end joined to the nearest edge of another street within ``reach_m``.

    With ``apart`` to the nearest edge that no way leads to: a blind alley that hangs together with the rest stays one.
    """
    if not len(network.start):
        return network
    degree = np.bincount(np.concatenate([network.start, network.end]), minlength=len(network.nodes))
    loose = np.flatnonzero(degree == 1)
    if not len(loose):
        return network
    points = np.asarray(shapely.points(network.nodes[loose]))
    end, edge = network.tree.query(points, predicate="dwithin", distance=reach_m)
    if apart:
        other = network.component[network.start[edge]] != network.component[loose[end]]
    else:
        own_road = np.full(len(network.nodes), -1)
        own_road[network.start], own_road[network.end] = network.road, network.road
        other = network.road[edge] != own_road[loose[end]]
    other &= (network.start[edge] != loose[end]) & (network.end[edge] != loose[end])
    end, edge = end[other], edge[other]
    links = np.asarray(shapely.shortest_line(points[end], network.edges[edge]))
    free = ~network.crosses_barrier(links)
    end, edge, links = end[free], edge[free], links[free]
    chosen = nearest_first(end, shapely.length(links), edge)
    end, edge, links = end[chosen], edge[chosen], links[chosen]
    feet = shapely.get_coordinates(shapely.get_point(links, 1))
    return network.linked(network.nodes[loose[end]], edge, feet)


def nearest_first(owner: np.ndarray, distance: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the positions of the nearest candidate of each owner, ascending by owner; ties go to the smaller ``other``."""
    order = np.lexsort((other, distance, owner))
    first = np.ones(len(order), dtype=bool)
    first[1:] = owner[order][1:] != owner[order][:-1]
    return order[first]


def _numbered(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distinct points to the centimetre, sorted, and the number of each of ``xy`` among them."""
    cells = np.rint(xy / CENTIMETRE).astype(np.int64)
    order = np.lexsort((cells[:, 1], cells[:, 0]))
    ordered = cells[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    return ordered[new] * CENTIMETRE, number
