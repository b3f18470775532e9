"""The building register (건축물대장 표제부): its records cleaned, joined to footprints, and used where these are silent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.accounting import CleanLayer
from geodata.clean.books import TableBooks
from geodata.clean.candidates import Candidates
from geodata.clean.columns import dates, positive
from geodata.inventory import RawLayer
from geodata.parameters import Parameters, load_parameters
from geodata.pnu import is_pnu
from geodata.study_area import StudyArea

TEXTS = (
    "register_id", "pnu", "ledger_kind_code", "name", "part_name", "structure_code", "structure", "use_code", "use",
    "roof_code", "roof", "roof_other", "approved_on", "created_on",
)  # fmt: skip
QUANTITIES = ("footprint_area_m2", "gross_floor_area_m2", "height_m", "floors_above", "floors_below")
SITE_SUMMARY = "1"
"""Kind of ledger that sums up all buildings of a lot (총괄표제부)."""
FILLED = ("height_m", "floors_above", "floors_below", "gross_floor_area_m2", "structure_code", "structure", "use_code", "use", "approved_on")  # fmt: skip
"""Columns of a building that the register fills where they are missing; for quantities zero is missing, but not for basements."""

Indices = npt.NDArray[np.intp]


def register_parameters() -> Parameters:
    """Return how records find their building and what their roofs mean."""
    return load_parameters("geodata.clean", "building_register.yaml")


def clean_building_register(raw: Sequence[RawLayer], area: StudyArea) -> CleanLayer:
    """Return one row per register key, the newest, sorted: the columns `TEXTS` and `QUANTITIES`, zeros as missing.

    Records without any key are told apart by what they say. Summaries of a lot (총괄표제부) are set aside.

    Raises
    ------
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    books = TableBooks(raw, "building_register", area.crs, texts=TEXTS, quantities=QUANTITIES)
    books.drop("not_a_building", books.rows["ledger_kind_code"] == SITE_SUMMARY, key="register_id")
    nameless = books.rows["pnu"].isna() & books.rows["register_id"].isna()
    books.drop("pnu_missing", nameless)
    content = [*TEXTS, *QUANTITIES]
    rows = books.rows
    books.rows = rows.assign(created=rows["created_on"].fillna(rows["vintage"]).fillna("")).sort_values(
        ["register_id", "created", *content],
        ascending=[True, False, *[True] * len(content)],
        kind="stable",
        ignore_index=True,
    )
    books.drop("exact_duplicate", books.rows.duplicated(content), key="register_id")
    keyed = books.rows["register_id"].notna()
    books.drop("older_snapshot", keyed & books.rows["register_id"].duplicated(), key="register_id")
    table = books.rows[content].copy()
    table["pnu"] = table["pnu"].where(is_pnu(table["pnu"]))
    for name in ("footprint_area_m2", "gross_floor_area_m2", "height_m", "floors_above"):
        table[name] = positive(table[name])
    return books.publish(table)


def join_register(buildings: pd.DataFrame, register: pd.DataFrame) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Return for each building the row of its register record (-1 for none), and whether the register key found it.

    By key where both have it. Of the rest, buildings and records of one parcel are paired by the nearest area: each
    building with the record that is nearest to it among all and the other way round, until no pair is left within
    `footprint_tolerance_pct`. One building and one record alone on a parcel belong together whatever their areas.

    Parameters
    ----------
    buildings
        `register_id`, `pnu`, `footprint_area_m2` [m2]; in an order that depends on content alone.
    register
        Clean register: the same columns.
    """
    found = np.full(len(buildings), -1, dtype=np.intp)
    keys = pd.Series(np.arange(len(register)), index=register["register_id"])
    keys = keys[keys.index.notna() & ~keys.index.duplicated(keep=False)]
    claims = buildings["register_id"].where(~buildings["register_id"].duplicated(keep=False))
    by_key = claims.map(keys).to_numpy(dtype=np.float64, na_value=np.nan)
    named = ~np.isnan(by_key)
    found[named] = by_key[named].astype(np.intp)
    free = np.ones(len(register), dtype=bool)
    free[found[named]] = False

    left = pd.DataFrame({"building": np.arange(len(buildings)), "pnu": buildings["pnu"].to_numpy()})[~named]
    right = pd.DataFrame({"record": np.arange(len(register)), "pnu": register["pnu"].to_numpy()})[free]
    pairs = left.dropna().merge(right.dropna(), on="pnu")
    drawn = buildings["footprint_area_m2"].to_numpy(dtype=np.float64)[pairs["building"]]
    said = register["footprint_area_m2"].to_numpy(dtype=np.float64)[pairs["record"]]
    pairs["away"] = np.abs(drawn - said) / np.maximum(drawn, said)
    on_parcel, in_register = buildings["pnu"].value_counts(), register["pnu"].value_counts()
    alone = (pairs["pnu"].map(on_parcel) == 1) & (pairs["pnu"].map(in_register) == 1)
    pairs["away"] = pairs["away"].where(~alone, 0.0)
    pairs = pairs[pairs["away"] <= register_parameters()["footprint_tolerance_pct"] / 100]
    pairs = pairs.sort_values(["away", "building", "record"], kind="stable")
    while len(pairs):
        # mutual nearest: the first pair of its building and the first of its record
        best = pairs[~pairs["building"].duplicated() & ~pairs["record"].duplicated()]
        found[best["building"].to_numpy()] = best["record"].to_numpy()
        pairs = pairs[~pairs["building"].isin(best["building"]) & ~pairs["record"].isin(best["record"])]
    return found, named


def fill_from_register(candidates: Candidates, register: pd.DataFrame) -> None:
    """Fill in what the buildings of ``candidates`` lack from their register records, and add `roof_type`.

    Every building that something was filled into is noted (`register_filled`) with the columns and the way it was found.
    """
    rows = candidates.features
    sized = rows.assign(footprint_area_m2=rows.geometry.area)
    found, named = join_register(sized, register)
    record = register.iloc[np.maximum(found, 0)].set_axis(rows.index)
    joined = found >= 0
    detail = pd.Series("", index=rows.index, dtype="str")
    filled = {}
    for name in FILLED:
        silent = rows[name].isna()
        if name in {"height_m", "floors_above", "gross_floor_area_m2"}:
            silent = ~(rows[name] > 0)
        elif name == "floors_below":
            # no basement and no idea are both written as zero; a number of the register knows more
            silent = ~(rows[name] > 0) & (record[name] > 0)
        elif name == "approved_on":
            silent = dates(rows[name]).isna()
        fresh = joined & silent & record[name].notna()
        filled[name] = rows[name].where(~fresh, record[name])
        separator = np.where(detail == "", "", ", ")
        detail = detail.where(~fresh, detail + separator + name)
    way = np.where(named, "by register key: ", "by parcel and area: ")
    candidates.note("register_filled", detail != "", pd.Series(way, index=rows.index, dtype="str") + detail)
    words = (
        record["roof"].fillna("") + " " + record["roof_other"].where(record["roof_other"] != record["roof"]).fillna("")
    )
    words = words.str.strip()
    candidates.features = rows.assign(**filled, roof_type=words.where(joined & (words != "")).astype("str"))
    candidates.measures |= {
        "register_by_key": int(named.sum()),
        "register_by_area": int((joined & ~named).sum()),
        "register_without": int((~joined).sum()),
        "register_filled": int((detail != "").sum()),
    }


def roof_checks(structure_code: pd.Series, roof_type: pd.Series | None) -> pd.Series:
    """Return what has to be looked at before PV is put on a roof: ``asbestos``, ``load``, or nothing.

    ``asbestos`` for slate; ``load`` for light structures and panel roofs. Nothing means that nothing is known against it.
    """
    parameters = register_parameters()
    light = structure_code.isin(parameters["light_structures"])
    slate = pd.Series(False, index=structure_code.index)
    if roof_type is not None:
        light |= roof_type.str.contains("|".join(parameters["light_roof_words"]), na=False)
        slate = roof_type.str.contains("|".join(parameters["slate_words"]), na=False)
    checks = np.full(len(structure_code), None, dtype=object)
    checks[light.to_numpy(dtype=bool)] = "load"
    checks[slate.to_numpy(dtype=bool)] = "asbestos"
    return pd.Series(checks, index=structure_code.index, dtype="str")
