"""Data of the web page: one scenario as classic scripts, cut into tiles that the page loads as it needs them.

Browsers refuse to fetch files of a page that lies on a disk, but load scripts. Coordinates are whole steps of `STEP_DEG`,
each counted from the one before; columns are those of the catalogue, rounded as published.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.catalogue import LAYERS, Field
from twin.publish.about import ReleaseAbout
from twin.publish.styles.style import MISSING, MISSING_COLOUR, legend, styles_for
from twin.publish.viewer.page import script_text

STEP_DEG = 1e-6
TILE_M = 500.0
SHOWN = ("parcels", "buildings", "plan_blocks", "parks")
"""Layers on the page, from below to above."""
SHADING = "shading_loss_pct"
SHADING_CLASSES = ((0, 2, "#fff4c2"), (2, 5, "#f2c57c"), (5, 10, "#c98b8b"), (10, 20, "#85609a"), (20, 100, "#3f2f66"))
"""Loss [%] above and up to which a building has a colour; light is sunny."""
FIRST = {"buildings": "yield_kwh", "parcels": "green_cover_pct"}
"""Column by which a layer is coloured when the page opens."""
ROLES = {
    "parcels": ("parcels", "land_cover", "ndvi"),
    "buildings": (
        "buildings",
        "building_register",
        "roof_planes",
        "surface_model",
        "terrain",
        "weather",
        "plan_blocks",
    ),
    "plan_blocks": ("plan_blocks",),
    "parks": ("parks", "plan_blocks"),
}
"""Roles of the inbox files that each layer's card names."""


def write_scenario(
    folder: Path, layers: Mapping[str, gpd.GeoDataFrame], about: ReleaseAbout, scenario: str
) -> dict[str, int]:
    """Write ``index.js`` and one script for each tile into ``folder``; return counts of tiles and features.

    Parameters
    ----------
    folder
        A new folder.
    layers
        Published layers by name; those in `SHOWN` are written. Shading of buildings is taken from ``roofs``, and what a
        card says of its sources from ``run_info``.
    about
        CRS and marks of the release.
    scenario
        Name under which the page knows the data.

    Raises
    ------
    ValueError
        If there is no layer to show.
    """
    folder.mkdir(parents=True)
    shown = {name: layers[name] for name in SHOWN if name in layers and len(layers[name])}
    if not shown:
        raise ValueError(f"{scenario} has none of the layers {', '.join(SHOWN)}")
    roofs = layers.get("roofs")
    fields: dict[str, list[Field]] = {
        name: [field for field in LAYERS[name].fields if field.name in frame.columns] for name, frame in shown.items()
    }
    if "buildings" in shown and roofs is not None and SHADING in roofs.columns:
        shown["buildings"] = shown["buildings"].join(_shading(roofs), on="building_id")
        fields["buildings"].append(LAYERS["roofs"][SHADING])
    tiles: dict[str, dict[str, Any]] = {}
    search: list[list[Any]] = []
    box = np.array([np.inf, np.inf, -np.inf, -np.inf])
    for name, frame in shown.items():
        middle = frame.geometry.representative_point()
        corner = np.floor(np.column_stack([middle.x, middle.y]) / TILE_M).astype(int)
        keys = np.array([f"{x}_{y}" for x, y in corner.tolist()])
        globe = frame.geometry.to_crs("EPSG:4326")
        edges = shapely.bounds(globe.to_numpy())
        box = _widened(box, edges)
        shapes = _rings(globe.to_numpy())
        columns = {field.name: _values(frame[field.name], field) for field in fields[name]}
        squares, square = np.unique(keys, return_inverse=True)
        for number, rows in enumerate(np.split(np.argsort(square, kind="stable"), np.cumsum(np.bincount(square))[:-1])):
            key, here = str(squares[number]), rows.tolist()
            tile = tiles.setdefault(key, {"box": np.array([np.inf, np.inf, -np.inf, -np.inf])})
            tile["box"] = _widened(tile["box"], edges[rows])
            tile[name] = {
                "shapes": [shapes[row] for row in here],
                "columns": {column: [values[row] for row in here] for column, values in columns.items()},
            }
        if name == "parcels":
            places = shapely.get_coordinates(globe.representative_point().to_numpy()).tolist()
            jibun = frame["jibun"].astype(object).where(frame["jibun"].notna(), None)
            search = [
                [pnu, lot, key, round(x, 6), round(y, 6)]
                for pnu, lot, key, (x, y) in zip(frame["pnu"], jibun, keys.tolist(), places, strict=True)
            ]
    for key, tile in tiles.items():
        content = {name: value for name, value in tile.items() if name != "box"}
        _script(folder / f"{key}.js", f"TWIN.tile({script_text(scenario)},{script_text(key)},", content)
    index = {
        "box": [round(float(value), 6) for value in box],
        "tiles": {key: [round(float(value), 6) for value in tile["box"]] for key, tile in tiles.items()},
        "layers": {
            name: _about_layer(name, fields[name], frame, about, _sources(layers.get("run_info"), name))
            for name, frame in shown.items()
        },
        "search": search,
    }
    _script(folder / "index.js", f"TWIN.scenario({script_text(scenario)},", index)
    return {"tiles": len(tiles)} | {name: len(frame) for name, frame in shown.items()}


def _shading(roofs: gpd.GeoDataFrame) -> pd.Series:
    """Return the shading loss of each building [%], the mean of its roofs weighed by PV capacity."""
    known = roofs[roofs["shading_loss_pct"].notna() & (roofs["capacity_kwp"] > 0)]
    weighed = known["shading_loss_pct"] * known["capacity_kwp"]
    sums = pd.DataFrame({"loss": weighed, "kwp": known["capacity_kwp"]}).groupby(known["building_id"]).sum()
    return (sums["loss"] / sums["kwp"]).round(2).rename("shading_loss_pct")


def _about_layer(
    name: str, fields: list[Field], frame: gpd.GeoDataFrame, about: ReleaseAbout, sources: list[list[str]]
) -> dict[str, Any]:
    layer = LAYERS[name]
    told = [
        {
            "name": field.name,
            "kind": field.kind,
            "ko": field.label("ko", unshaded=about.unshaded),
            "en": field.label("en", unshaded=about.unshaded),
            "decimals": field.decimals,
            "choices": {value: [choice.ko, choice.en] for value, choice in field.choices.items()},
        }
        for field in fields
    ]
    columns = tuple(field.name for field in fields if field.name in layer.names)
    themes = []
    for style in styles_for(layer, columns):
        if style.kind == "graduated" and style.column in columns:
            classes = [
                {"ko": c.ko, "en": c.en, "colour": c.colour, "low": c.low, "high": c.high} for c in legend(layer, style)
            ]
        elif style.kind == "categorised" and style.column in columns:
            occurring = set(frame[style.column].dropna())
            classes = [
                {"ko": c.ko, "en": c.en, "colour": c.colour, "value": c.value}
                for c in legend(layer, style)
                if c.value in occurring
            ]
        else:
            continue
        if not classes:
            continue
        themes.append({"column": style.column, "ko": style.ko, "en": style.en, "classes": classes})
    if name == "buildings" and fields[-1].name == SHADING:
        themes.append(_shading_theme(fields[-1]))
    themes.sort(key=lambda theme: theme["column"] != FIRST.get(name, theme["column"]))
    return {"ko": layer.ko, "en": layer.en, "key": layer.key, "fields": told, "themes": themes, "sources": sources}


def _shading_theme(field: Field) -> dict[str, Any]:
    classes = [
        {"ko": f"{low} – {high} %", "en": f"{low} – {high} %", "colour": colour, "low": low, "high": high}
        for low, high, colour in SHADING_CLASSES
    ]
    missing = {"ko": MISSING.ko, "en": MISSING.en, "colour": MISSING_COLOUR, "low": None, "high": None}
    return {"column": field.name, "ko": field.ko, "en": field.en, "classes": [*classes, missing]}


def _sources(run_info: pd.DataFrame | None, name: str) -> list[list[str]]:
    """Return source and product of each input file that the layer ``name`` rests on, as ``run_info`` tells them."""
    if run_info is None:
        return []
    rows = run_info[(run_info["topic"] == "input file") & run_info["source"].fillna("").ne("")]
    found: dict[tuple[str, str], None] = {}
    for source, note in zip(rows["source"], rows["note"], strict=True):
        for use in str(note).split("; "):
            role, _, product = use.partition(": ")
            if role in ROLES[name]:
                found[str(source), product] = None
    return [list(pair) for pair in sorted(found)]


def _widened(box: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return ``box`` (west, south, east, north) widened to hold all boxes ``edges``."""
    return np.append(
        np.fmin(box[:2], np.nanmin(edges[:, :2], axis=0)), np.fmax(box[2:], np.nanmax(edges[:, 2:], axis=0))
    )


def _rings(shapes: np.ndarray) -> list[list[list[list[int]]]]:
    """Return for each shape its polygons as rings of longitude and latitude in steps, each counted from the one before."""
    polygons, shape = shapely.get_parts(shapes, return_index=True)
    rings, polygon = shapely.get_rings(polygons, return_index=True)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    steps = np.round(corners / STEP_DEG).astype(np.int64)
    counted = np.diff(steps, axis=0, prepend=0)
    first = np.diff(ring, prepend=-1) != 0
    counted[first] = steps[first]
    flat, edge = counted.reshape(-1).tolist(), (2 * np.searchsorted(ring, np.arange(len(rings) + 1))).tolist()
    found: list[list[list[list[int]]]] = [[] for _ in shapes]
    of_polygon: list[list[list[int]]] = [[] for _ in polygons]
    for number, owner in enumerate(polygon.tolist()):
        of_polygon[owner].append(flat[edge[number] : edge[number + 1]])
    for outline, owner in zip(of_polygon, shape.tolist(), strict=True):
        found[owner].append(outline)
    return found


def _values(values: pd.Series, field: Field) -> list[Any]:
    if field.kind == "date":
        values = values.dt.strftime("%Y-%m-%d")
    if field.kind == "real" and field.decimals == 0:
        values = values.astype("Int64")
    return list(values.astype(object).where(values.notna(), None))


def _script(path: Path, call: str, content: Any) -> None:
    path.write_text(f"{call}{script_text(content)});\n", encoding="utf-8")
