"""Points as they should be: two-dimensional, one to a record and inside Korea; found and told as for polygons."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from geodata.repair import Mask, Repair, Shapes, repair_with


def repair_points(geometry: gpd.GeoSeries) -> Repair:
    """Repair ``geometry`` (n shapes of any kind, in a projected CRS with metres).

    A multi-point of one point becomes that point. Shapes that are no single point have collapsed.

    Examples
    --------
    >>> point = shapely.from_wkt("MULTIPOINT Z ((200000 500000 12))")
    >>> repaired = repair_points(gpd.GeoSeries([point], crs="EPSG:5186"))
    >>> str(repaired.shapes[0]), bool(repaired.had_z[0])
    ('POINT (200000 500000)', True)
    """
    return repair_with(geometry, _points)


def _points(flat: Shapes) -> tuple[Shapes, Mask, Mask]:
    single = (shapely.get_type_id(flat) == shapely.GeometryType.MULTIPOINT) & (shapely.get_num_geometries(flat) == 1)
    flat[single] = shapely.get_geometry(flat[single], 0)
    return flat, shapely.get_type_id(flat) == shapely.GeometryType.POINT, np.zeros(len(flat), dtype=bool)
