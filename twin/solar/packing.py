"""How many whole modules fit on a roof plane, row by row.

Each plane is turned until its modules face downwards on the paper. Rows are strips across it, from its lowest edge up.
A module fits where the whole depth of its row lies inside the plane: the outline blocks whatever stretch of a row it
passes through, and what is free between two blocked stretches is filled with modules. Every plane, with its holes and
separate parts, goes through the same few array operations; the work grows with the number of rows and corners.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

_TOUCH_M = 1e-6
"""Outlines and modules that come this close touch, and touching is allowed."""


@dataclass(frozen=True)
class Grid:
    """Where modules of one kind may lie, measured in the plane they are laid out in [m]."""

    width: float
    """Of a module, along its row."""
    depth: float
    """Of a row, across it; of a tilted module its extent seen from above."""
    gap: float
    """Between neighbours in a row."""
    pitch: float
    """From one row to the next, front edge to front edge."""

    @property
    def step(self) -> float:
        """Length of row that a module takes with its gap [m]."""
        return self.width + self.gap


@dataclass(frozen=True)
class Packed:
    """Modules on each plane."""

    count: np.ndarray
    """(planes,) int64."""
    behind: np.ndarray
    """(planes,) int64: how many of them stand behind another row."""


def facing_down(shapes: npt.NDArray[np.object_], azimuth_deg: npt.ArrayLike, tilt_deg: npt.ArrayLike) -> np.ndarray:
    """Return outlines turned so that ``azimuth_deg`` points to -y, and stretched to their size along a slope.

    Parameters
    ----------
    shapes : outlines as seen from above; each is moved so that its box begins at 0, 0
    azimuth_deg : of the modules, clockwise from north
    tilt_deg : slope towards that azimuth along which lengths are measured; 0 leaves them as seen from above
    """
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    if len(points) == 0:
        return shapes
    # small numbers keep all their digits
    points = points - shapely.bounds(shapes)[owner, :2]
    azimuth = np.broadcast_to(np.radians(np.asarray(azimuth_deg, dtype=np.float64)), len(shapes))[owner]
    stretch = np.broadcast_to(1.0 / np.cos(np.radians(np.asarray(tilt_deg, dtype=np.float64))), len(shapes))[owner]
    across = -np.cos(azimuth) * points[:, 0] + np.sin(azimuth) * points[:, 1]
    up = -np.sin(azimuth) * points[:, 0] - np.cos(azimuth) * points[:, 1]
    return shapely.set_coordinates(shapes.copy(), np.column_stack([across, up * stretch]))


def pack(inner: npt.NDArray[np.object_], grid: Grid, area_limit: npt.ArrayLike = np.inf) -> Packed:
    """Return how many modules fit into each outline.

    Parameters
    ----------
    inner : outlines in which modules may lie, facing down, with holes and separate parts as they come; may be empty
    grid : of the modules
    area_limit : of each outline [m2]: what modules, the gaps beside them and the space between rows may take
        together. Rows are filled from the front, so what is beyond the limit is missing at the back
    """
    limit = np.broadcast_to(np.asarray(area_limit, dtype=np.float64), len(inner))
    stretches = _free_stretches(inner, grid)
    fits = np.floor((stretches["length"] + grid.gap + 2 * _TOUCH_M) / grid.step).astype(np.int64)
    rows = fits.groupby([stretches["outline"], stretches["row"]]).sum()
    rows = rows[rows > 0].rename("fits").reset_index()
    by_outline = rows.groupby("outline")
    before = by_outline["fits"].cumsum() - rows["fits"]
    # a row with another one behind it takes its whole pitch, the last row only its own depth
    left = limit[rows["outline"].to_numpy(dtype=np.int64)] - before * grid.step * grid.pitch
    last = np.minimum(rows["fits"], np.floor(np.maximum(left, 0.0) / (grid.step * grid.depth) + 1e-9))
    total = (before + last).where(last > 0, 0).astype(np.int64)
    count = np.zeros(len(inner), dtype=np.int64)
    np.maximum.at(count, rows["outline"].to_numpy(dtype=np.int64), total.to_numpy())
    front = np.zeros(len(inner), dtype=np.int64)
    first = by_outline["fits"].first()
    front[first.index.to_numpy(dtype=np.int64)] = first.to_numpy()
    return Packed(count, np.maximum(count - front, 0))


def _free_stretches(inner: npt.NDArray[np.object_], grid: Grid) -> pd.DataFrame:
    """Return the stretches of all rows that the outlines leave free: ``outline``, ``row``, ``length`` [m]."""
    edges = _edges(inner)
    origin = np.nan_to_num(shapely.bounds(inner)[:, 1])[edges["outline"]]
    low, high = np.minimum(edges["y0"], edges["y1"]) - origin, np.maximum(edges["y0"], edges["y1"]) - origin
    # rows whose open strip the edge enters
    first = np.maximum(np.ceil((low - grid.depth + _TOUCH_M) / grid.pitch), 0.0).astype(np.int64)
    last = np.floor((high - _TOUCH_M) / grid.pitch).astype(np.int64)
    times = np.maximum(last - first + 1, 0)
    edge = np.repeat(np.arange(len(low)), times)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(times) - times, times)
    bottom = row * grid.pitch + _TOUCH_M
    top = bottom + grid.depth - 2 * _TOUCH_M
    entered = (low[edge] < top) & (high[edge] > bottom)
    edge, row, bottom, top = edge[entered], row[entered], bottom[entered], top[entered]
    y0, y1 = edges["y0"][edge] - origin[edge], edges["y1"][edge] - origin[edge]
    x0, x1 = edges["x0"][edge], edges["x1"][edge]
    middle = (bottom + top) / 2
    rise = np.where(y1 == y0, 1.0, y1 - y0)
    at = [x0 + (x1 - x0) * np.where(y1 == y0, part, (np.clip(y0 + part * (y1 - y0), bottom, top) - y0) / rise)
          for part in (0.0, 1.0)]  # fmt: skip
    pieces = pd.DataFrame(
        {
            "outline": edges["outline"][edge],
            "row": row,
            "left": np.minimum(*at),
            "right": np.maximum(*at),
            "crosses": (y0 <= middle) != (y1 <= middle),
        }
    ).sort_values(["outline", "row", "left", "right"], ignore_index=True)
    in_row = pieces.groupby(["outline", "row"], sort=False)
    blocked_to = in_row["right"].cummax()
    # to the right of an odd number of crossings one is inside
    inside = in_row["crosses"].cumsum() % 2 == 1
    length = in_row["left"].shift(-1) - blocked_to
    free = inside & (length > 0)
    return pd.DataFrame({"outline": pieces["outline"], "row": pieces["row"], "length": length})[free]


def _edges(shapes: npt.NDArray[np.object_]) -> dict[str, np.ndarray]:
    """Return the straight edges of all rings and the outline that each belongs to."""
    parts, outline = shapely.get_parts(shapes, return_index=True)
    polygons = shapely.get_type_id(parts) == 3
    rings, part = shapely.get_rings(parts[polygons], return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return {
        "outline": outline[polygons][part][ring[:-1][same]] if len(points) else np.empty(0, dtype=np.int64),
        "x0": points[:-1, 0][same] if len(points) else np.empty(0),
        "y0": points[:-1, 1][same] if len(points) else np.empty(0),
        "x1": points[1:, 0][same] if len(points) else np.empty(0),
        "y1": points[1:, 1][same] if len(points) else np.empty(0),
    }
