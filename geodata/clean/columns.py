"""Columns as agencies fill them: text with blanks, numbers with zeros for "unknown", dates in eight digits."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

REPLACEMENT = "�"
"""U+FFFD stands where a character was lost before the file reached us."""

_LOST = re.compile(f"{REPLACEMENT}|\\?[ㄱ-ㆎ가-힣㐀-鿿豈-﫿]")
"""A lost character as it was written: U+FFFD, or a question mark with a Korean or Chinese letter right after it."""

_UNITS = re.compile(r"^(?:최고|최대)?([+-]?[0-9]*\.?[0-9]+)(?:%|층|m2|㎡|m|세대|호)?(?:이하)?$")


def text(values: pd.Series) -> pd.Series:
    """Return ``values`` as stripped NFC text; blanks are missing. Whole numbers lose their decimal point."""
    if pd.api.types.is_float_dtype(values.dtype):
        whole = values.dropna()
        if np.isfinite(whole).all() and (whole == np.floor(whole)).all() and (whole.abs() < 2**53).all():
            values = values.astype("Int64")
    stripped = values.astype("str").str.normalize("NFC").str.strip()
    return stripped.where(stripped.notna() & (stripped != "")).astype("str")


def numbers(values: pd.Series) -> pd.Series:
    """Return ``values`` as float64; "1,234", "250 %" and "25층 이하" are understood, anything else is missing."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        found = values.astype("float64")
    else:
        plain = values.astype("str").str.normalize("NFKC").str.replace(r"[\s,]", "", regex=True)
        found = pd.to_numeric(plain.str.extract(_UNITS)[0], errors="coerce").astype("float64")
    return found.where(np.isfinite(found))


def positive(values: pd.Series) -> pd.Series:
    """Return ``values`` where they are above zero: agencies write 0 (or -1) where they know nothing."""
    return values.where(values > 0)


def dates(values: pd.Series) -> pd.Series:
    """Return days from text such as ``20030513`` or ``2003-05-13``; anything incomplete or impossible is missing."""
    digits = values.astype("str").str.replace(r"[^0-9]", "", regex=True).str.slice(0, 8)
    days = pd.to_datetime(digits.where(digits.str.len() == 8), format="%Y%m%d", errors="coerce")
    return days.where(days.dt.year >= 1800).astype("datetime64[ms]")


def damaged(values: pd.Series) -> pd.Series:
    """Return which texts lost characters before they reached us.

    A program that cannot write a character puts U+FFFD or a question mark in its place. A question mark that ends a word
    may be meant; one that begins or splits a Korean word never is.
    """
    return values.astype("str").str.contains(_LOST, na=False).astype(bool)


def undo_mojibake(values: pd.Series) -> pd.Series:
    """Return texts whose UTF-8 bytes were once taken for CP949 as they were written; all others unchanged.

    The repair is exact: it applies only where the CP949 bytes of the whole text are strict UTF-8 with Hangul in it,
    which real Korean text never is.
    """
    unique = values.dropna().unique()
    fixed = {word: _as_utf8(word) for word in unique}
    return values.map(fixed).astype("str")


def _as_utf8(word: str) -> str:
    try:
        candidate = word.encode("cp949").decode("utf-8")
    except UnicodeError:
        return word
    return candidate if re.search("[가-힣]", candidate) else word
