"""Clean parcels: one feature per PNU."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.accounting import CleanLayer
from geodata.clean.candidates import Candidates, gather
from geodata.clean.parcel_fit import note_fit
from geodata.inventory import RawLayer
from geodata.jimok import jimok_signs
from geodata.pnu import build_pnu, dong_code_by_name, is_pnu, lot_of_pnu, parse_jibun, shift_land_type
from geodata.repair import make_valid_polygons
from geodata.study_area import StudyArea, legal_dongs

COLUMNS = ("pnu", "dong_code", "jibun", "jimok", "area_m2", "source_rows")


def clean_parcels(raw: Sequence[RawLayer], area: StudyArea) -> CleanLayer:
    """Return the parcels of the study area, sorted by PNU.

    A PNU that is missing is built from dong and lot number; one with letters (block lots) is set aside. Rows of one PNU
    are united. `source_rows` counts the rows that a parcel stands for, exact copies included. Where united rows differ
    in lot number or land category, the largest row that has one decides. Parcels that overlap, and gaps along borders of
    municipalities, are told and measured but left as they are.

    Raises
    ------
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    candidates = gather(raw, area, "parcels", texts=("pnu", "dong_code", "dong_name", "jibun", "jimok"))
    _settle_pnu(candidates)
    rows = candidates.features
    lots = parse_jibun(rows["jibun"])
    rows["jimok"] = jimok_signs(_label(rows["jimok"]).fillna(lots["jimok"]))
    rows["jibun"] = lots["lot"].fillna(rows["jibun"]).fillna(lot_of_pnu(rows["pnu"]))
    candidates.features = _one_row_per_pnu(candidates)

    parcels = candidates.features.rename(columns={"copies": "source_rows"})
    parcels["dong_code"] = parcels["pnu"].str.slice(0, 10)
    parcels["area_m2"] = parcels.geometry.area
    note_fit(candidates, parcels)
    return candidates.publish(parcels[[*COLUMNS, "geometry"]])


def _label(jimok: pd.Series) -> pd.Series:
    """Return the land category of a column that holds it alone (``대``, ``임야``) or behind the lot number (``630 대``)."""
    alone = jimok.str.replace(r"\s", "", regex=True)
    return alone.where(alone.str.fullmatch("[가-힣]+", na=False), parse_jibun(jimok)["jimok"])


def _settle_pnu(candidates: Candidates) -> None:
    """Keep PNUs that are given, build missing ones, and drop the records that end without one."""
    rows = candidates.features
    pnu, raised = shift_land_type(rows["pnu"], rows["layer"])
    candidates.note("land_type_shifted", raised, "PNU: " + rows["pnu"].fillna(""))
    rows = candidates.features = rows.assign(pnu=pnu)
    candidates.drop("pnu_malformed", rows["pnu"].notna() & ~is_pnu(rows["pnu"]), "PNU: " + rows["pnu"].fillna(""))

    rows = candidates.features
    missing = rows["pnu"].isna()
    if not missing.any():
        return
    codes = rows["dong_code"].where(rows["dong_code"].str.fullmatch("[0-9]{10}", na=False))
    named = missing & codes.isna() & rows["dong_name"].notna()
    if named.any():
        dongs = legal_dongs(candidates.area.crs)
        codes = codes.where(~named, dong_code_by_name(rows.loc[named, "dong_name"], rows.loc[named].geometry, dongs))
    built = build_pnu(codes.astype("str"), rows["jibun"])
    said = rows["dong_name"].fillna(rows["dong_code"]).fillna("-") + " " + rows["jibun"].fillna("-")
    candidates.note("pnu_built", missing & built.notna(), said)
    fault = pd.Series(np.where(codes.isna(), "no such legal dong here: ", "not a lot number: "), index=rows.index)
    candidates.features = rows.assign(pnu=rows["pnu"].fillna(built))
    candidates.drop("pnu_missing", candidates.features["pnu"].isna(), fault + said)


def _one_row_per_pnu(candidates: Candidates) -> gpd.GeoDataFrame:
    rows = candidates.features
    rows = rows.assign(size=rows.geometry.area).sort_values(
        ["pnu", "size"], ascending=[True, False], kind="stable", ignore_index=True
    )
    candidates.features = rows
    repeated = rows["pnu"].duplicated()
    groups = rows.groupby("pnu", sort=False)
    words = groups[["jibun", "jimok"]].first()
    copies = groups["copies"].sum()
    several = rows[rows["pnu"].duplicated(keep=False)]
    united = several.groupby("pnu", sort=False)["geometry"].agg(lambda shapes: shapely.union_all(shapes.to_numpy()))
    candidates.drop("same_pnu", repeated, "PNU: " + rows["pnu"])

    single = candidates.features.set_index("pnu", drop=False)
    shapes = single.geometry.to_numpy().copy()
    shapes[single.index.get_indexer(united.index)] = make_valid_polygons(united.to_numpy(dtype=object))
    single = single.assign(
        jibun=words["jibun"].reindex(single.index),
        jimok=words["jimok"].reindex(single.index),
        copies=copies.reindex(single.index),
    )
    return single.set_geometry(gpd.GeoSeries(shapes, index=single.index, crs=single.crs)).reset_index(drop=True)
