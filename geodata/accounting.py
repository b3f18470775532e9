"""What becomes of every record: the counting equation and the reasons behind it.

For every source ``read = outside + published + merged + reasoned`` must hold; `Account.verify` refuses
anything else. Each record that was repaired, merged, dropped or quarantined leaves one row in the
`quality` table with a code from `REASONS`.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    "curve_straightened": Reason("repaired", "곡선을 직선으로 나눔", "arcs were divided into straight lines"),
    "land_type_shifted": Reason(
        "repaired", "0부터 세는 토지구분을 PNU에 맞춤", "land type counted from 0 was raised to that of a PNU"
    ),
    "register_filled": Reason(
        "repaired", "빈 값을 건축물대장으로 채움", "missing values were taken from the building register"
    ),
    "pnu_built": Reason("repaired", "지번으로 PNU를 만듦", "PNU was built from dong and lot number"),
    "overlap_trimmed": Reason("repaired", "겹친 부분을 잘라냄", "an overlap with another polygon was cut away"),
    "id_duplicate": Reason(
        "repaired", "중복된 식별자를 구별함", "an identifier that several records share was made distinct"
    ),
    # merged: the record lives on inside another one
    "exact_duplicate": Reason("merged", "완전히 같은 레코드", "exact duplicate of another record"),
    "same_pnu": Reason("merged", "같은 PNU의 여러 도형을 합침", "several rows of one PNU were merged"),
    "same_block": Reason("merged", "같은 블록의 여러 도형을 합침", "several rows of one block were merged"),
    "sheet_edge": Reason(
        "merged", "도엽 경계에서 잘린 조각을 합침", "cut at a sheet edge and joined to its other piece"
    ),
    "other_source": Reason("merged", "우선하는 자료에 이미 있음", "a preferred source already shows it"),
    "same_footprint": Reason(
        "merged", "바닥 도형이 같은 다른 레코드가 있음", "another record of the same footprint is kept"
    ),
    "older_snapshot": Reason("merged", "더 새로운 레코드가 있음", "a newer record says the same thing"),
    "roof_coplanar": Reason("merged", "한 평면의 이웃 지붕면을 합침", "surfaces of one roof plane were merged"),
    "overlap_absorbed": Reason("merged", "다른 도형에 완전히 덮임", "lies wholly under another polygon"),
    # reasoned: the record is not published
    "no_geometry": Reason("reasoned", "도형 없음", "no geometry"),
    "geometry_collapsed": Reason("reasoned", "면적이나 길이가 없는 도형", "geometry has no area or length"),
    "coordinates_out_of_range": Reason("reasoned", "좌표가 한국 범위를 벗어남", "coordinates lie outside Korea"),
    "pnu_missing": Reason("reasoned", "PNU 없음", "PNU is missing and cannot be built"),
    "pnu_malformed": Reason("reasoned", "PNU 형식 오류", "PNU is not 19 digits"),
    "roof_is_wall": Reason("reasoned", "지붕이 아니라 벽에 가까운 면", "roof surface is so steep that it is a wall"),
    "roof_without_building": Reason("reasoned", "지붕면 아래 건물 없음", "no building lies under the roof surface"),
    "roof_tiny": Reason("reasoned", "매우 작은 지붕면", "roof plane is smaller than 1 m2"),
    "roof_partial": Reason(
        "reasoned", "건물의 절반도 덮지 않는 지붕면", "roof planes cover less than half of the building"
    ),
    "code_unknown": Reason("reasoned", "알 수 없는 분류 코드", "class code is not in the code list"),
    "not_a_park": Reason("reasoned", "공원·녹지가 아닌 시설", "facility is neither a park nor a green space"),
    "row_broken": Reason("reasoned", "열 수가 맞지 않는 줄", "line has more or fewer values than the header"),
    "only_adjoins": Reason("reasoned", "용도지역·지구에 접하기만 함", "parcel only adjoins the zone"),
    "not_a_building": Reason("reasoned", "건물 한 동의 대장이 아님", "register entry is not of one building"),
    # noted: the record is published as it is; the reader should know
    "height_implausible": Reason(
        "noted", "높이 값이 비정상이라 쓰지 않음", "recorded height is implausible and was not used"
    ),
    "floors_implausible": Reason(
        "noted", "층수가 비정상이라 쓰지 않음", "recorded floors are implausible and were not used"
    ),
    "height_default": Reason("noted", "높이를 기본값으로 둠", "height is a default value"),
    "no_parcel": Reason("noted", "필지와 연결되지 않음", "no parcel was found for the building"),
    "parcel_by_overlap": Reason(
        "noted", "겹친 면적으로 필지를 찾음", "parcel was found by largest overlap, not by PNU"
    ),
    "text_damaged": Reason("noted", "글자가 깨져 있음", "text was already damaged in the source"),
    "no_terrain": Reason("noted", "지형 자료 없음", "no terrain under this feature"),
    "use_unknown": Reason("noted", "용도 코드 없음", "building use is missing or unknown"),
    "land_use_unknown": Reason(
        "noted", "토지이용 용도를 알 수 없어 그대로 둠", "land use is no known class; the block stays as it is"
    ),
    "plan_impossible": Reason(
        "noted",
        "용적률이 건폐율·층수로 담을 수 없는 값이라 담을 수 있는 만큼만 세움",
        "the floor-area ratio cannot be held by coverage and floors; what they hold was built",
    ),
    "floor_area_not_reached": Reason(
        "noted", "블록에 계획 연면적을 다 담지 못함", "the block could not hold its planned floor area"
    ),
    "homes_implausible": Reason(
        "noted", "세대당 연면적이 너무 작음", "so many homes leave too little floor area for each"
    ),
    "homes_of_standing": Reason(
        "noted",
        "기존 유지 블록이라 계획 세대수를 건물에 나누지 않음 (현재 건물의 세대수를 모름)",
        "the block stands already: homes of its buildings are unknown, and those of the plan were not shared out",
    ),
    "design_used": Reason("noted", "설계안의 건물을 씀", "buildings of the planner's own design were used"),
    "design_outside": Reason(
        "noted",
        "새 블록 밖의 설계안 건물이라 쓰지 않음",
        "a building of a design lies in no new block and was not used",
    ),
    "land_use_missing": Reason("noted", "토지이용 용도 없음", "land use is missing"),
    "value_implausible": Reason("noted", "비정상 값이라 쓰지 않음", "a recorded value is implausible and was not used"),
    "sheet_edge_differs": Reason(
        "noted",
        "도엽 경계에서 맞닿았으나 층수가 달라 합치지 않음",
        "meets another piece at a sheet edge, but their floors differ",
    ),
    "parcels_overlap": Reason("noted", "필지끼리 겹침", "parcels overlap"),
    "border_gap": Reason("noted", "시군구 경계의 필지 사이 빈틈", "gap between parcels along a municipal border"),
    "area_departs": Reason(
        "noted", "도형 면적이 공부상 면적과 다름", "area of the shape departs from the registered area"
    ),
    "footprint_tiny": Reason("noted", "바닥면적이 매우 작음", "footprint is smaller than 4 m2"),
    "roof_fit_cells": Reason(
        "noted",
        "지붕 높이 격자가 모자라 평지붕으로 봄",
        "too few heights of the roof in the surface model; taken as flat",
    ),
    "roof_fit_absent": Reason(
        "noted",
        "표면모델에 건물이 없어 평지붕으로 봄",
        "the surface model shows no building here; the roof is taken as flat",
    ),
    "cover_gap": Reason("noted", "토지피복도가 닿지 않는 땅", "ground that the land cover map leaves open"),
    "ndvi_scale": Reason(
        "reasoned",
        "식생지수의 척도를 알 수 없어 쓰지 않음",
        "numbers of the vegetation index are not in -1..1; the image is not used",
    ),
    "ndvi_cloud": Reason("noted", "구름으로 보아 뺀 칸", "cells taken for cloud are left out"),
    "ndvi_unknown": Reason("noted", "식생지수가 없는 땅", "ground without a vegetation index"),
    "park_no_entrance": Reason(
        "noted",
        "보행망과 만나지 않는 공원: 가장 가까운 보행망 지점을 출입구로 봄",
        "no street meets the park; the nearest point of the walking network stands in for an entrance",
    ),
    "park_not_reached": Reason(
        "noted", "가까운 보행망이 없는 공원", "no street comes near the park; nobody is taken to walk there"
    ),
    "entrance_without_park": Reason(
        "noted",
        "가까이에 공원이 없는 출입구라 쓰지 않음",
        "no park of the scenario begins near the surveyed entrance; it was not used",
    ),
    "entrance_off_network": Reason(
        "noted",
        "보행망이 닿지 않는 출입구라 쓰지 않음",
        "no street leads to the surveyed entrance; it was not used",
    ),
    "network_apart": Reason(
        "noted", "본 보행망과 이어지지 않은 길", "street is not connected to the main walking network"
    ),
    "roof_fit_poor": Reason(
        "noted",
        "지붕면이 높이 자료에 맞지 않아 평지붕으로 봄",
        "planes do not fit the heights of the roof; taken as flat",
    ),
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
    """A clean layer with the proof of where its records went.

    ``features`` is a plain table where the source has no geometry. ``measures`` are numbers about the layer as a whole.
    """

    features: gpd.GeoDataFrame
    quality: gpd.GeoDataFrame
    account: Account
    measures: Mapping[str, float | int | str] = field(default_factory=dict)
