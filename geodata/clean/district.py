"""The project's own boundary (사업지구경계)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from geodata.errors import InputError
from geodata.inventory import RawLayer
from geodata.repair import make_valid_polygons, repair_polygons


def district_boundary(raw: Sequence[RawLayer]) -> Polygon | MultiPolygon:
    """Return the union of all usable polygons of the district layers, in their CRS.

    Raises
    ------
    InputError
        If no layer holds a polygon inside Korea.
    """
    repairs = [repair_polygons(layer.frame.geometry) for layer in raw]
    shapes = np.concatenate([one.shapes[one.usable] for one in repairs]) if repairs else np.array([], dtype=object)
    if len(shapes) == 0:
        names = ", ".join(part.data_source for layer in raw for part in layer.dataset.parts) or "the district layer"
        raise InputError(
            f"{names}: the district boundary holds no usable polygon inside Korea; check its coordinates and CRS, or leave "
            "the file out (totals are then told for the legal dongs)"
        )
    return make_valid_polygons(np.array([shapely.union_all(shapes)], dtype=object))[0]
