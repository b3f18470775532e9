"""The step over all scenarios: every plan held against the town as it is."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd

from geodata.catalogue import COMPARISON_LAYERS
from geodata.site import PRESENT, Site
from pipelines.about import release_about
from pipelines.assets.green import index_has_level
from pipelines.assets.written import check_written
from pipelines.step_names import INVENTORY
from pipelines.steps import Step, step
from pipelines.work import Work
from twin.comparison import compare_blocks, compare_districts, kept_cover, present_blocks
from twin.green.raster_cover import observed_by
from twin.publish.geopackage import write_geopackage
from twin.publish.maps import draw_layer
from twin.publish.run_info import newest_vintage

COMPARISON = "comparison"
LINEAGE = (
    "두 시나리오의 twin.gpkg에 공개된 값에서 만들었다. 입력은 run_info 표에, 처리 내용은 두 파일의 quality 표에 있다. · "
    "Made of what the twin.gpkg of both scenarios publish. Inputs are told in the table run_info, processing in the tables quality of both."
)
OF_PRESENT = ("districts", "buildings", "green", "land_cover", "run_info")
COVERED_BY = (f"{PRESENT}/green", f"{PRESENT}/land_cover", "sources/ndvi")
OF_PLAN = ("districts", "plan_blocks", "run_info")


def comparison(work: Work) -> None:
    """Planned minus existing of every plan, by district and by plan block, as one GeoPackage.

    비교: 계획에서 현재를 뺀 값, 법정동·사업지구와 블록별.
    """
    plans = [name for name in work.site.planned if all(work.has(f"{name}/{layer}") for layer in OF_PLAN)]
    if not plans:
        work.absent("비교할 계획 시나리오가 없음", "no plan to compare: none is published")
        return
    present = {name: work.frame_or_none(f"{PRESENT}/{name}") for name in OF_PRESENT}
    sources = {name: work.need(name).content for name in COVERED_BY}
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in COMPARISON_LAYERS}
    told = pd.concat([work.frame(f"{name}/run_info") for name in (PRESENT, *plans)])
    parts["run_info"].append(told.drop_duplicates())  # most rows tell of inputs that all scenarios share
    for plan in plans:
        blocks = work.frame(f"{plan}/plan_blocks")
        seen = observed_by(blocks, "block_id", work.path("sources/ndvi", "ndvi.tif")) if index_has_level(work) else None
        keep = partial(kept_cover, blocks, work.part, f"cover.{plan}", sources)
        before = present_blocks(blocks, present["buildings"], present["green"], present["land_cover"], seen, keep=keep)
        districts = compare_districts(work.frame(f"{PRESENT}/districts"), work.frame(f"{plan}/districts"), plan)
        parts["comparison_districts"].append(districts)
        parts["comparison_blocks"].append(compare_blocks(before, blocks, plan))
    layers = {}
    for name, layer in COMPARISON_LAYERS.items():
        layers[name] = layer.finish(pd.concat(parts[name], ignore_index=True))
        work.write(layers[name], f"{name}.parquet")
    unshaded = any(work.need(f"{name}/districts").metadata.get("unshaded", True) for name in (PRESENT, *plans))
    about = replace(release_about(work.site, newest_vintage(work.inventory()), unshaded=unshaded), lineage=LINEAGE)
    write_geopackage(work.out / "comparison.gpkg", layers, about, COMPARISON_LAYERS)
    check_written(work)
    blocks = layers["comparison_blocks"]
    for number, plan in enumerate(plans):
        places = [work.out / f"{plan}_change.png", *([work.preview] if number == 0 else [])]
        for place in places:
            draw_layer("comparison_blocks", blocks[blocks["scenario"] == plan], place, about=about)
    work.metadata["layers"] = {name: len(frame) for name, frame in layers.items()}


def comparison_step(site: Site) -> Step:
    """Return the step that compares the plans of ``site``; it is there without plans too, and then says so."""
    needs = (
        INVENTORY,
        "sources/ndvi",
        *(f"{PRESENT}/{name}" for name in OF_PRESENT),
        *(f"{plan}/{name}" for plan in site.planned for name in OF_PLAN),
    )
    told = site.model_dump(mode="json", include={"title", "demo", "scenarios"})
    made = step(COMPARISON, group="publish", needs=needs, kinds={"geopackage"}, parameters=lambda _: told)
    return made(comparison)
