"""Areas that two layers share, kept from run to run: cutting them costs seconds, and most edits touch neither layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from twin.kept_tiles import ShapeHashes
from twin.overlay import shared_areas
from twin.sky.town import Keep

_AREAS = "areas.npz"


def kept_areas(
    features: np.ndarray, polygons: np.ndarray, keep: Keep | None, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `twin.overlay.shared_areas`, from where ``keep`` has them under ``name`` if all shapes are the same."""
    if keep is None:
        return shared_areas(features, polygons)

    def fill(folder: Path) -> None:
        feature, polygon, area = shared_areas(features, polygons)
        with (folder / _AREAS).open("wb") as file:
            np.savez(file, feature=feature, polygon=polygon, area=area)

    made_from = [ShapeHashes(shapes).of(np.arange(len(shapes))) for shapes in (features, polygons)]
    with np.load(keep(name, {"shapes": made_from}, fill) / _AREAS, allow_pickle=False) as held:
        return held["feature"], held["polygon"], held["area"]
