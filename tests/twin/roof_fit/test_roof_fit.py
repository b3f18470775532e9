"""Roofs of known shape, drawn into a surface model with noise, and what is found of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from shapely.affinity import rotate, translate

from twin.roof_fit.town import RoofFit, fit_parameters, fit_roofs
from twin.solar.roofs import roof_planes

CRS = "EPSG:5186"
GROUND, EAVES = 20.0, 26.0
Roof = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Height above the eaves at x along and y across the ridge, from the middle [m]."""


def gable(tilt: float, half: float) -> Roof:
    return lambda x, y: (half - np.abs(y)) * np.tan(np.radians(tilt))


def hip(tilt: float, length: float, width: float) -> Roof:
    return lambda x, y: np.minimum(length / 2 - np.abs(x), width / 2 - np.abs(y)) * np.tan(np.radians(tilt))


def level(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.zeros_like(x)


class Town:
    """Buildings side by side on level ground, each turned by an angle of its own."""

    def __init__(self, cell_size_m: float = 0.5, noise_m: float = 0.05, seed: int = 1) -> None:
        self.size, self.noise = cell_size_m, noise_m
        self.generator = np.random.default_rng(seed)
        self.shapes: list[shapely.Polygon] = []
        self.roofs: list[tuple[Roof, float, tuple[float, float]]] = []

    def add(self, shape: shapely.Polygon, roof: Roof, turned: float = 0.0) -> None:
        """Add a footprint around 0, 0, turned counter-clockwise."""
        number = len(self.shapes)
        middle = 200_030.3 + 50 * (number % 30), 550_969.9 - 50 * (number // 30)
        self.shapes.append(translate(rotate(shape, turned, origin=(0, 0)), *middle))
        self.roofs.append((roof, np.radians(turned), middle))

    def buildings(self) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame(
            {
                "building_id": [f"B{number:05d}" for number in range(len(self.shapes))],
                "pnu": "4121010100100010000",
                "dong_code": "4121010100",
                "altitude": GROUND,
            },
            geometry=self.shapes,
            crs=CRS,
        )

    def write(self, path: Path) -> Path:
        around = shapely.total_bounds(np.array(self.shapes, dtype=object)).round()
        west, south, east, north = around + np.array([-20.0, -20.0, 20.0, 20.0])
        rows, columns = round((north - south) / self.size), round((east - west) / self.size)
        x, y = west + (np.arange(columns) + 0.5) * self.size, north - (np.arange(rows) + 0.5) * self.size
        heights = np.full((rows, columns), GROUND)
        for shape, (roof, angle, middle) in zip(self.shapes, self.roofs, strict=True):
            low, high = np.array(shape.bounds[:2]), np.array(shape.bounds[2:])
            column = slice(*np.searchsorted(x, [low[0], high[0]]))
            row = slice(*np.searchsorted(-y, [-high[1], -low[1]]))
            east_off, north_off = np.meshgrid(x[column] - middle[0], y[row] - middle[1])
            along = np.cos(angle) * east_off + np.sin(angle) * north_off
            across = -np.sin(angle) * east_off + np.cos(angle) * north_off
            under = shapely.contains_xy(shape, east_off + middle[0], north_off + middle[1])
            heights[row, column] = np.where(under, EAVES + roof(along, across), heights[row, column])
        heights += self.generator.normal(0.0, self.noise, heights.shape)
        profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "nodata": float("nan"), "crs": CRS, "tiled": True}
        transform = Affine(self.size, 0, west, 0, -self.size, north)
        with rasterio.open(path, "w", width=columns, height=rows, transform=transform, **profile) as target:
            target.write(heights.astype(np.float32), 1)
        return path

    def fit(self, folder: Path) -> RoofFit:
        return fit_roofs(self.buildings(), self.write(folder / "dsm.tif"))


def house(length: float = 16.0, width: float = 10.0) -> shapely.Polygon:
    return shapely.box(-length / 2, -width / 2, length / 2, width / 2)


def turn(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Smallest angle between azimuths [deg]."""
    return np.abs((np.asarray(one) - np.asarray(other) + 180.0) % 360.0 - 180.0)


def planes_of(fit: RoofFit, number: int) -> gpd.GeoDataFrame:
    return fit.planes[fit.planes["building_id"] == f"B{number:05d}"]


def test_gables_of_any_tilt_and_direction(tmp_path):
    town = Town()
    known = [(tilt, turned) for tilt in (12.0, 20.0, 30.0, 40.0, 50.0) for turned in np.arange(0.0, 180.0, 13.0)]
    for tilt, turned in known:
        town.add(house(), gable(tilt, 5.0), turned)
    fit = town.fit(tmp_path)
    assert fit.fitted == len(known)
    assert len(fit.quality) == 0
    for number, (tilt, turned) in enumerate(known):
        planes = planes_of(fit, number)
        assert len(planes) == 2
        assert (planes["tilt_deg"] - tilt).abs().max() < 1.0
        # the side of y > 0 looks away from the ridge: north, turned counter-clockwise
        downhill = np.array([-turned % 360.0, (180.0 - turned) % 360.0])
        off = turn(planes["azimuth_deg"].to_numpy()[:, None], downhill[None, :])
        assert sorted(off.argmin(axis=1).tolist()) == [0, 1]
        assert off.min(axis=1).max() < 3.0
        # the ridge halves the house
        assert planes.area.to_numpy() == pytest.approx([80.0, 80.0], abs=4.0)
        assert planes.area.sum() == pytest.approx(160.0, abs=1e-6)
        assert planes["fit_rmse_m"].between(0.04, 0.07).all()


def test_flat_roofs_stay_flat(tmp_path):
    town = Town()
    for turned in (0.0, 20.0, 45.0):
        town.add(house(20, 12), level, turned)
        # a slope for drainage of 1:60 is level too
        town.add(house(20, 12), lambda x, y: y / 60, turned)
    fit = town.fit(tmp_path)
    assert fit.planes["tilt_deg"].tolist() == [0.0] * 6
    assert fit.planes["azimuth_deg"].isna().all()
    assert fit.planes["fit_rmse_m"].to_numpy() == pytest.approx(0.05, abs=0.01)
    assert shapely.equals(fit.planes.geometry.to_numpy(), town.buildings().geometry.to_numpy()).all()


@pytest.mark.parametrize("turned", [0.0, 30.0, 77.0])
def test_a_hip_roof_has_four_planes(tmp_path, turned):
    town = Town()
    town.add(house(20, 12), hip(30.0, 20, 12), turned)
    planes = town.fit(tmp_path).planes
    assert len(planes) == 4
    assert (planes["tilt_deg"] - 30.0).abs().max() < 1.0
    downhill = (np.array([0.0, 90.0, 180.0, 270.0]) - turned) % 360.0
    off = turn(planes["azimuth_deg"].to_numpy()[:, None], downhill[None, :])
    assert off.min(axis=1).max() < 3.0
    # two triangles of 12 m x 6 m, two trapezia of 20 m and 8 m
    area = planes.area.to_numpy()[np.argsort(off.argmin(axis=0))]
    assert sorted(area) == pytest.approx([36.0, 36.0, 84.0, 84.0], abs=4.0)
    # hips run at 45 deg: each triangle has three corners and an area with straight sides
    assert planes.area.sum() == pytest.approx(240.0, abs=1e-6)


def test_a_shed_and_steps(tmp_path):
    town = Town()
    town.add(house(), lambda x, y: (5.0 - y) * np.tan(np.radians(15.0)))
    # a flat roof in two levels, the western half 3 m higher
    town.add(house(24, 12), lambda x, y: np.where(x < 0, 3.0, 0.0), 25.0)
    # a penthouse of 6 m x 5 m in the middle of a flat roof
    town.add(house(30, 20), lambda x, y: np.where((np.abs(x) < 3) & (np.abs(y) < 2.5), 2.8, 0.0))
    fit = town.fit(tmp_path)
    shed = planes_of(fit, 0)
    assert shed["tilt_deg"].to_numpy() == pytest.approx([15.0], abs=1.0)
    assert turn(shed["azimuth_deg"], 0.0).max() < 3.0
    levels = planes_of(fit, 1)
    assert levels["tilt_deg"].tolist() == [0.0, 0.0]
    assert levels.area.to_numpy() == pytest.approx([144.0, 144.0], abs=6.0)
    penthouse = planes_of(fit, 2)
    assert penthouse["tilt_deg"].tolist() == [0.0, 0.0]
    assert sorted(penthouse.area) == pytest.approx([30.0, 570.0], abs=12.0)


def test_an_l_shaped_gable_house(tmp_path):
    # two wings of 8 m, ridges 4 m above the eaves' middle lines; the lower envelope of neither, the upper of both
    shape = shapely.box(-10, -4, 10, 4) | shapely.box(2, -4, 10, 16)

    def roof(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        slope = np.tan(np.radians(35.0))
        lying = np.where(np.abs(y) <= 4, (4 - np.abs(y)) * slope, -9.0)
        standing = np.where((x >= 2) & (x <= 10) & (y >= -4), (4 - np.abs(x - 6)) * slope, -9.0)
        return np.maximum(np.maximum(lying, standing), 0.0)

    town = Town()
    town.add(shape, roof, 10.0)
    planes = town.fit(tmp_path).planes
    assert len(planes) == 4
    assert (planes["tilt_deg"] - 35.0).abs().max() < 1.0
    downhill = (np.array([0.0, 90.0, 180.0, 270.0]) - 10.0) % 360.0
    assert turn(planes["azimuth_deg"].to_numpy()[:, None], downhill[None, :]).min(axis=1).max() < 3.0
    assert planes.area.sum() == pytest.approx(shape.area, abs=1e-6)


def test_what_does_not_fit_is_left_out_with_a_reason(tmp_path):
    town = Town()
    noise = np.random.default_rng(2)
    town.add(house(20, 12), lambda x, y: noise.uniform(0, 8, x.shape))  # trees over the roof
    town.add(house(20, 12), lambda x, y: 2 * np.sin(x * 1.3) * np.cos(y * 1.1) + noise.normal(0, 0.3, x.shape))
    town.add(house(3, 3), level)  # too small
    town.add(house(20, 12), lambda x, y: np.full_like(x, GROUND - EAVES))  # not built yet when it was flown
    town.add(house(), gable(30.0, 5.0))
    buildings = town.buildings()
    fit = town.fit(tmp_path)
    assert (fit.buildings, fit.fitted) == (5, 1)
    assert fit.planes["building_id"].unique().tolist() == ["B00004"]
    assert dict(zip(fit.quality["key"], fit.quality["reason"], strict=True)) == {
        "B00000": "roof_fit_poor",
        "B00001": "roof_fit_poor",
        "B00002": "roof_fit_cells",
        "B00003": "roof_fit_absent",
    }
    roofs = roof_planes(buildings, fit.planes)
    assert roofs["plane_source"].tolist() == ["assumed"] * 4 + ["surface_model"] * 2
    assert (roofs.loc[:3, "tilt_deg"] == 0).all()
    assert roofs.loc[:3, "fit_rmse_m"].isna().all()
    assert (roofs["fit_rmse_m"].dropna() < 0.07).all()


def test_half_a_roof_is_not_fitted(tmp_path):
    town = Town()
    town.add(house(20, 12), gable(30.0, 6.0))
    town.add(house(20, 12), gable(30.0, 6.0))
    path = town.write(tmp_path / "dsm.tif")
    with rasterio.open(path, "r+") as target:
        heights = target.read(1)
        # of the first 40 % are left, of the second 70 %
        for shape, share in zip(town.shapes, (0.4, 0.7), strict=True):
            row, column = target.index(shape.centroid.x - 10 + 20 * share, shape.centroid.y)
            heights[row - 30 : row + 30, column : column + 40] = np.nan
        target.write(heights, 1)
    fit = fit_roofs(town.buildings(), path)
    assert fit.planes["building_id"].tolist() == ["B00001", "B00001"]
    assert fit.quality[["key", "reason"]].to_numpy().tolist() == [["B00000", "roof_fit_cells"]]


def test_no_heights_no_planes(tmp_path):
    town = Town()
    town.add(house(), gable(30.0, 5.0))
    path = town.write(tmp_path / "dsm.tif")
    elsewhere = town.buildings()
    elsewhere = elsewhere.set_geometry(elsewhere.geometry.translate(5000.0, 0.0))
    fit = fit_roofs(elsewhere, path)
    assert len(fit.planes) == 0
    assert fit.quality["reason"].tolist() == ["roof_fit_cells"]
    assert len(fit_roofs(elsewhere.iloc[:0], path).planes) == 0


@pytest.mark.parametrize("cell_size_m", [0.1, 0.25, 1.0])
def test_other_cell_sizes(tmp_path, cell_size_m):
    town = Town(cell_size_m)
    for turned in (0.0, 33.0, 100.0):
        town.add(house(18, 12), gable(30.0, 6.0), turned)
    fit = town.fit(tmp_path)
    assert len(fit.planes) == 6
    assert (fit.planes["tilt_deg"] - 30.0).abs().max() < 1.0
    for number, turned in enumerate((0.0, 33.0, 100.0)):
        downhill = np.array([-turned, 180.0 - turned])
        off = turn(planes_of(fit, number)["azimuth_deg"].to_numpy()[:, None], downhill[None, :])
        assert off.min(axis=1).max() < 3.0


def test_the_order_of_buildings_changes_nothing(tmp_path):
    town = Town()
    for number in range(60):
        town.add(house(16, 10), gable(25.0, 5.0) if number % 2 else hip(25.0, 16, 10), 7.0 * number)
    path = town.write(tmp_path / "dsm.tif")
    there, back = fit_roofs(town.buildings(), path), fit_roofs(town.buildings().iloc[::-1], path)
    assert there.planes.drop(columns="geometry").equals(back.planes.drop(columns="geometry"))
    assert shapely.equals_exact(there.planes.geometry.to_numpy(), back.planes.geometry.to_numpy()).all()


def test_cost_grows_with_the_number_of_buildings_alone(tmp_path, cpu_seconds):
    town = Town()
    for number in range(200):
        roof = (level, gable(25.0, 5.0), hip(30.0, 16, 10), level)[number % 4]
        town.add(house(16, 10), roof, 7.0 * number)
    path, buildings = town.write(tmp_path / "dsm.tif"), town.buildings()
    _, quarter = cpu_seconds(lambda: fit_roofs(buildings.iloc[:50], path))
    fit, whole = cpu_seconds(lambda: fit_roofs(buildings, path))
    assert len(fit.planes) == 50 * (1 + 2 + 4 + 1)
    # four times the buildings; what is quadratic takes sixteen times as long
    assert whole < 10 * quarter


def test_every_rule_names_its_source():
    for name in fit_parameters():
        assert fit_parameters().record(name).source
