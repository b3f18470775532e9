"""Identifiers that stay the same from night to night: kept where the source has them, else minted from content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.accounting import AccountingError
from geodata.repair import Mask

_STEP_M = 0.01
"""Coordinates are rounded to this step before they are hashed, so that the last digits of a projection do not count."""


def content_digests(frame: gpd.GeoDataFrame, columns: Sequence[str], *, exact: bool = False) -> pd.Series:
    """Return 16 hexadecimal digits for each row, made from ``columns`` and the shape alone.

    The digest does not depend on row order, ring order or starting point. With ``exact`` the shape counts to the last bit.
    """
    shapes = frame.geometry.to_numpy()
    if not exact:
        shapes = shapely.transform(shapes, lambda points: np.round(points / _STEP_M) * _STEP_M + 0.0)
    outline = shapely.to_wkb(shapely.normalize(shapes))
    parts = [frame[column].astype("str").fillna("").to_numpy(dtype=object) for column in columns]
    return pd.Series(
        [
            hashlib.sha256("\x1f".join(words).encode() + b"\x1e" + shape).hexdigest()[:16]
            for *words, shape in zip(*parts, outline, strict=True)
        ],
        index=frame.index,
        dtype="str",
    )


def identify(
    frame: gpd.GeoDataFrame, given: pd.Series, columns: Sequence[str], every_column: Sequence[str], prefix: str
) -> tuple[pd.Series, Mask]:
    """Return a unique identifier for each row, and which rows shared a ``given`` one.

    A given identifier is kept. Where several rows share one, each gets the digest of its content appended. Where there
    is none, ``prefix`` and the digest of ``columns`` and shape stand in. Rows that agree in all of that are told apart by
    ``every_column`` and the exact shape; rows that agree even there are duplicates and must not be passed.

    Raises
    ------
    AccountingError
        If two rows cannot be told apart.
    """
    digests = content_digests(frame, columns)
    alike = digests.duplicated(keep=False)
    if alike.any():
        digests = digests.where(~alike, content_digests(frame, every_column, exact=True))
    shared = given.notna() & given.duplicated(keep=False)
    identifiers = given.where(~shared, given + "-" + digests.str.slice(0, 8))
    identifiers = identifiers.where(given.notna(), prefix + digests).astype("str")
    if identifiers.duplicated().any():
        twins = identifiers[identifiers.duplicated()].iloc[0]
        raise AccountingError(f"two different records have the identifier {twins}")
    return identifiers, shared.to_numpy(dtype=bool)
