"""Bus stops as the ministry's national list holds them: those of the demo's streets among many others, and the slips of a list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.demo.spec import CRS

FILE = "국토교통부_전국 버스정류장 위치정보.csv"
COLLECTED = "2026-06-30"
SPACING_M = 280.0
"""Stops follow each other at this distance, one on either side of the street."""
SHORTEST_M = 120.0
"""Shorter streets have no stop."""
BESIDE_M = 1.5
"""A stop stands so far beside the carriageway."""
ELSEWHERE = 40
"""Stops of other towns in the list."""
FAR_M = 15_000.0


def write_stops(
    inbox: Path, streets: gpd.GeoDataFrame, study: BaseGeometry, random: np.random.Generator
) -> dict[str, Any]:
    """Write `FILE` (CP949, degrees) and return what was planted.

    Parameters
    ----------
    streets
        Lines with `purpose` and `width_m`.
    """
    own = _along(streets, study)
    angle = random.uniform(0, 2 * np.pi, ELSEWHERE)
    middle = np.array([study.centroid.x, study.centroid.y])
    away = (
        middle + np.column_stack([np.cos(angle), np.sin(angle)]) * random.uniform(FAR_M, 4 * FAR_M, ELSEWHERE)[:, None]
    )
    degrees = gpd.GeoSeries(shapely.points(np.concatenate([own, away])), crs=CRS).to_crs("EPSG:4326")
    number = pd.Series(np.arange(1, len(degrees) + 1)).astype("str")
    table = pd.DataFrame(
        {
            "정류장번호": "DMB" + number.str.zfill(9),
            "정류장명": "가상 정류장 " + number,
            # the national list has six decimals
            "위도": degrees.y.map("{:.6f}".format),
            "경도": degrees.x.map("{:.6f}".format),
            "정보수집일": COLLECTED,
            "모바일단축번호": number.str.zfill(5),
            "도시코드": np.where(np.arange(len(degrees)) < len(own), "31060", "99999"),
            "도시명": np.where(np.arange(len(degrees)) < len(own), "가상 도시", "다른 가상 도시"),
            "관리도시명": "가상 데이터",
        }
    )
    repeated, empty, swapped = np.split(random.permutation(len(own))[:5], [2, 4])
    copies = table.iloc[repeated]
    table.loc[empty, ["위도", "경도"]] = ""
    table.loc[swapped, ["위도", "경도"]] = table.loc[swapped, ["경도", "위도"]].to_numpy()
    whole = pd.concat([table, copies], ignore_index=True)
    (inbox / FILE).write_bytes(whole.to_csv(index=False, lineterminator="\r\n").encode("cp949"))
    return {
        "rows": len(whole),
        "rows_outside": ELSEWHERE,
        "exact_duplicate_rows": len(copies),
        "without_place": len(empty),
        "degrees_swapped": len(swapped),
        "published": len(own) - len(empty) - len(swapped),
    }


def _along(streets: gpd.GeoDataFrame, study: BaseGeometry) -> np.ndarray:
    """Return the places of stops on both sides of the wider streets, inside ``study``; shape (stops, 2)."""
    found = []
    for width, group in streets[streets["purpose"].isin(["main_road", "road"])].groupby("width_m", sort=True):
        joined = shapely.line_merge(shapely.multilinestrings(shapely.get_parts(group.geometry.to_numpy())))
        lines = shapely.get_parts(joined)
        lines = lines[shapely.length(lines) > SHORTEST_M]
        if not len(lines):
            continue
        length = shapely.length(lines)
        count = np.maximum(1, (length / SPACING_M).astype(np.int64))
        line = np.repeat(np.arange(len(lines)), count)
        at = (np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count) + 0.5) * (length / count)[line]
        here, ahead = (
            shapely.get_coordinates(shapely.line_interpolate_point(lines[line], at + step)) for step in (0.0, 0.5)
        )
        way = (ahead - here) / np.hypot(*(ahead - here).T)[:, None]
        aside = np.column_stack([way[:, 1], -way[:, 0]]) * (float(width) / 2 + BESIDE_M)
        found += [here + aside, here - aside]
    places = np.concatenate(found)
    inside = shapely.contains_properly(shapely.buffer(study, -5.0), shapely.points(places))
    places = places[inside]
    return places[np.lexsort((places[:, 1].round(2), places[:, 0].round(2)))]
