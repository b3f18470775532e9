"""The streets of the demo as lines: centre lines of all street land, drives of estates and paths of parks."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.demo.centre_lines import centre_lines
from geodata.demo.footways import estate_drives, gates_of, gateways, park_paths
from geodata.demo.park_files import BUILT
from geodata.demo.plots import STREETS
from geodata.demo.spec import CRS

DRIVE_WIDTH_M, PATH_WIDTH_M = 5.5, 3.0


@dataclass(frozen=True)
class StreetNetwork:
    """``lines`` with `purpose` and `width_m`; ``gates`` of parks that stand, with `park` (position in the parks given)."""

    lines: gpd.GeoDataFrame
    gates: gpd.GeoDataFrame


def street_network(parcels: gpd.GeoDataFrame, buildings: pd.DataFrame, parks: gpd.GeoDataFrame) -> StreetNetwork:
    """Return the streets and footways of the demo, and the gates of its parks.

    Parameters
    ----------
    parcels, buildings
        Of the demo: `purpose` and geometry; `parcel` and geometry.
    parks
        Facilities of `geodata.demo.park_files.facilities`.
    """
    purpose, shapes = parcels["purpose"], parcels.geometry.to_numpy()
    roads = purpose.isin(STREETS).to_numpy()
    axes, width = centre_lines(shapes[roads])
    tree = shapely.STRtree(shapes[roads])
    which, lot = tree.query_nearest(shapely.line_interpolate_point(axes, 0.5, normalized=True), all_matches=False)
    kind = np.full(len(axes), "road", dtype=object)
    kind[which] = purpose.to_numpy(dtype=object)[roads][lot]
    drives, drive_ways = estate_drives(parcels, buildings, axes)

    places = np.flatnonzero((parks["executed"] == BUILT) & parks["code"].str.startswith("UQT2"))
    grounds = parks.geometry.to_numpy()[places]
    area = shapely.area(grounds)
    number = np.select([area < 1_500, area < 4_500, area < 15_000], [1, 2, 3], 4)
    gates = gates_of(grounds, number, axes, parcels)
    paths, owner = park_paths(grounds, shapes[(purpose == "park").to_numpy()])
    path_ways = gateways(gates, paths, owner)

    groups = [_lines(axes, kind, width)]
    groups += [_lines(lines, "drive", DRIVE_WIDTH_M) for lines in (drives, drive_ways)]
    groups += [_lines(lines, "path", PATH_WIDTH_M) for lines in (paths, path_ways)]
    return StreetNetwork(
        gpd.GeoDataFrame(pd.concat(groups, ignore_index=True), geometry="geometry", crs=CRS),
        gpd.GeoDataFrame({"park": places[gates[0]]}, geometry=gates[1], crs=CRS),
    )


def _lines(shapes: np.ndarray, purpose: np.ndarray | str, width_m: np.ndarray | float) -> pd.DataFrame:
    whole_cm = shapely.transform(shapes, lambda xy: xy.round(2))
    return pd.DataFrame({"geometry": whole_cm, "purpose": purpose, "width_m": width_m})
