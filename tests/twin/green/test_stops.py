"""Bus stops: which stay in a plan, and their shade counted by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from twin.green.ground_shade import SUMMER_DAYS, ShadeRaster
from twin.green.stops import staying_stops, stop_indicators, stop_shade

CRS = "EPSG:5186"


def stops(*places, **columns):
    names = [f"s{number}" for number in range(len(places))]
    return gpd.GeoDataFrame({"stop_id": names, **columns}, geometry=[shapely.Point(*at) for at in places], crs=CRS)


@pytest.fixture
def shade(tmp_path):
    """80 cells of 1 m: the west half lies in the shade for 6 h a day, the east half for 2 h; a roof over the north-east."""
    hours = np.full((80, 80), 6 * SUMMER_DAYS, dtype=np.uint16)
    hours[:, 40:] = 2 * SUMMER_DAYS
    hours[:30, 40:] = 65535
    with rasterio.open(tmp_path / "shade.tif", "w", driver="GTiff", dtype="uint16", count=1, width=80, height=80, nodata=65535,
                       crs=CRS, transform=from_origin(0, 80, 1.0, 1.0)) as target:  # fmt: skip
        target.write(hours, 1)
    return ShadeRaster.read(tmp_path / "shade.tif")


def test_shade_is_the_mean_of_open_ground_around_the_stop(shade):
    # deep in either half, on the border of both, on the border of both and of the roof, under the roof, outside
    places = stops((10, 40), (60, 20), (40, 20), (40, 50), (60, 70), (500, 500))
    hours = stop_shade(places, shade, 14.0)
    assert hours[:3].tolist() == pytest.approx([6, 2, 4], abs=1e-6)
    # half a circle of 6 h, a quarter of 2 h, a quarter of roof
    assert hours[3] == pytest.approx((2 * 6 + 2) / 3, abs=1e-6)
    assert np.isnan(hours[4:]).all()
    # no longer than the sun is up
    assert stop_shade(places, shade, 5.0)[:2].tolist() == pytest.approx([5, 2])


def test_a_plan_takes_the_stops_on_its_ground():
    ground = gpd.GeoDataFrame(
        {"block_id": ["A", "B"]}, geometry=[shapely.box(0, 0, 10, 10), shapely.box(8, 0, 20, 10)], crs=CRS
    )
    kept = staying_stops(stops((5, 5), (9, 5), (30, 5)), ground)
    assert kept["stop_id"].tolist() == ["s2"]
    assert kept.index.tolist() == [0]
    assert len(staying_stops(stops((5, 5)), ground.iloc[:0])) == 1


def test_dongs_count_their_stops_and_the_district_those_inside():
    rows = gpd.GeoDataFrame(
        {"dong_code": ["1", "2", "3", "DISTRICT"], "kind": ["legal_dong"] * 3 + ["district"]},
        geometry=[
            shapely.box(0, 0, 10, 10),
            shapely.box(10, 0, 20, 10),
            shapely.box(20, 0, 30, 10),
            shapely.box(5, 0, 15, 10),
        ],
        crs=CRS,
    )
    own = stops((1, 1), (6, 1), (12, 1), dong_code=["1", "1", "2"], stop_shade_h=[4.0, 8.0, np.nan])
    told = stop_indicators(own, rows)
    assert told["bus_stop_count"].to_dict() == {"1": 2, "2": 1, "3": 0, "DISTRICT": 2}
    assert told["stop_shade_h"].dropna().to_dict() == {"1": 6.0, "DISTRICT": 8.0}
    assert list(stop_indicators(own.drop(columns="stop_shade_h"), rows).columns) == ["bus_stop_count"]
