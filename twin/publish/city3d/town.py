"""The three-dimensional town of one scenario, as a folder of files that other programs open.

``town.city.json`` (CityJSON 2.0), ``tileset.json`` with ``tiles/`` (3D Tiles 1.1), and ``buildings.gpkg``: buildings alone
with ``height`` and ``altitude``, since programs such as mago3DTiler raise every polygon table that a GeoPackage holds.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from geodata.parameters import Parameters, load_parameters
from twin.publish.about import ReleaseAbout
from twin.publish.city3d.cityjson import write_cityjson
from twin.publish.city3d.faces import Faces, blocks, joined, subset
from twin.publish.city3d.roofs import roof_shapes
from twin.publish.city3d.tiles import write_tiles
from twin.publish.geopackage import write_geopackage

BLOCK, SHAPED = "1.2", "2.0"
"""Levels of detail: blocks, and roofs of their own shape."""


@lru_cache(maxsize=1)
def city3d_parameters() -> Parameters:
    """Return the values of ``city3d.yaml``."""
    return load_parameters("twin.publish.city3d", "city3d.yaml")


def write_town(
    folder: Path,
    buildings: gpd.GeoDataFrame,
    planes: gpd.GeoDataFrame | None,
    about: ReleaseAbout,
    *,
    name: str,
    rules: Mapping[str, Any] | None = None,
) -> dict[str, int]:
    """Write the files into ``folder`` and return counts: buildings, roof shapes, tiles, triangles, grounds that are assumed.

    Parameters
    ----------
    folder
        An empty folder.
    buildings
        The published layer.
    planes
        Known roof planes, see `twin.publish.city3d.roofs.roof_shapes`; None where there are none.
    about
        Words of the release.
    name
        Site and scenario; the CityJSON identifier is made from it.
    rules
        In place of ``city3d.yaml``.

    Notes
    -----
    A building whose ground is unknown stands as high as the median of the others, at sea level where none is known;
    its ``altitude`` stays empty in the attributes.
    """
    values = city3d_parameters() if rules is None else rules
    ground, assumed = _grounds(buildings)
    heights = buildings["height"].to_numpy(dtype=np.float64)
    lods: dict[str, Faces] = {BLOCK: blocks(buildings.geometry, ground, ground + heights)}
    if planes is not None and len(planes):
        shaped = roof_shapes(buildings, planes, ground, values)
        if len(shaped.building):
            lods[SHAPED] = shaped
    identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:newtown-twin:{name}"))
    write_cityjson(folder / "town.city.json", buildings, lods, about, identifier=identifier)
    counts = write_tiles(folder, buildings, _best(lods), about, values)
    write_geopackage(folder / "buildings.gpkg", {"buildings": buildings}, about)
    shapes = len(lods[SHAPED].building) if SHAPED in lods else 0
    return {"buildings": len(buildings), "roof_shapes": shapes, "grounds_assumed": assumed} | counts


def _grounds(buildings: gpd.GeoDataFrame) -> tuple[np.ndarray, int]:
    """Return the height under each building [m above sea level], and for how many it is assumed."""
    if "altitude" not in buildings.columns:
        return np.zeros(len(buildings)), len(buildings)
    known = buildings["altitude"].to_numpy(dtype=np.float64)
    bare = np.isnan(known)
    return np.where(bare, 0.0 if bare.all() else np.nanmedian(known), known), int(bare.sum())


def _best(lods: Mapping[str, Faces]) -> Faces:
    """Return for each building the faces of its highest level of detail."""
    base = lods[BLOCK]
    if SHAPED not in lods:
        return base
    finer = lods[SHAPED]
    keep = ~np.isin(base.building, finer.building)
    number = np.cumsum(keep) - 1
    which = np.flatnonzero(keep[base.solid])
    rest = subset(base, which, number[base.solid], base.building[keep])
    return joined([rest, finer])
