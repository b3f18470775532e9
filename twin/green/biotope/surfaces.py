"""Surfaces of the ground without overlap: what lies on top keeps its shape, what lies under it gives way.

Areas of surfaces in features are kept pair by pair, so that after a small change only the pieces that changed are laid
over the features again. Sums run in the order of the pieces: a table with old pairs sums to the same bits as one measured anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.repair import Shapes, make_valid_polygons
from twin.green.biotope.rules import SURFACES
from twin.overlay import cut_away, shared_areas, small_parts
from twin.same_rows import moved_pieces

PAIRS = ("feature", "on_top", "piece", "area_m2")
"""Columns of pairs: position of the feature, whether the piece is one of ``top``, its position there or in ``under``, shared area [m2]."""


@dataclass(frozen=True)
class Surfaces:
    """Pieces of ground, and what each is.

    ``top`` pieces do not overlap; ``under`` pieces do not overlap one another and end where ``top`` begins.
    """

    top: Shapes
    top_kind: np.ndarray
    """Row of ``mix`` for each piece; the first rows are `SURFACES` themselves."""
    under: Shapes
    """Of few vertices each, as `small_parts` makes them."""
    under_kind: np.ndarray
    mix: np.ndarray = field(default_factory=lambda: np.eye(len(SURFACES)))
    """Share of each of `SURFACES` in each kind of ground, each row summing to 1."""

    @cached_property
    def left(self) -> Shapes:
        """What ``top`` leaves of each of ``under``; None where nothing."""
        return self.left_of(np.ones(len(self.under), dtype=bool))

    def left_of(self, which: np.ndarray) -> Shapes:
        """Return what ``top`` leaves of those of ``under`` that ``which`` (a mask) selects."""
        return make_valid_polygons(cut_away(self.under[which], small_parts(self.top)[0]))

    def top_frame(self, crs: object) -> gpd.GeoDataFrame:
        """Return ``top`` as a table: `kind` and geometry, as `Known` takes it."""
        return gpd.GeoDataFrame({"kind": self.top_kind}, geometry=self.top, crs=crs)


@dataclass(frozen=True)
class Known:
    """What was found over the same features and the same ``under`` with another ``top``: its `Surfaces.top_frame`, and the pairs."""

    top: gpd.GeoDataFrame
    pairs: pd.DataFrame


def surface_pairs(features: gpd.GeoDataFrame, surfaces: Surfaces, known: Known | None = None) -> pd.DataFrame:
    """Return which of ``features`` share area with which piece of ``surfaces``, with the columns `PAIRS`, in their order.

    With ``known`` only pieces that are not those of then are laid over the features; the result is the same to the bit.
    """
    shapes = features.geometry.to_numpy()
    moved = None
    if known is not None:
        then = _keys(known.top.geometry.to_numpy(), known.top["kind"].to_numpy())
        moved = moved_pieces(_keys(surfaces.top, surfaces.top_kind), then)
    if known is None or moved is None:
        found = [_pairs(shapes, surfaces.top, on_top=True), _pairs(shapes, surfaces.left, on_top=False)]
        return _ordered(found)
    place, new = moved
    gone = known.top.geometry.to_numpy()[place < 0]
    cutters, _ = small_parts(np.concatenate([gone, surfaces.top[new]]))
    cut_anew = np.zeros(len(surfaces.under), dtype=bool)
    cut_anew[shapely.STRtree(cutters).query(surfaces.under, predicate="intersects")[0]] = True
    pairs, on_top = known.pairs, known.pairs["on_top"].to_numpy(dtype=bool)
    kept_top = pairs[on_top].assign(piece=place[pairs.loc[on_top, "piece"].to_numpy()])
    kept_under = pairs[~on_top]
    found = [
        kept_top[kept_top["piece"] >= 0],
        _pairs(shapes, surfaces.top[new], on_top=True, piece=np.flatnonzero(new)),
        kept_under[~cut_anew[kept_under["piece"].to_numpy()]],
        _pairs(shapes, surfaces.left_of(cut_anew), on_top=False, piece=np.flatnonzero(cut_anew)),
    ]
    return _ordered(found)


def surface_areas(features: gpd.GeoDataFrame, key: str, surfaces: Surfaces, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the area of each of `SURFACES` in each of ``features`` [m2], indexed by ``key``; ``pairs`` of `surface_pairs`."""
    count, width = len(features), len(surfaces.mix)
    piece, on_top = pairs["piece"].to_numpy(), pairs["on_top"].to_numpy(dtype=bool)
    kind = np.empty(len(pairs), dtype=np.intp)
    kind[on_top], kind[~on_top] = surfaces.top_kind[piece[on_top]], surfaces.under_kind[piece[~on_top]]
    cell = pairs["feature"].to_numpy() * width + kind
    areas = np.bincount(cell, weights=pairs["area_m2"].to_numpy(), minlength=count * width).reshape(count, width)
    return pd.DataFrame(
        areas @ surfaces.mix, columns=list(SURFACES), index=pd.Index(features[key].astype("str"), name=key)
    )


def _pairs(features: Shapes, pieces: Shapes, *, on_top: bool, piece: np.ndarray | None = None) -> pd.DataFrame:
    feature, found, area = shared_areas(features, pieces)
    number = found if piece is None else piece[found]
    return pd.DataFrame({"feature": feature, "on_top": on_top, "piece": number, "area_m2": area})


def _ordered(found: list[pd.DataFrame]) -> pd.DataFrame:
    pairs = pd.concat([frame[list(PAIRS)] for frame in found], ignore_index=True)
    order = np.lexsort((pairs["piece"], ~pairs["on_top"].to_numpy(dtype=bool), pairs["feature"]))
    return pairs.iloc[order].reset_index(drop=True)


def _keys(shapes: Shapes, kind: np.ndarray) -> list[bytes]:
    return [
        b"%d %b" % (number, wkb) for number, wkb in zip(kind.tolist(), shapely.to_wkb(shapes).tolist(), strict=True)
    ]
