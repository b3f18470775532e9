"""Steps that make a plan of its blocks: what they are, whether they stand, what their ground becomes, and what is published of them."""

from __future__ import annotations

import json

import pandas as pd

from geodata.accounting import CleanLayer
from geodata.catalogue import LAYERS
from geodata.clean.buildings import clean_buildings
from geodata.clean.plan_blocks import clean_plan_blocks
from geodata.site import Site
from geodata.vector_file import read_dataset
from pipelines.assets.sources import AREA, READ_MARGIN_M, load_area
from pipelines.step_names import BASIS, INVENTORY
from pipelines.steps import Step, step
from pipelines.work import Work
from twin.energy.columns import pool_columns
from twin.green.access.summary import resident_sums
from twin.indicators import block_sums
from twin.massing.designs import designed_buildings
from twin.massing.town import mass_blocks
from twin.scenario.blocks import NEW, judge_blocks
from twin.scenario.ground import changed_ground


def _own_blocks(work: Work) -> CleanLayer | None:
    """Return the blocks of the scenario's own files, or None where it names none."""
    datasets = work.datasets("plan_blocks", work.scenario or "")
    if not datasets:
        return None
    area = load_area(work)
    box = area.area.buffer(READ_MARGIN_M).bounds
    return clean_plan_blocks([read_dataset(work.site.inbox, d, work.site.crs, box) for d in datasets], area)


def _plans(site: Site) -> dict[str, object]:
    return {name: plan.model_dump(mode="json") for name, plan in site.plans.items()}


@step("scenario/blocks", group="town", parameters=_plans,
      needs=(INVENTORY, AREA, "sources/plan_blocks", "sources/buildings", "sources/land_cover"))  # fmt: skip
def blocks(work: Work) -> None:
    """Blocks of the plan with the class of their use, those that stand already, and the ground that the plan changes.

    계획 블록: 용도 분류, 기존 유지 여부, 계획이 바꾸는 땅.
    """
    own = _own_blocks(work)
    if own is None and not work.has("sources/plan_blocks"):
        why = work.need("sources/plan_blocks").metadata
        work.absent(why["absent_ko"], why["absent"])
        return
    if own is not None:
        work.write_clean(own)
    clean = work.frame("sources/plan_blocks") if own is None else own.features
    cover = work.frame_or_none("sources/land_cover")
    judged = judge_blocks(clean, work.frame_or_none("sources/buildings"), cover, keep=work.part)
    logs = [judged.quality] if own is None else [own.quality, judged.quality]
    work.write(judged.blocks)
    work.write(changed_ground(judged.blocks, cover), "ground.parquet")
    work.write(pd.concat(logs, ignore_index=True), "quality.parquet")
    counts = judged.blocks.groupby(["use_class", "block_status"]).size()
    work.metadata["blocks"] = {f"{use} {status}": int(count) for (use, status), count in counts.items()}


@step(BASIS, group="town", essential=("scenario/blocks",), kinds={"json"})
def basis(work: Work) -> None:
    """What every step of a plan rests on: that the plan has blocks. Absent without them, and with it the whole scenario.

    계획 시나리오의 전제: 계획 블록이 있어야 한다.
    """
    (work.out / "basis.json").write_text(json.dumps({"made_of": "plan blocks"}), encoding="utf-8")


@step("scenario/designs", group="town", parameters=_plans, needs=(INVENTORY, AREA, "scenario/blocks"))
def designs(work: Work) -> None:
    """Buildings that somebody has designed for blocks of the plan; they take the place of the massing there.

    설계안의 건물: 해당 블록의 배치 가정을 대신한다.
    """
    datasets = work.datasets("buildings", work.scenario or "")
    if not datasets:
        work.absent("설계안이 없음", "the site file names no design for this plan")
        return
    area = load_area(work)
    box = area.area.buffer(READ_MARGIN_M).bounds
    raw = [read_dataset(work.site.inbox, dataset, work.site.crs, box) for dataset in datasets]
    clean = clean_buildings(raw, area, None)
    clean.account.verify()
    placed = designed_buildings(clean.features, work.frame("scenario/blocks"))
    work.write(placed.buildings)
    work.write(pd.concat([clean.quality, placed.quality], ignore_index=True), "quality.parquet")


@step("scenario/massing", group="town", essential=("scenario/blocks",), needs=("scenario/designs",))
def massing(work: Work) -> None:
    """Planned buildings of the new blocks: as much floor area as the plan gives each, within its coverage and floors.

    신설 블록의 계획 건물: 용적률·건폐율·층수 안에서 채광 간격을 지켜 배치.
    """
    blocks = work.frame("scenario/blocks")
    designed = work.frame_or_none("scenario/designs")
    new = blocks[blocks["block_status"] == NEW]
    if designed is not None:
        new = new[~new["block_id"].isin(designed["block_id"])]
    found = mass_blocks(new)
    work.write(found.buildings)
    work.write(found.quality, "quality.parquet")
    work.metadata |= found.report


@step("scenario/plan_blocks", group="town", essential=("scenario/blocks",), needs=("scenario/buildings", "scenario/cover", "scenario/biotope", "scenario/heat", "scenario/energy"),
      layer=LAYERS["plan_blocks"])  # fmt: skip
def plan_blocks(work: Work) -> None:
    """Published layer: blocks of the plan with their limits, green cover and the sums of their buildings.

    공개 레이어: 토지이용계획 블록.
    """
    frame = work.joined(work.frame("scenario/blocks"), "block_id", "scenario/cover", "blocks.parquet")
    frame = work.joined(frame, "block_id", "scenario/biotope", "blocks.parquet")
    frame = work.joined(frame, "block_id", "scenario/heat", "blocks.parquet")
    houses = work.frame_or_none("scenario/buildings")
    if houses is not None:
        frame = frame.join(block_sums(frame, houses), on="block_id")
        frame = frame.join(resident_sums(frame, "block_id", houses), on="block_id")
        work.metadata["unshaded"] = work.need("scenario/buildings").metadata.get("unshaded", True)
    pooled = work.frame_or_none("scenario/energy", "blocks.parquet")
    if pooled is not None:
        frame = pool_columns(frame, pooled, "block_id")
    work.write(LAYERS["plan_blocks"].finish(frame))


STEPS: tuple[Step, ...] = (blocks, basis, designs, massing, plan_blocks)
