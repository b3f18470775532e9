"""An image of the present tells the truth of a parcel that the plan does not touch."""

from __future__ import annotations

import geopandas as gpd
import shapely

from twin.scenario.ndvi import unchanged_parcels


def test_a_square_metre_is_the_limit():
    parcels = gpd.GeoDataFrame(geometry=[shapely.box(x, 0, x + 10, 10) for x in (0, 10, 20)], crs="EPSG:5186")
    ground = gpd.GeoDataFrame(geometry=[shapely.box(-5, 0, 0.1, 10), shapely.box(29.8, 0, 40, 10)], crs="EPSG:5186")
    # 1 m2, nothing, 2 m2
    assert unchanged_parcels(parcels, ground).tolist() == [True, True, False]
