"""Winter sun at walls, against the geometry of the solstice worked out by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from geodata.catalogue import LAYERS
from twin.sky.tiles import SurfaceFolder
from twin.sunlight.solstice import solstice_sun, winter_parameters
from twin.sunlight.winter_sun import longest_run, winter_sun

LATITUDE, LONGITUDE = 37.44, 126.86
DECLINATION = -23.44
EAST, NORTH, SIDE = 192_000.0, 544_000.0, 1000
GROUND = 50.0
EYE = 1.0
STEP_H = 1 / 6
HOUSE = (495, 600, 505, 608)
"""Ten metres wide; its south wall, at 600, has two points, 1 m out of it."""


@pytest.fixture(scope="module")
def sun():
    return solstice_sun(LATITUDE, LONGITUDE)


def surface(folder, *blocks, cell=0.5):
    """A plain at 50 m with ``blocks``: (box, height above it)."""
    heights = np.full((round(SIDE / cell),) * 2, GROUND, dtype=np.float32)
    for (west, south, east, north), high in blocks:
        rows = slice(round((SIDE - north) / cell), round((SIDE - south) / cell))
        heights[rows, round(west / cell) : round(east / cell)] = GROUND + high
    folder.mkdir()
    with rasterio.open(folder / "tile.tif", "w", driver="GTiff", dtype="float32", count=1, width=heights.shape[1], height=heights.shape[0],
                       crs="EPSG:5186", transform=from_origin(EAST, NORTH + SIDE, cell, cell)) as target:  # fmt: skip
        target.write(heights, 1)
    return SurfaceFolder.open(folder)


def homes(*boxes, altitude=GROUND):
    shapes = [shapely.box(*(edge + start for edge, start in zip(box, (EAST, NORTH) * 2, strict=True))) for box in boxes]
    names = [f"b{number}" for number in range(len(boxes))]
    return gpd.GeoDataFrame({"building_id": names, "altitude": altitude}, geometry=shapes, crs="EPSG:5186")


def hour_angles():
    return np.linspace(0, 60, 60_001)


def height_and_side(hour_angle_deg):
    """Return elevation and azimuth from south [deg] at hour angles, by spherical trigonometry without refraction."""
    phi, delta, hour = np.radians(LATITUDE), np.radians(DECLINATION), np.radians(hour_angle_deg)
    up = np.sin(phi) * np.sin(delta) + np.cos(phi) * np.cos(delta) * np.cos(hour)
    south = np.sin(phi) * np.cos(delta) * np.cos(hour) - np.cos(phi) * np.sin(delta)
    return np.degrees(np.arcsin(up)), np.degrees(np.arctan2(np.cos(delta) * np.sin(hour), south))


def test_the_sun_stands_in_the_south_at_noon_as_high_as_the_latitude_lets_it(sun):
    elevation, side = height_and_side(15.0 * (sun.hour - 12.0))
    # refraction lifts a sun of 7 degrees by 0.12
    assert sun.elevation_deg == pytest.approx(elevation, abs=0.15)
    assert sun.azimuth_deg == pytest.approx(180.0 + side, abs=0.05)
    assert len(sun.hour) == 48
    # 90 - 37.44 - 23.44
    assert height_and_side(0.0)[0] == pytest.approx(29.12)


def test_a_free_standing_house_has_all_hours(tmp_path, sun):
    found = winter_sun(homes(HOUSE), surface(tmp_path / "s", (HOUSE, 6.0)), sun).iloc[0]
    assert found["winter_sun_points"] == 2
    assert found["winter_sun_run_least_h"] == found["winter_sun_run_median_h"] == pytest.approx(6.0)
    assert found["winter_sun_sum_least_h"] == found["winter_sun_sum_median_h"] == pytest.approx(8.0)
    assert found["winter_sun_reached_pct"] == 100.0


@pytest.mark.parametrize("ratio", [0.36, 0.42, 0.48, 0.53])
def test_a_long_slab_in_the_south_leaves_the_hours_in_which_the_sun_clears_it(tmp_path, sun, ratio):
    """Over a wall that runs from west to east the sun clears height over distance where tan(height) / cos(side) is larger."""
    distance = 60.0
    slab = (100, 500, 900, HOUSE[1] - 1 - distance)
    high = ratio * distance + EYE
    found = winter_sun(homes(HOUSE), surface(tmp_path / "s", (HOUSE, 6.0), (slab, high)), sun).iloc[0]
    elevation, side = height_and_side(hour_angles())
    cleared = hour_angles()[np.tan(np.radians(elevation)) / np.cos(np.radians(side)) > ratio]
    expected = 2 * cleared.max() / 15.0
    assert 0.5 < expected < 8
    assert found["winter_sun_sum_least_h"] == pytest.approx(expected, abs=1.01 * STEP_H * 2)
    assert found["winter_sun_run_least_h"] == pytest.approx(min(expected, 6.0), abs=1.01 * STEP_H * 2)


@pytest.mark.parametrize(("beyond", "lit"), [(-3.0, False), (3.0, True)])
def test_the_noon_shadow_ends_where_height_over_tangent_says(tmp_path, sun, beyond, lit):
    high = 40.0
    shadow = (high - EYE) / np.tan(np.radians(90 - LATITUDE + DECLINATION))
    edge = round((HOUSE[1] - 1 - shadow - beyond) * 2) / 2
    slab = (100, edge - 12, 900, edge)
    found = winter_sun(homes(HOUSE), surface(tmp_path / "s", (HOUSE, 6.0), (slab, high)), sun).iloc[0]
    assert (found["winter_sun_sum_least_h"] > 0) == lit


def test_a_tower_in_the_south_breaks_the_sun_in_two(tmp_path, sun):
    """The run is the longer part of what is left between 9 and 15; the sum is both parts."""
    distance, half = 80.0, 16.0
    south_wall = HOUSE[1] - 1
    tower = (500 - half, south_wall - distance - 10, 500 + half, south_wall - distance)
    found = winter_sun(homes(HOUSE), surface(tmp_path / "s", (HOUSE, 6.0), (tower, 150.0)), sun).iloc[0]
    # two points 2.5 m left and right of the middle: each sees one edge under a wider, one under a narrower angle
    # its back edge is seen under a narrower angle, so the near edges count
    _, side = height_and_side(hour_angles())
    wide, narrow = (
        np.interp(np.degrees(np.arctan((half + shift) / distance)), side, hour_angles()) / 15.0 for shift in (2.5, -2.5)
    )
    assert found["winter_sun_run_least_h"] == pytest.approx(3.0 - narrow, abs=1.01 * STEP_H)
    assert found["winter_sun_sum_least_h"] == pytest.approx(8.0 - wide - narrow, abs=2.02 * STEP_H)
    assert found["winter_sun_run_least_h"] < found["winter_sun_sum_least_h"] - 2


def test_what_stands_in_the_north_takes_nothing(tmp_path, sun):
    north = (100, 640, 900, 660)
    found = winter_sun(homes(HOUSE), surface(tmp_path / "s", (HOUSE, 6.0), (north, 120.0)), sun).iloc[0]
    assert found["winter_sun_sum_least_h"] == pytest.approx(8.0)


def test_a_wall_without_air_or_ground_has_no_hours(tmp_path, sun):
    behind = (495, 608, 505, 616)
    town = surface(tmp_path / "s", (HOUSE, 6.0), (behind, 6.0))
    found = winter_sun(homes(HOUSE, behind), town, sun)
    assert found["winter_sun_points"].tolist() == [2, 0]
    assert np.isnan(found["winter_sun_run_least_h"].iloc[1])
    unknown = winter_sun(homes(HOUSE, altitude=np.nan), town, sun)
    assert unknown["winter_sun_points"].tolist() == [0]


def test_runs_are_counted_by_hand():
    lit = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [0, 1, 1, 1], [1, 1, 1, 1]], dtype=bool)
    assert longest_run(lit).tolist() == [2, 0, 3, 4]


def test_no_column_calls_it_compliance_while_the_rule_is_not_verified():
    values = winter_parameters()
    assert not any(values.record(name).verified for name in ("run_wanted", "sum_wanted", "run_from", "sum_from"))
    told = [field for field in LAYERS["buildings"].fields if field.name.startswith("winter_sun") and field.unit]
    assert len(told) == 5
    for field in told:
        assert "판정이 아니다" in field.about_ko and "no statement that a rule is met" in field.about_en
        assert field.kind == "real"
