"""The zoning (용도지역) of parcels, from the first of three sources that says one."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.accounting import CleanLayer
from geodata.class_tables import class_words, load_classes
from geodata.clean.candidates import gather
from geodata.clean.overlap import largest_overlap
from geodata.inventory import RawLayer
from geodata.study_area import StudyArea

UNASSIGNED = ("지정되지않음", "미지정", "미분류", "용도미지정")
_CODE = r"(UQ[A-D][0-9][0-9X][0-9X])"


def clean_zones(raw: Sequence[RawLayer], area: StudyArea) -> CleanLayer:
    """Return the zoning polygons that touch the study area: `zone_code`, `zone_name`, geometry; in the order of their content.

    The code is read out of the management number. Polygons may overlap: zones of the whole city lie under finer ones.

    Raises
    ------
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    candidates = gather(raw, area, "zoning", texts=("zone_code", "zone_name"), labels=("zone_name",), keep="touching")
    rows = candidates.features
    classes = load_classes("geodata.clean", "zoning_classes.yaml")
    code = rows["zone_code"].str.upper().str.extract(_CODE)[0].astype("str")
    name = class_words(code, classes, "ko").fillna(_plain(rows["zone_name"]))
    candidates.features = rows.assign(zone_name=name)
    candidates.drop("code_unknown", name.isna(), "zone: " + rows["zone_code"].fillna("none"))
    rows = candidates.features.assign(zone_code=code[name.notna()].reset_index(drop=True))
    return candidates.publish(rows[["zone_code", "zone_name", "geometry"]])


def parcel_land(
    parcels: gpd.GeoDataFrame,
    characteristics: pd.DataFrame | None,
    regulation: pd.DataFrame | None,
    zones: gpd.GeoDataFrame | None,
) -> pd.DataFrame:
    """Return zoning and registered area of each parcel, indexed by `pnu`.

    Columns: `zoning` (names, the finest that are given, joined by a comma), `zoning_source` (``regulation``,
    ``characteristics`` or ``polygons``; the first that says something counts) and, with ``characteristics``,
    `official_area_m2`. A column whose sources are all absent is absent.

    Parameters
    ----------
    parcels
        Clean parcels: `pnu` and geometry.
    characteristics, regulation
        Clean tables of `geodata.clean.land_tables`.
    zones
        Clean polygons of `clean_zones`; a parcel takes those that cover it most.
    """
    index = pd.Index(parcels["pnu"], name="pnu")
    said: list[tuple[str, pd.Series]] = []
    if regulation is not None:
        said.append(("regulation", _of_names(regulation, "zone_name")))
    if characteristics is not None:
        both = characteristics[["pnu"]].assign(zone_name=characteristics["zoning_1"])
        second = characteristics[["pnu"]].assign(zone_name=characteristics["zoning_2"])
        said.append(
            ("characteristics", _of_names(pd.concat([both, second], ignore_index=True), "zone_name", known=False))
        )
    if zones is not None:
        said.append(("polygons", _of_shapes(parcels, zones)))
    result = pd.DataFrame(index=index)
    if characteristics is not None:
        result["official_area_m2"] = characteristics.set_index("pnu")["official_area_m2"].reindex(index)
    if said:
        zoning = np.full(len(index), None, dtype=object)
        source = np.full(len(index), None, dtype=object)
        for name, found in said:
            words = found.reindex(index).to_numpy(dtype=object)
            fresh = pd.isna(zoning) & ~pd.isna(words)
            zoning[fresh], source[fresh] = words[fresh], name
        result["zoning"] = pd.Series(zoning, index=index, dtype="str")
        result["zoning_source"] = pd.Series(source, index=index, dtype="str")
    return result


def _plain(names: pd.Series) -> pd.Series:
    return names.str.normalize("NFKC").str.replace(r"\s", "", regex=True)


def _of_names(table: pd.DataFrame, column: str, *, known: bool = True) -> pd.Series:
    """Return, by PNU, the finest zones among the names; with ``known`` only names of the law count, which are all zones."""
    classes = load_classes("geodata.clean", "zoning_classes.yaml")
    coarse = {words["ko"] for words in classes.values() if words.get("fine") == "no"}
    names = _plain(table[column])
    lawful = names.isin([words["ko"] for words in classes.values()])
    kept = lawful if known else names.notna() & ~names.isin(UNASSIGNED)
    rows = pd.DataFrame({"pnu": table["pnu"], "name": names})[kept].drop_duplicates()
    is_coarse = rows["name"].isin(coarse)
    has_fine = rows["pnu"].isin(rows.loc[~is_coarse, "pnu"])
    rows = rows[~(is_coarse & has_fine)].sort_values(["pnu", "name"])
    return rows.groupby("pnu")["name"].agg(", ".join).astype("str")


def _of_shapes(parcels: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> pd.Series:
    classes = load_classes("geodata.clean", "zoning_classes.yaml")
    coarse = {words["ko"] for words in classes.values() if words.get("fine") == "no"}
    is_coarse = zones["zone_name"].isin(coarse).to_numpy(dtype=bool)
    shapes = parcels.geometry.to_numpy()
    result = np.full(len(parcels), None, dtype=object)
    for these in (zones[~is_coarse], zones[is_coarse]):
        open_ones = np.flatnonzero(pd.isna(result))
        found = largest_overlap(shapes[open_ones], these.geometry.to_numpy())
        names = these["zone_name"].to_numpy(dtype=object)
        covered = np.zeros(len(open_ones), dtype=bool)
        hit = found >= 0
        shared = shapely.area(shapely.intersection(shapes[open_ones[hit]], these.geometry.to_numpy()[found[hit]]))
        covered[hit] = shared >= 0.5 * shapely.area(shapes[open_ones[hit]])
        result[open_ones[covered]] = names[found[covered]]
    return pd.Series(result, index=pd.Index(parcels["pnu"], name="pnu"), dtype="str")
