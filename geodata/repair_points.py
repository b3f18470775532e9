"""Points as they should be: two-dimensional, one to a record and inside Korea; found and told as for polygons."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from geodata.repair import Repair, Shapes, outside_korea


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
    shapes: Shapes = np.array(geometry.to_numpy(), dtype=object)
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    out_of_range = ~missing & outside_korea(shapes, geometry.crs.to_string())
    shapes[missing | out_of_range] = None
    had_z = shapely.has_z(shapes)
    single = (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT) & (
        shapely.get_num_geometries(shapes) == 1
    )
    flat = shapely.force_2d(shapes)
    flat[single] = shapely.get_geometry(flat[single], 0)
    collapsed = ~(missing | out_of_range) & (shapely.get_type_id(flat) != shapely.GeometryType.POINT)
    flat[collapsed] = None
    return Repair(
        shapes=flat,
        missing=missing,
        out_of_range=out_of_range,
        collapsed=collapsed,
        repaired=np.zeros(len(flat), dtype=bool),
        had_z=~(missing | out_of_range | collapsed) & had_z,
    )
