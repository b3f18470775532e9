"""Where the town stands on the globe: from the site's CRS to a frame of east, north and up at the town's middle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pyproj import Transformer

WGS84 = "EPSG:4979"
GEOCENTRIC = "EPSG:4978"


@dataclass(frozen=True)
class Frame:
    """A local frame: its origin on the ellipsoid, and the matrix that carries it to geocentric coordinates."""

    origin: np.ndarray
    """Geocentric coordinates [m]: (3,)."""
    axes: np.ndarray
    """Unit vectors towards east, north and up in geocentric coordinates, as columns: (3, 3)."""

    @classmethod
    def at(cls, longitude_deg: float, latitude_deg: float) -> Frame:
        """Return the frame that touches the ellipsoid at a place."""
        lon, lat = np.radians(longitude_deg), np.radians(latitude_deg)
        east = [-np.sin(lon), np.cos(lon), 0.0]
        north = [-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)]
        up = [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
        place = Transformer.from_crs(WGS84, GEOCENTRIC, always_xy=True).transform(longitude_deg, latitude_deg, 0.0)
        return cls(np.array(place), np.array([east, north, up]).T)

    def local(self, geocentric: np.ndarray) -> np.ndarray:
        """Return geocentric coordinates (n, 3) in this frame [m]."""
        return (geocentric - self.origin) @ self.axes

    def matrix(self) -> list[float]:
        """Return the 4 x 4 matrix from this frame to geocentric coordinates, column by column, as 3D Tiles want it."""
        whole = np.eye(4)
        whole[:3, :3], whole[:3, 3] = self.axes, self.origin
        return [round(float(value), 12) for value in whole.T.reshape(-1)]


def globe_coordinates(points: np.ndarray, crs: str, geoid_offset_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return longitude, latitude [deg] and height above the ellipsoid [m], and geocentric coordinates [m]: (n, 3) each.

    ``points`` are in ``crs``, with heights above sea level [m]. Korea 2000 is taken for WGS84, as PROJ does.
    """
    flat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    longitude, latitude = flat.transform(points[:, 0], points[:, 1])
    height = points[:, 2] + geoid_offset_m
    space = Transformer.from_crs(WGS84, GEOCENTRIC, always_xy=True)
    geocentric = np.column_stack(space.transform(longitude, latitude, height))
    return np.column_stack([longitude, latitude, height]), geocentric
