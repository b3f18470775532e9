"""Sums along the keys: from roofs to buildings, to parcels, to legal dongs and the project's district.

What a source would have told is left out where the source is absent: a column is missing rather than zero. Where the
source is there, a row without members counts zero, and a row whose members are all unknown stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.catalogue import LAYERS
from geodata.catalogue.energy import ENERGY_SUMS
from geodata.catalogue.shared import SOLAR_SUMS
from geodata.class_tables import load_classes
from geodata.clean.overlap import largest_overlap
from geodata.repair import polygon_parts
from geodata.study_area import StudyArea
from twin.green.access.summary import SERVED, resident_shares, with_served
from twin.green.three_thirty import RULE_SUMS, rule_shares, with_rule_residents
from twin.overlay import shared_areas

DISTRICT = "DISTRICT"
"""Stands in place of the dong code in the row of the project's own district."""

SUMMED = tuple(field.name for field in SOLAR_SUMS)
_ENERGY = tuple(field.name for field in ENERGY_SUMS)
HANDED_UP = ("building_footprint_m2", *_ENERGY)
"""Beside `SUMMED`, what buildings hand up to dongs and the district but not to parcels."""

WHOLE = 1 - 1e-6
"""A shape that lies inside the study area to this share is inside: one boundary in two files, each rounded to the centimetre, differs
by less (0.16 m2 of 12.7 km2)."""


def building_sums(buildings: pd.DataFrame, roofs: pd.DataFrame) -> pd.DataFrame:
    """Return the sums of the ``roofs`` of each of ``buildings``.

    Parameters
    ----------
    buildings
        Has unique `building_id`.
    roofs
        Columns of the layer `roofs`: `building_id`, `area_m2` [m2] and those of `usable_area_m2` [m2], `capacity_kwp` [kWp],
        `yield_kwh` and `yield_01_kwh` … [kWh] that were computed.

    Returns
    -------
    DataFrame
        Indexed by `building_id`: `roof_area_m2` and the same columns; NaN where a building has no roof or none with a value.
    """
    values = roofs.rename(columns={"area_m2": "roof_area_m2"})
    names = [name for name in SUMMED if name in values.columns]
    return _sums(values, roofs["building_id"], pd.Index(buildings["building_id"], name="building_id"), names)


def building_loss(roofs: pd.DataFrame) -> pd.Series:
    """Return the shading loss [%] of each building, the mean of its roofs by capacity; NaN without modules or shading."""
    if "shading_loss_pct" not in roofs.columns:
        return pd.Series(dtype="float64", name="shading_loss_pct")
    weight = roofs["capacity_kwp"].where(roofs["shading_loss_pct"].notna(), 0.0)
    sums = pd.DataFrame({"lost": roofs["shading_loss_pct"].fillna(0.0) * weight, "whole": weight})
    sums = sums.groupby(roofs["building_id"].to_numpy()).sum()
    return (sums["lost"] / sums["whole"].where(sums["whole"] > 0)).rename("shading_loss_pct")


def parcel_sums(parcels: pd.DataFrame, buildings: pd.DataFrame) -> pd.DataFrame:
    """Return the sums of the ``buildings`` on each of ``parcels``, joined by `pnu`.

    Returns
    -------
    DataFrame
        Indexed by `pnu`: `building_count` and the solar sums that ``buildings`` carry, zero on a parcel without buildings.
    """
    return _counted(buildings, buildings["pnu"], pd.Index(parcels["pnu"], name="pnu"))


def block_sums(blocks: pd.DataFrame, buildings: pd.DataFrame) -> pd.DataFrame:
    """Return the sums of the ``buildings`` in each of ``blocks``, joined by `block_id`.

    Returns
    -------
    DataFrame
        Indexed by `block_id`: `building_count`, `building_footprint_m2`, `floor_area_m2`, `homes_built` and the sums of
        sun, energy and money that ``buildings`` carry, zero on a block without buildings.
    """
    names = {"footprint_area_m2": "building_footprint_m2", "homes": "homes_built"}
    keys = pd.Index(blocks["block_id"], name="block_id")
    return _counted(
        buildings.rename(columns=names), buildings["block_id"], keys, (*names.values(), "floor_area_m2", *_ENERGY)
    )


def district_shapes(area: StudyArea) -> gpd.GeoDataFrame:
    """Return the rows of the layer `districts`: `dong_code`, `name_ko`, `kind`, `area_m2`, geometry.

    One row for each legal dong, and one (`DISTRICT`) for the project's district where its boundary is known. A dong of
    which the study area holds only a part is cut to that part and says so in its name, because its totals cannot
    speak for the rest; the same holds for the district.
    """
    rows = area.dongs[["dong_code", "name_ko", "geometry"]].assign(kind="legal_dong")
    if area.district is not None:
        district = {"dong_code": [DISTRICT], "name_ko": ["사업지구"], "kind": ["district"]}
        own = gpd.GeoDataFrame(district, geometry=[area.district], crs=area.crs)
        rows = pd.concat([rows, own], ignore_index=True)
    whole = rows.geometry.to_numpy()
    inside = polygon_parts(shapely.intersection(whole, area.area))
    partial = np.nan_to_num(shapely.area(inside)) < WHOLE * shapely.area(whole)
    rows["name_ko"] = rows["name_ko"].where(~partial, rows["name_ko"] + " (일부)")
    rows = rows.set_geometry(gpd.GeoSeries(np.where(partial, inside, whole), index=rows.index, crs=area.crs))
    # a district that the study area misses altogether has no row
    rows = rows[rows.area > 0]
    rows["area_m2"] = rows.area
    return rows.sort_values("dong_code", ignore_index=True)


def district_rows(
    area: StudyArea,
    parcels: gpd.GeoDataFrame | None,
    buildings: gpd.GeoDataFrame | None,
    parks: gpd.GeoDataFrame | None,
    cover_by_dong: pd.DataFrame | None,
) -> gpd.GeoDataFrame:
    """Return the columns of the layer `districts`; None for a source leaves its columns out.

    Each parcel and building counts in exactly one dong: that of its `dong_code`, or, where the layer has no such row,
    the one it overlaps most, else the nearest. In the district count those whose representative point lies inside.

    Parameters
    ----------
    area
        The study area.
    parcels, buildings, parks
        Published layers, in the CRS of ``area``.
    cover_by_dong
        `twin.green.cover.cover_of` over `district_shapes`, indexed by `dong_code`.

    Returns
    -------
    GeoDataFrame
        Sorted by `dong_code`. `park_area_m2` is the designated park area (도시공원, without buffer green) inside the row,
        whether built or not; ground under two parks counts once.
    """
    rows = district_shapes(area)
    keys = pd.Index(rows["dong_code"], name="dong_code")
    if parcels is not None:
        rows["parcel_count"] = _over_rows(parcels, rows, [])["building_count"].to_numpy()
    if buildings is not None:
        values = buildings.rename(columns={"footprint_area_m2": "building_footprint_m2"})
        values = with_rule_residents(with_served(values))
        names = [name for name in (*HANDED_UP, *SERVED, *RULE_SUMS) if name in values.columns]
        sums = _over_rows(values, rows, names)
        rows = rows.join(sums, on="dong_code")
    if parks is not None:
        rows["park_area_m2"] = _park_areas(parks, rows)
    rows = rule_shares(resident_shares(rows))
    if cover_by_dong is not None:
        rows = rows.join(cover_by_dong.reindex(keys), on="dong_code")
    return rows


def sum_problems(
    districts: pd.DataFrame,
    parcels: pd.DataFrame | None,
    buildings: pd.DataFrame | None,
    roofs: pd.DataFrame | None,
) -> list[str]:
    """Return every sum that was not kept from roofs to buildings, parcels and dongs; an empty list is a pass.

    Published values are compared key by key. What may be lost is half of the last published decimal of every value that
    enters a sum, and of the sum.
    """
    found: list[str] = []
    dongs = districts[districts["kind"] == "legal_dong"]
    if buildings is not None and roofs is not None:
        lost = ~roofs["building_id"].isin(buildings["building_id"])
        if lost.any():
            found.append(
                f"{int(lost.sum())} roofs belong to no building, first building_id {roofs['building_id'][lost].iloc[0]}"
            )
        expected = building_sums(buildings, roofs)
        counts = roofs["building_id"].value_counts()
        found += _differences("roofs", "buildings", expected, buildings.set_index("building_id"), counts)
    if parcels is not None and buildings is not None:
        counts = buildings["pnu"].value_counts()
        found += _differences("buildings", "parcels", parcel_sums(parcels, buildings), parcels.set_index("pnu"), counts)
    for name, source in (("parcel_count", parcels), ("building_count", buildings)):
        if source is not None and int(dongs[name].sum()) != len(source):
            found.append(f"districts: {name} of all dongs is {int(dongs[name].sum()):,}, but there are {len(source):,}")
    if buildings is not None:
        values = buildings.rename(columns={"footprint_area_m2": "building_footprint_m2"})
        names = [name for name in (*HANDED_UP, *SUMMED) if name in values.columns]
        total, told = (frame[names].sum().to_frame("all").T for frame in (values, dongs))
        slack = pd.Series({"all": len(buildings) + len(dongs)})
        found += _differences("buildings", "districts", total, told, slack)
    return found


def _sums(values: pd.DataFrame, by: pd.Series, keys: pd.Index, names: Iterable[str]) -> pd.DataFrame:
    """Return the sums of the columns ``names`` of ``values`` grouped ``by`` key, NaN where a key has no value at all."""
    return values[list(names)].groupby(by.to_numpy(), sort=True).sum(min_count=1).reindex(keys)


def _counted(buildings: pd.DataFrame, by: pd.Series, keys: pd.Index, names: Iterable[str] = ()) -> pd.DataFrame:
    """Return the number of members of each of ``keys`` and their sums, zero where there are none."""
    count = by.groupby(by.to_numpy()).size().reindex(keys, fill_value=0).rename("building_count")
    present = [name for name in (*names, *SUMMED) if name in buildings.columns]
    sums = _sums(buildings, by, keys, present)
    return pd.concat([count, sums.where(count > 0, 0.0)], axis=1)


def _over_rows(features: gpd.GeoDataFrame, rows: gpd.GeoDataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Return count and sums of ``features`` for each of ``rows``, indexed by `dong_code`."""
    found = []
    for code, inside in row_members(features, rows):
        own = pd.Series(code, index=features.index[inside])
        found.append(_counted(features[inside], own, pd.Index([code], name="dong_code"), names))
    return pd.concat(found)


def row_members(features: gpd.GeoDataFrame, rows: gpd.GeoDataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Give the code of each of ``rows`` of `districts` and which of ``features`` count in it; shape (features,).

    Each feature counts in exactly one dong, and in the district if its representative point lies inside.
    """
    dongs = rows[rows["kind"] == "legal_dong"]
    codes = _one_dong_each(features, dongs).to_numpy(dtype=object)
    for code in dongs["dong_code"]:
        yield code, codes == code
    for code, shape in rows.loc[rows["kind"] == "district", ["dong_code", "geometry"]].itertuples(index=False):
        shapely.prepare(shape)
        yield code, np.asarray(shapely.covers(shape, shapely.point_on_surface(features.geometry.to_numpy())))


def _one_dong_each(features: gpd.GeoDataFrame, dongs: gpd.GeoDataFrame) -> pd.Series:
    """Return the one dong in which each of ``features`` counts."""
    codes = features["dong_code"].astype("str")
    known = dongs["dong_code"].to_numpy(dtype=object)
    strayed = ~codes.isin(known).to_numpy()
    if strayed.any():
        shapes, outlines = features.geometry.to_numpy()[strayed], dongs.geometry.to_numpy()
        found = largest_overlap(shapes, outlines)
        apart = found < 0
        if apart.any():
            found[apart] = shapely.STRtree(outlines).nearest(shapes[apart])
        codes = codes.mask(strayed)
        codes[strayed] = known[found]
    return codes


def _park_areas(parks: gpd.GeoDataFrame, rows: gpd.GeoDataFrame) -> np.ndarray:
    kinds = {code: words["kind"] for code, words in load_classes("geodata.clean", "park_classes.yaml").items()}
    shapes = parks.geometry.to_numpy()[(parks["class_code"].map(kinds) == "park").to_numpy()]
    row, _, area = shared_areas(rows.geometry.to_numpy(), np.array([shapely.union_all(shapes)]))
    return np.bincount(row, weights=area, minlength=len(rows))


def _differences(below: str, above: str, expected: pd.DataFrame, told: pd.DataFrame, members: pd.Series) -> list[str]:
    """Return one message per column in which the layer ``above`` does not tell what the layer ``below`` sums to."""
    found = []
    for name in expected.columns:
        if name not in told.columns:
            found.append(f"{above} lack {name}, which {below} have")
            continue
        one = pd.to_numeric(expected[name]).to_numpy("float64", na_value=np.nan)
        other = pd.to_numeric(told[name].reindex(expected.index)).to_numpy("float64", na_value=np.nan)
        unit = _last_decimal(below, name) * members.reindex(expected.index, fill_value=0).to_numpy() + _last_decimal(
            above, name
        )
        # sums of many floats differ in their last digits
        close = np.abs(one - other) <= unit / 2 + 1e-9 * np.abs(one)
        bad = ~(close | (np.isnan(one) & np.isnan(other)))
        if bad.any():
            first = int(np.argmax(bad))
            found.append(
                f"{name}: {int(bad.sum())} {above} differ from the sum of their {below}, first {expected.index[first]}: "
                f"{other[first]:,.2f} against {one[first]:,.2f}"
            )
    return found


def _last_decimal(layer: str, name: str) -> float:
    """Return the step to which ``layer`` publishes what is summed as ``name``; 0 for counts."""
    own = {"roofs": {"roof_area_m2": "area_m2"}, "buildings": {"building_footprint_m2": "footprint_area_m2"}}
    declared = own.get(layer, {}).get(name, name)
    if declared not in LAYERS[layer].names:
        return 0.0
    decimals = LAYERS[layer][declared].decimals
    return 0.0 if decimals is None else 10.0**-decimals
