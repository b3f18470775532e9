"""Holds a CityJSON 2.0 file of buildings to the standard: members, references, and solids that are closed.

The rules are those of the CityJSON 2.0 specification, chapters 2 to 4 and 6, as far as a release uses it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twin.publish.city3d.faces import KINDS

_MEMBERS = ("type", "version", "transform", "CityObjects", "vertices")
_METADATA = {
    "identifier": r".+",
    "title": r".+",
    "referenceDate": r"\d{4}-\d\d-\d\d",
    "referenceSystem": r"https?://www\.opengis\.net/def/crs/[A-Z]+/[^/]+/\d+",
}


def cityjson_problems(path: Path) -> list[str]:
    """Return everything that is wrong with the CityJSON file ``path``; an empty list is a pass.

    Never raises for a damaged file.
    """
    try:
        found = _model_problems(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # a member of another kind than the standard has breaks the walk at the place where it is met
        found = [f"cannot be read as CityJSON: {type(error).__name__}: {error}"]
    return [f"{path.name}: {problem}" for problem in found]


def _model_problems(model: Mapping[str, Any]) -> list[str]:
    missing = [f"{name} is missing" for name in _MEMBERS if name not in model]
    if missing:
        return missing
    found = []
    if (model["type"], model["version"]) != ("CityJSON", "2.0"):
        found.append(f"is {model['type']} {model['version']}, expected CityJSON 2.0")
    if any(len(model["transform"].get(name, ())) != 3 for name in ("scale", "translate")):
        found.append("transform needs scale and translate of three numbers each")
    if not all(len(corner) == 3 and all(type(n) is int for n in corner) for corner in model["vertices"]):
        found.append("vertices are not three whole numbers each")
    found += _metadata_problems(model.get("metadata", {}))
    used: set[int] = set()
    for name, thing in model["CityObjects"].items():
        if thing["type"] != "Building" or set(thing) - {"type", "attributes", "geometry"}:
            found.append(f"{name}: is not a plain Building")
        for geometry in thing.get("geometry", []):
            found += [f"{name}: {problem}" for problem in _solid_problems(geometry, used)]
    if used != set(range(len(model["vertices"]))):
        found.append("corners are used that are not there, or there are corners that nothing uses")
    return found


def _metadata_problems(metadata: Mapping[str, Any]) -> list[str]:
    found = [
        f"metadata: {name} is {metadata.get(name)!r}"
        for name, shape in _METADATA.items()
        if not re.fullmatch(shape, metadata.get(name, ""))
    ]
    extent = metadata.get("geographicalExtent", [0.0] * 6)
    if len(extent) != 6 or any(low > high for low, high in zip(extent[:3], extent[3:], strict=True)):
        found.append(f"metadata: geographicalExtent is {extent}")
    return found


def _solid_problems(geometry: Mapping[str, Any], used: set[int]) -> list[str]:
    """Return what is wrong with one geometry, and add the numbers of its corners to ``used``."""
    found = []
    if set(geometry) - {"type", "lod", "boundaries", "semantics"} or not re.fullmatch(
        r"\d(\.\d)?", geometry.get("lod", "")
    ):
        found.append(f"geometry has the members {sorted(geometry)} and lod {geometry.get('lod')!r}")
    solids, values = geometry["boundaries"], geometry["semantics"]["values"]
    if geometry["type"] == "Solid":
        solids, values = [solids], [values]
    elif geometry["type"] != "MultiSolid":
        return [*found, f"is a {geometry['type']}"]
    surfaces = [surface["type"] for surface in geometry["semantics"]["surfaces"]]
    if set(surfaces) - set(KINDS):
        found.append(f"surfaces are of kinds {surfaces}")
    for solid, of_solid in zip(solids, values, strict=True):
        for shell, of_shell in zip(solid, of_solid, strict=True):
            if len(shell) != len(of_shell) or not all(0 <= value < len(surfaces) for value in of_shell):
                found.append("semantics do not fit the faces")
            found += _shell_problems([ring for face in shell for ring in face], used)
    return found


def _shell_problems(rings: list[list[int]], used: set[int]) -> list[str]:
    """Return what is wrong with one shell; it is closed where each edge is run through as often one way as the other."""
    found = []
    if any(len(ring) < 3 or len(set(ring)) != len(ring) for ring in rings):
        found.append("a ring has fewer than three corners, or one of them twice")
    begins = [corner for ring in rings for corner in ring]
    ends = [corner for ring in rings for corner in ring[1:] + ring[:1]]
    used.update(begins)
    if Counter(zip(begins, ends, strict=True)) != Counter(zip(ends, begins, strict=True)):
        found.append("a shell is open")
    return found
