"""Building uses of the road-name address map, which has its own code list."""

from __future__ import annotations

import pandas as pd

SHARED_GROUPS = ("01", "02", "03", "04", "05")
"""Houses, apartments, neighbourhood facilities of the first and second kind, culture and assembly: these groups have the same
two digits in every edition of the code list. From 06 on editions differ (sales or religion), and the use stays unknown."""


def road_use_codes(codes: pd.Series) -> pd.Series:
    """Return the building use code (``02000``) of codes such as ``02001``; missing where the lists may differ."""
    group = codes.str.slice(0, 2)
    known = codes.str.fullmatch(r"[0-9]{5}", na=False) & group.isin(SHARED_GROUPS)
    return (group + "000").where(known).astype("str")
