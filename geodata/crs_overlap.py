"""Which coordinate reference system a layer is in, told by another layer that is trusted.

EPSG:5174, EPSG:2097 and EPSG:5181 have the same numbers within 313 m: no range of numbers tells them apart. What does, is
where the records lie: a building on the parcel that it names, a record in the legal dong that its code names. The answer
counts only if it is clear; else the user has to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyogrio
import pyproj
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from geodata import dbf
from geodata.codes import as_text
from geodata.crs import KOREAN_CRS, in_korea
from geodata.encoding import decode
from geodata.inventory import Problem
from geodata.parts import UNDECIDED, Candidate, place_codes
from geodata.problems import problem
from geodata.products.model import VectorSample
from geodata.study_area import legal_dongs

CONFUSABLE = ("EPSG:5174", "EPSG:2097", "EPSG:5181")
"""Systems of the central belt whose numbers differ by 256 m and 313 m."""
SAMPLE = 2_000
"""So many records, spread over the whole layer, are placed."""
LEAST_RECORDS = 20
LEAST_SHARE = 0.9
"""So many of the records have to lie where they say: boundaries of dongs are simplified, lots are redrawn."""
LEAST_APART = 10
"""So many records have to lie right in the best system and wrong in any other,"""
TIMES_APART = 4
"""and so many times as many as the other way round."""
_SAME_PLACE_M = 1.0

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """Which system the records are in, if it is clear."""

    crs: str | None
    why: str
    """Shares of records that lie right, best first, or why nothing could be said."""


def settle_crs(candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Problem]]:
    """Find the system of the ``candidates`` that have none, and check those whose system is easily mistaken.

    Buildings are placed on the parcels of the same inbox, where these say their system; every layer with codes in the legal
    dongs. A candidate that stays without a system is left out, with a fatal problem.
    """
    settled: list[Candidate] = []
    problems: list[Problem] = []
    trusted = [c for c in candidates if c.role == "parcels" and c.part.crs not in {None, *CONFUSABLE}]
    for candidate in candidates:
        path = candidate.look.member.path
        declared = candidate.part.crs
        if candidate.part.crs_origin == UNDECIDED:
            verdict, origin = _place(candidate, trusted, KOREAN_CRS)
            if verdict.crs is None:
                problems.append(problem("crs_missing", path, f"; {verdict.why}" if verdict.why else ""))
                continue
            found = candidate.part.model_copy(update={"crs": verdict.crs, "crs_origin": origin})
            candidate.part = found
            problems.append(problem("crs_found", path, f"{verdict.crs} ({verdict.why})"))
        elif declared in CONFUSABLE and candidate.part.crs_origin in {"prj", "file", "shared prj"}:
            verdict, _ = _place(candidate, trusted, CONFUSABLE)
            if verdict.crs not in {None, declared}:
                said = f"{candidate.part.crs_origin} {declared}, but {verdict.why}"
                problems.append(problem("crs_contradicted", path, said))
                continue
        settled.append(candidate)
    return settled, problems


def _place(candidate: Candidate, trusted: Sequence[Candidate], systems: Sequence[str]) -> tuple[Verdict, str]:
    points, codes = _spread_sample(candidate)
    if candidate.role == "buildings" and trusted:
        verdict = tell_apart(points, on_parcels(points, codes, parcels_called(trusted, codes), systems))
        if verdict.crs is not None:
            return verdict, "parcels"
    return tell_apart(points, in_dongs(points, codes, systems)), "legal dongs"


def tell_apart(points: Floats, right: Mapping[str, Bools]) -> Verdict:
    """Return the system in which clearly more records lie right than in any other.

    Parameters
    ----------
    points
        Places of the records in the file's numbers, shape (n, 2).
    right
        For each system, which of those records that could be judged lie right; equal lengths.
    """
    if not right or not len(next(iter(right.values()))):
        return Verdict(None, "")
    count = len(next(iter(right.values())))
    shares = {crs: float(hits.mean()) for crs, hits in right.items()}
    # sorted is stable: of equals the one that comes first in the list counts
    order = sorted((crs for crs in right if shares[crs] > 0), key=lambda crs: -shares[crs])
    if not order:
        return Verdict(None, f"none of {count:,} records lies where it says in any system")
    said = ", ".join(f"{crs} {shares[crs]:.0%}" for crs in order[:3])
    why = f"of {count:,} records lie where they say: {said}"
    best = order[0]
    if count < LEAST_RECORDS:
        return Verdict(None, f"its numbers would fit {', '.join(order[:4])}, {count} records are too few to tell")
    if shares[best] < LEAST_SHARE:
        return Verdict(None, why)
    for other in order[1:]:
        if _same_place(points, best, other):
            continue
        apart, against = int((right[best] & ~right[other]).sum()), int((right[other] & ~right[best]).sum())
        if apart < max(LEAST_APART, TIMES_APART * against):
            return Verdict(None, f"it cannot be told apart: {why}")
    return Verdict(best, why)


def in_dongs(points: Floats, codes: Sequence[str | None], systems: Sequence[str]) -> dict[str, Bools]:
    """Return for each system which records lie in the legal dong that their code names; unknown codes are left out."""
    index, shapes = _dongs()
    place = index.get_indexer(pd.Index(pd.Series(list(codes), dtype="object").astype("str").str.slice(0, 8)))
    known = place >= 0
    if not known.any():
        return {}
    shapes_of = shapes[place[known]]
    return {crs: shapely.contains_xy(shapes_of, *_lonlat(points[known], crs).T) for crs in systems}


def on_parcels(
    points: Floats, codes: Sequence[str | None], parcels: pd.Series, systems: Sequence[str]
) -> dict[str, Bools]:
    """Return for each system which records lie on the parcel they name; ``parcels`` are polygons (deg) by PNU."""
    place = parcels.index.get_indexer(pd.Index(list(codes), dtype="object"))
    known = place >= 0
    if not known.any():
        return {}
    shapes = parcels.to_numpy()[place[known]]
    return {crs: shapely.contains_xy(shapes, *_lonlat(points[known], crs).T) for crs in systems}


def parcels_called(candidates: Sequence[Candidate], codes: Sequence[str | None]) -> pd.Series:
    """Return the polygons in longitude and latitude of the parcels with the numbers ``codes``, by PNU."""
    wanted = {code for code in codes if code}
    found: dict[str, object] = {}
    for candidate in candidates:
        numbers, fids = _records_called(candidate, wanted)
        if not len(fids):
            continue
        _, _, raw, _ = pyogrio.raw.read(
            candidate.look.member.gdal_path, layer=candidate.look.layer, columns=[], fids=fids, force_2d=True
        )
        shapes = shapely.make_valid(shapely.from_wkb(raw, on_invalid="ignore"))
        located = gpd.GeoSeries(shapes, crs=candidate.part.crs).to_crs("EPSG:4326")
        shapes = located.to_numpy()
        present = ~shapely.is_missing(shapes)
        found |= dict(zip(numbers[present], shapes[present], strict=True))
    return pd.Series(found, dtype="object")


def _records_called(candidate: Candidate, wanted: set[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers and record ids of the parcels in ``wanted``."""
    product, look = candidate.product, candidate.look
    names = product.resolve_columns(look.fields).get("pnu") if product is not None else None
    if not names:
        return np.empty(0, dtype=object), np.empty(0, dtype="int64")
    table = next((c for c in look.companions if c.suffix == ".dbf"), None)
    if table is None or look.encoding is None:
        meta, arrow = pyogrio.read_arrow(
            look.member.gdal_path, layer=look.layer, columns=[names[0]], read_geometry=False, return_fids=True
        )
        numbers = as_text(arrow[names[0]])
        chosen = numbers.isin(wanted).to_numpy()
        return numbers.to_numpy(dtype=object)[chosen], arrow[meta["fid_column"] or "OGC_FID"].to_numpy()[chosen]
    values = []
    with table.open() as stream:
        header = dbf.read_header(stream)
        field = next(f for f in header.fields if decode(f.name, look.encoding) == names[0])
        for block in dbf.read_blocks(stream, header):
            live = block[:, 0] != ord("*")
            values.append(np.where(live, dbf.column(block, field).astype("S19"), b""))
    found = np.concatenate(values) if values else np.empty(0, dtype="S19")
    chosen = np.isin(found, np.array([code.encode() for code in sorted(wanted) if code.isascii()], dtype="S19"))
    return found[chosen].astype("U19").astype(object), np.flatnonzero(chosen)


def _spread_sample(candidate: Candidate) -> tuple[Floats, list[str | None]]:
    """Return places in the file's numbers, shape (n, 2), and codes of records spread over the whole layer."""
    look, product = candidate.look, candidate.product
    if product is None or not isinstance(look.sample, VectorSample):
        return np.empty((0, 2)), []
    boxes, values = look.boxes, look.sample.values.iloc[look.box_rows[look.box_rows < len(look.sample.values)]]
    if look.format == "shapefile" and look.rows > len(look.sample.values):
        spread = _read_spread(candidate)
        boxes, values = spread if spread is not None else (boxes, values)
    if len(values) != len(boxes):
        return np.empty((0, 2)), []
    codes = place_codes(values, product)
    if codes is None:
        return np.empty((0, 2)), []
    points = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2])
    usable = np.isfinite(points).all(axis=1) & codes.notna().to_numpy()
    return points[usable], list(codes[usable])


def _read_spread(candidate: Candidate) -> tuple[np.ndarray, pd.DataFrame] | None:
    look, product = candidate.look, candidate.product
    if product is None:
        return None
    columns = product.resolve_columns(look.fields)
    names = [*columns.get("pnu", ()), *columns.get("dong_code", ()), *product.resolve_pnu_parts(look.fields).values()]
    fids = np.unique(np.linspace(0, look.rows - 1, SAMPLE).astype("int64"))
    try:
        meta, _, raw, columns_read = pyogrio.raw.read(
            look.member.gdal_path, encoding=look.encoding, columns=names, fids=fids, force_2d=True
        )
    except (DataSourceError, DataLayerError, FeatureError, ValueError, pa.ArrowException):
        # deleted records have no number: the first records have to do
        return None
    boxes = shapely.bounds(shapely.from_wkb(raw, on_invalid="ignore"))
    present = np.isfinite(boxes).all(axis=1)
    values = pd.DataFrame(
        {
            str(name): as_text(pa.array(column, from_pandas=True))
            for name, column in zip(meta["fields"], columns_read, strict=True)
        }
    )
    return boxes[present], values.iloc[np.flatnonzero(present)].reset_index(drop=True)


@lru_cache(maxsize=1)
def _dongs() -> tuple[pd.Index, np.ndarray]:
    """Return the 8-digit codes of all legal dongs and their polygons in longitude and latitude."""
    frame = legal_dongs("EPSG:4326")
    frame = frame[~frame["dong_code"].str.slice(0, 8).duplicated(keep=False)]
    shapes = frame.geometry.to_numpy()
    shapely.prepare(shapes)
    return pd.Index(frame["dong_code"].str.slice(0, 8)), shapes


def _lonlat(points: Floats, crs: str) -> Floats:
    """Return ``points`` of ``crs`` in longitude and latitude; not a number where they are not in Korea."""
    inside = in_korea(np.column_stack([points, points]), crs)
    result = np.full(points.shape, np.nan)
    transformer = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    result[inside] = np.column_stack(transformer.transform(points[inside, 0], points[inside, 1]))
    return result


def _same_place(points: Floats, one: str, other: str) -> bool:
    """Return whether two systems put the records into the same places."""
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:5179", always_xy=True)
    places = [np.column_stack(to_metres.transform(*_lonlat(points, crs).T)) for crs in (one, other)]
    away = np.hypot(*(places[0] - places[1]).T)
    away = away[np.isfinite(away)]
    return bool(len(away)) and bool((away < _SAME_PLACE_M).all())
