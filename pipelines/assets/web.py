"""The step that makes the web page: one page over all scenarios, since it switches between them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from geodata.site import PRESENT, Site
from pipelines.about import release_about
from pipelines.steps import BASIS, INVENTORY, SCENARIO, Step, Work, is_built, key_of, step
from twin.publish.run_info import newest_vintage
from twin.publish.viewer.data import write_scenario
from twin.publish.viewer.page import write_page

WEB = "web"
LAYERS_SHOWN = ("parcels", "buildings", "roofs", "parks", "plan_blocks", "run_info")


def _needs(site: Site) -> tuple[str, ...]:
    return tuple(
        key_of(name, scenario)
        for scenario in site.scenarios
        for name in (BASIS, *(f"{SCENARIO}/{layer}" for layer in LAYERS_SHOWN))
        if is_built(name, scenario)
    )


def _parameters(site: Site) -> Any:
    told = site.model_dump(mode="json", include={"name", "title", "demo", "scenarios"})
    return told | {"maplibre": version("maplibre")}


def web(work: Work) -> None:
    """The web page of the release: a map of every scenario that opens from a disk or from any web server.

    릴리스의 웹 페이지: 디스크에서 바로 열리는 시나리오별 지도.
    """
    published = [s for s in work.site.scenarios if s == PRESENT or work.has(f"{s}/basis")]
    unshaded = any(work.need(f"{s}/roofs").metadata.get("unshaded", True) for s in published)
    about = release_about(work.site, newest_vintage(work.inventory()), unshaded=unshaded)
    write_page(work.out, about, published)
    for scenario in published:
        names = [name for name in LAYERS_SHOWN if f"{scenario}/{name}" in work.needs and work.has(f"{scenario}/{name}")]
        layers = {name: work.frame(f"{scenario}/{name}") for name in names}
        work.metadata[scenario] = write_scenario(work.out / "data" / scenario, layers, about, scenario)


def web_step(site: Site) -> Step:
    """Return the step of ``site``; it needs layers of every scenario."""
    return step(WEB, group="publish", needs=(INVENTORY, *_needs(site)), kinds={"javascript"}, parameters=_parameters)(
        web
    )
