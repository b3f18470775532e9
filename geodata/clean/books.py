"""The books of an attribute table: its records are statements about parcels or buildings and lie nowhere themselves."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.accounting import REASONS, Account, CleanLayer, QualityLog
from geodata.clean import columns as read
from geodata.inventory import RawLayer, total
from geodata.repair import Mask
from geodata.site import Role

EXAMPLES = 3


class TableBooks:
    """Records of one role, read as text and numbers, and where they go.

    A province has millions of records, so that the quality table gets one row for each reason, with the number of records
    and some of their keys, not one for each record; `geodata.accounting.Account` counts every record.
    """

    def __init__(
        self, raw: Sequence[RawLayer], role: Role, crs: str, *, texts: Sequence[str], quantities: Sequence[str] = ()
    ) -> None:
        self.role = role
        self.log = QualityLog(role, crs)
        self.measures: dict[str, float | int | str] = {}
        self.read, outside = total(raw)
        self.counts = {"outside": outside, "merged": 0, "reasoned": 0}
        frames = []
        for layer in raw:
            frame = {name: read.text(layer.frame[name]) for name in (*texts, "source_key")}
            frame |= {name: read.numbers(layer.frame[name]) for name in quantities}
            frame["broken"] = layer.frame["broken"].astype("bool")
            frame["vintage"] = pd.Series(layer.dataset.vintage, index=layer.frame.index, dtype="str")
            frames.append(pd.DataFrame(frame))
        if frames:
            self.rows = pd.concat(frames, ignore_index=True)
        else:
            names = {name: pd.Series([], dtype="str") for name in (*texts, "source_key", "vintage")}
            names |= {name: pd.Series([], dtype="float64") for name in quantities}
            self.rows = pd.DataFrame({**names, "broken": pd.Series([], dtype="bool")})
        self.drop("row_broken", self.rows["broken"])

    def drop(self, reason: str, which: pd.Series | Mask, key: str = "source_key") -> None:
        """Take out the records that ``which`` selects, and count them under ``reason``."""
        chosen = np.asarray(which, dtype=bool)
        count = int(chosen.sum())
        if count == 0:
            return
        found = self.rows.loc[chosen, key].dropna().drop_duplicates().sort_values().head(EXAMPLES)
        detail = f"{count:,} records, for example {', '.join(found)}" if len(found) else f"{count:,} records"
        self.log.add(reason, [""], None, [detail])
        self.counts[REASONS[reason].outcome] += count
        self.rows = self.rows[~chosen].reset_index(drop=True)

    def set_outside(self, which: pd.Series | Mask) -> None:
        """Take out the records that ``which`` selects because they say nothing about the study area."""
        chosen = np.asarray(which, dtype=bool)
        self.counts["outside"] += int(chosen.sum())
        self.rows = self.rows[~chosen].reset_index(drop=True)

    def note(self, reason: str, keys: pd.Series, shapes: gpd.GeoSeries, detail: pd.Series) -> None:
        """Log ``reason`` for features that the table speaks about."""
        self.log.add(reason, list(keys), shapes.reset_index(drop=True), list(detail))

    def publish(self, features: pd.DataFrame) -> CleanLayer:
        """Return the clean table; ``features`` must hold every record that was not dropped.

        Raises
        ------
        geodata.accounting.AccountingError
            If records read and records accounted for differ.
        """
        account = Account(source=self.role, read=self.read, published=len(features), **self.counts)
        account.verify()
        return CleanLayer(features, self.log.frame(), account, self.measures)
