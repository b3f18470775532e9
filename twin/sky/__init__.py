"""The sky over the town: horizons, shadows and sky view, of every cell and of every roof plane.

Azimuths are degrees clockwise from north, surfaces are north-up arrays of heights in metres with square cells.
"""

from twin.sky.horizon import horizon_angle
from twin.sky.shadow import shadow
from twin.sky.sky_view import sky_view_factor
from twin.sky.visibility import horizon_at, visible

__all__ = ["horizon_angle", "horizon_at", "shadow", "sky_view_factor", "visible"]
