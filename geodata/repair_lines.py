"""Lines as they should be: two-dimensional, with a length and inside Korea; found and told as for polygons."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from geodata.repair import Repair, Shapes, outside_korea

MIN_LENGTH_M = 0.01
"""A shorter line has collapsed."""


def repair_lines(geometry: gpd.GeoSeries) -> Repair:
    """Repair ``geometry`` (n shapes of any kind, in a projected CRS with metres).

    The pieces of a multi-part line are joined where they continue each other; repeated points go. Shapes that are no
    lines have collapsed.

    Examples
    --------
    >>> import shapely
    >>> line = shapely.from_wkt("MULTILINESTRING ((200000 500000, 200001 500000), (200001 500000, 200002 500001))")
    >>> str(repair_lines(gpd.GeoSeries([line], crs="EPSG:5186")).shapes[0])
    'LINESTRING (200000 500000, 200001 500000, 200002 500001)'
    """
    shapes: Shapes = np.array(geometry.to_numpy(), dtype=object)
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    out_of_range = ~missing & outside_korea(shapes, geometry.crs.to_string())
    shapes[missing | out_of_range] = None
    had_z = shapely.has_z(shapes)
    flat = shapely.remove_repeated_points(shapely.force_2d(shapes), 0.0)
    kinds = shapely.get_type_id(flat)
    several = kinds == shapely.GeometryType.MULTILINESTRING
    flat[several] = shapely.line_merge(flat[several])
    is_line = np.isin(kinds, [shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING])
    collapsed = ~(missing | out_of_range) & ~(is_line & (shapely.length(flat) >= MIN_LENGTH_M))
    flat[collapsed] = None
    kept = ~(missing | out_of_range | collapsed)
    return Repair(
        shapes=flat,
        missing=missing,
        out_of_range=out_of_range,
        collapsed=collapsed,
        repaired=np.zeros(len(flat), dtype=bool),
        had_z=kept & had_z,
    )
