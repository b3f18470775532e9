"""How the demo cuts its ground into plots, and how it spoils shapes."""

from __future__ import annotations

import re

import numpy as np
import pytest
import shapely

from geodata.demo.defects import bow_ties
from geodata.demo.subdivide import Cut, subdivide


def test_subdividing_keeps_every_square_metre() -> None:
    land = np.array(
        [shapely.Polygon([(0, 0), (300, 20), (260, 180), (120, 140), (10, 200)]), shapely.box(400, 0, 520, 90)]
    )
    random = np.random.default_rng(1)
    pieces, owner, lanes, lane_owner = subdivide(land, Cut(600, gap_m=5.0, tilt_deg=8.0), random)
    for position, shape in enumerate(land):
        got = np.concatenate([pieces[owner == position], lanes[lane_owner == position]])
        assert shapely.area(got).sum() == pytest.approx(shape.area, abs=2.0)
        assert shapely.union_all(got).area == pytest.approx(shape.area, abs=2.0)
    assert shapely.area(pieces).max() < 600 * 1.4 * 1.25
    assert len(lanes) > 10


def test_bow_ties_are_invalid_and_hardly_change_the_area() -> None:
    shapes = np.array([shapely.box(0, 0, 20, 10), shapely.Polygon([(0, 0), (9, 1), (4, 7)])])
    tied = bow_ties(shapes)
    assert not shapely.is_valid(tied).any()
    assert [re.match("Self-intersection", reason) is not None for reason in shapely.is_valid_reason(tied)] == [
        True,
        True,
    ]
    mended = shapely.make_valid(tied, method="structure", keep_collapsed=False)
    assert shapely.area(mended) == pytest.approx(shapely.area(shapes), abs=0.3)
