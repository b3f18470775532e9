"""Writes buildings as 3D Tiles 1.1: a tree of tiles over a grid, each a binary glTF.

Coarse tiles hold the large buildings, which are seen from afar; each has fine tiles that add the others. The tree's root
carries the town to its place on the globe, so that everything below is in metres around the town's middle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from geodata.catalogue import LAYERS
from twin.publish.about import ReleaseAbout
from twin.publish.city3d.faces import Faces
from twin.publish.city3d.glb import TileMesh, glb_bytes, metadata_schema, property_columns
from twin.publish.city3d.mesh import face_normals, mesh_of
from twin.publish.city3d.place import Frame, globe_coordinates


def write_tiles(
    folder: Path, buildings: gpd.GeoDataFrame, faces: Faces, about: ReleaseAbout, rules: Mapping[str, Any]
) -> dict[str, int]:
    """Write ``tileset.json`` and ``tiles/*.glb`` into ``folder``; return how many tiles and triangles there are.

    Parameters
    ----------
    folder
        A folder that exists.
    buildings
        The published layer.
    faces
        Solids of the buildings, one level of detail for each, heights above sea level [m].
    about
        Rights and CRS of the release.
    rules
        ``city3d.yaml``.
    """
    globe, geocentric = globe_coordinates(faces.points, about.crs, float(rules["geoid_offset_m"]))
    centre = np.round((globe[:, :2].min(axis=0) + globe[:, :2].max(axis=0)) / 2, 4)
    frame = Frame.at(float(centre[0]), float(centre[1]))
    local = frame.local(geocentric)
    mesh, normals = mesh_of(faces), face_normals(faces, local)
    fields = [field for field in LAYERS["buildings"].fields if field.name in buildings.columns]
    schema = metadata_schema(fields, unshaded=about.unshaded)
    sizes = _sizes(faces, local, len(buildings))
    coarse, fine = float(rules["coarse_tile_m"]), float(rules["fine_tile_m"])
    middle = buildings.geometry.representative_point()
    place = np.column_stack([middle.x, middle.y])
    large = sizes >= float(rules["large_building_m"])
    corner_building = faces.point_building[mesh.corner]
    (folder / "tiles").mkdir()

    keys = np.where(large[:, None], np.floor(place / coarse), np.floor(place / fine)).astype(np.int64)
    names = np.array(
        [f"{'c' if is_large else 'f'}_{x}_{y}" for is_large, (x, y) in zip(large, keys.tolist(), strict=True)],
        dtype=str,
    )
    order, tile = np.unique(names, return_inverse=True)
    corner_tile = tile[corner_building]
    members = [_members(owner, len(order)) for owner in (tile, corner_tile, corner_tile[mesh.triangles[:, 0]])]
    row_of, place_of = (_numbered(groups) for groups in members[:2])
    columns = property_columns(buildings, fields)
    contents: dict[str, dict[str, Any]] = {}
    for name, rows, own, cut in zip(order.tolist(), *members, strict=True):
        if not len(own):
            continue
        part = TileMesh(
            local[mesh.corner[own]],
            normals[mesh.face[own]],
            row_of[corner_building[own]],
            place_of[mesh.triangles[cut]],
        )
        told = {column: values[rows] for column, values in columns.items()}
        (folder / "tiles" / f"{name}.glb").write_bytes(glb_bytes(part, told, schema, about.rights))
        contents[name] = {"region": _region(globe[mesh.corner[own]]), "largest": float(sizes[rows].max())}
    tree = _tree(contents, frame, fine, coarse)
    tileset = {
        "asset": {"version": "1.1", "tilesetVersion": about.timestamp, "extras": _extras(about, rules)},
        "schema": schema,
        "geometricError": tree["geometricError"],
        "root": tree,
    }
    text = json.dumps(tileset, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    (folder / "tileset.json").write_text(text, encoding="utf-8")
    return {"tiles": len(contents), "triangles": len(mesh.triangles)}


def _members(owner: np.ndarray, count: int) -> list[np.ndarray]:
    """Return what belongs to each of ``count`` owners, ascending."""
    return np.split(np.argsort(owner, kind="stable"), np.cumsum(np.bincount(owner, minlength=count))[:-1])


def _numbered(groups: list[np.ndarray]) -> np.ndarray:
    """Return for each member of ``groups`` its place in its group."""
    places = np.empty(sum(map(len, groups)), dtype=np.int64)
    for group in groups:
        places[group] = np.arange(len(group))
    return places


def _extras(about: ReleaseAbout, rules: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title_ko": about.title_ko,
        "title_en": about.title_en,
        "demo": about.demo,
        "source_crs": about.crs,
        "geoid_offset_m": float(rules["geoid_offset_m"]),
    }


def _sizes(faces: Faces, local: np.ndarray, count: int) -> np.ndarray:
    """Return the largest side of the box around each building [m]; 0 where it has no faces."""
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, faces.point_building, local)
    np.maximum.at(high, faces.point_building, local)
    extent = (high - low).max(axis=1)
    return np.where(np.isfinite(extent), extent, 0.0)


def _region(globe: np.ndarray) -> list[float]:
    """Return west, south, east, north [rad] and lowest and highest height [m], a little widened."""
    low, high = globe.min(axis=0), globe.max(axis=0)
    # corners are rounded by up to a few centimetres, and 1e-8 rad is 6 cm: nothing must be left outside
    west, south = np.floor(np.radians(low[:2]) * 1e8 - 1) / 1e8
    east, north = np.ceil(np.radians(high[:2]) * 1e8 + 1) / 1e8
    bottom, top = np.floor(low[2] * 10 - 1) / 10, np.ceil(high[2] * 10 + 1) / 10
    return [float(value) for value in (west, south, east, north, bottom, top)]


def _union(regions: list[list[float]]) -> list[float]:
    all_of = np.array(regions)
    return [*all_of[:, [0, 1]].min(axis=0), *all_of[:, [2, 3]].max(axis=0), all_of[:, 4].min(), all_of[:, 5].max()]


def _tree(contents: Mapping[str, Mapping[str, Any]], frame: Frame, fine: float, coarse: float) -> dict[str, Any]:
    """Return the root tile: coarse tiles below it, fine tiles below those.

    The geometric error of a tile is the size of the largest building that is missing while only this tile is shown.
    """
    ratio = round(coarse / fine)
    below: dict[str, list[str]] = {}
    for name in contents:
        level, x, y = name.split("_")
        parent = name if level == "c" else f"c_{int(x) // ratio}_{int(y) // ratio}"
        below.setdefault(parent, [])
        if level == "f":
            below[parent].append(name)
    children = []
    for parent in sorted(below):
        leaves = [
            {
                "boundingVolume": {"region": contents[name]["region"]},
                "geometricError": 0.0,
                "content": {"uri": f"tiles/{name}.glb"},
            }
            for name in sorted(below[parent])
        ]
        regions = [contents[name]["region"] for name in below[parent]]
        missing = max((contents[name]["largest"] for name in below[parent]), default=0.0)
        tile: dict[str, Any] = {"boundingVolume": {}, "geometricError": round(missing, 1), "refine": "ADD"}
        if parent in contents:
            regions.append(contents[parent]["region"])
            tile["content"] = {"uri": f"tiles/{parent}.glb"}
        tile["boundingVolume"] = {"region": _union(regions)}
        if leaves:
            tile["children"] = leaves
        children.append(tile)
    errors = [max(found["largest"] for found in contents.values()), *(tile["geometricError"] for tile in children)]
    return {
        "boundingVolume": {"region": _union([tile["boundingVolume"]["region"] for tile in children])},
        "geometricError": round(max(errors), 1),
        "refine": "ADD",
        "transform": frame.matrix(),
        "children": children,
    }
