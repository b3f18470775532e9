"""The step that counts the winter sun of homes."""

from __future__ import annotations

from pipelines.assets.sources import AREA, load_area
from pipelines.steps import Step, step
from pipelines.work import Work
from twin.green.access.residents import homes_of
from twin.sky.tiles import SurfaceFolder
from twin.sunlight.solstice import town_sun
from twin.sunlight.winter_sun import winter_sun as sun_of


@step("scenario/winter_sun", group="solar", kinds={"geopandas", "numba"}, essential=("scenario/footprints", "scenario/surface"),
      needs=("sources/terrain", AREA))  # fmt: skip
def winter_sun(work: Work) -> None:
    """Hours of direct sun at the lowest storey of residential buildings at the winter solstice; a count, no judgement.

    주거 건물의 동지 일조 시간. 측정값이며 기준 충족 판정이 아니다.
    """
    buildings = work.frame("scenario/footprints")
    homes = homes_of(buildings).reset_index(drop=True)
    if not len(homes):
        work.absent("주거용 건물이 없음", "no residential building is known")
        return
    terrain = work.path("sources/terrain", "terrain.tif") if work.has("sources/terrain") else None
    surface = SurfaceFolder.open(work.need("scenario/surface").data, terrain)
    work.write(sun_of(homes, surface, town_sun(load_area(work)), keep=work.part))


STEPS: tuple[Step, ...] = (winter_sun,)
