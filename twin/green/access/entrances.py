"""Where parks are entered: where the walking network meets their edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from twin.green.access.walk_network import WalkNetwork, access_parameters, nearest_first

MET, NEAREST = "met", "nearest"
"""The network meets the park; it does not, and the nearest point of the network stands in."""


@dataclass(frozen=True)
class Entrances:
    """Entrances of parks, sorted by park and node: node of ``network``, and the straight way from it to the park [m]."""

    network: WalkNetwork
    park: np.ndarray
    node: np.ndarray
    gap_m: np.ndarray
    met: np.ndarray
    """False where the nearest point of the network stands in."""


def park_entrances(network: WalkNetwork, parks: np.ndarray) -> Entrances:
    """Return the entrances of ``parks`` (polygons); a park that the network never comes near has none.

    An entrance is where an edge crosses the park's border (no way left), or the nearest point of an edge beside the park, if
    the park begins at the road: within half the road's width and the gap of ``access.yaml``. No entrance lies behind a barrier.
    """
    values = access_parameters()
    reach = network.width_m / 2 + values["entrance_gap"]
    none = np.array([], dtype=np.int64)
    if not len(network.start) or not len(parks):
        return Entrances(network, none, none, np.array([]), np.array([], dtype=bool))
    park, edge = network.tree.query(parks, predicate="dwithin", distance=float(reach.max()))
    links = shapely.shortest_line(network.edges[edge], parks[park])
    gap = shapely.length(links)
    beside = (gap > 0) & (gap <= reach[edge])
    beside[beside] = ~network.crosses_barrier(links[beside])
    crossing = gap == 0
    cuts, which = shapely.get_coordinates(
        shapely.intersection(network.edges[edge[crossing]], shapely.boundary(parks[park[crossing]])), return_index=True
    )
    owners = np.concatenate([park[beside], park[crossing][which]])
    edges = np.concatenate([edge[beside], edge[crossing][which]])
    points = np.concatenate([shapely.get_coordinates(shapely.get_point(links[beside], 0)), cuts])
    gaps = np.concatenate([gap[beside], np.zeros(len(cuts))])
    met = np.ones(len(owners), dtype=bool)

    without = np.setdiff1d(np.arange(len(parks)), owners)
    lone, edge = network.tree.query(parks[without], predicate="dwithin", distance=values["park_reach"])
    links = shapely.shortest_line(network.edges[edge], parks[without[lone]])
    free = ~network.crosses_barrier(links)
    lone, edge, links = lone[free], edge[free], links[free]
    chosen = nearest_first(lone, shapely.length(links), edge)
    owners = np.concatenate([owners, without[lone[chosen]]])
    edges = np.concatenate([edges, edge[chosen]])
    points = np.concatenate([points, shapely.get_coordinates(shapely.get_point(links[chosen], 0))])
    gaps = np.concatenate([gaps, shapely.length(links[chosen])])
    met = np.concatenate([met, np.zeros(len(chosen), dtype=bool)])

    found, node = network.with_points(edges, points)
    order = np.lexsort((gaps, node, owners))
    owners, node, gaps, met = owners[order], node[order], gaps[order], met[order]
    first = np.ones(len(owners), dtype=bool)
    first[1:] = (owners[1:] != owners[:-1]) | (node[1:] != node[:-1])
    return Entrances(found, owners[first], node[first], gaps[first], met[first])
