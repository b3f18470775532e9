"""The shortlist as cards: one self-contained page, a card for each site, that prints one card to a sheet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.catalogue import LAYERS
from geodata.catalogue.model import UNSHADED
from twin.carbon.factors import latest_factor
from twin.energy.demand import intensity_parameters
from twin.publish.about import DEMO, ReleaseAbout
from twin.publish.html_template import html_template
from twin.shortlist.candidates import shortlist_parameters

HOME_M2 = 100
"""Floor of the home that a yield is told in."""
_PIXELS = 128.0
_SCALES_M = (10, 20, 50, 100, 200, 500)
_SCORE_WORDS = {"yield_score": "발전", "shading_score": "음영", "access_score": "접근", "size_score": "규모"}


def cards_page(
    shortlist: gpd.GeoDataFrame, around: gpd.GeoSeries, dongs: pd.Series, about: ReleaseAbout, *, scenario: str
) -> str:
    """Return the page of cards as HTML without anything to load.

    Parameters
    ----------
    shortlist
        Published layer `shortlist`.
    around
        Footprints of buildings, for the sketch of each place.
    dongs
        Name of each legal dong by code.
    about
        Title and marks of the release.
    scenario
        In words.
    """
    shapes = around.to_numpy()
    home = HOME_M2 * float(intensity_parameters()["apartment"])
    marks = [f"{words['ko']} · {words['en']}" for words, on in ((DEMO, about.demo), (UNSHADED, about.unshaded)) if on]
    return html_template("twin.shortlist", "cards.html").render(
        title=about.title_ko,
        scenario=scenario,
        marks=marks,
        weights=shortlist_parameters()["weights"],
        home_kwh=f"{home:,.0f}",
        home_m2=HOME_M2,
        factor=latest_factor(),
        cards=list(_cards(shortlist, shapes, shapely.STRtree(shapes), dongs, home)),
    )


def _cards(
    shortlist: gpd.GeoDataFrame, shapes: np.ndarray, tree: shapely.STRtree, dongs: pd.Series, home_kwh: float
) -> Iterator[dict[str, Any]]:
    kinds = {value: choice.ko for value, choice in LAYERS["shortlist"]["site_kind"].choices.items()}
    for row in shortlist.sort_values("site_rank").itertuples(index=False):
        own, others, scale_px, scale_m = _sketch(row.geometry, shapes, tree)
        bars = []
        for column, word in _SCORE_WORDS.items():
            value = getattr(row, column)
            known = not pd.isna(value)
            bars.append((word, f"{100 * value:.0f}" if known else "0", f"{100 * value:.0f}" if known else "—"))
        name = row.name if not pd.isna(row.name) and row.name else f"{kinds[row.site_kind]} 건물"
        yield {
            "rank": row.site_rank,
            "name": name,
            "kind": kinds[row.site_kind],
            "place": f"{dongs.get(row.dong_code, '')} {row.site_id}".strip(),
            "score": f"{100 * row.score:.0f}",
            "why": row.why_ko,
            "facts": list(_facts(row, home_kwh)),
            "bars": bars,
            "own": own,
            "around": others,
            "scale_px": f"{scale_px:.1f}",
            "scale": f"{scale_m} m",
        }


def _facts(row: Any, home_kwh: float) -> Iterator[tuple[str, str]]:
    yield "설비용량", f"{row.capacity_kwp:,.0f} kWp"
    yield "연간 발전량", f"{row.yield_kwh / 1000:,.1f} MWh"
    yield "가구 환산", f"약 {row.yield_kwh / home_kwh:,.0f}가구"
    yield "용량당", f"{row.specific_yield_kwh_kwp:,.0f} kWh/kWp"
    if not pd.isna(row.shading_loss_pct):
        yield "음영 손실", f"{row.shading_loss_pct:.1f} %"
    if not pd.isna(row.avoided_tco2):
        yield "연간 감축", f"{row.avoided_tco2:,.1f} tCO₂eq/년"
    if not pd.isna(row.capex_krw):
        yield "설치비", f"{row.capex_krw / 1e8:,.1f}억 원"
    if not pd.isna(row.lcoe_krw_kwh):
        yield "발전원가", f"{row.lcoe_krw_kwh:,.0f}원/kWh"
    if not pd.isna(row.npv_krw):
        yield "순현재가치", f"{row.npv_krw / 1e8:,.2f}억 원".replace("-", "−")
    if not pd.isna(row.payback_years):
        yield "회수", f"{row.payback_years:.1f}년"


def _sketch(shape: shapely.Geometry, shapes: np.ndarray, tree: shapely.STRtree) -> tuple[str, str, float, int]:
    """Return the site and the buildings around it as SVG paths, and a scale bar: its pixels and its metres."""
    left, bottom, right, top = shapely.bounds(shape)
    side = max(right - left, top - bottom, 30.0) * 2.0
    x, y = (left + right) / 2 - side / 2, (bottom + top) / 2 - side / 2
    window = shapely.box(x, y, x + side, y + side)
    near = shapely.intersection(shapes[np.sort(tree.query(window))], window)
    factor = _PIXELS / side
    scale_m = max((m for m in _SCALES_M if m * factor <= _PIXELS / 3), default=_SCALES_M[0])

    def path(geometries: Any) -> str:
        rings = []
        for polygon in shapely.get_parts(np.atleast_1d(geometries)):
            if shapely.get_type_id(polygon) != shapely.GeometryType.POLYGON:
                continue
            for ring in (polygon.exterior, *polygon.interiors):
                points = shapely.get_coordinates(ring)
                pixels = np.column_stack([(points[:, 0] - x) * factor, _PIXELS - (points[:, 1] - y) * factor])
                rings.append("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in pixels[:-1]) + "Z")
        return "".join(rings)

    return path(shape), path(near), scale_m * factor, scale_m
