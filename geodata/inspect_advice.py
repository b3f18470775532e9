"""What is still missing for which result, and the exact download that would fill it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from geodata.inspect_rows import NEEDED_FOR
from geodata.inventory import Inventory, LayerPart
from geodata.map_sheets import in_short, sheets_of
from geodata.parts import lonlat_box
from geodata.products import PRODUCTS, Product
from geodata.site import CORE_ROLES, ROLE_TITLES, ROLES, Role
from geodata.study_area import StudyArea, legal_dongs
from geodata.weather.asos import asos_parameters

WHOLE_PCT = 99.0
"""A role whose files reach over this share of the study area counts as covered."""
ELSEWHERE_PCT = 0.05
_COVERING: frozenset[Role] = frozenset({"parcels", "buildings", "land_cover", "terrain", "ndvi"})
"""Roles whose files should reach over the whole study area."""
_OFFERS = 3


@dataclass(frozen=True)
class Offer:
    """One product that would fill a role."""

    agency: str
    download: str
    exactly: str
    """Which pieces of it: provinces, sheet numbers, stations; empty without a study area."""


@dataclass(frozen=True)
class Advice:
    """What stands for one role, and what to get."""

    role: Role
    ko: str
    en: str
    needed_ko: str
    needed_en: str
    main: bool
    """The release needs it; else it only adds to it."""
    present: bool
    coverage_pct: float | None
    """Share of the study area under the extents of the role's files [%]; None where that means nothing."""
    offers: tuple[Offer, ...]

    @property
    def is_elsewhere(self) -> bool:
        """Whether there are files, but none reaches the study area."""
        return self.present and self.coverage_pct is not None and self.coverage_pct < ELSEWHERE_PCT

    @property
    def state(self) -> str:
        """Return ``there``, ``partly`` or ``missing``."""
        if not self.present or self.is_elsewhere:
            return "missing"
        return "partly" if self.coverage_pct is not None and self.coverage_pct < WHOLE_PCT else "there"


def advise(inventory: Inventory, area: StudyArea | None) -> list[Advice]:
    """Return an advice for every role, those of `CORE_ROLES` first; offers only where something is missing.

    With a study area the offers name its provinces, sheets and stations, and only the sheets that the inbox lacks.
    """
    result = []
    for role in (*CORE_ROLES, *(role for role in ROLES if role not in CORE_ROLES)):
        parts = [part for dataset in inventory.datasets_for(role) for part in dataset.parts]
        reach = None if area is None or role not in _COVERING else _reach(parts, area)
        covered = None if area is None or reach is None else 100.0 * reach.intersection(area.area).area / area.area.area
        complete = bool(parts) and (covered is None or covered >= WHOLE_PCT)
        products = [p for p in PRODUCTS if p.role == role and p.download != "–"]
        offers = () if complete else tuple(_offers(products, area, reach if parts else None))
        result.append(
            Advice(role, *ROLE_TITLES[role], *NEEDED_FOR[role], role in CORE_ROLES, bool(parts), covered, offers)
        )
    return result


def extent(part: LayerPart, crs: str) -> BaseGeometry | None:
    """Return the frame around a part in ``crs``, bent as the projection bends it; None if it lies nowhere."""
    box = lonlat_box(part) if part.crs is not None else None
    if box is None or part.bounds is None:
        return None
    frame = shapely.box(*part.bounds)
    length = max(part.bounds[2] - part.bounds[0], part.bounds[3] - part.bounds[1])
    if length > 0:
        frame = shapely.segmentize(frame, length / 8)
    moved = gpd.GeoSeries([frame], crs=part.crs).to_crs(crs).iloc[0]
    return moved if np.isfinite(shapely.bounds(moved)).all() else None


def _reach(parts: list[LayerPart], area: StudyArea) -> BaseGeometry:
    frames = [frame for frame in (extent(part, area.crs) for part in parts) if frame is not None]
    # the frames of neighbouring sheets touch only to within the rounding of their outlines
    return shapely.union_all([shapely.buffer(frame, 1.0, join_style="mitre") for frame in frames])


def _offers(products: list[Product], area: StudyArea | None, reach: BaseGeometry | None) -> list[Offer]:
    seen: dict[tuple[str, str], Offer] = {}
    for product in products:
        key = (product.agency, product.download)
        if key not in seen and len(seen) < _OFFERS:
            seen[key] = Offer(*key, "" if area is None else _exactly(product, area, reach))
    return list(seen.values())


def _exactly(product: Product, area: StudyArea, reach: BaseGeometry | None) -> str:
    """Return which pieces of a product the study area needs."""
    told = []
    text = product.download
    if "1:5,000" in text or "<도엽" in text:
        sheets = sheets_of(area.area, area.crs)
        lacking = sheets if reach is None else sheets[sheets.intersection(area.area).difference(reach).area > 100.0]
        of = "" if reach is None else f" (필요한 {len(sheets)}장 중)"
        if len(lacking):
            told.append(f"1:5,000 도엽 {len(lacking)}장{of}: {in_short(list(lacking['number']))}")
    if "<시도>" in text or "<시군구>" in text:
        names = _municipalities(area)
        if "<시도>" in text:
            told.append("시도: " + ", ".join(f"{name} ({str(code)[:2]})" for code, name in names["province"].items()))
        told.append("시군구: " + ", ".join(f"{name} ({code})" for code, name in names["town"].items()))
    if product.role == "weather":
        middle = gpd.GeoSeries([area.area.centroid], crs=area.crs).to_crs("EPSG:4326").iloc[0]
        if product.key in {"EPW", "KMA_ASOS"}:
            told.append("가까운 지점: " + ", ".join(_stations(middle.x, middle.y)))
        else:
            told.append(f"위치: {middle.y:.3f} N, {middle.x:.3f} E")
    if product.key == "SENTINEL2_BANDS":
        west, south, east, north = gpd.GeoSeries([area.area], crs=area.crs).to_crs("EPSG:4326").total_bounds
        told.append(f"범위: {south:.3f}–{north:.3f} N, {west:.3f}–{east:.3f} E")
    return "; ".join(told)


@lru_cache(maxsize=2)
def all_dongs(crs: str) -> gpd.GeoDataFrame:
    """Return `legal_dongs`, loaded once for a page; not to be changed."""
    return legal_dongs(crs)


def _municipalities(area: StudyArea) -> dict[str, pd.Series]:
    """Return names of provinces and municipalities of the study area by their codes."""
    dongs = all_dongs(area.crs).set_index("dong_code")["full_name_ko"].reindex(area.dongs["dong_code"])
    words = dongs.str.split(" ")
    province = words.str[0].groupby(dongs.index.str[:2]).first()
    town = words.str[1:-1].str.join(" ").groupby(dongs.index.str[:5]).first()
    return {"province": province, "town": town}


def _stations(longitude: float, latitude: float, count: int = 3) -> list[str]:
    """Return the nearest ASOS stations with their distances."""
    stations = asos_parameters()["stations"]
    places = np.array([[entry[2], entry[1]] for entry in stations.values()])
    fixed = np.full(len(places), longitude), np.full(len(places), latitude)
    distance = Geod(ellps="GRS80").inv(*fixed, places[:, 0], places[:, 1])[2] / 1000.0
    order = np.argsort(distance, kind="stable")[:count]
    numbers = list(stations)
    return [f"{stations[numbers[i]][0]} ({numbers[i]}) {distance[i]:.0f} km" for i in order]
