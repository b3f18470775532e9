"""Horizon angles beside those of another program, GRASS ``r.horizon``, on the demo town's surface."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks._district import build_district
from benchmarks._grass import grass_horizons, grass_missing
from benchmarks.rivals import horizon_difference

pytestmark = pytest.mark.check


def test_horizons_are_those_of_grass(tmp_path):
    why = grass_missing()
    if why:
        pytest.skip(why)
    town = build_district(tmp_path, "town")
    surface = town.surface(tmp_path / "surface")
    x, y = (round(at) - 150 for at in town.area.area.centroid.coords[0])
    heights = surface.read((x, y, x + 300.0, y + 300.0))
    assert np.ptp(heights) > 20
    found = grass_horizons(heights, town.cell_size_m, start_deg=15, step_deg=60)
    assert sorted(found.by_azimuth) == [15.0, 75.0, 195.0, 255.0, 315.0]
    middle, most = np.quantile(horizon_difference(heights, town.cell_size_m, found.by_azimuth), [0.5, 0.95])
    assert middle <= 0.6, middle
    assert most <= 2.5, most
