"""Rasters made again only where an edit is seen are those of a town computed anew, byte for byte."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from tests.kept import Kept
from twin.sky.canopy import build_canopy, open_canopy
from twin.sky.raster_tile import RasterMaker, Year
from twin.sky.rasters import RasterTown, town_rasters
from twin.sky.sun_table import daylight_path, level_irradiation
from twin.sky.tiles import SurfaceFolder

CELL_M = 2.0
AREA = shapely.box(100, 100, 1900, 900)
HOME, TREES = 60, [(560, 430, 640, 470), (300, 200, 380, 260)]


class Town:
    """Two squares of a kilometre with houses on gentle hills, and two woods."""

    def __init__(self):
        rng = np.random.default_rng(11)
        west, south = rng.uniform(120, 1850, 60), rng.uniform(120, 850, 60)
        self.boxes = np.column_stack([west, south, west + rng.uniform(10, 30, 60), south + rng.uniform(10, 30, 60)])
        self.up = rng.choice([6.0, 9.0, 25.0], 60)
        # the house that is edited stands in the western square, not far from the border between both
        self.boxes = np.vstack([self.boxes, [700, 480, 724, 500]])
        self.up = np.append(self.up, 18.0)
        self.woods = list(TREES)

    def write(self, folder):
        for column in (0, 1):
            x = column * 1000 + (np.arange(500) + 0.5) * CELL_M
            y = 1000 - (np.arange(500) + 0.5) * CELL_M
            east, north = np.meshgrid(x, y)
            heights = 30 + 8 * np.sin(east / 300) + 6 * np.cos(north / 250)
            for (west, south, right, top), up in zip(self.boxes, self.up, strict=True):
                heights[(east > west) & (east < right) & (north > south) & (north < top)] = 40 + up
            path = folder / "surface" / f"E{column}_N0.tif"
            path.parent.mkdir(exist_ok=True, parents=True)
            profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "width": 500, "height": 500}
            grid = Affine(CELL_M, 0, column * 1000, 0, -CELL_M, 1000)
            with rasterio.open(path, "w", crs="EPSG:5186", transform=grid, nodata=float("nan"), **profile) as target:
                target.write(heights.astype(np.float32), 1)
        surface = SurfaceFolder.open(folder / "surface")
        roofs = gpd.GeoSeries(shapely.box(*self.boxes.T), crs="EPSG:5186")
        woods = gpd.GeoDataFrame(
            {"class_code": ["311", "321"][: len(self.woods)]},
            geometry=[shapely.box(*box) for box in self.woods],
            crs="EPSG:5186",
        )
        if not build_canopy(woods, roofs.to_numpy(), surface, folder / "canopy").tiles:
            return surface, None, roofs
        heights, evergreen = open_canopy(folder / "canopy")
        return replace(surface, canopy=heights), evergreen, roofs


@pytest.fixture(scope="module")
def year(clear_year):
    return Year(daylight_path(37.45, 126.87, 0.0, "Asia/Seoul"), level_irradiation(clear_year, "Asia/Seoul"), 0.2, 36)


def rasters(made, year, keep, before=None):
    surface, evergreen, roofs = made
    return town_rasters(AREA, surface, evergreen, roofs, year, cell_size_m=4.0, keep=keep, before=before)


@pytest.fixture(scope="module")
def before(tmp_path_factory, year):
    folder = tmp_path_factory.mktemp("before")
    made, keep = Town().write(folder), Kept(folder / "kept")
    paths = rasters(made, year, keep)
    return made, keep, [path.read_bytes() for path in paths]


def raised(town):
    town.up[HOME] += 12.0


def lowered(town):
    town.up[HOME] = 3.0


def moved(town):
    town.boxes[HOME] += [14, -8, 14, -8]


def removed(town):
    town.boxes, town.up = town.boxes[:HOME], town.up[:HOME]


def added(town):
    town.boxes, town.up = np.vstack([town.boxes, [1200, 300, 1226, 318]]), np.append(town.up, 22.0)


def planted(town):
    town.woods[0] = (560, 430, 652, 470)


def felled(town):
    town.woods[0] = (560, 430, 620, 470)


@pytest.mark.parametrize(
    "edit", [raised, lowered, moved, removed, added, planted, felled], ids=lambda edit: edit.__name__
)
def test_an_edit_gives_the_rasters_of_a_town_computed_anew(edit, before, year, tmp_path, monkeypatch):
    (surface, evergreen, _), keep, old = before
    town = Town()
    edit(town)
    made = town.write(tmp_path)
    cold = [path.read_bytes() for path in rasters(made, year, Kept(tmp_path / "cold"))]
    assert cold != old
    if edit not in (planted, felled):  # these change what kind of trees stands around every cell
        monkeypatch.setattr(RasterMaker, "sums", refuse)
        with pytest.raises(AssertionError, match="whole tile"):
            rasters(made, year, Kept(tmp_path / "refused"))
    warm = rasters(made, year, Kept(tmp_path / "warm"), RasterTown(surface, evergreen, keep.last, keep.known))
    assert [path.read_bytes() for path in warm] == cold


def refuse(*arguments, **options):
    raise AssertionError("whole tile")


def test_a_record_that_does_not_fit_is_not_used(before, year, tmp_path):
    """The town of before is another than the one that was kept: nothing may be taken from it."""
    _, keep, old = before
    other = Town()
    removed(other)
    wrong = other.write(tmp_path / "wrong")
    town = Town()
    raised(town)
    now = town.write(tmp_path)
    cold = [path.read_bytes() for path in rasters(now, year, Kept(tmp_path / "cold"))]
    found = rasters(now, year, Kept(tmp_path / "warm"), RasterTown(wrong[0], wrong[1], keep.last, keep.known))
    assert [path.read_bytes() for path in found] == cold != old
