"""The catalogue: every published layer and column, declared once.

Add a column here and the GeoPackage, its aliases, the checks, Dagster's column schema and the documentation follow.
"""

from __future__ import annotations

from geodata.catalogue.access import UNSERVED_BUILDINGS
from geodata.catalogue.buildings import BUILDINGS, ROOFS
from geodata.catalogue.bus_stops import BUS_STOPS
from geodata.catalogue.cadastre import DISTRICTS, PARCELS, PLAN_BLOCKS
from geodata.catalogue.changes import CHANGE_LAYERS
from geodata.catalogue.comparison import COMPARISON_BLOCKS, COMPARISON_DISTRICTS
from geodata.catalogue.energy import CARBON_PATH
from geodata.catalogue.model import Choice, Field, Layer, LayerError
from geodata.catalogue.nature import GREEN, PARKS
from geodata.catalogue.provenance import QUALITY, RUN_INFO
from geodata.catalogue.shortlist import SHORTLIST

LAYERS: dict[str, Layer] = {
    layer.name: layer
    for layer in (
        DISTRICTS, PLAN_BLOCKS, PARCELS, BUILDINGS, ROOFS, GREEN, PARKS, BUS_STOPS, UNSERVED_BUILDINGS, CARBON_PATH, SHORTLIST, QUALITY, RUN_INFO,
    )
}
"""All layers of ``twin.gpkg`` in the order in which they are published."""

COMPARISON_LAYERS: dict[str, Layer] = {
    layer.name: layer for layer in (COMPARISON_DISTRICTS, COMPARISON_BLOCKS, RUN_INFO)
}
"""All layers of ``comparison.gpkg``, which is made once over all scenarios."""

GEOPACKAGES: dict[str, dict[str, Layer]] = {
    "twin.gpkg": LAYERS,
    "comparison.gpkg": COMPARISON_LAYERS,
    "changes.gpkg": CHANGE_LAYERS,
}
"""File name of every GeoPackage of a release to the layers that it may hold."""

PUBLISHED: dict[str, Layer] = {name: layer for layers in GEOPACKAGES.values() for name, layer in layers.items()}
"""Every layer of every GeoPackage of a release."""

__all__ = ["COMPARISON_LAYERS", "GEOPACKAGES", "LAYERS", "PUBLISHED", "Choice", "Field", "Layer", "LayerError"]
