"""Columns as text, without ever making a number out of a code or inventing digits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from geodata.encoding import decode

EXACT = 2.0**53
"""Beyond this, whole numbers are no longer told apart by a double."""

_WIDTHS = {"use_code": 5, "structure_code": 2, "class_code": 3, "dong_code": 10}
"""Digits of codes whose leading zeros are lost when they are saved as numbers."""


def as_text(column: pa.ChunkedArray | pa.Array, encoding: str = "UTF-8") -> pd.Series:
    """Return a column as text, stripped; empty values are NaN.

    Whole numbers come without a point, and floats beyond 2**53 in scientific notation, so that a code that lost its
    last digits cannot pass for a code.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_floating(kind):
        values = np.asarray(column.to_pandas(), dtype="float64")
        text = pd.Series(pd.NA, index=range(len(values)), dtype="str")
        whole = np.isfinite(values) & (np.abs(values) < EXACT) & (values == np.floor(values))
        other = np.isfinite(values) & ~whole
        text[whole] = values[whole].astype("int64").astype("str")
        text[other] = [f"{v:.16e}" if abs(v) >= EXACT else repr(float(v)) for v in values[other]]
        return text
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            raw = column.cast(pa.binary() if pa.types.is_string(kind) else pa.large_binary()).to_pylist()
            column = pa.array([None if v is None else decode(v, encoding) for v in raw], type=pa.string())
    else:
        column = column.cast(pa.string())
    column = pc.utf8_trim(column, characters=" \t\r\n\0\u3000")
    column = pc.if_else(pc.equal(column, ""), pa.scalar(None, type=column.type), column)
    return column.to_pandas().astype("str").reset_index(drop=True)


def widen_code(text: pd.Series, ours: str) -> pd.Series:
    """Give the leading zeros back to a code column that was saved as numbers."""
    width = _WIDTHS.get(ours)
    if width is None:
        return text
    return text.where(~text.str.fullmatch("[0-9]+").fillna(value=False).astype(bool), text.str.zfill(width))
