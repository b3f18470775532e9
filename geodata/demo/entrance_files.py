"""Park entrances as a municipality's survey hands them out: some parks, their gates, and the slips of a survey."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.demo.shapefile import DATE, write_shapefiles
from geodata.demo.spec import CRS

SURVEYED_SHARE = 0.6
"""Share of the parks with gates that somebody has walked round."""
ERROR_M = 1.5
"""Standard deviation of a surveyed place, in each direction."""
STRAY_M = 120.0
"""A stray point lies at least so far from every park."""


def write_entrances(
    inbox: Path, gates: gpd.GeoDataFrame, parks: gpd.GeoDataFrame, study: BaseGeometry, random: np.random.Generator
) -> dict[str, Any]:
    """Write ``공원출입구_조사.zip`` and return what was planted.

    Parameters
    ----------
    gates
        Points with `park`, the position in ``parks``.
    parks
        Facilities with `name`.
    """
    inside = shapely.contains_properly(study, shapely.point_on_surface(parks.geometry.to_numpy()))
    have = np.unique(gates["park"])
    have = have[inside[have]]
    walked = np.sort(random.permutation(have)[: max(1, round(SURVEYED_SHARE * len(have)))])
    mine = gates[gates["park"].isin(walked)].sort_values("park", kind="stable")
    places = shapely.get_coordinates(mine.geometry.to_numpy()) + random.normal(0.0, ERROR_M, (len(mine), 2))
    # an entrance of something else that was written down with the parks'
    west, south, east, north = study.bounds
    anywhere = np.asarray(shapely.points(random.uniform([west, south], [east, north], (4_000, 2))))
    shapely.prepare(study)
    anywhere = anywhere[shapely.contains(study, anywhere)]
    strays = anywhere[shapely.distance(anywhere, shapely.union_all(parks.geometry.to_numpy())) > STRAY_M][:2]
    number = mine.groupby("park").cumcount()
    name = pd.Series(np.select([number == 0, number == 1], ["정문", "후문"], "쪽문"))
    table = gpd.GeoDataFrame(
        {
            "출입구번호": "E" + pd.Series(np.arange(1, len(mine) + len(strays) + 1)).astype("str").str.zfill(4),
            "공원명": [*parks["name"].to_numpy()[mine["park"]], *["가상 체육관"] * len(strays)],
            "출입구명": [*name, *["출입구"] * len(strays)],
            "조사일자": DATE,
            "비고": "가상 데이터",
        },
        geometry=np.concatenate([np.asarray(shapely.points(places.round(2))), strays]),
        crs=CRS,
    )
    repeated = table.iloc[random.permutation(len(mine))[:1]]
    whole = gpd.GeoDataFrame(pd.concat([table, repeated], ignore_index=True), geometry="geometry", crs=CRS)
    write_shapefiles(inbox / "공원출입구_조사.zip", [("공원출입구_조사", whole)], "Point")
    return {
        "rows": len(whole),
        "exact_duplicate_rows": len(repeated),
        "without_park": len(strays),
        "parks_surveyed": len(walked),
        "parks_with_gates": len(have),
    }
