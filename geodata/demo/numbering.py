"""Lot numbers and parcel numbers (PNU) in the real legal dongs."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.demo.plots import JIMOK
from geodata.demo.spec import CRS
from geodata.study_area import legal_dongs


def number_parcels(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give every parcel its dong, lot number and PNU; rows come back sorted by PNU.

    The dong is the real legal dong in which the parcel's representative point lies. Within a dong, main numbers count
    the blocks from north-west to south-east, sub numbers the plots of a block; woods and graves are mountain lots (산).

    Returns
    -------
    GeoDataFrame
        The given columns and dong_code, dong_name (full), san (bool), jimok, jibun, pnu.
    """
    dongs = legal_dongs(CRS)
    west, south, east, north = parcels.total_bounds
    dongs = dongs[dongs.intersects(shapely.box(west - 500, south - 500, east + 500, north + 500))].reset_index(
        drop=True
    )
    points = shapely.point_on_surface(parcels.geometry.to_numpy())
    tree = shapely.STRtree(dongs.geometry.to_numpy())
    parcel, dong = tree.query(points, predicate="intersects")
    position = np.full(len(parcels), -1)
    position[parcel[::-1]] = dong[::-1]
    outside = np.flatnonzero(position < 0)  # simplified neighbours leave slivers between them
    position[outside] = tree.nearest(points[outside])
    frame = parcels.copy()
    frame["dong_code"] = dongs["dong_code"].to_numpy()[position]
    frame["dong_name"] = dongs["full_name_ko"].to_numpy()[position]
    frame["jimok"] = frame["purpose"].map(JIMOK)
    frame["san"] = frame["purpose"].isin(["forest", "grave"])
    xy = shapely.get_coordinates(points)
    frame["_x"], frame["_y"] = xy[:, 0], xy[:, 1]
    group = ["dong_code", "san", "block"]
    place = frame.groupby(group, sort=True)[["_x", "_y"]].mean().reset_index()
    place["_band"] = (-place["_y"] // 400).astype(int)
    place = place.sort_values(["dong_code", "san", "_band", "_x", "block"], kind="stable")
    place["main"] = place.groupby(["dong_code", "san"]).cumcount() + 1
    frame = frame.merge(place[[*group, "main"]], on=group, how="left").sort_values(
        [*group, "_y", "_x"], ascending=[True] * 3 + [False, True], kind="stable"
    )
    frame["sub"] = frame.groupby(group).cumcount()
    frame["pnu"] = (
        frame["dong_code"]
        + np.where(frame["san"], "2", "1")
        + frame["main"].astype("str").str.zfill(4)
        + frame["sub"].astype("str").str.zfill(4)
    )
    frame["jibun"] = lot_number(frame["san"], frame["main"], frame["sub"])
    frame = frame.drop(columns=["_x", "_y", "main", "sub"])
    return gpd.GeoDataFrame(frame.sort_values("pnu", kind="stable"), geometry="geometry", crs=CRS).reset_index()


def lot_number(san: pd.Series, main: pd.Series, sub: pd.Series) -> pd.Series:
    """Return lot numbers as the cadastre writes them: 12, 12-3, 산12-3."""
    text = main.astype("str").where(sub == 0, main.astype("str") + "-" + sub.astype("str"))
    return text.where(~san, "산" + text)
