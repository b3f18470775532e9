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
        keys = np.array([f"{x}_{y}" for x, y in corner.tolist()], dtype=object)
        globe = frame.to_crs("EPSG:4326")
        box = np.append(np.minimum(box[:2], globe.total_bounds[:2]), np.maximum(box[2:], globe.total_bounds[2:]))
        for square, rows in pd.Series(np.arange(len(frame))).groupby(keys, sort=True):
            part = globe.iloc[rows.to_numpy()]
            tile = tiles.setdefault(str(square), {"box": part.total_bounds.tolist()})
            bounds = part.total_bounds
            tile["box"] = [*np.minimum(tile["box"][:2], bounds[:2]), *np.maximum(tile["box"][2:], bounds[2:])]
            tile[name] = {
                "shapes": [_rings(shape) for shape in part.geometry],
                "columns": {field.name: _values(part[field.name], field) for field in fields[name]},
            }
        if name == "parcels":
            places = globe.geometry.representative_point()
            search = [
                [pnu, None if pd.isna(jibun) else jibun, key, round(point.x, 6), round(point.y, 6)]
                for pnu, jibun, key, point in zip(frame["pnu"], frame["jibun"], keys, places, strict=True)
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


def _rings(shape: shapely.Geometry) -> list[list[list[int]]]:
    """Return the polygons of ``shape`` as rings of longitude and latitude in steps, each counted from the one before."""
    polygons = []
    for polygon in shapely.get_parts(shape):
        rings = []
        for ring in shapely.get_rings(polygon):
            steps = np.round(shapely.get_coordinates(ring) / STEP_DEG).astype(np.int64)
            rings.append(np.diff(steps, axis=0, prepend=np.zeros((1, 2), dtype=np.int64)).reshape(-1).tolist())
        polygons.append(rings)
    return polygons


def _values(values: pd.Series, field: Field) -> list[Any]:
    if field.kind == "date":
        values = values.dt.strftime("%Y-%m-%d")
    if field.kind == "real" and field.decimals == 0:
        values = values.astype("Int64")
    return list(values.astype(object).where(values.notna(), None))


def _script(path: Path, call: str, content: Any) -> None:
    path.write_text(f"{call}{script_text(content)});\n", encoding="utf-8")
