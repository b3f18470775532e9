"""Where parcels do not fit together: overlaps, and gaps along the borders of municipalities.

Each municipality keeps its own sheets; where two meet, lots overlap or leave strips between them by metres. Which of two
lots is right is not for us to say: it is told and measured, and nothing is moved.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.clean.candidates import Candidates
from geodata.repair import Shapes, make_valid_polygons

LEAST_OVERLAP_M2 = 1.0
"""Smaller overlaps come from the last digits of coordinates and from slivers of drawing."""
GAP_WIDTH_M = 15.0
"""A strip narrower than this between lots of two municipalities is a gap of drawing; wider ones are land nobody drew."""
LEAST_GAP_M2 = 1.0
_HAIR_M = 0.005
_TOUCH_M = 0.05


def note_fit(candidates: Candidates, parcels: gpd.GeoDataFrame) -> None:
    """Log overlaps and border gaps of ``parcels`` (`pnu`, geometry, in metres) and add their areas to the measures.

    Each overlapping pair is one row under the smaller PNU. The gaps between two municipalities are one row under both
    five-digit codes, at the largest gap.
    """
    shapes = parcels.geometry.to_numpy()
    pnu = parcels["pnu"].to_numpy(dtype=object)
    overlaps = overlapping(shapes)
    left, right = pnu[overlaps["left"]], pnu[overlaps["right"]]
    border = np.array([a[:5] != b[:5] for a, b in zip(left, right, strict=True)], dtype=bool)
    said = [
        f"with {other}: {area:.1f} m2{' (municipal border)' if crosses else ''}"
        for other, area, crosses in zip(right, overlaps["area_m2"], border, strict=True)
    ]
    places = gpd.GeoSeries(overlaps["shape"].to_numpy(), crs=parcels.crs)
    candidates.log.add("parcels_overlap", list(left), places, said)
    gaps = border_gaps(shapes, parcels["pnu"].str.slice(0, 5))
    words = [f"{area:.1f} m2 in {count} places" for area, count in zip(gaps["area_m2"], gaps["count"], strict=True)]
    candidates.log.add(
        "border_gap", list(gaps["pair"]), gpd.GeoSeries(gaps["shape"].to_numpy(), crs=parcels.crs), words
    )
    candidates.measures |= {
        "overlap_pairs": len(overlaps),
        "overlap_m2": round(float(overlaps["area_m2"].sum()), 1),
        "border_overlap_m2": round(float(overlaps["area_m2"].to_numpy()[border].sum()), 1),
        "border_gap_m2": round(float(gaps["area_m2"].sum()), 1),
    }


def overlapping(shapes: Shapes) -> pd.DataFrame:
    """Return pairs of polygons that share at least `LEAST_OVERLAP_M2`: ``left`` < ``right`` (positions), ``area_m2``, ``shape``."""
    left, right = shapely.STRtree(shapes).query(shapes)
    left, right = left[left < right], right[left < right]
    # neighbours only touch: asking whether interiors meet is several times faster than intersecting them
    meet = shapely.relate_pattern(shapes[left], shapes[right], "T********")
    left, right = left[meet], right[meet]
    shared = shapely.intersection(shapes[left], shapes[right])
    area = shapely.area(shared)
    large = area >= LEAST_OVERLAP_M2
    pairs = pd.DataFrame({"left": left[large], "right": right[large], "area_m2": area[large], "shape": shared[large]})
    return pairs.sort_values(["left", "right"], ignore_index=True)


def border_gaps(shapes: Shapes, municipality: pd.Series) -> pd.DataFrame:
    """Return the gaps between lots of two municipalities: ``pair``, ``area_m2``, ``count`` and ``shape``, the largest gap.

    A gap is ground under no lot that touches lots of both and is narrower than `GAP_WIDTH_M`: what closes when the lots grow by
    half of it and shrink again.
    """
    codes = municipality.to_numpy(dtype=object)
    rows: list[tuple[str, float, int, shapely.Geometry]] = []
    known = sorted(set(codes))
    if len(known) < 2:
        return pd.DataFrame(rows, columns=["pair", "area_m2", "count", "shape"])
    tree = shapely.STRtree(shapes)
    near, other = tree.query(shapes, predicate="dwithin", distance=GAP_WIDTH_M)
    crossing = codes[near] < codes[other]
    pairs = pd.DataFrame({"near": near[crossing], "other": other[crossing]})
    pairs["pair"] = [f"{a}-{b}" for a, b in zip(codes[pairs["near"]], codes[pairs["other"]], strict=True)]
    for pair, group in pairs.groupby("pair", sort=True):
        sides = [shapely.union_all(shapes[np.unique(group[side])]) for side in ("near", "other")]
        grown = shapely.buffer(shapely.union_all(sides), GAP_WIDTH_M / 2, join_style="mitre")
        closed = shapely.buffer(grown, -GAP_WIDTH_M / 2, join_style="mitre")
        covering = shapes[tree.query(closed, predicate="intersects")]
        gap = make_valid_polygons(np.array([shapely.difference(closed, shapely.union_all(covering))], dtype=object))[0]
        places = _large_parts(gap)
        # notches between lots of one town are none of the border's
        touching = [shapely.dwithin(places, side, _TOUCH_M) for side in sides]
        places = places[touching[0] & touching[1]]
        if len(places):
            area = shapely.area(places)
            rows.append((str(pair), float(area.sum()), len(places), places[int(np.argmax(area))]))
    return pd.DataFrame(rows, columns=["pair", "area_m2", "count", "shape"])


def _large_parts(gap: shapely.Geometry | None) -> npt.NDArray[np.object_]:
    if gap is None:
        return np.empty(0, dtype=object)
    # a hair's breadth beside every shared edge is no gap
    parts = shapely.get_parts(shapely.buffer(shapely.buffer(gap, -_HAIR_M), _HAIR_M, join_style="mitre"))
    return parts[shapely.area(parts) >= LEAST_GAP_M2]
