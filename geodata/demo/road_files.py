"""Road centrelines as the map agency hands them out: one zip for each 1:5,000 sheet, cut at the sheet's edge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.demo.shapefile import write_shapefiles
from geodata.demo.spec import CRS
from geodata.map_sheets import sheets_over

LAYER = "N3L_A0020000"
SHORTEST_M = 0.05
CLASSES = {
    "main_road": "시도",
    "road": "시도",
    "lane": "시도",
    "track": "면리간도로",
    "drive": "부지안도로",
    "path": "소로",
}
"""Road class (도로구분) of each purpose."""
PAVING = {"track": "비포장", "path": "소형고압블록"}
LANE_M = 3.2
"""Width of a lane of traffic."""


def write_roads(
    inbox: Path, streets: gpd.GeoDataFrame, study: BaseGeometry, random: np.random.Generator
) -> dict[str, Any]:
    """Write one ``<sheet>.zip`` for each sheet and return what was planted.

    Parameters
    ----------
    streets
        Lines with `purpose` and `width_m`.
    """
    sheets = sheets_over(tuple(streets.total_bounds), CRS)
    counts: dict[str, Any] = {"sheets": {}, "rows": 0, "exact_duplicate_rows": 0, "width_unknown": 0}
    pieces: list[np.ndarray] = []
    for number, frame in zip(sheets["number"], sheets.geometry, strict=True):
        cut, owner = shapely.get_parts(shapely.intersection(streets.geometry.to_numpy(), frame), return_index=True)
        line = (shapely.get_type_id(cut) == shapely.GeometryType.LINESTRING) & (shapely.length(cut) > SHORTEST_M)
        cut, mine = cut[line], streets.iloc[owner[line]]
        if not len(cut):
            continue
        table = _table(mine, cut, number)
        unknown = random.random(len(table)) < 0.03
        table.loc[unknown, "도로폭"] = 0.0
        repeated = table.iloc[np.sort(random.permutation(len(table))[: max(1, len(table) // 400)])]
        whole = gpd.GeoDataFrame(pd.concat([table, repeated], ignore_index=True), geometry="geometry", crs=CRS)
        write_shapefiles(inbox / f"{number}.zip", [(LAYER, whole)], "LineString")
        counts["sheets"][number] = len(whole)
        counts["rows"] += len(whole)
        counts["exact_duplicate_rows"] += int(shapely.intersects(repeated.geometry.to_numpy(), study).sum())
        counts["width_unknown"] += int((unknown & shapely.intersects(cut, study)).sum())
        pieces.append(cut[shapely.intersects(cut, study)])
    kept = np.concatenate(pieces)
    length = pd.Series(streets.length.to_numpy()).groupby(streets["purpose"].to_numpy()).sum().round(1)
    return counts | {
        "published": len(kept),
        "length_touching_study_area_m": round(float(shapely.length(kept).sum()), 1),
        "length_by_purpose_m": {name: float(value) for name, value in length.items()},
    }


def _table(streets: gpd.GeoDataFrame, shapes: np.ndarray, number: str) -> gpd.GeoDataFrame:
    purpose = streets["purpose"].reset_index(drop=True)
    width = streets["width_m"].reset_index(drop=True).round(1)
    named = purpose.isin(["main_road", "road", "lane"])
    serial = pd.Series(np.arange(1, len(streets) + 1)).astype("str")
    return gpd.GeoDataFrame(
        {
            "도로번호": None,
            "명칭": None,
            "도로구분": purpose.map(CLASSES),
            "시점": None,
            "종점": None,
            "포장재질": purpose.map(PAVING).fillna("아스팔트"),
            "분리대유무": np.where(width >= 25.0, "유", "무"),
            "차로수": np.clip((width // LANE_M).astype(int), 1, 8),
            "도로폭": width,
            "일방통행": "양방통행",
            "자동차전용": "일반",
            "기타": "가상 데이터",
            "UFID": "10000" + number + "A0021" + serial.str.zfill(16),
            "도로명": ("가상로" + (streets.index.to_series().reset_index(drop=True) + 1).astype("str") + "길").where(
                named
            ),
        },
        geometry=shapes,
        crs=CRS,
    )
