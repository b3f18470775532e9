"""Lines as they should be: two-dimensional, with a length and inside Korea; found and told as for polygons."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from geodata.repair import Mask, Repair, Shapes, repair_with

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
    return repair_with(geometry, _lines)


def _lines(flat: Shapes) -> tuple[Shapes, Mask, Mask]:
    lines = shapely.remove_repeated_points(flat, 0.0)
    kinds = shapely.get_type_id(lines)
    several = kinds == shapely.GeometryType.MULTILINESTRING
    lines[several] = shapely.line_merge(lines[several])
    is_line = np.isin(kinds, [shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING])
    return lines, is_line & (shapely.length(lines) >= MIN_LENGTH_M), np.zeros(len(lines), dtype=bool)
