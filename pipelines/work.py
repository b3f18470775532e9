"""What a step's function sees and does: its needs, the inbox files of its role, its result, and what it made the last time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import geopandas as gpd
import pandas as pd
import pyarrow.parquet

from geodata.accounting import CleanLayer
from geodata.inbox import dataset_files
from geodata.inventory import Dataset, Inventory, SourceFile
from geodata.site import PRESENT, Role, Site
from pipelines.step_names import INVENTORY, PLANNED_ONLY
from pipelines.store import PREVIEW, StoredObject

Table = TypeVar("Table", bound=pd.DataFrame)


@dataclass(frozen=True)
class Before:
    """What the same step has last made, by the same code and parameters, of other needs.

    What of it still holds need not be made again. A result must not depend on whether there is one, nor on which: a step may
    take from it only what it would otherwise compute to the same bits.
    """

    made: StoredObject
    find: Callable[[str], StoredObject | None]
    """Gives what a need was then; None where the store has it no longer."""
    known_part: Callable[[str, Any], StoredObject | None]
    """Gives a part by its name and what it was made from, if it is in the store."""
    last_part: Callable[[str], StoredObject | None]
    """Gives a part as it was last kept, by its name."""

    @property
    def data(self) -> Path:
        """Folder of the files it made."""
        return self.made.data

    def part(self, name: str, made_from: Any) -> Path | None:
        """Return the folder of one of the step's parts, as `Work.part` keeps them, or None if it is not there."""
        found = self.known_part(name, made_from)
        return None if found is None else found.data

    def last(self, name: str) -> Path | None:
        """Return the folder of a part as it was last kept, whatever it was made from, or None if it is not there."""
        found = self.last_part(name)
        return None if found is None else found.data

    def needs(self, *names: str) -> dict[str, StoredObject] | None:
        """Return what these needs were then, or None if the store has not all of them any longer."""
        found = {name: self.find(name) for name in names}
        whole = {name: stored for name, stored in found.items() if stored is not None}
        return whole if len(whole) == len(found) else None


@dataclass
class Work:
    """What a step's function may see and do."""

    site: Site
    scenario: str | None
    folder: Path
    needs: Mapping[str, StoredObject]
    store_part: Callable[[str, Any, Callable[[Path], dict[str, Any]]], StoredObject]
    find_before: Callable[[], Before | None] = lambda: None
    metadata: dict[str, Any] = field(default_factory=dict)
    files_read: set[SourceFile] = field(default_factory=set)
    """Files of the inbox that the step asked for; they must be the same when it ends."""

    @property
    def out(self) -> Path:
        """Folder for the result's files."""
        return self.folder / "data"

    @property
    def preview(self) -> Path:
        """Where a small PNG of the result may be put."""
        return self.folder / PREVIEW

    @cached_property
    def before(self) -> Before | None:
        """What the step made the last time, or None: it never did, or its code, its parameters or the site file have changed."""
        return self.find_before()

    def before_where_same(self, *names: str) -> Before | None:
        """Return `before` if these needs were then what they are now; a need that the scenario does not have is the same."""
        now = [self.needs[name] for name in names if name in self.needs]
        if self.before is None or any(self.before.made.inputs.get(need.asset) != need.content for need in now):
            return None
        return self.before

    def frame_before(self, name: str, file: str = "features.parquet") -> gpd.GeoDataFrame | None:
        """Return a table of what a need was when the step was last made; None where there was none or it is gone."""
        found = None if self.before is None else self.before.needs(name)
        if found is None or found[name].absent is not None:
            return None
        return read_table(found[name].data / file)

    def need(self, name: str) -> StoredObject:
        """Return the stored object of a need, by the name under which the step declared it."""
        return self.needs[name]

    def has(self, name: str) -> bool:
        """Tell whether a need holds data; what only plans have, the town as it is has not."""
        if name in PLANNED_ONLY and self.scenario == PRESENT:
            return False
        return self.needs[name].absent is None

    def path(self, name: str, file: str) -> Path:
        """Return the path of one file of a need."""
        return self.needs[name].data / file

    def frame(self, name: str, file: str = "features.parquet") -> gpd.GeoDataFrame:
        """Return a table of a need that must be there."""
        return read_table(self.path(name, file))

    def frame_or_none(self, name: str, file: str = "features.parquet") -> gpd.GeoDataFrame | None:
        """Return a table of a need, or None where the need is absent."""
        return self.frame(name, file) if self.has(name) and self.path(name, file).exists() else None

    def joined(self, frame: Table, on: str, name: str, file: str = "features.parquet") -> Table:
        """Return ``frame`` with the columns that a need tells of each ``on``; as it is where the need is absent."""
        told = self.frame_or_none(name, file)
        return frame if told is None else frame.join(told, on=on)

    def inventory(self) -> Inventory:
        """Return what lies in the inbox."""
        return read_inventory(self.needs[INVENTORY])

    def datasets(self, role: Role, plan: str = "") -> tuple[Dataset, ...]:
        """Return the datasets of one role: those that every scenario shares, or those of one ``plan`` alone."""
        inventory = self.inventory()
        found = inventory.datasets_for(role, plan)
        self.files_read.update(file for dataset in found for file in dataset_files(inventory, dataset))
        return found

    def part(self, name: str, made_from: Any, build: Callable[[Path], None]) -> Path:
        """Return the folder of one part of the result, built only if what it is made from has changed.

        ``made_from`` must tell everything that the part depends on. Parts let a step do again only what a small change
        touches.
        """

        def fill(folder: Path) -> dict[str, Any]:
            build(folder / "data")
            return {}

        return self.store_part(name, made_from, fill).data

    def write(self, frame: pd.DataFrame, file: str = "features.parquet") -> None:
        """Write a table; the main one also sets the row count."""
        write_table(frame, self.out / file)
        if file == "features.parquet":
            self.metadata["rows"] = len(frame)

    def write_clean(self, layer: CleanLayer) -> None:
        """Write a clean layer with its quality rows and its account."""
        layer.account.verify()
        if layer.account.outside == layer.account.read:
            number = f"{layer.account.read:,}"
            self.absent(f"{number}건 모두 연구 범위 밖에 있음", f"all {number} records lie outside the study area")
        self.write(layer.features)
        self.write(layer.quality, "quality.parquet")
        self.metadata["account"] = layer.account.as_dict()
        self.metadata |= layer.measures

    def absent(self, why_ko: str, why_en: str) -> None:
        """Say that there is no such data, and why; everything that depends on it knows."""
        self.metadata["absent"] = why_en
        self.metadata["absent_ko"] = why_ko


def read_inventory(found: StoredObject) -> Inventory:
    """Return the inventory that a stored object holds."""
    return Inventory.model_validate_json((found.data / "inventory.json").read_text(encoding="utf-8"))


def read_table(path: Path) -> gpd.GeoDataFrame:
    """Read a table of the store, with geometry where it has one."""
    try:
        return gpd.read_parquet(path)
    except ValueError:  # a plain table
        return pd.read_parquet(path)


def read_columns(path: Path, names: Iterable[str]) -> pd.DataFrame:
    """Read those of the columns ``names`` that a table of the store has; all its rows, also if it has none of them."""
    held = set(pyarrow.parquet.read_schema(path).names)
    return pd.read_parquet(path, columns=[name for name in names if name in held])


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table of the store."""
    frame.to_parquet(path, compression="zstd", index=frame.index.name is not None)
