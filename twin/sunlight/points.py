"""Points in the sun: what was found at the walls of homes, kept so that only what an edit can shade is looked at again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.sky.changed_heights import ChangedBox, changed_boxes
from twin.sky.lines import WALL_SLOPE
from twin.sky.tiles import SurfaceFolder
from twin.sunlight.solstice import SolsticeSun

_MARGIN_CELLS = 4
"""A ray takes heights from this many cells around it at most: it is interpolated across, and looks three samples back."""


@dataclass(frozen=True)
class SunnedPoints:
    """Points at walls and the steps of time in which each has sun."""

    xyz: np.ndarray
    """(points, 3) [m]."""
    facing_deg: np.ndarray
    """(points,) where the wall looks."""
    lit: np.ndarray
    """bool (points, steps)."""
    open: np.ndarray
    """bool (points,): whether the point lies in the open air."""
    sun: np.ndarray
    """(2, steps) azimuth and elevation of the sun [deg]."""

    def save(self, path: Path) -> None:
        """Write everything into one file; `load` reads it."""
        lit = np.packbits(self.lit, axis=1)
        with path.open("wb") as file:
            np.savez(file, xyz=self.xyz, facing_deg=self.facing_deg, lit=lit, open=self.open, sun=self.sun)

    @classmethod
    def load(cls, path: Path) -> SunnedPoints:
        """Read what `save` has written."""
        with np.load(path, allow_pickle=False) as held:
            sun = held["sun"]
            lit = np.unpackbits(held["lit"], axis=1, count=sun.shape[1]).astype(bool)
            return cls(held["xyz"], held["facing_deg"], lit, held["open"], sun)


@dataclass(frozen=True)
class EarlierSun:
    """What was found on another surface."""

    points: SunnedPoints
    surface: SurfaceFolder

    def where_it_holds(
        self, xyz: np.ndarray, facing_deg: np.ndarray, surface: SurfaceFolder, sun: SolsticeSun
    ) -> np.ndarray:
        """Return for each point at a wall where among the earlier ones it has the same sun, or -1 where that is not sure.

        A point holds if it was there, and if nothing that has changed comes before the sun from it, neither as it was nor
        as it is now.
        """
        none = np.full(len(xyz), -1, dtype=np.int64)
        if not np.array_equal(self.points.sun, sun_positions(sun)):
            return none
        boxes = changed_boxes(self.surface, surface, _MARGIN_CELLS)
        if boxes is None:
            return none
        known = {key: number for number, key in enumerate(_keys(self.points.xyz, self.points.facing_deg))}
        found = np.array([known.get(key, -1) for key in _keys(xyz, facing_deg)], dtype=np.int64)
        there = np.flatnonzero(found >= 0)
        for box in boxes:
            there = there[found[there] >= 0]
            found[there[_before_the_sun(xyz[there], box, sun, surface.cell_size_m)]] = -1
        return found


def sun_positions(sun: SolsticeSun) -> np.ndarray:
    """Return azimuth and elevation of each step: (2, steps) [deg]."""
    return np.stack([sun.azimuth_deg, sun.elevation_deg])


def _keys(xyz: np.ndarray, facing_deg: np.ndarray) -> list[bytes]:
    return [row.tobytes() for row in np.ascontiguousarray(np.column_stack([xyz, facing_deg]), dtype=np.float64)]


def _before_the_sun(xyz: np.ndarray, box: ChangedBox, sun: SolsticeSun, cell_size_m: float) -> np.ndarray:
    """Tell of which points heights in ``box`` may stand before the sun in some step, or lie under the point itself."""
    wide = _MARGIN_CELLS * cell_size_m
    up = sun.elevation_deg > 0
    way, slope = np.radians(sun.azimuth_deg[up]), np.tan(np.radians(sun.elevation_deg[up])) * (1 - 1e-6)
    west, south, east, north = np.add(box.bounds, (-wide, -wide, wide, wide))
    # between two cells a height may lie half a wall above both
    rise = box.highest_m + WALL_SLOPE * cell_size_m - xyz[:, 2]
    aside = np.maximum(np.maximum(west - xyz[:, 0], xyz[:, 0] - east), 0.0)
    ahead = np.maximum(np.maximum(south - xyz[:, 1], xyz[:, 1] - north), 0.0)
    under = (aside == 0) & (ahead == 0)
    # a wall is looked at from up to two and a half cells nearer
    close = np.flatnonzero(~under & (rise > (np.hypot(aside, ahead) - wide) * np.min(slope, initial=np.inf)))
    x, y = xyz[close, 0, None], xyz[close, 1, None]
    # where the line towards the sun enters and leaves the box, in metres from the point
    with np.errstate(divide="ignore", invalid="ignore"):
        across = [(edge - x) / np.sin(way) for edge in (west, east)]
        along = [(edge - y) / np.cos(way) for edge in (south, north)]
    enter = np.fmax(np.fmax(np.fmin(*across), np.fmin(*along)), 0.0)
    leave = np.fmin(np.fmax(*across), np.fmax(*along))
    hidden = rise[close, None] > (enter - wide) * slope
    under[close] = ((leave >= enter) & hidden).any(axis=1)
    return under
