"""Maps of the report as data that stand inside the page."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pandas as pd

from twin.publish.about import ReleaseAbout
from twin.publish.map_sheet import shrink
from twin.publish.maps import MAP_DPI, draw_layer, draw_map, drawn_of
from twin.sky.town import Keep

DPI = 100
_PICTURE = "map.png"


def _embedded(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def overview(
    layers: Mapping[str, pd.DataFrame],
    about: ReleaseAbout,
    scenario: str,
    terrain: Path | None,
    drawn: Path | None = None,
) -> str:
    """Return the map of the whole town as a ``data:`` address; from ``drawn``, where it is drawn already."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.png"
        if drawn is None:
            draw_map(layers, path, about=about, scenario=scenario, terrain=terrain, dpi=MAP_DPI)
            drawn = path
        shrink(drawn, path, DPI / MAP_DPI)
        return _embedded(path)


def layer_map(
    name: str, layers: Mapping[str, pd.DataFrame], about: ReleaseAbout, keep: Keep | None = None
) -> str | None:
    """Return the map of one layer as a ``data:`` address; None where it has nothing to show.

    ``keep`` keeps pictures as long as what is drawn in them is the same.
    """
    if name not in layers:
        return None
    ground = layers.get("districts")
    below = ground if isinstance(ground, gpd.GeoDataFrame) else None

    def fill(folder: Path) -> None:
        draw_layer(name, layers[name], folder / _PICTURE, about=about, background=below, dpi=110)

    if keep is not None:
        path = keep(f"map.{name}", drawn_of(name, layers[name], about, below), fill) / _PICTURE
        return _embedded(path) if path.exists() else None
    with tempfile.TemporaryDirectory() as scratch:
        fill(Path(scratch))
        path = Path(scratch) / _PICTURE
        return _embedded(path) if path.exists() else None
