"""One block of a plan built otherwise, from what the last run has left in the store; nothing there is changed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.clean.buildings import clean_buildings
from geodata.errors import InputError
from geodata.inbox import take_inventory
from geodata.site import PRESENT, PlanSpec, SourceSpec
from geodata.vector_file import read_dataset
from pipelines.about import release_about
from pipelines.assets.solar import surface_with_trees
from pipelines.assets.sources import AREA, HILLS, READ_MARGIN_M, load_area
from pipelines.code_version import code_version
from pipelines.definitions import SCENARIO_STEPS
from pipelines.instance import Workplace
from pipelines.mirror import open_store
from pipelines.step_names import INVENTORY, key_of
from pipelines.steps import Step, step_parameters
from pipelines.store import Store, StoredObject, object_digest
from pipelines.work import Work, read_inventory
from twin.publish.about import ReleaseAbout
from twin.publish.run_info import newest_vintage
from twin.scenario.buildings import EXISTING, all_buildings
from twin.sky.tiles import SurfaceFolder
from twin.sky.town import Known
from twin.sky.town_sky import TownSky
from twin.solar.resource_file import load_resource
from twin.solar.roofs import roof_planes as planes_of
from twin.sunlight.solstice import town_sun
from twin.surface import ground_heights
from twin.whatif.block import EditedBlock, edited_block
from twin.whatif.buildings import touched_town
from twin.whatif.edit import BlockEdit
from twin.whatif.heights import changed_shapes, edited_canopy, edited_cover, edited_surface
from twin.whatif.sky import ChangedSky, changed_sky
from twin.whatif.sunlight import edited_sunlight, moved_sunlight
from twin.whatif.tables import Town, town_after, whatif_tables
from twin.whatif.yields import edited_yields

FRESH = (
    "blocks", "designs", "massing", "footprints", "land_cover", "surface", "roof_planes", "canopy", "skyline", "roof_yields",
    "winter_sun", "energy", "roofs", "buildings", "plan_blocks",
)  # fmt: skip
"""Steps of the plan that the edit takes over from; each must be what a run would take from the store."""
STEPS = {step.name: step for step in SCENARIO_STEPS}
SHARED = (
    INVENTORY,
    AREA,
    "sources/buildings",
    "sources/land_cover",
    "sources/terrain",
    "sources/surface_model",
    "sources/resource",
)


@dataclass(frozen=True)
class WhatIf:
    """The answer: layers of `whatif.gpkg`, what should be known, and what a page shows."""

    tables: dict[str, pd.DataFrame]
    notes: gpd.GeoDataFrame
    before: Town
    after: gpd.GeoDataFrame
    """All buildings after the edit."""
    about: ReleaseAbout
    roofs_computed: int
    block_status: str


@dataclass(frozen=True)
class Base:
    """What the last run of one plan has left."""

    store: Store
    scenario: str
    found: Mapping[str, StoredObject]
    work: Work

    @classmethod
    def open(cls, workplace: Workplace, scenario: str, folder: Path) -> Base:
        """Return the objects of the last run of ``scenario``.

        Raises
        ------
        InputError
            If there is no such plan, it was never computed as a whole, or a run would compute it anew.
        """
        site = workplace.site
        if scenario not in site.planned:
            known = ", ".join(site.planned) or "없음 · none"
            raise InputError(f"{scenario!r}: 계획 시나리오가 아닙니다 · no plan of this site; plans: {known}")
        store = open_store(site, workplace.store)
        names = [*SHARED, *(f"scenario/{name}" for name in FRESH)]
        found: dict[str, StoredObject] = {}
        for name in names:
            current = store.current(key_of(name, scenario))
            if current is None:
                raise InputError(
                    f"{key_of(name, scenario)}: 아직 계산하지 않았거나 손상됨 · never computed, or damaged. Run first: twin run"
                )
            found[name] = current
        for name in FRESH:
            _refuse_stale(workplace, STEPS[f"scenario/{name}"], scenario, found)
        for name in ("blocks", "roof_yields", "energy"):
            missing = found[f"scenario/{name}"].absent
            if missing is not None:
                why = found[f"scenario/{name}"].metadata.get("absent_ko", missing)
                raise InputError(f"{scenario}/{name}: {why} · {missing}")
        return cls(store, scenario, found, Work(site, scenario, folder, found, _no_parts))


def _no_parts(name: str, made_from: Any, fill: Callable[[Path], dict[str, Any]]) -> StoredObject:
    raise AssertionError(f"{name}: a what-if keeps its parts elsewhere")


def _refuse_stale(workplace: Workplace, step: Step, scenario: str, found: Mapping[str, StoredObject]) -> None:
    """Refuse a result that a run would not take from the store: one of another code, site file or input."""
    mine = found[step.name]
    asset = key_of(step.name, scenario)
    digest = object_digest(asset, mine.inputs, step_parameters(step, workplace.site), code_version(step.run))
    keys = {key_of(name, scenario): stored.content for name, stored in found.items()}
    moved = sorted(name for name, content in mine.inputs.items() if keys.get(name, content) != content)
    if digest != mine.digest or moved:
        why = f"{moved[0]} has changed" if moved else "code, libraries or the site file have changed"
        raise InputError(f"{asset}: 마지막 계산이 낡음 · the last result is out of date ({why}). Run first: twin run")


def _known(base: Base) -> Known:
    """Return where the parts of the skyline are kept that the last run has left."""
    step = STEPS["scenario/skyline"]
    asset, version = key_of(step.name, base.scenario), code_version(step.run)

    def known(name: str, made_from: dict[str, Any]) -> Path | None:
        found = base.store.find(f"{asset}/parts/{name}", inputs={}, parameters=made_from, code_version=version)
        return None if found is None else found.data

    return known


@contextmanager
def _kept(base: Base, folder: Path) -> Iterator[Callable[[str, dict[str, Any], Callable[[Path], None]], Path]]:
    """Give parts of the skyline from the store, and build those that are not there beside it."""
    step, aside, known = STEPS["scenario/skyline"], Store(folder), _known(base)
    asset, version = key_of(step.name, base.scenario), code_version(step.run)

    def keep(name: str, made_from: dict[str, Any], build: Callable[[Path], None]) -> Path:
        def fill(target: Path) -> dict[str, Any]:
            build(target / "data")
            return {}

        stored = known(name, made_from)
        if stored is not None:
            return stored
        part = f"{asset}/parts/{name}"
        return aside.get_or_build(part, inputs={}, parameters=made_from, code_version=version, build=fill).data

    with base.store.in_use():
        yield keep


def what_if(
    workplace: Workplace,
    edit: BlockEdit,
    scenario: str,
    *,
    design: Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> WhatIf:
    """Return what the edit of one block changes, against the last run of ``scenario``.

    Parameters
    ----------
    design
        File of buildings that take the place of the block's.
    columns
        Our column name to that of ``design``, where it is no known product.

    Raises
    ------
    InputError
        If the plan was not computed or would be computed anew, or the edit cannot be meant.
    """
    if not edit.values() and design is None:
        raise InputError("고친 값이 없습니다 · nothing is edited; give --far, --floors, --homes, --use or --design")
    with tempfile.TemporaryDirectory(prefix="whatif-", dir=_scratch(workplace)) as name:
        folder = Path(name)
        base = Base.open(workplace, scenario, folder)
        with _kept(base, folder / "parts") as keep:
            return _answer(base, edit, folder, keep, design=design, columns=columns or {})


def _scratch(workplace: Workplace) -> Path:
    """Return the folder beside the store in which a what-if works; the same disk, and never the store itself."""
    folder = workplace.store.parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _answer(
    base: Base,
    edit: BlockEdit,
    folder: Path,
    keep: Callable[[str, dict[str, Any], Callable[[Path], None]], Path],
    *,
    design: Path | None,
    columns: Mapping[str, str],
) -> WhatIf:
    work, site = base.work, base.work.site
    ground = work.frame("scenario/blocks", "ground.parquet")
    edited = edited_block(
        edit,
        work.frame("scenario/blocks"),
        ground,
        work.frame_or_none("sources/buildings"),
        work.frame_or_none("sources/land_cover"),
        designs=work.frame_or_none("scenario/designs"),
        new_design=_design(work, design, columns, folder / "inbox") if design is not None else None,
    )
    old_footprints, old_planes = work.frame("scenario/footprints"), work.frame("scenario/roof_planes")
    new = edited.buildings
    if new is not None and work.has("sources/terrain"):
        new = new.assign(altitude=ground_heights(new, work.path("sources/terrain", "terrain.tif")))
    rest = old_footprints[old_footprints["block_id"] != edit.block_id]
    footprints = all_buildings([layer for layer in (rest, new) if layer is not None and len(layer)])
    planes = _planes(base, old_planes, rest, new)
    resource = load_resource(work.need("sources/resource").data)
    heights = _heights(base, edited, (ground, old_footprints), (footprints, planes), folder)
    sky, rows = _sky(base, old_planes, planes, heights, keep)
    published = work.frame("scenario/roofs")
    yields = edited_yields(
        planes, published, work.need("scenario/roof_yields").data, folder / "yields",
        rows=rows, sky=sky, resource=resource, timezone=site.timezone,
    )  # fmt: skip
    before = Town(work.frame("scenario/buildings"), published, work.frame("scenario/plan_blocks"))
    sunlight = edited_sunlight(
        before.buildings, footprints, heights.changed, heights.surface, town_sun(load_area(work))
    )
    touched = touched_town(
        footprints, planes, yields.roofs, edited.blocks, yields.hours,
        block_id=edit.block_id, changed_roofs=yields.changed, sunlight=sunlight,
        other_sun=moved_sunlight(before.buildings, sunlight), resource=resource, timezone=site.timezone,
    )  # fmt: skip
    unshaded = work.need("scenario/roof_yields").metadata["unshaded"]
    return WhatIf(
        tables=whatif_tables(edit.block_id, before, touched, yields.roofs),
        notes=edited.quality,
        before=before,
        after=town_after(edit.block_id, before, touched),
        about=release_about(site, newest_vintage(read_inventory(work.need(INVENTORY))), unshaded=unshaded),
        roofs_computed=len(rows),
        block_status=edited.blocks["block_status"].iloc[edit.position(edited.blocks)],
    )


def _design(work: Work, file: Path, columns: Mapping[str, str], inbox: Path) -> gpd.GeoDataFrame:
    """Return the clean buildings of a design file, read as the site file's designs are."""
    if not file.is_file():
        raise InputError(f"{file}: 파일이 없습니다 · there is no such file")
    inbox.mkdir()
    for part in sorted(file.parent.glob(f"{file.stem}.*")):
        (inbox / part.name).write_bytes(part.read_bytes())
    spec = SourceSpec(path=Path(file.name), columns=dict(columns))
    inventory = take_inventory(inbox, {}, {str(work.scenario): PlanSpec(designs=(spec,))})
    datasets = inventory.datasets_for("buildings", work.scenario or "")
    if not datasets:
        why = "; ".join(f"{problem.what} {problem.remedy}" for problem in inventory.problems)
        raise InputError(f"{file.name}: 건물 파일로 읽을 수 없습니다 · it cannot be read as buildings. {why}")
    area = load_area(work)
    box = area.area.buffer(READ_MARGIN_M).bounds
    clean = clean_buildings([read_dataset(inbox, dataset, work.site.crs, box) for dataset in datasets], area, None)
    clean.account.verify()
    return clean.features


def _planes(
    base: Base, before: gpd.GeoDataFrame, rest: gpd.GeoDataFrame, new: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    """Return all roof planes after the edit, by `roof_id`; buildings that stand today have those of the present."""
    layers = [before[before["building_id"].isin(rest["building_id"])]]
    if new is not None:
        standing = new[new["status"] == EXISTING]
        present = base.store.current(key_of("scenario/roof_planes", PRESENT)) if len(standing) else None
        known = None
        if present is not None and present.absent is None:
            known = gpd.read_parquet(present.data / "features.parquet")
            known = known[known["building_id"].isin(standing["building_id"])]
            layers.append(known)
        bare = new if known is None else new[~new["building_id"].isin(known["building_id"])]
        if len(bare):
            layers.append(planes_of(bare))
    joined = pd.concat([layer for layer in layers if len(layer)], ignore_index=True)
    return joined.sort_values("roof_id", ignore_index=True)


@dataclass(frozen=True)
class Heights:
    """Surface and trees after the edit, and the shapes under which they may differ."""

    changed: np.ndarray
    surface: SurfaceFolder | None
    """None where nothing has changed, or no surface is known."""
    evergreen: SurfaceFolder | None


def _heights(
    base: Base,
    edited: EditedBlock,
    before: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame],
    after: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame],
    folder: Path,
) -> Heights:
    """Return surface and trees after the edit, from ground and footprints before, and footprints and planes after it."""
    work, site = base.work, base.work.site
    (old_ground, old_footprints), (footprints, _) = before, after
    told = ["height"] + (["altitude"] if "altitude" in footprints.columns else [])
    houses = changed_shapes(old_footprints, footprints, told)
    soil = changed_shapes(old_ground, edited.ground, ["class_code"])
    changed = np.concatenate([houses, soil])
    if not len(changed) or not work.has("scenario/surface"):
        return Heights(changed, None, None)
    model = work.has("sources/surface_model")
    terrain = work.path("sources/terrain", "terrain.tif") if work.has("sources/terrain") else None
    surface = edited_surface(
        footprints,
        changed if model else houses,
        work.need("scenario/surface").data,
        folder / "surface",
        terrain=terrain,
        area=load_area(work),
        cell_size_m=site.surface.cell_size_m,
        surface_model=work.path("sources/surface_model", "surface_model.tif") if model else None,
        outdated=edited.ground.geometry,
    )
    measured = work.need("scenario/surface").metadata.get("cells_measured")
    if measured or not work.has("scenario/land_cover"):
        return Heights(changed, surface, None)
    if len(soil):
        cover = edited_cover(work.frame("sources/land_cover"), edited.ground, changed)
    else:
        cover = work.frame("scenario/land_cover")
    cleared = np.concatenate([frame.geometry.to_numpy() for frame in after])
    known = work.need("scenario/canopy").data if work.has("scenario/canopy") else None
    return Heights(changed, *edited_canopy(cover, cleared, changed, surface, before=known, out=folder / "canopy"))


def _sky(
    base: Base,
    old_planes: gpd.GeoDataFrame,
    planes: gpd.GeoDataFrame,
    heights: Heights,
    keep: Callable[[str, dict[str, Any], Callable[[Path], None]], Path],
) -> tuple[ChangedSky | None, np.ndarray]:
    """Return the sky of the roofs that see another one, and where these stand among the planes after the edit."""
    work, site = base.work, base.work.site
    if not work.has("scenario/skyline") or heights.surface is None:
        return None, np.flatnonzero(~planes["roof_id"].isin(old_planes["roof_id"]))
    hills = work.path("sources/terrain", HILLS)
    before, _ = surface_with_trees(work)
    sky = changed_sky(
        TownSky.load(work.need("scenario/skyline").data), old_planes, planes, heights.changed,
        surface=heights.surface, evergreen=heights.evergreen, hills=hills if hills.exists() else None,
        azimuths=site.solar.azimuths, keep=keep, compute=site.compute, surface_before=before, known=_known(base),
    )  # fmt: skip
    return sky, sky.rows
