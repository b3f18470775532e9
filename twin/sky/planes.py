"""The skyline of each roof plane: how its cells' horizon angles are distributed, azimuth by azimuth.

One azimuth (with its opposite) of all cells is in memory at a time; of each plane remain integer counts in `BINS` bins,
kept where they are not zero. Counts are exact sums, so they do not depend on threads or on the order of work.
Weather, time of year, module tilt and what lies beyond the surface enter later, at look-up (`twin.sky.factors`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from geodata.errors import InputError
from twin.array_file import load_arrays, save_arrays
from twin.sky.compiled import compiled, side_by_side
from twin.sky.horizon import Window, horizon_slopes
from twin.sky.lines import Grid, Lines, checked_azimuths
from twin.sky.plane_cells import PlaneCells
from twin.sky.sky_view import AZIMUTHS, checked_tilt, own_horizon

BINS = 256
"""Bin 0: nothing above the plane itself and the level horizon. Bin b from 1: (b - 1) to b times `BIN_DEG`."""
BIN_DEG = 90.0 / (BINS - 1)
OWN_TOLERANCE_DEG = 0.05
"""Horizons less than this above the plane itself are its own surface: rounding of heights at the shortest distance."""
_DROPPED_BITS = 16
"""Of a float32; the other bits find its bin to within a step or two."""


@dataclass(frozen=True)
class HorizonDistribution:
    """Counts of cells by horizon angle, for each plane and azimuth.

    Entries ``start[p * azimuths + a]`` up to the next start belong to plane ``p`` and azimuth ``a``: occupied ``bin``
    in ascending order and the ``count`` of cells in it.
    """

    azimuths_deg: np.ndarray
    """(azimuths,) ascending, clockwise from north."""
    cells: np.ndarray
    """(planes,) int64: cells behind the counts; 0 without a surface."""
    sampling: np.ndarray
    """(planes,) uint8: `twin.sky.plane_cells.Sampling`."""
    height_m: np.ndarray
    """(planes,) mean height; NaN without a surface."""
    near: np.ndarray
    """(planes, 4) west, south, east, north [m] of the surface that was swept; beyond it lies the far field."""
    start: np.ndarray
    """(planes * azimuths + 1,) int64."""
    bin: np.ndarray
    """uint8."""
    count: np.ndarray
    """uint32."""

    def __len__(self) -> int:
        """Return the number of planes."""
        return len(self.cells)

    def counts(self, plane: int, azimuth_index: int) -> np.ndarray:
        """Return all `BINS` counts of one plane and azimuth."""
        here = plane * len(self.azimuths_deg) + azimuth_index
        entries = slice(int(self.start[here]), int(self.start[here + 1]))
        full = np.zeros(BINS, dtype=np.int64)
        full[self.bin[entries]] = self.count[entries]
        return full

    def take(self, planes: npt.ArrayLike) -> HorizonDistribution:
        """Return the distribution of some planes, in the order asked for."""
        wanted = np.asarray(planes, dtype=np.int64)
        directions = len(self.azimuths_deg)
        # planes that follow one another are copied in one piece
        first = np.flatnonzero(np.diff(wanted, prepend=wanted[:1] - 2) != 1)
        last = np.append(first[1:], len(wanted)) - 1 if len(wanted) else first
        begin, end = self.start[wanted[first] * directions], self.start[(wanted[last] + 1) * directions]
        pieces = [slice(*ends) for ends in zip(begin.tolist(), end.tolist(), strict=True)] or [slice(0, 0)]
        sizes = np.diff(self.start).reshape(-1, directions)[wanted]
        return HorizonDistribution(
            azimuths_deg=self.azimuths_deg, cells=self.cells[wanted], sampling=self.sampling[wanted],
            height_m=self.height_m[wanted], near=self.near[wanted],
            bin=np.concatenate([self.bin[piece] for piece in pieces]),
            count=np.concatenate([self.count[piece] for piece in pieces]),
            start=np.concatenate([[0], np.cumsum(sizes.reshape(-1))]).astype(np.int64),
        )  # fmt: skip

    @classmethod
    def join(
        cls, parts: Sequence[HorizonDistribution], places: Sequence[np.ndarray] | None = None
    ) -> HorizonDistribution:
        """Return the planes of all parts.

        Parameters
        ----------
        parts : looked at twice, one at a time: they may be read from files when they are asked for
        places : of each part, where its planes go; one part after the other if None

        Raises
        ------
        InputError
            If there are no parts, they have different azimuths, or the places are not one for each plane.
        """
        if not parts:
            raise InputError("no tiles to join")
        first, small, lengths = None, [], []
        for part in parts:
            first = part.azimuths_deg if first is None else first
            if not np.array_equal(part.azimuths_deg, first):
                raise InputError("tiles were swept with different azimuths; sweep them again with one setting")
            small.append([part.cells, part.sampling, part.height_m, part.near])
            lengths.append(np.diff(part.start).reshape(len(part), -1))
        sizes = np.concatenate(lengths)
        order = np.arange(len(sizes)) if places is None else np.concatenate(places)
        if not np.array_equal(np.sort(order), np.arange(len(sizes))):
            raise InputError("tiles do not hold each roof plane once; sweep all tiles of one table of planes")
        inverse = np.argsort(order)
        cells, sampling, height_m, near = (np.concatenate(of_parts)[inverse] for of_parts in zip(*small, strict=True))
        start = np.concatenate([[0], np.cumsum(sizes[inverse].reshape(-1))]).astype(np.int64)
        bins, counts = np.empty(start[-1], dtype=np.uint8), np.empty(start[-1], dtype=np.uint32)
        done = 0
        for part in parts:
            # all entries of a plane lie together, before and after
            own = part.start[:: sizes.shape[1]]
            begin = start[order[done : done + len(part)] * sizes.shape[1]]
            target = np.repeat(begin - own[:-1], np.diff(own)) + np.arange(own[-1])
            bins[target], counts[target] = part.bin, part.count
            done += len(part)
        return cls(
            azimuths_deg=np.asarray(first), cells=cells, sampling=sampling, height_m=height_m, near=near,
            start=start, bin=bins, count=counts,
        )  # fmt: skip

    def save(self, path: Path) -> None:
        """Write the distribution as `twin.array_file.save_arrays` does."""
        save_arrays(path, {field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> HorizonDistribution:
        """Read what `save` has written."""
        return cls(**load_arrays(path))


def reduce_horizons(
    grid: Grid,
    cells: PlaneCells,
    tilt_deg: npt.ArrayLike,
    azimuth_deg: npt.ArrayLike,
    azimuths: int | Sequence[float] | np.ndarray = AZIMUTHS,
    *,
    near: tuple[float, float, float, float] | None = None,
    threads: int | None = None,
) -> HorizonDistribution:
    """Sweep the surface azimuth by azimuth and count the horizon angles of each plane's cells.

    Parameters
    ----------
    grid : surface with everything that may hide the sky; what lies outside the planes' window is only looked at
    cells : of the planes
    tilt_deg, azimuth_deg : (planes,) of the roof planes themselves, not of modules on them; the azimuth of a flat
        plane may be NaN
    azimuths : number of directions evenly from north, or directions
    near : west, south, east, north of the grid [m], kept for the far field

    Raises
    ------
    InputError
        If a tilt is not between 0 and 90 deg, a tilted plane has no azimuth, or the lengths differ.
    """
    directions = np.unique(checked_azimuths(azimuths))
    counting = _Counting.of(directions, tilt_deg, azimuth_deg, cells)

    def counted() -> Iterator[int]:
        for index, slope, transposed in horizon_slopes(grid, directions, cells.window, threads):
            side_by_side(
                _histogram, slope.reshape(-1), counting.places[transposed], cells.start, counting.limit[index],
                counting.edges, counting.guess, counting.counts, counting.sizes[index], threads=threads,
            )  # fmt: skip
            yield index

    return counting.distribution(counted() if len(cells.cell) else (), cells, near, threads)


def updated_horizons(
    before: HorizonDistribution,
    grids: tuple[Grid, Grid],
    cells: PlaneCells,
    tilt_deg: npt.ArrayLike,
    azimuth_deg: npt.ArrayLike,
    *,
    changed: Window,
    threads: int | None = None,
) -> HorizonDistribution:
    """Return what `reduce_horizons` returns of the second grid, from that of the first: only lines through changed cells are swept.

    Counts are whole numbers, so a cell's move from one bin to another gives the very counts of a sweep of everything.

    Parameters
    ----------
    before : of the same planes on the first grid
    grids : before and after, alike but for heights of cells in ``changed``
    cells : of the planes, the same on both grids
    tilt_deg, azimuth_deg : as in `reduce_horizons`
    changed : cells of the grids
    """
    directions = before.azimuths_deg
    counting = _Counting.of(directions, tilt_deg, azimuth_deg, cells)

    def counted() -> Iterator[int]:
        old, new = (horizon_slopes(grid, directions, cells.window, threads, across=changed) for grid in grids)
        for (index, one, transposed), (_, two, _) in zip(old, new, strict=True):
            lines = Lines.along(grids[1], directions[index])
            first = (cells.window.first_row, cells.window.first_column)
            side_by_side(
                _move, one, two, *(first[::-1] if transposed else first), lines.shift, *lines.across(*astuple(changed)),
                counting.places[transposed], cells.start, counting.limit[index], counting.edges,
                before.start, before.bin, before.count, index, len(directions), counting.counts, counting.sizes[index],
                threads=threads,
            )  # fmt: skip
            yield index

    near = tuple(before.near[0].tolist()) if len(before) else None
    return counting.distribution(counted() if len(cells.cell) else (), cells, near, threads)


@dataclass(frozen=True)
class _Counting:
    """What is needed to count horizon angles in bins, azimuth by azimuth."""

    directions: np.ndarray
    limit: np.ndarray
    """float32 (azimuths, planes): tangent below which a horizon is the plane itself."""
    edges: np.ndarray
    """float32 tangents at the bins' upper edges."""
    guess: np.ndarray
    """The bin of each number's leading bits, or one just below."""
    places: dict[bool, np.ndarray]
    """Cells of the planes in the window, and in the transposed window."""
    counts: np.ndarray
    """(planes, `BINS`) of one azimuth, written anew for the next."""
    sizes: np.ndarray
    """(azimuths, planes) occupied bins."""

    @classmethod
    def of(
        cls, directions: np.ndarray, tilt_deg: npt.ArrayLike, azimuth_deg: npt.ArrayLike, cells: PlaneCells
    ) -> _Counting:
        planes = len(cells)
        tilt, toward_deg = checked_orientation(tilt_deg, azimuth_deg, planes)
        own = own_horizon(np.radians(tilt)[:, None], np.cos(np.radians(directions[None, :] - toward_deg[:, None])))
        limit = np.tan(np.minimum(own + np.radians(OWN_TOLERANCE_DEG), np.pi / 2)).T.astype(np.float32)
        edges = np.append(np.tan(np.radians(np.arange(BINS - 1) * BIN_DEG)), np.inf).astype(np.float32)
        leading = (np.arange(2**31 >> _DROPPED_BITS, dtype=np.int64) << _DROPPED_BITS).astype(np.int32)
        guess = np.maximum(np.searchsorted(edges, leading.view(np.float32), side="left"), 1).astype(np.uint8)
        return cls(
            directions, limit, edges, guess, {False: cells.cell, True: cells.transposed()},
            np.zeros((planes, BINS), dtype=np.uint32), np.zeros((len(directions), planes), dtype=np.int64),
        )  # fmt: skip

    def distribution(
        self, counted: Iterable[int], cells: PlaneCells, near: tuple[float, ...] | None, threads: int | None
    ) -> HorizonDistribution:
        """Return the distribution; ``counted`` fills counts and sizes of an azimuth before it gives its index."""
        planes, azimuths = len(cells), len(self.directions)
        kept_bins: list[np.ndarray] = [np.empty(0, dtype=np.uint8)] * azimuths
        kept_counts: list[np.ndarray] = [np.empty(0, dtype=np.uint32)] * azimuths
        for index in counted:
            begin = np.concatenate([[0], np.cumsum(self.sizes[index])])
            kept_bins[index] = np.empty(begin[-1], dtype=np.uint8)
            kept_counts[index] = np.empty(begin[-1], dtype=np.uint32)
            side_by_side(_pack, self.counts, begin, kept_bins[index], kept_counts[index], threads=threads)
        start = np.concatenate([[0], np.cumsum(self.sizes.T.reshape(-1))])
        bins = np.empty(start[-1], dtype=np.uint8)
        kept = np.empty(start[-1], dtype=np.uint32)
        for index in range(azimuths):
            _by_plane(kept_bins[index], kept_counts[index], self.sizes[index], start, index, azimuths, bins, kept)
            kept_bins[index], kept_counts[index] = kept_bins[index][:0], kept_counts[index][:0]
        around = np.asarray(near if near is not None else (np.nan,) * 4, dtype=np.float64)
        return HorizonDistribution(
            azimuths_deg=self.directions, cells=np.diff(cells.start), sampling=cells.sampling, height_m=cells.height_m,
            near=np.tile(around, (planes, 1)), start=start, bin=bins, count=kept,
        )  # fmt: skip


def checked_orientation(
    tilt_deg: npt.ArrayLike, azimuth_deg: npt.ArrayLike, planes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return tilt and azimuth of planes [deg] as float64; a flat plane without azimuth faces south.

    Raises
    ------
    InputError
        If the lengths differ from ``planes``, a tilt is not between 0 and 90, or a tilted plane has no azimuth.
    """
    tilt = np.atleast_1d(checked_tilt(tilt_deg))
    azimuth = np.atleast_1d(np.asarray(azimuth_deg, dtype=np.float64))
    if tilt.shape != (planes,) or azimuth.shape != (planes,):
        raise InputError(f"{planes} planes need as many tilts and azimuths, given are {tilt.shape} and {azimuth.shape}")
    lost = ~np.isfinite(azimuth) & (tilt > 0)
    if lost.any():
        raise InputError(
            f"plane {int(np.flatnonzero(lost)[0])} is tilted but has no azimuth; give it clockwise from north"
        )
    return tilt, np.where(np.isfinite(azimuth), azimuth, 180.0)


@compiled
def _histogram(slope, cell, start, limit, edges, guess, counts, sizes, part, parts):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    # positive numbers sort as their bits do: the leading bits tell the bin or one just below
    bits = slope.view(np.int32)
    for plane in range(part, len(start) - 1, parts):
        to = counts[plane]
        to[:] = 0
        free = limit[plane]
        for place in range(start[plane], start[plane + 1]):
            up = slope[cell[place]]
            found = 0
            if up > free:
                found = int(guess[bits[cell[place]] >> _DROPPED_BITS])
                while up > edges[found]:
                    found += 1
            to[found] += 1
        occupied = 0
        for index in range(len(to)):
            occupied += to[index] != 0
        sizes[plane] = occupied


@compiled
def _move(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    old, new, first_row, first_column, shift, first_line, end_line, cell, start, limit, edges,
    kept_start, kept_bin, kept_count, azimuth, azimuths, counts, sizes, part, parts,
):  # fmt: skip
    width = old.shape[1]
    for plane in range(part, len(start) - 1, parts):
        to = counts[plane]
        to[:] = 0
        here = plane * azimuths + azimuth
        for place in range(kept_start[here], kept_start[here + 1]):
            to[kept_bin[place]] = kept_count[place]
        free = limit[plane]
        for place in range(start[plane], start[plane + 1]):
            row = cell[place] // width
            column = cell[place] - row * width
            line = first_column + column - shift[first_row + row]
            if line < first_line or line >= end_line:
                continue
            one, two = old[row, column], new[row, column]
            if one == two:
                continue
            # as in `_histogram`; slow, but few cells see the change
            gone, come = 0, 0
            if one > free:
                gone = 1
                while one > edges[gone]:
                    gone += 1
            if two > free:
                come = 1
                while two > edges[come]:
                    come += 1
            to[gone] -= 1
            to[come] += 1
        occupied = 0
        for index in range(len(to)):
            occupied += to[index] != 0
        sizes[plane] = occupied


@compiled
def _pack(counts, begin, bins, kept, part, parts):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    for plane in range(part, len(begin) - 1, parts):
        place = begin[plane]
        if begin[plane + 1] == place:
            continue
        for index in range(counts.shape[1]):
            if counts[plane, index] != 0:
                bins[place] = index
                kept[place] = counts[plane, index]
                place += 1


@compiled
def _by_plane(bins, counts, sizes, start, azimuth, azimuths, all_bins, all_counts):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    place = 0
    for plane in range(len(sizes)):
        to = start[plane * azimuths + azimuth]
        for index in range(sizes[plane]):
            all_bins[to + index] = bins[place]
            all_counts[to + index] = counts[place]
            place += 1
