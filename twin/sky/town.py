"""Skylines of all roof planes of a town: tile by tile, so that a change is swept again only where it can be seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely

from geodata.compute import ComputeSpec
from twin.sky.changed_heights import changed_bounds, reaches
from twin.sky.far import FarSurface
from twin.sky.planes import HorizonDistribution
from twin.sky.tasks import run_tasks
from twin.sky.tile_update import PlaneTable, TileState, updated_tile
from twin.sky.tiles import (
    Bounds,
    ReadSurface,
    SurfaceFolder,
    Tile,
    far_skyline,
    join_tiles,
    pooled_surface,
    sweep_tile,
    tile_grid,
    tiles_of,
)

DISTRIBUTION = "distribution.arrow"
FAR = "far.npy"
_HASH = "sha256"

Keep = Callable[[str, dict[str, Any], Callable[[Path], None]], Path]
"""Gives the folder of a part by its name and what it is made from, filling it only if it is not there yet."""


Known = Callable[[str, dict[str, Any]], Path | None]
"""Gives the folder of such a part if it is there."""


@dataclass(frozen=True)
class SweptTown:
    """A town that was swept before: what an edit cannot be seen from is taken from there."""

    planes: gpd.GeoDataFrame
    surface: SurfaceFolder
    known: Known
    """Where its skylines are kept."""

    def on_cells_of(self, surface: SurfaceFolder) -> bool:
        """Tell whether the surface then was cut into the same cells as ``surface``."""
        return (self.surface.cell_size_m, self.surface.crs) == (surface.cell_size_m, surface.crs)

    @property
    def without_trees(self) -> SweptTown:
        """The same town as it was swept without the trees on it."""
        return replace(self, surface=replace(self.surface, canopy=None))


def town_skyline(
    planes: gpd.GeoDataFrame,
    surface: SurfaceFolder,
    azimuths: int,
    keep: Keep,
    compute: ComputeSpec | None = None,
    *,
    hills: Path | None = None,
    before: SweptTown | None = None,
) -> tuple[HorizonDistribution, np.ndarray]:
    """Return near and far skylines of all planes, in their order.

    Parameters
    ----------
    planes : with ``tilt_deg``, ``azimuth_deg`` (missing on flat roofs) and outlines in the CRS of the surface
    surface : heights of terrain and buildings
    azimuths : directions in which the skyline is taken
    keep : where the skylines of a tile are kept between runs
    compute : where tiles are swept; results are the same bit for bit
    hills : coarse raster of terrain heights [m] far around the town; it counts where the surface ends
    before : the town as it was swept before; results are the same without

    Returns
    -------
    distribution, far_deg
        counts of cells by horizon angle; angle [deg] of what lies beyond each tile's halo, float32 (planes, azimuths)

    Raises
    ------
    InputError
        If the cluster that ``compute`` names does not answer.
    """
    distribution = near_skyline(planes, surface, azimuths, keep, compute, before=before)
    around = far_surfaces(surface, keep, compute, hills=hills)
    return distribution, far_skyline(distribution, planes.geometry.to_numpy(), around)


def far_surfaces(
    surface: SurfaceFolder, keep: Keep, compute: ComputeSpec | None, *, hills: Path | None = None
) -> list[FarSurface]:
    """Return what can hide the sky beyond each tile's halo: the town, pooled, and the hills around it."""
    around = [far_surface(surface, keep, compute)]
    if hills is not None:
        around.append(_hills(hills))
    return around


def _hills(path: Path) -> FarSurface:
    with rasterio.open(path) as source:
        return FarSurface.of(source.read(1), source.transform.a, source.bounds.left, source.bounds.top)


def near_skyline(
    planes: gpd.GeoDataFrame, surface: SurfaceFolder, azimuths: int, keep: Keep, compute: ComputeSpec | None = None,
    *, before: SweptTown | None = None,
) -> HorizonDistribution:  # fmt: skip
    """Return the skylines of all planes as far as each tile's halo reaches; arguments as in `town_skyline`.

    A tile is kept by what its rectangle holds. Swept again with another surface, such as one with trees on it, it costs
    nothing where the two do not differ. The hash of a rectangle is kept too, by the files that it is read from: of an
    unchanged town no height is read.
    """
    jobs, changed = _jobs(planes, surface), None
    if before is not None and not before.on_cells_of(surface):
        before = None
    if before is not None:
        changed = changed_bounds(before.surface, surface)
        earlier = {job.tile.name: job for job in _jobs(before.planes, before.surface)}
        jobs = [replace(job, before=earlier.get(job.tile.name)) for job in jobs]
    folders = run_tasks(_Sweep(surface, azimuths, keep, before, changed).kept, jobs, compute)
    return join_tiles([job.tile for job in jobs], _Stored(folders))


class _Stored(Sequence[HorizonDistribution]):
    """Skylines of tiles, read from their folders when they are asked for: all of a town's are in memory once only."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def __len__(self) -> int:
        return len(self._folders)

    def __getitem__(self, number: Any) -> Any:
        return HorizonDistribution.load(self._folders[number] / DISTRIBUTION)


@dataclass(frozen=True)
class _TileJob:
    """A tile with its own planes, and the identity of the files that its rectangle is read from."""

    tile: Tile
    planes: PlaneTable
    identity: str
    before: _TileJob | None = None

    @property
    def looked_at(self) -> tuple[str, dict[str, Any]]:
        """Name of the part that holds the hash of the rectangle's heights, and what it is made from."""
        return f"{self.tile.name}.heights", {"near": self.tile.near, "identity": self.identity}

    def swept(self, heights: Path, cell_size_m: float, azimuths: int) -> tuple[str, dict[str, Any]]:
        """Return the name of the part that holds the skylines, and what it is made from; ``heights`` is the part above."""
        table = self.planes
        return self.tile.name, {
            "near": self.tile.near,
            "cell_size_m": cell_size_m,
            "azimuths": azimuths,
            "heights": (heights / _HASH).read_text(encoding="ascii"),
            "planes": _digest(*shapely.to_wkb(table.shapes), table.tilt_deg.tobytes(), table.azimuth_deg.tobytes()),
        }


def _jobs(planes: gpd.GeoDataFrame, surface: SurfaceFolder) -> list[_TileJob]:
    table = PlaneTable(
        planes.geometry.to_numpy(),
        planes["tilt_deg"].to_numpy(dtype=np.float64),
        planes["azimuth_deg"].fillna(180.0).to_numpy(dtype=np.float64),
    )
    tiles = tiles_of(table.shapes, surface.cell_size_m)
    return [_TileJob(tile, table.take(tile.planes), surface.identity(tile.near)) for tile in tiles]


@dataclass(frozen=True)
class _Sweep:
    """Sweeps tiles of one surface."""

    surface: SurfaceFolder
    azimuths: int
    keep: Keep
    before: SweptTown | None
    changed: np.ndarray | None
    """Boxes of cells that differ from the surface before; None where that is not known."""

    def kept(self, job: _TileJob, threads: int) -> Path:
        """Return the folder with the skylines of one tile, swept only if its rectangle or its planes have changed."""
        tile, planes, size = job.tile, job.planes, self.surface.cell_size_m
        read: list[np.ndarray] = []
        before = self._looked_at_before(job)

        def look(folder: Path) -> None:
            if before is not None and not reaches(self.changed, tile.near):
                (folder / _HASH).write_bytes((before / _HASH).read_bytes())
                return
            read.append(self.surface.read(tile.near))
            (folder / _HASH).write_text(_digest(read[0].tobytes()), encoding="ascii")

        def fill(folder: Path) -> None:
            heights = read.pop() if read else self.surface.read(tile.near)
            found = None if before is None else self._updated(job, before, heights, threads)
            if found is None:
                found = sweep_tile(
                    tile, heights, size, planes.shapes,
                    tilt_deg=planes.tilt_deg, azimuth_deg=planes.azimuth_deg, azimuths=self.azimuths, threads=threads,
                )  # fmt: skip
            found.save(folder / DISTRIBUTION)

        return self.keep(*job.swept(self.keep(*job.looked_at, look), size, self.azimuths), fill)

    def _looked_at_before(self, job: _TileJob) -> Path | None:
        """Return the part that holds the hash of the heights of before in the same rectangle, if there is one."""
        if self.before is None or job.before is None or job.before.tile.near != job.tile.near:
            return None
        return self.before.known(*job.before.looked_at)

    def _updated(self, job: _TileJob, before: Path, heights: np.ndarray, threads: int) -> HorizonDistribution | None:
        """Return a tile's skylines from those of before, or None where these are not known or of little use.

        ``before`` is the part of `_looked_at_before`.
        """
        tile, then, town = job.tile, job.before, self.before
        if town is None or then is None or np.isnan(heights).all():
            return None
        size = town.surface.cell_size_m
        swept = town.known(*then.swept(before, size, self.azimuths))
        if swept is None:
            return None
        found = HorizonDistribution.load(swept / DISTRIBUTION)
        corner = tile.near[0], tile.near[3]
        states = (
            TileState(planes, tile_grid(tile, read, size), *corner)
            for planes, read in ((then.planes, town.surface.read(tile.near)), (job.planes, heights))
        )
        return updated_tile(found, *states, threads=threads)


def far_surface(surface: SurfaceFolder, keep: Keep, compute: ComputeSpec | None) -> FarSurface:
    """Return the far surface of all that is known; its blocks are kept by the files that they are read from."""

    def each(pooled: ReadSurface, blocks: Sequence[Bounds]) -> list[np.ndarray]:
        def kept(job: tuple[Bounds, str], threads: int) -> Path:
            bounds, identity = job

            def fill(folder: Path) -> None:
                np.save(folder / FAR, pooled(bounds), allow_pickle=False)

            name = f"far_E{bounds[0]:.0f}_N{bounds[1]:.0f}"
            return keep(name, {"bounds": bounds, "cell_size_m": surface.cell_size_m, "identity": identity}, fill)

        folders = run_tasks(kept, [(bounds, surface.identity(bounds)) for bounds in blocks], compute)
        return [np.load(folder / FAR, allow_pickle=False) for folder in folders]

    return pooled_surface(surface.read, _reach(surface), surface.cell_size_m, each=each)


def save_skyline(distribution: HorizonDistribution, far_deg: np.ndarray, folder: Path) -> None:
    """Write both skylines into ``folder``; `load_skyline` reads them."""
    distribution.save(folder / DISTRIBUTION)
    np.save(folder / FAR, far_deg, allow_pickle=False)


def load_skyline(folder: Path) -> tuple[HorizonDistribution, np.ndarray]:
    """Read what `save_skyline` has written."""
    return HorizonDistribution.load(folder / DISTRIBUTION), np.load(folder / FAR, allow_pickle=False)


def _digest(*contents: bytes) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()


def _reach(surface: SurfaceFolder) -> Bounds:
    """Return the box of everything that is known: the surface and the terrain around it."""
    boxes = [surface.bounds]
    if surface.terrain is not None:
        with rasterio.open(surface.terrain) as source:
            boxes.append(np.array([tuple(source.bounds)]))
    every = np.vstack(boxes)
    return (*every[:, :2].min(axis=0).tolist(), *every[:, 2:].max(axis=0).tolist())
