"""Where parks are entered: where somebody surveyed an entrance, else where the walking network meets their edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from twin.green.access.walk_network import WalkNetwork, access_parameters, nearest_first

SURVEYED, MET, NEAREST = "surveyed", "met", "nearest"
"""Somebody surveyed the entrance; the network meets the park; neither, and the nearest point of the network stands in."""

BESIDE_M = 0.5
"""A way so near to a park's border runs beside it."""

Found = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Entrances as they are found: park, edge of the network, place on it (n, 2), straight way from there to the park [m]."""


@dataclass(frozen=True)
class Entrances:
    """Entrances of parks, sorted by park and node: node of ``network``, and the straight way from it to the park [m].

    ``source`` is one of `SURVEYED`, `MET` and `NEAREST`, the same for all entrances of a park.
    """

    network: WalkNetwork
    park: np.ndarray
    node: np.ndarray
    gap_m: np.ndarray
    source: np.ndarray
    joined: np.ndarray
    """Positions of the surveyed entrances that the network reaches, ascending; of two at one place both are told."""


@dataclass(frozen=True)
class Surveyed:
    """Entrances that somebody surveyed: ``points``, and the position of the park that each leads into, -1 where there is none."""

    points: np.ndarray
    park: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, parks: np.ndarray) -> Surveyed:
        """Return ``points`` with the park (of polygons ``parks``) whose border is nearest, within `entrance_reach`."""
        owner = np.full(len(points), -1)
        if len(points) and len(parks):
            borders = np.asarray(shapely.boundary(parks))
            reach = access_parameters()["entrance_reach"]
            point, park = shapely.STRtree(borders).query(points, predicate="dwithin", distance=reach)
            chosen = nearest_first(point, shapely.distance(points[point], borders[park]), park)
            owner[point[chosen]] = park[chosen]
        return cls(points, owner)

    def among(self, which: np.ndarray) -> Surveyed:
        """Return the same entrances with parks numbered among those that ``which`` selects, -1 where it leaves the park out."""
        return Surveyed(self.points, np.append(np.where(which, np.cumsum(which) - 1, -1), -1)[self.park])


def park_entrances(network: WalkNetwork, parks: np.ndarray, surveyed: Surveyed | None = None) -> Entrances:
    """Return the entrances of ``parks`` (polygons); a park that the network never comes near has none.

    A park with a surveyed entrance that the network reaches is entered at its surveyed entrances alone, each joined to the
    nearest edge by a straight way that does not lead through the park. Elsewhere an entrance is where an edge crosses the
    park's border (no way left), or the nearest point of an edge beside the park, if the park begins at the road: within half
    the road's width and the gap of ``access.yaml``. No entrance lies behind a barrier.
    """
    none = np.array([], dtype=np.int64)
    if not len(network.start) or not len(parks):
        return Entrances(network, none, none, np.array([]), np.array([], dtype="<U8"), none)
    known = Surveyed(np.array([], dtype=object), none) if surveyed is None else surveyed
    gate, edge, links = _to_network(network, known, parks)
    feet = shapely.get_coordinates(shapely.get_point(links, 1))
    found: list[Found] = [(known.park[gate], edge, feet, shapely.length(links))]
    for meet in (_met, _nearest):
        others = np.setdiff1d(np.arange(len(parks)), np.concatenate([entry[0] for entry in found]))
        which, edge, feet, gap = meet(network, parks[others])
        found.append((others[which], edge, feet, gap))

    park, edge, points, gap = (np.concatenate([entry[part] for entry in found]) for part in range(4))
    source = np.repeat([SURVEYED, MET, NEAREST], [len(entry[0]) for entry in found])
    with_them, node = network.with_points(edge, points)
    order = np.lexsort((gap, node, park))
    park, node, gap, source = park[order], node[order], gap[order], source[order]
    first = np.ones(len(park), dtype=bool)
    first[1:] = (park[1:] != park[:-1]) | (node[1:] != node[:-1])
    return Entrances(with_them, park[first], node[first], gap[first], source[first], gate)


def _to_network(
    network: WalkNetwork, surveyed: Surveyed, parks: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the surveyed entrances that the network reaches, the edge of each and the straight way to it."""
    values = access_parameters()
    wanted = np.flatnonzero(surveyed.park >= 0)
    gate, edge = network.tree.query(surveyed.points[wanted], predicate="dwithin", distance=values["park_reach"])
    gate = wanted[gate]
    links = np.asarray(shapely.shortest_line(surveyed.points[gate], network.edges[edge]))
    # a way beside the border is not inside
    within = np.asarray(shapely.buffer(parks, -BESIDE_M))[surveyed.park[gate]]
    through = shapely.length(shapely.intersection(links, within)) > values["entrance_reach"]
    free = ~through & ~network.crosses_barrier(links)
    gate, edge, links = gate[free], edge[free], links[free]
    chosen = nearest_first(gate, shapely.length(links), edge)
    return gate[chosen], edge[chosen], links[chosen]


def _met(network: WalkNetwork, parks: np.ndarray) -> Found:
    """Return each entrance where the network crosses a border or runs beside it."""
    reach = network.width_m / 2 + access_parameters()["entrance_gap"]
    park, edge = network.tree.query(parks, predicate="dwithin", distance=float(reach.max()))
    links = shapely.shortest_line(network.edges[edge], parks[park])
    gap = shapely.length(links)
    beside = (gap > 0) & (gap <= reach[edge])
    beside[beside] = ~network.crosses_barrier(links[beside])
    crossing = gap == 0
    cuts, which = shapely.get_coordinates(
        shapely.intersection(network.edges[edge[crossing]], shapely.boundary(parks[park[crossing]])), return_index=True
    )
    return (
        np.concatenate([park[beside], park[crossing][which]]),
        np.concatenate([edge[beside], edge[crossing][which]]),
        np.concatenate([shapely.get_coordinates(shapely.get_point(links[beside], 0)), cuts]),
        np.concatenate([gap[beside], np.zeros(len(cuts))]),
    )


def _nearest(network: WalkNetwork, parks: np.ndarray) -> Found:
    """Return the point of the network that is nearest to each park, within reach."""
    park, edge = network.tree.query(parks, predicate="dwithin", distance=access_parameters()["park_reach"])
    links = shapely.shortest_line(network.edges[edge], parks[park])
    free = ~network.crosses_barrier(links)
    park, edge, links = park[free], edge[free], links[free]
    chosen = nearest_first(park, shapely.length(links), edge)
    return (
        park[chosen],
        edge[chosen],
        shapely.get_coordinates(shapely.get_point(links[chosen], 0)),
        shapely.length(links[chosen]),
    )
