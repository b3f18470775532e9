"""Clean attribute tables of parcels: land characteristics and land-use regulation, joined by parcel number."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.accounting import CleanLayer
from geodata.clean.books import TableBooks
from geodata.clean.columns import positive
from geodata.inventory import RawLayer
from geodata.parameters import Parameters, load_parameters
from geodata.pnu import is_pnu

CHARACTERISTICS = ("pnu", "jimok", "zoning_1", "zoning_2", "land_use", "reference_year", "reference_month", "data_date")
REGULATION = ("pnu", "relation_code", "relation", "zone_code", "zone_name", "data_date")
_ADJOINS = ("3", "접함")


def land_parameters() -> Parameters:
    """Return what is believed of the tables of parcels."""
    return load_parameters("geodata.clean", "land_tables.yaml")


def clean_land_characteristics(raw: Sequence[RawLayer], parcels: gpd.GeoDataFrame) -> CleanLayer:
    """Return one row per parcel, the newest, sorted by PNU: `pnu`, `official_area_m2`, `zoning_1`, `zoning_2`, `jimok`, `land_use`.

    Records of no parcel of ``parcels`` are outside. Parcels whose shape departs from the registered area are noted
    (`area_departs`), with a measure of how many could be compared.

    Parameters
    ----------
    raw
        Tables of the role, as `geodata.table_file.read_table` reads them.
    parcels
        Clean parcels (`pnu`, `area_m2`, geometry).

    Raises
    ------
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    crs = parcels.crs.to_string()
    books = TableBooks(raw, "land_characteristics", crs, texts=CHARACTERISTICS, quantities=("official_area_m2",))
    _keep_known_parcels(books, parcels)
    rows = books.rows
    when = rows["reference_year"].fillna("0").str.zfill(4) + rows["reference_month"].fillna("0").str.zfill(2)
    content = [*CHARACTERISTICS, "official_area_m2"]
    books.rows = rows.assign(when=when).sort_values(
        ["pnu", "when", "data_date", "vintage", *content], ascending=[True, False, False, False, *[True] * len(content)],
        kind="stable", ignore_index=True,
    )  # fmt: skip
    books.drop("exact_duplicate", books.rows.duplicated(content), key="pnu")
    books.drop("older_snapshot", books.rows["pnu"].duplicated(), key="pnu")
    table = books.rows.assign(official_area_m2=positive(books.rows["official_area_m2"]))
    _note_departing_areas(books, table, parcels)
    return books.publish(table[["pnu", "official_area_m2", "zoning_1", "zoning_2", "jimok", "land_use"]])


def clean_land_use_regulation(raw: Sequence[RawLayer], parcels: gpd.GeoDataFrame) -> CleanLayer:
    """Return one row per parcel and zone (용도지역, 지구, 구역), sorted: `pnu`, `zone_code`, `zone_name`, `relation`.

    Only the newest snapshot of each parcel counts. Zones that a parcel merely adjoins (접함) are left out.

    Raises
    ------
    geodata.accounting.AccountingError
        If a record is lost on the way.
    """
    books = TableBooks(raw, "land_use_regulation", parcels.crs.to_string(), texts=REGULATION)
    _keep_known_parcels(books, parcels)
    rows = books.rows
    date = rows["data_date"].fillna(rows["vintage"]).str.replace(r"[^0-9]", "", regex=True).fillna("")
    # a bundle holds several monthly snapshots; each parcel is what its newest one says
    newest = date.groupby(rows["pnu"]).transform("max") if len(rows) else date
    books.drop("older_snapshot", date < newest, key="pnu")
    rows = books.rows
    books.drop("only_adjoins", rows["relation_code"].isin(_ADJOINS) | rows["relation"].isin(_ADJOINS), key="pnu")
    books.rows = books.rows.sort_values([*REGULATION], kind="stable", ignore_index=True)
    books.drop("exact_duplicate", books.rows.duplicated(["pnu", "zone_code", "zone_name"]), key="pnu")
    return books.publish(books.rows[["pnu", "zone_code", "zone_name", "relation"]])


def _keep_known_parcels(books: TableBooks, parcels: gpd.GeoDataFrame) -> None:
    rows = books.rows
    books.drop("pnu_missing", rows["pnu"].isna())
    books.drop("pnu_malformed", ~is_pnu(books.rows["pnu"]), key="pnu")
    books.set_outside(~books.rows["pnu"].isin(parcels["pnu"]))


def _note_departing_areas(books: TableBooks, table: pd.DataFrame, parcels: gpd.GeoDataFrame) -> None:
    """Note parcels whose planar area is further from the registered one than maps of their scale explain."""
    parameters = land_parameters()
    official = table.set_index("pnu")["official_area_m2"].reindex(parcels["pnu"]).to_numpy(dtype=np.float64)
    planar = parcels["area_m2"].to_numpy(dtype=np.float64)
    drawing = 0.026**2 * parameters["map_scale_denominator"] * np.sqrt(official)
    allowed = np.maximum(parameters["area_tolerance_pct"] / 100 * official, drawing)
    departs = np.abs(planar - official) > allowed
    chosen = parcels[departs]
    share = (planar / official - 1)[departs] * 100
    said = [
        f"registered {a:.1f} m2, drawn {b:.1f} m2 ({c:+.0f} %)"
        for a, b, c in zip(official[departs], planar[departs], share, strict=True)
    ]
    books.note("area_departs", chosen["pnu"], chosen.geometry, pd.Series(said, dtype="str"))
    books.measures |= {"areas_compared": int(np.isfinite(official).sum()), "areas_departing": int(departs.sum())}
