"""What becomes of every record: the counting equation and the reasons behind it.

For every source ``read = outside + published + merged + reasoned`` must hold; `Account.verify` refuses
anything else. Each record that was repaired, merged, dropped or quarantined leaves one row in the
`quality` table with a code from `REASONS`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal

import geopandas as gpd
import pandas as pd
import shapely

Outcome = Literal["repaired", "merged", "reasoned", "noted"]


@dataclass(frozen=True)
class Reason:
    """One reason code: what happened to the record, and the words for it in both languages."""

    outcome: Outcome
    ko: str
    en: str


REASONS: dict[str, Reason] = {
    # repaired: the record is published, changed
    "geometry_repaired": Reason("repaired", "도형 오류를 고침", "invalid geometry was repaired"),
    "z_dropped": Reason("repaired", "높이값(Z)을 제거함", "Z coordinates were removed"),
    "pnu_built": Reason("repaired", "지번으로 PNU를 만듦", "PNU was built from dong and lot number"),
    "overlap_trimmed": Reason("repaired", "겹친 부분을 잘라냄", "an overlap with another polygon was cut away"),
    "id_duplicate": Reason(
        "repaired", "중복된 식별자를 구별함", "an identifier that several records share was made distinct"
    ),
    # merged: the record lives on inside another one
    "exact_duplicate": Reason("merged", "완전히 같은 레코드", "exact duplicate of another record"),
    "same_pnu": Reason("merged", "같은 PNU의 여러 도형을 합침", "several rows of one PNU were merged"),
    "same_block": Reason("merged", "같은 블록의 여러 도형을 합침", "several rows of one block were merged"),
    "overlap_absorbed": Reason("merged", "다른 도형에 완전히 덮임", "lies wholly under another polygon"),
    # reasoned: the record is not published
    "no_geometry": Reason("reasoned", "도형 없음", "no geometry"),
    "geometry_collapsed": Reason("reasoned", "면적이 없는 도형", "geometry has no area"),
    "coordinates_out_of_range": Reason("reasoned", "좌표가 한국 범위를 벗어남", "coordinates lie outside Korea"),
    "pnu_missing": Reason("reasoned", "PNU 없음", "PNU is missing and cannot be built"),
    "pnu_malformed": Reason("reasoned", "PNU 형식 오류", "PNU is not 19 digits"),
    "code_unknown": Reason("reasoned", "알 수 없는 분류 코드", "class code is not in the code list"),
    "not_a_park": Reason("reasoned", "공원·녹지가 아닌 시설", "facility is neither a park nor a green space"),
    # noted: the record is published as it is; the reader should know
    "height_implausible": Reason("noted", "높이 값이 비정상이라 쓰지 않음", "recorded height is implausible and was not used"),
    "floors_implausible": Reason("noted", "층수가 비정상이라 쓰지 않음", "recorded floors are implausible and were not used"),
    "height_default": Reason("noted", "높이를 기본값으로 둠", "height is a default value"),
    "no_parcel": Reason("noted", "필지와 연결되지 않음", "no parcel was found for the building"),
    "parcel_by_overlap": Reason("noted", "겹친 면적으로 필지를 찾음", "parcel was found by largest overlap, not by PNU"),
    "text_damaged": Reason("noted", "글자가 깨져 있음", "text was already damaged in the source"),
    "no_terrain": Reason("noted", "지형 자료 없음", "no terrain under this feature"),
    "use_unknown": Reason("noted", "용도 코드 없음", "building use is missing or unknown"),
    "land_use_missing": Reason("noted", "토지이용 용도 없음", "land use is missing"),
    "value_implausible": Reason("noted", "비정상 값이라 쓰지 않음", "a recorded value is implausible and was not used"),
    "footprint_tiny": Reason("noted", "바닥면적이 매우 작음", "footprint is smaller than 4 m2"),
}


class AccountingError(ValueError):
    """The records of a source do not add up."""


@dataclass(frozen=True)
class Account:
    """Counts of one source: every record read is in exactly one of the other four."""

    source: str
    read: int
    outside: int = 0
    published: int = 0
    merged: int = 0
    reasoned: int = 0

    def verify(self) -> None:
        """Raise `AccountingError` unless read = outside + published + merged + reasoned."""
        accounted = self.outside + self.published + self.merged + self.reasoned
        if self.read != accounted:
            raise AccountingError(
                f"{self.source}: {self.read:,} records read but {accounted:,} accounted for "
                f"(outside {self.outside:,}, published {self.published:,}, merged {self.merged:,}, reasoned {self.reasoned:,})"
            )

    def as_dict(self) -> dict[str, int | str]:
        """Return the counts as a plain dictionary, for metadata and manifests."""
        return asdict(self)


QUALITY_COLUMNS = ("source", "key", "reason", "detail")


@dataclass
class QualityLog:
    """Collects quality rows of one source.

    Rows carry ``source``, ``key`` (what the source calls the record), ``reason`` (a key of `REASONS`),
    ``detail`` (free text) and a point where the record lies, if it lies anywhere.
    """

    source: str
    crs: str
    _frames: list[gpd.GeoDataFrame] = field(default_factory=list)

    def add(
        self,
        reason: str,
        keys: pd.Series | list[str],
        geometry: gpd.GeoSeries | None = None,
        detail: pd.Series | list[str] | str = "",
    ) -> None:
        """Log ``reason`` for each of ``keys``; ``geometry`` may be any shape, its point on surface is kept."""
        if reason not in REASONS:
            raise KeyError(f"unknown reason code {reason!r}; declare it in geodata.accounting.REASONS")
        if len(keys) == 0:
            return
        points = None if geometry is None else shapely.point_on_surface(geometry.to_numpy())
        self._frames.append(
            gpd.GeoDataFrame(
                {
                    "source": self.source,
                    "key": pd.Series(list(keys), dtype="str"),
                    "reason": reason,
                    "detail": detail if isinstance(detail, str) else pd.Series(list(detail), dtype="str"),
                },
                geometry=points if points is not None else [None] * len(keys),
                crs=self.crs,
            )
        )

    def frame(self) -> gpd.GeoDataFrame:
        """Return all rows, sorted by source, reason, key and detail."""
        if not self._frames:
            empty = {name: pd.Series([], dtype="str") for name in QUALITY_COLUMNS}
            return gpd.GeoDataFrame(empty, geometry=[], crs=self.crs)
        rows = pd.concat(self._frames, ignore_index=True)
        return rows.sort_values(list(QUALITY_COLUMNS), ignore_index=True)


@dataclass(frozen=True)
class CleanLayer:
    """A clean layer with the proof of where its records went."""

    features: gpd.GeoDataFrame
    quality: gpd.GeoDataFrame
    account: Account
