"""Writes buildings as CityJSON 2.0: blocks as LoD 1.2, roof shapes as LoD 2.0, with the columns of the published layer.

Corners are whole millimetres counted from the town's own corner. Heights are above sea level, as the elevation model gives them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from geodata.catalogue import LAYERS
from twin.publish.about import DEMO, ReleaseAbout
from twin.publish.city3d.faces import KINDS, Faces

SCALE_M = 0.001


def write_cityjson(
    path: Path, buildings: gpd.GeoDataFrame, lods: Mapping[str, Faces], about: ReleaseAbout, *, identifier: str
) -> None:
    """Write ``buildings`` with one geometry for each level of detail that has faces for them.

    Parameters
    ----------
    path
        A new file, ``….city.json``.
    buildings
        The published layer; ``building_id`` becomes the id of the city object, other columns its attributes.
    lods
        Level of detail, such as ``"1.2"``, to faces whose ``building`` numbers the rows of ``buildings``.
    about
        Title, CRS and date of the release.
    identifier
        Of the model; the same for the same scenario of the same town.
    """
    points = np.concatenate([np.zeros((0, 3)), *(faces.points for faces in lods.values())])
    corner = np.floor(points.min(axis=0)) if len(points) else np.zeros(3)
    whole = np.round((points - corner) / SCALE_M).astype(np.int64)
    vertices, index = _distinct(whole)
    geometries: list[list[dict[str, Any]]] = [[] for _ in range(len(buildings))]
    first = 0
    for lod, faces in lods.items():
        own = index[first : first + len(faces.points)].tolist()
        first += len(faces.points)
        _add_geometries(geometries, faces, own, lod)
    objects = {
        name: {"type": "Building", "attributes": attributes, "geometry": geometry}
        for name, attributes, geometry in zip(buildings["building_id"], _attributes(buildings), geometries, strict=True)
    }
    extent = [*vertices.min(axis=0), *vertices.max(axis=0)] if len(vertices) else []
    metadata: dict[str, Any] = {
        "identifier": identifier,
        "title": about.layer_title(LAYERS["buildings"]),
        "referenceDate": about.instant[:10],
        "referenceSystem": _reference_system(about.crs),
    }
    if extent:
        told = [value * SCALE_M + corner[axis % 3] for axis, value in enumerate(extent)]
        metadata["geographicalExtent"] = [round(float(value), 3) for value in told]
    if about.demo:
        metadata["title"] = f"{DEMO['ko']} · {metadata['title']}"
    model = {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [SCALE_M] * 3, "translate": corner.tolist()},
        "metadata": metadata,
        "CityObjects": objects,
        "vertices": vertices.tolist(),
    }
    path.write_text(json.dumps(model, ensure_ascii=False, separators=(",", ":"), allow_nan=False), encoding="utf-8")


def _distinct(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct rows of ``corners`` (n, 3), ascending, and the number of each corner's row among them."""
    order = np.lexsort(corners.T[::-1])
    rows = corners[order]
    first = np.ones(len(rows), dtype=bool)
    first[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    index = np.empty(len(rows), dtype=np.int64)
    index[order] = np.cumsum(first) - 1
    return rows[first], index


def _reference_system(crs: str) -> str:
    authority, code = CRS.from_user_input(crs).to_authority()
    return f"https://www.opengis.net/def/crs/{authority}/0/{code}"


def _add_geometries(geometries: list[list[dict[str, Any]]], faces: Faces, index: list[int], lod: str) -> None:
    """Append the solids of ``faces`` to the geometries of their buildings; several parts make one MultiSolid."""
    shells: dict[int, tuple[list[Any], list[list[int]]]] = {}
    face_solid = faces.solid.tolist()
    ring_start, face_start, kinds = faces.ring_start.tolist(), faces.face_start.tolist(), faces.kind.tolist()
    for face, solid in enumerate(face_solid):
        boundary = [
            index[ring_start[ring] : ring_start[ring + 1]] for ring in range(face_start[face], face_start[face + 1])
        ]
        shell, values = shells.setdefault(solid, ([], []))
        shell.append(boundary)
        values.append(kinds[face])
    surfaces = [{"type": name} for name in KINDS]
    of_building: dict[int, list[int]] = {}
    for solid, building in enumerate(faces.building.tolist()):
        of_building.setdefault(building, []).append(solid)
    for building, solids in of_building.items():
        boundaries: list[Any] = [[shells[solid][0]] for solid in solids]
        kinds_of: list[Any] = [[shells[solid][1]] for solid in solids]
        single = len(solids) == 1
        geometries[building].append(
            {
                "type": "Solid" if single else "MultiSolid",
                "lod": lod,
                "boundaries": boundaries[0] if single else boundaries,
                "semantics": {"surfaces": surfaces, "values": kinds_of[0] if single else kinds_of},
            }
        )


def _attributes(buildings: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return what is known of each building; what is not known is left out."""
    table = pd.DataFrame(buildings.drop(columns=["geometry", "building_id"]))
    for name in table.columns:
        if pd.api.types.is_datetime64_any_dtype(table[name]):
            table[name] = table[name].dt.strftime("%Y-%m-%d")
    columns = {name: table[name].astype(object).where(table[name].notna(), None).tolist() for name in table.columns}
    names = list(columns)
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*columns.values(), strict=True)
    ]
