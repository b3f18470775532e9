"""The step that makes the web page: one page over all scenarios, since it switches between them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from geodata.site import PRESENT, Site
from pipelines.about import release_about
from pipelines.step_names import BASIS, INVENTORY, SCENARIO, is_built, key_of
from pipelines.steps import Step, step
from pipelines.work import Work
from twin.publish.run_info import newest_vintage
from twin.publish.viewer.data import SHOWN, write_scenario
from twin.publish.viewer.page import write_page

WEB = "web"
LAYERS_READ = (*SHOWN, "roofs", "run_info")


def _needs(site: Site) -> tuple[str, ...]:
    return tuple(
        key_of(name, scenario)
        for scenario in site.scenarios
        for name in (BASIS, *(f"{SCENARIO}/{layer}" for layer in LAYERS_READ))
        if is_built(name, scenario)
    )


def _parameters(site: Site) -> Any:
    told = site.model_dump(mode="json", include={"name", "title", "demo", "scenarios"})
    return told | {"maplibre": version("maplibre")}


def web(work: Work) -> None:
    """The web page of the release: a map of every scenario that opens from a disk or from any web server.

    릴리스의 웹 페이지: 디스크에서 바로 열리는 시나리오별 지도.
    """
    published = [s for s in work.site.scenarios if _can_be_drawn(work, s)]
    if not published:
        work.absent("지도에 그릴 레이어가 없음", "no layer that a map could show")
        return
    unshaded = any(work.need(f"{s}/roofs").metadata.get("unshaded", True) for s in published)
    about = release_about(work.site, newest_vintage(work.inventory()), unshaded=unshaded)
    write_page(work.out, about, published)
    for scenario in published:
        names = [name for name in LAYERS_READ if _holds(work, f"{scenario}/{name}")]
        layers = {name: work.frame(f"{scenario}/{name}") for name in names}
        work.metadata[scenario] = write_scenario(work.out / "data" / scenario, layers, about, scenario)


def _holds(work: Work, name: str) -> bool:
    return name in work.needs and work.has(name)


def _can_be_drawn(work: Work, scenario: str) -> bool:
    there = scenario == PRESENT or work.has(f"{scenario}/basis")
    return there and any(_holds(work, f"{scenario}/{name}") for name in SHOWN)


def web_step(site: Site) -> Step:
    """Return the step of ``site``; it needs layers of every scenario."""
    return step(WEB, group="publish", needs=(INVENTORY, *_needs(site)), kinds={"javascript"}, parameters=_parameters)(
        web
    )
