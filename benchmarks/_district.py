"""The district demo as far as the sky needs it: buildings, roof planes and the surface, from the demo's own files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd

from geodata.clean.buildings import clean_buildings
from geodata.demo import write_demo
from geodata.demo.spec import Size
from geodata.inbox import refuse, take_inventory
from geodata.inventory import Inventory
from geodata.products.terrain import build_terrain
from geodata.products.weather import read_weather
from geodata.site import Site
from geodata.study_area import StudyArea, build_study_area
from geodata.vector_file import read_dataset
from twin.sky.tiles import SurfaceFolder
from twin.solar.resource import Resource, prepare_resource
from twin.solar.roofs import roof_planes
from twin.surface import build_surface, ground_heights


@dataclass(frozen=True)
class District:
    """A demo district on disk."""

    site: Site
    inventory: Inventory
    area: StudyArea
    buildings: gpd.GeoDataFrame
    """With ``height`` and ``altitude`` [m]."""
    planes: gpd.GeoDataFrame
    terrain: Path

    @property
    def cell_size_m(self) -> float:
        """Side of the surface's cells [m]."""
        return self.site.surface.cell_size_m

    def place(self) -> tuple[float, float]:
        """Return latitude and longitude of the town's middle [deg]."""
        middle = gpd.GeoSeries([self.area.area.centroid], crs=self.area.crs).to_crs("EPSG:4326").iloc[0]
        return middle.y, middle.x

    def resource(self) -> Resource:
        """Return the hourly solar resource."""
        weather = read_weather(self.site.inbox, self.inventory.datasets_for("weather"))
        return prepare_resource(weather, *self.place(), weather.elevation_m, self.site.solar.resource)

    def surface(self, folder: Path, buildings: gpd.GeoDataFrame | None = None) -> SurfaceFolder:
        """Build the surface into ``folder``, of these buildings or of others, and open it."""
        built = self.buildings if buildings is None else buildings
        build_surface(built, self.terrain, self.area, self.cell_size_m, folder)
        return SurfaceFolder.open(folder, self.terrain)

    def raised(self, by_m: float) -> gpd.GeoDataFrame:
        """Return the buildings with one of them higher: the one nearest to the middle of the town."""
        middle = self.area.area.centroid
        nearest = self.buildings.geometry.distance(middle).to_numpy().argmin()
        edited = self.buildings.copy()
        edited.loc[edited.index[nearest], "height"] += by_m
        return edited


def build_district(folder: Path, size: Size = "district") -> District:
    """Write a demo into ``folder`` and clean its buildings and its terrain."""
    site = Site.load(write_demo(folder / "demo", size))
    inventory = take_inventory(site.inbox, site.sources)
    refuse(inventory)
    area = build_study_area(site, None)
    box = area.area.bounds
    raw = [read_dataset(site.inbox, dataset, site.crs, box) for dataset in inventory.datasets_for("buildings")]
    buildings = clean_buildings(raw, area, None).features
    terrain = folder / "terrain.tif"
    build_terrain(site.inbox, inventory.datasets_for("terrain"), area, terrain)
    buildings["altitude"] = ground_heights(buildings, terrain)
    return District(site, inventory, area, buildings, roof_planes(buildings), terrain)
