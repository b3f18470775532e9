"""Parks and green spaces of urban planning as the ministry hands them out: UPIS UQ153, in the old coordinate system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.demo.layout import URBAN, Layout, zone_at
from geodata.demo.shapefile import DATE, write_shapefiles
from geodata.demo.spec import CRS, Design

AGENCY_CRS = "EPSG:5174"
BUILT, PLANNED = "EMA0001", "EMA0002"
NAMES = {
    "UQT205": "소공원",
    "UQT210": "어린이공원",
    "UQT220": "근린공원",
    "UQT280": "수변공원",
    "UQT310": "완충녹지",
    "UQT320": "경관녹지",
}


def write_parks(inbox: Path, layout: Layout, parks: gpd.GeoDataFrame, random: np.random.Generator) -> dict[str, Any]:
    """Write ``UPIS_C_UQ153.zip`` from `facilities` and return what was planted."""
    inside = shapely.contains_properly(layout.study, shapely.point_on_surface(parks.geometry.to_numpy()))
    n = len(parks)
    table = gpd.GeoDataFrame(
        {
            "PRESENT_SN": "41210UQ153PS" + pd.Series(np.arange(1, n + 1)).astype("str").str.zfill(12),
            "LCLAS_CL": parks["code"].str[:4] + "00",
            "MLSFC_CL": parks["code"],
            "SCLAS_CL": None,
            "ATRB_SE": "UQT000",
            "WTNNC_SN": None,
            "NTFC_SN": None,
            "DGM_NM": parks["name"],
            "DGM_AR": shapely.area(parks.geometry.to_numpy()).round(1),
            "DGM_LT": 0.0,
            "SIGNGU_SE": "41210",
            "EXCUT_SE": parks["executed"],
            "DRAWING_NO": None,
            "CREATE_DAT": DATE.replace("-", ""),
        },
        geometry=parks.geometry.to_numpy(),
        crs=CRS,
    ).to_crs(AGENCY_CRS)
    order = random.permutation(np.flatnonzero(inside))
    shifted, repeated, damaged = order[: max(2, n // 5)], order[-max(1, n // 12) :], order[-1:]
    table.loc[shifted, "LCLAS_CL"] = table.loc[shifted, "MLSFC_CL"]
    table.loc[shifted, "MLSFC_CL"] = None
    # a name whose UTF-8 bytes were once read as CP949
    table.loc[damaged, "DGM_NM"] = [
        name.encode().decode("cp949", errors="replace").replace("\ufffd", "?") for name in table.loc[damaged, "DGM_NM"]
    ]
    lost = table.iloc[order[:1]].copy()
    lost["PRESENT_SN"] = "41210UQ153PS999999999999"
    lost["geometry"] = shapely.transform(lost.geometry.to_numpy(), lambda xy: xy - [2_500_000.0, 0.0])
    whole = pd.concat([table, table.iloc[np.sort(repeated)], lost], ignore_index=True)
    write_shapefiles(
        inbox / "UPIS_C_UQ153.zip", [("UPIS_C_UQ153", gpd.GeoDataFrame(whole, geometry="geometry", crs=AGENCY_CRS))]
    )
    return {
        "rows": len(whole),
        "facilities": n,
        "rows_outside": int((~inside).sum()),
        "exact_duplicate_rows": len(repeated),
        "class_shifted_left": len(shifted),
        "coordinates_out_of_range": 1,
        "name_damaged": len(damaged),
        "published": int(inside.sum()),
        "built": int(((table["EXCUT_SE"] == BUILT) & inside).sum()),
        "planned": int(((table["EXCUT_SE"] == PLANNED) & inside).sum()),
        "crs": AGENCY_CRS,
        "area_inside_m2": round(float(shapely.area(parks.geometry.to_numpy()[inside]).sum()), 1),
    }


def facilities(
    design: Design, layout: Layout, parcels: gpd.GeoDataFrame, random: np.random.Generator
) -> gpd.GeoDataFrame:
    """Return built parks and buffers, wooded knolls within the town, and parks that exist on paper only.

    Columns: code, executed, name, geometry.
    """
    shapes, purpose = parcels.geometry.to_numpy(), parcels["purpose"].to_numpy()
    built = shapely.get_parts(shapely.union_all(shapes[purpose == "park"]))
    area = shapely.area(built)
    found = [(built, np.select([area > 9_000, area > 1_500], ["UQT220", "UQT210"], "UQT205"), BUILT)]
    greens = shapely.get_parts(shapely.union_all(shapes[(purpose == "green") & (shapely.area(shapes) > 150)]))
    found.append((greens, np.where(random.random(len(greens)) < 0.6, "UQT310", "UQT320"), BUILT))
    knolls = shapely.get_parts(layout.woods)
    town = np.isin(zone_at(design, shapely.get_coordinates(shapely.centroid(knolls))), (*URBAN, "village", "factory"))
    knolls = knolls[town & shapely.contains_properly(layout.study, knolls)]
    found.append((knolls, np.full(len(knolls), "UQT220"), BUILT))
    # riverside land that was designated long ago and is farmed to this day
    wet = shapes[(purpose == "paddy") & (shapely.distance(shapes, layout.corridor) < 12)]
    strips = shapely.get_parts(shapely.union_all(wet))
    strips = strips[shapely.area(strips) > 2_000]
    found.append((strips, np.full(len(strips), "UQT280"), PLANNED))
    frame = pd.concat(
        [pd.DataFrame({"geometry": s, "code": c, "executed": e}) for s, c, e in found if len(s)], ignore_index=True
    )
    frame["name"] = "가상 제" + (frame.groupby("code").cumcount() + 1).astype("str") + "호 " + frame["code"].map(NAMES)
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=CRS)
