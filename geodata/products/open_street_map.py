"""Roads and paths of OpenStreetMap, as its extracts hand them out."""

from __future__ import annotations

from geodata.products.model import Product, Signature

_WAYS = (
    r"(motorway|trunk|primary|secondary|tertiary)(_link)?|unclassified|residential|living_street|service|pedestrian|"
    r"track(_grade[1-5])?|bridleway|cycleway|footway|path|steps|unknown"
)

OSM_ROADS = Product(
    key="OSM_ROADS",
    role="roads",
    ko="오픈스트리트맵 도로·보행로",
    en="roads and paths of OpenStreetMap",
    agency="OpenStreetMap",
    download="download.geofabrik.de/asia/south-korea: gis_osm_roads_free_1.shp, 또는 highway 열이 있는 선 레이어",
    licence="ODbL 1.0",
    attribution="© OpenStreetMap contributors",
    columns={
        "source_id": ("osm_id", "full_id", "@id"),
        "class": ("fclass", "highway"),
        "name": ("name",),
    },
    signature=Signature(needs=("source_id", "class"), patterns={"class": _WAYS}, geometry=("linestring",)),
)
