"""Maps of the report as data that stand inside the page."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pandas as pd

from twin.publish.about import ReleaseAbout
from twin.publish.maps import draw_layer, draw_map


def _embedded(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def overview(layers: Mapping[str, pd.DataFrame], about: ReleaseAbout, scenario: str, terrain: Path | None) -> str:
    """Return the map of the whole town as a ``data:`` address."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.png"
        draw_map(layers, path, about=about, scenario=scenario, terrain=terrain, dpi=100)
        return _embedded(path)


def layer_map(name: str, layers: Mapping[str, pd.DataFrame], about: ReleaseAbout) -> str | None:
    """Return the map of one layer as a ``data:`` address; None where it has nothing to show."""
    if name not in layers:
        return None
    ground = layers.get("districts")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.png"
        below = ground if isinstance(ground, gpd.GeoDataFrame) else None
        drawn = draw_layer(name, layers[name], path, about=about, background=below, dpi=110)
        return _embedded(path) if drawn else None
