"""Parcel numbers (필지고유번호, PNU): 19 characters = legal dong 10 + land type 1 + main number 4 + sub number 4.

Land type is 1 for ordinary land, 2 for mountain (산) and 3 for block lots. A PNU is text and stays text.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.jimok import jimok_spellings

PNU_PATTERN = r"[0-9]{10}[123][0-9]{8}"
DONG_REACH_M = 100.0
"""How far beyond its dong's polygon a parcel may lie: published dong boundaries are simplified by up to about 30 m."""

_LOT_PATTERN = r"^(?P<mountain>산)?(?P<main>[0-9]{1,4})(?:-(?P<sub>[0-9]{1,4}))?(?:번지)?(?P<jimok>[가-힣]*)$"


def is_pnu(values: pd.Series) -> pd.Series:
    """Return which of ``values`` are well-formed PNUs; block lots with letters or Hangul are not."""
    return values.str.fullmatch(PNU_PATTERN, na=False).astype(bool)


def parse_pnu(pnu: pd.Series) -> pd.DataFrame:
    """Return ``dong_code`` and ``land_type`` as text, ``main`` and ``sub`` number as integers; empty where malformed."""
    sound = pnu.where(is_pnu(pnu))
    return pd.DataFrame(
        {
            "dong_code": sound.str.slice(0, 10),
            "land_type": sound.str.slice(10, 11),
            "main": pd.to_numeric(sound.str.slice(11, 15)).astype("Int64"),
            "sub": pd.to_numeric(sound.str.slice(15, 19)).astype("Int64"),
        },
        index=pnu.index,
    )


def parse_jibun(jibun: pd.Series) -> pd.DataFrame:
    """Return the parts of lot numbers such as ``197-26대``, ``산23-1``, ``630 대`` or ``34``.

    Columns: ``mountain`` (boolean), ``main`` and ``sub`` (integers), ``jimok`` (what stood behind the number, as
    written) and ``lot`` (the number alone, ``산23-1``). All are empty where the text is no lot number, such as the
    block lots ``B12`` and ``26가``.
    """
    plain = jibun.str.normalize("NFKC").str.replace(r"\s", "", regex=True).str.replace("[‐-―−~]", "-", regex=True)
    parts = plain.str.extract(_LOT_PATTERN)
    main = pd.to_numeric(parts["main"]).astype("Int64")
    known = (main.fillna(0) > 0) & (parts["jimok"].isin(jimok_spellings()) | (parts["jimok"] == ""))
    sub = pd.to_numeric(parts["sub"]).astype("Int64").fillna(0)
    mountain = parts["mountain"].notna()
    number = main.astype("str") + ("-" + sub.astype("str")).where(sub > 0, "")
    return pd.DataFrame(
        {
            "mountain": mountain.astype("boolean").where(known),
            "main": main.where(known),
            "sub": sub.where(known),
            "jimok": parts["jimok"].where(known & (parts["jimok"] != "")).astype("str"),
            "lot": (mountain.map({True: "산", False: ""}) + number).where(known).astype("str"),
        },
        index=jibun.index,
    )


def build_pnu(dong_code: pd.Series, jibun: pd.Series) -> pd.Series:
    """Return the PNU of each lot from its 10-digit dong code and its lot number; missing where either is unusable."""
    parts = parse_jibun(jibun)
    land_type = parts["mountain"].map({True: "2", False: "1"}).astype("str")
    numbers = parts["main"].astype("str").str.zfill(4) + parts["sub"].astype("str").str.zfill(4)
    pnu = (dong_code.astype("str") + land_type + numbers).astype("str")
    return pnu.where(is_pnu(pnu))


def lot_of_pnu(pnu: pd.Series) -> pd.Series:
    """Return the lot number that a PNU says: ``산23-1``, ``197-26``; missing for block lots and malformed PNUs."""
    parts = parse_pnu(pnu)
    number = parts["main"].astype("str") + ("-" + parts["sub"].astype("str")).where(parts["sub"] > 0, "")
    return (parts["land_type"].map({"1": "", "2": "산"}) + number).astype("str")


def dong_code_by_name(names: pd.Series, geometry: gpd.GeoSeries, dongs: gpd.GeoDataFrame) -> pd.Series:
    """Return the code of the legal dong that ``names`` call and in which the features lie.

    Names repeat all over Korea (옥길동 lies in Gwangmyeong and, next to it, in Bucheon), so the name alone never
    decides: of the dongs of that name the one that holds the representative point counts, else the nearest within
    `DONG_REACH_M`. The result is missing where no dong of that name is there, or two are equally near.

    Parameters
    ----------
    names
        Dong names, alone or as the last word of an address such as ``경기도 광명시 노온사동``.
    geometry
        Valid shapes in the CRS of ``dongs`` (metres).
    dongs
        All legal dongs, as `geodata.study_area.legal_dongs` returns them.
    """
    last_words = names.str.split().str[-1]
    points = shapely.point_on_surface(geometry.to_numpy())
    codes = np.full(len(names), None, dtype=object)
    for name in sorted(last_words.dropna().unique()):
        rows = np.flatnonzero(last_words == name)
        called = dongs[dongs["name_ko"] == name]
        if called.empty:
            continue
        away = shapely.distance(points[rows][:, None], called.geometry.to_numpy()[None, :])
        nearest = away.argmin(axis=1)
        least = away[np.arange(len(rows)), nearest]
        certain = (least <= DONG_REACH_M) & ((away == least[:, None]).sum(axis=1) == 1)
        codes[rows[certain]] = called["dong_code"].to_numpy(dtype=object)[nearest[certain]]
    return pd.Series(codes, index=names.index, dtype="str")


PNU_PARTS = ("sig", "emd", "ri", "mountain", "main", "sub")
"""What a PNU is put together from: municipality 5, town or dong 3, ri 2, mountain flag 1, main number 4, sub number 4."""
_WIDTHS = {"sig": 5, "emd": 3, "ri": 2, "main": 4, "sub": 4}


def compose_pnu(parts: pd.DataFrame) -> pd.Series:
    """Return the PNU of each row of ``parts``; missing where they do not make one.

    Parameters
    ----------
    parts
        Text columns `PNU_PARTS`; without ``ri`` the column ``emd`` holds five digits (legal dong within the
        municipality). Building registers and road addresses count the land type from 0 (0 ordinary, 1 mountain,
        2 block), a PNU from 1. Blank ri, main and sub numbers are zero.
    """
    pieces = {}
    for name, width in _WIDTHS.items():
        if name not in parts:
            pieces[name] = pd.Series("", index=parts.index, dtype="str")
            continue
        digits = parts[name].astype("str")
        # a dong without ri has a blank there, a lot without sub number too
        digits = digits.fillna("0") if name in {"ri", "main", "sub"} else digits
        is_long = name == "emd" and "ri" not in parts
        pieces[name] = digits.str.zfill(5 if is_long else width)
    flag = parts["mountain"].astype("str").map({"0": "1", "1": "2", "2": "3"})
    dong = pieces["sig"] + pieces["emd"] + pieces["ri"]
    pnu = (dong + flag + pieces["main"] + pieces["sub"]).astype("str")
    return pnu.where(is_pnu(pnu) & (pieces["main"] != "0000"))


ZERO_BASED_SHARE = 0.05
"""From this share of land types 0 on a layer is taken to count them from 0, as registers and road addresses do."""


def shift_land_type(pnu: pd.Series, layer: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return PNUs that count the land type from 1, and which of them were changed.

    A PNU never has the land type 0. Where a layer writes 0 in more than `ZERO_BASED_SHARE` of its numbers, it counts from 0
    throughout, and all its land types are one too small; single zeros are mistakes and stay as they are.

    Parameters
    ----------
    pnu
        Parcel numbers as read.
    layer
        Which layer each comes from; every layer has its own convention.
    """
    digits = pnu.str.fullmatch(r"[0-9]{19}", na=False)
    zero = digits & (pnu.str.slice(10, 11) == "0")
    if not zero.any():
        return pnu, zero
    share = zero[digits].groupby(layer[digits]).mean()
    counts_from_zero = layer.isin(share.index[share > ZERO_BASED_SHARE])
    raised = pnu.str.slice(10, 11).map({"0": "1", "1": "2", "2": "3"})
    changed = digits & counts_from_zero & raised.notna()
    return pnu.where(~changed, pnu.str.slice(0, 10) + raised + pnu.str.slice(11)).astype("str"), changed
