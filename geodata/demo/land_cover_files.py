"""Land cover as the environment ministry hands it out: one SG05 zip for each 1:5,000 sheet, cut at the sheet's edge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.demo.defects import Picker
from geodata.demo.landscape import SLIVER_M2
from geodata.demo.shapefile import write_shapefiles
from geodata.demo.spec import CRS
from geodata.demo.subdivide import polygon_parts
from geodata.map_sheets import sheets_over

OVERLAP_M = 0.5
"""Sheets reach this far beyond their frame, so that neighbours overlap by twice as much."""
L1 = {"1": "시가화건조지역", "2": "농업지역", "3": "산림지역", "4": "초지", "5": "습지", "6": "나지", "7": "수역"}
L2 = {
    "11": "주거지역",
    "12": "공업지역",
    "13": "상업지역",
    "14": "문화·체육·휴양지역",
    "15": "교통지역",
    "16": "공공시설지역",
    "21": "논",
    "22": "밭",
    "23": "시설재배지",
    "24": "과수원",
    "25": "기타재배지",
    "31": "활엽수림",
    "32": "침엽수림",
    "33": "혼효림",
    "41": "자연초지",
    "42": "인공초지",
    "51": "내륙습지",
    "61": "자연나지",
    "62": "인공나지",
    "71": "내륙수",
}
L3 = {
    "111": "단독주거시설",
    "112": "공동주거시설",
    "121": "공업시설",
    "131": "상업·업무시설",
    "132": "혼합지역",
    "141": "문화·체육·휴양시설",
    "154": "도로",
    "155": "기타 교통·통신시설",
    "162": "교육·행정시설",
    "211": "경지정리가 된 논",
    "212": "경지정리가 안 된 논",
    "221": "경지정리가 된 밭",
    "222": "경지정리가 안 된 밭",
    "231": "시설재배지",
    "241": "과수원",
    "251": "목장·양식장",
    "252": "기타재배지",
    "311": "활엽수림",
    "321": "침엽수림",
    "331": "혼효림",
    "411": "자연초지",
    "422": "묘지",
    "423": "기타초지",
    "511": "내륙습지",
    "612": "강기슭",
    "613": "암벽·바위",
    "622": "운동장",
    "623": "기타나지",
    "711": "하천",
    "712": "호소",
}


def write_land_cover(
    inbox: Path, cover: gpd.GeoDataFrame, study: BaseGeometry, random: np.random.Generator
) -> dict[str, Any]:
    """Write one ``SG05_<sheet>.zip`` for each sheet and return what was planted."""
    shapes, codes = cover.geometry.to_numpy(), cover["class_code"].to_numpy()
    inside = np.flatnonzero(
        shapely.contains_properly(study, shapes) & (shapely.area(shapes) > 30) & (shapely.area(shapes) < 400)
    )
    sheets = sheets_over(tuple(cover.total_bounds), CRS)
    frames = shapely.buffer(sheets.geometry.to_numpy(), OVERLAP_M, join_style="mitre")
    # spoil only polygons well inside one sheet, so that each stays one row
    seams = shapely.union_all(shapely.boundary(sheets.geometry.to_numpy()))
    picker = Picker(inside[shapely.distance(shapes[inside], seams) > 30], random)
    scale = max(1, round(len(cover) / 6000))
    unknown, repeated = picker.take(2 * scale), picker.take(4 * scale)
    counts: dict[str, Any] = {"sheets": {}, "rows": 0, "no_geometry": 0}
    sheet, polygon = shapely.STRtree(shapes).query(frames, predicate="intersects")
    pieces, owner = polygon_parts(
        shapely.intersection(shapes[polygon], frames[sheet]), np.arange(len(sheet)), SLIVER_M2
    )
    rows = pd.DataFrame({"sheet": sheet[owner], "polygon": polygon[owner], "geometry": pieces})
    used = rows["polygon"].value_counts()
    for position, number in enumerate(sheets["number"]):
        mine = rows[rows["sheet"] == position].sort_values("polygon", kind="stable")
        if mine.empty:
            continue
        table = _table(codes[mine["polygon"].to_numpy()], number)
        table["geometry"] = mine["geometry"].to_numpy()
        spoilt = np.isin(mine["polygon"].to_numpy(), unknown)
        table.loc[spoilt, ["L3_CODE", "L3_NAME"]] = ["999", "미분류"]
        empty = table.iloc[:1].copy()
        empty["geometry"] = None
        table = pd.concat([table, table[np.isin(mine["polygon"].to_numpy(), repeated)], empty], ignore_index=True)
        write_shapefiles(
            inbox / f"SG05_{number}.zip", [(f"SG05_{number}", gpd.GeoDataFrame(table, geometry="geometry", crs=CRS))]
        )
        counts["sheets"][number] = len(table)
        counts["rows"] += len(table)
        counts["no_geometry"] += 1
    area = pd.Series(shapely.area(shapes)).groupby(codes).sum().round(1)
    counts |= {
        "polygons": len(cover),
        "polygons_on_several_sheets": int((used > 1).sum()),
        "exact_duplicate_rows": len(repeated),
        "code_unknown": len(unknown),
        "sheet_overlap_m": 2 * OVERLAP_M,
        "sheet_overlap_m2": round(float(shapely.area(pieces).sum() - shapely.area(shapes).sum()), 1),
        "area_unknown_m2": round(float(shapely.area(shapes[unknown]).sum()), 1),
        "area_by_class_m2": {code: float(value) for code, value in area.items()},
        "area_m2": round(float(shapely.area(shapes).sum()), 1),
        "polygons_touching_study_area": int(shapely.intersects(shapes, study).sum()),
    }
    return counts


def _table(codes: np.ndarray, number: str) -> pd.DataFrame:
    code = pd.Series(codes)
    return pd.DataFrame(
        {
            "L1_CODE": code.str[:1] + "00",
            "L1_NAME": code.str[:1].map(L1),
            "L2_CODE": code.str[:2] + "0",
            "L2_NAME": code.str[:2].map(L2),
            "L3_CODE": code,
            "L3_NAME": code.map(L3),
            "IMG_NAME": "가상 데이터",
            "IMG_DATE": "20250915",
            "INX_NUM": number,
        }
    )
