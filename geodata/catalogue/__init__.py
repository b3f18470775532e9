"""The catalogue: every published layer and column, declared once.

Add a column here and the GeoPackage, its aliases, the checks, Dagster's column schema and the documentation follow.
"""

from __future__ import annotations

from geodata.catalogue.access import UNSERVED_BUILDINGS
from geodata.catalogue.buildings import BUILDINGS, ROOFS
from geodata.catalogue.cadastre import DISTRICTS, PARCELS, PLAN_BLOCKS
from geodata.catalogue.energy import CARBON_PATH
from geodata.catalogue.model import Choice, Field, Layer, LayerError
from geodata.catalogue.nature import GREEN, PARKS
from geodata.catalogue.provenance import QUALITY, RUN_INFO

LAYERS: dict[str, Layer] = {
    layer.name: layer
    for layer in (
        DISTRICTS, PLAN_BLOCKS, PARCELS, BUILDINGS, ROOFS, GREEN, PARKS, UNSERVED_BUILDINGS, CARBON_PATH, QUALITY, RUN_INFO,
    )
}
"""All layers in the order in which they are published."""

__all__ = ["LAYERS", "Choice", "Field", "Layer", "LayerError"]
