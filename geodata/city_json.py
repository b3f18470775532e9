"""City models in CityJSON (1.0, 1.1, 2.0): roof surfaces as they stand, and buildings as footprints with heights.

Of each city object the geometry of the highest level of detail that names its roofs (`RoofSurface`) is read; parts of a
building belong to the building. Vertices are stored as integers and become coordinates by the file's own transform.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.errors import InputError

_DEPTH = {"MultiSurface": 0, "CompositeSurface": 0, "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}
"""How many lists lie around the surfaces of a geometry."""
_KINDS = ("RoofSurface", "GroundSurface")


@dataclass(frozen=True)
class CityModel:
    """Roof and ground surfaces of a city model.

    ``surfaces`` has one row per surface, in the order of the file: ``building`` (id of the building or of the whole that
    a part belongs to), ``source_key`` (object id and number of the surface), ``kind`` (RoofSurface, GroundSurface) and 3D
    polygons in the file's own numbers, without CRS.
    """

    version: str
    crs_definition: str | None
    """``EPSG:nnnn`` from ``metadata.referenceSystem``; None where the file does not say."""
    surfaces: gpd.GeoDataFrame
    names: Mapping[str, str]
    """Name of a building, where it has one."""
    storeys: Mapping[str, float]
    """Storeys above ground of a building, where it says."""

    @property
    def roofs(self) -> gpd.GeoDataFrame:
        """The roof surfaces."""
        return self.surfaces[self.surfaces["kind"] == "RoofSurface"].reset_index(drop=True)


def is_city_json(head: bytes) -> bool:
    """Return whether a file that begins with ``head`` (4 KB) is CityJSON."""
    if head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] != b"{":
        return False
    return re.search(rb'"type"\s*:\s*"CityJSON"', head) is not None or b'"CityObjects"' in head


def parse_city_json(raw: bytes) -> CityModel:
    """Read a CityJSON file.

    Raises
    ------
    InputError
        If it is no CityJSON, its version is unknown, or its geometry points to vertices that are not there.
    """
    try:
        document = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"it is no readable JSON ({error}). Copy the file again") from error
    if not isinstance(document, dict) or document.get("type") != "CityJSON" or "CityObjects" not in document:
        raise InputError('it is no CityJSON: "type" must be "CityJSON" and "CityObjects" be there')
    version = str(document.get("version", ""))
    if not version.startswith(("1.", "2.")):
        raise InputError(f"CityJSON version {version or 'unknown'} is not known; 1.0, 1.1 and 2.0 are read")
    try:
        vertices = _vertices(document)
        rows = list(_surfaces(document["CityObjects"]))
        shapes = _polygons([rings for _, _, _, rings in rows], vertices)
    except (IndexError, KeyError, TypeError, ValueError, shapely.GEOSException) as error:
        raise InputError(f"its geometry cannot be read ({error!r}). Ask its publisher for a valid file") from error
    surfaces = gpd.GeoDataFrame(
        {
            "building": pd.Series([row[0] for row in rows], dtype="str"),
            "source_key": pd.Series([row[1] for row in rows], dtype="str"),
            "kind": pd.Series([row[2] for row in rows], dtype="str"),
        },
        geometry=list(shapes),
    )
    told = {key: _attributes(document["CityObjects"], key) for key in dict.fromkeys(surfaces["building"])}
    return CityModel(
        version,
        _crs_definition(document),
        surfaces,
        {key: str(found["name"]) for key, found in told.items() if found.get("name")},
        {
            key: float(found["storeysAboveGround"])
            for key, found in told.items()
            if isinstance(found.get("storeysAboveGround"), int | float)
        },
    )


def buildings_of(model: CityModel) -> gpd.GeoDataFrame:
    """Return one row per building that has a roof: ``source_id``, ``name``, ``floors_above``, ``height_m``, footprint.

    The footprint is the ground surface, else what the roofs cover as seen from above. ``height_m`` is the highest point
    of the roof over the lowest point of the building, as the register counts it; NaN where no ground is known.
    """
    flat = model.surfaces.assign(
        lowest=_extreme_z(model.surfaces.geometry.to_numpy(), np.minimum),
        highest=_extreme_z(model.surfaces.geometry.to_numpy(), np.maximum),
    )
    flat = flat.set_geometry(shapely.make_valid(shapely.force_2d(flat.geometry.to_numpy()), method="structure"))
    is_roof = flat["kind"] == "RoofSurface"
    top = flat[is_roof].groupby("building", sort=True)["highest"].max()
    ground = flat[~is_roof].groupby("building")["lowest"].min().reindex(top.index)
    shapes = {
        name: flat[mask].groupby("building", sort=True).geometry.agg(lambda part: shapely.union_all(part.to_numpy()))
        for name, mask in (("roof", is_roof), ("ground", ~is_roof))
    }
    under = shapes["ground"].reindex(top.index)
    footprint = under.where(under.notna(), shapes["roof"].reindex(top.index))
    keys = pd.Series(top.index, dtype="str")
    return gpd.GeoDataFrame(
        {
            "source_id": keys,
            "name": keys.map(dict(model.names)).astype("str"),
            "floors_above": keys.map(dict(model.storeys)).astype("float64"),
            "height_m": (top - ground).to_numpy(dtype="float64"),
        },
        geometry=footprint.to_numpy(),
    )


def _extreme_z(shapes: np.ndarray, take: np.ufunc) -> np.ndarray:
    coordinates, index = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    result = np.full(len(shapes), np.inf if take is np.minimum else -np.inf)
    take.at(result, index, coordinates[:, 2])
    return np.where(np.isfinite(result), result, np.nan)


def _vertices(document: Mapping[str, Any]) -> np.ndarray:
    vertices = np.asarray(document["vertices"], dtype="float64").reshape(-1, 3)
    transform = document.get("transform")
    if transform is None:
        return vertices
    return vertices * np.asarray(transform["scale"], dtype="float64") + np.asarray(transform["translate"])


def _crs_definition(document: Mapping[str, Any]) -> str | None:
    told = str((document.get("metadata") or {}).get("referenceSystem") or "")
    match = re.search(r"EPSG\D+(?:[0-9.]+/)?([0-9]{4,6})$", told)
    return f"EPSG:{match[1]}" if match else (told or None)


def _attributes(objects: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return objects.get(key, {}).get("attributes") or {}


def _root(objects: Mapping[str, Any], key: str) -> str:
    seen = {key}
    while parents := objects.get(key, {}).get("parents"):
        key = str(parents[0])
        if key in seen:
            raise ValueError(f"city object {key} is its own parent")
        seen.add(key)
    return key


def _surfaces(objects: Mapping[str, Any]) -> Iterator[tuple[str, str, str, list]]:
    """Yield building, key, kind and rings of vertex numbers of each roof and ground surface."""
    for key, city_object in objects.items():
        geometries = [g for g in city_object.get("geometry") or () if g.get("type") in _DEPTH and _names_roofs(g)]
        if not geometries:
            continue
        finest = max(geometries, key=lambda g: str(g.get("lod", "")))
        depth = _DEPTH[finest["type"]]
        kinds = [surface.get("type") for surface in finest["semantics"]["surfaces"]]
        values = _flatten(finest["semantics"].get("values") or [], depth)
        for number, (rings, value) in enumerate(zip(_flatten(finest["boundaries"], depth), values, strict=True), 1):
            if value is not None and kinds[value] in _KINDS:
                yield _root(objects, key), f"{key}:{number}", str(kinds[value]), rings


def _names_roofs(geometry: Mapping[str, Any]) -> bool:
    surfaces = (geometry.get("semantics") or {}).get("surfaces") or ()
    return any(surface.get("type") == "RoofSurface" for surface in surfaces)


def _flatten(nested: list, depth: int) -> list:
    for _ in range(depth):
        nested = [item for part in nested for item in part]
    return nested


def _polygons(surfaces: list[list], vertices: np.ndarray) -> np.ndarray:
    """Return 3D polygons from rings of vertex numbers; a surface with fewer than three corners is empty."""
    usable = [[ring for ring in rings if len(ring) >= 3] for rings in surfaces]
    rings = [ring for surface in usable for ring in surface]
    if not rings:
        return np.array([shapely.Polygon()] * len(surfaces), dtype=object)
    lengths = np.array([len(ring) + 1 for ring in rings])
    numbers = np.concatenate([np.asarray([*ring, ring[0]], dtype=np.int64) for ring in rings])
    if numbers.min() < 0:
        raise IndexError("negative vertex number")
    made = shapely.linearrings(vertices[numbers], indices=np.repeat(np.arange(len(rings)), lengths))
    counts = np.array([len(surface) for surface in usable])
    shapes = np.full(len(surfaces), shapely.Polygon(), dtype=object)
    shapes[counts > 0] = shapely.polygons(made, indices=np.repeat(np.arange((counts > 0).sum()), counts[counts > 0]))
    return shapes
