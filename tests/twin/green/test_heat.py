"""Shade, sealed ground and the exposure index, counted by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pvlib
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from twin.green.ground_shade import SUMMER_DAYS, GroundShade, ShadeRaster, mean_shade, pieces_of
from twin.green.heat import heat_of, heat_parameters, imperviousness, shaded_grounds, summer_sun_h
from twin.publish.rasters import write_raster
from twin.scenario.ground import outside_ground
from twin.sky.raster_tile import Year
from twin.sky.rasters import town_rasters
from twin.sky.sun_table import daylight_path
from twin.sky.tiles import SurfaceFolder

CRS = "EPSG:5186"
SUN_H = 14.0


def polygons(name, *values_and_boxes):
    values, boxes = zip(*values_and_boxes, strict=True)
    return gpd.GeoDataFrame({name: values}, geometry=[shapely.box(*box) for box in boxes], crs=CRS)


LAND = polygons("class_code", ("154", (0, 0, 20, 40)), ("331", (20, 0, 40, 40)))


@pytest.fixture
def shade(tmp_path):
    """40 cells of 1 m: the west half of the road has 7 h of shade a day, the rest of it none, the wood 14 h; a roof in the wood."""
    hours = np.zeros((40, 40), dtype=np.uint16)
    hours[:, :10] = 7 * SUMMER_DAYS
    hours[:, 20:] = 14 * SUMMER_DAYS
    hours[:10, 30:] = 65535
    with rasterio.open(tmp_path / "shade.tif", "w", driver="GTiff", dtype="uint16", count=1, width=40, height=40, nodata=65535,
                       crs=CRS, transform=from_origin(0, 40, 1.0, 1.0)) as target:  # fmt: skip
        target.write(hours, 1)
    return tmp_path / "shade.tif"


def heat(features, land, shade, sun_h=SUN_H, footways=None):
    """The burden of a summer day, by way of the raster of ``shade``."""
    shaded = None
    if shade is not None:
        raster = ShadeRaster.read(shade)
        grounds = shaded_grounds(raster, land, footways)
        pieces, owner = pieces_of(features.geometry.to_numpy())
        shaded = mean_shade(GroundShade(raster, grounds).sums(pieces), owner, len(features), grounds)
    return heat_of(features, "pnu", imperviousness(features, land), shaded, sun_h)


def test_shade_and_exposure_of_a_parcel_half_road_half_wood(shade):
    parcels = polygons("pnu", ("whole", (0, 0, 40, 40)), ("road", (5.5, 0, 15.5, 10)), ("wood", (25, 0, 35, 20)))
    table = heat(parcels, LAND, shade)
    road = heat_parameters()["imperviousness"]["154"]
    # ground: 400 cells of 7 h, 400 of 0, 800 less 100 of roof of 14
    ground = (400 * 7 + 700 * 14) / 1500
    assert table.loc["whole", "ground_shade_h"] == pytest.approx(ground)
    assert table.loc["whole", "pavement_shade_h"] == pytest.approx(3.5)
    assert table.loc["whole", "impervious_pct"] == pytest.approx(100 * road / 2)
    assert table.loc["whole", "heat_exposure"] == pytest.approx(100 * (road / 2 + 1 - ground / SUN_H) / 2)
    # 4.5 m of 7 h, 5.5 m of none
    assert table.loc["road", "pavement_shade_h"] == pytest.approx(7 * 0.45, abs=1e-6)
    assert table.loc["wood", ["impervious_pct", "heat_exposure"]].tolist() == pytest.approx([0.0, 0.0])
    assert np.isnan(table.loc["wood", "pavement_shade_h"])


def test_a_roof_over_a_strip_within_one_column_counts_no_hours(shade):
    """Ten of fifteen cells are roof: 5 cells of 0.6 m2 at 14 h are left."""
    strip = polygons("pnu", ("strip", (30.2, 25, 30.8, 40)))
    raster = ShadeRaster.read(shade)
    sums = GroundShade(raster, shaded_grounds(raster, LAND)).sums(strip.geometry.to_numpy())
    assert sums.loc[0, ["ground_count", "ground_sum"]].tolist() == pytest.approx([3.0, 42.0])


def test_footways_apart_from_the_carriageway(shade):
    """The road of 20 m has a footway of 3 m on either side: one in 7 h of shade, one in the sun."""
    parcels = polygons("pnu", ("whole", (0, 0, 40, 40)), ("middle", (4, 0, 16, 40)))
    footways = polygons("footway_id", ("w", (0, 0, 3, 40)), ("e", (17, 0, 20, 40)))
    table = heat(parcels, LAND, shade, footways=footways)
    assert table.loc["whole", "footway_shade_h"] == pytest.approx(3.5)
    assert table.loc["whole", "pavement_shade_h"] == pytest.approx(3.5)
    assert np.isnan(table.loc["middle", "footway_shade_h"])
    west = heat(parcels, LAND, shade, footways=footways[:1])
    assert west.loc["whole", "footway_shade_h"] == pytest.approx(7.0)
    # without the map there is no column, and the others are the same to the last bit
    without = heat(parcels, LAND, shade)
    pd.testing.assert_frame_equal(table.drop(columns="footway_shade_h"), without, check_exact=True)


def test_a_plan_takes_the_footways_on_its_ground():
    footways = polygons("footway_id", ("w", (0, 0, 3, 40)), ("e", (17, 0, 20, 40)))
    rest = outside_ground(footways, polygons("block_id", ("A", (10, 0, 30, 60)), ("B", (0, 0, 10, 10))))
    assert rest["footway_id"].tolist() == ["w"]
    assert rest.area.tolist() == pytest.approx([90.0])


def test_unknown_ground_and_no_surface(shade):
    away = polygons("pnu", ("away", (100, 100, 110, 110)), ("half", (30, 30, 50, 40)))
    table = heat(away, LAND, shade)
    assert table.loc["away"].isna().all()
    # a wood of which the rest is not known; its ground here lies under a roof
    assert table.loc["half", "impervious_pct"] == 0.0
    assert np.isnan(table.loc["half", "heat_exposure"])
    assert list(heat(away, LAND, None).columns) == ["impervious_pct"]


def test_a_class_the_map_does_not_have_counts_as_unknown():
    land = polygons("class_code", ("999", (0, 0, 20, 40)), ("331", (20, 0, 40, 40)))
    whole = polygons("pnu", ("whole", (0, 0, 40, 40)))
    assert heat(whole, land, None)["impervious_pct"].tolist() == [0.0]


def test_the_sun_is_up_as_long_as_the_almanac_says():
    """At 37.4 N, a day lasts 2/15 acos(-tan(latitude) tan(declination)) hours; refraction adds minutes at both ends."""
    days = np.arange(152, 244)
    declination = np.radians(23.44) * np.sin(2 * np.pi * (days - 81) / 365)
    length = 24 / np.pi * np.arccos(-np.tan(np.radians(37.4)) * np.tan(declination))
    assert summer_sun_h(daylight_path(37.4, 126.9, 0.0, "Asia/Seoul")) == pytest.approx(length.mean() + 0.1, abs=0.1)


def hours_behind_a_wall(north_m, height_m):
    """Mean hours of a day of June to August in which an endless wall from east to west hides the sun from a point so far north of it."""
    times = pd.date_range("2025-06-01", "2025-09-01", freq="5min", inclusive="left", tz="Asia/Seoul")
    sun = pvlib.solarposition.get_solarposition(times, 37.45, 126.87)
    elevation = np.radians(sun["apparent_elevation"])
    towards_wall = -np.cos(np.radians(sun["azimuth"])) * np.sign(north_m)
    hidden = (elevation > 0) & (towards_wall > 0) & (np.tan(elevation) * abs(north_m) < height_m * towards_wall)
    return float(hidden.sum()) / 12 / SUMMER_DAYS


def test_shade_of_one_wall_is_that_of_the_sun_s_way_behind_it(tmp_path):
    """A wall of 30 m, 600 m long, on level ground; strips of 1 m are asked on both sides of it."""
    heights = np.zeros((1000, 1000), dtype=np.float32)
    heights[500:502, 200:800] = 30.0
    (tmp_path / "surface").mkdir()
    with rasterio.open(tmp_path / "surface" / "E0_N0.tif", "w", driver="GTiff", dtype="float32", count=1, width=1000, height=1000,
                       nodata=float("nan"), crs=CRS, transform=from_origin(0, 1000, 1.0, 1.0)) as target:  # fmt: skip
        target.write(heights, 1)

    def keep(name, _made_from, fill):
        here = tmp_path / name
        here.mkdir()
        fill(here)
        return here

    path = daylight_path(37.45, 126.87, 0.0, "Asia/Seoul")
    tiles = town_rasters(shapely.box(480, 480, 520, 520), SurfaceFolder.open(tmp_path / "surface"), None, gpd.GeoSeries([], crs=CRS),
                         Year(path, None, 0.2, 72), cell_size_m=1.0, keep=keep)  # fmt: skip
    write_raster("shade_hours_summer", tiles, 1 + 1, tmp_path / "shade.tif")
    # faces at 500 m and 498 m; cells are asked at their middle
    ways = {2.5: 502.5, 6.5: 506.5, 10.5: 510.5, -5.5: 492.5}
    strips = polygons("pnu", *((str(way), (490, at - 0.5, 510, at + 0.5)) for way, at in ways.items()))
    land = polygons("class_code", ("154", (0, 0, 1000, 1000)))
    table = heat(strips, land, tmp_path / "shade.tif", summer_sun_h(path))
    expected = [hours_behind_a_wall(way, 30.0) for way in ways]
    assert min(expected) > 1
    # a sector of 5 degrees of azimuth is 20 minutes of the day and less at noon; a shadow has two ends
    np.testing.assert_allclose(table["pavement_shade_h"], expected, atol=0.35)
    np.testing.assert_allclose(table["ground_shade_h"], table["pavement_shade_h"])
