"""The step that counts the winter sun of homes."""

from __future__ import annotations

from pipelines.assets.sources import AREA, load_area
from pipelines.steps import Step, step
from pipelines.store import StoredObject
from pipelines.work import Work
from twin.green.access.residents import homes_of
from twin.sky.tiles import SurfaceFolder
from twin.sunlight.points import EarlierSun, SunnedPoints
from twin.sunlight.solstice import town_sun
from twin.sunlight.winter_sun import winter_sun_and_points

POINTS = "points.npz"
"""The sun at each point of each home, from which an edit elsewhere need not look again."""


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
    needs = ("scenario/surface", "sources/terrain")
    then = work.before.needs(*needs) if work.before is not None else None
    earlier = None
    if work.before is not None and then is not None:
        earlier = EarlierSun(SunnedPoints.load(work.before.data / POINTS), _surface(*then.values()))
    surface = _surface(*(work.need(name) for name in needs))
    table, points = winter_sun_and_points(homes, surface, town_sun(load_area(work)), earlier=earlier)
    work.write(table)
    points.save(work.out / POINTS)


def _surface(tiles: StoredObject, terrain: StoredObject) -> SurfaceFolder:
    return SurfaceFolder.open(tiles.data, terrain.data / "terrain.tif" if terrain.absent is None else None)


STEPS: tuple[Step, ...] = (winter_sun,)
