from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pvlib
import pytest
import shapely

from geodata.errors import InputError
from twin.sky.factors import (
    PlaneFactors,
    Sun,
    hidden_view,
    horizon_band_ratio,
    sky_factors,
    sky_view_ratio,
    unshaded_fraction,
)
from twin.sky.lines import Grid
from twin.sky.plane_cells import PlaneCells, Sampling, plane_cells
from twin.sky.planes import BIN_DEG, HorizonDistribution, reduce_horizons
from twin.sky.shadow import shaded
from twin.solar.irradiance import PlaneComponents, plane_of_array


def swept(scene, azimuths=72) -> tuple[Grid, PlaneCells, HorizonDistribution]:
    grid = Grid.of(scene.heights, scene.cell_size_m)
    cells = plane_cells(scene.shapes, grid, 0.0, scene.north)
    return grid, cells, reduce_horizons(grid, cells, scene.tilt_deg, scene.azimuth_deg, azimuths)


def year(every: int = 1) -> pd.DataFrame:
    times = pd.date_range("2023-01-01 00:30", periods=8760, freq="h", tz="Asia/Seoul")[::every]
    sun = pvlib.solarposition.get_solarposition(times, 37.43, 126.83)
    return sun[sun["apparent_elevation"] > 0]


def lone_house(turn_deg: float, tilt_deg: float) -> tuple[np.ndarray, list, np.ndarray, np.ndarray]:
    """A house alone on a plain: 20 m along a ridge that is turned clockwise from north, 12 m across."""
    x = (np.arange(160) + 0.5) * 0.5
    east, north = np.meshgrid(x - 40, x[::-1] - 40)
    along = np.array([math.sin(math.radians(turn_deg)), math.cos(math.radians(turn_deg))])
    across = np.array([along[1], -along[0]])
    u, v = east * along[0] + north * along[1], east * across[0] + north * across[1]
    house = (np.abs(u) < 10) & (np.abs(v) < 6)
    heights = np.where(house, 23 + math.tan(math.radians(tilt_deg)) * (6 - np.abs(v)), 20.0)
    corners = np.array([[-10, 0], [10, 0], [10, 6], [-10, 6]])
    sides = [shapely.Polygon([40 + a * along + c * side * across for a, c in corners]) for side in (1, -1)]
    facing = turn_deg + 90
    return heights, sides, np.full(2, tilt_deg), np.array([facing, facing + 180]) if tilt_deg else np.full(2, np.nan)


@pytest.mark.parametrize("tilt_deg", [0.0, 12.0, 35.0, 55.0])
@pytest.mark.parametrize("turn_deg", [0.0, 10.0, 36.87, 45.0, 71.0, 90.0, 113.0, 158.0, 171.5])
def test_a_free_roof_has_factors_of_exactly_one(turn_deg, tilt_deg):
    heights, shapes, tilt, azimuth = lone_house(turn_deg, tilt_deg)
    grid = Grid.of(heights, 0.5)
    cells = plane_cells(shapes, grid, 0.0, 80.0)
    assert (cells.sampling == Sampling.INTERIOR).all()
    found = reduce_horizons(grid, cells, tilt, azimuth)
    sun = year(29)
    rng = np.random.default_rng(0)
    ghi = rng.uniform(1, 900, len(sun))
    light = Sun.of(sun["azimuth"], sun["apparent_elevation"], ghi, ghi * rng.random(len(sun)))
    # rows of modules may stand otherwise than the roof
    for planes, facing in ((tilt, azimuth), (np.where(tilt == 0, 36.0, tilt), np.nan_to_num(azimuth, nan=180.0))):
        factors = sky_factors(found, light, planes, facing, np.zeros((2, 72)))
        for name in ("beam", "circumsolar", "isotropic", "horizon", "ground"):
            assert (np.asarray(getattr(factors, name)) == 1.0).all(), name
        parts = {
            name: rng.uniform(0, 500, (len(sun), 2))
            for name in ("beam", "circumsolar", "isotropic", "horizon", "ground")
        }
        components = PlaneComponents(
            hours=sun.index, tilt_deg=tilt, azimuth_deg=azimuth, aoi=np.zeros((len(sun), 2)), ghi=ghi[:, None], **parts
        )
        np.testing.assert_array_equal(
            plane_of_array(components, np.arange(2), factors), plane_of_array(components, np.arange(2))
        )


@pytest.mark.parametrize("scene", ["houses", "towers"])
def test_seventy_two_azimuths_against_exact_hourly_shadows(scene, request):
    scene = request.getfixturevalue(scene)
    grid, cells, found = swept(scene)
    sun = year(5)
    fraction = unshaded_fraction(found, sun["azimuth"], sun["apparent_elevation"])
    rows, columns = np.divmod(cells.cell, cells.window.last_column - cells.window.first_column)
    flat = (rows + cells.window.first_row) * scene.heights.shape[1] + columns + cells.window.first_column
    owner = np.repeat(np.arange(len(cells)), np.diff(cells.start))
    sizes = np.diff(cells.start)
    tilt, azimuth = np.radians(scene.tilt_deg), np.radians(np.nan_to_num(scene.azimuth_deg))
    lost, exact, whole = (np.zeros(len(cells)) for _ in range(3))
    for hour, (bearing, elevation) in enumerate(zip(sun["azimuth"], sun["apparent_elevation"], strict=True)):
        dark = shaded(grid, bearing, elevation).reshape(-1)[flat]
        up = np.radians(elevation)
        incidence = np.sin(up) * np.cos(tilt) + np.cos(up) * np.sin(tilt) * np.cos(np.radians(bearing) - azimuth)
        weight = np.maximum(incidence, 0.0)
        exact += weight * np.bincount(owner, weights=dark, minlength=len(cells)) / sizes
        lost += weight * (1.0 - fraction[hour])
        whole += weight
    difference = 100 * np.abs(lost - exact) / whole
    assert (100 * exact / whole).mean() > 3, "the scene is too open to prove anything"
    assert difference.mean() <= 0.3
    assert np.quantile(difference, 0.95) <= 1.0


def distribution(
    counts: dict[tuple[int, int], dict[int, int]], cells: list[int], azimuths: int = 4
) -> HorizonDistribution:
    """Make a distribution by hand; what is not given lies in bin 0."""
    start, bins, kept = [0], [], []
    for plane, size in enumerate(cells):
        for azimuth in range(azimuths):
            entries = sorted(counts.get((plane, azimuth), {0: size} if size else {}).items())
            bins += [entry[0] for entry in entries]
            kept += [entry[1] for entry in entries]
            start.append(len(bins))
    return HorizonDistribution(
        azimuths_deg=np.arange(azimuths) * 360.0 / azimuths, cells=np.array(cells, dtype=np.int64),
        sampling=np.zeros(len(cells), dtype=np.uint8), height_m=np.full(len(cells), 10.0), near=np.zeros((len(cells), 4)),
        start=np.array(start, dtype=np.int64), bin=np.array(bins, dtype=np.uint8), count=np.array(kept, dtype=np.uint32),
    )  # fmt: skip


def test_fraction_is_read_inside_the_bin_and_between_azimuths():
    # to the east a quarter of the cells is free, a quarter in bin 10, half in bin 200
    found = distribution({(0, 1): {0: 2, 10: 2, 200: 4}}, [8])
    elevation = np.array([0.0, 9.0, 9.5, 10.0, 100.0, 199.0, 199.25, 200.0, 255.0]) * BIN_DEG
    east = unshaded_fraction(found, np.full(9, 90.0), elevation)[:, 0]
    np.testing.assert_allclose(east, [0.25, 0.25, 0.375, 0.5, 0.5, 0.5, 0.625, 1.0, 1.0], atol=1e-6)
    between = unshaded_fraction(found, [0, 22.5, 45, 90, 135, 180, 270, 359, -270], np.full(9, 50.0 * BIN_DEG))[:, 0]
    np.testing.assert_allclose(between, [1, 0.875, 0.75, 0.5, 0.75, 1, 1, 1, 0.5], atol=1e-6)
    assert unshaded_fraction(found, [315.0], [20.0])[0, 0] == 1.0
    # below the horizon the value at the horizon is given, so that a free plane stays free
    assert unshaded_fraction(found, [90.0], [-5.0])[0, 0] == 0.25


def test_far_skyline_clamps_the_near_one():
    found = distribution({(0, 1): {0: 2, 10: 2, 200: 4}}, [8, 5])
    far = np.array([[0.0, 20.0, 0.0, 0.0], [0.0, 0.0, 12.0, 0.0]])
    east = unshaded_fraction(found, [90.0, 90.0, 90.0], [19.9, 20.1, 80.0], far)
    np.testing.assert_allclose(east, [[0, 1], [0.5, 1], [1, 1]], atol=1e-6)
    assert unshaded_fraction(found, [180.0], [11.0], far)[0].tolist() == [1.0, 0.0]
    # some planes only
    np.testing.assert_array_equal(unshaded_fraction(found, [90.0], [19.9], far, planes=slice(1, 2)), [[1.0]])
    # a level plane loses the squared sine of the far angle in one of four directions
    ratio = sky_view_ratio(found, [0.0, 0.0], [180.0, 180.0], far)
    assert ratio[1] == pytest.approx(1 - math.sin(math.radians(12)) ** 2 / 4, abs=1e-9)
    assert ratio[0] < sky_view_ratio(found, [0.0, 0.0], [180.0, 180.0])[0] < 1
    with pytest.raises(InputError, match="far skyline"):
        unshaded_fraction(found, [90.0], [10.0], far[:1])


def test_far_skyline_below_the_plane_itself_takes_nothing():
    found = distribution({}, [6])
    # facing south, tilted by 30: the plane hides the northern sky up to 30 deg itself
    far = np.array([[25.0, 0.0, 0.0, 0.0]])
    assert sky_view_ratio(found, [30.0], [180.0], far)[0] == 1.0
    assert sky_view_ratio(found, [30.0], [0.0], far)[0] < 1.0


def test_horizon_band():
    # bin 18 ends at 6.353, bin 19 at 6.706: 58 % of it lie above 6.5
    found = distribution({(0, 2): {18: 4, 19: 4, 40: 2}}, [10])
    share = (19 - 6.5 / BIN_DEG) * 0.4 + 0.2
    assert horizon_band_ratio(found, [30.0], [180.0])[0] == pytest.approx(1 - share)
    assert horizon_band_ratio(found, [30.0], [0.0])[0] == 1.0
    # facing south-east, south and east weigh the same
    assert horizon_band_ratio(found, [30.0], [135.0])[0] == pytest.approx(1 - share / 2)
    assert horizon_band_ratio(found, [0.0], [np.nan])[0] == pytest.approx(1 - share / 4)
    assert horizon_band_ratio(found, [30.0], [180.0], [[0, 0, 7.0, 0]])[0] == pytest.approx(0.0)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_roof_on_the_floor_of_a_canyon(ratio):
    """A level plane as wide as the canyon: floor mean, closed form."""
    heights = np.full((80, 1200), 20.0 * ratio)
    heights[20:60] = 0.0
    grid = Grid.of(heights, 0.5)
    numbers = shapely.box(290, 10.0, 310, 30.0)
    found = reduce_horizons(grid, plane_cells([numbers], grid, 0.0, 40.0), [0.0], [np.nan])
    # the outermost cells are left out: the mean of the floor between half a metre and 19.5 m
    x = np.array([0.5, 19.5])
    depth = 20 * ratio
    exact = np.diff((np.hypot(x, depth) - np.hypot(20 - x, depth)) / 2)[0] / 19
    assert sky_view_ratio(found, [0.0], [np.nan])[0] == pytest.approx(exact, abs=0.006)
    assert hidden_view(np.array([exact]), [0.0])[0] == pytest.approx(1 - exact)


def test_planes_without_surface_count_as_free_and_far_hills_still_count():
    found = distribution({(0, 1): {100: 5}}, [5, 0])
    sun = Sun.of([90.0, 90.0], [3.0, 50.0], [100.0, 0.0], [40.0, 0.0])
    factors = sky_factors(found, sun, [0.0, 0.0], [np.nan, np.nan], [[0, 0, 0, 0], [0, 10.0, 0, 0]])
    np.testing.assert_allclose(factors.beam, [[0, 0], [1, 1]])
    assert factors.isotropic[0, 1] == pytest.approx(1 - math.sin(math.radians(10)) ** 2 / 4)
    # ground: 60 % beam that is gone, 40 % diffuse under what is left of the sky
    assert factors.ground[0, 1] == pytest.approx(0.4 * factors.isotropic[0, 1])
    assert np.isfinite(factors.ground).all()


def test_source_of_factors_for_the_yields(houses):
    _, _, found = swept(houses, 12)
    sun = Sun.of([120.0, 180.0, 250.0], [10.0, 40.0, 25.0])
    module = np.where(houses.tilt_deg == 0, 36.0, houses.tilt_deg)
    azimuth = np.nan_to_num(houses.azimuth_deg, nan=180.0)
    source = PlaneFactors(found, sun, {"roof": houses.tilt_deg, "module": module}, {"roof": azimuth, "module": azimuth})
    rows = slice(10, 30)
    part = source(rows, "module")
    whole = sky_factors(found, sun, module, azimuth)
    for name in ("beam", "circumsolar", "isotropic", "horizon", "ground"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[:, rows])
    assert part.beam.shape == (3, 20)


def test_sun_must_be_somewhere():
    with pytest.raises(InputError, match="finite"):
        Sun.of([np.nan], [3.0])
    assert Sun.of([370.0], [3.0], [0.0], [0.0]).diffuse_share[0] == 1.0
