"""How far it is to a park: on foot along the network, and as the crow flies."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from geodata.accounting import QualityLog
from geodata.class_tables import load_classes
from twin.green.access.entrances import NEAREST, SURVEYED, Entrances, Surveyed, park_entrances
from twin.green.access.walk_network import WalkNetwork, access_parameters, nearest_first

SMALLEST_STEP_M = 1e-6
"""A sparse graph takes a length of zero for no edge."""


@dataclass(frozen=True)
class ParkAccess:
    """Result of `park_access`: one table for buildings, one for parks, and what the reader should know."""

    buildings: pd.DataFrame
    parks: pd.DataFrame
    quality: gpd.GeoDataFrame
    surveyed: dict[str, int]
    """What became of the surveyed entrances; the other numbers sum to ``given``. Empty without a survey."""


def parks_that_count(parks: gpd.GeoDataFrame, *, planned: bool) -> np.ndarray:
    """Return which of ``parks`` (layer `parks`) people can go to: parks, not buffer green, that are built in the scenario."""
    kinds = {code: words["kind"] for code, words in load_classes("geodata.clean", "park_classes.yaml").items()}
    code = parks["class_code"]
    group = code.where(code.isin(list(kinds)), code.str.slice(0, 4) + "00")
    states = access_parameters()["states_planned" if planned else "states_existing"]
    return ((group.map(kinds) == "park") & parks["status"].isin(states)).to_numpy()


def park_access(
    homes: gpd.GeoDataFrame,
    parks: gpd.GeoDataFrame,
    network: WalkNetwork,
    entrances: gpd.GeoDataFrame | None = None,
    *,
    planned: bool = False,
) -> ParkAccess:
    """Return the distance from each of ``homes`` to the nearest park that is large enough.

    Parameters
    ----------
    homes
        Residential buildings: `building_id` and outlines.
    parks
        Layer `parks`: `park_id`, `class_code`, `status`, polygons.
    network
        Of the same CRS [m].
    entrances
        Surveyed entrances of parks: `entrance_id` and points; None where there is no survey.

    Returns
    -------
    ParkAccess
        ``buildings`` by `building_id`: `park_distance_m` from the outline to the network (nearest point, not across a
        barrier), along it, and from the entrance to the park, NaN where there is no way; `park_straight_m` from outline to
        outline; `park_id` of the park that is nearest on foot; `park_reason` where there is no way: ``no_park``,
        ``no_network`` (no street within reach), ``disconnected`` (the street leads to no park).
        ``parks`` by `park_id`, those that count alone: `entrance_source` (``surveyed``, ``met``, ``nearest``; missing where
        the network does not come near), `surveyed_entrance_count` (missing where it is another) and `counts_for_distance`.
    """
    values = access_parameters()
    counts = parks_that_count(parks, planned=planned)
    counted = parks[counts].reset_index(drop=True)
    shapes = counted.geometry.to_numpy()
    large = shapely.area(shapes) >= values["park_smallest"]
    log = QualityLog("parks", str(parks.crs))
    survey = None if entrances is None else Surveyed.of(entrances.geometry.to_numpy(), parks.geometry.to_numpy())
    ways = park_entrances(network, shapes, None if survey is None else survey.among(counts))
    number = np.bincount(ways.park, minlength=len(counted))
    source = np.full(len(counted), None, dtype=object)
    source[ways.park] = ways.source
    nearest = source == NEAREST
    log.add("park_no_entrance", counted.loc[nearest, "park_id"], counted.geometry[nearest])
    log.add("park_not_reached", counted.loc[number == 0, "park_id"], counted.geometry[number == 0])
    told = pd.DataFrame(
        {
            "entrance_source": pd.Series(source, dtype="str"),
            "surveyed_entrance_count": pd.Series(number, dtype="Int64").where(pd.Series(source == SURVEYED)),
            "counts_for_distance": large,
        },
    ).set_index(pd.Index(counted["park_id"]))
    table = _distances(homes, counted, large, ways)
    if entrances is None or survey is None:
        return ParkAccess(table, told, log.frame(), {})
    lost, outcome = _survey_outcome(entrances, survey, counts, ways.joined)
    return ParkAccess(table, told, pd.concat([lost, log.frame()], ignore_index=True), outcome)


def _survey_outcome(
    entrances: gpd.GeoDataFrame, survey: Surveyed, counts: np.ndarray, joined: np.ndarray
) -> tuple[gpd.GeoDataFrame, dict[str, int]]:
    """Return quality rows of the surveyed entrances that nobody can use, and how many had which end."""
    used = np.zeros(len(entrances), dtype=bool)
    used[joined] = True
    no_park = survey.park < 0
    not_counted = ~no_park & ~np.append(counts, False)[survey.park]
    off = ~(used | no_park | not_counted)
    log = QualityLog("park_entrances", str(entrances.crs))
    for reason, which in (("entrance_without_park", no_park), ("entrance_off_network", off)):
        log.add(reason, entrances.loc[which, "entrance_id"], entrances.geometry[which])
    ends = {"used": used, "without_park": no_park, "of_other_parks": not_counted, "off_network": off}
    return log.frame(), {"given": len(entrances), **{name: int(which.sum()) for name, which in ends.items()}}


def _distances(homes: gpd.GeoDataFrame, parks: gpd.GeoDataFrame, large: np.ndarray, ways: Entrances) -> pd.DataFrame:
    outlines = homes.geometry.to_numpy()
    network = ways.network
    edge, gap, foot = _ways_to_network(outlines, network)
    reached, target = _from_parks(ways, large)
    walk, park = np.full(len(homes), np.inf), np.full(len(homes), -1)
    on = np.flatnonzero(edge >= 0)
    for end in (network.start, network.end):
        node = end[edge[on]]
        total = gap[on] + np.hypot(*(network.nodes[node] - foot[on]).T) + reached[node]
        better = total < walk[on]
        walk[on[better]], park[on[better]] = total[better], target[node[better]]
    straight = np.full(len(homes), np.nan)
    if large.any() and len(homes):
        at, distance = shapely.STRtree(parks.geometry.to_numpy()[large]).query_nearest(
            outlines, all_matches=False, return_distance=True
        )
        straight[at[0]] = distance
    known = np.isfinite(walk)
    reason = np.select([np.full(len(homes), not large.any()), edge < 0], ["no_park", "no_network"], "disconnected")
    names = parks["park_id"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "park_distance_m": np.where(known, walk, np.nan),
            "park_straight_m": straight,
            "park_id": pd.Series([names[p] if k else None for p, k in zip(park, known, strict=True)], dtype="str"),
            "park_reason": pd.Series(reason, dtype="str").where(pd.Series(~known)),
        }
    ).set_index(pd.Index(homes["building_id"]))


def _ways_to_network(outlines: np.ndarray, network: WalkNetwork) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each outline the nearest edge that no barrier hides (-1: none within reach), the way to it [m] and its foot."""
    edge, gap = np.full(len(outlines), -1), np.full(len(outlines), np.nan)
    foot = np.full((len(outlines), 2), np.nan)
    if not len(network.start) or not len(outlines):
        return edge, gap, foot
    reach = access_parameters()["building_reach"]
    home, found = network.tree.query_nearest(outlines, max_distance=reach, all_matches=True)
    hidden = np.arange(len(outlines))
    for _ in range(2):
        links = shapely.shortest_line(outlines[home], network.edges[found])
        free = ~network.crosses_barrier(links)
        home, found, links = home[free], found[free], links[free]
        chosen = nearest_first(home, shapely.length(links), found)
        home, found, links = home[chosen], found[chosen], links[chosen]
        edge[home], gap[home] = found, shapely.length(links)
        foot[home] = shapely.get_coordinates(shapely.get_point(links, 1))
        hidden = np.flatnonzero(edge < 0)
        if not len(hidden) or not len(network.barriers):
            break
        # behind a barrier: look at all edges within reach
        which, found = network.tree.query(outlines[hidden], predicate="dwithin", distance=reach)
        home = hidden[which]
    return edge, gap, foot


def _from_parks(ways: Entrances, large: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the way from each node of the network to the nearest large park [m], inf where there is none, and which park.

    Each park is a node of its own with one-way edges to its entrances, so that no way leads through a park.
    """
    count, parks = len(ways.network.nodes), len(large)
    wanted = large[ways.park]
    sources = np.unique(ways.park[wanted])
    if not len(sources):
        return np.full(count, np.inf), np.full(count, -1)
    streets = ways.network.graph().tocoo()
    graph = coo_array(
        (
            np.concatenate([streets.data, np.maximum(ways.gap_m[wanted], SMALLEST_STEP_M)]),
            (
                np.concatenate([streets.row, count + ways.park[wanted]]),
                np.concatenate([streets.col, ways.node[wanted]]),
            ),
        ),
        shape=(count + parks, count + parks),
    ).tocsr()
    distance, _, origin = dijkstra(
        graph, directed=True, indices=count + sources, min_only=True, return_predecessors=True
    )
    return distance[:count], np.where(np.isfinite(distance[:count]), origin[:count] - count, -1)
