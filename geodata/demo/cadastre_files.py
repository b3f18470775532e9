"""The cadastral map as V-World hands it out: AL_D002 in two parts, with what is wrong in real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.demo.defects import Picker, bow_ties
from geodata.demo.shapefile import DATE, write_shapefiles
from geodata.demo.spec import CRS
from geodata.demo.subdivide import boxes_at, frames

NAME = f"AL_D002_41_{DATE.replace('-', '')}"


def write_cadastre(
    inbox: Path, parcels: gpd.GeoDataFrame, built_on: np.ndarray, study: BaseGeometry, random: np.random.Generator
) -> dict[str, Any]:
    """Write ``AL_D002_41_<date>.zip`` and return what was planted.

    Parameters
    ----------
    parcels : GeoDataFrame of `numbering.number_parcels`
    built_on : bool array, parcels that carry a building; those keep their PNU and shape, so that buildings find them
    """
    shapes = parcels.geometry.to_numpy()
    inside = shapely.contains_properly(study, shapely.point_on_surface(shapes))
    deep = inside & (shapely.distance(shapes, study.boundary) > 40) & (shapely.area(shapes) > 90)
    scale = max(1, round(len(parcels) / 1800))
    picker = Picker(np.flatnonzero(deep), random)
    lonely = picker.take
    table = pd.DataFrame(
        {
            "A0": np.arange(1, len(parcels) + 1) + 4_121_000,
            "A1": parcels["pnu"],
            "A2": parcels["dong_code"],
            "A3": parcels["dong_name"],
            "A4": parcels["jibun"],
            "A5": parcels["jibun"] + parcels["jimok"],
            "A6": DATE,
            "A7": parcels["dong_code"].str[:5],
        }
    )
    table["geometry"] = shapes
    no_geometry = lonely(2 * scale, ~built_on)
    buildable = lonely(4 * scale, ~built_on)
    missing = lonely(2 * scale, ~built_on)
    malformed = lonely(3 * scale, ~built_on)
    knotted = lonely(7 * scale)
    split = lonely(9 * scale, shapely.area(shapes) > 400)
    repeated = lonely(8 * scale)
    table.loc[no_geometry, "geometry"] = None
    table.loc[np.concatenate([buildable, missing]), "A1"] = None
    table.loc[missing, ["A4", "A5"]] = None
    # lots of unfinished schemes carry block names in their number
    table.loc[malformed, "A1"] = (
        table.loc[malformed, "A2"]
        + "1"
        + "BL"
        + pd.Series(malformed, index=malformed).astype("str").str.zfill(6).str[-6:]
    )
    table.loc[knotted, "geometry"] = bow_ties(shapes[knotted])
    centre, along, length, breadth = frames(shapes[split])
    first = boxes_at(centre - along * (length * 0.3)[:, None], along, length * 0.3, breadth + 5)
    second = table.iloc[split].copy()
    second["geometry"] = shapely.difference(shapes[split], first)
    second["A0"] += 5_000_000
    table.loc[split, "geometry"] = shapely.intersection(shapes[split], first)
    whole = pd.concat([table, second, table.iloc[repeated]], ignore_index=True)
    whole = whole.sort_values(["A1", "A0"], kind="stable", na_position="last", ignore_index=True)
    frame = gpd.GeoDataFrame(whole, geometry="geometry", crs=CRS)
    half = len(frame) * 6 // 10
    write_shapefiles(inbox / f"{NAME}.zip", [(NAME, frame.iloc[:half]), (f"{NAME}(2)", frame.iloc[half:])])
    lost = len(no_geometry) + len(missing) + len(malformed)
    return {
        "rows": len(frame),
        "parts": 2,
        "rows_outside": int((~inside).sum()),
        "no_geometry": len(no_geometry),
        "pnu_missing": len(missing),
        "pnu_missing_buildable": len(buildable),
        "pnu_malformed": len(malformed),
        "bow_ties": len(knotted),
        "multi_row_pnus": len(split),
        "multi_row_rows": 2 * len(split),
        "exact_duplicate_rows": len(repeated),
        "parcels_inside": int(inside.sum()),
        "published": int(inside.sum()) - lost,
        "crosses_border": int(shapely.intersects(shapes, study.boundary).sum()),
        "area_inside_m2": round(float(shapely.area(shapes[inside]).sum()), 1),
    }
