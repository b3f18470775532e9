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
