"""Building footprints as V-World hands them out: AL_D010, 29 fields, two parts, with what is missing in real ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.demo.defects import Picker, bow_ties
from geodata.demo.footprints import STRUCTURES
from geodata.demo.shapefile import DATE, write_shapefiles
from geodata.demo.spec import CRS

NAME = f"AL_D010_41_{DATE.replace('-', '')}"


def write_buildings(
    inbox: Path, buildings: pd.DataFrame, parcels: gpd.GeoDataFrame, study: BaseGeometry, random: np.random.Generator
) -> dict[str, Any]:
    """Write ``AL_D010_41_<date>.zip`` and return what was planted.

    Parameters
    ----------
    buildings : columns as `footprints.ordinary_buildings`; ``parcel`` is the position in ``parcels``
    """
    shapes = buildings["geometry"].to_numpy()
    table = _table(buildings, parcels, random)
    inside = shapely.contains_properly(study, shapely.point_on_surface(shapes))
    straddling = shapely.intersects(shapes, study.boundary)
    deep = inside & (shapely.distance(shapes, study.boundary) > 30) & (shapely.area(shapes) > 40)
    scale = max(1, round(len(buildings) / 1000))
    picker = Picker(np.flatnonzero(deep), random)
    no_geometry, knotted, repeated = picker.take(2 * scale), picker.take(5 * scale), picker.take(8 * scale)
    no_pnu, stale, tall, storeyed = (
        picker.take(5 * scale),
        picker.take(4 * scale),
        picker.take(3 * scale),
        picker.take(2 * scale),
    )
    shed = picker.take(3 * scale)
    table.loc[no_geometry, "geometry"] = None
    table.loc[knotted, "geometry"] = bow_ties(shapes[knotted])
    table.loc[no_pnu, ["A2", "A5"]] = None
    table.loc[stale, "A2"] = (
        table.loc[stale, "A3"] + "19998" + pd.Series(stale, index=stale).astype("str").str.zfill(4).str[-4:]
    )
    table.loc[tall, "A16"] = 999.9
    table.loc[storeyed, "A26"] = 255
    centre = shapely.get_coordinates(shapely.point_on_surface(shapes[shed]))
    table.loc[shed, "geometry"] = shapely.box(
        centre[:, 0] - 0.9, centre[:, 1] - 0.8, centre[:, 0] + 0.9, centre[:, 1] + 0.8
    )
    table.loc[shed, "A12"] = 2.88
    blank = picker.take(9 * scale)
    shared = picker.take(4 * scale)
    table.loc[blank, "A1"] = None
    table.loc[shared[1::2], "A1"] = table.loc[shared[0::2], "A1"].to_numpy()[: len(shared[1::2])]
    known = np.ones(len(table), dtype=bool)
    known[no_geometry] = False
    height, floors = table["A16"].to_numpy(), table["A26"].to_numpy()
    whole = pd.concat([table, table.iloc[repeated]], ignore_index=True)
    whole = whole.sort_values(["A3", "A0"], kind="stable", ignore_index=True)
    frame = gpd.GeoDataFrame(whole, geometry="geometry", crs=CRS)
    half = len(frame) * 55 // 100
    write_shapefiles(inbox / f"{NAME}.zip", [(NAME, frame.iloc[:half]), (f"{NAME}(2)", frame.iloc[half:])])
    counted = inside & known
    return {
        "rows": len(frame),
        "parts": 2,
        "rows_outside": int((~inside).sum()),
        "no_geometry": len(no_geometry),
        "bow_ties": len(knotted),
        "exact_duplicate_rows": len(repeated),
        "pnu_missing": len(no_pnu),
        "pnu_without_parcel": len(stale),
        "height_implausible": len(tall),
        "floors_implausible": len(storeyed),
        "footprint_tiny": len(shed),
        "source_id_blank": len(blank),
        "source_id_shared": 2 * (len(shared) // 2),
        "buildings_inside": int(inside.sum()),
        "published": int(counted.sum()),
        "straddling_border": int(straddling.sum()),
        "straddling_border_kept": int((straddling & inside).sum()),
        "height_zero": int((counted & (height == 0)).sum()),
        "floors_zero": int((counted & (floors == 0)).sum()),
        "height_and_floors_zero": int((counted & (height == 0) & (floors == 0)).sum()),
        "height_plausible": int((counted & (height > 0) & (height < 200)).sum()),
    }


def _table(buildings: pd.DataFrame, parcels: gpd.GeoDataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return the 29 columns, before anything is spoilt; values that a register lacks are 0 or blank."""
    n = len(buildings)
    plot = parcels.iloc[buildings["parcel"].to_numpy()].reset_index(drop=True)
    shapes = buildings["geometry"].to_numpy()
    area = shapely.area(shapes)
    plot_area = shapely.area(plot.geometry.to_numpy())
    floors = buildings["floors_above"].to_numpy()
    gross = area * floors * random.uniform(0.92, 1.0, n) + area * buildings["floors_below"].to_numpy() * 1.2
    year = buildings["year"].to_numpy()
    estate = buildings["kind"].isin(["slab", "tower"]).to_numpy()
    # registers of old and small buildings are the ones with gaps
    no_height = random.random(n) < np.where(
        estate, 0.10, np.where(year < 2000, 0.66, np.where(year < 2012, 0.52, 0.34))
    )
    no_floors = random.random(n) < np.where(estate, 0.02, np.where(year < 2000, 0.24, 0.10))
    no_area = random.random(n) < 0.22
    month, day = random.integers(1, 13, n), random.integers(1, 29, n)
    date = pd.Series(pd.to_datetime({"year": year, "month": month, "day": day})).dt.strftime("%Y-%m-%d")
    date = date.where(random.random(n) > np.where(year < 1990, 0.35, 0.07), None)
    number = pd.Series(np.arange(1, n + 1))
    xy = shapely.get_coordinates(shapely.point_on_surface(shapes)).astype(int)
    key = [
        hashlib.sha256(f"{pnu}/{x}/{y}".encode()).hexdigest()[:12].upper()
        for pnu, (x, y) in zip(plot["pnu"], xy, strict=True)
    ]
    table = pd.DataFrame(
        {
            # the drawing number is shared by the buildings of one lot
            "A0": 7_000_000 + pd.factorize(plot["pnu"])[0],
            "A1": plot["pnu"].str[:10] + "B" + number.astype("str").str.zfill(5) + pd.Series(key),
            "A2": plot["pnu"],
            "A3": plot["dong_code"],
            "A4": plot["dong_name"],
            "A5": plot["jibun"].str.removeprefix("산"),
            "A6": np.where(plot["san"], "2", "1"),
            "A7": np.where(plot["san"], "산", "일반"),
            "A8": buildings["use_code"].to_numpy(),
            "A9": buildings["use"].to_numpy(),
            "A10": buildings["structure_code"].to_numpy(),
            "A11": buildings["structure_code"].map(STRUCTURES).to_numpy(),
            "A12": np.round(np.where(no_area, 0.0, area), 2),
            "A13": date,
            "A14": np.round(np.where(no_area, 0.0, gross), 2),
            "A15": np.round(np.where(random.random(n) < 0.3, 0.0, plot_area), 1),
            "A16": np.where(no_height, 0.0, buildings["height_m"].to_numpy()),
            "A17": np.round(np.where(no_area, 0.0, area / plot_area * 100), 2),
            "A18": np.round(np.where(no_area, 0.0, gross / plot_area * 100), 2),
            "A19": (1_000_000_000 + number * 37).astype("str"),
            "A20": np.where(random.random(n) < 0.015, "1", "0"),
            "A21": "B001" + number.astype("str").str.zfill(16),
            "A22": DATE,
            "A23": plot["dong_code"].str[:5],
            "A24": buildings["name"].replace("", None).to_numpy(),
            "A25": buildings["part"].replace("", None).to_numpy(),
            "A26": np.where(no_floors, 0, floors),
            "A27": buildings["floors_below"].to_numpy().astype(int),
            "A28": DATE,
        }
    )
    # some registers know a use and a structure only in words
    vague = random.random(n) < 0.02
    table.loc[vague, ["A8", "A9"]] = None
    table["geometry"] = shapes
    return table
