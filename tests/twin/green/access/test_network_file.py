"""A network read back is the network that was written."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from twin.green.access.network_file import load_network, save_network
from twin.green.access.walk_network import build_network

STREETS = gpd.GeoDataFrame(
    {"class": ["도로", "도로", "고속국도"], "width_m": [6.0, np.nan, 25.0]},
    geometry=[
        shapely.LineString([(0, 0), (100.123, 0.7)]),
        shapely.LineString([(50, 0.35), (50, 80)]),
        shapely.LineString([(0, 40), (100, 40.5)]),
    ],
    crs="EPSG:5186",
)


def test_all_of_a_network_comes_back_to_the_bit(tmp_path):
    network = build_network(STREETS)
    assert len(network.barriers) == 1
    save_network((network, "plan"), tmp_path)
    found, source = load_network(tmp_path)
    assert source == "plan"
    for name in ("nodes", "start", "end", "width_m", "road"):
        one, other = getattr(network, name), getattr(found, name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert shapely.equals_exact(found.barriers, network.barriers).all()


def test_a_network_without_barriers_and_no_network(tmp_path):
    save_network((build_network(STREETS[:2]), "roads"), tmp_path)
    found, _ = load_network(tmp_path)
    assert not found.crosses_barrier(np.array([shapely.LineString([(0, 30), (0, 50)])])).any()
    (tmp_path / "none").mkdir()
    save_network(None, tmp_path / "none")
    assert load_network(tmp_path / "none") is None
