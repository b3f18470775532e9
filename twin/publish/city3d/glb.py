"""Writes one tile of the 3D Tiles: a binary glTF 2.0 with quantised corners and the columns of each building.

Corners carry the number of their building (EXT_mesh_features); a property table holds its columns
(EXT_structural_metadata). Positions are whole steps of 16 bits (KHR_mesh_quantization), normals bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geodata.catalogue import Field

NO_NUMBER = -9_999_999.0
"""Stands for an empty number in property tables."""
NO_INTEGER = -2_147_483_648
FINEST_STEP_M = 0.005
CLASS = "building"
_FLOAT, _INT, _UINT, _USHORT = 5126, 5124, 5125, 5123
_ARRAY, _INDEX = 34962, 34963


@dataclass(frozen=True)
class TileMesh:
    """What a tile shows: corners [m] in the town's frame (east, north, up), normals, building of each corner, triangles."""

    positions: np.ndarray
    normals: np.ndarray
    feature: np.ndarray
    triangles: np.ndarray


def metadata_schema(fields: Sequence[Field], *, unshaded: bool) -> dict[str, Any]:
    """Return the class of the property table: the catalogue's columns, with Korean names and English descriptions."""
    properties: dict[str, Any] = {}
    for field in fields:
        about: dict[str, Any] = {
            "name": field.label("ko", unshaded=unshaded),
            "description": field.label("en", unshaded=unshaded),
        }
        if field.kind == "real":
            about |= {"type": "SCALAR", "componentType": "FLOAT64", "noData": NO_NUMBER}
        elif field.kind == "integer":
            about |= {"type": "SCALAR", "componentType": "INT32", "noData": NO_INTEGER}
        else:
            about |= {"type": "STRING"} | ({"required": True} if field.unique else {"noData": ""})
        properties[field.name] = about
    return {
        "id": "newtown_twin",
        "classes": {CLASS: {"name": "건물", "description": "Buildings", "properties": properties}},
    }


def property_columns(table: pd.DataFrame, fields: Sequence[Field]) -> dict[str, np.ndarray]:
    """Return the columns of ``table`` as property tables hold them: numbers with a mark for empty ones, else UTF-8."""
    found: dict[str, np.ndarray] = {}
    for field in fields:
        values = table[field.name]
        if field.kind == "real":
            found[field.name] = values.fillna(NO_NUMBER).to_numpy(dtype=np.float64)
            continue
        if field.kind == "integer":
            found[field.name] = values.fillna(NO_INTEGER).to_numpy(dtype=np.int32)
            continue
        if field.kind == "date":
            values = values.dt.strftime("%Y-%m-%d")
        texts = [("" if missing else str(value)).encode() for value, missing in zip(values, values.isna(), strict=True)]
        found[field.name] = np.array(texts, dtype=object)
    return found


def glb_bytes(mesh: TileMesh, columns: Mapping[str, np.ndarray], schema: Mapping[str, Any], rights: str) -> bytes:
    """Return the tile as a binary glTF.

    Parameters
    ----------
    columns
        Of `property_columns`, one row for each building in the order of `TileMesh.feature`.
    """
    body = _Body()
    rows = len(next(iter(columns.values())))
    low, high = mesh.positions.min(axis=0), mesh.positions.max(axis=0)
    middle = np.round((low + high) / 2, 3)
    step = max(FINEST_STEP_M, float(np.abs(mesh.positions - middle).max()) / 32767)
    # glTF has y upwards and z towards the viewer, that is south
    steps = np.round((mesh.positions - middle) / step).astype(np.int16)[:, [0, 2, 1]] * np.array([1, 1, -1], np.int16)
    normals = np.round(mesh.normals[:, [0, 2, 1]] * np.array([1, 1, -1]) * 127).astype(np.int8)
    count = len(steps)
    view = body.add(np.column_stack([steps, np.zeros(count, np.int16)]), target=_ARRAY, stride=8)
    position = body.accessor(view, 5122, count, "VEC3", steps)
    view = body.add(np.column_stack([normals, np.zeros(count, np.int8)]), target=_ARRAY, stride=4)
    normal = body.accessor(view, 5120, count, "VEC3", None, normalized=True)
    wide = rows > 0xFFFF
    feature = mesh.feature.astype(np.float32 if wide else np.uint16)
    padded = feature if wide else np.column_stack([feature, np.zeros(count, np.uint16)])
    feature_id = body.accessor(
        body.add(padded, target=_ARRAY, stride=4), _FLOAT if wide else _USHORT, count, "SCALAR", None
    )
    short = count <= 0xFFFF
    view = body.add(mesh.triangles.astype(np.uint16 if short else np.uint32).reshape(-1), target=_INDEX)
    index = body.accessor(view, _USHORT if short else _UINT, mesh.triangles.size, "SCALAR", None)
    primitive = {
        "attributes": {"POSITION": position, "NORMAL": normal, "_FEATURE_ID_0": feature_id},
        "indices": index,
        "material": 0,
        "mode": 4,
        "extensions": {
            "EXT_mesh_features": {
                "featureIds": [{"featureCount": rows, "attribute": 0, "label": CLASS, "propertyTable": 0}]
            }
        },
    }
    properties = {name: _property(body, values) for name, values in columns.items()}
    gltf = {
        "asset": {"version": "2.0", "generator": "newtown-twin"} | ({"copyright": rights} if rights else {}),
        "extensionsUsed": ["EXT_mesh_features", "EXT_structural_metadata", "KHR_mesh_quantization"],
        "extensionsRequired": ["KHR_mesh_quantization"],
        "extensions": {
            "EXT_structural_metadata": {
                "schema": schema,
                "propertyTables": [{"class": CLASS, "count": rows, "properties": properties}],
            }
        },
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {
                "mesh": 0,
                "scale": [step] * 3,
                "translation": [float(middle[0]), float(middle[2]), -float(middle[1])],
            }
        ],
        "meshes": [{"primitives": [primitive]}],
        "materials": [
            {
                "pbrMetallicRoughness": {
                    "baseColorFactor": [0.86, 0.84, 0.80, 1.0],
                    "metallicFactor": 0.0,
                    "roughnessFactor": 0.9,
                }
            }
        ],
        "accessors": body.accessors,
        "bufferViews": body.views,
        "buffers": [{"byteLength": len(body.data)}],
    }
    text = json.dumps(gltf, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 8)
    data = bytes(body.data)
    total = 12 + 8 + len(text) + 8 + len(data)
    head = struct.pack("<4sII", b"glTF", 2, total)
    return head + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\x00") + data


class _Body:
    """The binary part of a glTF while it is put together; every view begins at a multiple of eight bytes."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: np.ndarray | bytes, *, target: int | None = None, stride: int | None = None) -> int:
        raw = values if isinstance(values, bytes) else np.ascontiguousarray(values).tobytes()
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(raw)}
        if stride is not None:
            view["byteStride"] = stride
        if target is not None:
            view["target"] = target
        self.data += raw + b"\x00" * (-len(raw) % 8)
        self.views.append(view)
        return len(self.views) - 1

    def accessor(
        self, view: int, component: int, count: int, kind: str, bounds: np.ndarray | None, *, normalized: bool = False
    ) -> int:
        told: dict[str, Any] = {"bufferView": view, "componentType": component, "count": int(count), "type": kind}
        if normalized:
            told["normalized"] = True
        if bounds is not None:
            told |= {"min": bounds.min(axis=0).tolist(), "max": bounds.max(axis=0).tolist()}
        self.accessors.append(told)
        return len(self.accessors) - 1


def _property(body: _Body, values: np.ndarray) -> dict[str, Any]:
    """Put one column into the body and return its place in the property table."""
    if values.dtype != object:
        return {"values": body.add(values)}
    texts = values.tolist()
    offsets = np.cumsum([0, *(len(text) for text in texts)]).astype(np.uint32)
    # a view must not be empty, even if every text is
    joined = b"".join(texts) or b"\x00"
    return {"values": body.add(joined), "stringOffsets": body.add(offsets), "stringOffsetType": "UINT32"}
