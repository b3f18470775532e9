"""The step of the bus stops of one scenario."""

from geodata.catalogue import LAYERS
from pipelines.assets.green import shade_file, summer_day_h
from pipelines.assets.sources import AREA, load_area
from pipelines.steps import Step, step
from pipelines.work import Work
from twin.green.ground_shade import ShadeRaster
from twin.green.stops import staying_stops, stop_indicators, stop_shade
from twin.indicators import district_shapes


@step("scenario/bus_stops", group="green", essential=("sources/bus_stops",), kinds={"geopandas", "rasterio"},
      parameters=lambda site: site.timezone, needs=("scenario/sky_rasters", "scenario/blocks", AREA), layer=LAYERS["bus_stops"])  # fmt: skip
def bus_stops(work: Work) -> None:
    """Published layer: bus stops with their summer shade; in a plan without those on ground that it changes.

    공개 레이어: 버스정류장과 여름철 그늘 시간. 계획은 바꾸는 땅의 정류장을 뺀다.
    """
    area, stops = load_area(work), work.frame("sources/bus_stops")
    if work.has("scenario/blocks"):
        known = len(stops)
        stops = staying_stops(stops, work.frame("scenario/blocks", "ground.parquet"))
        work.metadata["stops_on_changed_ground"] = known - len(stops)
    if not len(stops):
        work.absent("남는 정류장이 없음", "no bus stop stays")
        return
    shade = shade_file(work)
    if shade is None:
        work.metadata["without_shade"] = "no surface, so nothing casts shade"
    else:
        stops["stop_shade_h"] = stop_shade(stops, ShadeRaster.read(shade), summer_day_h(work, area))
    work.write(LAYERS["bus_stops"].finish(stops))
    work.write(stop_indicators(stops, district_shapes(area)), "districts.parquet")


STEPS: tuple[Step, ...] = (bus_stops,)
