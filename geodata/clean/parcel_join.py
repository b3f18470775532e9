"""Which parcel a building stands on, and whether the two layers fit at all.

A wrong datum shifts a whole layer: 256 m between EPSG:5174 and EPSG:2097, 313 m between EPSG:5174 and EPSG:5181. Every
building still falls on *some* parcel then, because parcels cover the land without gaps, but hardly one on its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.clean.overlap import largest_overlap
from geodata.errors import InputError
from geodata.repair import Mask, Shapes

MINIMUM_RATE = 0.9
"""Below this share of buildings on their parcels the layers are taken to be shifted against each other. With a house on
each of 1,273 real parcels of Gwarim the share is 1.00; shifted by 256 or 313 m it falls to 0.00 by PNU and to 0.65-0.81 by
place alone."""
MINIMUM_BUILDINGS = 20
"""With fewer buildings the share says nothing."""
NEAR_M = 10.0
"""Buildings further than this from all building land lie where the parcels do not reach and say nothing."""
NOT_BUILDING_LAND = ("도", "천", "구", "제", "철", "유")
"""Road, river, ditch, embankment, railway and reservoir: parcels on which buildings do not stand."""


@dataclass(frozen=True)
class ParcelJoin:
    """The parcel of each building: ``pnu``, missing where none is known, and how it was found."""

    pnu: pd.Series
    by_overlap: Mask
    without: Mask


def join_parcels(pnu: pd.Series, shapes: Shapes, parcels: gpd.GeoDataFrame) -> ParcelJoin:
    """Join buildings to ``parcels`` by PNU, else by largest overlap.

    ``pnu`` holds well-formed PNUs or is missing. A PNU that no parcel has is kept where no parcel overlaps either.
    """
    matched = pnu.isin(parcels["pnu"]).to_numpy(dtype=bool)
    found = np.full(len(shapes), -1, dtype=np.intp)
    found[~matched] = largest_overlap(shapes[~matched], parcels.geometry.to_numpy())
    by_overlap = found >= 0
    overlapped = parcels["pnu"].to_numpy(dtype=object)[found[by_overlap]]
    joined = pnu.to_numpy(dtype=object).copy()
    joined[by_overlap] = overlapped
    return ParcelJoin(pd.Series(joined, index=pnu.index, dtype="str"), by_overlap, ~matched & ~by_overlap)


def parcel_match_rate(pnu: pd.Series, shapes: Shapes, parcels: gpd.GeoDataFrame) -> tuple[float, int]:
    """Return the share of buildings that stand where the parcels say, and how many buildings could be judged.

    Where at least `MINIMUM_BUILDINGS` buildings name a parcel that is there, these are judged: they stand right if they
    touch it. Otherwise place alone decides: a building stands right if its representative point lies in a parcel that is
    not road, water or railway, and it is judged only within `NEAR_M` of such a parcel. The rate is NaN where no building
    can be judged.
    """
    plots = parcels.geometry.to_numpy()
    own = pd.Index(parcels["pnu"]).get_indexer(pd.Index(pnu))
    named = (own >= 0) & pnu.notna().to_numpy()
    if named.sum() >= MINIMUM_BUILDINGS:
        return float(shapely.intersects(shapes[named], plots[own[named]]).mean()), int(named.sum())

    points = shapely.point_on_surface(shapes)
    building_land = ~parcels["jimok"].isin(NOT_BUILDING_LAND).to_numpy(dtype=bool)
    tree = shapely.STRtree(plots[building_land])
    judged, right = np.zeros(len(shapes), dtype=bool), np.zeros(len(shapes), dtype=bool)
    judged[tree.query(points, predicate="dwithin", distance=NEAR_M)[0]] = True
    right[tree.query(points, predicate="within")[0]] = True
    count = int(judged.sum())
    return (float(right[judged].mean()) if count else float("nan")), count


def refuse_shifted_layers(pnu: pd.Series, shapes: Shapes, parcels: gpd.GeoDataFrame) -> None:
    """Refuse buildings that do not stand on their parcels.

    Raises
    ------
    InputError
        If fewer than `MINIMUM_RATE` of at least `MINIMUM_BUILDINGS` buildings stand right.
    """
    rate, count = parcel_match_rate(pnu, shapes, parcels)
    if count >= MINIMUM_BUILDINGS and rate < MINIMUM_RATE:
        raise InputError(
            f"buildings and parcels do not fit: only {rate:.0%} of {count:,} buildings stand on their parcel "
            f"(at least {MINIMUM_RATE:.0%} expected). The coordinate reference system of one of the two files is probably "
            "declared wrong: EPSG:5174 and EPSG:2097 differ by 256 m, EPSG:5174 and EPSG:5181 by 313 m, EPSG:5181 and EPSG:5186 "
            "by 100 km. Ask the supplier which one it is and set sources.buildings.crs or sources.parcels.crs in the site file"
        )
