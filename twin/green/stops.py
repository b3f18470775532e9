"""Bus stops: which of them a plan leaves, and how long people wait in the shade there."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from twin.green.ground_shade import GroundShade, ShadeRaster, mean_shade
from twin.green.heat import heat_parameters
from twin.indicators import row_members

STOP = "stop"


def staying_stops(stops: gpd.GeoDataFrame, ground: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return those of ``stops`` (points) that do not lie on the ``ground`` (polygons) that a plan changes."""
    gone, _ = shapely.STRtree(ground.geometry.to_numpy()).query(stops.geometry.to_numpy(), predicate="intersects")
    stays = np.ones(len(stops), dtype=bool)
    stays[gone] = False
    return stops[stays].reset_index(drop=True)


def stop_shade(stops: gpd.GeoDataFrame, shade: ShadeRaster, sun_h: float) -> np.ndarray:
    """Return the shade around each of ``stops`` (points) on a mean day of June to August [h].

    Mean over the open ground within `stop_radius`, each cell by its exact share; NaN where there is none.

    Parameters
    ----------
    shade
        In the CRS of ``stops``.
    sun_h
        How long the sun is up on such a day [h].
    """
    around = shapely.buffer(stops.geometry.to_numpy(), float(heat_parameters()["stop_radius"]))
    meter = GroundShade(shade, {STOP: np.ones(shade.hours.shape, dtype=bool)})
    hours = mean_shade(meter.sums(around), np.arange(len(stops)), len(stops), meter.grounds)
    return np.minimum(hours[f"{STOP}_shade_h"].to_numpy(), sun_h)


def stop_indicators(stops: pd.DataFrame, rows: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return `bus_stop_count` and, where shade is known, the mean `stop_shade_h` of each of ``rows`` of `districts`.

    ``stops`` are those of the layer `bus_stops`; the result is indexed by `dong_code`.
    """
    found = {code: stops[inside] for code, inside in row_members(stops, rows)}
    table = pd.DataFrame({"bus_stop_count": {code: len(own) for code, own in found.items()}})
    table.index.name = "dong_code"
    if "stop_shade_h" in stops.columns:
        table["stop_shade_h"] = {code: own["stop_shade_h"].mean() for code, own in found.items()}
    return table
