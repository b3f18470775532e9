"""The walking network as files: making it takes longer than reading it, and buildings do not change it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from twin.green.access.walk_network import WalkNetwork

ARRAYS = ("nodes", "start", "end", "width_m", "road")


def save_network(found: tuple[WalkNetwork, str] | None, folder: Path) -> None:
    """Write a network and what it is made from into ``folder``; nothing where there is none."""
    if found is None:
        return
    network, source = found
    np.savez(folder / "network.npz", source=np.array(source), **{name: getattr(network, name) for name in ARRAYS})
    pd.DataFrame({"barrier": shapely.to_wkb(network.barriers)}).to_parquet(folder / "barriers.parquet")


def load_network(folder: Path) -> tuple[WalkNetwork, str] | None:
    """Return what `save_network` wrote, to the bit."""
    if not (folder / "network.npz").exists():
        return None
    barriers = shapely.from_wkb(pd.read_parquet(folder / "barriers.parquet")["barrier"].to_numpy(dtype=object))
    with np.load(folder / "network.npz") as stored:
        arrays = {name: stored[name] for name in ARRAYS}
        return WalkNetwork(**arrays, barriers=np.asarray(barriers, dtype=object)), str(stored["source"])
